/*
 * test_stream.c - the prelude of a streamed result, however it is cut
 */
#include "dialect/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dialect/payload.h"

#define NULS "\0\0\0\0\0\0\0\0"

static const struct abt_payload_attributes attributes[2] = { {
    .cors = { .max_age = -1 },
} };

struct got {
	struct abt_arena arena;
	struct abt_response response;
	struct abt_report report;
	char body[256];
	size_t n;
	int rc;
};

/* Feed |all| in pieces of |step| bytes. */
static void
run(struct got *g, const char *type, struct abt_bytes all, size_t step)
{
	static const struct abt_request request = { .method =
							ABT_BYTES_INIT("GET") };
	static const struct abt_api api = { .stage =
						ABT_BYTES_INIT("$default") };
	struct abt_front front = {
		.dialect = abt_dialect_find(ABT_BYTES("url")),
		.attributes = attributes,
		.api = &api,
	};
	struct abt_call call = {
		.request = &request, .front = &front, .arena = &g->arena
	};
	struct abt_stream stream;
	bool ready = false;

	memset(g, 0, sizeof(*g));
	abt_arena_init(&g->arena, NULL);
	abt_report_init(&g->report, &g->arena);
	abt_stream_init(&stream, abt_bytes_text(type), NULL);
	while (all.n > 0) {
		struct abt_bytes piece =
		    abt_bytes(all.p, all.n < step ? all.n : step);

		all.p += piece.n;
		all.n -= piece.n;
		ready = abt_stream_feed(&stream, &piece);
		if (ready && stream.is_open) {
			memcpy(g->body + g->n, piece.p, piece.n);
			g->n += piece.n;
		}
	}
	g->rc = abt_stream_head(&call, &stream, &g->response, &g->report);
	assert_true(ready || g->rc != 0);
	abt_stream_end(&stream);
}

static void
test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t step = 1; step < 90; step++) {
		struct got g;

		run(&g, ABT_STREAM_TYPE,
		    ABT_BYTES(
			"{\"statusCode\":404,\"headers\":{\"X\":\"1\"},"
			"\"cookies\":[\"a=b\"],\"body\":7}" NULS "\0hello\0"),
		    step);
		assert_int_equal(g.rc, 0);
		assert_int_equal(g.response.status, 404);
		assert_int_equal(g.n, 7);
		assert_memory_equal(g.body, "\0hello\0", 7);
		assert_non_null(
		    abt_headers_named(&g.response.headers, ABT_BYTES("X")));
		assert_non_null(abt_headers_named(
		    &g.response.headers, ABT_BYTES("Set-Cookie")));
		assert_non_null(abt_headers_first(
		    &g.response.ours, ABT_FIELD_TRANSFER_ENCODING));
		assert_true(g.response.no_content_length);
		abt_arena_end(&g.arena);
	}
}

static void
test_without_prelude(void **state)
{
	struct got g;

	(void)state;
	run(&g, "text/html", ABT_BYTES("{\"statusCode\":404}" NULS "x"), 5);
	assert_int_equal(g.rc, 0);
	assert_int_equal(g.response.status, 200);
	assert_int_equal(g.n, 27);
	abt_arena_end(&g.arena);
	run(&g, "", ABT_BYTES("x"), 5);
	assert_true(abt_bytes_equal(
	    abt_headers_first(&g.response.ours, ABT_FIELD_CONTENT_TYPE)->value,
	    ABT_BYTES("application/octet-stream")));
	abt_arena_end(&g.arena);
}

static void
test_default_status(void **state)
{
	struct got g;

	(void)state;
	run(&g, ABT_STREAM_TYPE "; charset=utf-8", ABT_BYTES("{}" NULS), 1);
	assert_int_equal(g.rc, 0);
	assert_int_equal(g.response.status, 200);
	abt_arena_end(&g.arena);
}

static void
test_broken(void **state)
{
	static const struct abt_bytes rows[] = {
		ABT_BYTES_INIT("{}"),
		ABT_BYTES_INIT("{}\0\0\0\0\0\0\0"),
		ABT_BYTES_INIT("{}\0\0\0\0\0\0\0x"),
		ABT_BYTES_INIT("{}\0{}" NULS),
		ABT_BYTES_INIT("[]" NULS),
		ABT_BYTES_INIT(NULS),
		ABT_BYTES_INIT("{\"statusCode\":\"x\"}" NULS),
		ABT_BYTES_INIT("{\"headers\":[]}" NULS),
		ABT_BYTES_INIT("{" NULS),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step < 30; step++) {
			struct got g;

			run(&g, ABT_STREAM_TYPE, rows[i], step);
			if (g.rc == 0)
				fail_msg("row %zu passes", i);
			assert_non_null(g.report.broken);
			abt_arena_end(&g.arena);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_without_prelude),
		cmocka_unit_test(test_default_status),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
