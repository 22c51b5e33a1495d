/*
 * conn.c - an accepted connection: its event, its deadline, its stages
 *
 * One persistent struct event per conn, our own recv and send.  The kernel is
 * told of a change only where reading stops or writing has to wait.  The
 * deadline is lazy: one timer that is set when a deadline is nearer than it,
 * and that looks at the real one when it fires; so a busy keep-alive connection
 * touches the wheel once in a long while.
 */
#include "net/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/log.h"
#include "route/cidr.h"

#define FIRST_MS       10000 /* PROXY line and TLS handshake (threats.md T2) */
#define LINGER_IDLE_MS 2000  /* threats.md H2 */
#define LINGER_MS      10000
#define LINGER_BYTES   (16u << 20)
#define LINGER_READS   16 /* in one turn */

/* ---- endpoints ---- */

void
abt_endpoint_set(struct abt_endpoint *end, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	memset(end, 0, sizeof(*end));
	if (address->sa_family == AF_INET) {
		end->ip[10] = end->ip[11] = 0xff;
		memcpy(end->ip + 12, &v4->sin_addr, 4);
		end->port = ntohs(v4->sin_port);
		end->known = true;
	} else if (address->sa_family == AF_INET6) {
		memcpy(end->ip, &v6->sin6_addr, 16);
		end->port = ntohs(v6->sin6_port);
		end->known = true;
	}
}

/* IPv4 by hand: it is asked for every request. */
void
abt_endpoint_text(const struct abt_endpoint *end, char out[46])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char *at = out;
	int i;

	*out = '\0';
	if (!end->known)
		return;
	if (memcmp(end->ip, mapped, sizeof(mapped)) != 0) {
		inet_ntop(AF_INET6, end->ip, out, 46);
		return;
	}
	for (i = 12; i < 16; i++) {
		at += abt_format_number(at, end->ip[i]);
		*at++ = i < 15 ? '.' : '\0';
	}
}

void
abt_conn_find_local(struct abt_conn *conn)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (conn->local.known || conn->listener->is_unix)
		return;
	if (conn->listener->local_fixed)
		conn->local = conn->listener->local;
	else if (getsockname(event_get_fd(&conn->event),
		     (struct sockaddr *)&address, &size) == 0)
		abt_endpoint_set(&conn->local, (struct sockaddr *)&address);
}

/* ---- deadlines ---- */

static int64_t
earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t
deadline(const struct abt_conn *conn)
{
	if (conn->deaf)
		return 1;
	switch (conn->stage) {
	case ABT_CONN_FIRST:
	case ABT_CONN_HANDSHAKE:
		return conn->opened_ms + FIRST_MS;
	case ABT_CONN_LINGER:
		return earlier(conn->stamp_ms + LINGER_IDLE_MS,
		    conn->begin_ms + LINGER_MS);
	default:
		return conn->codec->deadline(conn);
	}
}

void
abt_conn_arm(struct abt_conn *conn)
{
	int64_t at = conn->closed ? 0 : deadline(conn);

	if (at == 0 ||
	    (abt_timer_is_set(&conn->timer) && conn->timer.at_ms <= at))
		return;
	abt_timer_set(conn->loop, &conn->timer, at - abt_conn_now_ms(conn));
}

static void
on_timer(struct abt_timer *timer)
{
	struct abt_conn *conn = abt_container_of(timer, struct abt_conn, timer);
	int64_t at = deadline(conn);

	if (at != 0 && at <= abt_conn_now_ms(conn)) {
		abt_conn_enter(conn);
		if (conn->deaf)
			abt_conn_lost(conn);
		else if (conn->stage == ABT_CONN_OPEN)
			conn->codec->expired(conn);
		else
			abt_conn_close(conn);
		abt_conn_arm(conn);
		abt_conn_leave(conn);
		return;
	}
	abt_conn_arm(conn);
}

/* ---- what the loop tells ---- */

static void on_event(evutil_socket_t fd, short what, void *arg);

