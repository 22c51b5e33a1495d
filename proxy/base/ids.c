/*
 * ids.c - formats ids from bytes it is given; the only place that asks for
 * chance
 *
 * Random bytes come from the kernel a page at a time and are wiped as they are
 * handed out: no generator of our own to get wrong, and one system call for
 * some hundred requests.
 */
#include "base/ids.h"

#include <endian.h>
#include <errno.h>
#include <sys/random.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define STOCK 4096

#if defined(__SSE2__)

/* Eight bytes as sixteen digits at once. */
static inline char *
put_hex8(char *out, const unsigned char *bytes)
{
	__m128i v = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
	__m128i low = _mm_and_si128(v, _mm_set1_epi8(15));
	__m128i high = _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(15));
	__m128i digits = _mm_unpacklo_epi8(high, low);
	__m128i letter = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));

	letter = _mm_and_si128(letter, _mm_set1_epi8('a' - 10 - '0'));
	digits = _mm_add_epi8(digits, _mm_set1_epi8('0'));
	digits = _mm_add_epi8(digits, letter);
	_mm_storeu_si128((__m128i *)(void *)out, digits);
	return out + 16;
}

#endif

static char *
put_hex(char *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i = 0;

#if defined(__SSE2__)
	for (; n - i >= 8; i += 8)
		out = put_hex8(out, bytes + i);
#endif
	for (; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	return out;
}

void
abt_id_hex(char *out, const unsigned char *bytes, size_t n)
{
	*put_hex(out, bytes, n) = '\0';
}

void
abt_id_uuid(char out[37], const unsigned char random[16])
{
	unsigned char bytes[16];
	char hex[32];

	memcpy(bytes, random, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* RFC 9562 */
	put_hex(hex, bytes, sizeof(bytes));
	memcpy(out, hex, 8);
	memcpy(out + 9, hex + 8, 4);
	memcpy(out + 14, hex + 12, 4);
	memcpy(out + 19, hex + 16, 4);
	memcpy(out + 24, hex + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[36] = '\0';
}

void
abt_id_trace(char out[36], int64_t seconds, const unsigned char random[12])
{
	unsigned char bytes[16];
	uint32_t time = htobe32((uint32_t)seconds);
	char hex[32];

	memcpy(bytes, &time, sizeof(time));
	memcpy(bytes + 4, random, 12);
	put_hex(hex, bytes, sizeof(bytes));
	memcpy(out, "1-", 2);
	memcpy(out + 2, hex, 8);
	out[10] = '-';
	memcpy(out + 11, hex + 8, 24);
	out[35] = '\0';
}

void
abt_id_extended(char out[17], const unsigned char random[12])
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	uint64_t bits; /* six of them a digit, first ones first */
	unsigned i;

	memcpy(&bits, random, sizeof(bits));
	bits = be64toh(bits);
	for (i = 0; i < 10; i++)
		out[i] = digits[bits >> (58 - 6 * i) & 63];
	memcpy(&bits, random + 4, sizeof(bits));
	bits = be64toh(bits);
	for (i = 10; i < 15; i++)
		out[i] = digits[bits >> (90 - 6 * i) & 63];
	out[15] = '=';
	out[16] = '\0';
}

/* Fill |stock| from the kernel.  0 or -1. */
static int
restock(unsigned char *stock, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(stock, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		stock += got;
		n -= (size_t)got;
	}
	return 0;
}

int
abt_random(unsigned char *out, size_t n)
{
	static _Thread_local unsigned char stock[STOCK];
	static _Thread_local size_t left;

	while (n > 0) {
		size_t piece;
		unsigned char *from;

		if (left == 0) {
			if (restock(stock, sizeof(stock)) != 0)
				return -1;
			left = sizeof(stock);
		}
		piece = n < left ? n : left;
		from = stock + sizeof(stock) - left;
		memcpy(out, from, piece);
		memset(from, 0, piece);
		left -= piece;
		out += piece;
		n -= piece;
	}
	return 0;
}
