/*
 * gateway.h - the journey of a call
 */
#ifndef ABT_GATEWAY_GATEWAY_H
#define ABT_GATEWAY_GATEWAY_H

#include "gateway/setup.h"
#include "net/exchange.h"

/* The handler of fronts; an exchange's owner is its struct abt_front_door. */
extern const struct abt_handler abt_gateway;

/* What a listener of a front gives to every exchange; one per loop and
 * listener, so that |active| needs no lock. */
struct abt_front_door {
	struct abt_setup *setup;
	const struct abt_setup_listener *listener;
	bool messages; /* a function of the setup takes requests itself */
	unsigned long active; /* exchanges between on_head and on_done */
	char apart[64]; /* from the next loop's: each counts in its own line */
};

struct abt_access_log;

/* Per-loop state of this floor, in loop->gateway. */
struct abt_gateway_loop {
	struct abt_loop *loop;
	struct abt_access_log *log; /* shared by all loops; may be NULL */
	char *lines;                /* access lines waiting to be written */
	size_t lines_size;
	struct abt_timer flush;
	bool terminal, color;
	unsigned long active; /* of all doors of the loop */
	int64_t date_second;
	char date[32];
	int64_t told_second; /* failure_log.c: refusals told in this second */
	unsigned told;
	/* Called when |active| falls to 0, may be NULL (drain). */
	void (*idle)(struct abt_gateway_loop *gateway);
	uint64_t requests, failures[ABT_FAILURES];
};

/* Give |loop| its state.  0, or -1 when out of memory. */
int abt_gateway_attach(struct abt_loop *loop, struct abt_access_log *log,
    bool terminal, bool color);
/* Write what waits and free it. */
void abt_gateway_detach(struct abt_loop *loop);

#endif
