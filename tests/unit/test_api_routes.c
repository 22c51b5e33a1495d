/*
 * test_api_routes.c - route keys, precedence, stages and base paths of APIs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "route/api_routes.h"

#define ROUTES 16

/* What one look-up gave, as text: "KEY name=value ...", or the rule's name. */
static char found[512];

struct world {
	struct abt_arena arena;
	struct abt_api_routes routes;
	struct abt_api_route list[ROUTES];
	struct abt_api api;
	struct abt_front front;
};

static void
begin(struct world *w, enum abt_routing routing, const char *const *keys)
{
	char why[256];

	memset(w, 0, sizeof(*w));
	abt_arena_init(&w->arena, NULL);
	w->routes.routes = w->list;
	w->routes.routing = routing;
	for (; *keys != NULL; keys++) {
		struct abt_api_route *route = &w->list[w->routes.count++];

		assert_int_equal(
		    abt_api_route_parse(abt_bytes_text(*keys), routing,
			&w->arena, route, why, sizeof(why)),
		    0);
		route->function = w;
	}
	abt_api_routes_sort(&w->routes);
	w->api.routes = &w->routes;
	w->front.api = &w->api;
}

static const char *
find(struct world *w, const char *method, const char *path)
{
	struct abt_request req = { .method = abt_bytes_text(method),
		.path = abt_bytes_text(path) };
	struct abt_call call = {
		.request = &req, .front = &w->front, .arena = &w->arena
	};
	struct abt_report report;
	size_t n;

	abt_report_init(&report, &w->arena);
	if (abt_api_route_find(&call, &report) != 0) {
		snprintf(found, sizeof(found), "%s", report.broken->name);
		return found;
	}
	n = (size_t)snprintf(
	    found, sizeof(found), "%.*s", ABT_FMT(call.match.route_key));
	for (size_t i = 0; i < call.match.param_count; i++)
		n += (size_t)snprintf(found + n, sizeof(found) - n,
		    " %.*s=%.*s", ABT_FMT(call.match.params[i].name),
		    ABT_FMT(call.match.params[i].value));
	return found;
}

struct row {
	const char *method, *path, *expected;
};

static void
check(struct world *w, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(
		    find(w, rows[i].method, rows[i].path), rows[i].expected);
}

#define CHECK(w, rows) check(w, rows, sizeof(rows) / sizeof(rows[0]))

static void
rest_walks_its_tree(void **state)
{
	static const char *const keys[] = { "GET /pets/dog", "GET /pets/{id}",
		"POST /jobs/{t}", "ANY /{proxy+}", "GET /", "PUT /a/{x}/c",
		"GET /a/b/{proxy+}", "POST /only", NULL };
	static const struct row rows[] = {
		{ "GET", "/", "GET /" },
		{ "POST", "/", "api/no-route" },
		{ "GET", "/pets/dog", "GET /pets/dog" },
		{ "GET", "/pets/dog/", "GET /pets/dog" },
		{ "GET", "/pets/cat", "GET /pets/{id} id=cat" },
		{ "GET", "/pets/a%20b+c", "GET /pets/{id} id=a%20b+c" },
		{ "GET", "/pets/cat/1", "ANY /{proxy+} proxy=pets/cat/1" },
		{ "GET", "/pets/", "ANY /{proxy+} proxy=pets" },
		/* the resource lacks the method: the greedy one serves */
		{ "GET", "/jobs", "ANY /{proxy+} proxy=jobs" },
		{ "PUT", "/pets/dog", "ANY /{proxy+} proxy=pets/dog" },
		{ "GET", "/a/b/c/d/", "GET /a/b/{proxy+} proxy=c/d" },
		{ "GET", "/a/b/c", "GET /a/b/{proxy+} proxy=c" },
		/* a literal comes first, even where {x} would serve PUT */
		{ "PUT", "/a/b/c", "ANY /{proxy+} proxy=a/b/c" },
		{ "PUT", "/a/z/c", "PUT /a/{x}/c x=z" },
		{ "GET", "/x//y", "ANY /{proxy+} proxy=x//y" },
		{ "GET", "//x", "ANY /{proxy+} proxy=x" },
		{ "BREW", "/x", "api/no-route" }, /* ANY is seven methods */
		{ "GET", "/Pets/dog", "ANY /{proxy+} proxy=Pets/dog" },
	};
	struct world w;

	(void)state;
	begin(&w, ABT_RESOURCE_TREE, keys);
	CHECK(&w, rows);
	abt_arena_end(&w.arena);
}

