/*
 * bytes.c - slices: equality with and without case, searching, splitting,
 * numbers
 *
 * What every header of every request goes through (equal but for case, all of
 * a class) takes many bytes at once; the end of a slice is covered by a last
 * load that overlaps the one before.
 */
#include "albatross/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline uint64_t
load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
load4(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool
abt_bytes_equal_nocase(struct abt_bytes a, struct abt_bytes b)
{
	size_t i, n = a.n;

	if (n != b.n)
		return false;
	if (n >= 8) {
		for (i = 0; i < n - 8; i += 8)
			if (abt_lower8(load8(a.p + i)) !=
			    abt_lower8(load8(b.p + i)))
				return false;
		return abt_lower8(load8(a.p + n - 8)) ==
		       abt_lower8(load8(b.p + n - 8));
	}
	if (n >= 4)
		return abt_lower8(load4(a.p) << 32 | load4(a.p + n - 4)) ==
		       abt_lower8(load4(b.p) << 32 | load4(b.p + n - 4));
	for (i = 0; i < n; i++)
		if (abt_lower(a.p[i]) != abt_lower(b.p[i]))
			return false;
	return true;
}

void
abt_bytes_lower(char *out, struct abt_bytes in)
{
	uint64_t eight;
	size_t i;

	if (in.n < 8) {
		for (i = 0; i < in.n; i++)
			out[i] = abt_lower(in.p[i]);
		return;
	}
	for (i = 0; i < in.n - 8; i += 8) {
		eight = abt_lower8(load8(in.p + i));
		memcpy(out + i, &eight, sizeof(eight));
	}
	eight = abt_lower8(load8(in.p + in.n - 8)); /* some of them again */
	memcpy(out + in.n - 8, &eight, sizeof(eight));
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
	static const char pairs[] =
	    "00010203040506070809101112131415161718192021222324"
	    "25262728293031323334353637383940414243444546474849"
	    "50515253545556575859606162636465666768697071727374"
	    "75767778798081828384858687888990919293949596979899";
	size_t n = 1, at;
	uint64_t limit;

	if (value < 10) {
		out[0] = (char)('0' + value);
		return 1;
	}
	/* most are a status, a port, a length: counted soon */
	for (limit = 10; value >= limit; n++) {
		if (n == 19) {
			n = 20; /* the next limit is no number of 64 bits */
			break;
		}
		limit *= 10;
	}
	for (at = n; value >= 100; value /= 100)
		memcpy(out + (at -= 2), pairs + value % 100 * 2, 2);
	if (at == 2)
		memcpy(out, pairs + value * 2, 2);
	else
		out[0] = (char)('0' + value);
	return n;
}

/* Eight bytes of printable ASCII?  A borrow or a carry comes only from a byte
 * that is none itself. */
static inline bool
is_printable8(const char *p)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t v = load8(p);

	return (((v - ' ' * ones) | (v + ones) | v) & 0x80 * ones) == 0;
}

#if defined(__SSE2__)

/* Are these sixteen bytes all of ABT_CHAR_FIELD? */
static inline bool
is_field16(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(31)), v);
	__m128i tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
	__m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(127));

	control = _mm_or_si128(_mm_andnot_si128(tab, control), del);
	return _mm_movemask_epi8(control) == 0;
}

/* How many bytes are of ABT_CHAR_FIELD, as far as blocks tell. */
static size_t
field_blocks(struct abt_bytes b)
{
	size_t i = 0;

	if (b.n < 16)
		return b.n >= 8 && is_printable8(b.p) &&
			       is_printable8(b.p + b.n - 8)
			   ? b.n
			   : 0;
	for (; i < b.n - 16; i += 16)
		if (!is_field16(b.p + i))
			return i;
	return is_field16(b.p + b.n - 16) ? b.n : i;
}

#else

static size_t
field_blocks(struct abt_bytes b)
{
	size_t i = 0;

	while (b.n - i >= 8 && is_printable8(b.p + i))
		i += 8;
	return i;
}

#endif

#if defined(__SSE2__)

static inline bool
is_plain16(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i odd = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));

	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	/* signed: bytes over 0x7F are below the blank too */
	odd = _mm_or_si128(odd, _mm_cmplt_epi8(v, _mm_set1_epi8(' ')));
	return _mm_movemask_epi8(odd) == 0;
}

#else

static inline bool
is_plain16(const char *p)
{
	size_t i;

	for (i = 0; i < 16; i++)
		if (!abt_char_is(p[i], ABT_CHAR_JSON_PLAIN) || p[i] == 0x7f)
			return false;
	return true;
}

#endif

static inline bool
is_plain8(const char *p)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t v = load8(p), quote = v ^ '"' * ones, slash = v ^ '\\' * ones;

	quote = (quote - ones) & ~quote;
	slash = (slash - ones) & ~slash;
	/* where a borrow comes from is odd itself */
	return is_printable8(p) && ((quote | slash) & 0x80 * ones) == 0;
}

bool
abt_bytes_plain(struct abt_bytes b)
{
	size_t i;

	if (b.n < 8) {
		for (i = 0; i < b.n; i++)
			if (!abt_char_is(b.p[i], ABT_CHAR_JSON_PLAIN) ||
			    b.p[i] == 0x7f)
				return false;
		return true;
	}
	if (b.n < 16)
		return is_plain8(b.p) && is_plain8(b.p + b.n - 8);
	for (i = 0; i < b.n - 16; i += 16)
		if (!is_plain16(b.p + i))
			return false;
	return is_plain16(b.p + b.n - 16);
}

size_t
abt_bytes_span(struct abt_bytes b, int classes)
{
	size_t i = classes == ABT_CHAR_FIELD ? field_blocks(b) : 0;

	for (; b.n - i >= 4; i += 4)
		if (!abt_char_is(b.p[i], classes) ||
		    !abt_char_is(b.p[i + 1], classes) ||
		    !abt_char_is(b.p[i + 2], classes) ||
		    !abt_char_is(b.p[i + 3], classes))
			break;
	while (i < b.n && abt_char_is(b.p[i], classes))
		i++;
	return i;
}

bool
abt_bytes_all(struct abt_bytes b, int classes)
{
	return abt_bytes_span(b, classes) == b.n;
}
