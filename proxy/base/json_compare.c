/*
 * json_compare.c - structural difference of two trees with JSON pointers, for
 * tests and replay
 *
 * Numbers are compared by their exact decimal value, without a detour over
 * floating point.  Recursive: trees are as deep as their reader allowed.
 */
#include "albatross/json.h"

struct compare {
	struct abt_arena *arena;
	unsigned flags;
	struct abt_json_diff *first, *last;
};

/* ---- pointers ---- */

struct abt_bytes
abt_json_pointer(
    struct abt_arena *arena, struct abt_bytes pointer, struct abt_bytes name)
{
	size_t extra = 0, i;
	char *p, *w;

	for (i = 0; i < name.n; i++)
		extra += name.p[i] == '~' || name.p[i] == '/';
	p = abt_arena_alloc(arena, pointer.n + 1 + name.n + extra + 1);
	if (p == NULL)
		return abt_bytes(NULL, 0);
	if (pointer.n > 0)
		memcpy(p, pointer.p, pointer.n);
	w = p + pointer.n;
	*w++ = '/';
	for (i = 0; i < name.n; i++) {
		if (name.p[i] != '~' && name.p[i] != '/') {
			*w++ = name.p[i];
			continue;
		}
		*w++ = '~'; /* RFC 6901 3 */
		*w++ = name.p[i] == '~' ? '0' : '1';
	}
	*w = '\0';
	return abt_bytes(p, (size_t)(w - p));
}

/* ---- numbers ---- */

/* A decimal: its digits without zeros at either end, and where the point is. */
struct decimal {
	bool negative;
	struct abt_bytes digits; /* may hold the point; empty: zero */
	int64_t point;           /* value = 0.DIGITS * 10^point */
};

/* The exponent as written; clamped, because no text has so many digits. */
static int64_t
read_exponent(struct abt_bytes b)
{
	bool negative = b.n > 0 && b.p[0] == '-';
	uint64_t value = 0;

	if (b.n > 0 && (b.p[0] == '-' || b.p[0] == '+'))
		b = abt_bytes(b.p + 1, b.n - 1);
	if (!abt_bytes_number(b, 10, INT64_MAX / 4, &value))
		value = INT64_MAX / 4;
	return negative ? -(int64_t)value : (int64_t)value;
}

static struct decimal
read_decimal(struct abt_bytes b)
{
	struct decimal d = { false, { NULL, 0 }, 0 };
	size_t n, point, first, last;

	if (b.n > 0 && b.p[0] == '-') {
		d.negative = true;
		b = abt_bytes(b.p + 1, b.n - 1);
	}
	for (n = 0; n < b.n && b.p[n] != 'e' && b.p[n] != 'E'; n++)
		;
	point = abt_bytes_find(abt_bytes(b.p, n), '.');
	for (first = 0; first < n; first++)
		if (b.p[first] != '0' && b.p[first] != '.')
			break;
	if (first == n) {
		d.negative = false; /* 0 and -0 are one number */
		return d;
	}
	for (last = n; b.p[last - 1] == '0' || b.p[last - 1] == '.'; last--)
		;
	d.digits = abt_bytes(b.p + first, last - first);
	d.point = (int64_t)point - (int64_t)first + (first > point);
	if (n < b.n)
		d.point += read_exponent(abt_bytes(b.p + n + 1, b.n - n - 1));
	return d;
}

static bool
same_digits(struct abt_bytes a, struct abt_bytes b)
{
	size_t i = 0, j = 0;

	for (;;) {
		if (i < a.n && a.p[i] == '.')
			i++;
		if (j < b.n && b.p[j] == '.')
			j++;
		if (i == a.n || j == b.n)
			return i == a.n && j == b.n;
		if (a.p[i++] != b.p[j++])
			return false;
	}
}

static bool
same_number(struct abt_bytes a, struct abt_bytes b)
{
	struct decimal x = read_decimal(a), y = read_decimal(b);

	return x.negative == y.negative && x.point == y.point &&
	       same_digits(x.digits, y.digits);
}

/* ---- trees ---- */

static void
differ(struct compare *c, struct abt_bytes pointer,
    const struct abt_json *expected, const struct abt_json *got)
{
	struct abt_json_diff *diff = abt_arena_zero(c->arena, sizeof(*diff));

	if (diff == NULL)
		return;
	diff->pointer = pointer;
	diff->expected = expected;
	diff->got = got;
	if (c->last != NULL)
		c->last->next = diff;
	else
		c->first = diff;
	c->last = diff;
}

static void compare(struct compare *c, struct abt_bytes pointer,
    const struct abt_json *expected, const struct abt_json *got);

static void
compare_members(struct compare *c, struct abt_bytes pointer,
    const struct abt_json *expected, const struct abt_json *got)
{
	const struct abt_json *member, *other;

	for (member = expected->first; member; member = member->next) {
		if (abt_json_is_shadowed(member))
			continue;
		compare(c, abt_json_pointer(c->arena, pointer, member->key),
		    member, abt_json_get_bytes(got, member->key));
	}
	if ((c->flags & ABT_JSON_SUBSET) != 0)
		return;
	for (other = got->first; other; other = other->next) {
		if (abt_json_is_shadowed(other) ||
		    abt_json_get_bytes(expected, other->key) != NULL)
			continue;
		differ(c, abt_json_pointer(c->arena, pointer, other->key), NULL,
		    other);
	}
}

static void
compare_elements(struct compare *c, struct abt_bytes pointer,
    const struct abt_json *expected, const struct abt_json *got)
{
	const struct abt_json *a = expected->first, *b = got->first;
	uint64_t i;

	for (i = 0; a != NULL || b != NULL; i++) {
		char digits[20];
		size_t n = abt_format_number(digits, i);

		compare(c,
		    abt_json_pointer(c->arena, pointer, abt_bytes(digits, n)),
		    a, b);
		a = a != NULL ? a->next : NULL;
		b = b != NULL ? b->next : NULL;
	}
}

static bool
same_scalar(struct compare *c, const struct abt_json *expected,
    const struct abt_json *got)
{
	if (expected->kind == ABT_JSON_NUMBER &&
	    (c->flags & ABT_JSON_NUMBERS_AS_TEXT) == 0)
		return same_number(expected->text, got->text);
	return abt_bytes_equal(expected->text, got->text);
}

static void
compare(struct compare *c, struct abt_bytes pointer,
    const struct abt_json *expected, const struct abt_json *got)
{
	if (expected == NULL || got == NULL || expected->kind != got->kind)
		differ(c, pointer, expected, got);
	else if (expected->kind == ABT_JSON_OBJECT)
		compare_members(c, pointer, expected, got);
	else if (expected->kind == ABT_JSON_ARRAY)
		compare_elements(c, pointer, expected, got);
	else if (!same_scalar(c, expected, got))
		differ(c, pointer, expected, got);
}

struct abt_json_diff *
abt_json_compare(const struct abt_json *expected, const struct abt_json *got,
    unsigned flags, struct abt_arena *arena)
{
	struct compare c = { arena, flags, NULL, NULL };

	if (expected != NULL || got != NULL)
		compare(&c, abt_bytes("", 0), expected, got);
	return c.first;
}
