/*
 * test_cgi_environment.c - what a program finds (RFC 3875 4.1; lambda.md 10.2)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "function/cgi.h"

struct world {
	struct abt_arena arena;
	struct abt_report report;
	struct abt_request req;
	struct abt_call call;
	struct abt_cgi_place place;
	struct abt_cgi_world cgi;
	char **lines;
};

static int
set_up(void **state)
{
	static struct world fresh;
	struct world *w = &fresh;

	memset(w, 0, sizeof(*w));
	abt_arena_init(&w->arena, NULL);
	abt_report_init(&w->report, &w->arena);
	w->req.method = ABT_BYTES("POST");
	w->req.target = ABT_BYTES("/cgi-bin/env.sh/a%20b/c?x=1&y=%20z+w");
	w->req.path = ABT_BYTES("/cgi-bin/env.sh/a%20b/c");
	w->req.query = ABT_BYTES("x=1&y=%20z+w");
	w->req.version = 11;
	w->call.request = &w->req;
	w->call.arena = &w->arena;
	w->call.facts.peer_ip = ABT_BYTES("192.0.2.7");
	w->call.facts.peer_port = 40112;
	w->call.facts.listener_port = 8080;
	w->call.facts.listener_ip = ABT_BYTES("192.0.2.1");
	w->place.script_name = ABT_BYTES("/cgi-bin/env.sh");
	w->place.path_info = ABT_BYTES("/a b/c");
	w->place.file = ABT_BYTES("/srv/cgi-bin/env.sh");
	w->cgi.call = &w->call;
	w->cgi.place = &w->place;
	w->cgi.document_root = ABT_BYTES("/srv/www");
	w->cgi.path = ABT_BYTES("/bin");
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	abt_arena_end(&w->arena);
	return 0;
}

static void
add(struct world *w, const char *name, const char *value)
{
	abt_headers_add(&w->req.headers, &w->arena, abt_bytes_text(name),
	    abt_bytes_text(value));
}

/* The value of |name|, or NULL; a name stands once. */
static const char *
get(const struct world *w, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (char **at = w->lines; *at != NULL; at++) {
		if (strncmp(*at, name, n) != 0 || (*at)[n] != '=')
			continue;
		assert_null(found);
		found = *at + n + 1;
	}
	return found;
}

static void
make(struct world *w)
{
	w->lines = abt_cgi_environment(&w->cgi, &w->arena, &w->report);
	assert_non_null(w->lines);
}

static void
expect(const struct world *w, const char *name, const char *value)
{
	const char *got = get(w, name);

	if (value == NULL) {
		assert_null(got);
		return;
	}
	if (got == NULL)
		fail_msg("%s is not set", name);
	assert_string_equal(got, value);
}

static void
test_meta(void **state)
{
	struct world *w = *state;

	add(w, "Host", "Example.COM:8080");
	add(w, "Content-Type", "text/plain");
	add(w, "Content-Length", "2");
	add(w, "X-Foo-Bar", "q");
	w->cgi.has_body = true;
	w->cgi.length = 2;
	make(w);
	expect(w, "GATEWAY_INTERFACE", "CGI/1.1");
	expect(w, "REQUEST_METHOD", "POST");
	expect(w, "SCRIPT_NAME", "/cgi-bin/env.sh");
	expect(w, "SCRIPT_FILENAME", "/srv/cgi-bin/env.sh");
	expect(w, "PATH_INFO", "/a b/c");
	expect(w, "PATH_TRANSLATED", "/srv/www/a b/c");
	expect(w, "DOCUMENT_ROOT", "/srv/www");
	expect(w, "QUERY_STRING", "x=1&y=%20z+w");
	expect(w, "CONTENT_LENGTH", "2");
	expect(w, "CONTENT_TYPE", "text/plain");
	expect(w, "SERVER_NAME", "example.com");
	expect(w, "SERVER_PORT", "8080");
	expect(w, "SERVER_ADDR", "192.0.2.1");
	expect(w, "SERVER_PROTOCOL", "HTTP/1.1");
	expect(w, "REMOTE_ADDR", "192.0.2.7");
	expect(w, "REMOTE_PORT", "40112");
	expect(w, "HTTP_X_FOO_BAR", "q");
	expect(w, "HTTP_HOST", "Example.COM:8080");
	expect(w, "REQUEST_URI", "/cgi-bin/env.sh/a%20b/c?x=1&y=%20z+w");
	expect(w, "REQUEST_SCHEME", "http");
	expect(w, "REDIRECT_STATUS", "200");
	expect(w, "HTTP_X_FORWARDED_FOR", "192.0.2.7");
	expect(w, "HTTP_X_FORWARDED_PROTO", "http");
	expect(w, "HTTP_X_FORWARDED_PORT", "8080");
	assert_non_null(get(w, "HTTP_X_AMZN_TRACE_ID"));
	expect(w, "PATH", "/bin");
	expect(w, "HTTPS", NULL);
	expect(w, "HTTP_CONTENT_TYPE", NULL);
	expect(w, "HTTP_CONTENT_LENGTH", NULL);
}

static void
test_nothing_to_say(void **state)
{
	struct world *w = *state;

	w->req.method = ABT_BYTES("GET");
	w->req.target = w->req.path = ABT_BYTES("/app");
	w->req.query = abt_bytes(NULL, 0);
	w->place.path_info = abt_bytes(NULL, 0);
	make(w);
	expect(w, "QUERY_STRING", "");
	expect(w, "PATH_INFO", NULL);
	expect(w, "PATH_TRANSLATED", NULL);
	expect(w, "CONTENT_LENGTH", NULL);
	expect(w, "CONTENT_TYPE", NULL);
	expect(w, "SERVER_NAME", "localhost");
	expect(w, "REMOTE_USER", NULL);
	expect(w, "AUTH_TYPE", NULL);
}

