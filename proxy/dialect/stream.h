/*
 * stream.h - streamed results: a prelude, eight NULs, then bytes
 */
#ifndef ABT_DIALECT_STREAM_H
#define ABT_DIALECT_STREAM_H

#include "albatross/dialect.h"

/* The Content-Type of streams that begin with a prelude (apigw.md U2.1). */
#define ABT_STREAM_TYPE "application/vnd.awslambda.http-integration-response"

/* How far the beginning of a stream has come. */
struct abt_stream {
	struct abt_bytes content_type; /* of the stream; empty: none */
	bool has_prelude;
	bool is_open; /* all that follows is body */
	bool broken;
	unsigned nuls;
	struct abt_buf prelude;
};

/* |content_type| is what the runtime gave the stream; it must live as long.
 * Set |has_prelude| where every stream of a dialect has one. */
void abt_stream_init(struct abt_stream *stream, struct abt_bytes content_type,
    struct abt_pool *pool);
void abt_stream_end(struct abt_stream *stream);

/*
 * Take the stream's beginning out of |in|, however it is cut: what is left in
 * it is body.  True when the head can be made: the stream is open, or broken,
 * or out of memory (prelude.failed), which abt_stream_head tells.
 */
bool abt_stream_feed(struct abt_stream *stream, struct abt_bytes *in);

/*
 * The head of the response, by the dialect of the call, whose body follows in
 * chunks.  0, or -1 with the broken rule: nothing was sent yet, so the front
 * can still answer by itself.  Call it at the end of a stream too that never
 * opened.
 */
int abt_stream_head(const struct abt_call *call, struct abt_stream *stream,
    struct abt_response *response, struct abt_report *report);

#endif
