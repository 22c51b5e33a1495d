/*
 * test_route.c - patterns, normal paths, hosts, address ranges, priorities
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/cidr.h"
#include "route/route.h"

static void
assert_text(struct abt_bytes got, const char *expected)
{
	assert_int_equal(got.n, strlen(expected));
	assert_memory_equal(got.p, expected, got.n);
}

static bool
matches(const char *pattern, const char *text)
{
	return abt_pattern_match(
	    abt_bytes_text(pattern), abt_bytes_text(text), false);
}

static void
test_patterns(void **unused)
{
	(void)unused;
	assert_true(matches("/a", "/a"));
	assert_false(matches("/a", "/ab"));
	assert_false(matches("/a", "/A"));
	assert_true(matches("*", ""));
	assert_false(matches("?", ""));
	assert_true(matches("/img/*", "/img/"));
	assert_true(matches("/img/*/x?.png", "/img/a/b/xy.png"));
	assert_false(matches("/img/*/x?.png", "/img/a/b/x.png"));
	assert_true(matches("*a*b*", "xxaxxbxx"));
	assert_true(abt_pattern_match(
	    ABT_BYTES("*.Example.com"), ABT_BYTES("a.example.COM"), true));
	assert_false(abt_pattern_match(
	    ABT_BYTES("*.example.com"), ABT_BYTES("example.com"), true));
}

static void
test_normal_paths(void **unused)
{
	static const struct {
		const char *raw, *normal;
	} cases[] = {
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a//b", "/a/b" },
		{ "/a/./b/.", "/a/b/" },
		{ "/a/../b", "/b" },
		{ "/a/b/..", "/a/" },
		{ "/%61%2fb", "/a/b" },
		{ "/a/%2e%2e/b", "/b" },
		{ "//", "/" },
		{ "/a%20b", "/a b" },
	};
	struct abt_arena arena;
	size_t i;

	(void)unused;
	abt_arena_init(&arena, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_text(
		    abt_path_normal(abt_bytes_text(cases[i].raw), &arena),
		    cases[i].normal);
	abt_arena_end(&arena);
}

static void
test_hosts(void **unused)
{
	struct abt_field field = { ABT_BYTES_INIT("Host"),
		ABT_BYTES_INIT("a.example:8080"), ABT_FIELD_HOST, false };
	struct abt_request req = { .headers = { &field, 1, 1 } };

	(void)unused;
	assert_text(abt_request_host(&req), "a.example");
	field.value = ABT_BYTES("[::1]:80");
	assert_text(abt_request_host(&req), "[::1]");
	req.authority = ABT_BYTES("b.example");
	assert_text(abt_request_host(&req), "b.example");
}

static void
test_ranges(void **unused)
{
	struct abt_cidr ranges[3];

	(void)unused;
	assert_true(abt_cidr_parse(ABT_BYTES("10.0.0.0/8"), &ranges[0]));
	assert_true(abt_cidr_parse(ABT_BYTES("192.0.2.7"), &ranges[1]));
	assert_true(abt_cidr_parse(ABT_BYTES("2001:db8::/33"), &ranges[2]));
	assert_true(abt_cidr_holds(ranges, 3, "10.255.0.1"));
	assert_false(abt_cidr_holds(ranges, 3, "11.0.0.0"));
	assert_true(abt_cidr_holds(ranges, 3, "192.0.2.7"));
	assert_false(abt_cidr_holds(ranges, 3, "192.0.2.8"));
	assert_true(abt_cidr_holds(ranges, 3, "2001:db8:7fff::1"));
	assert_false(abt_cidr_holds(ranges, 3, "2001:db8:8000::1"));
	assert_false(abt_cidr_holds(ranges, 3, "no address"));
	assert_false(abt_cidr_parse(ABT_BYTES("10.0.0.1/8"), &ranges[0]));
	assert_false(abt_cidr_parse(ABT_BYTES("10.0.0.0/33"), &ranges[0]));
	assert_false(abt_cidr_parse(ABT_BYTES("10.0.0/8"), &ranges[0]));
	assert_false(abt_cidr_parse(ABT_BYTES(""), &ranges[0]));
	assert_true(abt_cidr_parse(ABT_BYTES("0.0.0.0/0"), &ranges[0]));
	assert_true(abt_cidr_holds(ranges, 1, "203.0.113.1"));
	assert_false(abt_cidr_holds(ranges, 1, "::1"));
}

static int
priority_of(const char *path, const char *host, const struct abt_routes *routes)
{
	struct abt_front front = { .routes = routes };
	struct abt_request req = { .path = abt_bytes_text(path),
		.authority = abt_bytes_text(host) };
	struct abt_arena arena;
	struct abt_report report;
	struct abt_call call = {
		.request = &req, .front = &front, .arena = &arena
	};
	int rc;

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	rc = abt_route_find(&call, &report);
	abt_arena_end(&arena);
	return rc == 0 ? call.match.priority : -1;
}

static void
test_priorities(void **unused)
{
	struct abt_bytes api = ABT_BYTES("/api/*"),
			 all = ABT_BYTES("*.b.example");
	struct abt_route rules[] = {
		{ .priority = 0 },
		{ .priority = 20, .paths = &api, .path_count = 1 },
		{ .priority = 10,
		    .paths = &api,
		    .path_count = 1,
		    .hosts = &all,
		    .host_count = 1 },
	};
	struct abt_routes routes = { rules, 3 };

	(void)unused;
	abt_routes_sort(&routes);
	assert_int_equal(routes.routes[0].priority, 10);
	assert_int_equal(routes.routes[2].priority, 0);
	assert_int_equal(priority_of("/api/x", "a.B.example", &routes), 10);
	assert_int_equal(priority_of("/api/x", "c.example", &routes), 20);
	assert_int_equal(priority_of("/%61pi/x", "c.example", &routes), 20);
	assert_int_equal(priority_of("/x", "a.b.example", &routes), 0);
	routes.count = 2; /* without a default rule */
	assert_int_equal(priority_of("/x", "a.b.example", &routes), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_normal_paths),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_priorities),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
