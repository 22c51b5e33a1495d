/*
 * percent.c - percent-decoding as API Gateway does it
 *
 * Decoded once, never twice: "%2541" gives "%41".
 */
#include "http/percent.h"

#include "base/utf8_mend.h"

static bool
has_escapes(struct abt_bytes in, bool plus)
{
	return in.n > 0 && (memchr(in.p, '%', in.n) != NULL ||
			       (plus && memchr(in.p, '+', in.n) != NULL));
}

/* The byte that the escape at |i| stands for, or -1. */
static int
escaped_byte(struct abt_bytes in, size_t i)
{
	int high, low;

	if (in.p[i] != '%' || in.n - i < 3)
		return -1;
	high = abt_hex_value(in.p[i + 1]);
	low = abt_hex_value(in.p[i + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

struct abt_bytes
abt_percent_decode(struct abt_bytes in, bool plus, struct abt_arena *arena)
{
	size_t i, n = 0;
	char *out;

	if (!has_escapes(in, plus))
		return abt_utf8_mend(in, arena);
	out = abt_arena_alloc(arena, in.n);
	if (out == NULL)
		return abt_bytes(NULL, 0); /* the arena remembers */
	for (i = 0; i < in.n; i++) {
		int byte = escaped_byte(in, i);

		if (byte >= 0) {
			out[n++] = (char)byte;
			i += 2;
		} else {
			out[n++] = plus && in.p[i] == '+' ? ' ' : in.p[i];
		}
	}
	return abt_utf8_mend(abt_bytes(out, n), arena);
}