static void
test_headers(void **state)
{
	struct world *w = *state;

	add(w, "Proxy", "http://evil.example:3128/");
	add(w, "pROXY", "x");
	add(w, "Authorization", "Basic dTpw");
	add(w, "Proxy-Authorization", "Basic dTpw");
	add(w, "X-Dup", "1");
	add(w, "Cookie", "a=1");
	add(w, "x-dup", "2");
	add(w, "Cookie", "b=2");
	add(w, "X_Dup", "3");
	add(w, "Content_Length", "7");
	add(w, "X.Dot", "4");
	add(w, "X-Empty", "");
	add(w, "Connection", "close, X-Hop, Host");
	add(w, "X-Hop", "mine");
	add(w, "Host", "h");
	add(w, "TE", "trailers");
	add(w, "Upgrade", "h2c");
	add(w, "Keep-Alive", "1");
	add(w, "Transfer-Encoding", "chunked");
	add(w, "Accept-Encoding", "gzip");
	add(w, "X-Forwarded-For", "203.0.113.1");
	make(w);
	expect(w, "HTTP_PROXY", NULL);
	expect(w, "HTTP_AUTHORIZATION", NULL);
	expect(w, "HTTP_PROXY_AUTHORIZATION", NULL);
	expect(w, "HTTP_X_DUP", "1, 2");
	expect(w, "HTTP_COOKIE", "a=1; b=2");
	expect(w, "HTTP_X_EMPTY", "");
	expect(w, "HTTP_X_HOP", NULL);
	expect(w, "HTTP_HOST", "h");
	expect(w, "HTTP_CONTENT_LENGTH", NULL);
	expect(w, "HTTP_CONNECTION", NULL);
	expect(w, "HTTP_TE", NULL);
	expect(w, "HTTP_UPGRADE", NULL);
	expect(w, "HTTP_KEEP_ALIVE", NULL);
	expect(w, "HTTP_TRANSFER_ENCODING", NULL);
	expect(w, "HTTP_ACCEPT_ENCODING", "gzip");
	expect(w, "HTTP_X_FORWARDED_FOR", "203.0.113.1, 192.0.2.7");
	w->cgi.pass_authorization = true;
	make(w);
	expect(w, "HTTP_AUTHORIZATION", "Basic dTpw");
	expect(w, "REMOTE_USER", NULL);
}

static void
test_hosts(void **state)
{
	static const char *const cases[][2] = {
		{ "Example.COM", "example.com" },
		{ "[2001:DB8::1]:80", "[2001:db8::1]" },
		{ "[::1]", "[::1]" },
		{ "a b", "localhost" },
		{ "a/b", "localhost" },
		{ "$(id)", "localhost" },
		{ "x:", "x" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w->req.headers.count = 0;
		add(w, "Host", cases[i][0]);
		make(w);
		expect(w, "SERVER_NAME", cases[i][1]);
	}
}

static void
test_extra_wins(void **state)
{
	struct world *w = *state;
	struct abt_pair pairs[] = {
		{ ABT_BYTES("REMOTE_USER"), ABT_BYTES("x") },
		{ ABT_BYTES("HTTP_X_A"), ABT_BYTES("mine") },
		{ ABT_BYTES("REMOTE_USER"), ABT_BYTES("git") },
		{ ABT_BYTES("PATH"), ABT_BYTES("/opt/bin") },
	};
	struct abt_map extra = { pairs, 4 };

	add(w, "X-A", "theirs");
	w->cgi.extra = &extra;
	make(w);
	expect(w, "REMOTE_USER", "git");
	expect(w, "HTTP_X_A", "mine");
	expect(w, "PATH", "/opt/bin");
}

static void
test_tls(void **state)
{
	struct world *w = *state;

	w->call.facts.tls = true;
	w->call.facts.tls_version = ABT_BYTES("TLSv1.3");
	w->call.facts.tls_cipher = ABT_BYTES("TLS_AES_128_GCM_SHA256");
	w->call.facts.sni = ABT_BYTES("example.org");
	make(w);
	expect(w, "HTTPS", "on");
	expect(w, "REQUEST_SCHEME", "https");
	expect(w, "SSL_PROTOCOL", "TLSv1.3");
	expect(w, "SSL_CIPHER", "TLS_AES_128_GCM_SHA256");
	expect(w, "SSL_TLS_SNI", "example.org");
	expect(w, "HTTP_X_FORWARDED_PROTO", "https");
}

static void
test_too_large(void **state)
{
	static char big[70000];
	struct world *w = *state;

	memset(big, 'x', sizeof(big) - 1);
	big[60000] = '\0';
	add(w, "A", big);
	make(w);
	add(w, "B", big);
	add(w, "C", big);
	add(w, "D", big);
	add(w, "E", big);
	assert_null(abt_cgi_environment(&w->cgi, &w->arena, &w->report));
	assert_ptr_equal(
	    w->report.broken, &abt_rules[ABT_RULE_CGI_ENVIRONMENT]);
	big[60000] = 'x';
	w->req.headers.count = 0;
	add(w, "A", big);
	abt_report_init(&w->report, &w->arena);
	assert_null(abt_cgi_environment(&w->cgi, &w->arena, &w->report));
	assert_ptr_equal(
	    w->report.broken, &abt_rules[ABT_RULE_CGI_ENVIRONMENT]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_meta),
		TEST(test_nothing_to_say),
		TEST(test_headers),
		TEST(test_hosts),
		TEST(test_extra_wins),
		TEST(test_tls),
		TEST(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
