/*
 * conn.h - an accepted connection, as codecs see it
 *
 * A conn is small, because many of them idle: buffers, exchanges and arenas are
 * taken when bytes arrive and given back after.  Whoever calls into a codec
 * brackets the call with enter and leave: a conn that is closed meanwhile stays
 * readable (closed is set) until the last one leaves.
 */
#ifndef ABT_NET_CONN_H
#define ABT_NET_CONN_H

#include <sys/socket.h>
#include <sys/types.h>

#include "net/listener.h"
#include "net/tls_conn.h"

/* What reading and writing answer besides a length. */
#define ABT_EOF     0
#define ABT_AGAIN   (-1) /* nothing now; the loop will tell */
#define ABT_LOST    (-2) /* reset, or an error that comes to the same */
#define ABT_NO_ROOM (-3) /* no memory to read into */

/* One end of a connection; IPv4 stands as ::ffff:a.b.c.d. */
struct abt_endpoint {
	unsigned char ip[16];
	uint16_t port;
	bool known; /* false: a unix socket, or not asked for yet */
};

void abt_endpoint_set(struct abt_endpoint *end, const struct sockaddr *address);
/* As text; "" when it is not known. */
void abt_endpoint_text(const struct abt_endpoint *end, char out[46]);

/* A version of HTTP on a connection. */
struct abt_codec {
	const char *name;
	void (*readable)(struct abt_conn *conn);
	void (*writable)(struct abt_conn *conn);
	/* Take the bytes that came before the codec was chosen. */
	void (*feed)(struct abt_conn *conn, struct abt_bytes in);
	/* Send x->response; the handler has let go of |x|. */
	void (*reply)(struct abt_conn *conn, struct abt_exchange *x);
	/* Send in pieces (exchange.h); how many bytes wait.  Never calls the
	 * handler. */
	size_t (*begin)(struct abt_conn *conn, struct abt_exchange *x,
	    struct abt_bytes first);
	size_t (*write)(struct abt_conn *conn, struct abt_exchange *x,
	    struct abt_bytes data);
	/* The handler has let go of |x|: tell the end, or cut the connection.
	 */
	void (*finish)(struct abt_conn *conn, struct abt_exchange *x);
	void (*abort)(struct abt_conn *conn, struct abt_exchange *x);
	/* Read on: x->paused was taken off. */
	void (*resume)(struct abt_conn *conn, struct abt_exchange *x);
	/* When the connection must not go on like this: monotonic ms, or 0. */
	int64_t (*deadline)(const struct abt_conn *conn);
	void (*expired)(struct abt_conn *conn);
	/* The connection is lost: let go of its exchanges. */
	void (*gone)(struct abt_conn *conn);
	/* Nothing was asked and nothing is owed. */
	bool (*idle)(const struct abt_conn *conn);
};

extern const struct abt_codec abt_h1_server;

/* Bytes that wait: an unfinished head, or what was read ahead. */
struct abt_saved {
	size_t size, at, end; /* data[at..end) */
	size_t seen;          /* of these, by abt_h1_head_end */
	uint64_t charged;
	char data[];
};

enum abt_conn_stage {
	ABT_CONN_FIRST,     /* a PROXY line or a ClientHello is due */
	ABT_CONN_HANDSHAKE, /* TLS */
	ABT_CONN_OPEN,      /* the codec has it */
	ABT_CONN_LINGER, /* all is said: read and drop until the client ends */
};

struct abt_conn {
	struct event event;
	struct abt_timer timer;
	struct abt_conn *next, **prev; /* loop->conns */
	struct abt_loop *loop;
	struct abt_listener *listener;
	const struct abt_codec *codec;
	struct abt_tls_conn *tls;
	struct abt_exchange *x; /* the one that is being served */
	struct abt_saved *saved;
	uint64_t serial;
	int64_t opened_ms, begin_ms, stamp_ms; /* of what: see the codec */
	struct abt_endpoint peer, local;
	uint32_t requests;
	uint32_t lingered;   /* bytes dropped */
	uint8_t stage;       /* enum abt_conn_stage */
	uint8_t phase;       /* the codec's */
	uint8_t entered;     /* calls that are under way */
	uint8_t watched;     /* EV_READ, EV_WRITE */
	bool quiet : 1;      /* not reading: only told of a reset */
	bool wants_line : 1; /* a PROXY line must come first */
	bool closed : 1;
	bool eof : 1; /* the client will send nothing more */
	bool feeding : 1;
	bool close_after : 1;  /* the answer under way is the last one */
	bool asked_close : 1;  /* the client itself wants no more */
	bool plain_on_tls : 1; /* alb.md P14: one refusal, no request */
	bool drain_seen : 1;   /* by abt_loop_drain_conns */
	bool deaf : 1;         /* to be ended by the loop: see abt_conn_doom */
};

