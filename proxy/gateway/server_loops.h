/*
 * server_loops.h - the loops of a server and how they are spoken to
 */
#ifndef ABT_GATEWAY_SERVER_LOOPS_H
#define ABT_GATEWAY_SERVER_LOOPS_H

#include <pthread.h>

#include "net/loop.h"

#define ABT_LOOPS_MAX 64

struct abt_loops {
	struct abt_loop *loop[ABT_LOOPS_MAX];
	pthread_t thread[ABT_LOOPS_MAX]; /* of all but the first */
	unsigned count, started;
};

/* One per CPU that we may run on, at most 16; |wanted| if it is not 0. */
unsigned abt_loops_count(unsigned wanted);
/* Make |count| loops.  0, or -1. */
int abt_loops_new(struct abt_loops *loops, unsigned count);
void abt_loops_free(struct abt_loops *loops);

/* Start the threads of all loops but the first, with all signals blocked.  They
 * run when every one is there.  0, or -1. */
int abt_loops_start(struct abt_loops *loops);
/* Stop all loops, from the first one's thread; join the threads. */
void abt_loops_stop(struct abt_loops *loops);
void abt_loops_join(struct abt_loops *loops);

/*
 * Run |work| on |loop| and wait for it.  Called from the first loop's thread,
 * for the rare things (reload): loops never wait for the first one, so this
 * cannot lock up.  Direct when |loop| is the caller's own or none runs yet.
 */
void abt_loops_run_on(struct abt_loops *loops, struct abt_loop *loop,
    void (*work)(struct abt_loop *loop, void *context), void *context);

#endif
