/*
 * tls_private.h - what contexts (tls.c) and connections (tls_conn.c) share
 */
#ifndef ABT_NET_TLS_PRIVATE_H
#define ABT_NET_TLS_PRIVATE_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/tls.h"

/* A certificate, its chain and its key, and the names it is good for. */
struct abt_tls_identity {
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	char **names; /* DNS names, lower case; "*." may begin one */
	size_t name_count;
};

struct abt_tls {
	_Atomic unsigned references;
	SSL_CTX *context;
	struct abt_tls_identity *identities;
	size_t count;
};

/* Is |host| covered by |pattern| ("*." stands for one label)? */
bool abt_tls_name_covers(const char *pattern, const char *host);

/* The best identity of |tls| for |host| whose key is, or is not, ECDSA; NULL
 * when none covers it. */
const struct abt_tls_identity *abt_tls_choose(
    const struct abt_tls *tls, const char *host, bool ecdsa);

/* This thread has connections: it keeps record buffers (tls_memory.c). */
void abt_tls_keep_memory(void);

#endif
