/*
 * spawner.c - a loop's side of the guard
 *
 * Each loop has a channel to the guard and a table of the processes it asked
 * for, by number.  What the guard says about a number that is not in the table
 * any more is dropped.  When the guard dies all its children are dead: their
 * owners are told so, and another guard takes its place.
 */
#include "function/spawner.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A request on its way; |data| is a struct abt_guard_request and strings. */
struct abt_outgoing {
	struct abt_outgoing *next;
	int fds[4];
	unsigned fd_count;
	size_t size;
	char data[] __attribute__((aligned(8)));
};

/* Static, so that an event base which is freed after them never meets a freed
 * event. */
static struct abt_spawner spawners[ABT_GUARD_LOOPS];

/* ---- the table ---- */

static struct abt_process *
find(const struct abt_spawner *spawner, uint32_t id)
{
	struct abt_process *process = spawner->table[id % ABT_SPAWNER_TABLE];

	while (process != NULL && process->id != id)
		process = process->next;
	return process;
}

void
abt_spawner_enter(struct abt_spawner *spawner, struct abt_process *process)
{
	struct abt_process **row;

	do
		process->id = ++spawner->last_id;
	while (find(spawner, process->id) != NULL);
	row = &spawner->table[process->id % ABT_SPAWNER_TABLE];
	process->next = *row;
	*row = process;
}

void
abt_spawner_leave(struct abt_process *process)
{
	struct abt_process **at =
	    &process->spawner->table[process->id % ABT_SPAWNER_TABLE];

	while (*at != NULL && *at != process)
		at = &(*at)->next;
	if (*at != NULL)
		*at = process->next;
}

/* ---- sending ---- */

void
abt_close_fds(const int *fds, unsigned count)
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
drop_outgoing(struct abt_spawner *spawner)
{
	struct abt_outgoing *out;

	while ((out = spawner->first) != NULL) {
		spawner->first = out->next;
		abt_close_fds(out->fds, out->fd_count);
		abt_free(out);
	}
	spawner->last = &spawner->first;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct abt_spawner *spawner = arg;
	struct abt_outgoing *out;

	(void)what;
	while ((out = spawner->first) != NULL) {
		if (send_message(
			fd, out->data, out->size, out->fds, out->fd_count) == 0)
			return;
		spawner->first = out->next;
		if (spawner->first == NULL)
			spawner->last = &spawner->first;
		abt_close_fds(out->fds, out->fd_count);
		abt_free(out);
	}
	event_del(&spawner->writable);
}

static int
wait_to_send(struct abt_spawner *spawner, const void *data, size_t size,
    const int *fds, unsigned fd_count)
{
	struct abt_outgoing *out = abt_malloc(sizeof(*out) + size);

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
int
abt_spawner_send(struct abt_spawner *spawner, const void *data, size_t size,
    const int *fds, unsigned fd_count)
{
	int sent = 0;

	if (spawner->first == NULL)
		sent = send_message(spawner->fd, data, size, fds, fd_count);
	if (sent == 0 && wait_to_send(spawner, data, size, fds, fd_count) == 0)
		return 0;
	abt_close_fds(fds, fd_count);
	return sent > 0 ? 0 : -1;
}

void
abt_spawner_order(struct abt_process *process, uint32_t kind, int number)
{
	struct abt_guard_request request;

	memset(&request, 0, sizeof(request));
	request.kind = kind;
	request.id = process->id;
	request.signal = number;
	abt_spawner_send(process->spawner, &request, sizeof(request), NULL, 0);
}

/* ---- hearing ---- */

static void
tell_started(struct abt_process *process, const struct abt_guard_reply *reply)
{
	if (reply->error == 0) {
		process->pid = reply->pid;
	} else {
		process->over = true;
		abt_spawner_leave(process);
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
	abt_spawner_leave(process);
	if (process->ended != NULL)
		process->ended(
		    process, process->context, reply->status, &reply->usage);
}

static void
dispatch(struct abt_spawner *spawner, const struct abt_guard_reply *reply)
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
watch(struct abt_spawner *spawner)
{
	event_assign(&spawner->readable, spawner->loop->base, spawner->fd,
	    EV_READ | EV_PERSIST, on_readable, spawner);
	event_assign(&spawner->writable, spawner->loop->base, spawner->fd,
	    EV_WRITE | EV_PERSIST, on_writable, spawner);
	return event_add(&spawner->readable, NULL);
}

/* A process that the guard before this one was asked for. */
static struct abt_process *
any_until(const struct abt_spawner *spawner, uint32_t last)
{
	for (unsigned row = 0; row < ABT_SPAWNER_TABLE; row++)
		for (struct abt_process *process = spawner->table[row];
		     process != NULL; process = process->next)
			if ((int32_t)(last - process->id) >= 0)
				return process;
	return NULL;
}

/* All children of a dead guard are dead: say so, then go on with another. */
static void
guard_died(struct abt_spawner *spawner)
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
	struct abt_spawner *spawner = arg;
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
	struct abt_spawner *spawner;

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
	struct abt_spawner *spawner = loop->function;

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
