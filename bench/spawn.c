/*
 * spawn.c - what starting a process costs, in four ways
 *
 * spawn PROGRAM [MEGABYTES ...]: for each size the parent touches so much
 * memory, then starts PROGRAM (which should end at once) again and again by
 * vfork, posix_spawn, clone(CLONE_VM|CLONE_VFORK) and fork, and prints the
 * median of microseconds from the call to the reaping.
 */
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 300
#define STACK  65536

static char *arguments[2];
static char *environment[] = { NULL };
static char stack[STACK] __attribute__((aligned(16)));

static pid_t
by_fork(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execve(arguments[0], arguments, environment);
		_exit(127);
	}
	return pid;
}

static pid_t
by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(arguments[0], arguments, environment);
		_exit(127);
	}
	return pid;
}

static pid_t
by_posix_spawn(void)
{
	pid_t pid = -1;

	if (posix_spawn(
		&pid, arguments[0], NULL, NULL, arguments, environment) != 0)
		return -1;
	return pid;
}

static int
run(void *unused)
{
	(void)unused;
	execve(arguments[0], arguments, environment);
	return 127;
}

static pid_t
by_clone(void)
{
	return clone(
	    run, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

static const struct {
	const char *name;
	pid_t (*start)(void);
} ways[] = {
	{ "vfork", by_vfork },
	{ "posix_spawn", by_posix_spawn },
	{ "clone(VM|VFORK)", by_clone },
	{ "fork", by_fork },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
measure(size_t megabytes)
{
	static double times[WAYS][ROUNDS];
	size_t size = megabytes << 20;
	char *memory = NULL;

	if (size > 0) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			exit(1);
		memset(memory, 1, size);
	}
	/* not in turn: after a fork every page of ours is copied on write */
	for (size_t way = 0; way < WAYS; way++) {
		for (int round = 0; round < ROUNDS; round++) {
			double begin = now_us();
			pid_t pid = ways[way].start();

			if (pid <= 0 || waitpid(pid, NULL, 0) != pid)
				exit(1);
			times[way][round] = now_us() - begin;
		}
	}
	for (size_t way = 0; way < WAYS; way++) {
		qsort(times[way], ROUNDS, sizeof(double), compare);
		printf("%5zu MB  %-16s %8.0f us\n", megabytes, ways[way].name,
		    times[way][ROUNDS / 2]);
	}
	if (size > 0)
		munmap(memory, size);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "spawn PROGRAM [MEGABYTES ...]\n");
		return 2;
	}
	arguments[0] = argv[1];
	measure(0);
	for (int i = 2; i < argc; i++)
		measure((size_t)strtoul(argv[i], NULL, 10));
	return 0;
}
