/*
 * framing.h - which body follows a head, and every way to be unclear about it
 */
#ifndef ABT_HTTP_FRAMING_H
#define ABT_HTTP_FRAMING_H

#include "albatross/http.h"

/*
 * Decide the framing of |req| (RFC 9112 6.3; alb.md 4.1 from
 * UndefinedTransferEncodingSemantics to BadTransferEncoding): sets framing,
 * length, keep_alive and expects_continue, notes deviations.  0, or -1 when no
 * reading exists in any mode.
 *
 * Severe deviations still get the one reading of monitor mode: the first valid
 * Content-Length, else `chunked` decoded once, else no body.
 */
int abt_framing_decide(struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report);

#endif
