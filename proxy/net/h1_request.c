/*
 * h1_request.c - HTTP/1.x codec: bytes to exchanges
 *
 * Fed with slices of the loop's receive buffer.  Whatever is wrong becomes a
 * rule in the report and an answer by the handler; the connection closes after
 * it (threats.md H2).  Callbacks may answer at once, so after each of them the
 * connection is looked at anew.
 */
#include "net/h1_conn.h"

#include "http/framing.h"
#include "http/h1_head.h"
#include "http/judge.h"

#define CHUNK_FIRST 8192       /* of a body of unknown length */
#define CHUNK_SURE  (8u << 20) /* of a known length: no growing up to here */

/* Is |x| still the one this connection waits for?  (Compared, never read.) */
static bool
still(const struct abt_conn *conn, const struct abt_exchange *x)
{
	return !conn->closed && conn->x == x;
}

/* ---- the exchange: begin, refuse, break, ready ---- */

static struct abt_exchange *
new_exchange(struct abt_conn *conn)
{
	const struct abt_listener_options *options = &conn->listener->options;
	struct abt_exchange *x = abt_exchange_new(conn->loop);

	if (x == NULL)
		return NULL;
	x->conn = conn;
	x->conn_serial = conn->serial;
	x->handler = options->handler;
	x->owner = options->owner;
	x->policy = options->policy;
	x->body_max = options->policy->body_max;
	x->secure = conn->tls != NULL;
	x->collecting = options->handler->on_data == NULL;
	x->begin_us = abt_loop_now_us(conn->loop);
	if (conn->begin_ms != 0)
		x->begin_us = conn->begin_ms * 1000;
	conn->begin_ms = 0;
	conn->requests++;
	conn->x = x;
	return x;
}

/* Nothing more of this request is wanted; the answer is the last one. */
void
abt_h1_give_up(struct abt_conn *conn)
{
	conn->close_after = true;
	conn->asked_close = false;
	conn->phase = ABT_H1_BUSY;
}

/* Show the head to the handler.  True: go on with the body. */
static bool
show_head(struct abt_conn *conn, struct abt_exchange *x)
{
	bool broken = x->report.broken != NULL;
	int rc;

	/* With a body still to come, an answer now is the last one. */
	conn->phase =
	    x->request.framing == ABT_BODY_NONE ? ABT_H1_BUSY : ABT_H1_BODY;
	if (broken)
		abt_h1_give_up(conn);
	x->begun = 1;
	x->handler_holds = 1;
	rc = x->handler->on_head(x);
	if (!still(conn, x))
		return false;
	if (rc == 0 && !broken && !x->replied) {
		conn->phase = ABT_H1_BODY; /* until it is ready */
		return true;
	}
	/* Refused, and the answer is on its way or comes later. */
	if (conn->phase == ABT_H1_BODY)
		abt_h1_give_up(conn);
	return false;
}

/* There is no head to read, and never will be. */
void
abt_h1_refuse(struct abt_conn *conn, enum abt_rule_id rule)
{
	struct abt_exchange *x = new_exchange(conn);

	abt_conn_drop_saved(conn);
	if (x == NULL) {
		abt_h1_no_memory(conn);
		return;
	}
	x->malformed = 1;
	abt_break(&x->report, rule, ABT_BYTES(""));
	show_head(conn, x);
}

/* The exchange breaks after on_head and before on_ready. */
static void
broken(struct abt_conn *conn, struct abt_exchange *x)
{
	abt_h1_give_up(conn);
	x->handler->on_broken(x);
}

void
abt_h1_break(
    struct abt_conn *conn, struct abt_exchange *x, enum abt_rule_id rule)
{
	abt_break(&x->report, rule, ABT_BYTES(""));
	broken(conn, x);
}

void
abt_h1_ready(struct abt_conn *conn, struct abt_exchange *x)
{
	if (x->body != NULL) {
		x->body->used = (size_t)x->body_got;
		x->request.body = abt_bytes(x->body->data, x->body->used);
	}
	if (abt_arena_failed(&x->arena)) {
		abt_h1_break(conn, x, ABT_RULE_NET_NO_MEMORY);
		return;
	}
	conn->phase = ABT_H1_BUSY;
	x->ready_us = abt_loop_now_us(conn->loop);
	x->handler->on_ready(x);
}

/* ---- heads ---- */