static void
rest_matches_exactly(void **state)
{
	static const char *const keys[] = { "GET /pets/{id}", "GET /pets",
		"ANY /any", "GET /any", "GET /{proxy+}", NULL };
	static const struct row rows[] = {
		{ "GET", "/pets/", "GET /pets" },
		{ "HEAD", "/pets", "api/no-route" },
		{ "GET", "/any", "GET /any" },
		{ "HEAD", "/any", "ANY /any" },
		{ "GET", "/", "api/no-route" },
		{ "POST", "/x", "api/no-route" },
	};
	struct world w;

	(void)state;
	begin(&w, ABT_RESOURCE_TREE, keys);
	CHECK(&w, rows);
	abt_arena_end(&w.arena);
}

static void
http_puts_greedy_ones_last(void **state)
{
	static const char *const keys[] = { "$default", "ANY /{proxy+}",
		"GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1",
		"GET /{a}/x/y", "POST /pets/dog/1", NULL };
	static const struct row rows[] = {
		{ "GET", "/pets/dog/1", "GET /pets/dog/1" },
		{ "GET", "/pets/dog/2", "GET /pets/dog/{id} id=2" },
		{ "GET", "/pets/cat/1", "GET /pets/{proxy+} proxy=cat/1" },
		{ "POST", "/test/5", "ANY /{proxy+} proxy=test/5" },
		{ "PUT", "/pets/dog/1", "ANY /{proxy+} proxy=pets/dog/1" },
		/* a full match before any greedy one (H8.3) */
		{ "GET", "/pets/x/y", "GET /{a}/x/y a=pets" },
		{ "GET", "/", "$default" },
		{ "BREW", "/pets", "$default" },
		{ "GET", "/pets/", "GET /pets/{proxy+} proxy=" },
		{ "GET", "/pets", "ANY /{proxy+} proxy=pets" },
		{ "GET", "/pets/a/", "GET /pets/{proxy+} proxy=a/" },
		{ "GET", "/pets/dog/1/", "GET /pets/dog/1" },
	};
	struct world w;

	(void)state;
	begin(&w, ABT_ROUTE_KEYS, keys);
	CHECK(&w, rows);
	abt_arena_end(&w.arena);
}

static void
http_compares_decoded_text(void **state)
{
	static const char *const keys[] = { "GET /a~b/c", "GET /n/{id}",
		"GET /d", "POST /d", "DELETE /{id}", NULL };
	static const struct row rows[] = {
		{ "GET", "/a%7Eb/c", "GET /a~b/c" },
		{ "GET", "/a~b%2Fc", "api/no-route" },
		{ "GET", "/n/a%2Fb", "GET /n/{id} id=a%2Fb" },
		{ "DELETE", "/d", "DELETE /{id} id=d" }, /* H8.5 */
		{ "GET", "/n/", "api/no-route" },
		{ "GET", "/", "api/no-route" },
	};
	struct world w;

	(void)state;
	begin(&w, ABT_ROUTE_KEYS, keys);
	CHECK(&w, rows);
	abt_arena_end(&w.arena);
}

