/*
 * h1_stream.c - HTTP/1.x codec: answers and request bodies in pieces
 *
 * A piece leaves with its framing in one call, uncopied, when the kernel takes
 * it.  What it does not take is copied once, behind what waits already: chunks
 * of the loop's pool in a row, sent some at a time.  A piece that stays where
 * it is (x->pieces_stay) waits there, as the last one.  How the end is told is
 * decided with the head (enum out_mode).  Nothing here calls the handler but
 * writable, resume and the ends of exchanges.
 */
#include "net/h1_conn.h"

#include "base/log.h"
#include "http/h1_write.h"

#define SMALL_PIECE 4096  /* goes along with its framing */
#define WAIT_CHUNK  32768 /* the least room for what waits */

enum out_mode {
	OUT_NOTHING, /* HEAD, 204, 304: there is no body */
	OUT_LENGTH,
	OUT_CHUNKED,
	OUT_CLOSE, /* to the end of the connection */
};

/* ---- what waits ---- */

/* Room behind what waits; how much of |n|, 0: no memory. */
static size_t
room_to_wait(struct abt_exchange *x, size_t n, char **at)
{
	struct abt_chunk *last = x->wait_last;

	if (last == NULL || last->used == last->size) {
		last = abt_chunk_new(
		    x->loop->pool, n > WAIT_CHUNK ? n : WAIT_CHUNK);
		if (last == NULL)
			return 0;
		last->next = NULL;
		last->used = 0;
		if (x->wait_last != NULL)
			x->wait_last->next = last;
		else
			x->wait_first = last;
		x->wait_last = last;
	}
	*at = last->data + last->used;
	if (n > last->size - last->used)
		n = last->size - last->used;
	last->used += n;
	x->waiting += n;
	return n;
}

/* Copy |parts|.  0, or -1: no memory. */
static int
let_wait(struct abt_exchange *x, const struct abt_bytes *parts, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		struct abt_bytes rest = parts[i];
		char *at;

		while (rest.n > 0) {
			size_t n = room_to_wait(x, rest.n, &at);

			if (n == 0)
				return -1;
			memcpy(at, rest.p, n);
			rest.p += n;
			rest.n -= n;
		}
	}
	return 0;
}

/* The first |n| bytes of |b| are out; how many of |n| are left. */
static size_t
skip(struct abt_bytes *b, size_t n)
{
	size_t out = n < b->n ? n : b->n;

	if (out > 0) { /* an empty one may have no pointer */
		b->p += out;
		b->n -= out;
	}
	return n - out;
}

/* |n| bytes of what waits are out. */
static void
sent_waiting(struct abt_exchange *x, size_t n)
{
	struct abt_chunk *first;

	x->waiting -= n;
	while ((first = x->wait_first) != NULL) {
		size_t left = first->used - x->wait_at;

		if (n < left) {
			x->wait_at += n;
			return;
		}
		n -= left;
		x->wait_at = 0;
		x->wait_first = first->next;
		abt_chunk_end(x->loop->pool, first);
	}
	x->wait_last = NULL;
	skip(&x->held_tail, skip(&x->held, n));
}

/* Something comes behind a piece that stays: now it is copied. */
static int
copy_held(struct abt_exchange *x)
{
	const struct abt_bytes parts[] = { x->held, x->held_tail };

	x->waiting -= parts[0].n + parts[1].n;
	x->held = x->held_tail = abt_bytes(NULL, 0);
	return let_wait(x, parts, 2);
}

/* |parts| (framing, piece, framing) wait.  0, or -1: no memory. */
static int
keep_waiting(
    struct abt_exchange *x, const struct abt_bytes *parts, unsigned count)
{
	if (x->held.n + x->held_tail.n > 0 && copy_held(x) != 0)
		return -1;
	if (!x->pieces_stay || count != 3 || parts[1].n == 0)
		return let_wait(x, parts, count);
	if (let_wait(x, parts, 1) != 0)
		return -1;
	x->held = parts[1];
	x->held_tail = parts[2];
	x->waiting += parts[1].n + parts[2].n;
	return 0;
}

static void
count_sent(struct abt_conn *conn, struct abt_exchange *x, size_t n)
{
	x->sent += n;
	x->wrote_ms = abt_conn_now_ms(conn);
}

/* Send what waits.  1: all is out, 0: the rest waits, -1: lost. */
static int
flush_waiting(struct abt_conn *conn, struct abt_exchange *x)
{
	struct abt_bytes parts[ABT_PARTS_MAX];
	struct abt_chunk *chunk;
	size_t at, asked;
	unsigned count;
	ssize_t n;

	while (x->waiting > 0) {
		at = x->wait_at;
		asked = 0;
		chunk = x->wait_first;
		for (count = 0; chunk != NULL && count < ABT_PARTS_MAX;
		     count++) {
			parts[count] =
			    abt_bytes(chunk->data + at, chunk->used - at);
			asked += parts[count].n;
			at = 0;
			chunk = chunk->next;
		}
		if (chunk == NULL && count + 2 <= ABT_PARTS_MAX) {
			parts[count++] = x->held;
			parts[count++] = x->held_tail;
			asked += x->held.n + x->held_tail.n;
		}
		n = abt_conn_send_parts(conn, parts, count);
		if (n == ABT_LOST)
			return -1;
		if (n <= 0)
			return 0;
		count_sent(conn, x, (size_t)n);
		sent_waiting(x, (size_t)n);
		/* A plain socket that takes less than all is full. */
		if (conn->tls == NULL && (size_t)n < asked)
			return 0;
	}
	return 1;
}

