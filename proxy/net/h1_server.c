/*
 * h1_server.c - HTTP/1.x codec: what the socket and the wheel tell
 *
 * A small state machine of three phases (h1_conn.h).  Here it is driven: by
 * bytes that arrive (read by h1_request.c), by their end, by deadlines, by a
 * connection that is lost.
 */
#include "net/h1_conn.h"

#define RATE_AFTER_MS 10000
#define TLS_READS     16 /* records in one turn */

/* ---- reading ---- */

/* Is nothing but line ends saved?  Then nobody began a request. */
static bool
nothing_came(const struct abt_conn *conn)
{
	const struct abt_saved *saved = conn->saved;
	size_t i;

	for (i = saved != NULL ? saved->at : 0; saved && i < saved->end; i++)
		if (saved->data[i] != '\r' && saved->data[i] != '\n')
			return false;
	return true;
}

static void
on_eof(struct abt_conn *conn)
{
	struct abt_exchange *x = conn->x;

	conn->eof = true;
	if (conn->phase == ABT_H1_HEAD) {
		if (nothing_came(conn))
			abt_conn_close(conn);
		else
			abt_h1_refuse(conn, ABT_RULE_H1_HEAD_SHORT);
	} else if (conn->phase == ABT_H1_BODY) {
		abt_h1_break(conn, x, ABT_RULE_H1_BODY_SHORT);
	} else if (!x->replied && x->handler->on_half_closed != NULL) {
		x->handler->on_half_closed(x);
	}
	/* End of file can be read again and again: stop looking. */
	if (!conn->closed && conn->x != NULL && (conn->watched & EV_READ) != 0)
		abt_h1_watch(conn);
}

/* A body of known length goes straight to its place. */
static ssize_t
read_sized(struct abt_conn *conn, struct abt_exchange *x)
{
	uint64_t left = x->request.length - x->body_got;
	size_t room = (size_t)(x->body->size - x->body_got);
	char *at = x->body->data + x->body_got;
	ssize_t n;

	if (room == 0) {
		if (abt_h1_make_room(x, 1) != 0) {
			abt_h1_break(conn, x, ABT_RULE_NET_NO_MEMORY);
			return ABT_AGAIN;
		}
		return read_sized(conn, x);
	}
	/* Only behind the last byte of the body something else may follow. */
	n = room >= left ? abt_conn_read_into(conn, at, (size_t)left)
			 : abt_conn_read(conn, at, room);
	if (n <= 0)
		return n;
	if ((uint64_t)n < left)
		left = (uint64_t)n;
	x->body_got += left;
	x->received += left;
	if (abt_h1_charge(x, x->body_got) != 0) {
		abt_h1_break(conn, x, ABT_RULE_NET_BODIES_FULL);
		return ABT_AGAIN;
	}
	if (x->body_got == x->request.length)
		abt_h1_ready(conn, x);
	if (!conn->closed && (uint64_t)n > left)
		abt_h1_feed(conn,
		    abt_bytes(conn->loop->recv, (size_t)((uint64_t)n - left)));
	return n;
}

static ssize_t
read_some(struct abt_conn *conn)
{
	struct abt_exchange *x = conn->x;
	struct abt_bytes in;
	ssize_t n;

	if ((conn->phase == ABT_H1_BODY && x->paused) ||
	    (conn->phase == ABT_H1_BUSY && conn->saved != NULL)) {
		abt_h1_watch(conn); /* one request ahead is enough (H10) */
		return ABT_AGAIN;
	}
	if (conn->phase == ABT_H1_BODY && x->collecting &&
	    x->request.framing == ABT_BODY_LENGTH)
		return read_sized(conn, x);
	n = abt_conn_fill(conn, &in);
	if (n > 0)
		abt_h1_feed(conn, in);
	return n;
}

static void
readable(struct abt_conn *conn)
{
	int reads = 0;
	ssize_t n;

	do {
		n = read_some(conn);
		if (n > 0 && conn->phase == ABT_H1_BODY)
			conn->stamp_ms = abt_conn_now_ms(conn);
	} while (n > 0 && !conn->closed && conn->stage == ABT_CONN_OPEN &&
		 !conn->quiet && conn->tls != NULL &&
		 abt_tls_conn_pending(conn->tls) && ++reads < TLS_READS);
	if (conn->closed || conn->stage != ABT_CONN_OPEN)
		return;
	if (n == ABT_EOF)
		on_eof(conn);
	else if (n == ABT_LOST)
		abt_conn_lost(conn);
	else if (n == ABT_NO_ROOM)
		abt_h1_refuse(conn, ABT_RULE_H1_HEAD_LARGE);
	else if (reads == TLS_READS)
		abt_conn_poke(conn);
	abt_conn_arm(conn);
}

