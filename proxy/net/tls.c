/*
 * tls.c - TLS contexts: what is spoken, and who we are
 *
 * One SSL_CTX per listener.  With several certificates the choice is made when
 * the client's hello is known: the best ECDSA and the best other certificate
 * that cover the name it asked for are offered, and OpenSSL takes the one that
 * this client can check (alb.md 4.2).  Without a match the first one serves.
 */
#include "net/tls_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "albatross/arena.h"
#include "base/log.h"

#define SUITES_13                                        \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_12                                                    \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* ---- errors ---- */

static int
fail(char *why, size_t size, const char *file, const char *what)
{
	unsigned long code = ERR_peek_error(); /* the cause */
	const char *reason = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	snprintf(why, size, "%s: %s%s%s", file, what,
	    reason != NULL ? ": " : "", reason != NULL ? reason : "");
	ERR_clear_error();
	return -1;
}

/* ---- names ---- */

bool
abt_tls_name_covers(const char *pattern, const char *host)
{
	struct abt_bytes rest = abt_bytes_text(host);

	if (strncmp(pattern, "*.", 2) == 0) {
		size_t dot = abt_bytes_find(rest, '.');

		if (dot == 0 || dot == rest.n)
			return false;
		rest = abt_bytes(rest.p + dot, rest.n - dot);
		pattern++;
	}
	return abt_bytes_equal_nocase(abt_bytes_text(pattern), rest);
}

static int
add_name(struct abt_tls_identity *id, const unsigned char *text, int n)
{
	char **names, *name;

	/* A NUL inside a name is an attack, and names none of our hosts. */
	if (n <= 0 || memchr(text, '\0', (size_t)n) != NULL)
		return 0;
	names =
	    abt_realloc(id->names, (id->name_count + 1) * sizeof(*id->names));
	if (names == NULL)
		return -1;
	id->names = names;
	name = abt_malloc((size_t)n + 1);
	if (name == NULL)
		return -1;
	memcpy(name, text, (size_t)n);
	name[n] = '\0';
	id->names[id->name_count++] = name;
	return 0;
}

