/*
 * test_utf8.c - every character and every way of getting one wrong
 */
#include "base/utf8.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/guard.h"

/* By decoding: the plainest way. */
static size_t
plain_span(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		unsigned long code;
		size_t length, k;

		if (p[i] < 0x80) {
			i++;
			continue;
		}
		length = p[i] >= 0xf0 ? 4 : p[i] >= 0xe0 ? 3 : 2;
		if (p[i] < 0xc0 || p[i] > 0xf7 || length > n - i)
			return i;
		code = p[i] & (0xffu >> (length + 1));
		for (k = 1; k < length; k++) {
			if ((p[i + k] & 0xc0) != 0x80)
				return i;
			code = code << 6 | (p[i + k] & 0x3f);
		}
		if (code < (length == 2      ? 0x80u
			       : length == 3 ? 0x800u
					     : 0x10000u) ||
		    code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return i;
		i += length;
	}
	return i;
}

typedef size_t form(const char *p, size_t n);

static void
check_form(form *blocks_of, struct abt_bytes b, size_t span)
{
	size_t i = blocks_of(b.p, b.n);

	assert_true(i <= b.n);
	assert_int_equal(span_plain(b, char_begin(b.p, i)), span);
}

static void
check(const unsigned char *p, size_t n)
{
	size_t span = plain_span(p, n);
	struct abt_bytes b = abt_bytes((const char *)p, n);

	assert_int_equal(span_plain(b, 0), span);
#if HAVE_X86
	if (__builtin_cpu_supports("ssse3"))
		check_form(blocks_ssse3, b, span);
	if (__builtin_cpu_supports("avx2"))
		check_form(blocks_avx2, b, span);
#else
	(void)check_form;
#endif
	assert_int_equal(abt_utf8_span(b), span);
	assert_int_equal(abt_utf8_valid(b), span == n);
}

/* All of two bytes, and three and four where the first two may decide. */
static void
all_short_sequences(void **state)
{
	static const unsigned char third[] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0 };
	unsigned char p[4];
	size_t i, j, n;
	int a, b;

	(void)state;
	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			p[0] = (unsigned char)a;
			p[1] = (unsigned char)b;
			for (i = 0; i < sizeof(third); i++)
				for (j = 0; j < sizeof(third); j++) {
					p[2] = third[i];
					p[3] = third[j];
					for (n = 1; n <= 4; n++)
						check(p, n);
				}
		}
}

/* The same pairs across and within blocks. */
static void
all_pairs_in_blocks(void **state)
{
	unsigned char text[96];
	size_t at;
	int a, b;

	(void)state;
	for (at = 0; at<66; at += at> 34 ? 15 : 1)
		for (a = 0x70; a < 256; a++)
			for (b = 0x70; b < 256; b++) {
				memset(text, 'a', sizeof(text));
				text[at] = (unsigned char)a;
				text[at + 1] = (unsigned char)b;
				text[at + 2] = 0x80;
				check(text, sizeof(text));
				text[at + 3] = 0x80;
				check(text, sizeof(text));
			}
}

/* A bad or good piece at every place of a long text, at a guard page. */
static void
everywhere_in_long_text(void **state)
{
	static const char *const pieces[] = { "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\xc0\x80", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98",
		"\xc3", "\xc3\xa4\xa4", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
		"\xf8\x88\x80\x80\x80" };
	unsigned char text[200];
	size_t i, at, n;

	(void)state;
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		for (n = 1; n < sizeof(text); n += 1 + n / 16) {
			size_t length = strlen(pieces[i]);

			for (at = 0; at + length <= n; at++) {
				struct abt_bytes copy;

				memset(text, 'a', n);
				memcpy(text + at, pieces[i], length);
				copy =
				    abt_guard_copy(abt_bytes((char *)text, n));
				check((const unsigned char *)copy.p, n);
				abt_guard_free(copy);
			}
		}
}

/* Text of characters of all lengths, one byte of it changed. */
static void
mixed_text(void **state)
{
	unsigned char text[400];
	int round;

	(void)state;
	srand(7);
	for (round = 0; round < 20000; round++) {
		size_t n = 0;

		while (n < 300) {
			static const char *const some[] = { "a", "\xc3\xa4",
				"\xe2\x82\xac", "\xf0\x9f\x98\x80",
				"plain text of some length" };
			const char *piece = some[rand() % 5];

			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
		}
		if (round % 3 != 0)
			text[(size_t)rand() % n] = (unsigned char)rand();
		check(text, n - (size_t)(rand() % 5));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_short_sequences),
		cmocka_unit_test(all_pairs_in_blocks),
		cmocka_unit_test(everywhere_in_long_text),
		cmocka_unit_test(mixed_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
