/*
 * context_log.h - access log lines of APIs: AWS's formats of $context variables
 */
#ifndef ABT_GATEWAY_CONTEXT_LOG_H
#define ABT_GATEWAY_CONTEXT_LOG_H

#include "gateway/call_state.h"

/* The format that clf, json, csv or xml names; any other text is a format. */
struct abt_bytes abt_context_log_format(struct abt_bytes name);

/* The line of a finished call, without its end, behind what is in |line|. */
void abt_context_log_line(struct abt_buf *line, struct abt_call_state *state,
    struct abt_bytes format);

#endif
