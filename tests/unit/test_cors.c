/*
 * test_cors.c - CORS of HTTP APIs and function URLs: preflights, owned headers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dialect/cors.h"

static struct abt_bytes origins[] = { ABT_BYTES_INIT("https://a.example"),
	ABT_BYTES_INIT("http://*") };
static struct abt_bytes any[] = { ABT_BYTES_INIT("https://a.example"),
	ABT_BYTES_INIT("*") };
static struct abt_bytes methods[] = { ABT_BYTES_INIT("GET"),
	ABT_BYTES_INIT("POST") };
static struct abt_bytes headers[] = { ABT_BYTES_INIT("x-a"),
	ABT_BYTES_INIT("authorization") };
static struct abt_bytes exposed[] = { ABT_BYTES_INIT("x-e") };

static const struct abt_cors some = {
	.origins = { origins, 2 },
	.methods = { methods, 2 },
	.headers = { headers, 2 },
	.expose = { exposed, 1 },
	.max_age = 300,
	.credentials = true,
};
static const struct abt_cors all = { .origins = { any, 2 }, .max_age = -1 };
static const struct abt_cors off = { .max_age = -1 };

static struct abt_arena arena;
static struct abt_request req;
static struct abt_call call = { .request = &req, .arena = &arena };

static int
begin(void **state)
{
	(void)state;
	abt_arena_init(&arena, NULL);
	memset(&req, 0, sizeof(req));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	abt_arena_end(&arena);
	return 0;
}

static void
ask(const char *method, const char *origin, const char *wanted)
{
	memset(&req, 0, sizeof(req));
	req.method = abt_bytes_text(method);
	if (origin != NULL)
		abt_headers_add(&req.headers, &arena, ABT_BYTES("Origin"),
		    abt_bytes_text(origin));
	if (wanted != NULL)
		abt_headers_add(&req.headers, &arena,
		    ABT_BYTES("Access-Control-Request-Method"),
		    abt_bytes_text(wanted));
}

/* All headers as "name: value|name: value". */
static const char *
text_of(const struct abt_response *response)
{
	static char text[1024];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < response->headers.count; i++) {
		const struct abt_field *f = &response->headers.fields[i];

		n +=
		    (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s: %.*s",
			i > 0 ? "|" : "", ABT_FMT(f->name), ABT_FMT(f->value));
	}
	return text;
}

static void
preflights_are_answered(void **state)
{
	struct abt_response response;

	(void)state;
	ask("OPTIONS", "https://a.example", "POST");
	assert_int_equal(abt_cors_preflight(&some, &call, 204, &response), 1);
	assert_int_equal(response.status, 204);
	assert_string_equal(text_of(&response),
	    "access-control-allow-origin: https://a.example|vary: origin|"
	    "access-control-allow-credentials: true|"
	    "access-control-expose-headers: x-e|"
	    "access-control-allow-methods: GET,POST|"
	    "access-control-allow-headers: x-a,authorization|"
	    "access-control-max-age: 300");
	/* the last word on it changes nothing */
	abt_cors_apply(&some, &call, &response);
	assert_int_equal(response.headers.count, 7);
	assert_int_equal(abt_cors_preflight(&all, &call, 200, &response), 1);
	assert_string_equal(
	    text_of(&response), "access-control-allow-origin: *");
	ask("OPTIONS", "https://evil.example", "POST");
	assert_int_equal(abt_cors_preflight(&some, &call, 204, &response), 1);
	assert_int_equal(response.status, 204);
	assert_string_equal(text_of(&response), "");
}

static void
others_are_routed(void **state)
{
	struct abt_response response;

	(void)state;
	ask("OPTIONS", "https://a.example", NULL);
	assert_int_equal(abt_cors_preflight(&some, &call, 204, &response), 0);
	ask("OPTIONS", NULL, "GET");
	assert_int_equal(abt_cors_preflight(&some, &call, 204, &response), 0);
	ask("GET", "https://a.example", "GET");
	assert_int_equal(abt_cors_preflight(&some, &call, 204, &response), 0);
	ask("OPTIONS", "https://a.example", "GET");
	assert_int_equal(abt_cors_preflight(&off, &call, 204, &response), 0);
}

static void
origins_fit(void **state)
{
	static const struct {
		const char *origin;
		bool fits;
	} rows[] = {
		{ "https://a.example", true },
		{ "HTTPS://A.example", true },
		{ "https://a.example:444", false },
		{ "https://a.example.evil", false },
		{ "https://b.a.example", false },
		{ "http://anything:8080", true },
		{ "http://", false },
		{ "null", false },
		{ "*", false },
	};
	bool wildcard;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(abt_cors_allows(&some,
				     abt_bytes_text(rows[i].origin), &wildcard),
		    rows[i].fits);
		assert_false(wildcard);
	}
	assert_true(abt_cors_allows(&all, ABT_BYTES("x"), &wildcard));
	assert_true(wildcard);
}

static void
fill(struct abt_response *response)
{
	memset(response, 0, sizeof(*response));
	abt_headers_add(&response->headers, &arena,
	    ABT_BYTES("Access-Control-Allow-Origin"), ABT_BYTES("*"));
	abt_headers_add(
	    &response->headers, &arena, ABT_BYTES("X-A"), ABT_BYTES("1"));
	abt_headers_add(&response->headers, &arena,
	    ABT_BYTES("access-control-max-age"), ABT_BYTES("5"));
	abt_headers_add(&response->headers, &arena,
	    ABT_BYTES("Access-Control-Other"), ABT_BYTES("2"));
}

static void
the_front_owns_cors(void **state)
{
	struct abt_response response;

	(void)state;
	ask("GET", "https://a.example", NULL);
	fill(&response);
	abt_cors_apply(&some, &call, &response);
	assert_string_equal(text_of(&response),
	    "X-A: 1|Access-Control-Other: 2|"
	    "access-control-allow-origin: https://a.example|vary: origin|"
	    "access-control-allow-credentials: true|"
	    "access-control-expose-headers: x-e");
	ask("GET", "https://evil.example", NULL);
	fill(&response);
	abt_cors_apply(&some, &call, &response);
	assert_string_equal(
	    text_of(&response), "X-A: 1|Access-Control-Other: 2");
	ask("GET", NULL, NULL);
	fill(&response);
	abt_cors_apply(&some, &call, &response);
	assert_int_equal(response.headers.count, 2);
	fill(&response);
	abt_cors_apply(&off, &call, &response);
	assert_int_equal(response.headers.count, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    preflights_are_answered, begin, end),
		cmocka_unit_test_setup_teardown(others_are_routed, begin, end),
		cmocka_unit_test_setup_teardown(origins_fit, begin, end),
		cmocka_unit_test_setup_teardown(
		    the_front_owns_cors, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
