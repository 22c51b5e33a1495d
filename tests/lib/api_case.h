/*
 * api_case.h - one case of apigw.md 12 through the pure translation
 */
#ifndef ABT_TESTS_API_CASE_H
#define ABT_TESTS_API_CASE_H

#include "lib/case_file.h"

/* Is |area| one of rest, http1, http2 and url, or another dialect whose fronts
 * have no listener rules? */
bool abt_api_case_is_area(struct abt_bytes area);

/* Run |c| and collect what is wrong with it. */
void abt_api_case_run(const struct abt_json *c, struct abt_fault *fault);

/* The same again and again, the n-th allocation failing, for every n: the right
 * answer or the one for lack of memory. */
void abt_api_case_sweep(const struct abt_json *c, struct abt_fault *fault);

/* Request to event to request, response to result to response. */
void abt_api_case_round_trip(const struct abt_json *c, struct abt_fault *fault);

#endif
