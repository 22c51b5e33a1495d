/*
 * function_private.h - what admission (function.c), making (function_make.c)
 * and log lines (function_log.c) share
 */
#ifndef ABT_FUNCTION_FUNCTION_PRIVATE_H
#define ABT_FUNCTION_FUNCTION_PRIVATE_H

#include "function/function.h"

/* The function's one timer: deadlines and the queue. */
void abt_function_on_timer(struct abt_timer *timer);

/* What is logged at the end, kept because |inv| is given back first. */
struct abt_last_lines {
	char request_id[40];
	char report[512];
};

void abt_function_keep_last_lines(
    const struct abt_invocation *inv, struct abt_last_lines *last);
/* END and REPORT. */
void abt_function_log_last_lines(
    const struct abt_function *function, const struct abt_last_lines *last);
/* "Task timed out after ..." (R2.66) */
void abt_function_log_timeout(const struct abt_invocation *inv);

#endif
