/*
 * test_percent.c - percent-decoding as API Gateway does it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/percent.h"

static void
check(const char *in, bool plus, const char *expected)
{
	struct abt_arena arena;
	struct abt_bytes out;

	abt_arena_init(&arena, NULL);
	out = abt_percent_decode(abt_bytes_text(in), plus, &arena);
	assert_int_equal(out.n, strlen(expected));
	assert_memory_equal(out.p, expected, out.n);
	abt_arena_end(&arena);
}

static void
escapes_are_decoded_once(void **state)
{
	(void)state;
	check("", false, "");
	check("plain", false, "plain");
	check("a%20b", false, "a b");
	check("%2541", false, "%41");
	check("%e2%98%95", false, "\xe2\x98\x95");
	check("%C3%A9", true, "\xc3\xa9");
	check("a+b%2Bc", true, "a b+c");
	check("a+b", false, "a+b");
}

static void
broken_ones_stay(void **state)
{
	(void)state;
	check("%", false, "%");
	check("%F", false, "%F");
	check("a%F", false, "a%F");
	check("%G1%1G", false, "%G1%1G");
	check("%%41", false, "%A");
	check("100%+1", true, "100% 1");
}

static void
what_is_no_utf8_is_mended(void **state)
{
	(void)state;
	check("%ff", false, "\xef\xbf\xbd");
	check("a%c3b", false,
	    "a\xef\xbf\xbd"
	    "b");
	check("\xff", false, "\xef\xbf\xbd");
}

static void
an_escaped_nul_is_data(void **state)
{
	struct abt_arena arena;
	struct abt_bytes out;

	(void)state;
	abt_arena_init(&arena, NULL);
	out = abt_percent_decode(ABT_BYTES("a%00b"), false, &arena);
	assert_int_equal(out.n, 3);
	assert_memory_equal(out.p, "a\0b", 3);
	abt_arena_end(&arena);
}

static void
memory_may_run_out(void **state)
{
	struct abt_arena arena;

	(void)state;
	abt_arena_init(&arena, NULL);
	abt_memory_fail_at(1);
	assert_int_equal(
	    abt_percent_decode(ABT_BYTES("%41"), false, &arena).n, 0);
	abt_memory_fail_at(0);
	assert_true(abt_arena_failed(&arena));
	abt_arena_end(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_are_decoded_once),
		cmocka_unit_test(broken_ones_stay),
		cmocka_unit_test(what_is_no_utf8_is_mended),
		cmocka_unit_test(an_escaped_nul_is_data),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
