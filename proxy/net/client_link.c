/*
 * client_link.c - outgoing HTTP/1.1: one connection to a server
 *
 * Serves one ask at a time.  Reads into the loop's buffer; what must wait - a
 * head that is not whole, the rest behind a pause - is kept in |in|.  Whoever
 * calls an event brackets it with enter and leave, as in conn.h: the ask may be
 * cancelled and the link closed within.
 */
#include "net/client_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/conn.h"

#define IN_MAX (16u << 20)

/* ---- life ---- */

static void on_event(evutil_socket_t fd, short what, void *arg);
static void connect_next(struct abt_client_link *link);

static void
watch(struct abt_client_link *link, short what)
{
	if (link->watched == what || link->closed)
		return;
	if (link->watched != 0)
		event_del(&link->event);
	link->watched = what;
	if (what == 0)
		return;
	event_assign(&link->event, link->loop->base, link->fd,
	    (short)(what | EV_PERSIST), on_event, link);
	if (event_add(&link->event, NULL) != 0) {
		link->watched = 0;
		if (link->ask != NULL)
			abt_ask_doom(
			    link->ask, ABT_ASK_NO_MEMORY, "out of memory");
	}
}

static void
close_fd(struct abt_client_link *link)
{
	watch(link, 0);
	if (link->tls != NULL) {
		link->how->close(link->tls);
		link->how->free(link->tls);
		link->tls = NULL;
	}
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

static void
leave_kept(struct abt_client_link *link)
{
	if (link->prev == NULL)
		return;
	*link->prev = link->next;
	if (link->next != NULL)
		link->next->prev = link->prev;
	link->prev = NULL;
	link->target->kept_count--;
	abt_timer_stop(&link->timer);
}

void
abt_link_detach(struct abt_client_link *link)
{
	if (link->ask == NULL)
		return;
	link->ask->link = NULL;
	link->ask->connected = 0;
	link->ask = NULL;
}

void
abt_link_close(struct abt_client_link *link)
{
	if (link->closed)
		return;
	close_fd(link);
	link->closed = true;
	leave_kept(link);
	abt_link_detach(link);
	abt_buf_end(&link->in);
	if (link->entered == 0)
		abt_free(link);
}

void
abt_links_drop(struct abt_client_target *target)
{
	while (target->kept != NULL)
		abt_link_close(target->kept);
}

/* The link is of no use any more; its ask ends, or is asked again. */
void
abt_link_fail(
    struct abt_client_link *link, enum abt_ask_failure failure, const char *why)
{
	struct abt_ask *ask = link->ask;
	bool stale = link->reused && failure == ABT_ASK_LOST;

	abt_link_close(link);
	if (ask != NULL)
		abt_ask_broken(ask, stale, failure, why);
}

/* ---- keeping ---- */

static void
on_keep_over(struct abt_timer *timer)
{
	abt_link_close(abt_container_of(timer, struct abt_client_link, timer));
}

/* A server that names its time closes then: be a second earlier. */
static int64_t
keep_ms(const struct abt_client_link *link, int seconds)
{
	int64_t ms = link->target->client->options.keep_ms;

	if (seconds >= 0 && (int64_t)seconds * 1000 - 1000 < ms)
		ms = (int64_t)seconds * 1000 - 1000;
	return ms;
}

void
abt_link_keep(struct abt_client_link *link, int seconds)
{
	struct abt_client_target *target = link->target;
	int64_t ms = keep_ms(link, seconds);

	if (ms <= 0 || target->kept_count >= target->client->options.kept_max) {
		abt_link_close(link);
		return;
	}
	link->stage = ABT_LINK_KEPT;
	link->reused = true;
	link->next = target->kept;
	link->prev = &target->kept;
	if (target->kept != NULL)
		target->kept->prev = &link->next;
	target->kept = link;
	target->kept_count++;
	abt_timer_set(link->loop, &link->timer, ms);
	watch(link, EV_READ);
}

/* ---- sending ---- */

static ssize_t
send_some(
    struct abt_client_link *link, struct abt_bytes head, struct abt_bytes body)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)head.p, .iov_len = head.n },
		{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n },
	};
	struct msghdr message = { .msg_iov = iov + (head.n == 0),
		.msg_iovlen = (head.n > 0) + (size_t)(body.n > 0) };
	ssize_t n;

	if (link->tls != NULL)
		return link->how->write(link->tls, head.n > 0 ? head : body);
	n = sendmsg(link->fd, &message, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? ABT_AGAIN : ABT_LOST;
}

static void
advance(struct abt_ask *ask, size_t n)
{
	size_t head = ask->out.n - ask->out_at;

	if (n < head)
		head = n;
	ask->sent += n;
	ask->out_at += head;
	if (n > head) {
		ask->body_left.p += n - head;
		ask->body_left.n -= n - head;
	}
	abt_ask_stamp(ask);
}

/* What the state asks for. */
void
abt_link_watch_more(struct abt_client_link *link)
{
	struct abt_ask *ask = link->ask;
	short what = 0;

	if (ask == NULL || link->stage != ABT_LINK_BUSY)
		return;
	if (abt_ask_waiting(ask) > 0 && !link->deaf)
		what |= EV_WRITE;
	if (!ask->paused)
		what |= EV_READ;
	watch(link, what);
}

/* A server that does not take the rest may still tell why: what it says is
 * read, and then it is over. */
