/*
 * stream.c - streamed results: a prelude, eight NULs, then bytes (apigw.md 3.3)
 *
 * The prelude is an envelope without a body, so the dialect reads it as one.  A
 * stream of any other type has no prelude: status 200 and its own type, and
 * what looks like an envelope is a body (U2.4).
 */
#include "dialect/stream.h"

#define PRELUDE_MAX 131072
#define NULS        8

void
abt_stream_init(struct abt_stream *stream, struct abt_bytes content_type,
    struct abt_pool *pool)
{
	struct abt_bytes type = abt_bytes_trim(
	    abt_bytes(content_type.p, abt_bytes_find(content_type, ';')));

	memset(stream, 0, sizeof(*stream));
	stream->content_type = content_type;
	stream->has_prelude =
	    abt_bytes_equal_nocase(type, ABT_BYTES(ABT_STREAM_TYPE));
	abt_buf_init(&stream->prelude, pool, PRELUDE_MAX);
}

void
abt_stream_end(struct abt_stream *stream)
{
	abt_buf_end(&stream->prelude);
}

static void
skip(struct abt_bytes *in, size_t n)
{
	in->p += n;
	in->n -= n;
}

bool
abt_stream_feed(struct abt_stream *stream, struct abt_bytes *in)
{
	if (!stream->has_prelude)
		stream->is_open = true;
	if (stream->is_open || stream->broken || stream->prelude.failed)
		return true;
	if (stream->nuls == 0) {
		size_t n = abt_bytes_find(*in, '\0');

		abt_buf_add(&stream->prelude, abt_bytes(in->p, n));
		skip(in, n);
	}
	while (in->n > 0 && in->p[0] == '\0' && stream->nuls < NULS) {
		stream->nuls++;
		skip(in, 1);
	}
	stream->is_open = stream->nuls == NULS;
	/* no NUL stands within a prelude */
	stream->broken = in->n > 0 && !stream->is_open;
	return stream->is_open || stream->broken || stream->prelude.failed;
}

/* ---- the head ---- */

/* |tree| as an envelope: with a status, without what makes bodies. */
static struct abt_json *
envelope(const struct abt_json *tree, struct abt_arena *arena)
{
	static const struct abt_bytes dropped[] = { ABT_BYTES_INIT("body"),
		ABT_BYTES_INIT("isBase64Encoded") };
	struct abt_json *copy =
	    abt_arena_array(arena, (size_t)tree->count + 2, sizeof(*copy));
	struct abt_json *status = copy + 1, *last = status;
	const struct abt_json *m;

	if (copy == NULL)
		return NULL;
	*copy = *tree;
	*status = (struct abt_json){ .kind = ABT_JSON_NUMBER,
		.key = ABT_BYTES("statusCode"),
		.text = ABT_BYTES("200"),
		.shadowed = abt_json_get(tree, "statusCode") != NULL };
	for (m = tree->first; m != NULL; m = m->next) {
		if (abt_bytes_equal(m->key, dropped[0]) ||
		    abt_bytes_equal(m->key, dropped[1]))
			continue;
		last->next = last + 1;
		*++last = *m;
	}
	last->next = NULL;
	copy->first = status;
	copy->last = last;
	copy->count = (uint32_t)(last - copy);
	return copy;
}

static int
read_prelude(const struct abt_call *call, const struct abt_stream *stream,
    struct abt_response *response, struct abt_report *report)
{
	struct abt_bytes text =
	    abt_arena_copy(call->arena, abt_buf_bytes(&stream->prelude));
	struct abt_json_error error = { 0 };
	const struct abt_json *tree =
	    abt_json_scan(text, ABT_JSON_DEPTH, call->arena, &error);

	if (!abt_json_is(tree, ABT_JSON_OBJECT)) {
		abt_break_detail(report, ABT_RULE_API_STREAM_PRELUDE,
		    ABT_BYTES(""), abt_bytes_text(error.text));
		return -1;
	}
	tree = envelope(tree, call->arena);
	if (tree == NULL)
		return -1; /* the arena remembers */
	return call->front->dialect->read_result(
	    call, text, tree, &error, response, report);
}

/* U2.2 */
static void
plain_head(const struct abt_call *call, const struct abt_stream *stream,
    struct abt_response *response)
{
	bool good = stream->content_type.n > 0 &&
		    abt_bytes_all(stream->content_type, ABT_CHAR_FIELD);

	memset(response, 0, sizeof(*response));
	response->status = 200;
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), call->facts.date);
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_CONTENT_TYPE,
	    ABT_BYTES("Content-Type"),
	    good ? stream->content_type
		 : ABT_BYTES("application/octet-stream"));
}

int
abt_stream_head(const struct abt_call *call, struct abt_stream *stream,
    struct abt_response *response, struct abt_report *report)
{
	if (!stream->has_prelude) {
		plain_head(call, stream, response);
	} else if (!stream->is_open) { /* U2.6 */
		abt_break(report, ABT_RULE_API_STREAM_PRELUDE, ABT_BYTES(""));
		return -1;
	} else if (read_prelude(call, stream, response, report) != 0) {
		return -1;
	}
	response->body = abt_bytes(NULL, 0);
	if (response->status == 204 || response->status == 304)
		return 0;
	response->no_content_length = true; /* U2.3 */
	abt_headers_add_id(&response->ours, call->arena,
	    ABT_FIELD_TRANSFER_ENCODING, ABT_BYTES("Transfer-Encoding"),
	    ABT_BYTES("chunked"));
	return 0;
}
