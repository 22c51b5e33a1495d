/*
 * judge.h - the tier of a deviation x the mode of a front
 */
#ifndef ABT_HTTP_JUDGE_H
#define ABT_HTTP_JUDGE_H

#include "albatross/http.h"

/*
 * Let through what |report| holds, or not (alb.md 4.1).  0: serve it; |req|'s
 * keep_alive is cleared where the connection must close after it.  -1: refuse,
 * the rule is in |report|->broken.
 */
int abt_judge(struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report);

#endif
