/*
 * h1_response.h - reading one HTTP/1.x response head
 *
 * For our own client.  Strict: whatever two readers could read in two ways is
 * refused, because a connection that is used again would carry the rest of one
 * answer into the next (response splitting).
 */
#ifndef ABT_HTTP_H1_RESPONSE_H
#define ABT_HTTP_H1_RESPONSE_H

#include "albatross/http.h"

enum abt_response_framing {
	ABT_RESPONSE_NO_BODY,
	ABT_RESPONSE_LENGTH,
	ABT_RESPONSE_CHUNKED,
	ABT_RESPONSE_TO_END, /* of the connection */
};

struct abt_response_head {
	int status;  /* 100 to 599 */
	int version; /* 10 or 11 */
	struct abt_bytes reason;
	struct abt_headers headers; /* all of them, in order */
	enum abt_response_framing framing;
	uint64_t length; /* of ABT_RESPONSE_LENGTH */
	bool has_length; /* it was told, also where no body comes (HEAD) */
	bool keep_alive;
	int keep_seconds; /* Keep-Alive: timeout=; -1: not said */
};

/* Length of the head at the front of |in| with its empty line, or 0: more is
 * needed.  |seen| bytes were looked at before. */
size_t abt_h1_response_end(struct abt_bytes in, size_t seen);

/*
 * Read the head |in| (what abt_h1_response_end measured), the answer to a HEAD
 * request or to another.  Slices point into |in|.  NULL, or what is wrong with
 * it: a clause for "the server ...".
 */
const char *abt_h1_response_read(struct abt_bytes in, bool to_head,
    struct abt_arena *arena, struct abt_response_head *head);

#endif
