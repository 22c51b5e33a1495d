/*
 * utf8.c - is this UTF-8? (RFC 3629)
 *
 * The plain form skips ASCII sixteen bytes at a time and judges the rest a
 * character at a time by its first byte, which fixes how many follow and what
 * the second one may be.  The vector forms take whole blocks with three table
 * lookups (after Keiser and Lemire, "Validating UTF-8 In Less Than One
 * Instruction Per Byte", 2020) and leave the rest, and any block with a
 * mistake, to the plain form, which alone says where the mistake is.
 */
#include "albatross/bytes.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif

/* ---- plain ---- */

static inline bool
is_ascii16(const char *p)
{
	uint64_t a, b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	return ((a | b) & 0x8080808080808080u) == 0;
}

static inline bool
follows(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the character at |p| with a first byte >= 0x80; 0: not valid. */
static size_t
sequence(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], low = 0x80, high = 0xbf;

	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (c < 0xe0)
		return n >= 2 && follows(p[1]) ? 2 : 0;
	if (c == 0xe0)
		low = 0xa0; /* shorter forms exist below */
	else if (c == 0xed)
		high = 0x9f; /* surrogates */
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f; /* U+10FFFF */
	if (n < 3 || p[1] < low || p[1] > high || !follows(p[2]))
		return 0;
	if (c < 0xf0)
		return 3;
	return n >= 4 && follows(p[3]) ? 4 : 0;
}

/* From |i| on, where a character begins. */
static size_t
span_plain(struct abt_bytes b, size_t i)
{
	const unsigned char *p = (const unsigned char *)b.p;

	while (i < b.n) {
		size_t length;

		if (p[i] < 0x80) {
			while (b.n - i >= 16 && is_ascii16(b.p + i))
				i += 16;
			while (i < b.n && p[i] < 0x80)
				i++;
			continue;
		}
		length = sequence(p + i, b.n - i);
		if (length == 0)
			return i;
		i += length;
	}
	return i;
}

#if HAVE_X86

/* ---- vectors ---- */

/*
 * Each bit is a way of being wrong that shows in two neighbouring bytes; a pair
 * is wrong in that way when the three tables (upper and lower half of the first
 * byte, upper half of the second) agree on it.  PAIR alone is no mistake: two
 * following bytes, which must stand behind a first byte of E0 or more, and
 * nowhere else.
 */
#define SHORT  0x01 /* a first byte without a following one */
#define LONG   0x02 /* ASCII, then a following byte */
#define OVER3  0x04 /* E0 80..9F */
#define LARGE  0x08 /* F4 90.., F5.. 90.. */
#define HALF   0x10 /* ED A0..BF: a surrogate */
#define OVER2  0x20 /* C0 or C1 */
#define OVER4  0x40 /* F0 80..8F; F5.. 80..8F */
#define PAIR   0x80
#define ALWAYS (SHORT | LONG | PAIR)

#define FIRST_UPPER                                                       \
	LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, PAIR, PAIR, PAIR, \
	    PAIR, SHORT | OVER2, SHORT, SHORT | OVER3 | HALF,             \
	    SHORT | LARGE | OVER4
#define FIRST_LOWER                                                         \
	ALWAYS | OVER2 | OVER3 | OVER4, ALWAYS | OVER2, ALWAYS, ALWAYS,     \
	    ALWAYS | LARGE, ALWAYS | LARGE | OVER4, ALWAYS | LARGE | OVER4, \
	    ALWAYS | LARGE | OVER4, ALWAYS | LARGE | OVER4,                 \
	    ALWAYS | LARGE | OVER4, ALWAYS | LARGE | OVER4,                 \
	    ALWAYS | LARGE | OVER4, ALWAYS | LARGE | OVER4,                 \
	    ALWAYS | LARGE | OVER4 | HALF, ALWAYS | LARGE | OVER4,          \
	    ALWAYS | LARGE | OVER4
#define ANY_FOLLOWING (LONG | OVER2 | PAIR)
#define SECOND_UPPER                                                           \
	SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT,                \
	    ANY_FOLLOWING | OVER3 | OVER4, ANY_FOLLOWING | OVER3 | LARGE,      \
	    ANY_FOLLOWING | HALF | LARGE, ANY_FOLLOWING | HALF | LARGE, SHORT, \
	    SHORT, SHORT, SHORT

#define TARGET(name) __attribute__((target(name)))
#define SIGNED16(x)  SIGNED(x)
#define SIGNED(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)                \
	(char)(a), (char)(b), (char)(c), (char)(d), (char)(e), (char)(f),     \
	    (char)(g), (char)(h), (char)(i), (char)(j), (char)(k), (char)(l), \
	    (char)(m), (char)(n), (char)(o), (char)(p)

/* How far the text is well, in whole blocks of 16; the end of the last one may
 * be within a character. */
