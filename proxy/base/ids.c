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

#define STOCK 4096

static char *
put_hex(char *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
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
	static const unsigned char groups[] = { 4, 2, 2, 2, 6 };
	unsigned char bytes[16];
	const unsigned char *from = bytes;
	size_t i;

	memcpy(bytes, random, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* RFC 9562 */
	for (i = 0; i < sizeof(groups); i++) {
		if (i > 0)
			*out++ = '-';
		out = put_hex(out, from, groups[i]);
		from += groups[i];
	}
	*out = '\0';
}

void
abt_id_trace(char out[36], int64_t seconds, const unsigned char random[12])
{
	unsigned char time[4];
	size_t i;

	for (i = 0; i < sizeof(time); i++)
		time[i] = (unsigned char)((uint64_t)seconds >> (24 - 8 * i));
	*out++ = '1';
	*out++ = '-';
	out = put_hex(out, time, sizeof(time));
	*out++ = '-';
	*put_hex(out, random, 12) = '\0';
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
