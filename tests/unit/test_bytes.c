/*
 * test_bytes.c - slices against the plainest way
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "albatross/bytes.h"
#include "lib/guard.h"

#define B(text) ABT_BYTES(text)

static void
nocase_folds_ascii_letters_only(void **state)
{
	char a[20], b[20];
	int x, y;
	size_t at, n;

	(void)state;
	memset(a, 'k', sizeof(a));
	memset(b, 'K', sizeof(b));
	for (n = 1; n <= 20; n += n < 8 ? 1 : 4)
		for (at = 0; at < n; at += 3)
			for (x = 0; x < 256; x++)
				for (y = 0; y < 256; y++) {
					bool same =
					    x == y ||
					    (x < 128 && y < 128 && isalpha(x) &&
						(x ^ y) == 0x20);

					a[at] = (char)x;
					b[at] = (char)y;
					assert_int_equal(abt_bytes_equal_nocase(
							     abt_bytes(a, n),
							     abt_bytes(b, n)),
					    same);
					a[at] = 'k';
					b[at] = 'K';
				}
	assert_false(abt_bytes_equal_nocase(B("ab"), B("abc")));
	assert_true(abt_bytes_equal_nocase(abt_bytes(NULL, 0), B("")));
	assert_true(abt_bytes_starts_nocase(B("Bearer x"), B("bEARER ")));
	assert_false(abt_bytes_starts_nocase(B("Bear"), B("bearer")));
}

static void
order_is_that_of_bytes(void **state)
{
	(void)state;
	assert_true(abt_bytes_compare(B("a"), B("b")) < 0);
	assert_true(abt_bytes_compare(B("a"), B("ab")) < 0);
	assert_true(abt_bytes_compare(B("b"), B("ab")) > 0);
	assert_true(abt_bytes_compare(B("\xff"), B("a")) > 0);
	assert_int_equal(abt_bytes_compare(B(""), abt_bytes(NULL, 0)), 0);
	assert_true(abt_bytes_equal(B("a\0b"), B("a\0b")));
	assert_false(abt_bytes_equal(B("a\0b"), B("a\0c")));
}

static void
ends_and_blanks(void **state)
{
	struct abt_bytes b;

	(void)state;
	assert_true(abt_bytes_starts(B("abc"), B("ab")));
	assert_true(abt_bytes_starts(B("abc"), B("")));
	assert_false(abt_bytes_starts(B("ab"), B("abc")));
	assert_true(abt_bytes_ends(B("abc"), B("bc")));
	assert_true(abt_bytes_ends(abt_bytes(NULL, 0), B("")));
	assert_false(abt_bytes_ends(B("bc"), B("abc")));
	b = abt_bytes_trim(B(" \t a b\t "));
	assert_true(abt_bytes_equal(b, B("a b")));
	assert_int_equal(abt_bytes_trim(B(" \t ")).n, 0);
	assert_int_equal(abt_bytes_trim(abt_bytes(NULL, 0)).n, 0);
	assert_int_equal(abt_bytes_trim(B("\r\n")).n, 2);
}

static void
searching(void **state)
{
	(void)state;
	assert_int_equal(abt_bytes_find(B("abc"), 'c'), 2);
	assert_int_equal(abt_bytes_find(B("abc"), 'x'), 3);
	assert_int_equal(abt_bytes_find(abt_bytes(NULL, 0), 'x'), 0);
	assert_int_equal(abt_bytes_search(B("hello"), B("llo")), 2);
	assert_int_equal(abt_bytes_search(B("hello"), B("lll")), 5);
	assert_int_equal(abt_bytes_search(B("hello"), B("")), 0);
	assert_int_equal(abt_bytes_search(abt_bytes(NULL, 0), B("")), 0);
	assert_int_equal(abt_bytes_search(abt_bytes(NULL, 0), B("x")), 0);
}

static void
splitting_keeps_empty_pieces(void **state)
{
	struct abt_bytes rest = B("a,,b,"), piece;

	(void)state;
	assert_true(abt_bytes_next(&rest, ',', &piece));
	assert_true(abt_bytes_equal(piece, B("a")));
	assert_true(abt_bytes_next(&rest, ',', &piece));
	assert_int_equal(piece.n, 0);
	assert_true(abt_bytes_next(&rest, ',', &piece));
	assert_true(abt_bytes_equal(piece, B("b")));
	assert_true(abt_bytes_next(&rest, ',', &piece));
	assert_int_equal(piece.n, 0);
	assert_non_null(piece.p);
	assert_false(abt_bytes_next(&rest, ',', &piece));
	rest = B("");
	assert_true(abt_bytes_next(&rest, ',', &piece));
	assert_false(abt_bytes_next(&rest, ',', &piece));
	rest = abt_bytes(NULL, 0);
	assert_false(abt_bytes_next(&rest, ',', &piece));
}

static void
numbers_are_digits_and_bounded(void **state)
{
	uint64_t v = 77;

	(void)state;
	assert_true(abt_bytes_number(B("0"), 10, 0, &v));
	assert_int_equal(v, 0);
	assert_true(abt_bytes_number(B("007"), 10, 7, &v));
	assert_int_equal(v, 7);
	assert_false(abt_bytes_number(B("8"), 10, 7, &v));
	assert_false(abt_bytes_number(B("70"), 10, 69, &v));
	assert_false(abt_bytes_number(B(""), 10, 9, &v));
	assert_false(abt_bytes_number(B("+1"), 10, 9, &v));
	assert_false(abt_bytes_number(B("1 "), 10, 99, &v));
	assert_false(abt_bytes_number(B("a"), 10, 99, &v));
	assert_false(abt_bytes_number(B("\0"), 10, 99, &v));
	assert_int_equal(v, 7); /* untouched */
	assert_true(
	    abt_bytes_number(B("18446744073709551615"), 10, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(
	    abt_bytes_number(B("18446744073709551616"), 10, UINT64_MAX, &v));
	assert_true(
	    abt_bytes_number(B("fFfFfFfFfFfFfFfF"), 16, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(
	    abt_bytes_number(B("10000000000000000"), 16, UINT64_MAX, &v));
}

static void
numbers_are_written(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 9, "9" },
		{ 10, "10" },
		{ 4294967296, "4294967296" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char out[20];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = abt_format_number(out, rows[i].value);

		assert_int_equal(n, strlen(rows[i].text));
		assert_memory_equal(out, rows[i].text, n);
	}
}

/* Any byte at any place of slices of any length. */
static void
spans_end_where_the_class_does(void **state)
{
	static const int classes[] = { ABT_CHAR_FIELD, ABT_CHAR_TOKEN,
		ABT_CHAR_DIGIT | ABT_CHAR_ALPHA };
	char text[70];
	size_t i, n, at;
	int c;

	(void)state;
	for (i = 0; i < 3; i++)
		for (n = 1; n < sizeof(text); n += 1 + n / 20)
			for (at = 0; at < n; at++)
				for (c = 0; c < 256; c++) {
					bool in;

					memset(text, 'a', sizeof(text));
					text[at] = (char)c;
					in = abt_char_is((char)c, classes[i]);
					assert_int_equal(
					    abt_bytes_span(
						abt_bytes(text, n), classes[i]),
					    in ? n : at);
				}
}

static void
nothing_is_read_behind_the_end(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n <= 60; n++) {
		struct abt_bytes a =
		    abt_guard_copy(abt_bytes("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					     "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
			n));
		struct abt_bytes b =
		    abt_guard_copy(abt_bytes("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
					     "AAAAAAAAAAAAAAAAAAAAAAAAAAA",
			n));

		assert_true(abt_bytes_equal_nocase(a, b));
		assert_int_equal(abt_bytes_span(a, ABT_CHAR_ALPHA), n);
		assert_int_equal(abt_bytes_span(a, ABT_CHAR_FIELD), n);
		assert_int_equal(abt_bytes_find(a, 'b'), n);
		assert_int_equal(abt_bytes_search(a, B("b")), n);
		abt_guard_free(a);
		abt_guard_free(b);
	}
}

/* However long: each byte at each place is judged as the table says. */
static void
test_plain_of_every_byte(void **unused)
{
	char text[40];
	size_t n, at;
	int c;

	(void)unused;
	for (n = 1; n <= sizeof(text); n++)
		for (at = 0; at < n; at++)
			for (c = 0; c < 256; c++) {
				memset(text, c % 2 == 0 ? '!' : '~', n);
				text[at] = (char)c;
				assert_int_equal(
				    abt_bytes_plain(abt_bytes(text, n)),
				    c >= 0x20 && c < 0x7f && c != '"' &&
					c != '\\');
			}
}

/* Around every power of ten. */
static void
test_numbers_as_printf_writes_them(void **unused)
{
	char ours[21], theirs[24];
	uint64_t power = 1;
	int i, off;

	(void)unused;
	for (i = 0; i < 20; i++, power *= 10)
		for (off = -2; off <= 2; off++) {
			uint64_t value = power + (uint64_t)off;

			ours[abt_format_number(ours, value)] = '\0';
			snprintf(theirs, sizeof(theirs), "%llu",
			    (unsigned long long)value);
			assert_string_equal(ours, theirs);
		}
	assert_int_equal(abt_format_number(ours, UINT64_MAX), 20);
	assert_memory_equal(ours, "18446744073709551615", 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nocase_folds_ascii_letters_only),
		cmocka_unit_test(order_is_that_of_bytes),
		cmocka_unit_test(ends_and_blanks),
		cmocka_unit_test(searching),
		cmocka_unit_test(splitting_keeps_empty_pieces),
		cmocka_unit_test(numbers_are_digits_and_bounded),
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(spans_end_where_the_class_does),
		cmocka_unit_test(nothing_is_read_behind_the_end),
		cmocka_unit_test(test_plain_of_every_byte),
		cmocka_unit_test(test_numbers_as_printf_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
