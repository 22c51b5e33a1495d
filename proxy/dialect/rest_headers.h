/*
 * rest_headers.h - the header maps of a result become header lines
 */
#ifndef ABT_DIALECT_REST_HEADERS_H
#define ABT_DIALECT_REST_HEADERS_H

#include "dialect/rest.h"

/*
 * Merge |single| and |multi| (either may be NULL: none) into the lines of
 * |response|; Content-Type, which is made when there is none, stands among our
 * own.  0, or -1 with the broken rule.
 */
int abt_rest_read_headers(const struct abt_call *call,
    const struct abt_json *single, const struct abt_json *multi,
    struct abt_response *response, struct abt_report *report);

/* The default, unless there is one (R8.3). */
void abt_rest_default_type(
    const struct abt_call *call, struct abt_response *response);

/* A string, or a number or boolean as its JSON text. */
struct abt_bytes abt_rest_scalar(const struct abt_json *value);

#endif
