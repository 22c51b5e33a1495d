/*
 * units.c - durations and sizes as people write them
 *
 * A number is decimal with at most three digits behind the point, so that every
 * value is exact: it is read as thousandths and multiplied by its unit.
 */
#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
	const char *name;
	int64_t factor; /* of the smallest unit */
};

static const struct unit durations[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "min", 60 * 1000 },
	{ "h", 60 * 60 * 1000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", 1 << 10 },
	{ "KB", 1 << 10 },
	{ "KiB", 1 << 10 },
	{ "M", 1 << 20 },
	{ "MB", 1 << 20 },
	{ "MiB", 1 << 20 },
	{ "G", 1 << 30 },
	{ "GB", 1 << 30 },
	{ "GiB", 1 << 30 },
	{ NULL, 0 },
};

/* The number at the front of |text| in thousandths; |text| moves behind it. */
static bool
take_thousandths(struct abt_bytes *text, int64_t *out)
{
	uint64_t value;
	size_t n = abt_bytes_span(*text, ABT_CHAR_DIGIT);

	if (!abt_bytes_number(
		abt_bytes(text->p, n), 10, INT64_MAX / 1000 - 1, &value))
		return false;
	*out = (int64_t)value * 1000;
	*text = abt_bytes(text->p + n, text->n - n);
	if (text->n == 0 || text->p[0] != '.')
		return true;

	struct abt_bytes part = abt_bytes(text->p + 1, text->n - 1);
	int64_t scale = 100;

	n = abt_bytes_span(part, ABT_CHAR_DIGIT);
	if (n == 0 || n > 3)
		return false;
	for (size_t i = 0; i < n; i++, scale /= 10)
		*out += (part.p[i] - '0') * scale;
	*text = abt_bytes(part.p + n, part.n - n);
	return true;
}

static bool
parse(
    struct abt_bytes text, const struct unit *units, int64_t bare, int64_t *out)
{
	int64_t thousandths, factor = 0, product;

	text = abt_bytes_trim(text);
	if (!take_thousandths(&text, &thousandths))
		return false;
	text = abt_bytes_trim(text);
	if (text.n == 0)
		factor = bare;
	for (const struct unit *u = units; u->name != NULL && factor == 0; u++)
		if (abt_bytes_equal_nocase(text, abt_bytes_text(u->name)))
			factor = u->factor;
	if (factor == 0 ||
	    __builtin_mul_overflow(thousandths, factor, &product))
		return false;
	if (product % 1000 != 0)
		return false;
	*out = product / 1000;
	return true;
}

bool
abt_duration_parse(struct abt_bytes text, int64_t *ms)
{
	return parse(text, durations, 1000, ms);
}

bool
abt_size_parse(struct abt_bytes text, int64_t *bytes)
{
	return parse(text, sizes, 1, bytes);
}

void
abt_duration_format(char out[32], int64_t ms)
{
	if (ms % 1000 != 0)
		snprintf(out, 32, "%" PRId64 "ms", ms);
	else
		snprintf(out, 32, "%" PRId64 "s", ms / 1000);
}

void
abt_size_format(char out[32], int64_t bytes)
{
	static const char *const names[] = { "", " KiB", " MiB", " GiB" };
	size_t unit = 0;

	while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(out, 32, "%" PRId64 "%s", bytes, names[unit]);
}
