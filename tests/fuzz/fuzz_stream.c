/*
 * fuzz_stream.c - the beginning of a streamed result, however it is cut
 *
 * The first byte of the input chooses the cuts and the dialect, the rest is the
 * stream.  Properties: in whatever pieces it comes, the same prelude, the same
 * verdict and the same body are found; a head that is sent holds no byte that
 * could end a line; a broken beginning names a rule.
 */
#include <stdlib.h>

#include "dialect/payload.h"
#include "dialect/rest.h"
#include "dialect/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct abt_payload_attributes url[2] = { {
    .cors = { .max_age = -1 },
} };
static const struct abt_rest_attributes rest = {
	.compress_from = ABT_REST_COMPRESS_OFF,
};
static const struct abt_api api = { .stage = ABT_BYTES_INIT("dev") };
static const struct abt_request request = { .method = ABT_BYTES_INIT("GET") };

struct got {
	struct abt_arena arena;
	struct abt_report report;
	struct abt_response response;
	struct abt_buf body;
	int rc;
};

static size_t
next_cut(uint32_t *seed, size_t left)
{
	size_t n;

	if (*seed == 0)
		return left;
	*seed = *seed * 1664525u + 1013904223u;
	n = (*seed >> 24) % 11 + 1;
	return n < left ? n : left;
}

static void
feed(struct got *g, struct abt_stream *stream, struct abt_bytes all,
    uint32_t seed)
{
	while (all.n > 0) {
		struct abt_bytes piece =
		    abt_bytes(all.p, next_cut(&seed, all.n));

		all.p += piece.n;
		all.n -= piece.n;
		if (!abt_stream_feed(stream, &piece)) {
			if (piece.n > 0)
				abort(); /* lost */
		} else if (stream->is_open) {
			abt_buf_add(&g->body, piece);
		} else {
			return;
		}
	}
}

static void
run(struct got *g, bool is_rest, bool has_prelude, struct abt_bytes all,
    uint32_t seed)
{
	struct abt_front front = {
		.dialect = abt_dialect_find(
		    is_rest ? ABT_BYTES("rest") : ABT_BYTES("url")),
		.attributes = is_rest ? (const void *)&rest : url,
		.api = &api,
	};
	struct abt_call call = {
		.request = &request, .front = &front, .arena = &g->arena
	};
	struct abt_stream stream;

	memset(g, 0, sizeof(*g));
	abt_arena_init(&g->arena, NULL);
	abt_report_init(&g->report, &g->arena);
	abt_buf_init(&g->body, NULL, 1 << 20);
	abt_stream_init(&stream,
	    has_prelude ? ABT_BYTES(ABT_STREAM_TYPE) : ABT_BYTES("text/html"),
	    NULL);
	feed(g, &stream, all, seed);
	g->rc = abt_stream_head(&call, &stream, &g->response, &g->report);
	abt_stream_end(&stream);
}

static void
compare(const struct got *a, const struct got *b)
{
	const struct abt_headers *x = &a->response.headers;
	const struct abt_headers *y = &b->response.headers;

	if (a->rc != b->rc || a->report.broken != b->report.broken)
		abort();
	if (a->rc != 0) {
		if (a->report.broken == NULL)
			abort();
		return;
	}
	if (a->response.status != b->response.status || x->count != y->count ||
	    !abt_bytes_equal(abt_buf_bytes(&a->body), abt_buf_bytes(&b->body)))
		abort();
	for (size_t i = 0; i < x->count; i++)
		if (!abt_bytes_all(x->fields[i].name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(x->fields[i].value, ABT_CHAR_FIELD) ||
		    !abt_bytes_equal(x->fields[i].value, y->fields[i].value))
			abort();
}

static void
end(struct got *g)
{
	abt_buf_end(&g->body);
	abt_arena_end(&g->arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes all;
	struct got whole, cut;
	bool is_rest, has_prelude;

	if (size < 2)
		return 0;
	all = abt_bytes((const char *)data + 1, size - 1);
	is_rest = data[0] & 1;
	has_prelude = (data[0] & 6) != 0;
	run(&whole, is_rest, has_prelude, all, 0);
	run(&cut, is_rest, has_prelude, all, data[0] + 1u);
	compare(&whole, &cut);
	end(&whole);
	end(&cut);
	return 0;
}
