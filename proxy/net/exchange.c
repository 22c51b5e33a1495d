/*
 * exchange.c - one request and its response: two holders, one end
 *
 * The codec and the handler let go in either order; the second one ends it.
 * Exchanges are recycled per loop.  The account of bodies in memory is the only
 * thing here that loops share.
 */
#include "net/exchange.h"

#include "base/ids.h"
#include "base/log.h"
#include "net/conn.h"

#define SPARE_MAX 64

struct abt_exchange *
abt_exchange_new(struct abt_loop *loop)
{
	struct abt_exchange *x = loop->spare_exchanges;

	if (x != NULL) {
		loop->spare_exchanges = x->next;
		loop->spare_exchange_count--;
		memset(x, 0, sizeof(*x));
	} else {
		x = abt_calloc(1, sizeof(*x));
		if (x == NULL)
			return NULL;
	}
	x->loop = loop;
	x->codec_holds = 1;
	abt_arena_init(&x->arena, loop->pool);
	abt_report_init(&x->report, &x->arena);
	return x;
}

void
abt_exchange_drop_waiting(struct abt_exchange *x)
{
	struct abt_chunk *chunk;

	while ((chunk = x->wait_first) != NULL) {
		x->wait_first = chunk->next;
		abt_chunk_end(x->loop->pool, chunk);
	}
	x->wait_last = NULL;
	x->wait_at = x->waiting = 0;
	x->held = x->held_tail = abt_bytes(NULL, 0);
}

static void
exchange_end(struct abt_exchange *x)
{
	struct abt_loop *loop = x->loop;

	abt_net_memory_give(x->charged);
	abt_exchange_drop_waiting(x);
	abt_chunk_end(loop->pool, x->body);
	abt_arena_end(&x->arena);
	if (loop->spare_exchange_count >= SPARE_MAX) {
		abt_free(x);
		return;
	}
	x->next = loop->spare_exchanges;
	loop->spare_exchanges = x;
	loop->spare_exchange_count++;
}

void
abt_exchange_release_codec(struct abt_exchange *x)
{
	x->codec_holds = 0;
	x->conn = NULL;
	if (!x->handler_holds)
		exchange_end(x);
}

void
abt_exchange_release_handler(struct abt_exchange *x)
{
	x->handler_holds = 0;
	if (!x->codec_holds)
		exchange_end(x);
}

void
abt_exchange_done(struct abt_exchange *x)
{
	x->replied = 1;
	if (x->begun && x->handler->on_done != NULL)
		x->handler->on_done(x);
}

/* The handler lets go for good.  The connection that has to end it, or NULL:
 * it has ended. */
static struct abt_conn *
let_go(struct abt_exchange *x)
{
	struct abt_conn *conn = x->conn;

	x->replied = 1;
	x->streaming = 0;
	if (conn == NULL) /* into nothing */
		abt_exchange_done(x);
	/* Else the codec still holds it until the last byte is out. */
	abt_exchange_release_handler(x);
	return conn;
}

/* Is this its first answer? */
static bool
may_answer(struct abt_exchange *x)
{
	abt_loop_assert_mine(x->loop);
	if (!x->replied && !x->streaming) {
		x->reply_us = abt_loop_now_us(x->loop);
		return true;
	}
	abt_error("an exchange of %s was answered twice", x->handler->name);
	return false;
}

void
abt_exchange_reply(struct abt_exchange *x)
{
	struct abt_conn *conn;

	if (!may_answer(x)) {
		if (x->streaming)
			abt_exchange_abort(x);
		return;
	}
	conn = let_go(x);
	if (conn != NULL)
		conn->codec->reply(conn, x);
}

/* ---- answers and bodies in pieces ---- */

size_t
abt_exchange_begin(struct abt_exchange *x, struct abt_bytes first)
{
	if (!may_answer(x))
		return 0;
	x->streaming = 1;
	return x->conn != NULL ? x->conn->codec->begin(x->conn, x, first) : 0;
}

size_t
abt_exchange_write(struct abt_exchange *x, struct abt_bytes data)
{
	abt_loop_assert_mine(x->loop);
	if (x->conn == NULL || !x->streaming)
		return 0;
	return x->conn->codec->write(x->conn, x, data);
}

void
abt_exchange_finish(struct abt_exchange *x)
{
	struct abt_conn *conn;

	abt_loop_assert_mine(x->loop);
	conn = let_go(x);
	if (conn != NULL)
		conn->codec->finish(conn, x);
}

void
abt_exchange_abort(struct abt_exchange *x)
{
	struct abt_conn *conn;

	abt_loop_assert_mine(x->loop);
	conn = let_go(x);
	if (conn != NULL)
		conn->codec->abort(conn, x);
}

void
abt_exchange_resume(struct abt_exchange *x)
{
	abt_loop_assert_mine(x->loop);
	if (!x->paused)
		return;
	x->paused = 0;
	if (x->conn != NULL)
		x->conn->codec->resume(x->conn, x);
}

/* ---- facts ---- */

void
abt_exchange_peer(const struct abt_exchange *x, struct abt_peer *peer)
{
	struct abt_conn *conn = x->conn;

	memset(peer, 0, sizeof(*peer));
	if (conn == NULL)
		return;
	abt_conn_find_local(conn);
	abt_endpoint_text(&conn->peer, peer->ip);
	peer->port = conn->peer.port;
	abt_endpoint_text(&conn->local, peer->local_ip);
	peer->local_port = conn->local.port;
}

void
abt_exchange_tls(const struct abt_exchange *x, struct abt_bytes *version,
    struct abt_bytes *cipher, struct abt_bytes *sni)
{
	*version = *cipher = *sni = abt_bytes(NULL, 0);
	if (x->conn != NULL && x->conn->tls != NULL)
		abt_tls_conn_facts(x->conn->tls, version, cipher, sni);
}

/* Spread |x| over 64 bits (the finaliser of splitmix64). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void
abt_exchange_conn_id(const struct abt_exchange *x, char out[49])
{
	static _Atomic uint64_t key; /* of this process */
	unsigned char bytes[24];
	uint64_t seed = atomic_load(&key), word;
	int i;

	if (seed == 0) {
		uint64_t fresh = 0;

		if (abt_random((unsigned char *)&fresh, sizeof(fresh)) != 0 ||
		    fresh == 0)
			fresh = 0x9e3779b97f4a7c15u;
		/* whoever comes first decides */
		if (atomic_compare_exchange_strong(&key, &seed, fresh))
			seed = fresh;
	}
	for (i = 0; i < 3; i++) {
		word = mix(x->conn_serial * 3 + (uint64_t)i + seed);
		memcpy(bytes + i * 8, &word, sizeof(word));
	}
	abt_id_hex(out, bytes, sizeof(bytes));
}

/* ---- the account of bodies in memory ---- */

static _Atomic uint64_t memory_used, memory_max;

void
abt_net_set_memory_max(uint64_t bytes)
{
	atomic_store(&memory_max, bytes);
}

bool
abt_net_memory_take(uint64_t bytes)
{
	uint64_t max, before;

	if (bytes == 0)
		return true;
	max = atomic_load_explicit(&memory_max, memory_order_relaxed);
	before = atomic_fetch_add_explicit(
	    &memory_used, bytes, memory_order_relaxed);
	if (max == 0 || before + bytes <= max)
		return true;
	atomic_fetch_sub_explicit(&memory_used, bytes, memory_order_relaxed);
	return false;
}

void
abt_net_memory_give(uint64_t bytes)
{
	if (bytes != 0)
		atomic_fetch_sub_explicit(
		    &memory_used, bytes, memory_order_relaxed);
}
