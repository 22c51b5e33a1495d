/*
 * h1_reply.c - HTTP/1.x codec: responses to bytes
 *
 * Head and body go out in one call.  What the kernel does not take waits where
 * it is: the body in the exchange, the rest of the head copied there; then the
 * loop tells when to go on.
 */
#include "net/h1_conn.h"

#include "base/log.h"
#include "http/h1_write.h"

#define SMALL_BODY 4096

#define NO_MEMORY_ANSWER                       \
	"HTTP/1.1 503 Service Unavailable\r\n" \
	"Content-Length: 0\r\n"                \
	"Connection: close\r\n\r\n"

/* ---- may the connection live on? ---- */

bool
abt_h1_may_keep(struct abt_conn *conn, const struct abt_exchange *x)
{
	const struct abt_policy *policy = x->policy;

	if (!x->request.keep_alive || x->response.close || conn->close_after ||
	    conn->eof)
		return false;
	if (abt_listener_drains(conn->listener))
		return false;
	if (policy->requests_max > 0 && conn->requests >= policy->requests_max)
		return false;
	return policy->connection_ms == 0 ||
	       abt_conn_now_ms(conn) - conn->opened_ms < policy->connection_ms;
}

/* The last answer is out.  A client that said itself that it wants no more, and
 * sent no more, needs no lingering. */
static void
end_conn(struct abt_conn *conn)
{
	if (conn->eof || (conn->asked_close && conn->saved == NULL))
		abt_conn_close(conn);
	else
		abt_conn_linger(conn);
}

void
abt_h1_end_exchange(struct abt_conn *conn)
{
	struct abt_exchange *x = conn->x;

	conn->x = NULL;
	conn->phase = ABT_H1_HEAD;
	conn->begin_ms = 0;
	conn->stamp_ms = abt_conn_now_ms(conn);
	abt_exchange_done(x);
	abt_exchange_release_codec(x);
	if (conn->closed)
		return;
	if (conn->close_after)
		end_conn(conn);
	else if (abt_listener_drains(conn->listener) && conn->saved == NULL &&
		 !conn->feeding)
		abt_conn_linger(conn);
	else
		abt_h1_resume(conn);
}

/* ---- sending ---- */

static void
advance(struct abt_exchange *x, size_t n)
{
	size_t head = n < x->out.n ? n : x->out.n;

	x->sent += n;
	x->out.p += head;
	x->out.n -= head;
	if (n > head) {
		x->out_body.p += n - head;
		x->out_body.n -= n - head;
	}
}

/* The head stands in the loop's buffer, which others will use. */
static int
save_head(struct abt_exchange *x)
{
	const struct abt_buf *out = &x->loop->out;
	struct abt_bytes copy;

	if (x->out.n == 0 || x->out.p < out->p || x->out.p >= out->p + out->n)
		return 0;
	copy = abt_arena_copy(&x->arena, x->out);
	if (copy.p == NULL)
		return -1;
	x->out = copy;
	return 0;
}

/* Send what is there.  1: all is out, 0: the rest waits, -1: lost. */
static int
send_out(struct abt_conn *conn, struct abt_exchange *x)
{
	ssize_t n;

	while (x->out.n + x->out_body.n > 0) {
		n = abt_conn_send(conn, x->out, x->out_body);
		if (n == ABT_LOST)
			return -1;
		if (n > 0) {
			advance(x, (size_t)n);
			x->wrote_ms = abt_conn_now_ms(conn);
		}
		/* A plain socket that takes less than all is full. */
		if (n > 0 && conn->tls != NULL)
			continue;
		if (x->out.n + x->out_body.n == 0)
			break;
		if (save_head(x) != 0)
			return -1;
		abt_conn_watch(conn, EV_WRITE);
		abt_conn_arm(conn);
		return 0;
	}
	return 1;
}

static void
flush(struct abt_conn *conn)
{
	int rc = send_out(conn, conn->x);

	if (rc < 0)
		abt_conn_lost(conn);
	else if (rc > 0 && conn->x->replied)
		abt_h1_end_exchange(conn);
	else if (rc > 0)
		abt_h1_watch(conn); /* 100 Continue is out */
}

