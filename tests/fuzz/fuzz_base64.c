/*
 * fuzz_base64.c - decoding against the plainest way, and there and back
 */
#include <stdlib.h>

#include "albatross/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static int
value_of(uint8_t c)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/";
	const char *at = c != 0 ? strchr(letters, c) : NULL;

	return at != NULL ? (int)(at - letters) : -1;
}

/* By a bit at a time; the length, or -1. */
static ptrdiff_t
plain_decode(uint8_t *out, const uint8_t *in, size_t n)
{
	size_t letters = n, i, bits = 0;
	ptrdiff_t made = 0;
	unsigned held = 0;

	if (n % 4 != 0)
		return -1;
	for (i = 0; i < 2 && letters > 0 && in[letters - 1] == '='; i++)
		letters--;
	for (i = 0; i < letters; i++) {
		if (value_of(in[i]) < 0)
			return -1;
		held = (held << 6 | (unsigned)value_of(in[i])) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[made++] = (uint8_t)(held >> bits);
		}
	}
	return made;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct abt_bytes in = abt_bytes((const char *)data, n);
	size_t length = abt_base64_length(n), room = n / 4 * 3;
	char *code = malloc(length + 1), *out = malloc(room + 1);
	uint8_t *expected = malloc(n + 1);
	ptrdiff_t made;

	demand(code != NULL && out != NULL && expected != NULL);
	out[room] = 'x';
	made = abt_base64_decode(out, in);
	demand(made == plain_decode(expected, data, n));
	demand(out[room] == 'x');
	if (made > 0)
		demand(memcmp(out, expected, (size_t)made) == 0);
	code[length] = 'x';
	abt_base64_encode(code, in);
	demand(code[length] == 'x');
	made = abt_base64_decode(code, abt_bytes(code, length)); /* in place */
	demand(made == (ptrdiff_t)n);
	demand(n == 0 || memcmp(code, data, n) == 0);
	free(code);
	free(out);
	free(expected);
	return 0;
}
