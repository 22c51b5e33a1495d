/*
 * exchange.h - one request and its response on one connection
 *
 * The only way up to a handler and down to a codec.  Two hold it: the codec
 * while the connection lives, the handler from on_head until it has answered.
 * It ends when both let go, in either order; then its arena goes back.
 *
 * Life: the codec makes it (abt_exchange_new), reads the head and calls
 * on_head; the handler may refuse (abt_exchange_refuse), set a ceiling for the
 * body, or accept.  With the body complete on_ready is called, and the handler
 * answers now or later with abt_exchange_reply.  on_done tells that the last
 * byte has been given to the kernel, or that the connection is gone
 * (client_left).
 */
#ifndef ABT_NET_EXCHANGE_H
#define ABT_NET_EXCHANGE_H

#include "albatross/http.h"
#include "http/h1_body.h"
#include "net/loop.h"

struct abt_exchange;
struct abt_conn;

/* What on_data answers when its reader is full. */
#define ABT_DATA_PAUSE 1

struct abt_handler {
	const char *name;
	/*
	 * After head and framing were read, before 100 Continue and any body
	 * byte.  report->broken is set when the codec refuses the head itself
	 * (malformed, too large, not complete in time; |request| then holds
	 * what could be read, perhaps nothing); then, or when the handler
	 * itself refuses, the handler answers with abt_exchange_reply and
	 * returns -1: the codec reads no body and closes after the answer,
	 * unless no body is to come and the response does not ask to close.
	 * 0: go on.  Every exchange begins here, and only here.  A handler that
	 * is not ready for a body sets x->paused: then nothing of it is read,
	 * and no 100 Continue said, until abt_exchange_resume.
	 */
	int (*on_head)(struct abt_exchange *x);
	/* A piece of the body, in place of collecting it; may be NULL.  The
	 * piece is valid during the call and is taken whole.  0: go on;
	 * ABT_DATA_PAUSE: read no more until abt_exchange_resume; -1: stop (the
	 * handler has replied).  With the last piece of a body of known length
	 * on_ready follows at once, paused or not. */
	int (*on_data)(struct abt_exchange *x, struct abt_bytes data);
	/* The whole request is there. */
	void (*on_ready)(struct abt_exchange *x);
	/*
	 * The exchange broke before on_ready: x->report.broken says why (a
	 * timeout, a broken chunk, too large, connection lost).  The handler
	 * replies (the codec sends it if the connection still can) and lets go;
	 * when it has begun to answer in pieces, it finishes or aborts.
	 */
	void (*on_broken)(struct abt_exchange *x);
	/* The client's connection is gone while the handler works on it; may be
	 * NULL.  The handler still replies (into nothing) to let go. */
	void (*on_gone)(struct abt_exchange *x);
	/* The client will send nothing more (a half-close, or the first sign of
	 * a full one) while the handler works; may be NULL: the answer is sent
	 * all the same. */
	void (*on_half_closed)(struct abt_exchange *x);
	/* All that abt_exchange_write took is with the kernel: more can be
	 * written.  May be NULL. */
	void (*on_drained)(struct abt_exchange *x);
	/* The reply is out (or dropped: x->client_left).  Last call; write the
	 * access log here.  May be NULL. */
	void (*on_done)(struct abt_exchange *x);
};

/* Bytes, times and the rest that a log line wants. */
struct abt_exchange {
	struct abt_loop *loop;
	struct abt_conn *conn; /* NULL once the connection is gone */
	const struct abt_handler *handler;
	void *owner; /* the listener's handler data */
	void *state; /* the handler's own, in the arena */
	const struct abt_policy *policy;
	struct abt_arena arena;
	struct abt_request request;
	struct abt_report report;
	struct abt_response response;
	struct abt_exchange *next; /* pipeline of the conn, spare list */

