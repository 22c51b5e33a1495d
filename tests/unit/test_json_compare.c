/*
 * test_json_compare.c - differences and where they are
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "albatross/json.h"
#include "lib/guard.h"

static struct abt_arena arena;

static int
begin(void **state)
{
	(void)state;
	abt_arena_init(&arena, NULL);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	abt_arena_end(&arena);
	return 0;
}

static struct abt_json_diff *
compare(const char *expected, const char *got, unsigned flags)
{
	struct abt_json *a, *b;

	a = abt_json_scan(abt_bytes_text(expected), 64, &arena, NULL);
	b = abt_json_scan(abt_bytes_text(got), 64, &arena, NULL);
	assert_non_null(a);
	assert_non_null(b);
	return abt_json_compare(a, b, flags, &arena);
}

static void
equal_trees(void **state)
{
	(void)state;
	assert_null(compare("{\"a\":[1,true,null,\"x\"],\"b\":{}}",
	    "{ \"b\" : { }, \"a\" : [ 1 , true , null , \"\\u0078\" ] }", 0));
	/* The last of a repeated name counts, on either side. */
	assert_null(compare("{\"a\":1,\"a\":2}", "{\"a\":2}", 0));
	assert_null(compare("{\"a\":2}", "{\"a\":{},\"a\":2}", 0));
	assert_null(compare("{\"a\":2}", "{\"b\":1,\"a\":2}", ABT_JSON_SUBSET));
	assert_null(abt_json_compare(NULL, NULL, 0, &arena));
}

static void
pointers_lead_to_differences(void **state)
{
	struct abt_json_diff *d =
	    compare("{\"a\":{\"x/y~z\":[0,1,2]},\"b\":1,\"c\":null}",
		"{\"a\":{\"x/y~z\":[0,\"1\",2,3]},\"c\":false,\"d\":[]}", 0);

	(void)state;
	assert_string_equal(d->pointer.p, "/a/x~1y~0z/1");
	assert_int_equal(d->expected->kind, ABT_JSON_NUMBER);
	assert_int_equal(d->got->kind, ABT_JSON_STRING);
	d = d->next;
	assert_string_equal(d->pointer.p, "/a/x~1y~0z/3");
	assert_null(d->expected);
	assert_non_null(d->got);
	d = d->next;
	assert_string_equal(d->pointer.p, "/b");
	assert_null(d->got);
	d = d->next;
	assert_string_equal(d->pointer.p, "/c");
	d = d->next;
	assert_string_equal(d->pointer.p, "/d");
	assert_null(d->expected);
	assert_null(d->next);
	d = compare("[1,2]", "[1]", ABT_JSON_SUBSET);
	assert_string_equal(d->pointer.p, "/1");
	assert_null(d->next);
	d = compare("1", "[]", 0);
	assert_int_equal(d->pointer.n, 0);
	d = compare("{\"\":1}", "{\"\":2}", 0);
	assert_string_equal(d->pointer.p, "/");
}

static void
numbers_by_value(void **state)
{
	static const char *const same[][2] = {
		{ "1", "1.0" },
		{ "1", "1e0" },
		{ "100", "1E+2" },
		{ "0.001", "1e-3" },
		{ "0", "-0.00e9" },
		{ "0e5", "0.0" },
		{ "120", "12.0e1" },
		{ "1.23", "0.0123e2" },
		{ "-5", "-50e-1" },
		{ "12345678901234567890123", "12345678901234567890.123e3" },
		{ "10.10", "1.01e1" },
	};
	static const char *const differ[][2] = {
		{ "1", "-1" },
		{ "1", "10" },
		{ "1", "1.1" },
		{ "1", "0.1" },
		{ "0", "1" },
		{ "9007199254740993", "9007199254740992" },
		{ "1e400", "1e401" },
		{ "1e-400", "0" },
		{ "12", "1.02" },
		{ "1e99999999999999999999", "1e9" },
		{ "100", "1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_null(compare(same[i][0], same[i][1], 0));
		assert_null(compare(same[i][1], same[i][0], 0));
		assert_non_null(
		    compare(same[i][0], same[i][1], ABT_JSON_NUMBERS_AS_TEXT));
	}
	for (i = 0; i < sizeof(differ) / sizeof(differ[0]); i++) {
		assert_non_null(compare(differ[i][0], differ[i][1], 0));
		assert_non_null(compare(differ[i][1], differ[i][0], 0));
	}
}

static void
pointers_are_escaped(void **state)
{
	struct abt_bytes p;

	(void)state;
	p = abt_json_pointer(&arena, ABT_BYTES("/a"), ABT_BYTES("~/~1"));
	assert_string_equal(p.p, "/a/~0~1~01");
	p = abt_json_pointer(&arena, abt_bytes(NULL, 0), ABT_BYTES(""));
	assert_string_equal(p.p, "/");
}

static void
compare_without_memory(void *context)
{
	(void)context;
	abt_arena_end(&arena);
	abt_json_compare(abt_json_scan(ABT_BYTES("[1,2,3]"), 9, &arena, NULL),
	    abt_json_scan(ABT_BYTES("[2,3]"), 9, &arena, NULL), 0, &arena);
	assert_int_equal(abt_arena_failed(&arena), abt_sweep_struck());
}

static void
every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(abt_sweep(compare_without_memory, NULL) > 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(equal_trees),
		TEST(pointers_lead_to_differences),
		TEST(numbers_by_value),
		TEST(pointers_are_escaped),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
