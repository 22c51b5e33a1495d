/*
 * test_h1_head.c - heads: ends, lines, fields, tiers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../proxy/http/h1_head.c"
#include "http/framing.h"
#include "http/judge.h"

static const struct abt_policy front = { .mode = ABT_DEFENSIVE,
	.line_max = 16383,
	.field_max = 16383,
	.head_max = 65536 };
static const struct abt_policy strict = { .strict_h1 = true };

struct read {
	struct abt_arena arena;
	struct abt_report report;
	struct abt_request req;
	int rc;
};

/* Head, framing and judgement, as the codec does. */
static struct read *
read_head(const char *text, const struct abt_policy *policy)
{
	static struct read r;
	struct abt_bytes in = abt_bytes_text(text);

	abt_arena_end(&r.arena);
	abt_arena_init(&r.arena, NULL);
	abt_report_init(&r.report, &r.arena);
	assert_int_equal(abt_h1_head_end(in, 0), in.n);
	r.rc = abt_h1_head_read(in, policy, &r.arena, &r.req, &r.report);
	if (r.rc == 0)
		r.rc = abt_framing_decide(&r.req, policy, &r.report);
	if (r.rc == 0)
		r.rc = abt_judge(&r.req, policy, &r.report);
	return &r;
}

static void
assert_text(struct abt_bytes got, const char *expected)
{
	assert_int_equal(got.n, strlen(expected));
	assert_memory_equal(got.p, expected, got.n);
}

static void
test_end_at_every_split(void **unused)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n",
		"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"\nGET / HTTP/1.1\r\nA: b\n\r\n",
	};
	size_t i, n;

	(void)unused;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t whole = strlen(heads[i]);

		for (n = 0; n < whole; n++) {
			assert_int_equal(
			    abt_h1_head_end(abt_bytes(heads[i], n), 0), 0);
			/* a scan that goes on where it stopped finds it too */
			assert_int_equal(
			    abt_h1_head_end(abt_bytes(heads[i], whole), n),
			    whole);
		}
	}
}

static void
test_request_line(void **unused)
{
	struct read *r = read_head(
	    "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n", &front);

	(void)unused;
	assert_int_equal(r->rc, 0);
	assert_text(r->req.method, "GET");
	assert_text(r->req.path, "/a");
	assert_text(r->req.query, "b=c");
	assert_int_equal(r->req.version, 11);
	assert_true(r->req.keep_alive);
	assert_int_equal(abt_report_tier(&r->report), ABT_COMPLIANT);
}

/* What a head is classified as, and what becomes of it in each mode: allow (a),
 * allow and close (c), refuse (r). */
struct tier_case {
	const char *head;
	const char *reason;  /* NULL: compliant */
	const char *outcome; /* monitor, defensive, strictest */
};

