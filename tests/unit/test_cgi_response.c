/*
 * test_cgi_response.c - heads of CGI programs (RFC 3875 6; lambda.md 10.3)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "function/cgi.h"

#define ANY (-1)

struct head_case {
	const char *text;
	int status; /* 0: broken by |rule| */
	enum abt_rule_id rule;
	const char *reason; /* NULL: the standard one */
	const char *name;   /* a header it has, or NULL */
	const char *value;  /* NULL: a header that it has not */
	bool local;
	int length; /* ANY: none */
};

#define OK(status)   status, ABT_NO_RULE, NULL
#define BROKEN(rule) 0, ABT_RULE_##rule, NULL, NULL, NULL, false, ANY

static const struct head_case cases[] = {
	{ "Content-Type: text/plain\n\n", OK(200), "Content-Type", "text/plain",
	    false, ANY },
	{ "Content-Type: text/plain\r\n\r\n", OK(200), "Content-Type",
	    "text/plain", false, ANY },
	{ "content-type:text/plain\r\nX:\ty \n\n", OK(200), "X", "y", false,
	    ANY },
	{ "X-Only: 1\n\n", OK(200), "Content-Type", NULL, false, ANY },
	{ "Status: 404 Nope here\nA: b\n\n", 404, ABT_NO_RULE, "Nope here",
	    "Status", NULL, false, ANY },
	{ "A: b\nStatus: 404\n\n", OK(404), "A", "b", false, ANY },
	{ "Status: 404 A\nStatus: 403 B\n\n", 403, ABT_NO_RULE, "B", NULL, NULL,
	    false, ANY },
	{ "Status: abc\n\n", BROKEN(CGI_STATUS) },
	{ "Status: 99\n\n", BROKEN(CGI_STATUS) },
	{ "Status: 1000\n\n", BROKEN(CGI_STATUS) },
	{ "Status: 101 Switching Protocols\n\n", BROKEN(CGI_STATUS) },
	{ "Status: 200OK\n\n", BROKEN(CGI_STATUS) },
	{ "Status:\nA: b\n\n", OK(200), "Status", NULL, false, ANY },
	{ "HTTP/1.1 299 Odd\r\nA: b\r\n\r\n", 299, ABT_NO_RULE, "Odd", "A", "b",
	    false, ANY },
	{ "HTTP/1.1 302 x: y\nLocation: /a\n\n", 302, ABT_NO_RULE, "x: y",
	    "Location", "/a", false, ANY },
	{ "HTTP/1.1\n\n", BROKEN(CGI_STATUS) },
	{ "A: b\nHTTP/1.1 200 OK\n\n", BROKEN(CGI_HEAD_LINE) },
	{ "Location: /other?x=1\n\n", OK(302), NULL, NULL, true, ANY },
	{ "Location: /other\nContent-Type: a\n\n", OK(302), NULL, NULL, true,
	    ANY },
	{ "Location: //host/x\n\n", OK(302), "Location", "//host/x", false,
	    ANY },
	{ "Location: /other#part\n\n", OK(302), "Location", "/other#part",
	    false, ANY },
	{ "Location: https://example.org/a#b\n\n", OK(302), "Location",
	    "https://example.org/a#b", false, ANY },
	{ "Status: 301 Moved\nLocation: /x\n\n", 301, ABT_NO_RULE, "Moved",
	    "Location", "/x", false, ANY },
	{ "Status: 200\nLocation: /x\n\n", OK(200), "Location", "/x", false,
	    ANY },
	{ "Location: /a\nLocation: http://b/\n\n", OK(302), "Location",
	    "http://b/", false, ANY },
	{ "Location:\nContent-Type: a/b\n\n", OK(200), "Location", NULL, false,
	    ANY },
	{ "Content-Type: a\nContent-Type: b\n\n", OK(200), "Content-Type", "b",
	    false, ANY },
	{ "Content-Length: 2\nA: b\n\n", OK(200), "Content-Length", NULL, false,
	    2 },
	{ "Content-Length: 2\nContent-Length: 2\n\n", OK(200), NULL, NULL,
	    false, 2 },
	{ "Content-Length: 2\nContent-Length: 3\n\n", BROKEN(CGI_LENGTH) },
	{ "Content-Length: +2\n\n", BROKEN(CGI_LENGTH) },
	{ "Content-Length: 99999999999999999999\n\n", BROKEN(CGI_LENGTH) },
	{ "Transfer-Encoding: chunked\n\n", BROKEN(CGI_CODING) },
	{ "Connection: close\nKeep-Alive: x\nUpgrade: y\nTrailer: z\nA: b\n\n",
	    OK(200), "Connection", NULL, false, ANY },
	{ "Server: mine\nDate: then\n\n", OK(200), "Server", "mine", false,
	    ANY },
	{ "Status: 204\nContent-Length: 5\n\n", OK(204), NULL, NULL, false,
	    ANY },
	{ "\n", BROKEN(CGI_HEAD_EMPTY) },
	{ "hello world\n\n", BROKEN(CGI_HEAD_LINE) },
	{ "A: b\n folded\n\n", BROKEN(CGI_HEAD_LINE) },
	{ "A : b\n\n", BROKEN(CGI_HEAD_LINE) },
	{ ": b\n\n", BROKEN(CGI_HEAD_LINE) },
	{ "A: b\rSet-Cookie: x=1\n\n", BROKEN(CGI_HEAD_CHARS) },
	{ "A: b\r\r\n\n", BROKEN(CGI_HEAD_CHARS) },
	{ "A: \x01\n\n", BROKEN(CGI_HEAD_CHARS) },
	{ "A: \x7f\n\n", BROKEN(CGI_HEAD_CHARS) },
	{ "A: caf\xc3\xa9\n\n", OK(200), "A", "caf\xc3\xa9", false, ANY },
};

