/*
 * test_json_tree.c - finding members, repeated names, whole numbers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "albatross/json.h"

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

static struct abt_json *
scan(const char *source)
{
	struct abt_json *root =
	    abt_json_scan(abt_bytes_text(source), 64, &arena, NULL);

	assert_non_null(root);
	return root;
}

static void
the_last_of_a_name_counts(void **state)
{
	struct abt_json *o =
	    scan("{\"a\":1,\"b\":2,\"a\":3,\"\\u0061\":4,\"\":5}");

	(void)state;
	assert_true(
	    abt_bytes_equal(abt_json_get(o, "a")->text, ABT_BYTES("4")));
	assert_true(
	    abt_bytes_equal(abt_json_get(o, "b")->text, ABT_BYTES("2")));
	assert_true(abt_bytes_equal(abt_json_get(o, "")->text, ABT_BYTES("5")));
	assert_null(abt_json_get(o, "c"));
	assert_int_equal(o->count, 5);
	assert_true(abt_json_is_shadowed(o->first));
	assert_false(abt_json_is_shadowed(o->first->next));
	assert_true(abt_json_is_shadowed(o->first->next->next));
	assert_false(abt_json_is_shadowed(o->last));
	assert_null(abt_json_get(NULL, "a"));
	assert_null(abt_json_get(scan("[1]"), "a"));
	assert_null(abt_json_get_bytes(o, abt_bytes("a\0", 2)));
}

static void
elements_by_number(void **state)
{
	struct abt_json *a = scan("[10,11,12]");

	(void)state;
	assert_ptr_equal(abt_json_at(a, 0), a->first);
	assert_ptr_equal(abt_json_at(a, 2), a->last);
	assert_null(abt_json_at(a, 3));
	assert_null(abt_json_at(NULL, 0));
	assert_null(abt_json_at(scan("{\"a\":1}"), 0));
}

static void
whole_numbers_only(void **state)
{
	static const char *const bad[] = { "-1", "1.0", "1e2", "-0", "101",
		"99999999999999999999", "\"1\"", "null", "[1]" };
	uint64_t n = 7;
	size_t i;

	(void)state;
	assert_true(abt_json_uint(scan("0"), 100, &n));
	assert_int_equal(n, 0);
	assert_true(abt_json_uint(scan("100"), 100, &n));
	assert_int_equal(n, 100);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(abt_json_uint(scan(bad[i]), 100, &n));
	assert_false(abt_json_uint(NULL, 100, &n));
	assert_int_equal(n, 100);
}

static void
kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(abt_json_kind_name(ABT_JSON_NULL), "null");
	assert_string_equal(abt_json_kind_name(ABT_JSON_OBJECT), "an object");
	assert_true(abt_json_is_bool(scan("true")));
	assert_true(abt_json_is_bool(scan("false")));
	assert_false(abt_json_is_bool(scan("null")));
	assert_false(abt_json_is_bool(NULL));
}

/* Few and many members, few and many names, against the plainest way. */
static void
repeats_among_many(void **state)
{
	static char text[40000];
	int round;

	(void)state;
	srand(9);
	for (round = 0; round < 600; round++) {
		int n = rand() % (round % 8 == 0 ? 1500 : 60) + 1;
		int names = rand() % n + 1, i;
		struct abt_json *o, *m, *later;
		char *w = text;

		*w++ = '{';
		for (i = 0; i < n; i++)
			w += snprintf(w, 32, "%s\"n%d\":%d", i > 0 ? "," : "",
			    rand() % names, i);
		*w++ = '}';
		*w = '\0';
		o = scan(text);
		assert_int_equal(o->count, n);
		for (m = o->first; m != NULL; m = m->next) {
			for (later = m->next; later; later = later->next)
				if (abt_bytes_equal(later->key, m->key))
					break;
			assert_int_equal(m->shadowed, later != NULL);
		}
		abt_arena_end(&arena);
	}
}

/* As many equal names as fit a result: a second would be hours otherwise. */
static void
no_order_of_names_is_slow(void **state)
{
	const size_t n = 170000;
	char *text = malloc(n * 6 + 2);
	struct abt_json *o;
	size_t i;

	(void)state;
	for (i = 0; i < n; i++)
		memcpy(text + i * 6, i == 0 ? "{\"a\":1" : ",\"a\":1", 6);
	text[n * 6] = '}';
	text[n * 6 + 1] = '\0';
	o = scan(text);
	assert_int_equal(o->count, n);
	assert_true(o->first->shadowed);
	assert_false(o->last->shadowed);
	free(text);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(the_last_of_a_name_counts),
		TEST(elements_by_number),
		TEST(whole_numbers_only),
		TEST(kinds_have_names),
		TEST(repeats_among_many),
		TEST(no_order_of_names_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
