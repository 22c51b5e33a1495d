/*
 * gateway.h - the journey of a call
 */
#ifndef ABT_GATEWAY_GATEWAY_H
#define ABT_GATEWAY_GATEWAY_H

#include "gateway/setup.h"
#include "net/exchange.h"

/* The handler of fronts; an exchange's owner is its struct abt_front_door. */
extern const struct abt_handler abt_gateway;

/* What a listener of a front gives to every exchange. */
struct abt_front_door {
	struct abt_setup *setup;
	const struct abt_front *front;
	const struct abt_setup_listener *listener;
};

/* Per-loop state: counters, access log buffer; kept in loop->gateway.  |log| is
 * shared by all loops, may be NULL.  0 or -1 (no memory). */
struct abt_access_log;
int abt_gateway_attach(struct abt_loop *loop, struct abt_access_log *log,
    bool terminal, bool color);
void abt_gateway_detach(struct abt_loop *loop);

#endif
