/*
 * tls_conn.c - TLS on one connection
 *
 * OpenSSL reads and writes through a BIO of our own: its first bytes are those
 * that were read before we knew that it is TLS, and its writes never raise
 * SIGPIPE.  The thread's error queue is emptied before each call, because
 * OpenSSL takes what is left in it for the outcome of the next one.
 */
#include "net/tls_conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "albatross/arena.h"
#include "net/conn.h"
#include "net/tls_private.h"

struct abt_tls_conn {
	SSL *ssl;
	struct abt_tls *tls;
	char *early; /* read already; NULL when used up */
	size_t early_at, early_n;
	int fd;
	bool eof;            /* of the socket */
	bool shaken;         /* the handshake is done */
	bool broken;         /* nothing may be said any more */
	unsigned long error; /* OpenSSL's, of what broke it */
};

/* ---- the BIO ---- */

static int
read_early(struct abt_tls_conn *conn, char *out, int size)
{
	size_t n = conn->early_n - conn->early_at;

	if (n > (size_t)size)
		n = (size_t)size;
	memcpy(out, conn->early + conn->early_at, n);
	conn->early_at += n;
	if (conn->early_at == conn->early_n) {
		abt_free(conn->early);
		conn->early = NULL;
	}
	return (int)n;
}

static int
bio_read(BIO *bio, char *out, int size)
{
	struct abt_tls_conn *conn = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (size <= 0)
		return 0;
	if (conn->early != NULL)
		return read_early(conn, out, size);
	n = recv(conn->fd, out, (size_t)size, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	conn->eof = n == 0;
	return (int)n;
}

static int
bio_write(BIO *bio, const char *data, int size)
{
	struct abt_tls_conn *conn = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	n = send(conn->fd, data, (size_t)size, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	struct abt_tls_conn *conn = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_EOF:
		return conn->eof;
	case BIO_CTRL_FLUSH:
		return 1;
	default:
		return 0;
	}
}

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static void
make_method(void)
{
	int type = BIO_get_new_index();

	if (type == -1)
		return;
	method = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "albatross");
	if (method == NULL)
		return;
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
}

/* ---- life ---- */

static int
start(struct abt_tls_conn *conn, struct abt_bytes early)
{
	BIO *bio;

	if (early.n > 0) {
		conn->early = abt_malloc(early.n);
		if (conn->early == NULL)
			return -1;
		memcpy(conn->early, early.p, early.n);
		conn->early_n = early.n;
	}
	pthread_once(&method_once, make_method);
	abt_tls_keep_memory();
	conn->ssl = SSL_new(conn->tls->context);
	if (conn->ssl == NULL || method == NULL)
		return -1;
	bio = BIO_new(method);
	if (bio == NULL)
		return -1;
	BIO_set_data(bio, conn);
	BIO_set_init(bio, 1);
	SSL_set_bio(conn->ssl, bio, bio);
	return 0;
}

static struct abt_tls_conn *
new_conn(struct abt_tls *tls, int fd, struct abt_bytes early)
{
	struct abt_tls_conn *conn = abt_calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->tls = abt_tls_hold(tls);
	conn->fd = fd;
	ERR_clear_error();
	if (start(conn, early) == 0)
		return conn;
	ERR_clear_error();
	abt_tls_conn_free(conn);
	return NULL;
}

struct abt_tls_conn *
abt_tls_conn_new(struct abt_tls *tls, int fd, struct abt_bytes early)
{
	struct abt_tls_conn *conn = new_conn(tls, fd, early);

	if (conn != NULL)
		SSL_set_accept_state(conn->ssl);
	return conn;
}

/* The name that the server's certificate must carry. */
static bool
expect(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return true;
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	       SSL_set1_host(ssl, host) == 1;
}

struct abt_tls_conn *
abt_tls_conn_connect(struct abt_tls *tls, int fd, const char *host)
{
	struct abt_tls_conn *conn = new_conn(tls, fd, abt_bytes(NULL, 0));

	if (conn == NULL)
		return NULL;
	SSL_set_connect_state(conn->ssl);
	if (expect(conn->ssl, host))
		return conn;
	ERR_clear_error();
	abt_tls_conn_free(conn);
	return NULL;
}

void
abt_tls_conn_free(struct abt_tls_conn *conn)
{
	SSL_free(conn->ssl);
	abt_tls_free(conn->tls);
	abt_free(conn->early);
	abt_free(conn);
}

/* ---- talking ---- */

/* Asking costs less than emptying. */
static void
clear_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/* What a call that did not succeed means. */
static int
outcome(struct abt_tls_conn *conn, int rc, bool *wants_write)
{
	int error = SSL_get_error(conn->ssl, rc);

	*wants_write = error == SSL_ERROR_WANT_WRITE;
	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return ABT_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return ABT_EOF;
	default:
		conn->broken = true; /* SSL_shutdown must not be called */
		conn->error = ERR_peek_error();
		ERR_clear_error();
		return ABT_LOST;
	}
}

int
abt_tls_conn_handshake(struct abt_tls_conn *conn, bool *wants_write)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(conn->ssl);
	if (rc == 1) {
		conn->shaken = true;
		return 0;
	}
	return outcome(conn, rc, wants_write) == ABT_AGAIN ? ABT_AGAIN
							   : ABT_LOST;
}

ssize_t
abt_tls_conn_read(struct abt_tls_conn *conn, char *out, size_t size)
{
	bool wants_write;
	int rc;

	clear_errors();
	rc = SSL_read(conn->ssl, out, size > INT32_MAX ? INT32_MAX : (int)size);
	return rc > 0 ? rc : outcome(conn, rc, &wants_write);
}

ssize_t
abt_tls_conn_write(struct abt_tls_conn *conn, struct abt_bytes data)
{
	bool wants_write;
	int rc;

	clear_errors();
	rc = SSL_write(
	    conn->ssl, data.p, data.n > INT32_MAX ? INT32_MAX : (int)data.n);
	if (rc > 0)
		return rc;
	rc = outcome(conn, rc, &wants_write);
	return rc == ABT_EOF ? ABT_LOST : rc;
}

bool
abt_tls_conn_pending(const struct abt_tls_conn *conn)
{
	return conn->early != NULL || SSL_has_pending(conn->ssl) == 1;
}

void
abt_tls_conn_close(struct abt_tls_conn *conn)
{
	if (!conn->shaken || conn->broken ||
	    (SSL_get_shutdown(conn->ssl) & SSL_SENT_SHUTDOWN) != 0)
		return;
	ERR_clear_error();
	SSL_shutdown(conn->ssl); /* once: we do not wait for the client's */
	ERR_clear_error();
}

/* ---- facts ---- */

void
abt_tls_conn_why(const struct abt_tls_conn *conn, char *out, size_t size)
{
	long verdict = SSL_get_verify_result(conn->ssl);
	const char *reason = ERR_reason_error_string(conn->error);

	if (verdict != X509_V_OK)
		snprintf(out, size, "its certificate does not convince: %s",
		    X509_verify_cert_error_string(verdict));
	else
		snprintf(out, size, "TLS: %s",
		    reason != NULL ? reason : "the connection ended");
}

void
abt_tls_conn_facts(const struct abt_tls_conn *conn, struct abt_bytes *version,
    struct abt_bytes *cipher, struct abt_bytes *sni)
{
	*version = abt_bytes_text(SSL_get_version(conn->ssl));
	*cipher = abt_bytes_text(SSL_get_cipher_name(conn->ssl));
	*sni = abt_bytes_text(
	    SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name));
}
