/*
 * guard.h - what a loop and the guard say to each other
 *
 * A SOCK_SEQPACKET pair for each loop.  A request is this struct and, for a
 * start, its strings (file, directory, argv, envp; each ended by NUL) behind
 * it or, when they are long, in a memfd.  Descriptors travel as SCM_RIGHTS in
 * the order of their bits.  The child's number (id) is the loop's own; the
 * guard never invents one.
 */
#ifndef ABT_FUNCTION_GUARD_H
#define ABT_FUNCTION_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define ABT_GUARD_LOOPS    64
#define ABT_GUARD_CHILDREN 8192
#define ABT_GUARD_INLINE   65536     /* strings that travel in the message */
#define ABT_GUARD_STRINGS  (4 << 20) /* at most, in a memfd */
#define ABT_GUARD_MARKER   192

enum abt_guard_kind {
	ABT_GUARD_START,
	ABT_GUARD_SIGNAL, /* to the process group */
	ABT_GUARD_KILL,   /* the leader and all its descendants */
	ABT_GUARD_STARTED,
	ABT_GUARD_ENDED,
};

/* Which descriptors come with a start. */
#define ABT_GUARD_STDIN   0x1u
#define ABT_GUARD_STDOUT  0x2u
#define ABT_GUARD_STDERR  0x4u
#define ABT_GUARD_MEMORY  0x8u
#define ABT_GUARD_OUT_ERR 0x10u /* stderr is stdout's descriptor */
/* and a wish: what the child leaves behind is not killed */
#define ABT_GUARD_KEEP 0x20u
/* nobody asks whether it has started: only failures are told */
#define ABT_GUARD_QUIET 0x40u

struct abt_guard_request {
	uint32_t kind, id;
	uint32_t fds; /* ABT_GUARD_STDIN ... */
	int32_t signal;
	uint32_t argc, envc;
	uint32_t size; /* of all strings */
	uint32_t pad_;
};

struct abt_guard_reply {
	uint32_t kind, id;
	int32_t pid;
	int32_t error; /* STARTED: an errno, or 0 */
	int32_t status;
	uint32_t pad_;
	struct rusage usage;
};

/* The server's end of the channel of loop |index|, or -1; |generation| tells
 * one guard from the one that was started in its place. */
int abt_guard_channel(unsigned index, unsigned *generation);
/* The guard of |generation| is gone: start another one unless another loop did
 * so already.  The new channel, or -1. */
int abt_guard_renew(unsigned index, unsigned *generation);

/* Close all channels and wait for the guard to end. */
void abt_guard_close(void);

/* ---- inside the guard: no malloc, no stdio, no locks ---- */

/* Serve the channels until all are closed, then kill what is left.  Never
 * returns. */
void abt_guard_main(const int *channels, unsigned count)
    __attribute__((noreturn));

/* What a child is started with; the strings are ready for execve. */
struct abt_guard_program {
	const char *file, *directory;
	char **argv, **envp;
	int fds[3]; /* of the child's 0, 1, 2 */
};
/* Start it in a process group of its own.  The pid, or minus an errno. */
pid_t abt_guard_spawn(const struct abt_guard_program *program);

/* The children of process |pid| (of all its threads) that fit into |list|;
 * returns how many. */
unsigned abt_guard_children(pid_t pid, pid_t *list, unsigned max);
/* The same for the calling process, which has one thread: its list stays open
 * and is read anew each time.  |fd| -1: as above. */
int abt_guard_open_own(void);
unsigned abt_guard_own(int fd, pid_t *list, unsigned max);
/* Stop |root| and all that descends from it, then kill it all: nobody forks
 * away in between. */
void abt_guard_kill_tree(pid_t root);
/* The line of |pid|'s environment that begins with |name| ("X="), into |out|.
 * 1: found, 0: none, -1: it cannot be told (gone, or no environment). */
int abt_guard_marker(pid_t pid, const char *name, char *out, size_t size);
/* When |pid| started, in clock ticks since the machine did; 0 when gone. */
uint64_t abt_guard_started_at(pid_t pid);

#endif
