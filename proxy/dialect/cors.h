/*
 * cors.h - CORS as HTTP APIs and function URLs do it by themselves
 */
#ifndef ABT_DIALECT_CORS_H
#define ABT_DIALECT_CORS_H

#include "albatross/call.h"
#include "albatross/option.h"

struct abt_cors {
	struct abt_list origins, methods, headers, expose;
	int64_t max_age; /* seconds; negative: not set */
	bool credentials;
};

/* AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders, MaxAge,
 * AllowCredentials. */
extern const struct abt_option abt_cors_option_rows[];

/* Is there anything to do?  With nothing set a front leaves CORS alone. */
bool abt_cors_is_on(const struct abt_cors *cors);

/*
 * 1 when the request is a preflight (apigw.md H9.1): its answer's status and
 * CORS headers are then in |response|; 0 when it is none or CORS is off.
 */
int abt_cors_preflight(const struct abt_cors *cors, const struct abt_call *call,
    int status, struct abt_response *response);

/* The front's CORS headers in place of the function's (H9.6, H9.7).  A
 * preflight has all it needs and is left alone. */
void abt_cors_apply(const struct abt_cors *cors, const struct abt_call *call,
    struct abt_response *response);

/* Would abt_cors_apply drop this header of the function? */
bool abt_cors_owns(struct abt_bytes name);

/* Does the list of allowed origins hold |origin| (H9.4)?  |wildcard| tells that
 * "*" did it. */
bool abt_cors_allows(
    const struct abt_cors *cors, struct abt_bytes origin, bool *wildcard);

#endif
