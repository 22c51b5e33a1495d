/*
 * h1_write.h - a response head as HTTP/1.1 bytes
 */
#ifndef ABT_HTTP_H1_WRITE_H
#define ABT_HTTP_H1_WRITE_H

#include "albatross/buf.h"
#include "albatross/http.h"

/*
 * Write status line and fields of |res| into |out|, empty line too.  The order
 * is res->ours, Content-Length (of res->body, or res->length with has_length;
 * none with no_content_length),
 * Connection ("keep-alive" or "close"; none when |connection| is NULL), then
 * res->headers.  The status line always says HTTP/1.1 (alb.md P9).
 */
void abt_h1_write_head(struct abt_buf *out, const struct abt_response *res,
    const char *connection);

#endif
