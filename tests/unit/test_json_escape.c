/*
 * test_json_escape.c - escaping against a plain way and yajl_gen, up to the
 * ceiling
 */
#include "base/json_escape.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <yajl/yajl_gen.h>

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
			all = abt_escape_copy16(copy, p, &high);
			both = abt_escape_plain8(p, &high8);
			both = abt_escape_plain8(p + 8, &high8) && both;
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

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(every_ascii_byte_everywhere),
		TEST(long_text_of_any_mixture),
		TEST(agrees_with_yajl_gen),
		TEST(both_searches_agree),
		TEST(all_forms_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
