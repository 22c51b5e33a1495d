/*
 * test_json_read.c - the reader of what people write: the same trees, comments,
 * and mistakes told where they are
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

/* Everything of a value, its place in the source too. */
static void
same_tree(const struct abt_json *a, const struct abt_json *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->key_offset, b->key_offset);
	assert_int_equal(a->shadowed, b->shadowed);
	assert_true(abt_bytes_equal(a->key, b->key));
	assert_true(abt_bytes_equal(a->text, b->text));
	a = a->first;
	b = b->first;
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		same_tree(a, b);
	assert_null(a);
	assert_null(b);
}

static void
both_readers_make_the_same_tree(void **state)
{
	static const char *const sources[] = {
		"null",
		" true ",
		"-1.5e+3",
		"12",
		"\"a\\u00e4\"",
		"[]",
		"{}",
		"[1,2,[3,{\"a\":null}],\"\\ud83d\\ude00\"]",
		(" { \"a\" : 1 ,\n\"b\":[ true, false ],\"a\":\"x\\\\\\\"y\","
		 "\"k\\n\":{\"\":\"\"} } "),
		"[\"\\\\\",\"\\\"\",\":,\",\"/*\",\"//\"]",
		"[0,-0,1.0,1E5,\"\xe2\x82\xac\"]",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct abt_bytes copy =
		    abt_guard_copy(abt_bytes_text(sources[i]));
		struct abt_json *scanned, *read;

		scanned = abt_json_scan(copy, 64, &arena, NULL);
		read = abt_json_read(copy, 64, &arena, NULL);
		assert_non_null(scanned);
		assert_non_null(read);
		same_tree(scanned, read);
		abt_guard_free(copy);
	}
}

static void
comments_stand_between_tokens(void **state)
{
	struct abt_bytes source =
	    ABT_BYTES("// first \"x\" {\n"
		      "{ /* a, b: */ \"a\" /**/ : // c\n"
		      " [1, /* , */ 2], \"u\": \"http://x\" }"
		      " // end");
	struct abt_json *root = abt_json_read(source, 64, &arena, NULL);
	unsigned line, column;

	(void)state;
	assert_non_null(root);
	assert_int_equal(root->count, 2);
	assert_int_equal(root->offset, 15);
	assert_int_equal(root->first->count, 2);
	abt_json_place(source, root->first->key_offset, &line, &column);
	assert_int_equal(line * 100 + column, 215);
	abt_json_place(source, root->first->last->offset, &line, &column);
	assert_int_equal(line * 100 + column, 314);
	assert_true(abt_bytes_equal(root->last->text, ABT_BYTES("http://x")));
}

struct refused {
	const char *source;
	const char *text;
	size_t offset;
};

