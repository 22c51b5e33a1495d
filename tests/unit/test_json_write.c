/*
 * test_json_write.c - commas, names and levels; what is refused leaves no trace
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "albatross/json.h"
#include "lib/guard.h"

#define MAX (64 << 20)

static struct abt_buf buf;
static struct abt_json_out out;

static int
begin(void **state)
{
	(void)state;
	abt_buf_init(&buf, NULL, MAX);
	abt_json_out_init(&out, &buf);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	abt_buf_end(&buf);
	return 0;
}

static void
again(void)
{
	abt_buf_end(&buf);
	begin(NULL);
}

static void
wrote(const char *expected)
{
	assert_false(abt_json_out_failed(&out));
	assert_int_equal(buf.n, strlen(expected));
	assert_memory_equal(buf.p, expected, buf.n);
}

/* Members in one go: as if they had been written one by one. */
static void
pieces_are_escaped(void **state)
{
	struct abt_bytes pieces[] = {
		ABT_BYTES("\"a\":\""),
		ABT_BYTES("plain"),
		ABT_BYTES("\",\"b\":{\"c\":\""),
		abt_bytes(NULL, 0),
		ABT_BYTES("\",\"d\":\""),
		ABT_BYTES("seventeen letters"),
		ABT_BYTES("\"}"),
	};

	(void)state;
	abt_json_object(&out, NULL);
	abt_json_pieces(&out, pieces, 7);
	pieces[1] = ABT_BYTES("q\"");
	pieces[3] = ABT_BYTES("\xc3\xa4");
	pieces[5] = ABT_BYTES("a longer text with \n in it");
	abt_json_pieces(&out, pieces, 7);
	abt_json_close(&out);
	wrote("{\"a\":\"plain\",\"b\":{\"c\":\"\",\"d\":\"seventeen letters\"},"
	      "\"a\":\"q\\\"\",\"b\":{\"c\":\"\xc3\xa4\",\"d\":\"a longer text "
	      "with "
	      "\\n in it\"}}");
}

static void
pieces_of_bad_text_leave_no_trace(void **state)
{
	const struct abt_bytes pieces[] = { ABT_BYTES("\"a\":\""),
		ABT_BYTES("x\xff"), ABT_BYTES("\"") };

	(void)state;
	abt_json_object(&out, NULL);
	abt_json_pieces(&out, pieces, 3);
	assert_true(out.bad_utf8);
	assert_int_equal(buf.n, 1);
}

/* Every length and every place of the one byte that needs an escape. */
static void
short_text_is_escaped(void **state)
{
	(void)state;
	for (size_t n = 1; n < 40; n++)
		for (size_t at = 0; at < n; at++) {
			char text[40], expected[64];
			struct abt_bytes pieces[] = { ABT_BYTES("\"k\":\""),
				{ text, n }, ABT_BYTES("\"") };

			memset(text, 'x', sizeof(text));
			text[at] = '\\';
			(void)snprintf(expected, sizeof(expected),
			    "{\"k\":\"%.*s\\\\%.*s\"", (int)at, text,
			    (int)(n - at - 1), text + at + 1);
			again();
			abt_json_object(&out, NULL);
			abt_json_pieces(&out, pieces, 3);
			wrote(expected);
			again();
			abt_json_object(&out, NULL);
			abt_json_string(&out, "k", abt_bytes(text, n));
			wrote(expected);
		}
}

static void
plain_members(void **state)
{
	(void)state;
	abt_json_object(&out, NULL);
	abt_json_plain_at(&out, ABT_BYTES("a"), ABT_BYTES("b"));
	abt_json_plain_list_at(&out, ABT_BYTES("c"), ABT_BYTES("d"));
	abt_json_plain_list_at(&out, ABT_BYTES(""), ABT_BYTES(""));
	abt_json_close(&out);
	wrote("{\"a\":\"b\",\"c\":[\"d\"],\"\":[\"\"]}");
}

static void
keys_come_first(void **state)
{
	(void)state;
	abt_json_object(&out, NULL);
	abt_json_text(&out, "text", "x");
	abt_json_string(&out, "none", abt_bytes(NULL, 0));
	abt_json_int(&out, "min", INT64_MIN);
	abt_json_int(&out, "max", INT64_MAX);
	abt_json_int(&out, "zero", 0);
	abt_json_bool(&out, "yes", true);
	abt_json_bool(&out, "no", false);
	abt_json_null(&out, "null");
	abt_json_array(&out, "list");
	abt_json_text(&out, NULL, "a");
	abt_json_object(&out, NULL);
	abt_json_close(&out);
	abt_json_array(&out, NULL);
	abt_json_close(&out);
	abt_json_int(&out, NULL, -1);
	abt_json_close(&out);
	abt_json_object(&out, "map");
	abt_json_string_at(&out, ABT_BYTES("k\"\xc3\xa4"), ABT_BYTES("v"));
	abt_json_string_at(&out, abt_bytes(NULL, 0), ABT_BYTES(""));
	abt_json_array_at(&out, ABT_BYTES("l"));
	abt_json_close(&out);
	abt_json_object_at(&out, ABT_BYTES("o"));
	abt_json_close(&out);
	abt_json_close(&out);
	abt_json_raw(&out, "raw", ABT_BYTES("[1,2]"));
	abt_json_base64(&out, "b", ABT_BYTES("foob"));
	abt_json_base64(&out, "b0", abt_bytes(NULL, 0));
	abt_json_string_at(&out, ABT_BYTES("quo\"te\n"), ABT_BYTES(""));
	abt_json_close(&out);
	wrote(
	    "{\"text\":\"x\",\"none\":\"\",\"min\":-9223372036854775808,"
	    "\"max\":9223372036854775807,\"zero\":0,\"yes\":true,\"no\":false,"
	    "\"null\":null,\"list\":[\"a\",{},[],-1],\"map\":{"
	    "\"k\\\"\xc3\xa4\":"
	    "\"v\",\"\":\"\",\"l\":[],\"o\":{}},\"raw\":[1,2],\"b\":\"Zm9vYg=="
	    "\","
	    "\"b0\":\"\",\"quo\\\"te\\n\":\"\"}");
}

