/*
 * fuzz_api_route.c - route keys and paths of APIs
 *
 * The input is lines: route keys, and behind an empty line the path.
 * Properties: what is found serves method and path by a matcher that tries
 * segment by segment; nothing found means that nothing fits; the order in which
 * routes are written does not matter.
 */
#include <stdlib.h>

#include "http/percent.h"
#include "route/api_routes.h"

#define ROUTES 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Does |template| fit |path| (both behind their first slash)?  Written again,
 * by recursion, without the finder's short cuts. */
static bool
fits(const struct abt_api_route *route, size_t at, struct abt_bytes path,
    bool any_left, bool rest, bool slash, struct abt_arena *arena)
{
	const struct abt_segment *segment;
	struct abt_bytes text;

	if (at == route->segment_count)
		return !any_left;
	segment = &route->segments[at];
	if (segment->kind == ABT_SEGMENT_GREEDY) {
		if (rest)
			return any_left && path.n > 0;
		return any_left ? path.n > 0 || at > 0 || slash
				: slash && at > 0;
	}
	if (!any_left || !abt_bytes_next(&path, '/', &text))
		return false;
	if (segment->kind == ABT_SEGMENT_PARAMETER && text.n == 0)
		return false;
	if (segment->kind == ABT_SEGMENT_LITERAL) {
		if (!rest && abt_bytes_find(text, '%') < text.n)
			text = abt_percent_decode(text, false, arena);
		if (!abt_bytes_equal(segment->text, text))
			return false;
	}
	return fits(route, at + 1, path, path.p != NULL, rest, slash, arena);
}

static bool
anything_fits(const struct abt_api_routes *routes, const struct abt_call *call,
    const struct abt_bytes *key)
{
	bool rest = routes->routing == ABT_RESOURCE_TREE;
	struct abt_bytes path = call->match.path;
	bool slash;

	path.p++;
	path.n--;
	slash = path.n > 0 && path.p[path.n - 1] == '/';
	path.n -= slash;
	for (size_t i = 0; i < routes->count; i++) {
		const struct abt_api_route *route = &routes->routes[i];

		if (key != NULL && !abt_bytes_equal(route->key, *key))
			continue;
		if (route->method.n == 0)
			return true;
		if (!abt_bytes_equal(route->method, call->request->method) &&
		    !abt_bytes_equal(route->method, ABT_BYTES("ANY")))
			continue;
		if (fits(route, 0, path, path.n > 0 || slash, rest, slash,
			call->arena))
			return true;
	}
	return false;
}

static void
reverse(struct abt_api_routes *routes)
{
	for (size_t i = 0; i < routes->count / 2; i++) {
		struct abt_api_route swap = routes->routes[i];
		size_t other = routes->count - 1 - i;

		routes->routes[i] = routes->routes[other];
		routes->routes[other] = swap;
	}
}

/* Keys that are not the same may still be one for the service: /{a}, /{b}. */
static void
look(struct abt_api_routes *routes, struct abt_bytes path,
    struct abt_arena *arena, struct abt_bytes *found)
{
	static const int function;
	struct abt_api api = { .routes = routes };
	struct abt_front front = { .api = &api };
	struct abt_request req = { .method = ABT_BYTES("GET"), .path = path };
	struct abt_call call = {
		.request = &req, .front = &front, .arena = arena
	};
	struct abt_report report;

	for (size_t i = 0; i < routes->count; i++)
		routes->routes[i].function = &function;
	abt_api_routes_sort(routes);
	abt_report_init(&report, arena);
	*found = abt_bytes(NULL, 0);
	if (abt_api_route_find(&call, &report) == 0) {
		*found = call.match.route_key;
		if (!anything_fits(routes, &call, found))
			abort();
		for (size_t i = 0; i < call.match.param_count; i++)
			if (call.match.params[i].value.p == NULL)
				abort();
	} else if (routes->routing != ABT_RESOURCE_TREE &&
		   anything_fits(routes, &call, NULL)) {
		abort();
	}
}

static void
run(struct abt_bytes text, enum abt_routing routing)
{
	struct abt_api_route list[ROUTES];
	struct abt_api_routes routes = { list, 0, routing };
	struct abt_bytes line, found, again;
	struct abt_arena arena;
	char why[256];

	abt_arena_init(&arena, NULL);
	while (abt_bytes_next(&text, '\n', &line) && line.n > 0)
		if (routes.count < ROUTES &&
		    abt_api_route_parse(line, routing, &arena,
			&list[routes.count], why, sizeof(why)) == 0)
			routes.count++;
	if (text.n > 0 && text.p[0] == '/') {
		look(&routes, text, &arena, &found);
		reverse(&routes);
		look(&routes, text, &arena, &again);
		if ((found.p == NULL) != (again.p == NULL) ||
		    !abt_bytes_equal(found, again))
			abort();
	}
	abt_arena_end(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes text = abt_bytes((const char *)data, size);

	run(text, ABT_RESOURCE_TREE);
	run(text, ABT_ROUTE_KEYS);
	return 0;
}
