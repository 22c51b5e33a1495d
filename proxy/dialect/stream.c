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

/* Is a member of this name no part of the envelope? */
static bool
is_dropped(const struct abt_dialect *dialect, struct abt_bytes key)
{
	return abt_bytes_equal(key, ABT_BYTES("body")) ||
	       abt_bytes_equal(key, ABT_BYTES("isBase64Encoded")) ||
	       (dialect->stream_prelude &&
		   abt_bytes_equal(key, ABT_BYTES("cookies")));
}

/* |tree| as an envelope: with a status, without what makes bodies. */
static struct abt_json *
envelope(const struct abt_call *call, const struct abt_json *tree)
{
	struct abt_arena *arena = call->arena;
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
		if (is_dropped(call->front->dialect, m->key))
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

/* Cookies that the dialect does not know by itself (apigw.md 1.17). */
static int
add_cookies(const struct abt_call *call, const struct abt_json *list,
    struct abt_response *response, struct abt_report *report)
{
	const struct abt_json *cookie;

	if (list == NULL || list->kind == ABT_JSON_NULL)
		return 0;
	if (list->kind != ABT_JSON_ARRAY)
		return abt_break(
		    report, ABT_RULE_API_RESULT_COOKIES, ABT_BYTES("/cookies"));
	for (cookie = list->first; cookie != NULL; cookie = cookie->next) {
		if (cookie->kind != ABT_JSON_STRING ||
		    !abt_bytes_all(cookie->text, ABT_CHAR_FIELD))
			return abt_break(report, ABT_RULE_API_RESULT_COOKIES,
			    ABT_BYTES("/cookies"));
		abt_headers_add(&response->headers, call->arena,
		    ABT_BYTES("Set-Cookie"), cookie->text);
	}
	return 0;
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
	const struct abt_dialect *dialect = call->front->dialect;
	const struct abt_json *cookies;

	if (!abt_json_is(tree, ABT_JSON_OBJECT)) {
		abt_break_detail(report, ABT_RULE_API_STREAM_PRELUDE,
		    ABT_BYTES(""), abt_bytes_text(error.text));
		return -1;
	}
	cookies =
	    dialect->stream_prelude ? abt_json_get(tree, "cookies") : NULL;
	tree = envelope(call, tree);
	if (tree == NULL)
		return -1; /* the arena remembers */
	if (dialect->read_result(call, text, tree, &error, response, report) !=
	    0)
		return -1;
	return add_cookies(call, cookies, response, report);
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
