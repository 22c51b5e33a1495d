/*
 * round_trip.h - there and back: request, event, request; response, result,
 * response
 *
 * What may be lost on the way is written down in docs/what-dialects-lose.md;
 * these checks know it too, each loss by a line of its own, and demand
 * everything else.
 */
#ifndef ABT_TESTS_ROUND_TRIP_H
#define ABT_TESTS_ROUND_TRIP_H

#include "albatross/dialect.h"

/*
 * |event| was written for |call|.  Its request must be that of the call, and
 * the event of that request |event| again.  NULL, or a sentence in the arena of
 * the call about what came back differently.  |origin| is filled.
 */
const char *abt_round_trip_event(const struct abt_call *call,
    struct abt_bytes event, struct abt_origin *origin);

/*
 * |response| written as a result must be read as the same response by the front
 * of |call|.  What fronts make by themselves is left out on both sides.
 */
const char *abt_round_trip_result(const struct abt_call *call,
    const struct abt_origin *origin, const struct abt_response *response);

#endif