static void
check(const struct head_case *row, struct abt_arena *arena)
{
	struct abt_bytes text = abt_bytes_text(row->text);
	struct abt_report report;
	struct abt_response response;
	const struct abt_field *field;
	bool local;
	int rc;

	abt_report_init(&report, arena);
	assert_int_equal(abt_cgi_head_end(text, 0), text.n);
	rc = abt_cgi_head_read(text, arena, &response, &local, &report);
	if (row->status == 0) {
		assert_int_equal(rc, -1);
		assert_string_equal(
		    report.broken->name, abt_rules[row->rule].name);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(response.status, row->status);
	assert_int_equal(local, row->local);
	assert_int_equal(response.has_length, row->length != ANY);
	if (row->length != ANY)
		assert_int_equal(response.length, row->length);
	if (row->reason == NULL)
		assert_null(response.reason.p);
	else
		assert_true(abt_bytes_equal(
		    response.reason, abt_bytes_text(row->reason)));
	if (row->name == NULL)
		return;
	field = abt_headers_named(&response.headers, abt_bytes_text(row->name));
	assert_int_equal(field != NULL, row->value != NULL);
	if (field != NULL)
		assert_true(
		    abt_bytes_equal(field->value, abt_bytes_text(row->value)));
}

static void
test_heads(void **unused)
{
	struct abt_arena arena;

	(void)unused;
	abt_arena_init(&arena, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i], &arena);
	abt_arena_end(&arena);
}

/* Wherever the output is cut, the end is found where it is. */
static void
test_ends(void **unused)
{
	static const char *const texts[] = {
		"A: b\n\nbody\n\n",
		"A: b\r\n\r\nbody",
		"A: b\r\n\nbody",
		"A: b\n\r\nbody",
		"\nbody",
		"\r\nbody",
		"A: b\n\r\r\n\nbody",
	};
	static const size_t ends[] = { 6, 8, 7, 7, 1, 2, 9 };

	(void)unused;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct abt_bytes all = abt_bytes_text(texts[i]);

		for (size_t first = 0; first <= all.n; first++) {
			size_t end =
			    abt_cgi_head_end(abt_bytes(all.p, first), 0);

			assert_int_equal(end, first >= ends[i] ? ends[i] : 0);
			if (end == 0)
				assert_int_equal(
				    abt_cgi_head_end(all, first), ends[i]);
		}
	}
}

static void
test_limits(void **unused)
{
	static char text[70000];
	struct abt_arena arena;
	struct abt_report report;
	struct abt_response response;
	bool local;
	size_t n = 0;

	(void)unused;
	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	for (int i = 0; i < ABT_CGI_FIELDS_MAX; i++, n += 5)
		memcpy(text + n, "A: b\n", 5);
	text[n] = '\n';
	assert_int_equal(abt_cgi_head_read(abt_bytes(text, n + 1), &arena,
			     &response, &local, &report),
	    0);
	assert_int_equal(response.headers.count, ABT_CGI_FIELDS_MAX);
	memcpy(text + n, "A: b\n\n", 6);
	assert_int_equal(abt_cgi_head_read(abt_bytes(text, n + 6), &arena,
			     &response, &local, &report),
	    -1);
	assert_ptr_equal(report.broken, &abt_rules[ABT_RULE_CGI_HEAD_LARGE]);

	/* one header of 60 KB passes, more than 64 KiB in all does not */
	memset(text, 'v', sizeof(text));
	memcpy(text, "A: ", 3);
	memcpy(text + 61440, "\n\n", 2);
	abt_report_init(&report, &arena);
	assert_int_equal(abt_cgi_head_read(abt_bytes(text, 61442), &arena,
			     &response, &local, &report),
	    0);
	memset(text + 61440, 'v', 2);
	memcpy(text + 66000, "\n\n", 2);
	assert_int_equal(abt_cgi_head_read(abt_bytes(text, 66002), &arena,
			     &response, &local, &report),
	    -1);
	abt_arena_end(&arena);
}

static void
test_nul(void **unused)
{
	struct abt_arena arena;
	struct abt_report report;
	struct abt_response response;
	bool local;

	(void)unused;
	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	assert_int_equal(abt_cgi_head_read(ABT_BYTES("A: b\0c\n\n"), &arena,
			     &response, &local, &report),
	    -1);
	assert_ptr_equal(report.broken, &abt_rules[ABT_RULE_CGI_HEAD_CHARS]);
	abt_arena_end(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
