/*
 * api_world.h - what a case of apigw.md 12 sets up
 */
#ifndef ABT_TESTS_API_WORLD_H
#define ABT_TESTS_API_WORLD_H

#include "albatross/dialect.h"
#include "dialect/rest.h"
#include "lib/case_file.h"
#include "route/api_routes.h"
#include "route/route.h"

#define ABT_API_WORLD_ROUTES 32

struct abt_api_world {
	struct abt_arena arena;
	struct abt_front front;
	struct abt_api api;
	struct abt_routes no_rules;
	struct abt_api_route route[ABT_API_WORLD_ROUTES];
	struct abt_api_routes routes;
	struct abt_rest_method method;
	struct abt_facts facts;
	struct abt_bytes request, result, http_method;
	const struct abt_rule *failure; /* of the call; NULL: it works */
	bool has_result, flagged;
	bool streams; /* |result| comes in pieces */
	struct abt_bytes stream_type;
};

/* Make it of |c|; false after a complaint.  The end is abt_arena_end. */
bool abt_api_world_make(
    struct abt_api_world *w, const struct abt_json *c, struct abt_fault *fault);

#endif
