/*
 * guard_children.h - the guard's table of children
 */
#ifndef ABT_FUNCTION_GUARD_CHILDREN_H
#define ABT_FUNCTION_GUARD_CHILDREN_H

#include <time.h>

#include "function/guard.h"

#define ABT_GUARD_SWEEP_MS 2000 /* how long we hunt for what a child left */

enum abt_child_state {
	ABT_CHILD_FREE,
	ABT_CHILD_RUNNING,
	ABT_CHILD_SWEEPING, /* reaped; its descendants are being killed */
};

struct abt_guard_child {
	unsigned char state;
	bool tell_started, tell_ended; /* replies that did not fit yet */
	bool keep;                     /* what it leaves behind goes on */
	uint32_t id;
	int channel;
	pid_t pid;
	int error, status;
	uint64_t since;      /* clock ticks since boot */
	int64_t sweep_until; /* ms */
	struct rusage usage;
	char marker[ABT_GUARD_MARKER];
};

extern struct abt_guard_child abt_guard_table[ABT_GUARD_CHILDREN];
extern unsigned abt_guard_top;      /* all beyond are free */
extern unsigned abt_guard_sweeping; /* how many are being swept */

int64_t abt_guard_ms(clockid_t clock);

/* A free place, or NULL; the child that runs as |id| of |channel|, or NULL. */
struct abt_guard_child *abt_guard_child_new(int channel, uint32_t id);
struct abt_guard_child *abt_guard_child_find(int channel, uint32_t id);
/* Keep the line of its environment that tells whose its descendants are. */
void abt_guard_child_mark(struct abt_guard_child *child, char *const *envp);
void abt_guard_child_end(struct abt_guard_child *child);

/* The processes right below us, by an open list. */
void abt_guard_children_open(void);
unsigned abt_guard_children_list(pid_t *list, unsigned max);

/* One pass over all that is being swept: kill what ended children left, and
 * free the places of those that left nothing more. */
void abt_guard_sweep(void);

#endif