static void
watch(struct abt_conn *conn, short what)
{
	int fd = event_get_fd(&conn->event);

	event_del(&conn->event);
	conn->watched = (uint8_t)(what & (EV_READ | EV_WRITE));
	conn->quiet = (what & EV_ET) != 0;
	event_assign(&conn->event, conn->loop->base, fd,
	    (short)(what | EV_PERSIST), on_event, conn);
	if (event_add(&conn->event, NULL) == 0)
		return;
	/* Deaf: nobody would ever tell us, so let the deadline end it. */
	abt_error("cannot watch a connection: out of memory");
	conn->deaf = true;
	abt_timer_set(conn->loop, &conn->timer, 0);
}

void
abt_conn_watch(struct abt_conn *conn, short what)
{
	if (!conn->closed && (conn->watched != what || conn->quiet))
		watch(conn, what);
}

/*
 * Edge-triggered reading wakes us once for each arrival, not as long as there
 * is something to read; a reset arrives like data (see was_reset).
 */
void
abt_conn_hush(struct abt_conn *conn)
{
	if (!conn->closed && !conn->quiet)
		watch(conn, EV_READ | EV_ET);
}

void
abt_conn_poke(struct abt_conn *conn)
{
	if (!conn->closed)
		event_active(&conn->event, EV_READ, 0);
}

static bool
was_reset(struct abt_conn *conn)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(event_get_fd(&conn->event), SOL_SOCKET, SO_ERROR,
		   &error, &size) != 0 ||
	       error != 0;
}

/* ---- the last bytes ---- */

void
abt_conn_linger(struct abt_conn *conn)
{
	if (conn->closed)
		return;
	abt_conn_drop_saved(conn);
	if (conn->tls != NULL)
		abt_tls_conn_close(conn->tls);
	if (conn->eof || shutdown(event_get_fd(&conn->event), SHUT_WR) != 0) {
		abt_conn_close(conn);
		return;
	}
	conn->stage = ABT_CONN_LINGER;
	conn->begin_ms = conn->stamp_ms = abt_conn_now_ms(conn);
	abt_conn_watch(conn, EV_READ);
	abt_conn_arm(conn);
}

static void
read_and_drop(struct abt_conn *conn)
{
	int i;

	for (i = 0; i < LINGER_READS; i++) {
		ssize_t n = recv(event_get_fd(&conn->event), conn->loop->recv,
		    conn->loop->recv_size, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || (conn->lingered += (uint32_t)n) > LINGER_BYTES) {
			abt_conn_close(conn);
			return;
		}
		conn->stamp_ms = abt_conn_now_ms(conn);
		if ((size_t)n < conn->loop->recv_size)
			return;
	}
}

/* ---- events ---- */

static void
on_open(struct abt_conn *conn, short what)
{
	if (conn->deaf) {
		abt_conn_lost(conn);
		return;
	}
	if (what & EV_WRITE)
		conn->codec->writable(conn);
	if (conn->closed || conn->stage != ABT_CONN_OPEN || !(what & EV_READ))
		return;
	if (!conn->quiet)
		conn->codec->readable(conn);
	else if (was_reset(conn))
		abt_conn_lost(conn);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct abt_conn *conn = arg;

	(void)fd;
	abt_conn_enter(conn);
	conn->loop->reading = true;
	switch (conn->stage) {
	case ABT_CONN_FIRST:
		abt_conn_read_first(conn);
		break;
	case ABT_CONN_HANDSHAKE:
		abt_conn_shake_hands(conn);
		break;
	case ABT_CONN_OPEN:
		on_open(conn, what);
		break;
	default:
		read_and_drop(conn);
		break;
	}
	conn->loop->reading = false;
	abt_conn_leave(conn);
}

/* ---- life ---- */