TARGET("ssse3")
static size_t
blocks_ssse3(const char *p, size_t n)
{
	const __m128i first_upper = _mm_setr_epi8(SIGNED16(FIRST_UPPER));
	const __m128i first_lower = _mm_setr_epi8(SIGNED16(FIRST_LOWER));
	const __m128i second_upper = _mm_setr_epi8(SIGNED16(SECOND_UPPER));
	const __m128i half = _mm_set1_epi8(15), zero = _mm_setzero_si128();
	__m128i before = zero;
	size_t i;

	for (i = 0; n - i >= 16; i += 16) {
		__m128i v, one, bad, must;

		v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		one = _mm_alignr_epi8(v, before, 15);
		bad = _mm_shuffle_epi8(
		    first_upper, _mm_and_si128(_mm_srli_epi16(one, 4), half));
		bad = _mm_and_si128(bad,
		    _mm_shuffle_epi8(first_lower, _mm_and_si128(one, half)));
		bad = _mm_and_si128(
		    bad, _mm_shuffle_epi8(second_upper,
			     _mm_and_si128(_mm_srli_epi16(v, 4), half)));
		must =
		    _mm_or_si128(_mm_subs_epu8(_mm_alignr_epi8(v, before, 14),
				     _mm_set1_epi8(0xe0 - 0x80)),
			_mm_subs_epu8(_mm_alignr_epi8(v, before, 13),
			    _mm_set1_epi8(0xf0 - 0x80)));
		must = _mm_and_si128(must, _mm_set1_epi8((char)PAIR));
		bad = _mm_cmpeq_epi8(_mm_xor_si128(bad, must), zero);
		if (_mm_movemask_epi8(bad) != 0xffff)
			break;
		before = v;
	}
	return i;
}

/* The same in blocks of 32, with a short way for ASCII. */
TARGET("avx2")
static size_t
blocks_avx2(const char *p, size_t n)
{
	const __m256i first_upper =
	    _mm256_setr_epi8(SIGNED16(FIRST_UPPER), SIGNED16(FIRST_UPPER));
	const __m256i first_lower =
	    _mm256_setr_epi8(SIGNED16(FIRST_LOWER), SIGNED16(FIRST_LOWER));
	const __m256i second_upper =
	    _mm256_setr_epi8(SIGNED16(SECOND_UPPER), SIGNED16(SECOND_UPPER));
	const __m256i half = _mm256_set1_epi8(15);
	__m256i before = _mm256_setzero_si256();
	size_t i;

	for (i = 0; n - i >= 32; i += 32) {
		__m256i v, mid, one, bad, must;

		v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
		/* The upper half of |before| beside the lower one of |v|. */
		mid = _mm256_permute2x128_si256(before, v, 0x21);
		must = _mm256_or_si256(
		    _mm256_subs_epu8(_mm256_alignr_epi8(v, mid, 14),
			_mm256_set1_epi8(0xe0 - 0x80)),
		    _mm256_subs_epu8(_mm256_alignr_epi8(v, mid, 13),
			_mm256_set1_epi8(0xf0 - 0x80)));
		one = _mm256_alignr_epi8(v, mid, 15);
		before = v;
		if (_mm256_movemask_epi8(_mm256_or_si256(v, one)) == 0 &&
		    _mm256_movemask_epi8(must) == 0)
			continue;
		bad = _mm256_shuffle_epi8(first_upper,
		    _mm256_and_si256(_mm256_srli_epi16(one, 4), half));
		bad = _mm256_and_si256(bad, _mm256_shuffle_epi8(first_lower,
						_mm256_and_si256(one, half)));
		bad = _mm256_and_si256(
		    bad, _mm256_shuffle_epi8(second_upper,
			     _mm256_and_si256(_mm256_srli_epi16(v, 4), half)));
		must = _mm256_and_si256(must, _mm256_set1_epi8((char)PAIR));
		bad = _mm256_xor_si256(bad, must);
		if (!_mm256_testz_si256(bad, bad))
			break;
	}
	return i;
}

static size_t
blocks(const char *p, size_t n)
{
	if (n >= 64 && __builtin_cpu_supports("avx2"))
		return blocks_avx2(p, n);
	if (n >= 64 && __builtin_cpu_supports("ssse3"))
		return blocks_ssse3(p, n);
	return 0;
}

#else

static size_t
blocks(const char *p, size_t n)
{
	(void)p, (void)n;
	return 0;
}

#endif

/* Back from |i| to where a character begins: the blocks before were well, so
 * that is three bytes at most. */
static size_t
char_begin(const char *p, size_t i)
{
	size_t back;

	for (back = 1; back <= 3 && back <= i; back++) {
		unsigned char c = (unsigned char)p[i - back];

		if (c >= 0xc0)
			return i - back;
		if (c < 0x80)
			break;
	}
	return i;
}

size_t
abt_utf8_span(struct abt_bytes b)
{
	size_t i = blocks(b.p, b.n);

	/* Behind three following bytes a character is complete. */
	return span_plain(b, char_begin(b.p, i));
}

bool
abt_utf8_valid(struct abt_bytes b)
{
	return abt_utf8_span(b) == b.n;
}
