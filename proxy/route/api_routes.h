/*
 * api_routes.h - the routes of APIs: a REST API's resource tree, an HTTP API's
 * route keys
 */
#ifndef ABT_ROUTE_API_ROUTES_H
#define ABT_ROUTE_API_ROUTES_H

#include "albatross/call.h"

enum abt_segment_kind {
	ABT_SEGMENT_LITERAL,
	ABT_SEGMENT_PARAMETER, /* {id} */
	ABT_SEGMENT_GREEDY,    /* {proxy+}, the last one */
};

struct abt_segment {
	enum abt_segment_kind kind;
	struct abt_bytes text; /* the literal, or the parameter's name */
};

/* One method of one resource, or one route key. */
struct abt_api_route {
	struct abt_bytes key;      /* "GET /pets/{id}", "$default" */
	struct abt_bytes method;   /* "GET", "ANY"; empty: $default */
	struct abt_bytes resource; /* "/pets/{id}", "$default" */
	struct abt_segment *segments;
	size_t segment_count, param_count;
	struct abt_bytes resource_id; /* made from the resource */
	/* filled by whoever makes the routes */
	enum abt_action action;
	const void *function;
	const void *setup; /* of a REST method: match.method */
};

/* Sorted: what is more specific comes first. */
struct abt_api_routes {
	struct abt_api_route *routes;
	size_t count;
	enum abt_routing routing;
};

/*
 * Read "METHOD /path" or "$default" into |route|, slices into |key| and
 * |arena|.  0, or -1 with a clause in |why|: what is wrong with it and how to
 * mend it.
 */
int abt_api_route_parse(struct abt_bytes key, enum abt_routing routing,
    struct abt_arena *arena, struct abt_api_route *route, char *why,
    size_t size);

/* Put |routes| in the order of evaluation. */
void abt_api_routes_sort(struct abt_api_routes *routes);

/*
 * Take stage and base path off, find the route by the service's precedence
 * (apigw.md 1.7, 1.8, 2.11) and fill call->match.  0, or -1 with the rule.
 */
int abt_api_route_find(struct abt_call *call, struct abt_report *report);

/* The same for a function URL: whatever the path, its only route. */
int abt_url_route_find(struct abt_call *call, struct abt_report *report);

#endif
