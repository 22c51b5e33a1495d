/*
 * test_forwarded.c - X-Forwarded-For and X-Amzn-Trace-Id (alb.md E6, E7)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/forwarded.h"

static const unsigned char random_bytes[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	11, 12 };
#define FRESH "1-65536000-0102030405060708090a0b0c"

static void
assert_text(struct abt_bytes got, const char *expected)
{
	assert_int_equal(got.n, strlen(expected));
	assert_memory_equal(got.p, expected, got.n);
}

static void
test_trace_ids(void **unused)
{
	static const struct {
		const char *sent;
		bool rewrite;
		const char *passed;
	} cases[] = {
		{ "", false, "Root=" FRESH },
		{ "Root=1-a-b", false, "Self=" FRESH ";Root=1-a-b" },
		{ "Root=1-a-b;X=y", false, "Self=" FRESH ";Root=1-a-b;X=y" },
		{ "Self=1-c-d;Root=1-a-b", false, "Self=" FRESH ";Root=1-a-b" },
		{ "Root=1-a-b; Self=1-c-d;X=y", false,
		    "Root=1-a-b; Self=" FRESH ";X=y" },
		{ "foobar", false, "Root=" FRESH ";foobar" },
		{ "XRoot=1-a-b", false, "Root=" FRESH ";XRoot=1-a-b" },
		{ "Root=1-a-b", true, "Root=" FRESH },
	};
	struct abt_arena arena;
	size_t i;

	(void)unused;
	abt_arena_init(&arena, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_text(
		    abt_trace_id(abt_bytes_text(cases[i].sent), 0x65536000,
			random_bytes, cases[i].rewrite, &arena),
		    cases[i].passed);
	abt_arena_end(&arena);
}

static void
test_forwarded_for(void **unused)
{
	struct abt_headers headers = { 0 };
	struct abt_arena arena;
	struct abt_bytes peer = ABT_BYTES("203.0.113.10");

	(void)unused;
	abt_arena_init(&arena, NULL);
	assert_text(abt_forwarded_for(&headers, peer, &arena), "203.0.113.10");
	abt_headers_add(&headers, &arena, ABT_BYTES("X-Forwarded-For"),
	    ABT_BYTES("10.0.0.1, 10.0.0.2"));
	abt_headers_add(&headers, &arena, ABT_BYTES("x-forwarded-for"),
	    ABT_BYTES("10.0.0.3,,"));
	assert_int_equal(abt_forwarded_count(&headers), 3);
	assert_text(abt_forwarded_for(&headers, peer, &arena),
	    "10.0.0.1, 10.0.0.2, 10.0.0.3,,, 203.0.113.10");
	abt_arena_end(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_ids),
		cmocka_unit_test(test_forwarded_for),
	};

	return cmocka_run_group_tests_name("forwarded", tests, NULL, NULL);
}
