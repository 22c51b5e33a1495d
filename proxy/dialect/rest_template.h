/*
 * rest_template.h - references to the request in templates and parameters
 */
#ifndef ABT_DIALECT_REST_TEMPLATE_H
#define ABT_DIALECT_REST_TEMPLATE_H

#include "dialect/rest.h"

/* What went wrong, for $context.error.*; NULL where nothing did. */
struct abt_rest_error {
	const char *type; /* "BAD_REQUEST_BODY"; NULL: none of AWS's */
	int status;
	struct abt_bytes message;
};

/*
 * The value of a mapping expression: 'literal', context.x, stageVariables.x,
 * method.request.{header,querystring,path}.x.  Empty when there is none.
 */
struct abt_bytes abt_rest_value(const struct abt_call *call,
    const struct abt_rest_error *error, struct abt_bytes expression);

/*
 * |template| with its references replaced: $context.x, $stageVariables.x,
 * $method.request..., $input.params('x'), $input.body, ${...} of all.  Other
 * text stays, but lines of directives (#set, #if ...) are left out: this is no
 * VTL.
 */
struct abt_bytes abt_rest_render(const struct abt_call *call,
    const struct abt_rest_error *error, struct abt_bytes template);

/*
 * The value of |map| for the media type |type|; "application/json" when |type|
 * is empty or *, NULL when there is none.
 */
const struct abt_json *abt_rest_for_type(
    const struct abt_json *map, struct abt_bytes type);

/* The same by the Accept of the client, else "application/json", else the
 * first; NULL when |map| is empty. */
const struct abt_json *abt_rest_for_accept(
    const struct abt_call *call, const struct abt_json *map);

/*
 * Put an API's own gateway response in place of the built-in one (1.13,
 * customising): status, headers and body.  False when the body is to be the
 * built-in one.
 */
bool abt_rest_customise(const struct abt_call *call,
    const struct abt_rest_error *error, struct abt_response *response);

/* The headers that |parameters| sets, those whose name begins with |prefix|
 * ("method.response.header."). */
void abt_rest_set_headers(const struct abt_call *call,
    const struct abt_rest_error *error, const struct abt_json *parameters,
    struct abt_bytes prefix, struct abt_response *response);

#endif
