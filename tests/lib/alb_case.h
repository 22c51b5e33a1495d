/*
 * alb_case.h - one case of alb.md 9 through the pure translation
 */
#ifndef ABT_TESTS_ALB_CASE_H
#define ABT_TESTS_ALB_CASE_H

#include "lib/case_file.h"

/* Is |area| a dialect whose fronts have listener rules? */
bool abt_alb_case_is_area(struct abt_bytes area);

/* Run |c| and collect what is wrong with it. */
void abt_alb_case_run(const struct abt_json *c, struct abt_fault *fault);

/*
 * Run |c| again and again, the n-th allocation failing, for every n.  Each run
 * must give the right answer or the one for lack of memory.
 */
void abt_alb_case_sweep(const struct abt_json *c, struct abt_fault *fault);

/* Request to event to request, response to result to response. */
void abt_alb_case_round_trip(const struct abt_json *c, struct abt_fault *fault);

#endif
