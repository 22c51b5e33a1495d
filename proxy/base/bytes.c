/*
 * bytes.c - slices: equality with and without case, searching, splitting,
 * numbers
 */
#include "albatross/bytes.h"

/* Lower case of the ASCII letters among eight bytes at once. */
static inline uint64_t
lower8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = v & (0x7f * ones);
	uint64_t letters =
	    (low + (0x7f - 'Z') * ones) ^ (low + (0x80 - 'A') * ones);

	return v | ((letters & ~v & 0x80 * ones) >> 2);
}

static inline uint64_t
load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool
abt_bytes_equal_nocase(struct abt_bytes a, struct abt_bytes b)
{
	size_t i = 0;

	if (a.n != b.n)
		return false;
	for (; a.n - i >= 8; i += 8)
		if (lower8(load8(a.p + i)) != lower8(load8(b.p + i)))
			return false;
	for (; i < a.n; i++)
		if (abt_lower(a.p[i]) != abt_lower(b.p[i]))
			return false;
	return true;
}

int
abt_bytes_compare(struct abt_bytes a, struct abt_bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (order != 0)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool
abt_bytes_starts(struct abt_bytes b, struct abt_bytes prefix)
{
	return b.n >= prefix.n &&
	       abt_bytes_equal(abt_bytes(b.p, prefix.n), prefix);
}

bool
abt_bytes_starts_nocase(struct abt_bytes b, struct abt_bytes prefix)
{
	return b.n >= prefix.n &&
	       abt_bytes_equal_nocase(abt_bytes(b.p, prefix.n), prefix);
}

bool
abt_bytes_ends(struct abt_bytes b, struct abt_bytes suffix)
{
	if (suffix.n == 0)
		return true;
	return b.n >= suffix.n &&
	       memcmp(b.p + (b.n - suffix.n), suffix.p, suffix.n) == 0;
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct abt_bytes
abt_bytes_trim(struct abt_bytes b)
{
	while (b.n > 0 && is_blank(b.p[0])) {
		b.p++;
		b.n--;
	}
	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	return b;
}

size_t
abt_bytes_find(struct abt_bytes b, char c)
{
	const char *at = b.n > 0 ? memchr(b.p, c, b.n) : NULL;

	return at != NULL ? (size_t)(at - b.p) : b.n;
}

size_t
abt_bytes_search(struct abt_bytes b, struct abt_bytes needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	if (b.n < needle.n)
		return b.n;
	at = memmem(b.p, b.n, needle.p, needle.n);
	return at != NULL ? (size_t)(at - b.p) : b.n;
}

bool
abt_bytes_next(struct abt_bytes *rest, char separator, struct abt_bytes *piece)
{
	size_t n;

	if (rest->p == NULL)
		return false;
	n = abt_bytes_find(*rest, separator);
	*piece = abt_bytes(rest->p, n);
	if (n == rest->n)
		*rest = abt_bytes(NULL, 0);
	else
		*rest = abt_bytes(rest->p + n + 1, rest->n - n - 1);
	return true;
}

bool
abt_bytes_number(
    struct abt_bytes b, unsigned base, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;
	size_t i;

	if (b.n == 0)
		return false;
	for (i = 0; i < b.n; i++) {
		int digit = abt_hex_value(b.p[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return false;
		if (sum > max / base)
			return false;
		sum *= base;
		if ((unsigned)digit > max - sum)
			return false;
		sum += (unsigned)digit;
	}
	*value = sum;
	return true;
}

size_t
abt_format_number(char *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

size_t
abt_bytes_span(struct abt_bytes b, int classes)
{
	size_t i = 0;

	while (i < b.n && abt_char_is(b.p[i], classes))
		i++;
	return i;
}

bool
abt_bytes_all(struct abt_bytes b, int classes)
{
	return abt_bytes_span(b, classes) == b.n;
}
