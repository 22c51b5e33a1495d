/*
 * route.h - a front's routes, whatever their kind: find one, fill the match
 */
#ifndef ABT_ROUTE_ROUTE_H
#define ABT_ROUTE_ROUTE_H

#include "albatross/call.h"
#include "albatross/json.h"

/* The parts of a redirect (alb.md 6.3), as written, keywords inside. */
struct abt_redirect {
	int status; /* 301, 302 */
	struct abt_bytes protocol, host, port, path, query;
};

struct abt_fixed_response {
	int status;
	struct abt_bytes content_type; /* empty: text/plain */
	struct abt_bytes body;
};

/* One listener rule (alb.md 6.1); an empty condition list always holds. */
struct abt_route {
	int priority;                    /* 1 to 50000; 0: the default rule */
	struct abt_bytes *paths, *hosts; /* wildcard patterns */
	size_t path_count, host_count;
	enum abt_action action;
	const void *function; /* of ABT_FORWARD; NULL: no target (503) */
	struct abt_bytes target_group_arn;
	struct abt_redirect redirect;
	struct abt_fixed_response fixed;
};

/* Sorted by priority, the default rule last. */
struct abt_routes {
	struct abt_route *routes;
	size_t count;
};

/* Put |routes| in the order of evaluation. */
void abt_routes_sort(struct abt_routes *routes);

/*
 * Find the route of |call|: fills call->match.  0, or -1 when there is none
 * (the rule is in |report|).
 */
int abt_route_find(struct abt_call *call, struct abt_report *report);

/* Does the wildcard |pattern| (* and ?) cover all of |text|? */
bool abt_pattern_match(
    struct abt_bytes pattern, struct abt_bytes text, bool nocase);

/* |path| as path-pattern sees it: percent-decoded, slashes merged, dot segments
 * resolved (alb.md Q22).  In |arena|. */
struct abt_bytes abt_path_normal(
    struct abt_bytes path, struct abt_arena *arena);

/* Host of the request as rules see it: authority or first Host, no port. */
struct abt_bytes abt_request_host(const struct abt_request *req);

#endif
