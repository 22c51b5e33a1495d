/*
 * tls_conn.h - TLS on one connection
 *
 * OpenSSL is known in tls*.c only.  Reading and writing answer as conn.h says:
 * a length, ABT_AGAIN, ABT_EOF or ABT_LOST.
 */
#ifndef ABT_NET_TLS_CONN_H
#define ABT_NET_TLS_CONN_H

#include <sys/types.h>

#include "albatross/bytes.h"
#include "net/tls.h"

struct abt_tls_conn;

/* Begin on |fd|; |early| was read already (copied).  NULL: no memory. */
struct abt_tls_conn *abt_tls_conn_new(
    struct abt_tls *tls, int fd, struct abt_bytes early);
/* The other side: to a server that must prove to be |host|, a name or an
 * address. */
struct abt_tls_conn *abt_tls_conn_connect(
    struct abt_tls *tls, int fd, const char *host);
/* Why the handshake failed, as a sentence without its end. */
void abt_tls_conn_why(const struct abt_tls_conn *conn, char *out, size_t size);
void abt_tls_conn_free(struct abt_tls_conn *conn);

/* 0: done; ABT_AGAIN (|wants_write| says what it waits for), ABT_LOST. */
int abt_tls_conn_handshake(struct abt_tls_conn *conn, bool *wants_write);

ssize_t abt_tls_conn_read(struct abt_tls_conn *conn, char *out, size_t size);
ssize_t abt_tls_conn_write(struct abt_tls_conn *conn, struct abt_bytes data);
/* Bytes were read from the socket that abt_tls_conn_read has not given out. */
bool abt_tls_conn_pending(const struct abt_tls_conn *conn);
/* Say close_notify, if that still can be said. */
void abt_tls_conn_close(struct abt_tls_conn *conn);

void abt_tls_conn_facts(const struct abt_tls_conn *conn,
    struct abt_bytes *version, struct abt_bytes *cipher, struct abt_bytes *sni);

#endif