static void
roots_of_any_kind(void **state)
{
	(void)state;
	abt_json_text(&out, NULL, "x");
	wrote("\"x\"");
	again();
	abt_json_null(&out, NULL);
	wrote("null");
}

static void
bad_text_leaves_no_trace(void **state)
{
	static const char *const bad[] = { "\xff", "abc\xc0\x80",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xed\xa0\x80", "\xe2\x82" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		again();
		abt_json_object(&out, NULL);
		abt_json_text(&out, "good", "\xe2\x82\xac");
		abt_json_text(&out, "bad", bad[i]);
		abt_json_text(&out, "late", "x");
		abt_json_object(&out, "o");
		abt_json_close(&out);
		abt_json_close(&out);
		abt_json_base64(&out, "b", ABT_BYTES("x"));
		assert_true(out.bad_utf8);
		assert_true(abt_json_out_failed(&out));
		assert_false(buf.failed);
		assert_int_equal(buf.n, strlen("{\"good\":\"\xe2\x82\xac\""));
		again();
		abt_json_object(&out, NULL);
		abt_json_string_at(
		    &out, abt_bytes_text(bad[i]), ABT_BYTES("x"));
		assert_true(out.bad_utf8);
		assert_int_equal(buf.n, 1);
	}
}

/* A refusal in a buffer that has overflowed gives no room back. */
static void
failure_stays_when_text_is_bad_too(void **state)
{
	struct abt_buf small;
	char text[600];

	(void)state;
	memset(text, '\xff', sizeof(text));
	abt_buf_init(&small, NULL, 100);
	abt_json_out_init(&out, &small);
	abt_json_array(&out, NULL);
	abt_json_string(&out, NULL, abt_bytes(text, sizeof(text)));
	assert_true(small.failed && out.bad_utf8);
	abt_buf_text(&small, "x");
	assert_int_equal(small.n, 1);
	abt_buf_end(&small);
}

static void
deep_levels(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		if (i % 3 == 0)
			abt_json_object(&out, NULL);
		else if (i % 3 == 1)
			abt_json_array(&out, "k");
		else
			abt_json_array(&out, NULL);
	}
	for (i = 0; i < 64; i++)
		abt_json_close(&out);
	assert_false(abt_json_out_failed(&out));
	assert_int_equal(out.depth, 0);
}

static void
trees_are_written_compactly(void **state)
{
	static const char text[] = "{\"a\":[1.50,-0,true,false,null,"
				   "\"x\\n\xc3\xa4\"],\"b\":{},\"c\":[],"
				   "\"a\":{\"d\\\"\":1e5}}";
	struct abt_arena arena;
	struct abt_json *tree;

	(void)state;
	abt_arena_init(&arena, NULL);
	tree = abt_json_scan(abt_bytes_text(text), 64, &arena, NULL);
	abt_json_tree(&out, NULL, tree);
	wrote(text);
	again();
	abt_json_object(&out, NULL);
	abt_json_int(&out, "n", 1);
	abt_json_tree(&out, "t", tree->first);
	abt_json_int(&out, "m", 2);
	abt_json_close(&out);
	wrote("{\"n\":1,\"t\":[1.50,-0,true,false,null,\"x\\n\xc3\xa4\"],"
	      "\"m\":2}");
	again();
	tree->first->last->text = ABT_BYTES("\xff"); /* not by a reader */
	abt_json_tree(&out, NULL, tree);
	assert_true(out.bad_utf8);
	assert_int_equal(buf.n, 0);
	abt_arena_end(&arena);
}

/* A tree as deep as its reader allowed, inside other levels. */
static void
trees_may_be_deeper_than_the_writer(void **state)
{
	char text[200];
	struct abt_arena arena;

	(void)state;
	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	abt_arena_init(&arena, NULL);
	abt_json_array(&out, NULL);
	abt_json_tree(
	    &out, NULL, abt_json_scan(abt_bytes(text, 200), 100, &arena, NULL));
	abt_json_close(&out);
	assert_int_equal(buf.n, 202);
	abt_arena_end(&arena);
}

static void
write_without_memory(void *context)
{
	struct abt_pool *pool = context;
	struct abt_buf small;
	struct abt_json_out w;
	char text[3000];
	int i;

	memset(text, '\n', sizeof(text));
	abt_buf_init(&small, pool, MAX);
	abt_json_out_init(&w, &small);
	abt_json_array(&w, NULL);
	for (i = 0; i < 50; i++) {
		abt_json_string(&w, NULL, abt_bytes(text, sizeof(text)));
		abt_json_text(&w, NULL, "x");
		abt_json_base64(&w, NULL, abt_bytes(text, 500));
	}
	abt_json_close(&w);
	assert_int_equal(abt_json_out_failed(&w), abt_sweep_struck());
	abt_buf_end(&small);
}

static void
every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(abt_sweep(write_without_memory, NULL) > 3);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(pieces_are_escaped),
		TEST(pieces_of_bad_text_leave_no_trace),
		TEST(short_text_is_escaped),
		TEST(plain_members),
		TEST(keys_come_first),
		TEST(roots_of_any_kind),
		TEST(bad_text_leaves_no_trace),
		TEST(failure_stays_when_text_is_bad_too),
		TEST(deep_levels),
		TEST(trees_are_written_compactly),
		TEST(trees_may_be_deeper_than_the_writer),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
