/*
 * spawner.h - a loop's channel to the guard, and the table of its processes
 */
#ifndef ABT_FUNCTION_SPAWNER_H
#define ABT_FUNCTION_SPAWNER_H

#include "function/guard.h"
#include "function/process.h"

#define ABT_SPAWNER_TABLE 256 /* a power of two */

struct abt_process {
	struct abt_process *next; /* in its row of the table */
	struct abt_spawner *spawner;
	uint32_t id;
	pid_t pid; /* 0: not started yet, or ended */
	bool over;
	struct abt_timer kill_timer;
	void (*started)(struct abt_process *, void *context, int error);
	void (*ended)(struct abt_process *, void *context, int status,
	    const struct rusage *usage);
	void *context;
};

struct abt_outgoing;

struct abt_spawner {
	struct abt_loop *loop;
	int fd;
	unsigned generation;
	uint32_t last_id;
	struct event readable, writable;
	struct abt_outgoing *first, **last;
	struct abt_process *table[ABT_SPAWNER_TABLE];
};

/* Give |process| a number and a place in the table; take it out. */
void abt_spawner_enter(
    struct abt_spawner *spawner, struct abt_process *process);
void abt_spawner_leave(struct abt_process *process);

/* Send a request, or have it wait until it fits: nothing here blocks.  The
 * descriptors are closed in the end, whatever happens.  0, or -1. */
int abt_spawner_send(struct abt_spawner *spawner, const void *data, size_t size,
    const int *fds, unsigned fd_count);
/* A request that is about a process that was started. */
void abt_spawner_order(struct abt_process *process, uint32_t kind, int number);

void abt_close_fds(const int *fds, unsigned count);

#endif