void
abt_client_link_send(struct abt_client_link *link)
{
	struct abt_ask *ask = link->ask;
	struct abt_bytes head;
	ssize_t n;

	while (!link->deaf && abt_ask_waiting(ask) > 0) {
		head = abt_bytes(
		    ask->out.p + ask->out_at, ask->out.n - ask->out_at);
		n = send_some(link, head, ask->body_left);
		if (n == ABT_LOST)
			link->deaf = true;
		if (n <= 0)
			break;
		advance(ask, (size_t)n);
	}
	if (link->deaf) {
		ask->out_at = ask->out.n;
		ask->body_left.n = 0;
	}
	abt_link_watch_more(link);
}

/* ---- connecting ---- */

/* Ready to be asked. */
static void
begin_ask(struct abt_client_link *link)
{
	link->stage = ABT_LINK_BUSY;
	link->ask->connected = 1;
	abt_ask_stamp(link->ask);
	abt_client_link_send(link);
	abt_ask_arm(link->ask);
}

static void
shake_hands(struct abt_client_link *link)
{
	bool wants_write = false;
	char why[160];
	int rc = link->how->handshake(link->tls, &wants_write);

	if (rc == ABT_AGAIN) {
		watch(link, wants_write ? EV_WRITE : EV_READ);
	} else if (rc != 0) {
		link->how->why(link->tls, why, sizeof(why));
		abt_link_fail(link, ABT_ASK_TLS, why);
	} else {
		begin_ask(link);
	}
}

static void
connected(struct abt_client_link *link)
{
	struct abt_client_target *target = link->target;

	if (!target->secure) {
		begin_ask(link);
		return;
	}
	link->how = target->client->options.tls;
	link->tls = link->how->connect(
	    target->client->options.context, link->fd, target->host);
	if (link->tls == NULL) {
		abt_ask_doom(link->ask, ABT_ASK_NO_MEMORY, "out of memory");
		return;
	}
	/* Begun by the loop, for it may fail: see on_event. */
	link->stage = ABT_LINK_SHAKING;
	watch(link, EV_WRITE);
}

static void
refused(struct abt_client_link *link, int error)
{
	char why[160];

	close_fd(link);
	if (link->ask->address < link->target->address_count) {
		connect_next(link);
		return;
	}
	snprintf(why, sizeof(why), "cannot connect: %s", strerror(error));
	abt_ask_doom(link->ask, ABT_ASK_CONNECT, why);
}

static void
connect_next(struct abt_client_link *link)
{
	struct abt_client_address *address =
	    &link->target->addresses[link->ask->address++];
	int one = 1;

	link->stage = ABT_LINK_CONNECTING;
	link->fd = socket(address->at.any.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd < 0) {
		refused(link, errno);
		return;
	}
	if (!link->target->is_unix)
		setsockopt(
		    link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(link->fd, &address->at.any, address->size) == 0)
		connected(link);
	else if (errno == EINPROGRESS)
		watch(link, EV_WRITE);
	else
		refused(link, errno);
}

static void
on_connected(struct abt_client_link *link)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0)
		refused(link, error);
	else
		connected(link);
}

void
abt_link_open(struct abt_ask *ask)
{
	struct abt_client *client = ask->client;
	struct abt_client_link *link = abt_calloc(1, sizeof(*link));

	if (link == NULL) {
		abt_ask_doom(ask, ABT_ASK_NO_MEMORY, "out of memory");
		return;
	}
	link->loop = client->loop;
	link->target = ask->to;
	link->ask = ask;
	link->fd = -1;
	abt_buf_init(&link->in, client->loop->pool, IN_MAX);
	abt_timer_init(&link->timer, on_keep_over);
	ask->link = link;
	connect_next(link);
}

/* Has its server said anything, if only goodbye?  TLS may have sent tickets. */
static bool
is_quiet(const struct abt_client_link *link)
{
	char byte;

	return link->tls != NULL ||
	       (recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		   errno == EAGAIN);
}

bool
abt_link_reuse(struct abt_ask *ask)
{
	struct abt_client_link *link;

	while ((link = ask->to->kept) != NULL && !is_quiet(link))
		abt_link_close(link);
	if (link == NULL)
		return false;
	leave_kept(link);
	link->ask = ask;
	link->deaf = false;
	ask->link = link;
	begin_ask(link);
	return true;
}

/* ---- events ---- */

/* Nothing was asked: tickets of TLS, or an end. */
static void
on_kept(struct abt_client_link *link)
{
	if (link->tls == NULL || abt_link_read(link) != ABT_AGAIN)
		abt_link_close(link);
}

static void
on_busy(struct abt_client_link *link, short what)
{
	struct abt_ask *ask = link->ask;

	if ((what & EV_WRITE) != 0 && abt_ask_waiting(ask) > 0) {
		abt_client_link_send(link);
		if (ask->waits && abt_ask_waiting(ask) == 0 && !link->deaf) {
			ask->waits = 0;
			if (ask->events->drained != NULL)
				ask->events->drained(ask);
		}
	}
	if (abt_link_still(link, ask) && (what & EV_READ) != 0)
		abt_link_readable(link);
	if (abt_link_still(link, ask)) {
		abt_link_watch_more(link);
		abt_ask_arm(ask);
	}
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct abt_client_link *link = arg;
	bool reading = link->loop->reading;

	(void)fd;
	abt_link_enter(link);
	link->loop->reading = true;
	switch (link->stage) {
	case ABT_LINK_CONNECTING:
		on_connected(link);
		break;
	case ABT_LINK_SHAKING:
		shake_hands(link);
		break;
	case ABT_LINK_BUSY:
		on_busy(link, what);
		break;
	default:
		on_kept(link);
		break;
	}
	link->loop->reading = reading;
	abt_link_leave(link);
}
