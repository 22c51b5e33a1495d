/*
 * target.h - the request target: its forms, path and query
 */
#ifndef ABT_HTTP_TARGET_H
#define ABT_HTTP_TARGET_H

#include "albatross/http.h"

/*
 * Split req->target into path, query, scheme and authority.  Nothing is
 * decoded.  0, or -1 with the rule: a target that is served in no mode (alb.md
 * E3.3 to E3.6).  CONNECT's authority-form is left to the handler: path is then
 * the target.  Without |strict_path| any path passes: function URLs hand broken
 * escapes on (apigw.md 3.1).
 *
 * Source: RFC 9112 3.2; alb.md 1.3.
 */
int abt_target_read(
    struct abt_request *req, bool strict_path, struct abt_report *report);

#endif