static void
stages_and_base_paths_come_off(void **state)
{
	static const char *const keys[] = { "GET /", "GET /x", NULL };
	static const struct row staged[] = {
		{ "GET", "/dev/x", "GET /x" },
		{ "GET", "/dev", "GET /" },
		{ "GET", "/dev/", "GET /" },
		{ "GET", "/dev//x", "GET /x" },
		{ "GET", "//dev/x", "GET /x" },
		{ "GET", "/devx", "api/no-stage" },
		{ "GET", "/x", "api/no-stage" },
		{ "GET", "/", "api/no-stage" },
	};
	static const struct row based[] = {
		{ "GET", "/shop/v1/x", "GET /x" },
		{ "GET", "/shop/v1", "GET /" },
		{ "GET", "/shop/v12/x", "api/no-base-path" },
		{ "GET", "/x", "api/no-base-path" },
	};
	struct world w;

	(void)state;
	begin(&w, ABT_RESOURCE_TREE, keys);
	w.api.stage = ABT_BYTES("dev");
	w.api.stage_in_path = true;
	CHECK(&w, staged);
	w.api.stage_in_path = false;
	w.api.base_path = ABT_BYTES("/shop/v1");
	CHECK(&w, based);
	abt_arena_end(&w.arena);
}

static void
wrong_keys_are_told(void **state)
{
	static const struct {
		const char *key;
		enum abt_routing routing;
		const char *word; /* of what is told */
	} rows[] = {
		{ "", ABT_ROUTE_KEYS, "method" },
		{ "/pets", ABT_ROUTE_KEYS, "method" },
		{ "get /pets", ABT_ROUTE_KEYS, "method" },
		{ "TRACE /pets", ABT_ROUTE_KEYS, "method" },
		{ "GET pets", ABT_ROUTE_KEYS, "begin with" },
		{ "GET  /pets", ABT_ROUTE_KEYS, "begin with" },
		{ "GET /pets/", ABT_ROUTE_KEYS, "empty segment" },
		{ "GET //pets", ABT_ROUTE_KEYS, "empty segment" },
		{ "GET /{proxy+}/a", ABT_ROUTE_KEYS, "last segment" },
		{ "GET /a{id}", ABT_ROUTE_KEYS, "part of a segment" },
		{ "GET /{}", ABT_ROUTE_KEYS, "without a name" },
		{ "GET /{+}", ABT_ROUTE_KEYS, "without a name" },
		{ "GET /{a b}", ABT_ROUTE_KEYS, "name is more" },
		{ "GET /{a}/{a}", ABT_ROUTE_KEYS, "twice" },
		{ "GET /a~b", ABT_RESOURCE_TREE, "letters, digits" },
		{ "$default", ABT_RESOURCE_TREE, "HTTP APIs" },
		{ "GET /a?b", ABT_ROUTE_KEYS, "byte" },
	};
	struct abt_api_route route;
	struct abt_arena arena;
	char why[256];

	(void)state;
	abt_arena_init(&arena, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why[0] = '\0';
		assert_int_equal(
		    abt_api_route_parse(abt_bytes_text(rows[i].key),
			rows[i].routing, &arena, &route, why, sizeof(why)),
		    -1);
		if (strstr(why, rows[i].word) == NULL)
			fail_msg("\"%s\": %s", rows[i].key, why);
	}
	abt_arena_end(&arena);
}

static void
memory_may_run_out(void **state)
{
	static const char *const keys[] = { "GET /{a}/{b}", NULL };
	struct world w;

	(void)state;
	begin(&w, ABT_ROUTE_KEYS, keys);
	abt_memory_fail_at(1);
	(void)find(&w, "GET", "/1/2");
	abt_memory_fail_at(0);
	abt_arena_end(&w.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_walks_its_tree),
		cmocka_unit_test(rest_matches_exactly),
		cmocka_unit_test(http_puts_greedy_ones_last),
		cmocka_unit_test(http_compares_decoded_text),
		cmocka_unit_test(stages_and_base_paths_come_off),
		cmocka_unit_test(wrong_keys_are_told),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
