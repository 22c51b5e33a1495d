/*
 * client_tls.c - outgoing HTTP/1.1: TLS, and whom we believe
 *
 * TLS 1.2 and 1.3 to servers whose certificate leads to an authority we know
 * and carries the name we asked for; there is no way to leave that out.
 */
#include <openssl/err.h>
#include <stdio.h>

#include "albatross/arena.h"
#include "net/client_private.h"
#include "net/tls_private.h"

static bool
configure(SSL_CTX *context)
{
	static const unsigned char protocols[] = "\x08http/1.1";

	SSL_CTX_set_options(
	    context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_read_ahead(context, 1);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_alpn_protos(
		   context, protocols, sizeof(protocols) - 1) == 0;
}

static bool
load_authorities(SSL_CTX *context, const char *file)
{
	return file != NULL ? SSL_CTX_load_verify_file(context, file) == 1
			    : SSL_CTX_set_default_verify_paths(context) == 1;
}

struct abt_tls *
abt_tls_client_new(const char *authorities, char *why, size_t size)
{
	struct abt_tls *tls = abt_calloc(1, sizeof(*tls));

	if (tls == NULL) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	tls->references = 1;
	ERR_clear_error();
	tls->context = SSL_CTX_new(TLS_client_method());
	if (tls->context == NULL || !configure(tls->context)) {
		snprintf(why, size, "TLS cannot be set up");
	} else if (!load_authorities(tls->context, authorities)) {
		snprintf(why, size,
		    "%s: cannot be read as certificates in "
		    "PEM form",
		    authorities != NULL ? authorities
					: "the system's authorities");
	} else {
		return tls;
	}
	ERR_clear_error();
	abt_tls_free(tls);
	return NULL;
}

const struct abt_client_tls abt_client_tls = {
	.connect = abt_tls_conn_connect,
	.handshake = abt_tls_conn_handshake,
	.why = abt_tls_conn_why,
	.read = abt_tls_conn_read,
	.write = abt_tls_conn_write,
	.pending = abt_tls_conn_pending,
	.close = abt_tls_conn_close,
	.free = abt_tls_conn_free,
};