static bool
wants_line(struct abt_listener *listener, const struct abt_endpoint *peer)
{
	const struct abt_listener_options *options = &listener->options;
	char ip[46];

	if (options->proxy_sources == NULL)
		return false;
	if (listener->is_unix) /* whoever may open it is trusted */
		return true;
	abt_endpoint_text(peer, ip);
	return abt_cidr_holds(
	    options->proxy_sources, options->proxy_source_count, ip);
}

static void
join_loop(struct abt_conn *conn)
{
	struct abt_loop *loop = conn->loop;

	conn->next = loop->conns;
	conn->prev = &loop->conns;
	if (loop->conns != NULL)
		loop->conns->prev = &conn->next;
	loop->conns = conn;
	loop->conn_count++;
	conn->serial = loop->conn_serial++ << 8 | (loop->index & 0xff);
}

static void
leave_loop(struct abt_conn *conn)
{
	if (conn->loop->conn_hand == conn)
		conn->loop->conn_hand = conn->next;
	*conn->prev = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	conn->loop->conn_count--;
}

int
abt_conn_accept(
    struct abt_listener *listener, int fd, const struct sockaddr *peer)
{
	struct abt_loop *loop = listener->loop;
	struct abt_conn *conn = abt_calloc(1, sizeof(*conn));

	if (conn == NULL) {
		close(fd);
		return -1;
	}
	conn->loop = loop;
	conn->listener = listener;
	conn->codec = &abt_h1_server;
	abt_endpoint_set(&conn->peer, peer);
	conn->wants_line = wants_line(listener, &conn->peer);
	conn->stage = conn->wants_line || listener->options.tls != NULL
			  ? ABT_CONN_FIRST
			  : ABT_CONN_OPEN;
	conn->opened_ms = conn->stamp_ms = abt_conn_now_ms(conn);
	abt_timer_init(&conn->timer, on_timer);
	conn->watched = EV_READ;
	event_assign(
	    &conn->event, loop->base, fd, EV_READ | EV_PERSIST, on_event, conn);
	if (event_add(&conn->event, NULL) != 0) {
		abt_free(conn);
		close(fd);
		return -1;
	}
	listener->references++;
	join_loop(conn);
	abt_conn_arm(conn);
	return 0;
}

void
abt_conn_close(struct abt_conn *conn)
{
	int fd = event_get_fd(&conn->event);

	if (conn->closed)
		return;
	conn->closed = true;
	abt_timer_stop(&conn->timer);
	event_del(&conn->event);
	if (conn->tls != NULL) {
		if (conn->stage == ABT_CONN_OPEN)
			abt_tls_conn_close(conn->tls);
		abt_tls_conn_free(conn->tls);
		conn->tls = NULL;
	}
	close(fd);
	abt_conn_drop_saved(conn);
	leave_loop(conn);
	abt_listener_release(conn->listener);
	conn->listener = NULL;
	if (conn->entered == 0)
		abt_free(conn);
}

void
abt_conn_reset(struct abt_conn *conn)
{
	static const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (conn->closed)
		return;
	setsockopt(event_get_fd(&conn->event), SOL_SOCKET, SO_LINGER, &now,
	    sizeof(now));
	conn->stage = ABT_CONN_LINGER; /* no close_notify: it is no good end */
	abt_conn_close(conn);
}

void
abt_conn_lost(struct abt_conn *conn)
{
	bool half_answered;

	if (conn->closed)
		return;
	abt_conn_enter(conn);
	half_answered =
	    conn->x != NULL && (conn->x->streaming || conn->x->replied);
	if (conn->stage == ABT_CONN_OPEN)
		conn->codec->gone(conn);
	if (half_answered)
		abt_conn_reset(conn);
	else
		abt_conn_close(conn);
	abt_conn_leave(conn);
}

void
abt_conn_doom(struct abt_conn *conn)
{
	if (conn->closed || conn->deaf)
		return;
	conn->deaf = true;
	event_active(&conn->event, EV_READ, 0);
}

void
abt_conn_leave(struct abt_conn *conn)
{
	if (--conn->entered == 0 && conn->closed)
		abt_free(conn);
}