struct abt_listener {
	struct abt_loop *loop;
	struct event event;
	struct abt_timer retry; /* accepting is paused */
	struct abt_listener_options options;
	struct abt_endpoint local;
	int fd;
	int fd_ceiling;      /* descriptors from here on are the reserve */
	unsigned references; /* its own and one per conn */
	bool local_fixed;    /* |local| is no wildcard */
	bool is_unix;
	bool closed;
	int64_t paused_ms;     /* when that was last told */
	int64_t complained_ms; /* about PROXY lines, once a second */
};

void abt_listener_release(struct abt_listener *listener);
/* Pieces of its answer that wait: give them back (exchange.c). */
void abt_exchange_drop_waiting(struct abt_exchange *x);

/* Connections of it end after their answer. */
static inline bool
abt_listener_drains(const struct abt_listener *listener)
{
	return listener->closed ||
	       (listener->loop->draining && !listener->options.inner);
}

/* Take over the accepted |fd|.  0, or -1 (no memory; |fd| is then closed). */
int abt_conn_accept(
    struct abt_listener *listener, int fd, const struct sockaddr *peer);

static inline const struct abt_policy *
abt_conn_policy(const struct abt_conn *conn)
{
	return conn->listener->options.policy;
}

static inline int64_t
abt_conn_now_ms(struct abt_conn *conn)
{
	return abt_loop_now_us(conn->loop) / 1000;
}

/* Ask the kernel for conn->local once, when somebody wants to know. */
void abt_conn_find_local(struct abt_conn *conn);

static inline void
abt_conn_enter(struct abt_conn *conn)
{
	conn->entered++;
}
void abt_conn_leave(struct abt_conn *conn);

/* Read into |out|; a length, ABT_EOF, ABT_AGAIN or ABT_LOST. */
ssize_t abt_conn_read(struct abt_conn *conn, char *out, size_t size);
/* Fill |out|, and with what comes behind it loop->recv (one call; TLS fills
 * only |out|). */
ssize_t abt_conn_read_into(struct abt_conn *conn, char *out, size_t size);
/* Read behind what is saved, or into loop->recv; |in| is all there is. */
ssize_t abt_conn_fill(struct abt_conn *conn, struct abt_bytes *in);
/* |rest| of what abt_conn_fill gave is wanted later.  0, or -1: no memory. */
int abt_conn_keep(struct abt_conn *conn, struct abt_bytes rest);
void abt_conn_drop_saved(struct abt_conn *conn);

/* Send the front of |head| and |body|; how much was taken, ABT_AGAIN or
 * ABT_LOST. */
ssize_t abt_conn_send(
    struct abt_conn *conn, struct abt_bytes head, struct abt_bytes body);
/* The same of up to ABT_PARTS_MAX parts, of which some may be empty.  After
 * ABT_AGAIN the same bytes must come again at the front, cut as they like. */
#define ABT_PARTS_MAX 8
ssize_t abt_conn_send_parts(
    struct abt_conn *conn, const struct abt_bytes *parts, unsigned count);

/* Be told when reading or writing is possible. */
void abt_conn_watch(struct abt_conn *conn, short what);
/* Do not read; be told of a reset only. */
void abt_conn_hush(struct abt_conn *conn);
/* Call codec->readable once more in the next turn. */
void abt_conn_poke(struct abt_conn *conn);
/* The deadline may have come nearer. */
void abt_conn_arm(struct abt_conn *conn);

/* conn_first.c: stages FIRST and HANDSHAKE. */
void abt_conn_read_first(struct abt_conn *conn);
void abt_conn_shake_hands(struct abt_conn *conn);

/* End it: now; because it is lost; or politely (threats.md H2). */
void abt_conn_close(struct abt_conn *conn);
void abt_conn_lost(struct abt_conn *conn);
/* With a reset, so that a half answer is not taken for a whole one. */
void abt_conn_reset(struct abt_conn *conn);
/* It is lost, but whoever found out must not be called back: in the next turn.
 * Whatever is sent meanwhile is dropped (conn->deaf). */
void abt_conn_doom(struct abt_conn *conn);
void abt_conn_linger(struct abt_conn *conn);

#endif