static void
read_head(struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes head)
{
	struct abt_request *req = &x->request;
	struct abt_bytes copy = abt_arena_copy(&x->arena, head);

	x->received = head.n;
	if (copy.p == NULL) {
		x->malformed = 1;
		abt_break(&x->report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
		return;
	}
	x->malformed = abt_h1_head_read(
			   copy, x->policy, &x->arena, req, &x->report) != 0 ||
		       abt_framing_decide(req, x->policy, &x->report) != 0;
	conn->asked_close = !req->keep_alive && x->report.deviation == NULL;
	if (!x->malformed)
		abt_judge(req, x->policy, &x->report);
	if (conn->plain_on_tls)
		x->report.broken = NULL;
	if (x->report.broken != NULL)
		return;
	if (conn->plain_on_tls)
		abt_break(&x->report, ABT_RULE_H1_TLS_PORT, ABT_BYTES(""));
	else if (abt_arena_failed(&x->arena))
		abt_break(&x->report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
}

/* The body is wanted: where will it go?  0 or -1 (no memory). */
static int
begin_body(struct abt_conn *conn, struct abt_exchange *x)
{
	uint64_t length = x->request.length;

	conn->begin_ms = conn->stamp_ms = abt_conn_now_ms(conn);
	if (x->request.framing == ABT_BODY_CHUNKED) {
		abt_chunked_init(&x->chunked, !x->policy->strict_h1);
		return 0;
	}
	if (!x->collecting)
		return 0;
	x->body = abt_chunk_new(conn->loop->pool,
	    length < CHUNK_SURE ? (size_t)length : CHUNK_SURE);
	return x->body != NULL ? 0 : -1;
}

static void
begin(struct abt_conn *conn, struct abt_bytes head)
{
	struct abt_exchange *x = new_exchange(conn);
	struct abt_request *req;

	if (x == NULL) {
		abt_h1_no_memory(conn);
		return;
	}
	read_head(conn, x, head);
	if (!show_head(conn, x))
		return;
	req = &x->request;
	if (req->framing == ABT_BODY_LENGTH && x->body_max > 0 &&
	    req->length > x->body_max) {
		/* known too large: at once, and no 100 Continue */
		abt_h1_break(conn, x, ABT_RULE_NET_BODY_LARGE);
		return;
	}
	if (req->framing != ABT_BODY_NONE && begin_body(conn, x) != 0) {
		abt_h1_break(conn, x, ABT_RULE_NET_NO_MEMORY);
		return;
	}
	if (req->framing == ABT_BODY_NONE)
		x->paused = 0;
	x->owes_100 = req->expects_continue;
	if (x->paused) {
		abt_h1_pause(conn, x);
		abt_h1_watch(conn);
		return;
	}
	abt_h1_continue(conn, x);
	if (!still(conn, x))
		return;
	if (req->framing == ABT_BODY_NONE)
		abt_h1_ready(conn, x);
}

/* A head that is not whole yet: does it break a limit already? */
static void
wait_for_head(struct abt_conn *conn, struct abt_bytes in)
{
	enum abt_rule_id rule = ABT_NO_RULE;
	struct abt_report report;
	struct abt_arena arena;

	abt_arena_init(&arena, conn->loop->pool);
	abt_report_init(&report, &arena);
	if (abt_h1_head_partial(in, abt_conn_policy(conn), &report) != 0)
		rule = abt_rule_id(report.broken);
	abt_arena_end(&arena);
	if (conn->begin_ms == 0)
		conn->begin_ms = abt_conn_now_ms(conn);
	if (rule == ABT_NO_RULE && abt_conn_keep(conn, in) != 0)
		rule = ABT_RULE_NET_NO_MEMORY;
	if (rule != ABT_NO_RULE)
		abt_h1_refuse(conn, rule);
	else
		conn->saved->seen = in.n;
}

/* True: a head was taken off |in|. */
static bool
take_head(struct abt_conn *conn, struct abt_bytes *in)
{
	size_t end =
	    abt_h1_head_end(*in, conn->saved != NULL ? conn->saved->seen : 0);
	struct abt_bytes head = abt_bytes(in->p, end);

	if (end == 0) {
		wait_for_head(conn, *in);
		return false;
	}
	if (conn->saved != NULL)
		conn->saved->seen = 0;
	in->p += end;
	in->n -= end;
	begin(conn, head);
	return true;
}

/* ---- bodies ---- */

/* |n| more bytes are held.  0, or -1: the account of bodies is full. */
int
abt_h1_charge(struct abt_exchange *x, uint64_t n)
{
	uint64_t step = n < 65536 ? 4096 : 65536, more;

	if (n <= x->charged)
		return 0;
	more = (n - x->charged + step - 1) / step * step;
	if (!abt_net_memory_take(more))
		return -1;
	x->charged += more;
	return 0;
}

/* Room for |n| more bytes of body.  0, or -1. */
int
abt_h1_make_room(struct abt_exchange *x, size_t n)
{
	size_t want = (size_t)x->body_got + n, size;
	struct abt_chunk *chunk;

	if (x->body != NULL && x->body->size >= want)
		return 0;
	size = x->body != NULL ? x->body->size * 2 : CHUNK_FIRST;
	if (size < want)
		size = want;
	if (x->body == NULL) {
		chunk = abt_chunk_new(x->loop->pool, size);
	} else {
		x->body->used = (size_t)x->body_got;
		chunk = abt_chunk_grow(x->loop->pool, x->body, size);
	}
	if (chunk == NULL)
		return -1;
	x->body = chunk;
	return 0;
}

static bool
give_piece(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes piece)
{
	int rc = x->handler->on_data(x, piece);

	if (!still(conn, x) || x->replied)
		return false;
	if (rc == ABT_DATA_PAUSE)
		abt_h1_pause(conn, x);
	else if (rc != 0)
		abt_h1_give_up(conn);
	return rc >= 0;
}

/* A piece of body, decoded.  False: the exchange has broken or was answered. */
static bool
take_piece(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes piece)
{
	if (x->body_max > 0 && x->body_got + piece.n > x->body_max) {
		abt_h1_break(conn, x, ABT_RULE_NET_BODY_LARGE);
		return false;
	}
	if (!x->collecting) {
		x->body_got += piece.n;
		return give_piece(conn, x, piece);
	}
	if (abt_h1_charge(x, x->body_got + piece.n) != 0) {
		abt_h1_break(conn, x, ABT_RULE_NET_BODIES_FULL);
		return false;
	}
	if (abt_h1_make_room(x, piece.n) != 0) {
		abt_h1_break(conn, x, ABT_RULE_NET_NO_MEMORY);
		return false;
	}
	memcpy(x->body->data + x->body_got, piece.p, piece.n);
	x->body_got += piece.n;
	return true;
}

static void
take_sized(struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes *in)
{
	uint64_t left = x->request.length - x->body_got;
	struct abt_bytes piece =
	    abt_bytes(in->p, in->n < left ? in->n : (size_t)left);

	in->p += piece.n;
	in->n -= piece.n;
	x->received += piece.n;
	if (take_piece(conn, x, piece) && x->body_got == x->request.length)
		abt_h1_ready(conn, x);
}

static void
take_chunked(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes *in)
{
	enum abt_chunked_result got;
	struct abt_bytes data;
	size_t before;

	for (;;) {
		before = in->n;
		got = abt_chunked_read(&x->chunked, in, &data,
		    &x->request.trailers, &x->arena, x->policy->head_max,
		    &x->report);
		x->received += before - in->n;
		if (got != ABT_CHUNKED_DATA)
			break;
		if (!take_piece(conn, x, data) || x->paused)
			return;
	}
	if (got == ABT_CHUNKED_BROKEN) {
		broken(conn, x);
	} else if (got == ABT_CHUNKED_DONE) {
		if (x->chunked.bare_lf)
			x->request.keep_alive = false;
		abt_h1_ready(conn, x);
	}
}

/* ---- feeding ---- */

void
abt_h1_feed(struct abt_conn *conn, struct abt_bytes in)
{
	conn->feeding = true;
	while (!conn->closed && conn->stage == ABT_CONN_OPEN && in.n > 0) {
		if (conn->phase == ABT_H1_BUSY ||
		    (conn->phase == ABT_H1_BODY && conn->x->paused)) {
			/* read ahead; without memory it cannot be served */
			if (abt_conn_keep(conn, in) != 0)
				abt_conn_lost(conn);
			break;
		}
		if (conn->phase == ABT_H1_HEAD) {
			if (!take_head(conn, &in))
				break;
		} else if (conn->x->request.framing == ABT_BODY_LENGTH) {
			take_sized(conn, conn->x, &in);
		} else {
			take_chunked(conn, conn->x, &in);
		}
	}
	conn->feeding = false;
	if (in.n == 0 || conn->stage != ABT_CONN_OPEN)
		abt_conn_drop_saved(conn);
	abt_conn_arm(conn);
}

void
abt_h1_resume(struct abt_conn *conn)
{
	struct abt_saved *saved = conn->saved;

	if (conn->feeding || conn->closed)
		return;
	abt_conn_watch(conn, EV_READ);
	if (saved != NULL) {
		/* The time of its head begins now: we made it wait. */
		conn->begin_ms = abt_conn_now_ms(conn);
		abt_h1_feed(conn,
		    abt_bytes(saved->data + saved->at, saved->end - saved->at));
	}
	if (!conn->closed && conn->tls != NULL &&
	    abt_tls_conn_pending(conn->tls))
		abt_conn_poke(conn);
	abt_conn_arm(conn);
}
