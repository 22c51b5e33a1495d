/*
 * utf8_mend.c - text out of bytes that are not all UTF-8
 *
 * Nearly always the bytes are well and are given back as they came; only what
 * is broken is walked a character at a time.
 */
#include "base/utf8_mend.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool
is_between(unsigned char c, unsigned char low, unsigned char high)
{
	return c >= low && c <= high;
}

/* How many bytes at |p|, where no character begins, are the beginning of one:
 * they are replaced together.  At least 1. */
static size_t
broken_length(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], low = 0x80, high = 0xbf;
	size_t want, i;

	if (c < 0xc2 || c > 0xf4)
		return 1;
	want = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	for (i = 1; i < want && i < n; i++) {
		if (!is_between(p[i], low, high))
			break;
		low = 0x80;
		high = 0xbf;
	}
	return i;
}

struct abt_bytes
abt_utf8_mend(struct abt_bytes b, struct abt_arena *arena)
{
	size_t good = abt_utf8_span(b), n = 0;
	char *out;

	if (good == b.n)
		return b;
	if (b.n > SIZE_MAX / 3) {
		abt_arena_fail(arena);
		return abt_bytes(NULL, 0);
	}
	out = abt_arena_alloc(arena, b.n * 3);
	if (out == NULL)
		return abt_bytes(NULL, 0);
	while (b.n > 0) {
		memcpy(out + n, b.p, good);
		n += good;
		b = abt_bytes(b.p + good, b.n - good);
		if (b.n > 0) {
			size_t skip =
			    broken_length((const unsigned char *)b.p, b.n);

			memcpy(out + n, REPLACEMENT, 3);
			n += 3;
			b = abt_bytes(b.p + skip, b.n - skip);
			good = abt_utf8_span(b);
		}
	}
	return abt_bytes(out, n);
}
