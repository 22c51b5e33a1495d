/*
 * report_case.c - cases of lambda.md 12 that format a log line
 */
#include "lib/report_case.h"

#include <stdlib.h>

#include "function/function.h"

static const char *const case_keys[] = { "id", "area", "given", "when",
	"expect", "rule", NULL };
static const char *const given_keys[] = { "request_id", "duration_ms",
	"init_ms", "billed_includes_init", "memory_mb", "max_used_mb", "cold",
	"timed_out", "timeout_s", "client", "function", "region", "account",
	"arn", NULL };
static const char *const when_keys[] = { "log", NULL };
static const char *const expect_keys[] = { "line", NULL };

/* A number with a fraction, times 1000. */
static int64_t
thousand(const struct abt_json *given, const char *key, int64_t preset)
{
	const struct abt_json *value = abt_json_get(given, key);
	char text[64];

	if (!abt_json_is(value, ABT_JSON_NUMBER) ||
	    value->text.n >= sizeof(text))
		return preset;
	memcpy(text, value->text.p, value->text.n);
	text[value->text.n] = '\0';
	return (int64_t)(strtod(text, NULL) * 1000 + 0.5);
}

static bool
is_true(const struct abt_json *given, const char *key)
{
	return abt_json_is(abt_json_get(given, key), ABT_JSON_TRUE);
}

void
abt_report_case_run(const struct abt_json *c, struct abt_fault *fault)
{
	const struct abt_json *given = abt_json_get(c, "given");
	const struct abt_json *when = abt_json_get(c, "when");
	const struct abt_json *expect = abt_json_get(c, "expect");
	const struct abt_json *id = abt_json_get(given, "request_id");
	const struct abt_json *what = abt_json_get(when, "log");
	struct abt_report_line line = { 0 };
	char out[1024], name[64] = "3f1a8c52-0d6e-4a57-9f0b-6b1f2f9c7a10";
	size_t n;

	if (!abt_case_known(fault, "the case", c, case_keys) ||
	    !abt_case_known(fault, "given", given, given_keys) ||
	    !abt_case_known(fault, "when", when, when_keys) ||
	    !abt_case_known(fault, "expect", expect, expect_keys))
		return;
	if (!abt_bytes_equal(what->text, ABT_BYTES("REPORT"))) {
		abt_fault_add(fault, "no such log line");
		return;
	}
	if (abt_json_is(id, ABT_JSON_STRING) && id->text.n < sizeof(name)) {
		memcpy(name, id->text.p, id->text.n);
		name[id->text.n] = '\0';
	}
	line.request_id = name;
	line.duration_us = thousand(given, "duration_ms", 0);
	line.init_us = abt_json_is(abt_json_get(given, "cold"), ABT_JSON_FALSE)
			   ? -1
			   : thousand(given, "init_ms", -1);
	line.memory_mb = thousand(given, "memory_mb", 128000) / 1000;
	line.max_used_mb = thousand(given, "max_used_mb", 0) / 1000;
	line.timeout_ms = thousand(given, "timeout_s", 3000);
	line.timed_out = is_true(given, "timed_out");
	line.billed_includes_init = is_true(given, "billed_includes_init");
	n = abt_report_line(out, sizeof(out), &line);
	if (!abt_json_is(abt_json_get(expect, "line"), ABT_JSON_STRING) ||
	    !abt_bytes_equal(
		abt_json_get(expect, "line")->text, abt_bytes(out, n)))
		abt_fault_differs(fault, "line",
		    abt_json_get(expect, "line") != NULL
			? abt_json_get(expect, "line")->text
			: ABT_BYTES(""),
		    abt_bytes(out, n));
}
