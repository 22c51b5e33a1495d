/*
 * json_escape.h - text as the inside of a JSON string
 *
 * Short text is escaped in line, since an event has some fifty strings.
 */
#ifndef ABT_BASE_JSON_ESCAPE_H
#define ABT_BASE_JSON_ESCAPE_H

#include "albatross/buf.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

/* The written form of a byte and its length. */
struct abt_json_written {
	char text[7];
	unsigned char n;
};

extern const struct abt_json_written abt_json_written[256];

#define ABT_ESCAPE_BLOCK 16
#define ABT_ESCAPE_WORST 6  /* bytes written for one */
#define ABT_ESCAPE_SLACK 16 /* what stores may touch behind the text */

/* Is there room for |n| more bytes, or can there be? */
static inline bool
abt_escape_has_room(struct abt_buf *buf, size_t n)
{
	return n <= buf->size - buf->n || abt_buf_reserve(buf, n) >= n;
}

/* Escape |b| of any length into |buf|; |*high| gets a bit when it has a byte
 * over 0x7F. */
void abt_json_escape(struct abt_buf *buf, struct abt_bytes b, uint64_t *high);

/* Do these eight bytes need no escape?  |high| collects their high bits. */
static inline bool
abt_escape_plain8(const char *p, uint64_t *high)
{
	const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
	uint64_t v, quote, slash, control;

	memcpy(&v, p, sizeof(v));
	quote = v ^ ('"' * ones);
	slash = v ^ ('\\' * ones);
	control = (v - ' ' * ones) & ~v;
	quote = (quote - ones) & ~quote;
	slash = (slash - ones) & ~slash;
	*high |= v & tops;
	return ((quote | slash | control) & tops) == 0;
}

/* The same of sixteen; they are copied to |out| in any case. */
static inline bool
abt_escape_copy16(char *out, const char *p, uint64_t *high)
{
#if defined(__x86_64__) && defined(__GNUC__)
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i special = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));

	_mm_storeu_si128((__m128i *)(void *)out, v);
	special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	special = _mm_or_si128(
	    special, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
	*high |= (unsigned)_mm_movemask_epi8(v);
	return _mm_movemask_epi8(special) == 0;
#else
	bool first = abt_escape_plain8(p, high),
	     second = abt_escape_plain8(p + 8, high);

	memcpy(out, p, 16);
	return first && second;
#endif
}

/* Through the table; returns the end.  Wants n * ABT_ESCAPE_WORST + 2 bytes of
 * room. */
static inline char *
abt_escape_table(char *w, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct abt_json_written *form =
		    &abt_json_written[(unsigned char)p[i]];

		memcpy(w, form, sizeof(*form));
		w += form->n;
	}
	return w;
}

/* Fewer than sixteen bytes: two overlapping loads have all of them. */
static inline char *
abt_escape_rest(char *w, const char *p, size_t n, uint64_t *high)
{
	uint32_t a, b;
	char word[8];

	if (n >= 8) {
		bool first = abt_escape_plain8(p, high), second;

		second = abt_escape_plain8(p + n - 8, high);
		if (!first || !second)
			return abt_escape_table(w, p, n);
		memcpy(w, p, 8);
		memcpy(w + n - 8, p + n - 8, 8);
		return w + n;
	}
	if (n < 4) {
		size_t i;

		for (i = 0; i < n; i++) {
			*high |= (unsigned char)p[i] & 0x80;
			w = abt_escape_table(w, p + i, 1);
		}
		return w;
	}
	memcpy(&a, p, 4);
	memcpy(&b, p + n - 4, 4);
	memcpy(word, &a, 4);
	memcpy(word + 4, &b, 4);
	if (!abt_escape_plain8(word, high))
		return abt_escape_table(w, p, n);
	memcpy(w, &a, 4);
	memcpy(w + n - 4, &b, 4);
	return w + n;
}

/* Escape |b|; the end.  Wants b.n * ABT_ESCAPE_WORST + ABT_ESCAPE_SLACK bytes
 * of room. */
static inline char *
abt_escape_short(char *w, struct abt_bytes b, uint64_t *high)
{
	const char *p = b.p;
	size_t n = b.n;

	for (; n >= ABT_ESCAPE_BLOCK;
	     n -= ABT_ESCAPE_BLOCK, p += ABT_ESCAPE_BLOCK)
		w = abt_escape_copy16(w, p, high)
			? w + ABT_ESCAPE_BLOCK
			: abt_escape_table(w, p, ABT_ESCAPE_BLOCK);
	return n > 0 ? abt_escape_rest(w, p, n, high) : w;
}

/* Copy |b| if nothing in it needs an escape: the end, or NULL.  Wants
 * b.n + ABT_ESCAPE_SLACK bytes of room. */
static inline __attribute__((always_inline)) char *
abt_escape_copy(char *w, struct abt_bytes b, uint64_t *high)
{
	const char *p = b.p;
	size_t n = b.n;
	bool plain = true;

	for (; n >= ABT_ESCAPE_BLOCK; n -= ABT_ESCAPE_BLOCK) {
		plain &= abt_escape_copy16(w, p, high);
		w += ABT_ESCAPE_BLOCK;
		p += ABT_ESCAPE_BLOCK;
	}
	if (n >= 8) {
		plain &= abt_escape_plain8(p, high);
		plain &= abt_escape_plain8(p + n - 8, high);
		memcpy(w, p, 8);
		memcpy(w + n - 8, p + n - 8, 8);
	} else if (n >= 4) {
		char eight[8];

		memcpy(eight, p, 4);
		memcpy(eight + 4, p + n - 4, 4);
		plain &= abt_escape_plain8(eight, high);
		memcpy(w, eight, 4);
		memcpy(w + n - 4, eight + 4, 4);
	} else {
		for (size_t i = 0; i < n; i++) {
			*high |= (unsigned char)p[i] & 0x80;
			plain &= abt_json_written[(unsigned char)p[i]].n == 1;
			w[i] = p[i];
		}
	}
	return plain ? w + n : NULL;
}

#endif
