/*
 * test_pretty.c - JSON for reading
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/pretty.h"

static void
assert_pretty(const char *json, const char *expected)
{
	struct abt_buf buf;

	abt_buf_init(&buf, NULL, 4096);
	abt_json_pretty(&buf, abt_bytes_text(json));
	assert_false(buf.failed);
	assert_int_equal(buf.n, strlen(expected));
	assert_memory_equal(buf.p, expected, buf.n);
	abt_buf_end(&buf);
}

static void
levels_are_indented(void **state)
{
	(void)state;
	assert_pretty("{\"a\":[1,2],\"b\":{\"c\":null}}",
	    "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {\n    \"c\": "
	    "null\n  }\n}\n");
}

static void
empty_ones_stay_short(void **state)
{
	(void)state;
	assert_pretty(
	    "{\"a\":{},\"b\":[ ]}", "{\n  \"a\": {},\n  \"b\": []\n}\n");
	assert_pretty("[]", "[]\n");
	assert_pretty("5", "5\n");
}

static void
strings_are_left_alone(void **state)
{
	(void)state;
	assert_pretty("[\"{a: [1, \\\"x\\\\\\\"]}\"]",
	    "[\n  \"{a: [1, \\\"x\\\\\\\"]}\"\n]\n");
}

static void
blanks_make_no_difference(void **state)
{
	(void)state;
	assert_pretty(" { \"a\" : [ true ,\n-1.5e3 ] } ",
	    "{\n  \"a\": [\n    true,\n    -1.5e3\n  ]\n}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_indented),
		cmocka_unit_test(empty_ones_stay_short),
		cmocka_unit_test(strings_are_left_alone),
		cmocka_unit_test(blanks_make_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
