/*
 * look_alike.c - names that other servers may take for a framing header
 */
#include "http/look_alike.h"

static bool
is_alnum(char c)
{
	return abt_char_is(c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT);
}

static size_t
skip_other(struct abt_bytes name, size_t i)
{
	while (i < name.n && !is_alnum(name.p[i]))
		i++;
	return i;
}

static size_t
skip_blank(struct abt_bytes name, size_t i)
{
	while (i < name.n && (unsigned char)name.p[i] <= ' ')
		i++;
	return i;
}

/* How many bytes at |i| stand for the letter |c|: its either case, or a UTF-8
 * letter whose upper case is ASCII (long s, dotless i).  0: another letter. */
static size_t
letter_at(struct abt_bytes name, size_t i, char c)
{
	if (abt_lower(name.p[i]) == c)
		return 1;
	if (name.n - i < 2)
		return 0;
	if (c == 's' && memcmp(name.p + i, "\xc5\xbf", 2) == 0)
		return 2;
	if (c == 'i' && memcmp(name.p + i, "\xc4\xb1", 2) == 0)
		return 2;
	return 0;
}

bool
abt_looks_like(struct abt_bytes name, struct abt_bytes real)
{
	size_t at, i;

	if (name.n < real.n)
		return false;
	at = skip_other(name, 0);
	/* nearly every name ends here */
	if (at == name.n || letter_at(name, at, real.p[0]) == 0 ||
	    abt_bytes_equal_nocase(name, real))
		return false;
	for (i = 0; i < real.n; i++) {
		size_t taken;

		if (at == name.n)
			return false;
		taken = letter_at(name, at, real.p[i]);
		if (real.p[i] == '-') {
			/* any one byte may stand for the hyphen */
			at = skip_other(name, at + (taken > 0 ? taken : 1));
			continue;
		}
		if (taken == 0)
			return false;
		at += taken;
		/* a blank may also stand for the hyphen that comes next */
		if (i + 1 == real.n || real.p[i + 1] != '-')
			at = skip_blank(name, at);
	}
	return skip_other(name, at) == name.n;
}
