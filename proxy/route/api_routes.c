/*
 * api_routes.c - the routes of APIs: a REST API's resource tree, an HTTP API's
 * route keys
 *
 * Both keep one sorted list.  Of two templates that fit one path, the first
 * segment where they differ decides: a literal before {name} before {name+}.
 * Sorted by that, the first one that fits is what a walk of the tree with
 * backtracking would find.  HTTP APIs put every greedy route behind all others.
 */
#include "route/api_routes.h"

#include <stdlib.h>

#include "http/percent.h"

/* ---- order ---- */

static bool
is_greedy(const struct abt_api_route *route)
{
	return route->segment_count > 0 &&
	       route->segments[route->segment_count - 1].kind ==
		   ABT_SEGMENT_GREEDY;
}

static bool
is_default(const struct abt_api_route *route)
{
	return route->method.n == 0;
}

static bool
is_any(const struct abt_api_route *route)
{
	return abt_bytes_equal(route->method, ABT_BYTES("ANY"));
}

/* How many literals stand before the first parameter. */
static size_t
static_prefix(const struct abt_api_route *route)
{
	size_t i;

	for (i = 0; i < route->segment_count; i++)
		if (route->segments[i].kind != ABT_SEGMENT_LITERAL)
			break;
	return i;
}

static int
compare_segments(const struct abt_api_route *a, const struct abt_api_route *b)
{
	size_t i;

	for (i = 0; i < a->segment_count && i < b->segment_count; i++) {
		const struct abt_segment *x = &a->segments[i];
		const struct abt_segment *y = &b->segments[i];
		int order;

		if (x->kind != y->kind)
			return x->kind < y->kind ? -1 : 1;
		order = x->kind == ABT_SEGMENT_LITERAL
			    ? abt_bytes_compare(x->text, y->text)
			    : 0;
		if (order != 0)
			return order;
	}
	return (a->segment_count > b->segment_count) -
	       (a->segment_count < b->segment_count);
}

/* One resource's routes stand together, explicit methods first (H8.4, R5.5). */
static int
compare_rest(const void *left, const void *right)
{
	const struct abt_api_route *a = left, *b = right;
	int order = compare_segments(a, b);

	if (order == 0)
		order = abt_bytes_compare(a->resource, b->resource);
	if (order == 0)
		order = is_any(a) - is_any(b);
	return order != 0 ? order : abt_bytes_compare(a->method, b->method);
}

/* Full matches, then greedy ones by their static prefix, then $default (H8.3).
 */
static int
compare_http(const void *left, const void *right)
{
	const struct abt_api_route *a = left, *b = right;
	int class_a = is_default(a) ? 2 : is_greedy(a);
	int class_b = is_default(b) ? 2 : is_greedy(b);
	size_t prefix_a, prefix_b;

	if (class_a != class_b)
		return class_a - class_b;
	if (class_a == 1) {
		prefix_a = static_prefix(a);
		prefix_b = static_prefix(b);
		if (prefix_a != prefix_b)
			return prefix_a > prefix_b ? -1 : 1;
	}
	return compare_rest(a, b);
}

void
abt_api_routes_sort(struct abt_api_routes *routes)
{
	if (routes->count > 1)
		qsort(routes->routes, routes->count, sizeof(*routes->routes),
		    routes->routing == ABT_RESOURCE_TREE ? compare_rest
							 : compare_http);
}

/* ---- the path ---- */

/* The path on its way through the list. */
struct walk {
	struct abt_call *call;
	struct abt_bytes path; /* without the slash in front */
	bool slash;            /* one stood at the end: taken off */
	bool decode;           /* compare decoded text (H8.9) */
};

/* Take "/|segment|" off |path|: what follows begins with a slash or is empty.
 */
static bool
take_segment(struct abt_bytes *path, struct abt_bytes segment)
{
	if (path->n < segment.n + 1 || path->p[0] != '/' ||
	    memcmp(path->p + 1, segment.p, segment.n) != 0 ||
	    (path->n > segment.n + 1 && path->p[segment.n + 1] != '/'))
		return false;
	path->p += segment.n + 1;
	path->n -= segment.n + 1;
	return true;
}

