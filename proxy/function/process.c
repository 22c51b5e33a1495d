/*
 * process.c - one child: asked for, watched, ended
 *
 * Its strings go to the guard in one message, or in memory when they are long.
 * A process is freed by its owner at any time; a child that still runs is ended
 * then.
 */
#include "function/spawner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
on_grace_over(struct abt_timer *timer)
{
	struct abt_process *process =
	    abt_container_of(timer, struct abt_process, kill_timer);

	if (!process->over)
		abt_spawner_order(process, ABT_GUARD_KILL, 0);
}

/* ---- starting ---- */

static size_t
strings_size(char *const *list, uint32_t *count)
{
	size_t size = 0;

	for (*count = 0; list[*count] != NULL; (*count)++)
		size += strlen(list[*count]) + 1;
	return size;
}

static char *
put_string(char *at, const char *text)
{
	size_t n = strlen(text) + 1;

	memcpy(at, text, n);
	return at + n;
}

static void
put_strings(char *at, const struct abt_process_start *start)
{
	at = put_string(at, start->file);
	at = put_string(at, start->directory != NULL ? start->directory : "");
	for (char *const *arg = start->argv; *arg != NULL; arg++)
		at = put_string(at, *arg);
	for (char *const *var = start->envp; *var != NULL; var++)
		at = put_string(at, *var);
}

/* The child's ends in the order of their bits. */
static unsigned
gather_fds(const struct abt_process_start *start, int *fds, uint32_t *bits)
{
	unsigned n = 0;

	*bits = 0;
	if (start->stdin_fd >= 0) {
		fds[n++] = start->stdin_fd;
		*bits |= ABT_GUARD_STDIN;
	}
	if (start->stdout_fd >= 0) {
		fds[n++] = start->stdout_fd;
		*bits |= ABT_GUARD_STDOUT;
	}
	if (start->stderr_fd >= 0 && start->stderr_fd == start->stdout_fd) {
		*bits |= ABT_GUARD_OUT_ERR;
	} else if (start->stderr_fd >= 0) {
		fds[n++] = start->stderr_fd;
		*bits |= ABT_GUARD_STDERR;
	}
	if (start->keep)
		*bits |= ABT_GUARD_KEEP;
	if (start->quiet)
		*bits |= ABT_GUARD_QUIET;
	return n;
}

/* Long strings: into a memfd, whose descriptor is the last one. */
static int
put_in_memory(const struct abt_process_start *start, size_t size)
{
	int fd = memfd_create("abt-start", MFD_CLOEXEC);
	char *mapped;

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0) {
		close(fd);
		return -1;
	}
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED) {
		close(fd);
		return -1;
	}
	put_strings(mapped, start);
	munmap(mapped, size);
	return fd;
}

static int
send_start(struct abt_process *process, const struct abt_process_start *start)
{
	struct abt_guard_request *request;
	int fds[4], result = -1;
	uint32_t argc, envc, bits;
	unsigned n = gather_fds(start, fds, &bits);
	size_t size = strlen(start->file) + 2 +
		      (start->directory != NULL ? strlen(start->directory) : 0);
	size_t inlined;

	size += strings_size(start->argv, &argc);
	size += strings_size(start->envp, &envc);
	inlined = size <= ABT_GUARD_INLINE ? size : 0;
	request = abt_malloc(sizeof(*request) + inlined);
	if (request == NULL || size > ABT_GUARD_STRINGS) {
		abt_close_fds(fds, n);
		abt_free(request);
		return -1;
	}
	memset(request, 0, sizeof(*request));
	request->kind = ABT_GUARD_START;
	request->id = process->id;
	request->argc = argc;
	request->envc = envc;
	request->size = (uint32_t)size;
	if (inlined > 0) {
		put_strings((char *)(request + 1), start);
	} else if ((fds[n] = put_in_memory(start, size)) >= 0) {
		n++;
		bits |= ABT_GUARD_MEMORY;
	}
	request->fds = bits;
	if (inlined > 0 || (bits & ABT_GUARD_MEMORY) != 0)
		result = abt_spawner_send(process->spawner, request,
		    sizeof(*request) + inlined, fds, n);
	else
		abt_close_fds(fds, n);
	abt_free(request);
	return result;
}

struct abt_process *
abt_process_new(struct abt_loop *loop, const struct abt_process_start *start)
{
	struct abt_spawner *spawner = loop->function;
	struct abt_process *process = abt_calloc(1, sizeof(*process));
	int fds[4];
	uint32_t bits;

	abt_loop_assert_mine(loop);
	if (process == NULL || spawner == NULL || spawner->fd < 0) {
		abt_close_fds(fds, gather_fds(start, fds, &bits));
		abt_free(process);
		return NULL;
	}
	process->spawner = spawner;
	process->started = start->started;
	process->ended = start->ended;
	process->context = start->context;
	abt_timer_init(&process->kill_timer, on_grace_over);
	abt_spawner_enter(spawner, process);
	if (send_start(process, start) != 0) {
		abt_spawner_leave(process);
		abt_free(process);
		return NULL;
	}
	return process;
}

pid_t
abt_process_pid(const struct abt_process *process)
{
	return process->pid;
}

void
abt_process_end(struct abt_process *process, int64_t grace_ms)
{
	if (process->over)
		return;
	if (grace_ms <= 0) {
		abt_timer_stop(&process->kill_timer);
		abt_spawner_order(process, ABT_GUARD_KILL, 0);
		return;
	}
	abt_spawner_order(process, ABT_GUARD_SIGNAL, SIGTERM);
	abt_timer_set(process->spawner->loop, &process->kill_timer, grace_ms);
}

void
abt_process_free(struct abt_process *process)
{
	if (process == NULL)
		return;
	abt_timer_stop(&process->kill_timer);
	if (!process->over) {
		if (process->spawner->loop != NULL)
			abt_spawner_order(process, ABT_GUARD_KILL, 0);
		abt_spawner_leave(process);
	}
	abt_free(process);
}

/* Read the small file |path| as text; 0 when it is not there. */
static size_t
read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The peaks of |pid| and of what its first thread has forked: a wrapper such as
 * sh -c is not the function. */
static long
peak_kb(pid_t pid, int depth)
{
	char path[64], text[4096];
	char *at;
	long kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (read_text(path, text, sizeof(text)) == 0)
		return 0;
	at = strstr(text, "VmHWM:");
	if (at != NULL)
		kb = strtol(at + 6, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
	    (int)pid);
	if (depth == 0 || read_text(path, text, 256) == 0)
		return kb;
	for (at = text; *at >= '0' && *at <= '9'; at += *at == ' ')
		kb += peak_kb((pid_t)strtol(at, &at, 10), depth - 1);
	return kb;
}

int64_t
abt_process_peak_mb(const struct abt_process *process)
{
	if (process->pid <= 0)
		return 0;
	return (peak_kb(process->pid, 3) + 1023) / 1024;
}