void
abt_h1_send_waiting(struct abt_conn *conn, struct abt_exchange *x)
{
	int rc = flush_waiting(conn, x);

	if (rc < 0) {
		abt_conn_lost(conn);
	} else if (rc > 0 && x->replied) {
		abt_h1_end_exchange(conn);
	} else if (rc > 0) {
		if (x->handler->on_drained != NULL)
			x->handler->on_drained(x);
		if (!conn->closed && conn->x == x)
			abt_h1_watch(conn);
	}
	abt_conn_arm(conn);
}

/* ---- sending ---- */

/* It cannot go on: nothing of it is wanted any more. */
static void
doom(struct abt_conn *conn, struct abt_exchange *x)
{
	abt_exchange_drop_waiting(x);
	abt_conn_doom(conn);
}

/* |n| bytes of |parts| are out. */
static void
skip_parts(struct abt_bytes *parts, unsigned count, size_t n)
{
	unsigned i;

	for (i = 0; i < count && n > 0; i++)
		n = skip(&parts[i], n);
}

/* Send the front of |parts|.  1: all is out, 0: the rest must wait, -1: lost.
 */
static int
send_now(struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes *parts,
    unsigned count)
{
	size_t left = 0;
	unsigned i;
	ssize_t n;

	for (i = 0; i < count; i++)
		left += parts[i].n;
	x->wrote_ms = abt_conn_now_ms(conn);
	while (left > 0) {
		n = abt_conn_send_parts(conn, parts, count);
		if (n == ABT_LOST)
			return -1;
		if (n <= 0)
			return 0;
		count_sent(conn, x, (size_t)n);
		skip_parts(parts, count, (size_t)n);
		left -= (size_t)n;
		if (conn->tls == NULL && left > 0)
			return 0;
	}
	return 1;
}

/* Send |parts|, or let them wait behind what waits. */
static void
send_parts(struct abt_conn *conn, struct abt_exchange *x,
    struct abt_bytes *parts, unsigned count)
{
	bool first = x->waiting == 0;
	int rc = first ? send_now(conn, x, parts, count) : 0;

	if (rc > 0)
		return;
	if (rc == 0 && keep_waiting(x, parts, count) != 0) {
		abt_error("no memory for an answer that its client is slow to "
			  "read");
		rc = -1;
	}
	if (rc < 0) {
		doom(conn, x);
	} else if (first) {
		abt_h1_watch(conn);
		abt_conn_arm(conn);
	}
}

