/*
 * cidr.c - is this address in this range?
 *
 * IPv4 is kept as ::ffff:a.b.c.d, so that one comparison serves both.
 */
#include "route/cidr.h"

#include <arpa/inet.h>

static bool
parse_address(struct abt_bytes text, unsigned char address[16], bool *is_v4)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*is_v4 = inet_pton(AF_INET, copy, address + 12) == 1;
	if (*is_v4) {
		memset(address, 0, 10);
		address[10] = address[11] = 0xff;
		return true;
	}
	return inet_pton(AF_INET6, copy, address) == 1;
}

/* Are |a| and |b| equal in their first |bits| bits? */
static bool
same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool
abt_cidr_parse(struct abt_bytes text, struct abt_cidr *cidr)
{
	static const unsigned char zero[16];
	size_t slash = abt_bytes_find(text, '/');
	unsigned char masked[16];
	uint64_t bits;
	bool is_v4;
	unsigned i;

	if (!parse_address(abt_bytes(text.p, slash), cidr->address, &is_v4))
		return false;
	cidr->bits = 128;
	if (slash == text.n)
		return true;
	if (!abt_bytes_number(abt_bytes(text.p + slash + 1, text.n - slash - 1),
		10, is_v4 ? 32 : 128, &bits))
		return false;
	cidr->bits = (unsigned)bits + (is_v4 ? 96 : 0);
	/* bits behind the mask must be zero, or the operator meant another */
	memcpy(masked, cidr->address, sizeof(masked));
	for (i = 0; i < cidr->bits; i++)
		masked[i / 8] &= (unsigned char)~(0x80 >> (i % 8));
	return memcmp(masked, zero, sizeof(masked)) == 0;
}

bool
abt_cidr_holds(const struct abt_cidr *ranges, size_t count, const char *ip)
{
	unsigned char address[16];
	bool is_v4;
	size_t i;

	if (!parse_address(abt_bytes_text(ip), address, &is_v4))
		return false;
	for (i = 0; i < count; i++)
		if (same_bits(ranges[i].address, address, ranges[i].bits))
			return true;
	return false;
}
