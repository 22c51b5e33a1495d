/*
 * runtime_api.h - what the rooms of the Runtime API share: its handler
 * (runtime_api.c), its answers (runtime_answers.c) and what a process posts
 * (runtime_results.c)
 */
#ifndef ABT_FUNCTION_RUNTIME_API_H
#define ABT_FUNCTION_RUNTIME_API_H

#include "function/runtime.h"

#define ABT_API_BODY_MAX 6291556 /* 6 MiB + 100 (R1.33) */

enum abt_call_kind {
	ABT_CALL_UNKNOWN,
	ABT_CALL_WRONG_METHOD,
	ABT_CALL_PING,
	ABT_CALL_NEXT,
	ABT_CALL_RESPONSE,
	ABT_CALL_ERROR,
	ABT_CALL_INIT_ERROR,
	ABT_CALL_NO_MEMORY,
};

/* ---- runtime_answers.c: each answers |x| and lets it go ---- */

void abt_api_reply(struct abt_exchange *x, int status, struct abt_bytes type,
    struct abt_bytes body);
void abt_api_reply_accepted(struct abt_exchange *x);  /* 202 */
void abt_api_reply_bad_id(struct abt_exchange *x);    /* 400 */
void abt_api_reply_bad_mode(struct abt_exchange *x);  /* 400 */
void abt_api_reply_truncated(struct abt_exchange *x); /* 400 */
void abt_api_reply_forbidden(struct abt_exchange *x, enum abt_api_state from,
    enum abt_api_state to);                           /* 403 */
void abt_api_reply_too_large(struct abt_exchange *x); /* 413 */
void abt_api_reply_fault(struct abt_exchange *x);     /* 500 */

/* ---- runtime_results.c ---- */

/* A response or an error begins: judge its head; |id| is from its path. */
void abt_api_begin_posting(struct abt_api_call *call, struct abt_bytes id);
/* A piece of a streamed one: handler entry on_data. */
int abt_api_streamed(struct abt_exchange *x, struct abt_bytes data);
/* It is there whole. */
void abt_api_posted(struct abt_instance *instance, struct abt_api_call *call);
/* It never will be: handler entry on_broken. */
void abt_api_broken(struct abt_exchange *x);
void abt_api_init_error(
    struct abt_instance *instance, struct abt_api_call *call);

#endif
