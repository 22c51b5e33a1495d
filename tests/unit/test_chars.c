/*
 * test_chars.c - the table of character classes against the grammars
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "albatross/bytes.h"

#define B(text) ABT_BYTES(text)

static int
classes_of(int c)
{
	int classes = 0;

	if (c > 0x20 && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL)
		classes |= ABT_CHAR_TOKEN;
	if (c == '\t' || (c >= 0x20 && c != 0x7f))
		classes |= ABT_CHAR_FIELD;
	if (c < 0x80 && isdigit(c))
		classes |= ABT_CHAR_DIGIT;
	if (c < 0x80 && isxdigit(c))
		classes |= ABT_CHAR_HEX;
	if (c < 0x80 && isalpha(c))
		classes |= ABT_CHAR_ALPHA;
	if (c < 0x80 && (isalnum(c) || (c != 0 && strchr("-._~", c))))
		classes |= ABT_CHAR_UNRESERVED;
	if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
		classes |= ABT_CHAR_JSON_PLAIN;
	return classes;
}

static void
classes_are_those_of_the_grammars(void **state)
{
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		int value = isxdigit(c) && c < 128
				? (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10)
				: -1;

		assert_int_equal(abt_chars[c], classes_of(c));
		assert_int_equal(abt_hex_value((char)c), value);
		assert_int_equal((unsigned char)abt_lower((char)c),
		    c < 128 ? tolower(c) : c);
	}
	assert_int_equal(abt_bytes_span(B("Host: x"), ABT_CHAR_TOKEN), 4);
	assert_true(abt_bytes_all(B("1234"), ABT_CHAR_DIGIT));
	assert_true(abt_bytes_all(B("1x"), ABT_CHAR_DIGIT | ABT_CHAR_ALPHA));
	assert_true(abt_bytes_all(B(""), ABT_CHAR_DIGIT));
	assert_false(abt_bytes_all(B("1 "), ABT_CHAR_DIGIT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_those_of_the_grammars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
