/*
 * utf8.c - is this UTF-8? (RFC 3629)
 *
 * ASCII is skipped sixteen bytes at a time; the rest is judged a character at
 * a time by its first byte, which fixes how many follow and what the second one
 * may be.
 */
#include "albatross/bytes.h"

/* The high bits of sixteen bytes, ored. */
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

static size_t
valid_prefix(struct abt_bytes b)
{
	const unsigned char *p = (const unsigned char *)b.p;
	size_t i = 0;

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

size_t
abt_utf8_span(struct abt_bytes b)
{
	return valid_prefix(b);
}

bool
abt_utf8_valid(struct abt_bytes b)
{
	return valid_prefix(b) == b.n;
}