/* Hexadecimal and CR LF at |at|; returns the end. */
static char *
put_chunk_line(char *at, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 60;

	while (shift > 0 && n >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = digits[n >> shift & 15];
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

/* Put |data|, framed, into |out| behind what is there, or into parts behind
 * it. */
static void
send_piece(struct abt_conn *conn, struct abt_exchange *x, struct abt_buf *out,
    struct abt_bytes data)
{
	bool chunked = x->out_mode == OUT_CHUNKED && data.n > 0;
	bool small = data.n <= SMALL_PIECE;
	struct abt_bytes parts[3] = { 0 };
	char *start, *at;

	start = at = abt_buf_room(out, (small ? data.n : 0) + 24);
	if (start == NULL) {
		abt_error("no memory for an answer");
		doom(conn, x);
		return;
	}
	if (chunked)
		at = put_chunk_line(at, data.n);
	if (small) {
		if (data.n > 0)
			memcpy(at, data.p, data.n);
		at += data.n;
	} else {
		parts[1] = data;
	}
	if (chunked && small) {
		*at++ = '\r';
		*at++ = '\n';
	} else if (chunked) {
		parts[2] = ABT_BYTES("\r\n");
	}
	abt_buf_commit(out, (size_t)(at - start));
	parts[0] = abt_buf_bytes(out);
	send_parts(conn, x, parts, 3);
}

static struct abt_buf *
fresh_out(struct abt_loop *loop)
{
	if (loop->out.failed)
		abt_buf_end(&loop->out);
	loop->out.n = 0;
	return &loop->out;
}

/* As much of |data| as the response may still have. */
static struct abt_bytes
limited(struct abt_exchange *x, struct abt_bytes data)
{
	if (x->out_mode == OUT_NOTHING)
		return abt_bytes(NULL, 0);
	if (x->out_mode != OUT_LENGTH)
		return data;
	if (data.n > x->out_left) {
		if (!x->overlong)
			abt_error("%s: an answer is longer than it said: the "
				  "rest is dropped",
			    x->handler->name);
		x->overlong = 1;
		data.n = (size_t)x->out_left;
	}
	x->out_left -= data.n;
	return data;
}

/* ---- the entries ---- */

/* How the end will be told; the fields that tell it are put right. */
static enum out_mode
decide(struct abt_exchange *x)
{
	struct abt_response *res = &x->response;
	bool old = x->request.version < 11;
	bool bodyless =
	    res->status < 200 || res->status == 204 || res->status == 304;

	abt_headers_drop(&res->headers, ABT_FIELD_TRANSFER_ENCODING);
	abt_headers_drop(&res->headers, ABT_FIELD_CONTENT_LENGTH);
	if (old || bodyless || res->has_length)
		abt_headers_drop(&res->ours, ABT_FIELD_TRANSFER_ENCODING);
	if (!res->has_length || res->status < 200 || res->status == 204)
		res->no_content_length = true;
	if (bodyless)
		return OUT_NOTHING;
	if (!old && !res->has_length &&
	    abt_headers_first(&res->ours, ABT_FIELD_TRANSFER_ENCODING) == NULL)
		abt_headers_add_id(&res->ours, &x->arena,
		    ABT_FIELD_TRANSFER_ENCODING, ABT_BYTES("Transfer-Encoding"),
		    ABT_BYTES("chunked"));
	if (abt_h1_has_no_body(x))
		return OUT_NOTHING;
	if (res->has_length)
		return OUT_LENGTH;
	/* Without memory it could not be added. */
	return abt_headers_first(&res->ours, ABT_FIELD_TRANSFER_ENCODING) !=
		       NULL
		   ? OUT_CHUNKED
		   : OUT_CLOSE;
}

size_t
abt_h1_begin(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes first)
{
	struct abt_buf *out = fresh_out(conn->loop);
	enum out_mode mode = decide(x);

	if (conn->deaf)
		return 0;
	x->out_mode = mode & 3;
	x->out_left = x->response.length;
	conn->close_after = mode == OUT_CLOSE || !abt_h1_may_keep(conn, x);
	abt_buf_add(out, x->out); /* the rest of an interim response */
	x->out = abt_bytes(NULL, 0);
	abt_h1_write_head(
	    out, &x->response, conn->close_after ? "close" : "keep-alive");
	send_piece(conn, x, out, limited(x, first));
	return x->waiting;
}

size_t
abt_h1_write(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes data)
{
	data = limited(x, data);
	if (data.n > 0 && !conn->deaf)
		send_piece(conn, x, fresh_out(conn->loop), data);
	return x->waiting;
}

void
abt_h1_finish(struct abt_conn *conn, struct abt_exchange *x)
{
	struct abt_bytes end = ABT_BYTES("0\r\n\r\n");

	if (x->out_mode == OUT_LENGTH && x->out_left > 0) {
		abt_error(
		    "%s: an answer ended before its length", x->handler->name);
		abt_h1_abort(conn, x);
		return;
	}
	abt_conn_enter(conn);
	if (conn->phase != ABT_H1_BUSY) /* the rest of it is not wanted */
		abt_h1_give_up(conn);
	if (!x->request.keep_alive)
		conn->close_after = true; /* its body told so */
	if (x->out_mode == OUT_CHUNKED && x->held.n > 0 &&
	    x->held_tail.n == 2) { /* the last piece waits where it is */
		x->held_tail = ABT_BYTES("\r\n0\r\n\r\n");
		x->waiting += end.n;
	} else if (x->out_mode == OUT_CHUNKED && !conn->deaf) {
		send_parts(conn, x, &end, 1);
	}
	if (conn->deaf)
		abt_conn_lost(conn);
	else if (x->waiting == 0)
		abt_h1_end_exchange(conn);
	else
		abt_h1_watch(conn);
	abt_conn_leave(conn);
}

void
abt_h1_abort(struct abt_conn *conn, struct abt_exchange *x)
{
	abt_conn_enter(conn);
	conn->x = NULL;
	abt_exchange_drop_waiting(x);
	abt_exchange_done(x);
	abt_exchange_release_codec(x);
	abt_conn_reset(conn);
	abt_conn_leave(conn);
}

/* ---- bodies that are paused ---- */

void
abt_h1_pause(struct abt_conn *conn, struct abt_exchange *x)
{
	x->paused = 1;
	x->pause_ms = abt_conn_now_ms(conn);
}

void
abt_h1_unpause(struct abt_conn *conn, struct abt_exchange *x)
{
	struct abt_saved *saved = conn->saved;

	if (conn->phase != ABT_H1_BODY || conn->deaf)
		return;
	/* The client was not to blame for this time. */
	conn->stamp_ms = abt_conn_now_ms(conn);
	x->paused_ms += conn->stamp_ms - x->pause_ms;
	if (conn->feeding)
		return;
	abt_conn_enter(conn);
	abt_h1_continue(conn, x);
	if (!conn->closed) {
		abt_h1_watch(conn);
		if (saved != NULL)
			abt_h1_feed(conn, abt_bytes(saved->data + saved->at,
					      saved->end - saved->at));
	}
	if (!conn->closed && conn->tls != NULL &&
	    abt_tls_conn_pending(conn->tls))
		abt_conn_poke(conn);
	abt_conn_arm(conn);
	abt_conn_leave(conn);
}
