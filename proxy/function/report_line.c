/*
 * report_line.c - the REPORT line, as CloudWatch shows it (lambda.md 2.6)
 *
 * Tabs between the members and one behind the last, but none behind a status.
 * The billed time is rounded up to a whole millisecond (R2.67).
 */
#include "function/function.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
	char *out;
	size_t size, n;
};

static void add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->n;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text->out + text->n, room, format, ap);
	va_end(ap);
	if (n > 0)
		text->n += (size_t)n < room ? (size_t)n : room - 1;
}

/* |us| as milliseconds with two decimals, rounded half up. */
static void
add_ms(struct text *text, const char *name, int64_t us)
{
	int64_t hundredths = (us + 5) / 10;

	add(text, "%s: %lld.%02lld ms\t", name, (long long)(hundredths / 100),
	    (long long)(hundredths % 100));
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
	add(&text, "REPORT RequestId: %s\t", line->request_id);
	add_ms(&text, "Duration", duration);
	add(&text, "Billed Duration: %lld ms\t",
	    (long long)((billed + 999) / 1000));
	add(&text, "Memory Size: %lld MB\t", (long long)line->memory_mb);
	add(&text, "Max Memory Used: %lld MB\t", (long long)line->max_used_mb);
	if (line->init_us >= 0)
		add_ms(&text, "Init Duration", line->init_us);
	if (line->timed_out)
		add(&text, "Status: timeout");
	else if (line->error_type != NULL)
		add(&text, "Status: error\tError Type: %s", line->error_type);
	add(&text, "\n");
	return text.n;
}