/* ---- deadlines ---- */

/* The earlier of |at| and |start| + |ms|; 0 is never. */
static int64_t
within(int64_t at, int64_t start, int64_t ms)
{
	if (ms <= 0)
		return at;
	return at == 0 || start + ms < at ? start + ms : at;
}

/* When the body has been too slow on the whole, if nothing more comes. */
static int64_t
rate_ms(const struct abt_exchange *x)
{
	uint64_t wire = x->received - x->request.head_size;
	uint64_t ms = wire * 1000 / x->policy->body_rate;

	return ms > RATE_AFTER_MS ? (int64_t)ms : RATE_AFTER_MS;
}

/* Of a body that is coming.  Time in which we did not read does not count. */
static int64_t
body_deadline(const struct abt_conn *conn, const struct abt_exchange *x)
{
	const struct abt_policy *policy = x->policy;
	int64_t at;

	if (x->paused)
		return 0;
	at = within(0, conn->stamp_ms, policy->body_idle_ms);
	if (x->collecting) /* one in pieces may be of any size */
		at = within(
		    at, x->begin_us / 1000 + x->paused_ms, policy->request_ms);
	return policy->body_rate > 0
		   ? within(at, conn->begin_ms + x->paused_ms, rate_ms(x))
		   : at;
}

/* Of an answer that waits for its reader.  Whoever still sends is not idle. */
static int64_t
write_deadline(const struct abt_conn *conn, const struct abt_exchange *x)
{
	int64_t since = x->wrote_ms;

	if (!x->replied && x->waiting == 0)
		return 0;
	if (conn->phase == ABT_H1_BODY && conn->stamp_ms > since)
		since = conn->stamp_ms;
	return within(0, since, x->policy->write_idle_ms);
}

static int64_t
deadline(const struct abt_conn *conn)
{
	const struct abt_policy *policy = abt_conn_policy(conn);
	const struct abt_exchange *x = conn->x;
	int64_t at = 0, out;

	if (conn->phase == ABT_H1_HEAD) {
		if (conn->saved == NULL)
			return within(0, conn->stamp_ms, policy->keep_alive_ms);
		at = within(0, conn->begin_ms, policy->head_ms);
		return within(at, conn->begin_ms, policy->request_ms);
	}
	out = write_deadline(conn, x);
	if (conn->phase == ABT_H1_BODY)
		at = body_deadline(conn, x);
	return at == 0 || (out != 0 && out < at) ? out : at;
}

static void
expired(struct abt_conn *conn)
{
	struct abt_exchange *x = conn->x;
	int64_t out = x != NULL ? write_deadline(conn, x) : 0;

	if (conn->phase == ABT_H1_BUSY ||
	    (out != 0 && out <= abt_conn_now_ms(conn)))
		abt_conn_lost(conn); /* it does not take its answer */
	else if (conn->phase == ABT_H1_BODY)
		abt_h1_break(conn, x, ABT_RULE_NET_BODY_TIMEOUT);
	else if (nothing_came(conn))
		abt_conn_close(conn);
	else
		abt_h1_refuse(conn, ABT_RULE_NET_HEAD_TIMEOUT);
}

/* ---- ends ---- */

static void
gone(struct abt_conn *conn)
{
	struct abt_exchange *x = conn->x;

	if (x == NULL)
		return;
	conn->x = NULL;
	x->conn = NULL;
	x->client_left = 1;
	if (x->replied) {
		abt_exchange_done(x);
		abt_exchange_release_codec(x);
		return;
	}
	/* The handler still holds it; it ends when the handler answers. */
	x->codec_holds = 0;
	abt_exchange_drop_waiting(x);
	if (conn->phase == ABT_H1_BODY) {
		abt_break(&x->report, ABT_RULE_NET_CLIENT_GONE, ABT_BYTES(""));
		x->handler->on_broken(x);
	} else if (x->handler->on_gone != NULL) {
		x->handler->on_gone(x);
	}
}

static bool
idle(const struct abt_conn *conn)
{
	return conn->phase == ABT_H1_HEAD && conn->saved == NULL;
}

const struct abt_codec abt_h1_server = {
	.name = "h1",
	.readable = readable,
	.writable = abt_h1_writable,
	.feed = abt_h1_feed,
	.reply = abt_h1_reply,
	.begin = abt_h1_begin,
	.write = abt_h1_write,
	.finish = abt_h1_finish,
	.abort = abt_h1_abort,
	.resume = abt_h1_unpause,
	.deadline = deadline,
	.expired = expired,
	.gone = gone,
	.idle = idle,
};
