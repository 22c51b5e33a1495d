/*
 * albatross.h - umbrella for embedders: event from request, response from
 * result
 *
 * Pure: no socket, no clock, no chance.  Link with libalbatross.
 */
#ifndef ALBATROSS_H
#define ALBATROSS_H

#include "albatross/dialect.h"

#define ABT_VERSION "0.1.0"

/*
 * The event that |call|->front would send for the raw HTTP/1.x request |raw|.
 * |call| has front, facts and arena; request and match are filled here.
 * |event| is given the JSON, in the arena.
 *
 * Returns ABT_FORWARD's 0 with the event; 1 when the front answers without a
 * function (|response| is filled: refusal, redirect, fixed response; a
 * refusal's rule is report->broken); -1 when the request is not complete.
 */
int abt_event_from_request(struct abt_call *call, struct abt_bytes raw,
    struct abt_bytes *event, struct abt_response *response,
    struct abt_report *report);

/*
 * The response that |call|->front makes of |result|.  |function_error| says
 * that the invoke reply was flagged.  Always fills |response|; 0, or -1 when it
 * is the front's own answer to a broken result (report->broken).
 */
int abt_response_from_result(const struct abt_call *call,
    struct abt_bytes result, bool function_error, struct abt_response *response,
    struct abt_report *report);

#endif
