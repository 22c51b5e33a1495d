/*
 * process.c - a loop's side of its children
 *
 * Each loop has a channel to the guard and a table of the processes it asked
 * for, by number.  A process is freed by its owner at any time; what the guard
 * says later about a number that is not in the table is dropped.  Requests that
 * do not fit into the socket wait in a list; nothing here blocks.
 */
#include "function/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "function/guard.h"

#define TABLE_SIZE 256 /* a power of two */

struct abt_process {
	struct abt_process *next; /* in its row of the table */
	struct spawner *spawner;
	uint32_t id;
	pid_t pid; /* 0: not started yet, or ended */
	bool over;
	struct abt_timer kill_timer;
	void (*started)(struct abt_process *, void *context, int error);
	void (*ended)(struct abt_process *, void *context, int status,
	    const struct rusage *usage);
	void *context;
};

/* A request on its way; |data| is a struct abt_guard_request and strings. */
struct outgoing {
	struct outgoing *next;
	int fds[4];
	unsigned fd_count;
	size_t size;
	char data[] __attribute__((aligned(8)));
};

/* One for each loop.  They are static, so that a base that is freed after them
 * never meets a freed event. */
struct spawner {
	struct abt_loop *loop;
	int fd;
	unsigned generation;
	uint32_t last_id;
	struct event readable, writable;
	struct outgoing *first, **last;
	struct abt_process *table[TABLE_SIZE];
};

static struct spawner spawners[ABT_GUARD_LOOPS];

/* ---- the table ---- */

static struct abt_process *
find(const struct spawner *spawner, uint32_t id)
{
	struct abt_process *process = spawner->table[id % TABLE_SIZE];

	while (process != NULL && process->id != id)
		process = process->next;
	return process;
}

static void
enter(struct spawner *spawner, struct abt_process *process)
{
	struct abt_process **row;

	do
		process->id = ++spawner->last_id;
	while (find(spawner, process->id) != NULL);
	row = &spawner->table[process->id % TABLE_SIZE];
	process->next = *row;
	*row = process;
}

static void
leave(struct abt_process *process)
{
	struct abt_process **at =
	    &process->spawner->table[process->id % TABLE_SIZE];

	while (*at != NULL && *at != process)
		at = &(*at)->next;
	if (*at != NULL)
		*at = process->next;
}

/* ---- sending ---- */

static void
close_fds(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

/* 1: sent, 0: no room now, -1: the guard is gone. */
static int
send_message(
    int fd, const void *data, size_t size, const int *fds, unsigned fd_count)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = { (void *)(uintptr_t)data, size };
	struct msghdr message;
	ssize_t n;

	memset(&message, 0, sizeof(message));
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	if (fd_count > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, fd_count * sizeof(int));
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 1;
	return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS
		   ? 0
		   : -1;
}

static void
drop_outgoing(struct spawner *spawner)
{
	struct outgoing *out;

	while ((out = spawner->first) != NULL) {
		spawner->first = out->next;
		close_fds(out->fds, out->fd_count);
		abt_free(out);
	}
	spawner->last = &spawner->first;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct spawner *spawner = arg;
	struct outgoing *out;

	(void)what;
	while ((out = spawner->first) != NULL) {
		if (send_message(
			fd, out->data, out->size, out->fds, out->fd_count) == 0)
			return;
		spawner->first = out->next;
		if (spawner->first == NULL)
			spawner->last = &spawner->first;
		close_fds(out->fds, out->fd_count);
		abt_free(out);
	}
	event_del(&spawner->writable);
}

static int
wait_to_send(struct spawner *spawner, const void *data, size_t size,
    const int *fds, unsigned fd_count)
{
	struct outgoing *out = abt_malloc(sizeof(*out) + size);

	if (out == NULL || event_add(&spawner->writable, NULL) != 0) {
		abt_free(out);
		return -1;
	}
	out->next = NULL;
	out->size = size;
	out->fd_count = fd_count;
	if (fd_count > 0)
		memcpy(out->fds, fds, fd_count * sizeof(int));
	memcpy(out->data, data, size);
	*spawner->last = out;
	spawner->last = &out->next;
	return 0;
}

/* Send, or have it wait; the descriptors are closed in the end, whatever
 * happens. */
static int
send_request(struct spawner *spawner, const void *data, size_t size,
    const int *fds, unsigned fd_count)
{
	int sent = 0;

	if (spawner->first == NULL)
		sent = send_message(spawner->fd, data, size, fds, fd_count);
	if (sent == 0 && wait_to_send(spawner, data, size, fds, fd_count) == 0)
		return 0;
	close_fds(fds, fd_count);
	return sent > 0 ? 0 : -1;
}

static void
send_order(struct abt_process *process, uint32_t kind, int number)
{
	struct abt_guard_request request;

	memset(&request, 0, sizeof(request));
	request.kind = kind;
	request.id = process->id;
	request.signal = number;
	send_request(process->spawner, &request, sizeof(request), NULL, 0);
}

/* ---- hearing ---- */

static void
tell_started(struct abt_process *process, const struct abt_guard_reply *reply)
{
	if (reply->error == 0) {
		process->pid = reply->pid;
	} else {
		process->over = true;
		leave(process);
	}
	if (process->started != NULL)
		process->started(process, process->context, reply->error);
}

