/*
 * bytes.h - a pointer and a length that owns nothing
 *
 * A slice lives as long as what it points into; nothing here allocates, and
 * nothing is NUL-terminated by assumption.  A slice may hold any byte, NUL
 * among them.  The empty slice has n == 0; its pointer may be NULL and tells
 * "absent" from "empty" only where a header says so.
 */
#ifndef ALBATROSS_BYTES_H
#define ALBATROSS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct abt_bytes {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define ABT_BYTES(literal) \
	((struct abt_bytes){ "" literal, sizeof(literal) - 1 })
/* The same as an initialiser of a static table. */
#define ABT_BYTES_INIT(literal)                 \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
/* For printf("%.*s", ABT_FMT(b)). */
#define ABT_FMT(b) (int)(b).n, (b).p != NULL ? (b).p : ""

static inline struct abt_bytes
abt_bytes(const char *p, size_t n)
{
	struct abt_bytes b = { p, n };

	return b;
}

/* A slice of a C string; of NULL the empty slice with a NULL pointer. */
static inline struct abt_bytes
abt_bytes_text(const char *text)
{
	return abt_bytes(text, text != NULL ? strlen(text) : 0);
}

static inline bool
abt_bytes_equal(struct abt_bytes a, struct abt_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equal but for the case of ASCII letters. */
bool abt_bytes_equal_nocase(struct abt_bytes a, struct abt_bytes b);

/* Byte order, as memcmp; a prefix comes first. */
int abt_bytes_compare(struct abt_bytes a, struct abt_bytes b);

bool abt_bytes_starts(struct abt_bytes b, struct abt_bytes prefix);
bool abt_bytes_starts_nocase(struct abt_bytes b, struct abt_bytes prefix);
bool abt_bytes_ends(struct abt_bytes b, struct abt_bytes suffix);

/* |b| without the SP and HTAB at both ends (RFC 9110 OWS). */
struct abt_bytes abt_bytes_trim(struct abt_bytes b);

/* Where |c| first stands in |b|, or b.n. */
size_t abt_bytes_find(struct abt_bytes b, char c);

/* Where |needle| first stands in |b|, or b.n.  An empty needle is at 0. */
size_t abt_bytes_search(struct abt_bytes b, struct abt_bytes needle);

/*
 * Take the piece of |rest| before the next |separator| into |piece| and move
 * |rest| behind the separator.  False when nothing was left (rest->p == NULL);
 * after the last piece rest->p becomes NULL, so "a," gives "a" and "".
 */
bool abt_bytes_next(
    struct abt_bytes *rest, char separator, struct abt_bytes *piece);

/*
 * Read |b| as digits of |base| (10 or 16), all of them, at least one.  False on
 * any other byte or when the number is over |max|; |value| is then untouched.
 */
bool abt_bytes_number(
    struct abt_bytes b, unsigned base, uint64_t max, uint64_t *value);

/* Write |value| in decimal at |out| (at least 20 bytes); returns the length. */
size_t abt_format_number(char *out, uint64_t value);

/* Lower case of one ASCII letter; every other byte is left alone. */
static inline char
abt_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Lower case of the ASCII letters among eight bytes at once. */
static inline uint64_t
abt_lower8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = v & (0x7f * ones);
	uint64_t letters =
	    (low + (0x7f - 'Z') * ones) ^ (low + (0x80 - 'A') * ones);

	return v | ((letters & ~v & 0x80 * ones) >> 2);
}

/* Write |in| at |out| (in.n bytes) with its ASCII letters in lower case. */
void abt_bytes_lower(char *out, struct abt_bytes in);

/* Character classes (base/chars.c), indexed by unsigned byte. */
#define ABT_CHAR_TOKEN      0x01 /* RFC 9110 5.6.2 tchar */
#define ABT_CHAR_FIELD      0x02 /* HTAB, SP, VCHAR, obs-text */
#define ABT_CHAR_DIGIT      0x04
#define ABT_CHAR_HEX        0x08
#define ABT_CHAR_ALPHA      0x10
#define ABT_CHAR_UNRESERVED 0x20 /* RFC 3986 2.3 */
#define ABT_CHAR_JSON_PLAIN                              \
	0x40 /* needs no escape in a JSON string; < 0x80 \
	      */
extern const unsigned char abt_chars[256];

static inline bool
abt_char_is(char c, int classes)
{
	return (abt_chars[(unsigned char)c] & classes) != 0;
}

/* All bytes of |b| are in one of |classes|; true when empty. */
bool abt_bytes_all(struct abt_bytes b, int classes);

/* Printable ASCII without quote and backslash: what every text format of ours
 * takes as it is. */
bool abt_bytes_plain(struct abt_bytes b);

/* The first byte that is in none of |classes|: its index, or b.n. */
size_t abt_bytes_span(struct abt_bytes b, int classes);

/* Value of a hex digit, or -1. */
int abt_hex_value(char c);

/* RFC 3629 UTF-8: no overlong form, no surrogate, nothing over U+10FFFF. */
bool abt_utf8_valid(struct abt_bytes b);
/* Where the first byte stands that is not part of valid UTF-8, or b.n. */
size_t abt_utf8_span(struct abt_bytes b);

/* Length of standard base64 (padded) of |n| bytes. */
static inline size_t
abt_base64_length(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Write base64 of |in| at |out| (abt_base64_length(in.n) bytes, no NUL). */
void abt_base64_encode(char *out, struct abt_bytes in);

/*
 * Strict decoding: standard alphabet, right padding, zero trailing bits not
 * demanded, no blanks or line breaks.  |out| takes in.n / 4 * 3 bytes; |out|
 * may be in.p (in place).  Returns the decoded length, or -1.
 */
ptrdiff_t abt_base64_decode(char *out, struct abt_bytes in);

#endif
