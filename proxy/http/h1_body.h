/*
 * h1_body.h - decoders of request bodies as small state structs
 *
 * Pure and incremental: bytes may come cut anywhere.
 */
#ifndef ABT_HTTP_H1_BODY_H
#define ABT_HTTP_H1_BODY_H

#include "albatross/http.h"

/* A chunked body (RFC 9112 7.1). */
struct abt_chunked {
	int state;
	int line_state; /* inside a line: have we seen CR? */
	unsigned digits;
	uint64_t left;     /* data bytes of this chunk still to come */
	uint64_t total;    /* data bytes so far */
	uint64_t overhead; /* bytes of size lines and extensions so far */
	size_t trailer_size;
	char *line; /* an unfinished trailer line, in the arena */
	size_t line_size, line_room;
	bool lenient; /* a bare LF ends lines (fronts) */
	bool bare_lf; /* one was seen: the connection must close after it */
};

enum abt_chunked_result {
	ABT_CHUNKED_MORE,   /* all input used, more needed */
	ABT_CHUNKED_DATA,   /* |data| is a piece of body inside |in| */
	ABT_CHUNKED_DONE,   /* the body is complete; trailers were read */
	ABT_CHUNKED_BROKEN, /* the rule is in the report */
};

void abt_chunked_init(struct abt_chunked *c, bool lenient);

/*
 * Take bytes from the front of |in| (moved forward by what was used).  Call
 * again after DATA.  |trailers| (may be NULL) collects trailer fields, copied
 * into |arena|.  |trailer_max| bounds the bytes of all trailer lines.
 */
enum abt_chunked_result abt_chunked_read(struct abt_chunked *c,
    struct abt_bytes *in, struct abt_bytes *data, struct abt_headers *trailers,
    struct abt_arena *arena, size_t trailer_max, struct abt_report *report);

#endif
