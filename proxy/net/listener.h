/*
 * listener.h - an address we accept on, in every loop
 */
#ifndef ABT_NET_LISTENER_H
#define ABT_NET_LISTENER_H

#include "net/exchange.h"

struct abt_tls; /* net/tls.h */

/* Trusted senders of a PROXY line; see route/cidr.h for struct abt_cidr. */
struct abt_cidr;

struct abt_listener_options {
	const struct abt_handler *handler;
	void *owner; /* given to every exchange */
	const struct abt_policy *policy;
	struct abt_tls *tls;                  /* NULL: plain */
	const struct abt_cidr *proxy_sources; /* NULL: no PROXY protocol */
	size_t proxy_source_count;
	unsigned conns_max; /* per loop; 0: no limit */
	bool inner; /* of a function's process: what runs could not be answered
		     * without it, so it works on while the loop drains, is
		     * not evicted, and may use the reserve of descriptors */
};

/*
 * A bound socket, one per loop and address.  Bind in main, before threads:
 * abt_listener_bind checks the address without SO_REUSEPORT first, so that a
 * second server on the port is told so.
 */
struct abt_address {
	struct abt_bytes
	    text; /* "127.0.0.1:8080", "[::1]:8080", "unix:/path" */
	int *fds; /* one per loop (unix: the same socket) */
	unsigned fd_count;
	char url_host[128]; /* "127.0.0.1:8080" with the real port */
	unsigned port;      /* the real one; 0 for unix */
	bool is_unix;
	uint64_t inode; /* of the unix socket's file, and its birth */
	int64_t made_ns;
};

/*
 * Parse |text| and bind |loops| sockets.  0, or -1 with a sentence in |why|
 * that names the address and the cure ("127.0.0.1:8080 is in use: ...").
 */
int abt_address_bind(struct abt_address *address, const char *text,
    unsigned loops, char *why, size_t size);
/* Close what was bound and never given to a listener (set fds[i] to -1 when it
 * was); unlink unix sockets that are still ours. */
void abt_address_close(struct abt_address *address);

struct abt_listener;

/* Accept on |fd| in |loop| from now on (call on the loop or before it runs).
 * |options| is copied; what it points to must outlive the listener and the
 * exchanges begun with it.  NULL: no memory (|fd| is then still the caller's).
 */
struct abt_listener *abt_listener_new(
    struct abt_loop *loop, int fd, const struct abt_listener_options *options);
/* New exchanges use these options from now on (reload). */
void abt_listener_set(
    struct abt_listener *listener, const struct abt_listener_options *options);
/*
 * Stop accepting and close the socket.  Exchanges are answered, with their
 * connection closed after.  What has arrived by now is still served: exchanges
 * may begin during the call, none after it.  An inner listener serves nothing
 * more, also during the call.
 */
void abt_listener_free(struct abt_listener *listener);

/* Tell every connection of the loop: answer what runs, then close. */
void abt_loop_drain_conns(struct abt_loop *loop);
/* Cut every connection now. */
void abt_loop_cut_conns(struct abt_loop *loop);

/* A listener on 127.0.0.1 with a port of the kernel's choice, for the Runtime
 * API.  Returns the fd (non-blocking, CLOEXEC) and the port, or -1. */
int abt_loopback_bind(unsigned *port);

#endif