	/* the codec's */
	struct abt_chunk *body; /* where a collected body grows; on_ready may
				 * take it out by setting this to NULL */
	struct abt_chunked chunked;
	struct abt_bytes out;      /* head, waiting to be sent */
	struct abt_bytes out_body; /* and the body behind it */
	uint64_t charged;          /* of the account of bodies in memory */
	uint64_t conn_serial;
	uint64_t body_max; /* ceiling; set by on_head; 0: none */
	uint64_t body_got;
	struct abt_chunk *wait_first, *wait_last; /* pieces that wait */
	size_t wait_at; /* bytes of the first one that are out */
	size_t waiting; /* bytes in all of them, and in these behind: */
	struct abt_bytes held, held_tail; /* a piece that stays, its framing */
	uint64_t out_left;                /* of response.length */
	int64_t wrote_ms;  /* when the kernel last took some, or had to */
	int64_t pause_ms;  /* since when the body is paused */
	int64_t paused_ms; /* for how long it was before */
	int64_t begin_us;  /* first byte of the head, monotonic */
	int64_t ready_us, reply_us; /* reply: its beginning */
	uint64_t received, sent;    /* bytes on the wire, head and body */
	unsigned handler_holds : 1;
	unsigned codec_holds : 1;
	unsigned replied : 1;
	unsigned streaming : 1; /* begun in pieces, not finished */
	unsigned paused : 1;    /* its body, by on_data */
	unsigned client_left : 1;
	unsigned malformed : 1; /* the head could not be read */
	unsigned secure : 1;
	unsigned collecting : 1;  /* on_head may set it: collect, no on_data */
	unsigned begun : 1;       /* on_head was called: on_done will be */
	unsigned owes_100 : 1;    /* 100 Continue, once not paused any more */
	unsigned overlong : 1;    /* more was written than response.length */
	unsigned pieces_stay : 1; /* the handler's: what it writes stays where
				   * it is until on_drained or its end; so it
				   * is not copied */
	unsigned out_mode : 2;    /* the codec's: how the end is told */
};

struct abt_exchange *abt_exchange_new(struct abt_loop *loop);
/* One of the two lets go; the second frees. */
void abt_exchange_release_codec(struct abt_exchange *x);
void abt_exchange_release_handler(struct abt_exchange *x);

/* For codecs: the last byte is out, or the connection gone.  Before the codec
 * lets go. */
void abt_exchange_done(struct abt_exchange *x);

/*
 * Answer with x->response (filled, slices in x->arena or static, or inside a
 * chunk the arena adopted).  Exactly once; the handler lets go by it and may
 * not touch |x| afterwards, but in on_done.
 */
void abt_exchange_reply(struct abt_exchange *x);

/*
 * Answer in pieces, in place of abt_exchange_reply.  abt_exchange_begin sends
 * the head of x->response (its body is not looked at) together with the |first|
 * bytes, which may be none.  How the end is told: by response.length when
 * has_length is set, else chunked for HTTP/1.1 and by the end of the connection
 * for older clients; a response without a body (HEAD, 204, 304) drops what is
 * written.  Each call takes all of |data|: what the kernel does not take is
 * copied (the only copy; none with x->pieces_stay) and waits; the answer is how
 * many bytes wait, so somebody who is not 0 pauses his source until on_drained.
 * After the client left (on_gone, x->client_left) data is dropped and 0 is
 * answered. No memory for what waits: the connection is cut as by abort,
 * on_gone is called.  Neither on_gone nor on_drained is ever called from within
 * these two; what finds out here that the client has left is told in the next
 * turn. While the request's body is still coming, on_broken tells it in place
 * of on_gone.
 */
size_t abt_exchange_begin(struct abt_exchange *x, struct abt_bytes first);
size_t abt_exchange_write(struct abt_exchange *x, struct abt_bytes data);
/* No more comes: the end is told and the handler lets go, as by reply.  Fewer
 * bytes than response.length: as abort. */
void abt_exchange_finish(struct abt_exchange *x);
/* The response ends half-way, so that the client can tell: what waits is not
 * sent, the connection is cut (reset) and the handler lets go. */
void abt_exchange_abort(struct abt_exchange *x);

/* Go on with a body that on_data has paused.  May call on_data at once, but not
 * from within on_data. */
void abt_exchange_resume(struct abt_exchange *x);

/*
 * The account of bodies held in memory, of all connections together.  Requests
 * with a body that does not fit any more break ABT_RULE_NET_BODIES_FULL.  0: no
 * ceiling.  Others may charge it for what they hold (results).
 */
void abt_net_set_memory_max(uint64_t bytes);
bool abt_net_memory_take(uint64_t bytes); /* false: it would not fit */
void abt_net_memory_give(uint64_t bytes);

/* Facts about the connection; ask in on_head, they go with it. */
struct abt_peer {
	char ip[46]; /* as text, IPv6 without brackets; "" for unix sockets */
	unsigned port;
	char local_ip[46];
	unsigned local_port;
};
void abt_exchange_peer(const struct abt_exchange *x, struct abt_peer *peer);
/* OpenSSL's names and the SNI host, empty slices on plain connections. */
void abt_exchange_tls(const struct abt_exchange *x, struct abt_bytes *version,
    struct abt_bytes *cipher, struct abt_bytes *sni);
/* 48 hex digits that stay the same for a connection (access log). */
void abt_exchange_conn_id(const struct abt_exchange *x, char out[49]);

#endif
