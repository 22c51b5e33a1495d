/*
 * guard.c - the server's side of the guard: fork it, end it, replace it
 *
 * The guard is forked once, early, while there is one thread.  Should it die
 * (the kernel's memory killer, a person), its children die with it by their
 * parent-death signal and what else hung below it comes to us, because we are
 * a subreaper too: that is killed here and another guard is forked.  The first
 * loop that notices does it, under a mutex that nothing else uses.
 *
 * SIGCHLD is set so that the kernel reaps our own children at once: the guards
 * and, when we are PID 1, every orphan of the system.  SIGPIPE is ignored from
 * here on.
 */
#include "function/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "function/process.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ours[ABT_GUARD_LOOPS]; /* our ends, by loop */
static unsigned loop_count;
static unsigned guard_generation; /* 0: there is none */
static int guard_life = -1;       /* a pipe that the guard holds open */

static int
lowest_above(const int *fds, unsigned count, int above)
{
	int next = -1;

	for (unsigned i = 0; i < count; i++)
		if (fds[i] > above && (next < 0 || fds[i] < next))
			next = fds[i];
	return next;
}

/* In the guard: close all but the channels; 0 to 2 become /dev/null, so that
 * nobody waits for the end of our output. */
static void
keep_only(const int *channels, unsigned count)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int at = 2;

	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	for (;;) {
		int next = lowest_above(channels, count, at);

		if (next < 0)
			break;
		if (next > at + 1)
			close_range((unsigned)at + 1, (unsigned)next - 1, 0);
		at = next;
	}
	close_range((unsigned)at + 1, ~0U, 0);
}

static void
close_all(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Pairs of sockets over descriptor 2. */
static int
make_channels(int *mine, int *theirs, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		mine[i] = theirs[i] = -1;
	for (unsigned i = 0; i < count; i++) {
		int pair[2];

		if (socketpair(
			AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			return -1;
		mine[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 3);
		theirs[i] = fcntl(pair[1], F_DUPFD_CLOEXEC, 3);
		close(pair[0]);
		close(pair[1]);
		if (mine[i] < 0 || theirs[i] < 0 ||
		    fcntl(mine[i], F_SETFL, O_NONBLOCK) < 0)
			return -1;
	}
	return 0;
}

/* A pipe over descriptor 2 that ends with its holder. */
static int
make_life(int life[2])
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	life[0] = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
	life[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	close(fds[0]);
	close(fds[1]);
	return life[0] < 0 || life[1] < 0 ? -1 : 0;
}

/* The signals that a child of ours must not see between fork and its own
 * mask. */
static pid_t
fork_guard(const int *theirs, unsigned count)
{
	sigset_t all, before;
	struct sigaction action;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		memset(&action, 0, sizeof(action));
		action.sa_handler = SIG_DFL;
		sigaction(SIGCHLD, &action, NULL);
		keep_only(theirs, count + 1); /* and its life */
		abt_guard_main(theirs, count);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int
start(void)
{
	int theirs[ABT_GUARD_LOOPS + 1], life[2] = { -1, -1 };
	pid_t pid = -1;

	if (make_channels(ours, theirs, loop_count) == 0 &&
	    make_life(life) == 0) {
		theirs[loop_count] = life[1];
		pid = fork_guard(theirs, loop_count);
		close(life[1]);
	}
	close_all(theirs, loop_count);
	if (pid < 0) {
		close_all(ours, loop_count);
		close_all(life, 1);
		return -1;
	}
	if (guard_life >= 0)
		close(guard_life);
	guard_life = life[0];
	guard_generation++;
	return 0;
}

int
abt_guard_start(unsigned loops, char *why, size_t size)
{
	struct sigaction action;

	if (loops == 0 || loops > ABT_GUARD_LOOPS) {
		snprintf(why, size, "%u loops are too many: at most %d", loops,
		    ABT_GUARD_LOOPS);
		return -1;
	}
	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_DFL;
	action.sa_flags = SA_NOCLDWAIT | SA_NOCLDSTOP;
	sigaction(SIGCHLD, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a command need not read its event */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	loop_count = loops;
	if (start() < 0) {
		snprintf(why, size, "cannot start the guard process: %s",
		    strerror(errno));
		return -1;
	}
	return 0;
}

int
abt_guard_channel(unsigned index, unsigned *generation)
{
	int fd = -1;

	pthread_mutex_lock(&lock);
	*generation = guard_generation;
	if (guard_generation != 0 && index < loop_count)
		fd = ours[index];
	pthread_mutex_unlock(&lock);
	return fd;
}

/* What the dead guard left below us, but for the new guard. */
static void
kill_orphans(pid_t but)
{
	static pid_t mine[1024];
	struct timespec pause = { 0, 1000000 };

	for (int round = 0; round < 50; round++) {
		unsigned n = abt_guard_children(getpid(), mine, 1024);
		unsigned killed = 0;

		for (unsigned i = 0; i < n; i++) {
			if (mine[i] == but)
				continue;
			abt_guard_kill_tree(mine[i]);
			killed++;
		}
		if (killed == 0)
			return;
		nanosleep(&pause, NULL);
	}
}

/* Each loop closes its old end itself, when it has seen the end of it. */
static void
replace_guard(void)
{
	/* As PID 1 everybody's orphans are below us: those are not ours to
	 * kill, and our children have died by their parent-death signal. */
	if (getpid() != 1)
		kill_orphans(0);
	if (start() < 0) {
		guard_generation = 0;
		abt_error("the guard process is gone and cannot be started "
			  "again: no function can run");
		return;
	}
	abt_warning("the guard process died; it was started again and all "
		    "function processes are replaced");
}

int
abt_guard_renew(unsigned index, unsigned *generation)
{
	int fd = -1;

	pthread_mutex_lock(&lock);
	if (guard_generation == *generation && guard_generation != 0)
		replace_guard();
	*generation = guard_generation;
	if (guard_generation != 0 && index < loop_count)
		fd = ours[index];
	pthread_mutex_unlock(&lock);
	return fd;
}

void
abt_guard_close(void)
{
	struct pollfd wait = { .fd = guard_life, .events = POLLIN };

	if (guard_generation == 0)
		return;
	close_all(ours, loop_count);
	if (guard_life >= 0) {
		poll(&wait, 1, 2500);
		close(guard_life);
	}
	guard_life = -1;
	guard_generation = 0;
}
