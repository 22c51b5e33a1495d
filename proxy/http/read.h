/*
 * read.h - a whole request out of raw bytes, without a connection
 *
 * What `albatross event`, the case runner and the fuzzers use; the server's
 * codec puts the same pieces together as bytes arrive.
 */
#ifndef ABT_HTTP_READ_H
#define ABT_HTTP_READ_H

#include <sys/types.h>

#include "albatross/http.h"

/*
 * Read one request from the front of |raw|.  With |on_head| non-NULL it is
 * called once the head has been read and judged, before the body; when it
 * returns -1 the request is refused (the rule is in |report|).
 *
 * Returns the bytes used, 0 when the request is not complete, -1 when it is
 * refused.
 */
ssize_t abt_request_read(struct abt_bytes raw, const struct abt_policy *policy,
    int (*on_head)(
	void *context, struct abt_request *req, struct abt_report *report),
    void *context, struct abt_arena *arena, struct abt_request *req,
    struct abt_report *report);

#endif