#define HEAD(fields) "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static const struct tier_case tier_cases[] = {
	{ HEAD(""), NULL, "aaa" },
	{ "POST / HTTP/1.1\nHost: a\r\n\r\n", "NonCrLfLineTermination", "aar" },
	{ HEAD("Bad\x01Name: x\r\n"), "NonCompliantHeader", "aar" },
	{ HEAD("X: a\x01"
	       "b\r\n"),
	    "NonCompliantHeader", "aar" },
	{ HEAD("no colon\r\n"), "MissingHeaderColon", "acr" },
	{ HEAD(" folded: x\r\n"), "MultilineHeader", "acr" },
	{ HEAD(": x\r\n"), "EmptyHeader", "acr" },
	{ HEAD("Transfer_Encoding: chunked\r\n"), "SuspiciousHeader", "ccr" },
	{ HEAD("Content Length: 5\r\n"), "SuspiciousHeader", "ccr" },
	{ HEAD("Tran\xc5\xbf"
	       "fer-Encoding: chunked\r\n"),
	    "SuspiciousHeader", "ccr" },
	{ HEAD("Content-Length: 3\r\nContent-Length: 3\r\n"),
	    "DuplicateContentLength", "ccr" },
	{ HEAD("Content-Length: 3\r\nContent-Length: 4\r\n"),
	    "MultipleContentLength", "crr" },
	{ HEAD("Content-Length: 1.0\r\n"), "BadContentLength", "crr" },
	{ HEAD("Content-Length: +5\r\n"), "BadContentLength", "crr" },
	{ HEAD("Content-Length: 18446744073709551616\r\n"), "BadContentLength",
	    "crr" },
	{ HEAD("Content-Length: 18446744073709551615\r\n"), NULL, "aaa" },
	{ HEAD("Transfer-Encoding: chunked\r\n"), NULL, "aaa" },
	{ HEAD("Transfer-Encoding: Chunked ;a=b\r\n"), NULL, "aaa" },
	{ HEAD("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
	    "BothTeClPresent", "ccr" },
	{ HEAD("Transfer-Encoding: chunked, chunked\r\n"),
	    "MultipleTransferEncodingChunked", "crr" },
	{ HEAD("Transfer-Encoding: chunked, identity, chunked\r\n"), NULL,
	    "aaa" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "UndefinedTransferEncodingSemantics", "ccr" },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "UndefinedTransferEncodingSemantics", "ccr" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
	    "UndefinedContentLengthSemantics", "ccr" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	    "GetHeadZeroContentLength", "aar" },
	{ "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "NonCompliantVersion", "aar" },
	{ "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "NonCompliantVersion", "aar" },
	{ "GET / http/1.1\r\nHost: a\r\n\r\n", "BadVersion", "arr" },
	{ "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "BadVersion", "arr" },
	{ "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "SpaceInUri", "aar" },
	{ "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "AmbiguousUri", "acr" },
	/* the highest tier names the reason, the first among equals */
	{ HEAD("X: a\x01\r\nContent-Length: 3\r\nContent-Length: 3\r\n"),
	    "DuplicateContentLength", "ccr" },
	{ HEAD("no colon\r\nContent-Length: 3\r\nContent-Length: 3\r\n"),
	    "MissingHeaderColon", "ccr" },
};

static void
test_tiers(void **unused)
{
	size_t i, mode;

	(void)unused;
	for (i = 0; i < sizeof(tier_cases) / sizeof(tier_cases[0]); i++)
		for (mode = ABT_MONITOR; mode <= ABT_STRICTEST; mode++) {
			const struct tier_case *c = &tier_cases[i];
			struct abt_policy policy = front;
			struct read *r;
			char got;

			policy.mode = (enum abt_desync_mode)mode;
			r = read_head(c->head, &policy);
			got = r->rc != 0 ? 'r' : r->req.keep_alive ? 'a' : 'c';
			if (got == 'c' && r->req.version == 10 &&
			    c->outcome[mode] == 'a')
				got = 'a';
			if (got != c->outcome[mode])
				fail_msg("case %zu mode %zu: %c, expected %c",
				    i, mode, got, c->outcome[mode]);
			if (c->reason == NULL)
				assert_null(r->report.deviation);
			else if (r->report.deviation == NULL)
				fail_msg("case %zu: compliant", i);
			else
				assert_string_equal(
				    r->report.deviation->reason, c->reason);
		}
}

/* Refused in every mode, with this rule. */
static void
test_refusals(void **unused)
{
	static const struct {
		const char *head, *rule;
	} cases[] = {
		{ "get / HTTP/1.1\r\nHost: a\r\n\r\n", "h1/method-characters" },
		{ "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/method-characters" },
		{ " / HTTP/1.1\r\nHost: a\r\n\r\n", "h1/request-line" },
		{ "GET HTTP/1.1\r\nHost: a\r\n\r\n", "h1/uri-missing" },
		{ "GET  HTTP/1.1\r\nHost: a\r\n\r\n", "h1/uri-missing" },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "h1/version-major" },
		{ "GET /a HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/target-http" },
		{ "GET %2fa HTTP/1.1\r\nHost: a\r\n\r\n", "h1/target-form" },
		{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "h1/target-form" },
		{ "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "h1/target-escape" },
		{ "GET /% HTTP/1.1\r\nHost: a\r\n\r\n", "h1/target-escape" },
		{ "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/target-escaped-nul" },
		{ "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/target-above-root" },
		{ "GET /a/..%2f../x HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/target-above-root" },
		{ "GET /%2e%2E/x HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/target-above-root" },
		{ "GET http://u@h/ HTTP/1.1\r\nHost: a\r\n\r\n",
		    "h1/target-userinfo" },
		{ "GET / HTTP/1.1\r\n\r\n", "h1/host-missing" },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "h1/host-missing" },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "h1/host-bad" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
		    "h1/value-cr" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		  "gzip\r\n\r\n",
		    "h1/coding-unsupported" },
	};
	size_t i, mode;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (mode = ABT_MONITOR; mode <= ABT_STRICTEST; mode++) {
			struct abt_policy policy = front;
			struct read *r;

			policy.mode = (enum abt_desync_mode)mode;
			r = read_head(cases[i].head, &policy);
			assert_int_equal(r->rc, -1);
			if (mode == ABT_DEFENSIVE)
				assert_string_equal(
				    r->report.broken->name, cases[i].rule);
		}
}

static void
test_targets(void **unused)
{
	static const struct {
		const char *target, *path, *query, *authority;
	} cases[] = {
		{ "/", "/", NULL, "" },
		{ "/a?", "/a", "", "" },
		{ "/a?b?c", "/a", "b?c", "" },
		{ "/a#b?c", "/a#b", "c", "" },
		{ "//a//b/", "//a//b/", NULL, "" },
		{ "/a/../b", "/a/../b", NULL, "" },
		{ "/./a/.", "/./a/.", NULL, "" },
		{ "/100%25", "/100%25", NULL, "" },
		{ "/a?100%", "/a", "100%", "" },
		{ "http://h:80/x?y", "/x", "y", "h:80" },
		{ "ftp://h", "/", NULL, "h" },
		{ "http://h?q", "/", "q", "h" },
	};
	char head[256];
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read *r;

		snprintf(head, sizeof(head),
		    "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].target);
		r = read_head(head, &front);
		assert_int_equal(r->rc, 0);
		assert_text(r->req.path, cases[i].path);
		assert_text(r->req.authority, cases[i].authority);
		if (cases[i].query == NULL)
			assert_null(r->req.query.p);
		else
			assert_text(r->req.query, cases[i].query);
	}
}

static void
test_strict_listeners_refuse_all(void **unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(tier_cases) / sizeof(tier_cases[0]); i++) {
		struct read *r = read_head(tier_cases[i].head, &strict);
		bool harmless = tier_cases[i].reason == NULL ||
				strcmp(tier_cases[i].reason,
				    "GetHeadZeroContentLength") == 0;

		assert_int_equal(r->rc, harmless ? 0 : -1);
	}
}

static void
test_monitor_framing(void **unused)
{
	static const struct {
		const char *fields;
		enum abt_framing framing;
		uint64_t length;
	} cases[] = {
		{ "Content-Length: 3\r\nContent-Length: 4\r\n", ABT_BODY_LENGTH,
		    3 },
		{ "Content-Length: x\r\nContent-Length: 4\r\n", ABT_BODY_LENGTH,
		    4 },
		{ "Content-Length: x\r\n", ABT_BODY_NONE, 0 },
		{ "Content-Length: x\r\nTransfer-Encoding: chunked\r\n",
		    ABT_BODY_CHUNKED, 0 },
		{ "Content-Length: 5\r\nTransfer-Encoding: chunked, "
		  "chunked\r\n",
		    ABT_BODY_LENGTH, 5 },
		{ "Transfer-Encoding: chunked, chunked\r\n", ABT_BODY_CHUNKED,
		    0 },
		{ "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		    ABT_BODY_CHUNKED, 0 },
		{ "Content-Length:\r\n", ABT_BODY_NONE, 0 },
	};
	struct abt_policy policy = front;
	char head[256];
	size_t i;

	(void)unused;
	policy.mode = ABT_MONITOR;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read *r;

		snprintf(head, sizeof(head),
		    "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].fields);
		r = read_head(head, &policy);
		assert_int_equal(r->rc, 0);
		assert_int_equal(r->req.framing, cases[i].framing);
		if (cases[i].framing == ABT_BODY_LENGTH)
			assert_int_equal(r->req.length, cases[i].length);
	}
}

static void
test_keep_alive(void **unused)
{
	static const struct {
		const char *head;
		bool keep_alive;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		    false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
		    false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET /\r\n\r\n", false },
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read *r = read_head(cases[i].head, &front);

		assert_int_equal(r->rc, 0);
		assert_int_equal(r->req.keep_alive, cases[i].keep_alive);
	}
}

static void
test_folded_content_type_is_joined(void **unused)
{
	struct read *r = read_head("POST / HTTP/1.1\r\nHost: a\r\n"
				   "Content-Type: text/plain;\r\n"
				   "\tcharset=utf-8\r\n\r\n",
	    &front);

	(void)unused;
	assert_int_equal(r->rc, 0);
	assert_null(r->report.deviation);
	assert_text(
	    abt_headers_first(&r->req.headers, ABT_FIELD_CONTENT_TYPE)->value,
	    "text/plain; charset=utf-8");
}

static void
test_partial_heads_meet_limits(void **unused)
{
	static char line[20000], field[20000];
	struct abt_policy policy = front;
	struct abt_report report;
	struct abt_arena arena;

	(void)unused;
	abt_arena_init(&arena, NULL);
	memset(line, 'a', sizeof(line));
	abt_report_init(&report, &arena);
	assert_int_equal(abt_h1_head_partial(
			     abt_bytes(line, sizeof(line)), &policy, &report),
	    -1);
	assert_string_equal(report.broken->name, "h1/line-long");
	memset(field, 'a', sizeof(field));
	memcpy(field, "GET / HTTP/1.1\r\n", 16);
	abt_report_init(&report, &arena);
	assert_int_equal(abt_h1_head_partial(
			     abt_bytes(field, sizeof(field)), &policy, &report),
	    -1);
	assert_string_equal(report.broken->name, "h1/field-long");
	abt_report_init(&report, &arena);
	assert_int_equal(
	    abt_h1_head_partial(abt_bytes(field, 100), &policy, &report), 0);
	abt_arena_end(&arena);
}

/* The line at the front of |raw| as any line is read. */
static bool
read_slowly(struct read *r, struct abt_bytes raw)
{
	unsigned seen = 0;
	struct abt_bytes line;

	abt_arena_end(&r->arena);
	abt_arena_init(&r->arena, NULL);
	abt_report_init(&r->report, &r->arena);
	memset(&r->req, 0, sizeof(r->req));
	line = take_line(&raw, &r->report);
	if (line.n == 0 ||
	    read_field(line, &r->arena, &r->req, &seen, &r->report) != 0)
		return false;
	return r->req.headers.count == 1 && r->report.deviation == NULL &&
	       (seen & ~(unsigned)SEEN_LONG_NAME) == 0;
}

/* Looking at sixteen bytes at once finds what looking at each does. */
static void
test_plain_lines_are_read_alike(void **unused)
{
	static const char some[] = "aZz0-09:: \t\"\\\r\n\x7f\x80\xff~_AbCdE";
	static struct read r;
	unsigned chance = 1, plain = 0;
	int round;

	(void)unused;
	for (round = 0; round < 300000; round++) {
		struct plain_line line;
		const struct abt_field *field;
		char *raw;
		size_t n, i;

		chance = chance * 1103515245 + 12345;
		n = chance / 65536 % 90 + 1;
		raw = malloc(n); /* so that one byte too far is seen */
		assert_non_null(raw);
		for (i = 0; i < n; i++) {
			chance = chance * 1103515245 + 12345;
			raw[i] = "abcdefgh"[chance / 65536 % 8];
			if (chance / 1048576 % (i % 7 + 2) == 0)
				raw[i] =
				    some[chance / 65536 % (sizeof(some) - 1)];
		}
		if (n > 20 && chance / 65536 % 2 == 0) {
			raw[chance / 131072 % 9 + 1] = ':';
			memcpy(raw + n - 2 - chance / 2097152 % 9, "\r\n", 2);
		}
		if (cut_plain_line(abt_bytes(raw, n), &line)) {
			plain++;
			assert_true(read_slowly(&r, abt_bytes(raw, n)));
			field = &r.req.headers.fields[0];
			assert_true(abt_bytes_equal(field->name, line.name));
			assert_true(abt_bytes_equal(field->value, line.value));
			assert_int_equal(field->plain, line.plain);
			assert_int_equal(raw[line.n], '\r');
		}
		free(raw);
	}
#if defined(__SSE2__)
	assert_true(plain > 1000);
#endif
	abt_arena_end(&r.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_at_every_split),
		cmocka_unit_test(test_request_line),
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_strict_listeners_refuse_all),
		cmocka_unit_test(test_monitor_framing),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_folded_content_type_is_joined),
		cmocka_unit_test(test_partial_heads_meet_limits),
		cmocka_unit_test(test_plain_lines_are_read_alike),
	};

	return cmocka_run_group_tests_name("h1_head", tests, NULL, NULL);
}
