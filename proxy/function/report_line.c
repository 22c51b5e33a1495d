/*
 * report_line.c - the REPORT line, as CloudWatch shows it (lambda.md 2.6)
 *
 * Tabs between the members and one behind the last, but none behind a status.
 * The billed time is rounded up to a whole millisecond (R2.67).
 */
#include "function/function.h"

struct text {
	char *out;
	size_t size, n;
};

/* As much as there is room for, and a NUL. */
static void
add(struct text *text, const char *more)
{
	size_t room = text->size - text->n - 1, n = strlen(more);

	n = n < room ? n : room;
	memcpy(text->out + text->n, more, n);
	text->n += n;
	text->out[text->n] = '\0';
}

static void
add_number(struct text *text, int64_t value, const char *unit)
{
	char digits[24];
	size_t n = 0;

	if (value < 0)
		digits[n++] = '-';
	n += abt_format_number(
	    digits + n, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
	digits[n] = '\0';
	add(text, digits);
	add(text, unit);
}

/* |us| as milliseconds with two decimals, rounded half up. */
static void
add_ms(struct text *text, const char *name, int64_t us)
{
	int64_t hundredths = us > 0 ? (us + 5) / 10 : 0;
	const char rest[] = { '.', (char)('0' + hundredths / 10 % 10),
		(char)('0' + hundredths % 10), '\0' };

	add(text, name);
	add_number(text, hundredths / 100, rest);
	add(text, " ms\t");
}

size_t
abt_report_line(char *out, size_t size, const struct abt_report_line *line)
{
	struct text text = { out, size, 0 };
	int64_t duration = line->duration_us, billed;

	if (size == 0)
		return 0;
	out[0] = '\0';
	if (line->timed_out)
		duration = line->timeout_ms * 1000;
	billed = duration;
	if (line->billed_includes_init && line->init_us > 0)
		billed += line->init_us;
	add(&text, "REPORT RequestId: ");
	add(&text, line->request_id);
	add_ms(&text, "\tDuration: ", duration);
	add(&text, "Billed Duration: ");
	add_number(&text, (billed + 999) / 1000, " ms\tMemory Size: ");
	add_number(&text, line->memory_mb, " MB\tMax Memory Used: ");
	add_number(&text, line->max_used_mb, " MB\t");
	if (line->init_us >= 0)
		add_ms(&text, "Init Duration: ", line->init_us);
	if (line->timed_out) {
		add(&text, "Status: timeout");
	} else if (line->error_type != NULL) {
		add(&text, "Status: error\tError Type: ");
		add(&text, line->error_type);
	}
	add(&text, "\n");
	return text.n;
}