static void
tell_ended(struct abt_process *process, const struct abt_guard_reply *reply)
{
	process->pid = 0;
	process->over = true;
	abt_timer_stop(&process->kill_timer);
	leave(process);
	if (process->ended != NULL)
		process->ended(
		    process, process->context, reply->status, &reply->usage);
}

static void
dispatch(struct spawner *spawner, const struct abt_guard_reply *reply)
{
	struct abt_process *process = find(spawner, reply->id);

	if (process == NULL)
		return;
	if (reply->kind == ABT_GUARD_STARTED)
		tell_started(process, reply);
	else if (reply->kind == ABT_GUARD_ENDED)
		tell_ended(process, reply);
}

static void on_readable(evutil_socket_t fd, short what, void *arg);

static int
watch(struct spawner *spawner)
{
	event_assign(&spawner->readable, spawner->loop->base, spawner->fd,
	    EV_READ | EV_PERSIST, on_readable, spawner);
	event_assign(&spawner->writable, spawner->loop->base, spawner->fd,
	    EV_WRITE | EV_PERSIST, on_writable, spawner);
	return event_add(&spawner->readable, NULL);
}

/* A process that the guard before this one was asked for. */
static struct abt_process *
any_until(const struct spawner *spawner, uint32_t last)
{
	for (unsigned row = 0; row < TABLE_SIZE; row++)
		for (struct abt_process *process = spawner->table[row];
		     process != NULL; process = process->next)
			if ((int32_t)(last - process->id) >= 0)
				return process;
	return NULL;
}

/* All children of a dead guard are dead: say so, then go on with another. */
static void
guard_died(struct spawner *spawner)
{
	struct abt_guard_reply reply;
	struct abt_process *process;
	uint32_t last = spawner->last_id;

	event_del(&spawner->readable);
	event_del(&spawner->writable);
	drop_outgoing(spawner);
	close(spawner->fd);
	spawner->fd =
	    abt_guard_renew(spawner->loop->index, &spawner->generation);
	if (spawner->fd >= 0 && watch(spawner) != 0)
		spawner->fd = -1;
	memset(&reply, 0, sizeof(reply));
	reply.status = SIGKILL;
	reply.error = EAGAIN;
	while ((process = any_until(spawner, last)) != NULL) {
		if (process->pid == 0)
			tell_started(process, &reply);
		else
			tell_ended(process, &reply);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct spawner *spawner = arg;
	struct abt_guard_reply reply;
	ssize_t n;

	(void)what;
	for (int turn = 0; turn < 64; turn++) {
		n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(reply)) {
			dispatch(spawner, &reply);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		guard_died(spawner);
		return;
	}
}

/* ---- life ---- */

int
abt_guard_attach(struct abt_loop *loop)
{
	struct spawner *spawner;

	if (loop->index >= ABT_GUARD_LOOPS)
		return -1;
	spawner = &spawners[loop->index];
	memset(spawner, 0, sizeof(*spawner));
	spawner->loop = loop;
	spawner->last = &spawner->first;
	spawner->fd = abt_guard_channel(loop->index, &spawner->generation);
	if (spawner->fd < 0 || watch(spawner) != 0)
		return -1;
	loop->function = spawner;
	return 0;
}

void
abt_guard_detach(struct abt_loop *loop)
{
	struct spawner *spawner = loop->function;

	if (spawner == NULL)
		return;
	event_del(&spawner->readable);
	event_del(&spawner->writable);
	drop_outgoing(spawner);
	loop->function = NULL;
	spawner->loop = NULL;
}

void
abt_guard_stop(void)
{
	for (unsigned i = 0; i < ABT_GUARD_LOOPS; i++)
		if (spawners[i].last != NULL)
			drop_outgoing(&spawners[i]);
	abt_guard_close();
}

static void
on_grace_over(struct abt_timer *timer)
{
	struct abt_process *process =
	    abt_container_of(timer, struct abt_process, kill_timer);

	if (!process->over)
		send_order(process, ABT_GUARD_KILL, 0);
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
		close_fds(fds, n);
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
		result = send_request(process->spawner, request,
		    sizeof(*request) + inlined, fds, n);
	else
		close_fds(fds, n);
	abt_free(request);
	return result;
}

struct abt_process *
abt_process_new(struct abt_loop *loop, const struct abt_process_start *start)
{
	struct spawner *spawner = loop->function;
	struct abt_process *process = abt_calloc(1, sizeof(*process));
	int fds[4];
	uint32_t bits;

	abt_loop_assert_mine(loop);
	if (process == NULL || spawner == NULL || spawner->fd < 0) {
		close_fds(fds, gather_fds(start, fds, &bits));
		abt_free(process);
		return NULL;
	}
	process->spawner = spawner;
	process->started = start->started;
	process->ended = start->ended;
	process->context = start->context;
	abt_timer_init(&process->kill_timer, on_grace_over);
	enter(spawner, process);
	if (send_start(process, start) != 0) {
		leave(process);
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
		send_order(process, ABT_GUARD_KILL, 0);
		return;
	}
	send_order(process, ABT_GUARD_SIGNAL, SIGTERM);
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
			send_order(process, ABT_GUARD_KILL, 0);
		leave(process);
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
