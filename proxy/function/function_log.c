/*
 * function_log.c - the lines that a function's log has around its own output
 *
 * START, END and REPORT as CloudWatch shows them (lambda.md 2.6).  What the end
 * needs is kept first: by the time it is written the invocation is the caller's
 * again.
 */
#include "function/function_private.h"

#include <stdio.h>

#include "albatross/buf.h"
#include "base/clock.h"
#include "base/log.h"

void
abt_function_log(const struct abt_function *function, const char *request_id,
    const char *format, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	if (n > 0)
		abt_log_platform(
		    function->name, request_id, abt_bytes(line, (size_t)n));
}

/* R2.66 */
void
abt_function_log_timeout(const struct abt_invocation *inv)
{
	char date[ABT_ISO_SIZE];
	int64_t ms = inv->function->options.timeout_ms;

	abt_date_iso_ms(date, abt_clock_epoch_us());
	abt_function_log(inv->function, inv->request_id,
	    "%s %s Task timed out after %lld.%02lld seconds", date,
	    inv->request_id, (long long)(ms / 1000),
	    (long long)(ms % 1000 / 10));
}

void
abt_function_keep_last_lines(
    const struct abt_invocation *inv, struct abt_last_lines *last)
{
	struct abt_report_line line = {
		.request_id = inv->request_id,
		.duration_us = inv->ended_us - inv->started_us,
		.init_us = inv->init_us,
		.memory_mb = inv->function->options.memory_mb,
		.max_used_mb = inv->used_mb,
		.timeout_ms = inv->function->options.timeout_ms,
		.billed_includes_init = true, /* since August 2025 (R2.67) */
	};
	size_t n;

	line.timed_out = inv->rule == &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT];
	if (inv->rule != NULL && inv->error_type[0] != '\0' &&
	    inv->rule != &abt_rules[ABT_RULE_FUNCTION_ERROR])
		line.error_type = inv->error_type;
	n = strnlen(inv->request_id, sizeof(last->request_id) - 1);
	memcpy(last->request_id, inv->request_id, n);
	last->request_id[n] = '\0';
	n = abt_report_line(last->report, sizeof(last->report), &line);
	last->report[n > 0 ? n - 1 : 0] = '\0'; /* the log ends the line */
}

void
abt_function_log_last_lines(
    const struct abt_function *function, const struct abt_last_lines *last)
{
	size_t n = strnlen(last->request_id, sizeof(last->request_id));
	char line[16 + sizeof(last->request_id)], *w = line;

	w = ABT_PUT(w, "END RequestId: ");
	memcpy(w, last->request_id, n);
	abt_log_platform(function->name, last->request_id,
	    abt_bytes(line, (size_t)(w - line) + n));
	abt_log_platform(
	    function->name, last->request_id, abt_bytes_text(last->report));
}

void
abt_function_log_start(const struct abt_invocation *inv)
{
	const struct abt_bytes parts[] = { ABT_BYTES("START RequestId: "),
		abt_bytes_text(inv->request_id), ABT_BYTES(" Version: "),
		inv->function->options.version };
	char line[512];
	size_t n = 0, i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t room = sizeof(line) - n;
		size_t more = parts[i].n < room ? parts[i].n : room;

		if (more > 0)
			memcpy(line + n, parts[i].p, more);
		n += more;
	}
	abt_log_platform(
	    inv->function->name, inv->request_id, abt_bytes(line, n));
}
