/*
 * client_private.h - what the rooms of the client share: its asks and servers
 * (client.c), a connection (client_link.c), names (client_lookup.c) and TLS
 * (client_tls.c)
 */
#ifndef ABT_NET_CLIENT_PRIVATE_H
#define ABT_NET_CLIENT_PRIVATE_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "net/client.h"
#include "net/tls_conn.h"

#define ABT_ADDRESSES_MAX 8

struct abt_client_address {
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
		struct sockaddr_un un;
	} at;
	socklen_t size;
};

struct abt_client_lookup;

/* A server that was asked, by its name in ask->server. */
struct abt_client_target {
	struct abt_client_target *next;
	struct abt_client *client;
	char *name;
	char host[256]; /* without brackets; "" for unix sockets */
	char port[8];
	char host_field[272]; /* what Host says */
	bool secure, is_unix;
	bool fixed; /* the addresses never change */
	struct abt_client_address addresses[ABT_ADDRESSES_MAX];
	unsigned address_count;
	int64_t resolved_ms;
	struct abt_client_lookup *lookup; /* under way */
	struct abt_ask *asks;             /* all that are under way */
	struct abt_client_link *kept;     /* the last one used first */
	unsigned kept_count;
};

struct abt_client {
	struct abt_loop *loop;
	struct abt_client_options options;
	struct abt_client_target *targets;
};

struct abt_client_tls {
	struct abt_tls_conn *(*connect)(
	    struct abt_tls *context, int fd, const char *host);
	int (*handshake)(struct abt_tls_conn *conn, bool *wants_write);
	void (*why)(const struct abt_tls_conn *conn, char *out, size_t size);
	ssize_t (*read)(struct abt_tls_conn *conn, char *out, size_t size);
	ssize_t (*write)(struct abt_tls_conn *conn, struct abt_bytes data);
	bool (*pending)(const struct abt_tls_conn *conn);
	void (*close)(struct abt_tls_conn *conn);
	void (*free)(struct abt_tls_conn *conn);
};

struct abt_client_resolver {
	/* Look target->host up; abt_client_resolved is called later.  NULL: it
	 * cannot begin. */
	struct abt_client_lookup *(*begin)(struct abt_client_target *target);
	/* Nobody wants to know any more. */
	void (*forget)(struct abt_client_lookup *lookup);
};

/* ---- client_server.c ---- */

/* The target of that name, made when it is new.  NULL with |why|; |why| NULL:
 * no memory. */
struct abt_client_target *abt_client_find_target(
    struct abt_client *client, const char *name, const char **why);
/* What is wrong with it, or NULL. */
const char *abt_ask_check(const struct abt_ask *ask);
/* (Again) all that must be sent.  0 or -1: no memory. */
int abt_ask_write_request(struct abt_ask *ask);

/* ---- client.c ---- */

/* The addresses stand in |target|, or none and |why|. */
void abt_client_resolved(struct abt_client_target *target, const char *why);
/* The ask ends: its last event.  It is detached from its link. */
void abt_ask_end(
    struct abt_ask *ask, enum abt_ask_failure failure, const char *why);
/* Its connection failed: try once more where that is safe, else it ends. */
void abt_ask_broken(struct abt_ask *ask, bool stale,
    enum abt_ask_failure failure, const char *why);
/* The same, told later. */
void abt_ask_doom(
    struct abt_ask *ask, enum abt_ask_failure failure, const char *why);
/* Its deadline may have come nearer. */
void abt_ask_arm(struct abt_ask *ask);
/* Something moved. */
void abt_ask_stamp(struct abt_ask *ask);
static inline size_t
abt_ask_waiting(const struct abt_ask *ask)
{
	return ask->out.n - ask->out_at + ask->body_left.n;
}

/* ---- client_link.c ---- */

enum abt_link_stage {
	ABT_LINK_CONNECTING,
	ABT_LINK_SHAKING,
	ABT_LINK_BUSY,
	ABT_LINK_KEPT,
};

struct abt_client_link {
	struct event event;
	struct abt_timer timer;               /* while it is kept */
	struct abt_client_link *next, **prev; /* kept ones of the target */
	struct abt_client_target *target;
	struct abt_loop *loop;
	struct abt_ask *ask;
	struct abt_tls_conn *tls;
	const struct abt_client_tls *how;
	struct abt_buf in;
	size_t seen;   /* of |in|, by abt_h1_response_end */
	uint64_t left; /* of a body of known length */
	int fd;
	short watched;
	uint8_t stage;
	uint8_t entered;
	bool reused; /* an ask was answered on it before */
	bool deaf;   /* it takes no more, but may still say why */
	bool closed;
};

static inline void
abt_link_enter(struct abt_client_link *link)
{
	link->entered++;
}

static inline void
abt_link_leave(struct abt_client_link *link)
{
	if (--link->entered == 0 && link->closed)
		abt_free(link);
}

/* Is |ask| still answered by |link|?  (Compared, never read.) */
static inline bool
abt_link_still(const struct abt_client_link *link, const struct abt_ask *ask)
{
	return !link->closed && link->ask == ask;
}

/* Connect for |ask| to its target's next addresses; it ends (later) when none
 * answers. */
void abt_link_open(struct abt_ask *ask);
/* Ask on a kept connection.  False: there is none that is good. */
bool abt_link_reuse(struct abt_ask *ask);
/* Send what waits.  Calls no event. */
void abt_client_link_send(struct abt_client_link *link);
/* The ask was resumed (client_read.c). */
void abt_link_resume(struct abt_client_link *link);
/* Close it; its ask, if any, is detached. */
void abt_link_close(struct abt_client_link *link);
/* Close all that are kept. */
void abt_links_drop(struct abt_client_target *target);

/* It is of no use any more; its ask ends, or is asked again. */
void abt_link_fail(struct abt_client_link *link, enum abt_ask_failure failure,
    const char *why);
/* Watch what the state asks for. */
void abt_link_watch_more(struct abt_client_link *link);
/* Part from its ask. */
void abt_link_detach(struct abt_client_link *link);
/* For the next ask; |seconds| is how long its server keeps it, or -1. */
void abt_link_keep(struct abt_client_link *link, int seconds);

/* ---- client_read.c ---- */

ssize_t abt_link_read(struct abt_client_link *link);
void abt_link_readable(struct abt_client_link *link);

#endif
