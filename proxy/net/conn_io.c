/*
 * conn_io.c - reading and writing of connections, plain or TLS
 *
 * Reads go into the loop's one buffer, or straight into the body they belong
 * to.  Only bytes that must wait - an unfinished head, requests read ahead -
 * are kept with the conn, in a block that is gone when they are used.
 */
#include "net/conn.h"

#include <errno.h>
#include <sys/uio.h>

#define SAVED_LEAST 1024        /* room to read into */
#define SAVED_FREE  8192        /* blocks up to here cost the account nothing */
#define SAVED_MOST  (16u << 20) /* where the policy sets no limit */
#define RECORD      16384       /* TLS: the most one record carries */

static ssize_t
answer(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? ABT_AGAIN : ABT_LOST;
}

ssize_t
abt_conn_read(struct abt_conn *conn, char *out, size_t size)
{
	if (conn->tls != NULL)
		return abt_tls_conn_read(conn->tls, out, size);
	return answer(recv(event_get_fd(&conn->event), out, size, 0));
}

ssize_t
abt_conn_read_into(struct abt_conn *conn, char *out, size_t size)
{
	struct iovec iov[2] = {
		{ .iov_base = out, .iov_len = size },
		{ .iov_base = conn->loop->recv,
		    .iov_len = conn->loop->recv_size },
	};

	if (conn->tls != NULL)
		return abt_tls_conn_read(conn->tls, out, size);
	return answer(readv(event_get_fd(&conn->event), iov, 2));
}

/* ---- bytes that wait ---- */

void
abt_conn_drop_saved(struct abt_conn *conn)
{
	if (conn->saved == NULL)
		return;
	abt_net_memory_give(conn->saved->charged);
	abt_free(conn->saved);
	conn->saved = NULL;
}

/* Have a block twice as large.  0 or -1. */
static int
grow(struct abt_conn *conn)
{
	struct abt_saved *saved = conn->saved;
	size_t size = saved->size * 2;
	uint64_t charge = size > SAVED_FREE ? size - saved->charged : 0;

	if (size > SAVED_MOST || !abt_net_memory_take(charge))
		return -1;
	saved = abt_realloc(saved, sizeof(*saved) + size);
	if (saved == NULL) {
		abt_net_memory_give(charge);
		return -1;
	}
	saved->size = size;
	saved->charged += charge;
	conn->saved = saved;
	return 0;
}

static int
make_room(struct abt_conn *conn)
{
	struct abt_saved *saved = conn->saved;

	if (saved->size - saved->end >= SAVED_LEAST)
		return 0;
	if (saved->at > 0) {
		memmove(saved->data, saved->data + saved->at,
		    saved->end - saved->at);
		saved->end -= saved->at;
		saved->at = 0;
	}
	return saved->size - saved->end >= SAVED_LEAST ? 0 : grow(conn);
}

ssize_t
abt_conn_fill(struct abt_conn *conn, struct abt_bytes *in)
{
	struct abt_saved *saved;
	ssize_t n;

	if (conn->saved == NULL) {
		n = abt_conn_read(
		    conn, conn->loop->recv, conn->loop->recv_size);
		*in = abt_bytes(conn->loop->recv, n > 0 ? (size_t)n : 0);
		return n;
	}
	*in = abt_bytes(NULL, 0);
	if (make_room(conn) != 0)
		return ABT_NO_ROOM;
	saved = conn->saved;
	n = abt_conn_read(
	    conn, saved->data + saved->end, saved->size - saved->end);
	if (n > 0)
		saved->end += (size_t)n;
	*in = abt_bytes(saved->data + saved->at, saved->end - saved->at);
	return n;
}