void
abt_h1_writable(struct abt_conn *conn)
{
	if (conn->x == NULL)
		return;
	if (conn->x->waiting > 0)
		abt_h1_send_waiting(conn, conn->x);
	else
		flush(conn);
}

/* Reset is noticed also where nothing is read (conn.c: hush). */
void
abt_h1_watch(struct abt_conn *conn)
{
	const struct abt_exchange *x = conn->x;
	bool waits = x != NULL && x->waiting + x->out.n + x->out_body.n > 0;
	bool reads =
	    conn->phase == ABT_H1_BODY ? !x->paused : conn->saved == NULL;

	if (conn->eof)
		reads = false;
	if (waits && conn->phase != ABT_H1_BODY)
		abt_conn_watch(conn, EV_WRITE);
	else if (waits)
		abt_conn_watch(conn, reads ? EV_READ | EV_WRITE : EV_WRITE);
	else if (reads)
		abt_conn_watch(conn, EV_READ);
	else
		abt_conn_hush(conn);
}

/* ---- what is sent ---- */

bool
abt_h1_has_no_body(const struct abt_exchange *x)
{
	int status = x->response.status;

	return status < 200 || status == 204 || status == 304 ||
	       abt_bytes_equal(x->request.method, ABT_BYTES("HEAD"));
}

/* Into the loop's buffer, behind |rest| of an interim response.  A small body
 * goes along: one piece costs the kernel less than two. */
static int
write_head(struct abt_exchange *x, struct abt_bytes rest, bool keep)
{
	struct abt_buf *out = &x->loop->out;

	if (out->failed)
		abt_buf_end(out);
	out->n = 0;
	abt_buf_add(out, rest);
	abt_h1_write_head(out, &x->response, keep ? "keep-alive" : "close");
	if (x->out_body.n <= SMALL_BODY) {
		abt_buf_add(out, x->out_body);
		x->out_body.n = 0;
	}
	x->out = abt_buf_bytes(out);
	return out->failed ? -1 : 0;
}

void
abt_h1_reply(struct abt_conn *conn, struct abt_exchange *x)
{
	bool keep = conn->phase == ABT_H1_BUSY && abt_h1_may_keep(conn, x);

	abt_conn_enter(conn);
	x->wrote_ms = abt_conn_now_ms(conn);
	conn->close_after = !keep;
	if (conn->phase != ABT_H1_BUSY) { /* the rest of it is not wanted */
		conn->asked_close = false;
		conn->phase = ABT_H1_BUSY;
	}
	x->out_body = abt_bytes(NULL, 0);
	if (!abt_h1_has_no_body(x)) {
		x->out_body = x->response.body;
		x->response.has_length = false; /* it is what is there */
	}
	if (write_head(x, x->out, keep) != 0) {
		abt_error("no memory for a response head");
		x->response.status = 503;
		x->response.rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
		x->out = ABT_BYTES(NO_MEMORY_ANSWER);
		x->out_body = abt_bytes(NULL, 0);
		conn->close_after = true;
	}
	flush(conn);
	abt_conn_leave(conn);
}

void
abt_h1_continue(struct abt_conn *conn, struct abt_exchange *x)
{
	/* Behind a final head it would be nonsense. */
	bool wanted = x->owes_100 && !x->streaming && !x->replied;

	x->owes_100 = 0;
	if (!wanted)
		return;
	x->out = ABT_BYTES("HTTP/1.1 100 Continue\r\n\r\n");
	x->wrote_ms = abt_conn_now_ms(conn);
	flush(conn);
}

void
abt_h1_no_memory(struct abt_conn *conn)
{
	abt_error("no memory for a request");
	conn->phase = ABT_H1_HEAD;
	if (abt_conn_send(conn, ABT_BYTES(NO_MEMORY_ANSWER),
		abt_bytes(NULL, 0)) == ABT_LOST)
		abt_conn_close(conn);
	else
		abt_conn_linger(conn);
}
