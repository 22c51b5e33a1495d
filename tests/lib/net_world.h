/*
 * net_world.h - a loop with a listener, clients beside it, one thread
 *
 * The handler answers "METHOD TARGET LENGTH" and keeps count of every call.
 * Paths steer it: see net_world.c.
 */
#ifndef ABT_TESTS_LIB_NET_WORLD_H
#define ABT_TESTS_LIB_NET_WORLD_H

#include "net/listener.h"

#define WORLD_HELD 16

struct world {
	struct abt_loop *loop;
	struct abt_listener *listener;
	struct abt_policy policy;
	struct abt_listener_options options;
	unsigned port;
	/* exchanges of /hold that wait for world_release */
	struct abt_exchange *held[WORLD_HELD];
	unsigned held_count;
	/* what happened */
	unsigned heads, readies, broken, gone, half_closed, done, left;
	const struct abt_rule *rule; /* of the last exchange that ended */
	struct abt_peer peer;        /* of the last head */
	char tls[3][64];             /* version, cipher, SNI of the last head */
	uint64_t received, sent;     /* of the last one done */
	size_t body_size;            /* of the last one ready */
	bool body_good;              /* it was made by world_fill */
};

/* Open with policy and options as they stand (zeroed: no limits, and the
 * handler of net_world.c). */
void world_open(struct world *world);
/* Cut all and close; every exchange must have ended. */
void world_close(struct world *world);

/* Let the loop turn for |ms|; 0: one turn. */
void world_turn(struct world *world, int ms);
/* Answer the oldest exchange held. */
void world_release(struct world *world);

/* A client, non-blocking. */
int world_connect(const struct world *world);
/* Send all of |text|, turning while the socket is full. */
void world_send(struct world *world, int fd, const char *text, size_t n);
/* Read into |out| until EOF or nothing more for |ms|; NUL-terminated.  Returns
 * the length; |eof| (may be NULL) tells whether the end was seen. */
size_t world_read(
    struct world *world, int fd, char *out, size_t size, int ms, bool *eof);
/* Connect, send, read, close. */
size_t world_talk(
    struct world *world, const char *text, char *out, size_t size);

/* A body one can check. */
void world_fill(char *out, size_t n);
bool world_is_filled(struct abt_bytes body);

#endif