int
abt_conn_keep(struct abt_conn *conn, struct abt_bytes rest)
{
	struct abt_saved *saved = conn->saved;
	size_t size = rest.n + SAVED_LEAST;

	if (rest.n == 0) {
		abt_conn_drop_saved(conn);
		return 0;
	}
	if (saved != NULL && rest.p >= saved->data &&
	    rest.p < saved->data + saved->size) {
		saved->at = (size_t)(rest.p - saved->data);
		saved->seen = 0;
		return 0;
	}
	abt_conn_drop_saved(conn);
	saved = abt_malloc(sizeof(*saved) + size);
	if (saved == NULL)
		return -1;
	saved->size = size;
	saved->at = 0;
	saved->end = rest.n;
	saved->seen = 0;
	saved->charged = 0;
	memcpy(saved->data, rest.p, rest.n);
	conn->saved = saved;
	return 0;
}

/* ---- writing ---- */

static ssize_t
send_plain(struct abt_conn *conn, struct abt_bytes head, struct abt_bytes body)
{
	struct iovec iov[2];
	struct msghdr message = { .msg_iov = iov };

	if (body.n == 0)
		return answer(send(
		    event_get_fd(&conn->event), head.p, head.n, MSG_NOSIGNAL));
	if (head.n > 0)
		iov[message.msg_iovlen++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)head.p,
			.iov_len = head.n,
		};
	if (body.n > 0)
		iov[message.msg_iovlen++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)body.p,
			.iov_len = body.n,
		};
	return answer(
	    sendmsg(event_get_fd(&conn->event), &message, MSG_NOSIGNAL));
}

/* Head and the beginning of the body in one record, so in one packet. */
static struct abt_bytes
join(struct abt_loop *loop, struct abt_bytes head, struct abt_bytes body)
{
	size_t n = RECORD - head.n < body.n ? RECORD - head.n : body.n;

	if (loop->record == NULL)
		loop->record = abt_malloc(RECORD);
	if (loop->record == NULL)
		return head;
	memcpy(loop->record, head.p, head.n);
	memcpy(loop->record + head.n, body.p, n);
	return abt_bytes(loop->record, head.n + n);
}

static ssize_t
send_tls(struct abt_conn *conn, struct abt_bytes head, struct abt_bytes body)
{
	if (head.n == 0)
		return abt_tls_conn_write(conn->tls, body);
	/* The same bytes are put together again after ABT_AGAIN, as OpenSSL
	 * demands. */
	if (head.n < RECORD && body.n > 0)
		head = join(conn->loop, head, body);
	return abt_tls_conn_write(conn->tls, head);
}

ssize_t
abt_conn_send(
    struct abt_conn *conn, struct abt_bytes head, struct abt_bytes body)
{
	return conn->tls != NULL ? send_tls(conn, head, body)
				 : send_plain(conn, head, body);
}

/* ---- many parts ---- */

/* As much of |parts| as one record takes. */
static struct abt_bytes
join_parts(struct abt_loop *loop, const struct abt_bytes *parts, unsigned count)
{
	size_t n = 0, room;
	unsigned i;

	if (loop->record == NULL)
		loop->record = abt_malloc(RECORD);
	if (loop->record == NULL)
		return parts[0];
	for (i = 0; i < count && n < RECORD; i++) {
		room = RECORD - n < parts[i].n ? RECORD - n : parts[i].n;
		if (room > 0)
			memcpy(loop->record + n, parts[i].p, room);
		n += room;
	}
	return abt_bytes(loop->record, n);
}

ssize_t
abt_conn_send_parts(
    struct abt_conn *conn, const struct abt_bytes *parts, unsigned count)
{
	struct iovec iov[ABT_PARTS_MAX];
	struct msghdr message = { .msg_iov = iov };
	unsigned i;

	while (count > 0 && parts->n == 0) {
		parts++;
		count--;
	}
	if (count == 0)
		return 0;
	if (conn->tls != NULL)
		return abt_tls_conn_write(
		    conn->tls, count == 1 || parts->n >= RECORD
				   ? parts[0]
				   : join_parts(conn->loop, parts, count));
	for (i = 0; i < count && i < ABT_PARTS_MAX; i++)
		iov[i] = (struct iovec){
			.iov_base = (void *)(uintptr_t)parts[i].p,
			.iov_len = parts[i].n,
		};
	message.msg_iovlen = i;
	return answer(
	    sendmsg(event_get_fd(&conn->event), &message, MSG_NOSIGNAL));
}
