/*
 * client.h - outgoing HTTP/1.1 over TCP, TLS and unix sockets
 *
 * A client belongs to a loop and keeps connections open for the next ask.  An
 * ask is one request and its response; it stands in its owner's memory and ends
 * with one call of events->end, or with abt_ask_cancel.  No event is called
 * from within abt_ask_start, abt_ask_write and abt_ask_finish.
 *
 * TLS and the resolver are handed in, so that a program that needs neither (the
 * static bootstrap) is linked without them.
 */
#ifndef ABT_NET_CLIENT_H
#define ABT_NET_CLIENT_H

#include "albatross/buf.h"
#include "http/h1_body.h"
#include "http/h1_response.h"
#include "net/loop.h"

struct abt_ask;
struct abt_client;
struct abt_client_link;
struct abt_client_tls;
struct abt_client_resolver;
struct abt_tls;

struct abt_client_options {
	/* For https: &abt_client_tls and a context (abt_tls_client_new). */
	const struct abt_client_tls *tls;
	struct abt_tls *context;
	/* For names besides "localhost": &abt_client_resolver. */
	const struct abt_client_resolver *resolver;
	unsigned kept_max; /* idle connections to a server; 0: 16 */
	int64_t keep_ms;   /* so long; 0: 55 s */
};

enum abt_ask_failure {
	ABT_ASK_GOOD,
	ABT_ASK_REQUEST, /* it cannot be asked like this: address, header */
	ABT_ASK_RESOLVE, /* no address for the name */
	ABT_ASK_CONNECT,
	ABT_ASK_TLS,      /* handshake, certificate */
	ABT_ASK_LOST,     /* the connection ended too early */
	ABT_ASK_RESPONSE, /* what came is no proper response */
	ABT_ASK_TIMEOUT,
	ABT_ASK_NO_MEMORY,
};

struct abt_ask_events {
	/* ask->response is there (never a 1xx).  May be NULL. */
	void (*head)(struct abt_ask *ask);
	/* A piece of its body, valid during the call, taken whole.  0: go on;
	 * ABT_DATA_PAUSE: read no more until abt_ask_resume. */
	int (*data)(struct abt_ask *ask, struct abt_bytes data);
	/* All that abt_ask_write took is with the kernel.  May be NULL. */
	void (*drained)(struct abt_ask *ask);
	/* The response is complete, or ask->failure says why it is not; the
	 * last call. */
	void (*end)(struct abt_ask *ask);
};

struct abt_ask {
	/* in: zero the rest; slices stay valid until the end */
	const struct abt_ask_events *events;
	void *context;      /* the owner's */
	const char *server; /* "http://host:port", "https://host",
			     * "unix:/path" */
	struct abt_bytes method, target;
	struct abt_bytes host;      /* empty: the server's */
	struct abt_headers headers; /* but for Host and the framing */
	struct abt_bytes body;
	bool body_follows; /* by abt_ask_write, in place of |body| */
	bool has_length;   /* its |length| is known; else chunked */
	uint64_t length;
	int64_t connect_ms; /* name, connection, handshake; 0: no limit */
	int64_t idle_ms;    /* nothing moves though it is the server's turn */
	int64_t total_ms;

	/* out */
	struct abt_response_head response; /* in |arena| */
	enum abt_ask_failure failure;
	char why[200];           /* a sentence without its end */
	uint64_t sent, received; /* bytes on the wire */
	struct abt_arena arena;  /* given back behind events->end */

	/* the client's */
	struct abt_client *client;
	struct abt_client_target *to;
	struct abt_client_link *link;
	struct abt_ask *next, **prev; /* of its target */
	struct abt_timer timer;
	struct abt_report report; /* what the chunked decoder says */
	struct abt_chunked chunked;
	struct abt_buf out; /* what must be sent before |body| */
	size_t out_at;
	struct abt_bytes body_left;
	uint64_t length_left; /* of a body in pieces */
	int64_t start_ms, stamp_ms;
	unsigned address;  /* which of the target's is tried */
	unsigned interims; /* 1xx so far */
	unsigned started : 1;
	unsigned resolving : 1;
	unsigned connected : 1;
	unsigned body_open : 1; /* abt_ask_finish is still to come */
	unsigned body_begun : 1;
	unsigned has_head : 1;
	unsigned paused : 1;
	unsigned retried : 1;
	unsigned waits : 1;  /* abt_ask_write could not send all */
	unsigned doomed : 1; /* |failure| is set; told when its timer fires */
};

/* NULL: no memory.  |options| are copied. */
struct abt_client *abt_client_new(
    struct abt_loop *loop, const struct abt_client_options *options);
/* Every ask has ended, or is cancelled by it. */
void abt_client_free(struct abt_client *client);

void abt_ask_start(struct abt_client *client, struct abt_ask *ask);
/* The body in pieces: all of |data| is taken; how many bytes wait.  What is
 * over the length that was told is dropped. */
size_t abt_ask_write(struct abt_ask *ask, struct abt_bytes data);
void abt_ask_finish(struct abt_ask *ask);
/* Go on after ABT_DATA_PAUSE; may call events->data at once, but not from
 * within it. */
void abt_ask_resume(struct abt_ask *ask);
/* Forget it: no event any more, its connection is closed.  Also from within its
 * events.  May be called again. */
void abt_ask_cancel(struct abt_ask *ask);

/* ---- what can be handed in ---- */

extern const struct abt_client_tls abt_client_tls;
extern const struct abt_client_resolver abt_client_resolver;

/* A context that verifies servers: against the system's authorities, or those
 * in the PEM file |authorities|.  NULL with a sentence in |why|.  Freed by
 * abt_tls_free. */
struct abt_tls *abt_tls_client_new(
    const char *authorities, char *why, size_t size);

#endif
