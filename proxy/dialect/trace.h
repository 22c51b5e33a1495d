/*
 * trace.h - the trace header of API Gateway and function URLs
 */
#ifndef ABT_DIALECT_TRACE_H
#define ABT_DIALECT_TRACE_H

#include "albatross/call.h"

/*
 * Fill call->trace_id, the X-Amzn-Trace-Id of the event, and
 * call->invoke_trace, "Root=...;Parent=...;Sampled=..." for Lambda.  A header
 * of the client that has a Root is kept as it is; what it lacks is made from
 * facts.random (apigw.md R3.9, R8.2).
 */
void abt_trace_fill(struct abt_call *call);

/* Has it Root, Parent and Sampled?  Then it is echoed as it is (R8.2). */
bool abt_trace_is_full(struct abt_bytes sent);

#endif
