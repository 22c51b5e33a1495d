/*
 * rest_inverse.h - REST APIs and format 1.0, the other way round
 */
#ifndef ABT_DIALECT_REST_INVERSE_H
#define ABT_DIALECT_REST_INVERSE_H

#include "albatross/dialect.h"

bool abt_rest_recognise(const struct abt_json *event);
int abt_rest_read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report);
bool abt_http_v1_recognise(const struct abt_json *event);
int abt_http_v1_read_event(const struct abt_json *event,
    struct abt_origin *origin, struct abt_request *request,
    struct abt_report *report);

/* Of both. */
int abt_rest_write_result(const struct abt_origin *origin,
    const struct abt_response *response, bool prelude, struct abt_json_out *out,
    struct abt_report *report);

#endif
