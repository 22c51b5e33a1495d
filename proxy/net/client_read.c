/*
 * client_read.c - outgoing HTTP/1.1: bytes from a server to events of an ask
 *
 * Reads into the loop's buffer; what must wait - a head that is not whole, the
 * rest behind a pause - is kept in link->in.  After each event the link is
 * looked at anew: the ask may be cancelled within.
 */
#include <errno.h>

#include "net/client_private.h"
#include "net/conn.h"

#define HEAD_MAX    262144
#define INTERIM_MAX 32
#define READS       16 /* in one turn */

/* ---- reading ---- */

static void
finish(struct abt_client_link *link, bool clean)
{
	struct abt_ask *ask = link->ask;
	bool may_keep = clean && ask->response.keep_alive && !ask->body_open &&
			abt_ask_waiting(ask) == 0 && !link->deaf;
	int seconds = ask->response.keep_seconds;

	abt_link_detach(link);
	if (may_keep && link->tls != NULL && link->how->pending(link->tls))
		may_keep = false;
	if (may_keep)
		abt_link_keep(link, seconds);
	else
		abt_link_close(link);
	abt_ask_end(ask, ABT_ASK_GOOD, NULL);
}

static bool
save(struct abt_client_link *link, struct abt_bytes in)
{
	abt_buf_add(&link->in, in);
	if (!link->in.failed)
		return true;
	abt_link_fail(link, ABT_ASK_NO_MEMORY, "out of memory");
	return false;
}

/* A head was read.  False: the link goes no further. */
static bool
begin_body(struct abt_client_link *link, struct abt_ask *ask)
{
	ask->has_head = 1;
	link->left = ask->response.length;
	abt_chunked_init(&ask->chunked, false);
	if (ask->events->head != NULL)
		ask->events->head(ask);
	return abt_link_still(link, ask);
}

/* True: the head is whole and |in| stands behind it. */
static bool
take_head(struct abt_client_link *link, struct abt_bytes *in)
{
	struct abt_ask *ask = link->ask;
	size_t end = abt_h1_response_end(*in, link->seen);
	struct abt_bytes copy;
	const char *wrong = NULL;

	if (end > HEAD_MAX || (end == 0 && in->n > HEAD_MAX)) {
		abt_link_fail(
		    link, ABT_ASK_RESPONSE, "sent a head that has no end");
		return false;
	}
	if (end == 0) {
		link->seen = in->n;
		if (save(link, *in))
			in->n = 0;
		return false;
	}
	link->seen = 0;
	copy = abt_arena_copy(&ask->arena, abt_bytes(in->p, end));
	if (copy.p == NULL) {
		abt_link_fail(link, ABT_ASK_NO_MEMORY, "out of memory");
		return false;
	}
	wrong = abt_h1_response_read(copy,
	    abt_bytes_equal(ask->method, ABT_BYTES("HEAD")), &ask->arena,
	    &ask->response);
	if (wrong == NULL && ask->response.status == 101)
		wrong = "changed to a protocol that nobody asked for";
	if (wrong == NULL && ask->response.status < 200 &&
	    ++ask->interims > INTERIM_MAX)
		wrong = "sent interim responses without end";
	if (wrong != NULL) {
		abt_link_fail(link, ABT_ASK_RESPONSE, wrong);
		return false;
	}
	in->p += end;
	in->n -= end;
	return ask->response.status < 200 || begin_body(link, ask);
}

/* False: the link goes no further. */
static bool
give(struct abt_client_link *link, struct abt_ask *ask, struct abt_bytes data)
{
	int rc;

	if (data.n == 0)
		return true;
	rc = ask->events->data(ask, data);
	if (!abt_link_still(link, ask))
		return false;
	if (rc == ABT_DATA_PAUSE)
		ask->paused = 1;
	return true;
}

/* 1: the body is complete, 0: not yet, -1: the link goes no further. */
static int
take_body(
    struct abt_client_link *link, struct abt_ask *ask, struct abt_bytes *in)
{
	enum abt_chunked_result got;
	struct abt_bytes data = *in;