/* Several slashes at the very start are one (R1.3). */
static struct abt_bytes
one_slash(struct abt_bytes path)
{
	while (path.n > 1 && path.p[0] == '/' && path.p[1] == '/') {
		path.p++;
		path.n--;
	}
	return path;
}

/* Stage and base path are the front's; the rest is what routes see. */
static int
enter(struct abt_call *call, bool rest, struct abt_report *report)
{
	const struct abt_api *api = call->front->api;
	struct abt_bytes path = call->request->path, base = api->base_path;

	if (rest)
		path = one_slash(path);
	if (base.n > 1 &&
	    !take_segment(&path, abt_bytes(base.p + 1, base.n - 1)))
		return abt_break(
		    report, ABT_RULE_API_NO_BASE_PATH, call->request->path);
	if (api->stage_in_path && !take_segment(&path, api->stage))
		return abt_break(
		    report, ABT_RULE_API_NO_STAGE, call->request->path);
	if (rest)
		path = one_slash(path);
	call->match.path = path.n > 0 ? path : ABT_BYTES("/");
	return 0;
}

/* ---- fitting ---- */

static bool
literal_fits(
    const struct walk *w, struct abt_bytes literal, struct abt_bytes text)
{
	if (w->decode && memchr(text.p, '%', text.n) != NULL)
		text = abt_percent_decode(text, false, w->call->arena);
	return abt_bytes_equal(literal, text);
}

/* REST wants a segment and takes the slash at the end off (R1.5, R5.2); an
 * HTTP API takes an empty remainder too, but not at the root (H8.6). */
static bool
greedy_fits(const struct walk *w, bool is_root, struct abt_bytes *rest)
{
	if (!w->decode)
		return rest->n > 0;
	if (w->slash && rest->p != NULL)
		rest->n++;
	return rest->p != NULL && (rest->n > 0 || !is_root);
}

/* Does the path fit |route|?  |values| (may be NULL) takes its parameters. */
static bool
fits(const struct walk *w, const struct abt_api_route *route,
    struct abt_bytes *values)
{
	struct abt_bytes rest = w->path, text;
	size_t i;

	/* the root: no segments */
	if (rest.n == 0 && !w->slash)
		return route->segment_count == 0 || is_default(route);
	if (is_default(route))
		return true;
	for (i = 0; i < route->segment_count; i++) {
		const struct abt_segment *segment = &route->segments[i];

		if (segment->kind == ABT_SEGMENT_GREEDY) {
			if (rest.p == NULL && w->slash && w->decode)
				rest = abt_bytes(w->path.p + w->path.n + 1, 0);
			else if (!greedy_fits(w, i == 0, &rest))
				return false;
			if (values != NULL)
				*values = rest;
			return true;
		}
		if (!abt_bytes_next(&rest, '/', &text))
			return false;
		if (segment->kind == ABT_SEGMENT_LITERAL) {
			if (!literal_fits(w, segment->text, text))
				return false;
			continue;
		}
		if (text.n == 0)
			return false;
		if (values != NULL)
			*values++ = text;
	}
	return rest.p == NULL;
}

static void
fill_match(const struct walk *w, const struct abt_api_route *route)
{
	struct abt_match *match = &w->call->match;
	struct abt_arena *arena = w->call->arena;
	struct abt_bytes *values;
	size_t i, n = 0;

	match->action = route->action;
	match->function = route->function;
	match->route_key = route->key;
	match->resource = route->resource;
	match->resource_id = route->resource_id;
	match->method = route->setup;
	if (route->param_count == 0)
		return;
	match->params =
	    abt_arena_array(arena, route->param_count, sizeof(*match->params));
	values = abt_arena_array(arena, route->param_count, sizeof(*values));
	if (match->params == NULL || values == NULL)
		return; /* the arena remembers */
	fits(w, route, values);
	for (i = 0; i < route->segment_count; i++) {
		if (route->segments[i].kind == ABT_SEGMENT_LITERAL)
			continue;
		match->params[n].name = route->segments[i].text;
		match->params[n].value = values[n];
		n++;
	}
	match->param_count = n;
}

