/*
 * process.h - start a child, watch it, end it with all its descendants
 *
 * Children are started by the guard: a small process of ours, forked before
 * anything else, that is the subreaper of everything it starts.  When the
 * server ends for any reason, SIGKILL included, the guard's pipe closes and it
 * kills all that is left, however often it forked or called setsid.  The guard
 * also reaps and reports exit statuses; a loop never calls waitpid.
 */
#ifndef ABT_FUNCTION_PROCESS_H
#define ABT_FUNCTION_PROCESS_H

#include <sys/resource.h>

#include "net/loop.h"

/* Before that: RLIMIT_NOFILE as it was before the server raised its own; what
 * is started gets |limit|. */
void abt_guard_keep_files(const struct rlimit *limit);
/* Start the guard; once, early, in a single-threaded process.  |loops| channels
 * are made.  0, or -1 with a sentence in |why|. */
int abt_guard_start(unsigned loops, char *why, size_t size);
/* Give |loop| its channel (before it runs). */
int abt_guard_attach(struct abt_loop *loop);
/* Let go of the loop's channel (after it ran, before it is freed). */
void abt_guard_detach(struct abt_loop *loop);
/* Close the channels: the guard kills what is left and ends.  Waits for it at
 * most 2 s.  Call after all loops ended. */
void abt_guard_stop(void);

struct abt_process;

struct abt_process_start {
	const char *file; /* absolute, or looked up in PATH of |envp| */
	char *const *argv;
	char *const *envp;
	const char *directory; /* working directory */
	int stdin_fd; /* -1: /dev/null.  The fds are the child's ends; they are
		       * closed by abt_process_new once they were sent. */
	int stdout_fd, stderr_fd;
	int64_t memory_mb; /* not enforced yet: RLIMIT_AS breaks Node */
	bool keep;  /* what it leaves behind may go on after its end, until the
		     * server's */
	bool quiet; /* |started| is called only when it could not be, and
		     * abt_process_pid does not know it: saves a message */
	/* Started (pid > 0) or not (pid is 0, |error| is an errno). */
	void (*started)(struct abt_process *, void *context, int error);
	/* It has ended and is reaped; |status| as waitpid gives it. */
	void (*ended)(struct abt_process *, void *context, int status,
	    const struct rusage *usage);
	void *context;
};

/* Ask for a child.  Returns at once; |started| comes later, on this loop.  NULL
 * when out of memory or the guard is gone (the fds are closed all the same). */
struct abt_process *abt_process_new(
    struct abt_loop *loop, const struct abt_process_start *start);
pid_t abt_process_pid(const struct abt_process *process);
/* TERM now, KILL after |grace_ms| (0: KILL at once), to the group and to every
 * descendant that is left once the leader has ended. */
void abt_process_end(struct abt_process *process, int64_t grace_ms);
/* No more callbacks; it is ended if it still runs. */
void abt_process_free(struct abt_process *process);
/* Peak resident memory in MB of the process and its children, from /proc; 0
 * when it is gone. */
int64_t abt_process_peak_mb(const struct abt_process *process);

/* A pipe that carries a child's output line by line to |line| (cut at 8 KiB,
 * the rest dropped with a note; rate-limited).  The reading end is watched on
 * |loop|; |ended| is called at EOF. */
struct abt_output;
struct abt_output *abt_output_new(struct abt_loop *loop, int *child_end,
    void (*line)(void *context, struct abt_bytes text),
    void (*ended)(void *context), void *context);
/* Read what is there now (before END and REPORT are written). */
void abt_output_drain(struct abt_output *output);
/* The same, and what has no end of line yet is a line: its writer has ended,
 * though another may write to the same pipe. */
void abt_output_flush(struct abt_output *output);
void abt_output_free(struct abt_output *output);

#endif
