/*
 * chars.c - character classes as a table one can check by eye
 *
 * Each sign below stands for the classes of one kind of byte; the table has a
 * row of sixteen for each leading hex digit.
 */
#include "albatross/bytes.h"

#define TEXT (ABT_CHAR_FIELD | ABT_CHAR_JSON_PLAIN)
#define NAME (ABT_CHAR_TOKEN | TEXT)

/* clang-format off */
#define _ 0                                        /* control */
#define O ABT_CHAR_FIELD                           /* obs-text, HTAB, " \ */
#define J ABT_CHAR_JSON_PLAIN                      /* DEL */
#define V TEXT                                     /* other visible, SP */
#define T NAME                                     /* token only */
#define U (NAME | ABT_CHAR_UNRESERVED)             /* - . _ ~ */
#define L (U | ABT_CHAR_ALPHA)                     /* g-z, G-Z */
#define H (L | ABT_CHAR_HEX)                       /* a-f, A-F */
#define D (U | ABT_CHAR_HEX | ABT_CHAR_DIGIT)      /* 0-9 */

const unsigned char abt_chars[256] = {
	/* 0  1  2  3  4  5  6  7  8  9  A  B  C  D  E  F */
	_, _, _, _, _, _, _, _, _, O, _, _, _, _, _, _, /* 00 */
	_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, /* 10 */
	V, T, O, T, T, T, T, T, V, V, T, T, V, U, U, V, /* 20 */
	D, D, D, D, D, D, D, D, D, D, V, V, V, V, V, V, /* 30 */
	V, H, H, H, H, H, H, L, L, L, L, L, L, L, L, L, /* 40 */
	L, L, L, L, L, L, L, L, L, L, L, V, O, V, T, U, /* 50 */
	T, H, H, H, H, H, H, L, L, L, L, L, L, L, L, L, /* 60 */
	L, L, L, L, L, L, L, L, L, L, L, V, T, V, U, J, /* 70 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 80 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 90 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* A0 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* B0 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* C0 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* D0 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* E0 */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* F0 */
};
/* clang-format on */

int
abt_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