/* ---- finding ---- */

/* ANY is the seven methods, no others (R5.5); $default takes all. */
static bool
is_standard(struct abt_bytes method)
{
	static const char *const standard[] = { "GET", "POST", "PUT", "DELETE",
		"PATCH", "HEAD", "OPTIONS" };

	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
		if (abt_bytes_equal(method, abt_bytes_text(standard[i])))
			return true;
	return false;
}

static bool
serves(const struct abt_api_route *route, struct abt_bytes method)
{
	return is_default(route) || abt_bytes_equal(route->method, method) ||
	       (is_any(route) && is_standard(method));
}

/* Route and method together: the first that fits both (H8.5). */
static const struct abt_api_route *
find_http(const struct walk *w, const struct abt_api_routes *routes)
{
	for (size_t i = 0; i < routes->count; i++) {
		const struct abt_api_route *route = &routes->routes[i];

		if (serves(route, w->call->request->method) &&
		    fits(w, route, NULL))
			return route;
	}
	return NULL;
}

/* The best resource; when it lacks the method, only greedy ones come after it
 * (R5.4). */
static const struct abt_api_route *
find_rest(const struct walk *w, const struct abt_api_routes *routes,
    struct abt_bytes method)
{
	const struct abt_api_route *best = NULL;

	for (size_t i = 0; i < routes->count; i++) {
		const struct abt_api_route *route = &routes->routes[i];

		if (best != NULL && !is_greedy(route) &&
		    compare_segments(route, best) != 0)
			continue;
		if (!fits(w, route, NULL))
			continue;
		if (serves(route, method))
			return route;
		if (best == NULL)
			best = route;
	}
	return NULL;
}

/* REST routes by X-HTTP-Method-Override when there is one (R3.8). */
static struct abt_bytes
rest_method(const struct abt_request *req)
{
	const struct abt_field *field = abt_headers_named(
	    &req->headers, ABT_BYTES("X-HTTP-Method-Override"));

	return field != NULL && field->value.n > 0 ? field->value : req->method;
}

int
abt_api_route_find(struct abt_call *call, struct abt_report *report)
{
	const struct abt_api_routes *routes = call->front->api->routes;
	bool rest = routes->routing == ABT_RESOURCE_TREE;
	struct walk w = { .call = call, .decode = !rest };
	const struct abt_api_route *route;

	if (enter(call, rest, report) != 0)
		return -1;
	w.path = abt_bytes(call->match.path.p + 1, call->match.path.n - 1);
	/* one slash at the end does not count (R5.3, H8.8) */
	if (w.path.n > 0 && w.path.p[w.path.n - 1] == '/') {
		w.path.n--;
		w.slash = true;
	}
	route = rest ? find_rest(&w, routes, rest_method(call->request))
		     : find_http(&w, routes);
	if (route == NULL)
		return abt_break(
		    report, ABT_RULE_API_NO_ROUTE, call->request->path);
	fill_match(&w, route);
	if (route->action == ABT_FORWARD && route->function == NULL)
		return abt_break(
		    report, ABT_RULE_API_NO_TARGET, call->request->path);
	return 0;
}

int
abt_url_route_find(struct abt_call *call, struct abt_report *report)
{
	const struct abt_api_routes *routes = call->front->api->routes;
	struct abt_match *match = &call->match;

	match->path = call->request->path;
	match->route_key = match->resource = ABT_BYTES("$default");
	if (routes->count == 0 || routes->routes[0].function == NULL)
		return abt_break(
		    report, ABT_RULE_API_NO_TARGET, call->request->path);
	match->function = routes->routes[0].function;
	return 0;
}
