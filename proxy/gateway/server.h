/*
 * server.h - brings a setup to life: loops, listeners, functions; swaps setups;
 * drains
 */
#ifndef ABT_GATEWAY_SERVER_H
#define ABT_GATEWAY_SERVER_H

#include "gateway/setup.h"

struct abt_server_options {
	/* Read the configuration again (SIGHUP); NULL with the reason logged
	 * keeps the old one.  May be NULL: nothing to read. */
	struct abt_setup *(*reload)(void *context);
	void *context;
	bool hangup_drains; /* stderr was a terminal at the start */
	bool terminal;      /* one short line a request on stderr */
	bool color;
	int ready_fd; /* "listening URL" lines, then "ready"; -1: none */
};

/*
 * Serve until told to end.  Takes |setup| over.  Returns the exit status: 0
 * after a drain, 1 when something could not be started (logged), 2 for what the
 * operator can mend in the configuration (logged, nothing was started).
 */
int abt_serve(
    struct abt_setup *setup, const struct abt_server_options *options);

#endif