	if (ask->response.framing == ABT_RESPONSE_CHUNKED) {
		got = abt_chunked_read(&ask->chunked, in, &data, NULL,
		    &ask->arena, HEAD_MAX, &ask->report);
		if (got == ABT_CHUNKED_DATA)
			return give(link, ask, data) ? 0 : -1;
		if (got != ABT_CHUNKED_BROKEN)
			return got == ABT_CHUNKED_DONE;
		abt_link_fail(
		    link, ABT_ASK_RESPONSE, "sent a chunk that is broken");
		return -1;
	}
	if (ask->response.framing == ABT_RESPONSE_LENGTH && data.n > link->left)
		data.n = (size_t)link->left;
	in->p += data.n;
	in->n -= data.n;
	link->left -= data.n;
	if (!give(link, ask, data))
		return -1;
	return ask->response.framing == ABT_RESPONSE_LENGTH && link->left == 0;
}

static bool
has_no_more(const struct abt_client_link *link, const struct abt_ask *ask)
{
	return ask->response.framing == ABT_RESPONSE_NO_BODY ||
	       (ask->response.framing == ABT_RESPONSE_LENGTH &&
		   link->left == 0);
}

/* Take all of |in|; what has to wait is saved. */
static void
process(struct abt_client_link *link, struct abt_bytes in)
{
	struct abt_ask *ask = link->ask;
	int rc = 0;

	while (rc == 0) {
		if (ask->has_head && ask->paused && in.n > 0) {
			save(link, in);
			return;
		}
		if (!ask->has_head && in.n > 0) {
			if (!take_head(link, &in))
				return;
			if (ask->has_head && has_no_more(link, ask))
				break;
			continue;
		}
		if (in.n == 0)
			return;
		rc = take_body(link, ask, &in);
	}
	if (rc >= 0)
		finish(link, in.n == 0);
}

/* Go on with |more| behind what was saved. */
static void
feed(struct abt_client_link *link, struct abt_bytes more)
{
	struct abt_chunk *saved;

	if (link->in.n == 0) {
		process(link, more);
		return;
	}
	if (more.n > 0 && !save(link, more))
		return;
	saved = abt_buf_take(&link->in);
	process(link, abt_bytes(saved->data, saved->used));
	abt_chunk_end(link->loop->pool, saved);
}

static void
on_end(struct abt_client_link *link, bool clean)
{
	struct abt_ask *ask = link->ask;

	if (ask->has_head && clean &&
	    ask->response.framing == ABT_RESPONSE_TO_END)
		finish(link, false);
	else if (ask->has_head)
		abt_link_fail(link, ABT_ASK_LOST, "ended its answer half-way");
	else
		abt_link_fail(link, ABT_ASK_LOST,
		    "closed the connection without an answer");
}

ssize_t
abt_link_read(struct abt_client_link *link)
{
	struct abt_loop *loop = link->loop;
	ssize_t n;

	if (link->tls != NULL)
		return link->how->read(link->tls, loop->recv, loop->recv_size);
	n = recv(link->fd, loop->recv, loop->recv_size, 0);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? ABT_AGAIN : ABT_LOST;
}

void
abt_link_readable(struct abt_client_link *link)
{
	struct abt_ask *ask = link->ask;
	int reads = 0;
	ssize_t n;

	do {
		if (ask->paused)
			return;
		n = abt_link_read(link);
		if (n == ABT_AGAIN)
			return;
		if (n <= 0) {
			on_end(link, n == ABT_EOF);
			return;
		}
		ask->received += (uint64_t)n;
		abt_ask_stamp(ask);
		feed(link, abt_bytes(link->loop->recv, (size_t)n));
	} while (abt_link_still(link, ask) && link->tls != NULL &&
		 link->how->pending(link->tls) && ++reads < READS);
	if (abt_link_still(link, ask) && reads == READS)
		event_active(&link->event, EV_READ, 0);
}

void
abt_link_resume(struct abt_client_link *link)
{
	struct abt_ask *ask = link->ask;

	if (link->stage != ABT_LINK_BUSY)
		return;
	abt_link_enter(link);
	if (link->in.n > 0)
		feed(link, abt_bytes(NULL, 0));
	if (abt_link_still(link, ask)) {
		abt_link_watch_more(link);
		if (!ask->paused && link->tls != NULL &&
		    link->how->pending(link->tls))
			event_active(&link->event, EV_READ, 0);
	}
	abt_link_leave(link);
}
