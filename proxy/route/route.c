/*
 * route.c - a front's routes: find one, fill the match
 *
 * ALB listener rules (alb.md 6.1): ascending priority, the first whose
 * conditions all hold wins, the default rule is last.
 */
#include "route/route.h"

#include <stdlib.h>

static int
by_priority(const void *a, const void *b)
{
	const struct abt_route *x = a, *y = b;
	/* the default rule (0) is last */
	long px = x->priority == 0 ? 50001 : x->priority;
	long py = y->priority == 0 ? 50001 : y->priority;

	return (px > py) - (px < py);
}

void
abt_routes_sort(struct abt_routes *routes)
{
	if (routes->count > 1)
		qsort(routes->routes, routes->count, sizeof(*routes->routes),
		    by_priority);
}

static bool
any_matches(const struct abt_bytes *patterns, size_t count,
    struct abt_bytes text, bool nocase)
{
	size_t i;

	if (count == 0)
		return true;
	for (i = 0; i < count; i++)
		if (abt_pattern_match(patterns[i], text, nocase))
			return true;
	return false;
}

static void
fill_match(struct abt_match *match, const struct abt_route *route)
{
	match->route = route;
	match->action = route->action;
	match->priority = route->priority;
	match->function = route->function;
	match->target_group_arn = route->target_group_arn;
}

int
abt_route_find(struct abt_call *call, struct abt_report *report)
{
	const struct abt_routes *routes = call->front->routes;
	struct abt_bytes path = { NULL, 0 }, host = { NULL, 0 };
	size_t i;

	for (i = 0; i < routes->count; i++) {
		const struct abt_route *route = &routes->routes[i];

		/* most fronts have one rule without conditions */
		if (route->path_count > 0 && path.p == NULL)
			path =
			    abt_path_normal(call->request->path, call->arena);
		if (route->host_count > 0 && host.p == NULL)
			host = abt_request_host(call->request);
		if (any_matches(route->paths, route->path_count, path, false) &&
		    any_matches(route->hosts, route->host_count, host, true)) {
			fill_match(&call->match, route);
			return 0;
		}
	}
	return abt_break(report, ABT_RULE_ALB_NO_TARGET, call->request->path);
}