static void
mistakes_are_told_where_they_are(void **state)
{
	static const struct refused rows[] = {
		{ "", "the text ends too early", 0 },
		{ "{\"a\":1", "the text ends too early", 6 },
		{ "[1,", "the text ends too early", 3 },
		{ "/* x", "a comment without end", 0 },
		{ "[1, /* 2]", "a comment without end", 4 },
		{ "[\"ab", "a string without end", 1 },
		{ "{\"a\": \"b", "a string without end", 6 },
		{ "{a:1}", "a name in quotes was expected", 1 },
		{ "{\"a\":1, b:2}", "a name in quotes was expected", 8 },
		{ "{\"a\":1,}", "a name in quotes was expected", 7 },
		{ "{1:2}", "a name in quotes was expected", 1 },
		{ "{\"a\" 1}", "a colon was expected", 5 },
		{ "{\"a\":}", "a value was expected", 5 },
		{ "[1,]", "a value was expected", 3 },
		{ "[tru]", "a value was expected", 1 },
		{ "[1 2]", "a comma or ] was expected", 3 },
		{ "{\"a\":1 \"b\":2}", "a comma or } was expected", 7 },
		{ "[1] x", "something behind the value", 4 },
		{ "1 2", "something behind the value", 2 },
		{ "{} \"ab", "something behind the value", 3 },
		{ "[] /* x */ tru", "something behind the value", 11 },
		{ "0 /* x", "something behind the value", 2 },
		{ "[\"\\ud800\"]", "half of a surrogate pair", 2 },
		{ "[\"ab\\ud800\\u0041\"]", "half of a surrogate pair", 4 },
		{ "[\"\\udc00\\ud800\"]", "half of a surrogate pair", 2 },
		{ "{\"\\udc00\":1}", "half of a surrogate pair", 2 },
		{ "[\"\xed\xa0\x80\"]", "invalid UTF-8", 2 },
		{ "[\"\xc0\x80\"]", "invalid UTF-8", 2 },
		{ "// \xff\n1", "invalid UTF-8", 3 },
		{ "[[[[[]]]]]", "too many levels", 4 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct abt_json_error error = { NULL, 0, 0, 0 };
		struct abt_bytes copy =
		    abt_guard_copy(abt_bytes_text(rows[i].source));

		assert_null(abt_json_read(copy, 4, &arena, &error));
		assert_string_equal(error.text, rows[i].text);
		if (error.offset != rows[i].offset)
			fail_msg("%s: %zu", rows[i].source, error.offset);
		assert_null(abt_json_read(copy, 4, &arena, NULL));
		abt_guard_free(copy);
	}
	assert_false(abt_arena_failed(&arena));
}

/* These are told within a byte or two of their place. */
static void
bytes_inside_strings(void **state)
{
	static const struct refused rows[] = {
		{ "[\"a\tb\"]", "a control character in a string", 3 },
		{ "[\"a\\xb\"]", "an unknown escape", 4 },
		{ "[\"a\\u12x4\"]", "\\u wants four hex digits", 7 },
		{ "[1.]", "a digit was expected", 3 },
	};
	struct abt_json_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(abt_json_read(
		    abt_bytes_text(rows[i].source), 4, &arena, &error));
		assert_string_equal(error.text, rows[i].text);
		assert_in_range(
		    error.offset, rows[i].offset - 1, rows[i].offset + 1);
	}
}

static const char sample[] =
    "{\"a\":[1,2.5,\"x\\ty\"], /* c */ \"b\\n\":{\"c\":null},\"d\":true} // e";

static void
every_prefix_and_changed_byte(void **state)
{
	size_t n;
	int c;

	(void)state;
	for (n = 0; n <= sizeof(sample) - 1; n++) {
		struct abt_bytes copy = abt_guard_copy(abt_bytes(sample, n));
		struct abt_json_error error = { NULL, 0, 0, 0 };
		struct abt_json *root = abt_json_read(copy, 64, &arena, &error);

		assert_true((root != NULL) == (error.text == NULL));
		assert_true(error.offset <= n);
		abt_guard_free(copy);
	}
	for (n = 0; n < sizeof(sample) - 1; n++) {
		struct abt_bytes copy =
		    abt_guard_copy(abt_bytes(sample, sizeof(sample) - 1));
		char *p = (char *)(uintptr_t)copy.p;

		for (c = 0; c < 256; c += 3) {
			p[n] = (char)c;
			abt_json_read(copy, 64, &arena, NULL);
			abt_arena_end(&arena);
		}
		abt_guard_free(copy);
	}
}

static void
read_without_memory(void *context)
{
	struct abt_json_error error = { "untouched", 0, 0, 0 };
	struct abt_json *root;

	abt_arena_end(&arena);
	root = abt_json_read(abt_bytes_text(context), 64, &arena, &error);
	assert_int_equal(root == NULL, abt_sweep_struck());
	assert_int_equal(abt_arena_failed(&arena), abt_sweep_struck());
	if (root != NULL)
		return;
	assert_null(error.text);
	assert_null(abt_arena_alloc(&arena, 1));
}

static void
every_allocation_may_fail(void **state)
{
	static char large[60000];
	char *w = large;
	int i;

	(void)state;
	*w++ = '[';
	for (i = 0; i < 1000; i++) {
		memcpy(w, "{\"a\":\"x\\n\",\"a\":0},", 18);
		w += 18;
	}
	*w++ = '"';
	memset(w, 'x', 20000);
	w += 20000;
	memcpy(w, "\\n\"]", 5);
	assert_true(abt_sweep(read_without_memory, large) > 10);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(both_readers_make_the_same_tree),
		TEST(comments_stand_between_tokens),
		TEST(mistakes_are_told_where_they_are),
		TEST(bytes_inside_strings),
		TEST(every_prefix_and_changed_byte),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