/* The common name counts only without DNS names (RFC 6125 6.4.4). */
static int
add_common_name(struct abt_tls_identity *id)
{
	X509_NAME *subject = X509_get_subject_name(id->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text;
	int n, rc;

	if (at < 0)
		return 0;
	n = ASN1_STRING_to_UTF8(
	    &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (n < 0)
		return 0;
	rc = add_name(id, text, n);
	OPENSSL_free(text);
	return rc;
}

static int
read_names(struct abt_tls_identity *id)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(id->leaf, NID_subject_alt_name, NULL, NULL);
	int i, rc = 0;

	for (i = 0; rc == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			rc =
			    add_name(id, ASN1_STRING_get0_data(name->d.dNSName),
				ASN1_STRING_length(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	if (rc == 0 && id->name_count == 0)
		rc = add_common_name(id);
	return rc;
}

/* ---- files ---- */

/* Never ask a terminal for a passphrase. */
static int
no_passphrase(char *out, int size, int writing, void *context)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static int
read_chain(struct abt_tls_identity *id, BIO *file)
{
	X509 *next;

	id->leaf = PEM_read_bio_X509_AUX(file, NULL, no_passphrase, NULL);
	id->chain = sk_X509_new_null();
	if (id->leaf == NULL || id->chain == NULL)
		return -1;
	while ((next = PEM_read_bio_X509(file, NULL, no_passphrase, NULL)) !=
	       NULL) {
		if (sk_X509_push(id->chain, next) == 0) {
			X509_free(next);
			return -1;
		}
	}
	ERR_clear_error(); /* "no start line" is how the file ends */
	return 0;
}

static int
read_certificate(
    struct abt_tls_identity *id, const char *path, char *why, size_t size)
{
	BIO *file = BIO_new_file(path, "re");
	int rc;

	if (file == NULL)
		return fail(why, size, path, "cannot read the certificate");
	rc = read_chain(id, file);
	BIO_free(file);
	if (rc != 0)
		return fail(why, size, path,
		    "holds no certificate in PEM form (BEGIN CERTIFICATE)");
	if (read_names(id) != 0)
		return fail(why, size, path, "out of memory");
	return 0;
}

static void
look_at_rights(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		abt_warning("%s: others may read this key; chmod 600 it", path);
}

static int
read_key(struct abt_tls_identity *id, const char *path, char *why, size_t size)
{
	BIO *file = BIO_new_file(path, "re");

	if (file == NULL)
		return fail(why, size, path, "cannot read the key");
	id->key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL);
	BIO_free(file);
	if (id->key == NULL)
		return fail(why, size, path,
		    "holds no private key in PEM form without passphrase");
	look_at_rights(path);
	if (X509_check_private_key(id->leaf, id->key) != 1)
		return fail(
		    why, size, path, "is not the key of its certificate");
	return 0;
}

static void
free_identity(struct abt_tls_identity *id)
{
	size_t i;

	X509_free(id->leaf);
	sk_X509_pop_free(id->chain, X509_free);
	EVP_PKEY_free(id->key);
	for (i = 0; i < id->name_count; i++)
		abt_free(id->names[i]);
	abt_free(id->names);
}

/* ---- SNI ---- */

static bool
covers(const struct abt_tls_identity *id, const char *host)
{
	size_t i;

	for (i = 0; i < id->name_count; i++)
		if (abt_tls_name_covers(id->names[i], host))
			return true;
	return false;
}

/* Longer keys first, then those that are valid longer (alb.md 4.2). */
static bool
is_better(const struct abt_tls_identity *a, const struct abt_tls_identity *b)
{
	int bits_a = EVP_PKEY_get_bits(a->key);
	int bits_b = EVP_PKEY_get_bits(b->key);

	if (bits_a != bits_b)
		return bits_a > bits_b;
	return ASN1_TIME_compare(X509_get0_notAfter(a->leaf),
		   X509_get0_notAfter(b->leaf)) > 0;
}

const struct abt_tls_identity *
abt_tls_choose(const struct abt_tls *tls, const char *host, bool ecdsa)
{
	const struct abt_tls_identity *best = NULL;
	size_t i;

	for (i = 0; i < tls->count; i++) {
		const struct abt_tls_identity *id = &tls->identities[i];

		if ((EVP_PKEY_get_base_id(id->key) == EVP_PKEY_EC) != ecdsa ||
		    !covers(id, host))
			continue;
		if (best == NULL || is_better(id, best))
			best = id;
	}
	return best;
}

static int
offer(SSL *ssl, const struct abt_tls_identity *id)
{
	return id == NULL ||
	       SSL_use_cert_and_key(ssl, id->leaf, id->key, id->chain, 1) == 1;
}

static int
on_certificate(SSL *ssl, void *arg)
{
	const struct abt_tls *tls = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct abt_tls_identity *ecdsa, *other;

	if (host == NULL)
		return 1;
	ecdsa = abt_tls_choose(tls, host, true);
	other = abt_tls_choose(tls, host, false);
	if (ecdsa == NULL && other == NULL)
		return 1;
	SSL_certs_clear(ssl);
	return offer(ssl, ecdsa) && offer(ssl, other);
}

/* ---- ALPN ---- */

static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	/* In our order; "\x02h2" goes first once it is spoken. */
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, in,
		in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2 */
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* ---- contexts ---- */

static bool
configure(SSL_CTX *context)
{
	static const unsigned char session_context[] = "albatross";

	SSL_CTX_set_options(context,
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
		SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(context, SUITES_12) == 1 &&
	       SSL_CTX_set_ciphersuites(context, SUITES_13) == 1 &&
	       SSL_CTX_set1_groups_list(context, GROUPS) == 1 &&
	       SSL_CTX_set_num_tickets(context, 1) == 1 &&
	       SSL_CTX_set_session_id_context(
		   context, session_context, sizeof(session_context) - 1) == 1;
}

static int
load(struct abt_tls *tls, const struct abt_certificate *certificates, char *why,
    size_t size)
{
	const struct abt_tls_identity *first = &tls->identities[0];
	size_t i;

	for (i = 0; i < tls->count; i++)
		if (read_certificate(&tls->identities[i],
			certificates[i].certificate, why, size) != 0 ||
		    read_key(&tls->identities[i], certificates[i].key, why,
			size) != 0)
			return -1;
	tls->context = SSL_CTX_new(TLS_server_method());
	if (tls->context == NULL || !configure(tls->context))
		return fail(why, size, "TLS", "cannot be set up");
	if (SSL_CTX_use_cert_and_key(
		tls->context, first->leaf, first->key, first->chain, 1) != 1)
		return fail(
		    why, size, certificates[0].certificate, "cannot be used");
	if (tls->count > 1)
		SSL_CTX_set_cert_cb(tls->context, on_certificate, tls);
	return 0;
}

struct abt_tls *
abt_tls_new(const struct abt_certificate *certificates, size_t count, char *why,
    size_t size)
{
	struct abt_tls *tls = abt_calloc(1, sizeof(*tls));

	if (tls != NULL)
		tls->identities = abt_calloc(count, sizeof(*tls->identities));
	if (tls == NULL || tls->identities == NULL) {
		snprintf(why, size, "out of memory");
		abt_free(tls);
		return NULL;
	}
	tls->references = 1;
	tls->count = count;
	ERR_clear_error();
	if (load(tls, certificates, why, size) == 0)
		return tls;
	abt_tls_free(tls);
	return NULL;
}

struct abt_tls *
abt_tls_hold(struct abt_tls *tls)
{
	atomic_fetch_add_explicit(&tls->references, 1, memory_order_relaxed);
	return tls;
}

void
abt_tls_free(struct abt_tls *tls)
{
	size_t i;

	if (tls == NULL || atomic_fetch_sub_explicit(
			       &tls->references, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(tls->context);
	for (i = 0; i < tls->count; i++)
		free_identity(&tls->identities[i]);
	abt_free(tls->identities);
	abt_free(tls);
}
