/*
 * test_json_write.c - the writer against a plain one and yajl_gen; read back by
 * our readers
 */
#include "base/json_write.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <yajl/yajl_gen.h>

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
	abt_json_text(&out, "quo\"te\n", "");
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

/* The plainest way to write a string; the length. */
static size_t
plain(char *w, struct abt_bytes b)
{
	const char *begin = w;
	size_t i;

	*w++ = '"';
	for (i = 0; i < b.n; i++) {
		static const char letters[] = "btn?fr";
		unsigned char c = (unsigned char)b.p[i];

		if (c == '"' || c == '\\')
			*w++ = '\\', *w++ = (char)c;
		else if (c >= 8 && c <= 13 && c != 11)
			*w++ = '\\', *w++ = letters[c - 8];
		else if (c < 0x20)
			w += snprintf(w, 7, "\\u%04x", c);
		else
			*w++ = (char)c;
	}
	*w++ = '"';
	return (size_t)(w - begin);
}

static void
compare(struct abt_bytes text)
{
	static char expected[10000];
	size_t n = plain(expected, text), max;
	struct abt_bytes copy = abt_guard_copy(text);

	again();
	abt_json_string(&out, NULL, copy);
	assert_false(abt_json_out_failed(&out));
	assert_int_equal(buf.n, n);
	assert_memory_equal(buf.p, expected, n);
	/* A ceiling of just that length is enough, one less is not. */
	for (max = n - 1; max <= n; max++) {
		struct abt_buf tight;

		abt_buf_init(&tight, NULL, max);
		abt_json_out_init(&out, &tight);
		abt_json_string(&out, NULL, copy);
		assert_int_equal(tight.overflowed, max < n);
		assert_int_equal(abt_json_out_failed(&out), max < n);
		if (max == n)
			assert_memory_equal(tight.p, expected, n);
		abt_buf_end(&tight);
	}
	abt_guard_free(copy);
}

static void
every_ascii_byte_everywhere(void **state)
{
	char text[80];
	size_t n, at;
	int c;

	(void)state;
	for (n = 1; n < sizeof(text); n += 1 + n / 8)
		for (at = 0; at < n; at += 1 + n / 16)
			for (c = 0; c < 128; c++) {
				memset(text, 'x', n);
				text[at] = (char)c;
				compare(abt_bytes(text, n));
			}
	memset(text, '\1', sizeof(text));
	for (n = 0; n <= sizeof(text); n++)
		compare(abt_bytes(text, n));
}

static void
long_text_of_any_mixture(void **state)
{
	static const char signs[] = "abcdefghijklmnopqrstuvwxyz\"\\\n\1\x7f/";
	char text[1500];
	int round;

	(void)state;
	srand(11);
	for (round = 0; round < 3000; round++) {
		size_t n = (size_t)rand() % sizeof(text), i;
		int kinds = rand() % 32 + 1;

		for (i = 0; i < n; i++)
			text[i] = signs[(rand() % kinds + round) % 32];
		compare(abt_bytes(text, n));
	}
}

static void
agrees_with_yajl_gen(void **state)
{
	char text[600];
	int round;

	(void)state;
	srand(5);
	for (round = 0; round < 2000; round++) {
		yajl_gen gen = yajl_gen_alloc(NULL);
		const unsigned char *p;
		size_t n = (size_t)rand() % sizeof(text), i;

		for (i = 0; i < n; i++) {
			text[i] = (char)(rand() % 128);
			/* yajl writes these in a long form. */
			if (text[i] < 0x20 && text[i] != '\n')
				text[i] = '"';
		}
		yajl_gen_string(gen, (unsigned char *)text, n);
		yajl_gen_get_buf(gen, &p, &i);
		again();
		abt_json_string(&out, NULL, abt_bytes(text, n));
		assert_int_equal(buf.n, i);
		assert_memory_equal(buf.p, p, i);
		yajl_gen_free(gen);
	}
}

static void
both_searches_agree(void **state)
{
	char p[16], copy[16];
	size_t at;
	int c;

	(void)state;
	for (at = 0; at < 16; at++)
		for (c = 0; c < 256; c++) {
			uint64_t high = 0, high8 = 0;
			bool all, both;

			memset(p, 'm', 16);
			p[at] = (char)c;
			p[(at + 1) % 16] = '!'; /* next to every borrow */
			all = copy16(copy, p, &high);
			both = plain8(p, &high8);
			both = plain8(p + 8, &high8) && both;
			assert_memory_equal(copy, p, 16);
			assert_int_equal(all, both);
			assert_int_equal(
			    all, c >= 0x20 && c != '"' && c != '\\');
			assert_int_equal(high != 0, c >= 0x80);
			assert_int_equal(high8 != 0, c >= 0x80);
		}
}

/* Each form of the block writer, every byte and every pair of bytes. */
static void
compare_blocks(void (*form)(struct cursor *))
{
	char text[64], expected[600], written_text[600];
	int a, b;
	size_t at;

	for (at = 0; at < 48; at += 1 + at / 3)
		for (a = 0; a < 256; a++)
			for (b = 0; b < 256; b += (a * 7 + (int)at) % 5 + 1) {
				struct cursor c = { text, text + 64,
					written_text, written_text + 500, 0 };
				struct abt_bytes all = abt_bytes(text, 64);
				size_t n;

				memset(text, (a * b) % 9 == 0 ? '"' : '-', 64);
				text[at] = (char)a;
				text[at + 1] = (char)b;
				n = plain(expected, all) - 2;
				form(&c);
				assert_ptr_equal(c.p, c.end);
				assert_int_equal(c.w - written_text, n);
				assert_memory_equal(
				    written_text, expected + 1, n);
				assert_int_equal(
				    c.high != 0, a >= 128 || b >= 128);
			}
}

static void
all_forms_agree(void **state)
{
	(void)state;
	compare_blocks(put_blocks_plain);
#if HAVE_X86
	if (__builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt"))
		compare_blocks(put_blocks_ssse3);
#endif
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
		TEST(keys_come_first),
		TEST(roots_of_any_kind),
		TEST(every_ascii_byte_everywhere),
		TEST(long_text_of_any_mixture),
		TEST(agrees_with_yajl_gen),
		TEST(both_searches_agree),
		TEST(all_forms_agree),
		TEST(bad_text_leaves_no_trace),
		TEST(failure_stays_when_text_is_bad_too),
		TEST(deep_levels),
		TEST(trees_are_written_compactly),
		TEST(trees_may_be_deeper_than_the_writer),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
