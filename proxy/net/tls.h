/*
 * tls.h - contexts, SNI, reload
 */
#ifndef ABT_NET_TLS_H
#define ABT_NET_TLS_H

#include "albatross/option.h"

struct abt_tls;

struct abt_certificate {
	const char *certificate; /* PEM file, leaf first */
	const char *key;         /* PEM file */
};

/*
 * Contexts of one listener: the first certificate is the default, the others
 * are chosen by SNI among the names they carry (alb.md 4.2).  TLS 1.2 and 1.3,
 * ECDHE with AEAD, server order, X25519 first, one ticket, ALPN http/1.1.
 * NULL with a sentence in |why| that names the file and the cure.  A key that
 * others can read is a warning in the log.
 */
struct abt_tls *abt_tls_new(const struct abt_certificate *certificates,
    size_t count, char *why, size_t size);
/* Reference counted: connections hold one. */
struct abt_tls *abt_tls_hold(struct abt_tls *tls);
void abt_tls_free(struct abt_tls *tls);

/*
 * The self-signed certificate for localhost, 127.0.0.1 and ::1: made once under
 * $XDG_STATE_HOME/albatross (or ~/.local/state/albatross), key mode 0600; made
 * anew when it is about to expire.  Paths come back in |cert| and |key| (each
 * |size| bytes).  0, or -1 with a sentence in |why|.
 */
int abt_tls_self_signed(
    char *cert, char *key, size_t size, char *why, size_t why_size);

/* At the very start of the program: OpenSSL's memory comes through
 * tls_memory.c. */
void abt_tls_own_memory(void);

#endif
