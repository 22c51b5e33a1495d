/*
 * listener.c - an address we accept on, in one loop
 *
 * Accepting is bounded per turn, and pauses when descriptors run out: the last
 * 32 are a reserve for running requests, children and logs.  An idle connection
 * gives way to a new one, the one that idles longest first.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "net/conn.h"

#define ACCEPTS       64 /* in one turn */
#define RESERVE       32 /* descriptors (threats.md S2) */
#define PAUSE_MS      100
#define PAUSE_TOLD_MS 10000 /* one line in so long a time */
#define SEARCH_MAX    128   /* connections looked at to find an idle one */
#define EVICT_TRIES   4
#define NEWBORN_MS    1000 /* so long a new connection may hold its tongue */

/* ---- making way ---- */

static bool
is_idle(const struct abt_conn *conn)
{
	return conn->stage == ABT_CONN_OPEN && conn->codec->idle(conn);
}

/* Idle, and not just because its first request is on its way. */
static bool
may_go(const struct abt_conn *conn, int64_t now_ms)
{
	return is_idle(conn) && !conn->listener->options.inner &&
	       (conn->requests > 0 || now_ms - conn->stamp_ms >= NEWBORN_MS);
}

/* A request that was sent, but not seen yet. */
static bool
has_unread(const struct abt_conn *conn)
{
	char byte;

	return recv(event_get_fd(&conn->event), &byte, 1,
		   MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* The oldest idle one of those looked at.  The hand goes round, so that in time
 * all are looked at. */
static struct abt_conn *
find_idle(struct abt_loop *loop)
{
	struct abt_conn *conn = loop->conn_hand, *oldest = NULL;
	int64_t now_ms = abt_loop_now_us(loop) / 1000;
	unsigned i;

	for (i = 0; i < SEARCH_MAX && i < loop->conn_count; i++) {
		if (conn == NULL)
			conn = loop->conns;
		if (may_go(conn, now_ms) &&
		    (oldest == NULL || conn->stamp_ms < oldest->stamp_ms))
			oldest = conn;
		conn = conn->next;
	}
	loop->conn_hand = conn;
	return oldest;
}

/* Close a connection that idles.  False: none does. */
static bool
evict(struct abt_loop *loop)
{
	struct abt_conn *conn;
	int i;

	for (i = 0; i < EVICT_TRIES; i++) {
		conn = find_idle(loop);
		if (conn == NULL)
			return false;
		if (!has_unread(conn)) {
			abt_conn_close(conn);
			return true;
		}
		conn->stamp_ms = abt_loop_now_us(loop) / 1000;
	}
	return false;
}

/* ---- accepting ---- */

static void
pause_accepting(struct abt_listener *listener, const char *why)
{
	int64_t now = abt_loop_now_us(listener->loop) / 1000;

	if (listener->paused_ms == 0 ||
	    now - listener->paused_ms >= PAUSE_TOLD_MS) {
		listener->paused_ms = now;
		abt_warning("accepting pauses: %s", why);
	}
	event_del(&listener->event);
	abt_timer_set(listener->loop, &listener->retry, PAUSE_MS);
}

static void
on_retry(struct abt_timer *timer)
{
	struct abt_listener *listener =
	    abt_container_of(timer, struct abt_listener, retry);

	if (event_add(&listener->event, NULL) != 0)
		abt_timer_set(listener->loop, &listener->retry, PAUSE_MS);
}

/* The kernel has no more for us: make way, or wait until somebody ends. */
static void
on_accept_error(struct abt_listener *listener, int error)
{
	if (error == EAGAIN || error == ECONNABORTED || error == EINTR ||
	    error == EPROTO || error == EPERM || error == ENETDOWN ||
	    error == EHOSTUNREACH || error == ENETUNREACH)
		return;
	if ((error == EMFILE || error == ENFILE) && evict(listener->loop))
		return; /* the next turn finds a descriptor */
	pause_accepting(listener, strerror(error));
}

/* A connection on a descriptor of the reserve moves to the one that an idle one
 * gave up.  The new number, or -1: closed. */
static int
leave_reserve(struct abt_listener *listener, int fd)
{
	int lower = -1;

	if (evict(listener->loop))
		lower = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	else
		pause_accepting(listener, "few file descriptors are left");
	close(fd);
	return lower;
}

/* Find a place for |fd|: its number from now on, or -1: it is closed. */
static int
find_place(struct abt_listener *listener, int fd)
{
	struct abt_loop *loop = listener->loop;
	unsigned max = listener->options.conns_max;

	if (fd >= listener->fd_ceiling && !listener->options.inner)
		return leave_reserve(listener, fd);
	if (max == 0 || loop->conn_count < max || evict(loop))
		return fd;
	close(fd);
	return -1;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct abt_listener *listener = arg;
	struct sockaddr_storage peer;
	int i;

	(void)what;
	for (i = 0; i < ACCEPTS; i++) {
		socklen_t size = sizeof(peer);
		int got;

		peer.ss_family = AF_UNSPEC;
		got = accept4(fd, (struct sockaddr *)&peer, &size,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (got < 0) {
			on_accept_error(listener, errno);
			return;
		}
		got = find_place(listener, got);
		if (got < 0)
			return;
		if (abt_conn_accept(listener, got, (struct sockaddr *)&peer) !=
		    0) {
			pause_accepting(listener, "out of memory");
			return;
		}
	}
}

/* ---- life ---- */

static bool
is_wildcard(const struct abt_endpoint *end)
{
	static const unsigned char zero[16];

	return memcmp(end->ip + 12, zero, 4) == 0 &&
	       memcmp(end->ip, zero, 10) == 0;
}

/* 127.0.0.0/8 or ::1 */
static bool
is_loopback(const struct abt_endpoint *end)
{
	static const unsigned char one[16] = { [15] = 1 };
	static const unsigned char mapped[13] = {
		[10] = 0xff, [11] = 0xff, [12] = 127
	};

	return memcmp(end->ip, one, sizeof(one)) == 0 ||
	       memcmp(end->ip, mapped, sizeof(mapped)) == 0;
}

static void
look_at_socket(struct abt_listener *listener)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	struct rlimit limit;
	int one = 1;

	getsockname(listener->fd, (struct sockaddr *)&address, &size);
	abt_endpoint_set(&listener->local, (struct sockaddr *)&address);
	listener->is_unix = address.ss_family == AF_UNIX;
	listener->local_fixed =
	    listener->local.known && !is_wildcard(&listener->local);
	/* Accepted sockets inherit it: one call less for each. */
	if (!listener->is_unix)
		setsockopt(
		    listener->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Nobody shares the way to this machine itself: what is fair on a
	 * network (BBR's pacing most of all) only costs timers here, a third
	 * of what sending 1 MB to a function takes. */
	if (listener->local_fixed && is_loopback(&listener->local))
		setsockopt(listener->fd, IPPROTO_TCP, TCP_CONGESTION, "reno",
		    sizeof("reno") - 1);
	listener->fd_ceiling = INT32_MAX;
	if (!listener->options.inner && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur > 2 * RESERVE && limit.rlim_cur < INT32_MAX)
		listener->fd_ceiling = (int)limit.rlim_cur - RESERVE;
}

struct abt_listener *
abt_listener_new(
    struct abt_loop *loop, int fd, const struct abt_listener_options *options)
{
	struct abt_listener *listener = abt_calloc(1, sizeof(*listener));

	abt_loop_assert_mine(loop);
	if (listener == NULL)
		return NULL;
	listener->loop = loop;
	listener->fd = fd;
	listener->options = *options;
	listener->references = 1;
	look_at_socket(listener);
	abt_timer_init(&listener->retry, on_retry);
	event_assign(&listener->event, loop->base, fd, EV_READ | EV_PERSIST,
	    on_accept, listener);
	if (event_add(&listener->event, NULL) != 0) {
		abt_free(listener);
		return NULL;
	}
	return listener;
}

void
abt_listener_set(
    struct abt_listener *listener, const struct abt_listener_options *options)
{
	abt_loop_assert_mine(listener->loop);
	listener->options = *options;
}

void
abt_listener_release(struct abt_listener *listener)
{
	if (--listener->references == 0)
		abt_free(listener);
}

/* ---- draining ---- */

/* A last chance for connections that owe nothing: what they have sent already
 * is served. */
static void
read_once_more(struct abt_conn *conn)
{
	struct abt_loop *loop = conn->loop;

	if (loop->reading || !is_idle(conn))
		return;
	loop->reading = true;
	conn->codec->readable(conn);
	loop->reading = false;
}

/* Close what owes no answer; the others close after theirs. */
static void
drain(struct abt_conn *conn, bool graceful)
{
	conn->drain_seen = true;
	abt_conn_enter(conn);
	if (graceful)
		read_once_more(conn);
	if (!conn->closed && conn->stage != ABT_CONN_LINGER &&
	    (conn->stage != ABT_CONN_OPEN || is_idle(conn) ||
		(conn->listener->closed && conn->x == NULL)))
		abt_conn_close(conn);
	abt_conn_leave(conn);
}

/* One connection's end may end others: begin anew after each. */
static void
drain_all(
    struct abt_loop *loop, const struct abt_listener *listener, bool graceful)
{
	struct abt_conn *conn;

	for (conn = loop->conns; conn != NULL; conn = conn->next)
		conn->drain_seen = false;
	do {
		for (conn = loop->conns; conn != NULL; conn = conn->next)
			if (!conn->drain_seen &&
			    (listener == NULL ? !conn->listener->options.inner
					      : conn->listener == listener))
				break;
		if (conn != NULL)
			drain(conn, graceful);
	} while (conn != NULL);
}

void
abt_listener_free(struct abt_listener *listener)
{
	struct abt_loop *loop;

	if (listener == NULL)
		return;
	loop = listener->loop;
	abt_loop_assert_mine(loop);
	if (!listener->options.inner) {
		if (!loop->reading) /* whom the kernel has accepted */
			on_accept(listener->fd, EV_READ, listener);
		drain_all(loop, listener, true);
	}
	listener->closed = true;
	abt_timer_stop(&listener->retry);
	event_del(&listener->event);
	close(listener->fd);
	drain_all(loop, listener, false);
	abt_listener_release(listener);
}

void
abt_loop_drain_conns(struct abt_loop *loop)
{
	abt_loop_assert_mine(loop);
	loop->draining = true;
	drain_all(loop, NULL, true);
}

void
abt_loop_cut_conns(struct abt_loop *loop)
{
	abt_loop_assert_mine(loop);
	while (loop->conns != NULL)
		abt_conn_lost(loop->conns);
}
