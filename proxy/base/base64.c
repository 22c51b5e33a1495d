/*
 * base64.c - encode; decode strictly (RFC 4648 4)
 *
 * The vector forms take whole blocks and leave the rest, and whatever they do
 * not understand, to the plain form, which alone judges padding and errors.
 * Which one runs is asked of the processor at run time.  All forms may decode
 * in place: they read ahead of what they write.
 */
#include "albatross/bytes.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif

#define BAD 0xff

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* clang-format off */
#define B BAD
static const unsigned char values[256] = {
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  62, B,  B,  B,  63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, B,  B,  B,  B,  B,  B,
	B,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, B,  B,  B,  B,  B,
	B,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
};
#undef B
/* clang-format on */

/* ---- plain ---- */

static void
encode_plain(char *out, const unsigned char *in, size_t n)
{
	for (; n >= 3; n -= 3, in += 3) {
		uint32_t v =
		    (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = alphabet[v >> 6 & 63];
		*out++ = alphabet[v & 63];
	}
	if (n == 0)
		return;
	*out++ = alphabet[in[0] >> 2];
	if (n == 1) {
		*out++ = alphabet[(in[0] & 3) << 4];
		*out++ = '=';
	} else {
		*out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = alphabet[(in[1] & 15) << 2];
	}
	*out = '=';
}

/* Decode |n| bytes, a multiple of 4 and not 0.  The length, or -1. */
static ptrdiff_t
decode_plain(char *out, const unsigned char *in, size_t n)
{
	const char *begin = out;
	unsigned a, b, c, d;

	for (; n > 4; n -= 4, in += 4) {
		a = values[in[0]], b = values[in[1]];
		c = values[in[2]], d = values[in[3]];
		if ((a | b | c | d) > 63)
			return -1;
		*out++ = (char)(a << 2 | b >> 4);
		*out++ = (char)(b << 4 | c >> 2);
		*out++ = (char)(c << 6 | d);
	}
	a = values[in[0]], b = values[in[1]];
	c = in[2] == '=' && in[3] == '=' ? 0 : values[in[2]];
	d = in[3] == '=' ? 0 : values[in[3]];
	if ((a | b | c | d) > 63)
		return -1;
	n = in[3] != '=' ? 3 : in[2] != '=' ? 2 : 1;
	*out++ = (char)(a << 2 | b >> 4);
	if (n > 1)
		*out++ = (char)(b << 4 | c >> 2);
	if (n > 2)
		*out++ = (char)(c << 6 | d);
	return out - begin;
}

#if HAVE_X86

/* ---- vectors: what both widths share ---- */

/*
 * Encoding.  Each group of three bytes x y z is spread to y x z y, so that all
 * four six-bit values lie within a 16-bit half; two multiplications shift them
 * into bytes.  The letter is the value plus an offset that depends on its
 * range: 13 for A-Z, 0 for a-z, 1 to 10 for the digits, 11 for +, 12 for /.
 */
#define SPREAD  1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10
#define OFFSETS 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0

/*
 * Decoding.  A byte is bad when its low half is among those that its high half
 * forbids: a bit for each kind of high half (1: 2x, 2: 3x, 4: 4x and 6x, 8: 5x
 * and 7x, 16: any other, where all is forbidden).  The value is the byte plus
 * an offset by high half, with "/" moved to a place of its own.
 */
#define FORBIDDEN_LOW                                                     \
	0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, \
	    0x1a, 0x1b, 0x1b, 0x1b, 0x1a
#define KIND_HIGH 16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16
#define ROLL      0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
#define GATHER    2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1

#define TARGET(name) __attribute__((target(name)))

/* ---- SSSE3 ---- */

/* Encode blocks of 12 bytes; returns how many bytes were taken. */
TARGET("ssse3")
static size_t
encode_ssse3(char *out, const unsigned char *in, size_t n)
{
	const __m128i spread = _mm_setr_epi8(SPREAD);
	const __m128i offsets = _mm_setr_epi8(OFFSETS);
	size_t i;

	for (i = 0; n - i >= 16; i += 12, out += 16) {
		__m128i v, upper, lower, range;

		v = _mm_loadu_si128((const __m128i *)(const void *)(in + i));
		v = _mm_shuffle_epi8(v, spread);
		upper = _mm_and_si128(v, _mm_set1_epi32(0x0fc0fc00));
		upper = _mm_mulhi_epu16(upper, _mm_set1_epi32(0x04000040));
		lower = _mm_and_si128(v, _mm_set1_epi32(0x003f03f0));
		lower = _mm_mullo_epi16(lower, _mm_set1_epi32(0x01000010));
		v = _mm_or_si128(upper, lower);
		range = _mm_subs_epu8(v, _mm_set1_epi8(51));
		range = _mm_or_si128(
		    range, _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), v),
			       _mm_set1_epi8(13)));
		v = _mm_add_epi8(v, _mm_shuffle_epi8(offsets, range));
		_mm_storeu_si128((__m128i *)(void *)out, v);
	}
	return i;
}

