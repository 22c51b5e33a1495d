/*
 * net_stream.h - a handler for net_world that answers in pieces
 *
 * /echo sends the request's body back while it comes; every other path leaves
 * all to the test, which finds the last exchange in stream.x.
 */
#ifndef ABT_TESTS_LIB_NET_STREAM_H
#define ABT_TESTS_LIB_NET_STREAM_H

#include "lib/net_world.h"

struct stream {
	struct abt_exchange *x; /* the test's to answer; NULL once let go */
	bool pause;             /* answer PAUSE to every piece */
	bool pause_head;        /* not ready for the body at all */
	bool reply_broken;      /* on_broken lets go by itself */
	unsigned drained, pauses;
	size_t got;     /* bytes of body */
	size_t waiting; /* the most that ever waited (/echo) */
	uint64_t hash;  /* of the body */
};

extern struct stream stream;
extern const struct abt_handler stream_handler;

/* FNV-1a, going on from |hash| (0: the beginning). */
uint64_t stream_hash(uint64_t hash, struct abt_bytes b);

#endif