/* Decode blocks of 16 bytes up to the first that is not all letters. */
TARGET("ssse3")
static size_t
decode_ssse3(char *out, const unsigned char *in, size_t n)
{
	const __m128i low_table = _mm_setr_epi8(FORBIDDEN_LOW);
	const __m128i high_table = _mm_setr_epi8(KIND_HIGH);
	const __m128i roll = _mm_setr_epi8(ROLL);
	const __m128i half = _mm_set1_epi8(15);
	size_t i;

	/* A store is 16 bytes though only 12 count. */
	for (i = 0; n - i >= 24; i += 16, out += 12) {
		__m128i v, high, kind, low, bad, slash;

		v = _mm_loadu_si128((const __m128i *)(const void *)(in + i));
		high = _mm_and_si128(_mm_srli_epi32(v, 4), half);
		kind = _mm_shuffle_epi8(high_table, high);
		low = _mm_shuffle_epi8(low_table, _mm_and_si128(v, half));
		bad = _mm_and_si128(low, kind);
		bad = _mm_cmpeq_epi8(bad, _mm_setzero_si128());
		if (_mm_movemask_epi8(bad) != 0xffff)
			break;
		slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('/'));
		high = _mm_add_epi8(high, slash);
		v = _mm_add_epi8(v, _mm_shuffle_epi8(roll, high));
		v = _mm_maddubs_epi16(v, _mm_set1_epi32(0x01400140));
		v = _mm_madd_epi16(v, _mm_set1_epi32(0x00011000));
		v = _mm_shuffle_epi8(v, _mm_setr_epi8(GATHER));
		_mm_storeu_si128((__m128i *)(void *)out, v);
	}
	return i;
}

/* ---- AVX2: the same, two halves at once ---- */

TARGET("avx2")
static size_t
encode_avx2(char *out, const unsigned char *in, size_t n)
{
	const __m256i spread = _mm256_setr_epi8(SPREAD, SPREAD);
	const __m256i offsets = _mm256_setr_epi8(OFFSETS, OFFSETS);
	size_t i;

	for (i = 0; n - i >= 28; i += 24, out += 32) {
		__m256i v, upper, lower, range;

		v = _mm256_loadu2_m128i(
		    (const __m128i *)(const void *)(in + i + 12),
		    (const __m128i *)(const void *)(in + i));
		v = _mm256_shuffle_epi8(v, spread);
		upper = _mm256_and_si256(v, _mm256_set1_epi32(0x0fc0fc00));
		upper =
		    _mm256_mulhi_epu16(upper, _mm256_set1_epi32(0x04000040));
		lower = _mm256_and_si256(v, _mm256_set1_epi32(0x003f03f0));
		lower =
		    _mm256_mullo_epi16(lower, _mm256_set1_epi32(0x01000010));
		v = _mm256_or_si256(upper, lower);
		range = _mm256_subs_epu8(v, _mm256_set1_epi8(51));
		range = _mm256_or_si256(range,
		    _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), v),
			_mm256_set1_epi8(13)));
		v = _mm256_add_epi8(v, _mm256_shuffle_epi8(offsets, range));
		_mm256_storeu_si256((__m256i *)(void *)out, v);
	}
	return i;
}

TARGET("avx2")
static size_t
decode_avx2(char *out, const unsigned char *in, size_t n)
{
	const __m256i low_table =
	    _mm256_setr_epi8(FORBIDDEN_LOW, FORBIDDEN_LOW);
	const __m256i high_table = _mm256_setr_epi8(KIND_HIGH, KIND_HIGH);
	const __m256i roll = _mm256_setr_epi8(ROLL, ROLL);
	const __m256i gather = _mm256_setr_epi8(GATHER, GATHER);
	const __m256i join = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
	const __m256i half = _mm256_set1_epi8(15);
	size_t i;

	/* A store is 32 bytes though only 24 count. */
	for (i = 0; n - i >= 44; i += 32, out += 24) {
		__m256i v, high, kind, low, slash;

		v = _mm256_loadu_si256((const __m256i *)(const void *)(in + i));
		high = _mm256_and_si256(_mm256_srli_epi32(v, 4), half);
		kind = _mm256_shuffle_epi8(high_table, high);
		low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(v, half));
		if (!_mm256_testz_si256(low, kind))
			break;
		slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));
		high = _mm256_add_epi8(high, slash);
		v = _mm256_add_epi8(v, _mm256_shuffle_epi8(roll, high));
		v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
		v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
		v = _mm256_shuffle_epi8(v, gather);
		v = _mm256_permutevar8x32_epi32(v, join);
		_mm256_storeu_si256((__m256i *)(void *)out, v);
	}
	return i;
}

static size_t
encode_blocks(char *out, const unsigned char *in, size_t n)
{
	if (n >= 28 && __builtin_cpu_supports("avx2"))
		return encode_avx2(out, in, n);
	if (n >= 16 && __builtin_cpu_supports("ssse3"))
		return encode_ssse3(out, in, n);
	return 0;
}

static size_t
decode_blocks(char *out, const unsigned char *in, size_t n)
{
	if (n >= 44 && __builtin_cpu_supports("avx2"))
		return decode_avx2(out, in, n);
	if (n >= 24 && __builtin_cpu_supports("ssse3"))
		return decode_ssse3(out, in, n);
	return 0;
}

#else

static size_t
encode_blocks(char *out, const unsigned char *in, size_t n)
{
	(void)out, (void)in, (void)n;
	return 0;
}

static size_t
decode_blocks(char *out, const unsigned char *in, size_t n)
{
	(void)out, (void)in, (void)n;
	return 0;
}

#endif

/* ---- the two functions ---- */

void
abt_base64_encode(char *out, struct abt_bytes in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t done = encode_blocks(out, p, in.n);

	if (done < in.n)
		encode_plain(out + done / 3 * 4, p + done, in.n - done);
}

ptrdiff_t
abt_base64_decode(char *out, struct abt_bytes in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t done, made;
	ptrdiff_t rest;

	if (in.n % 4 != 0)
		return -1;
	if (in.n == 0)
		return 0;
	/* A block never takes the last four bytes: padding is judged below. */
	done = decode_blocks(out, p, in.n);
	made = done / 4 * 3;
	rest = decode_plain(out + made, p + done, in.n - done);
	return rest < 0 ? -1 : (ptrdiff_t)made + rest;
}
