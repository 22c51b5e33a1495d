/*
 * test_tls.c - certificates, names, handshakes; HTTP inside, and beside, TLS
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/net_stream.h"
#include "net/client.h"
#include "net/conn.h"
#include "net/tls_private.h"
#include "net/wheel.h"
#include "route/cidr.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct world world;
static char out[16 << 20];
static char folder[] = "/tmp/albatross-tls-XXXXXX";
static char why[512];

/* ---- certificates made here ---- */

struct files {
	char cert[256], key[256];
};

static void
make(struct files *files, const char *name, bool rsa, int bits,
    const char *names, mode_t mode)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen((unsigned)bits)
			    : EVP_EC_gen(bits == 384 ? "P-384" : "P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	FILE *file;

	snprintf(files->cert, sizeof(files->cert), "%s/%s.pem", folder, name);
	snprintf(files->key, sizeof(files->key), "%s/%s.key", folder, name);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -10);
	X509_gmtime_adj(X509_getm_notAfter(cert), 100000);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	X509_set_pubkey(cert, key);
	if (names != NULL) {
		X509_EXTENSION *ext = X509V3_EXT_conf_nid(
		    NULL, NULL, NID_subject_alt_name, names);

		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
	}
	X509_sign(cert, key, EVP_sha256());
	file = fopen(files->cert, "w");
	PEM_write_X509(file, cert);
	fclose(file);
	file = fopen(files->key, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(files->key, mode);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static struct abt_tls *
load(const struct files *files, size_t count)
{
	struct abt_certificate certificates[8];
	size_t i;

	for (i = 0; i < count; i++) {
		certificates[i].certificate = files[i].cert;
		certificates[i].key = files[i].key;
	}
	*why = '\0';
	return abt_tls_new(certificates, count, why, sizeof(why));
}

/* ---- names and files ---- */

static void
test_names(void **unused)
{
	(void)unused;
	assert_true(abt_tls_name_covers("a.example", "A.Example"));
	assert_false(abt_tls_name_covers("a.example", "b.a.example"));
	assert_true(abt_tls_name_covers("*.example", "a.example"));
	assert_false(abt_tls_name_covers("*.example", "a.b.example"));
	assert_false(abt_tls_name_covers("*.example", "example"));
	assert_false(abt_tls_name_covers("*.example", ".example"));
	assert_false(abt_tls_name_covers("a*.example", "ab.example"));
}

static void
test_choice(void **unused)
{
	struct files files[5];
	struct abt_tls *tls;

	(void)unused;
	make(&files[0], "one.test", false, 256, NULL, 0600);
	make(&files[1], "two", true, 2048, "DNS:two.test,DNS:*.two.test", 0600);
	make(&files[2], "two-long", true, 3072, "DNS:two.test", 0600);
	make(&files[3], "two-ec", false, 384, "DNS:*.two.test", 0600);
	make(&files[4], "cn.test", true, 2048, "DNS:san.test", 0600);
	tls = load(files, 5);
	assert_non_null(tls);
	assert_ptr_equal(
	    abt_tls_choose(tls, "one.test", true), &tls->identities[0]);
	assert_ptr_equal(
	    abt_tls_choose(tls, "two.test", false), &tls->identities[2]);
	assert_null(abt_tls_choose(tls, "two.test", true));
	assert_ptr_equal(
	    abt_tls_choose(tls, "x.two.test", true), &tls->identities[3]);
	assert_ptr_equal(
	    abt_tls_choose(tls, "x.two.test", false), &tls->identities[1]);
	/* with DNS names the common name does not count */
	assert_null(abt_tls_choose(tls, "cn.test", false));
	assert_non_null(abt_tls_choose(tls, "san.test", false));
	abt_tls_hold(tls);
	abt_tls_free(tls);
	abt_tls_free(tls);
}

static void
test_bad_files(void **unused)
{
	struct files good, other, bad;

	(void)unused;
	make(&good, "good", false, 256, NULL, 0600);
	make(&other, "other", false, 256, NULL, 0600);
	bad = good;
	snprintf(bad.cert, sizeof(bad.cert), "%s/none.pem", folder);
	assert_null(load(&bad, 1));
	assert_non_null(strstr(why, "none.pem"));
	assert_non_null(strstr(why, "No such file"));
	bad = good;
	memcpy(bad.cert, good.key, sizeof(bad.cert));
	assert_null(load(&bad, 1));
	assert_non_null(strstr(why, "no certificate"));
	bad = good;
	memcpy(bad.key, other.key, sizeof(bad.key));
	assert_null(load(&bad, 1));
	assert_non_null(strstr(why, "not the key"));
	memcpy(bad.key, good.cert, sizeof(bad.key));
	assert_null(load(&bad, 1));
	assert_non_null(strstr(why, "no private key"));
}

static void
test_self_signed(void **unused)
{
	char cert[4096], key[4096];
	struct stat before, after;
	FILE *file;

	(void)unused;
	setenv("XDG_STATE_HOME", folder, 1);
	assert_int_equal(
	    abt_tls_self_signed(cert, key, sizeof(cert), why, sizeof(why)), 0);
	assert_int_equal(stat(key, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);
	/* kept */
	assert_int_equal(
	    abt_tls_self_signed(cert, key, sizeof(cert), why, sizeof(why)), 0);
	assert_int_equal(stat(key, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* damaged: made anew */
	file = fopen(cert, "w");
	fputs("-----BEGIN", file);
	fclose(file);
	assert_int_equal(
	    abt_tls_self_signed(cert, key, sizeof(cert), why, sizeof(why)), 0);
	assert_int_equal(stat(key, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	/* no place */
	setenv("XDG_STATE_HOME", "/proc/none", 1);
	assert_int_equal(
	    abt_tls_self_signed(cert, key, sizeof(cert), why, sizeof(why)), -1);
	assert_non_null(strstr(why, "XDG_STATE_HOME"));
	setenv("XDG_STATE_HOME", "relative", 1);
	unsetenv("HOME");
	assert_int_equal(
	    abt_tls_self_signed(cert, key, sizeof(cert), why, sizeof(why)), -1);
}

/* ---- handshakes ---- */

static SSL_CTX *client_context;
static struct files served[3];

static int
open_world(void **unused)
{
	(void)unused;
	memset(&world, 0, sizeof(world));
	make(&served[0], "a.test", true, 2048, NULL, 0600);
	make(&served[1], "b", false, 256, "DNS:b.test", 0600);
	make(&served[2], "b-rsa", true, 2048, "DNS:b.test", 0600);
	world.options.tls = load(served, 3);
	world_open(&world);
	client_context = SSL_CTX_new(TLS_client_method());
	return 0;
}

static int
close_world(void **unused)
{
	(void)unused;
	SSL_CTX_free(client_context);
	world_close(&world);
	abt_tls_free(world.options.tls);
	return 0;
}

static SSL *
begin(const char *sni)
{
	SSL *ssl = SSL_new(client_context);

	SSL_set_fd(ssl, world_connect(&world));
	SSL_set_connect_state(ssl);
	if (sni != NULL)
		SSL_set_tlsext_host_name(ssl, sni);
	return ssl;
}

static int
shake(SSL *ssl)
{
	int i, rc = -1;

	for (i = 0; i < 300 && rc != 1; i++) {
		ERR_clear_error();
		rc = SSL_do_handshake(ssl);
		if (rc != 1 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ)
			break;
		world_turn(&world, 1);
	}
	return rc;
}

static void
end(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	world_turn(&world, 2);
}

static void
say(SSL *ssl, const char *text, size_t n)
{
	while (n > 0) {
		int took = SSL_write(ssl, text, (int)n);

		if (took > 0) {
			text += took;
			n -= (size_t)took;
		}
		world_turn(&world, 0);
	}
}

/* Read until close_notify, an error or |quiet| ms of nothing.  Returns 1 at a
 * clean end. */
static int
listen_to(SSL *ssl, int quiet)
{
	size_t got = 0;
	int idle = 0, n = 0;

	while (idle < quiet) {
		ERR_clear_error();
		n = SSL_read(ssl, out + got, (int)(sizeof(out) - 1 - got));
		if (n > 0) {
			got += (size_t)n;
			idle = 0;
			world_turn(&world, 0);
			continue;
		}
		if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
			break;
		world_turn(&world, 1);
		idle++;
	}
	out[got] = '\0';
	return n <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static void
test_request(void **unused)
{
	SSL *ssl = begin("a.test");

	(void)unused;
	assert_int_equal(shake(ssl), 1);
	say(ssl, GET("/x") GET("/y"), strlen(GET("/x") GET("/y")));
	listen_to(ssl, 20);
	assert_non_null(strstr(out, "GET /x 0"));
	assert_non_null(strstr(out, "GET /y 0"));
	assert_string_equal(world.tls[0], "TLSv1.3");
	assert_string_equal(world.tls[1], "TLS_AES_128_GCM_SHA256");
	assert_string_equal(world.tls[2], "a.test");
	assert_int_equal(SSL_get_negotiated_group(ssl), NID_X25519);
	say(ssl, GET("/close"), strlen(GET("/close")));
	assert_true(listen_to(ssl, 50)); /* close_notify came */
	end(ssl);
}

static int
served_type(const char *sni, int version)
{
	SSL *ssl = begin(sni);
	int type;

	SSL_set_max_proto_version(ssl, version);
	assert_int_equal(shake(ssl), 1);
	type = EVP_PKEY_get_base_id(
	    X509_get0_pubkey(SSL_get0_peer_certificate(ssl)));
	end(ssl);
	return type;
}

static void
test_sni(void **unused)
{
	SSL *ssl;

	(void)unused;
	assert_int_equal(served_type(NULL, TLS1_3_VERSION), EVP_PKEY_RSA);
	assert_int_equal(served_type("zzz", TLS1_3_VERSION), EVP_PKEY_RSA);
	assert_int_equal(served_type("b.test", TLS1_3_VERSION), EVP_PKEY_EC);
	assert_int_equal(served_type("b.test", TLS1_2_VERSION), EVP_PKEY_EC);
	/* a client that cannot check ECDSA gets the other one */
	ssl = begin("b.test");
	SSL_set1_sigalgs_list(ssl, "rsa_pss_rsae_sha256");
	assert_int_equal(shake(ssl), 1);
	assert_int_equal(EVP_PKEY_get_base_id(
			     X509_get0_pubkey(SSL_get0_peer_certificate(ssl))),
	    EVP_PKEY_RSA);
	assert_non_null(SSL_get0_peer_certificate(ssl));
	end(ssl);
}

static void
test_versions_and_suites(void **unused)
{
	SSL *ssl = begin(NULL);

	(void)unused;
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
	assert_int_not_equal(shake(ssl), 1);
	end(ssl);
	ssl = begin(NULL);
	SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
	SSL_set_cipher_list(ssl, "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA");
	assert_int_not_equal(shake(ssl), 1);
	end(ssl);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_alpn(void **unused)
{
	SSL *ssl = begin(NULL);
	const unsigned char *chosen;
	unsigned n;

	(void)unused;
	SSL_set_alpn_protos(
	    ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
	assert_int_equal(shake(ssl), 1);
	SSL_get0_alpn_selected(ssl, &chosen, &n);
	assert_int_equal(n, 8);
	end(ssl);
	ssl = begin(NULL);
	SSL_set_alpn_protos(ssl, (const unsigned char *)"\x02h2", 3);
	assert_int_not_equal(shake(ssl), 1);
	end(ssl);
}

static void
test_large_both_ways(void **unused)
{
	static char text[3000000];
	size_t body = 2500000, n;
	const char *got;
	SSL *ssl = begin(NULL);

	(void)unused;
	assert_int_equal(shake(ssl), 1);
	n = (size_t)snprintf(text, sizeof(text),
	    "POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", body);
	world_fill(text + n, body);
	memcpy(text + n + body, GET("/big"), strlen(GET("/big")));
	say(ssl, text, n + body + strlen(GET("/big")));
	listen_to(ssl, 100);
	assert_non_null(strstr(out, "POST /l 2500000"));
	got = strstr(strstr(out, "POST /l"), "\r\n\r\n");
	assert_non_null(got);
	assert_int_equal(strlen(got + 4), 12000000);
	assert_true(world_is_filled(abt_bytes(got + 4, 12000000)));
	end(ssl);
}

/* ---- answers in pieces ---- */

/* The stream handler answers, and the kernel takes little. */
static SSL *
begin_stream(const char *text)
{
	int small = 65536;
	SSL *ssl;

	memset(&stream, 0, sizeof(stream));
	world.options.handler = &stream_handler;
	abt_listener_set(world.listener, &world.options);
	setsockopt(
	    world.listener->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	ssl = begin(NULL);
	setsockopt(
	    SSL_get_fd(ssl), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(shake(ssl), 1);
	say(ssl, text, strlen(text));
	while (stream.x == NULL)
		world_turn(&world, 1);
	return ssl;
}

static void
end_stream(bool whole)
{
	struct abt_exchange *x = stream.x;

	stream.x = NULL;
	if (whole)
		abt_exchange_finish(x);
	else
		abt_exchange_abort(x);
}

/* Writes that wait come again with the same bytes, however they are cut. */
static void
test_pieces_to_a_slow_reader(void **unused)
{
	static char body[1 << 20];
	SSL *ssl = begin_stream("GET / HTTP/1.0\r\n\r\n");
	size_t n, sent = 0;
	char *got;

	(void)unused;
	world_fill(body, sizeof(body));
	stream.x->response.status = 200;
	abt_exchange_begin(stream.x, abt_bytes(NULL, 0));
	for (n = 1; sent < 900000; n = n * 3 % 29989) {
		n = n < sizeof(body) - sent ? n : sizeof(body) - sent;
		abt_exchange_write(stream.x, abt_bytes(body + sent, n));
		sent += n;
		if (n % 5 == 0)
			world_turn(&world, 0);
	}
	abt_exchange_write(
	    stream.x, abt_bytes(body + sent, sizeof(body) - sent));
	assert_true(stream.x->waiting > 500000);
	listen_to(ssl, 50);
	assert_int_equal(stream.drained, 1);
	abt_exchange_write(stream.x, abt_bytes(body, 26));
	end_stream(true);
	got = strstr(out, "\r\n\r\n") + 4;
	n = strlen(got);
	assert_int_equal(n, sizeof(body));
	assert_true(world_is_filled(abt_bytes(got, n)));
	assert_true(listen_to(ssl, 50)); /* a clean end */
	assert_true(world_is_filled(abt_bytes(out, 26)));
	end(ssl);
}

static void
test_abort_says_no_close_notify(void **unused)
{
	SSL *ssl = begin_stream("GET / HTTP/1.0\r\n\r\n");

	(void)unused;
	stream.x->response.status = 200;
	abt_exchange_begin(stream.x, ABT_BYTES("half"));
	listen_to(ssl, 10);
	assert_non_null(strstr(out, "half"));
	end_stream(false);
	assert_false(listen_to(ssl, 20));
	end(ssl);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_paused_body(void **unused)
{
	static char text[200100];
	size_t body = 200000, n;
	SSL *ssl;
	int i;

	(void)unused;
	n = (size_t)snprintf(text, sizeof(text),
	    "POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", body);
	ssl = begin_stream(text);
	stream.pause = true;
	world_fill(text, body);
	for (n = 0; n < body; n += 10000)
		say(ssl, text + n, 10000);
	world_turn(&world, 10);
	n = stream.got;
	assert_true(n > 0 && n < body);
	for (i = 0; i < 50 && world.readies == 0; i++) {
		abt_exchange_resume(stream.x);
		world_turn(&world, 3);
		assert_true(stream.got > n);
		n = stream.got;
	}
	assert_int_equal(stream.got, body);
	assert_true(stream.hash == stream_hash(0, abt_bytes(text, body)));
	stream.x->response.status = 200;
	abt_exchange_begin(stream.x, abt_bytes(NULL, 0));
	end_stream(true);
	end(ssl);
}

/* ---- our own client ---- */

static size_t got_bytes;
static unsigned ends;

static int
on_answer(struct abt_ask *ask, struct abt_bytes data)
{
	(void)ask;
	got_bytes += data.n;
	return 0;
}

static void
on_answered(struct abt_ask *ask)
{
	(void)ask;
	ends++;
}

static enum abt_ask_failure
ask(struct abt_client *client, const char *host, const char *path)
{
	static const struct abt_ask_events events = { .data = on_answer,
		.end = on_answered };
	struct abt_ask ask = { .events = &events,
		.method = ABT_BYTES("GET"),
		.target = abt_bytes_text(path) };
	char server[64];
	int i;

	snprintf(server, sizeof(server), "https://%s:%u", host, world.port);
	ask.server = server;
	got_bytes = ends = 0;
	abt_ask_start(client, &ask);
	for (i = 0; i < 2000 && ends == 0; i++)
		world_turn(&world, 1);
	assert_int_equal(ends, 1);
	snprintf(why, sizeof(why), "%s", ask.why);
	return ask.failure;
}

static void
test_client(void **unused)
{
	struct abt_client_options options = { .tls = &abt_client_tls };
	struct abt_client *client;
	struct abt_tls *served_before = world.options.tls;
	struct files files;

	(void)unused;
	make(&files, "local", false, 256, "DNS:localhost,IP:127.0.0.1", 0600);
	world.options.tls = load(&files, 1);
	abt_listener_set(world.listener, &world.options);
	options.context = abt_tls_client_new(files.cert, why, sizeof(why));
	assert_non_null(options.context);
	client = abt_client_new(world.loop, &options);
	assert_int_equal(ask(client, "127.0.0.1", "/x"), ABT_ASK_GOOD);
	assert_int_equal(got_bytes, strlen("GET /x 0"));
	assert_int_equal(ask(client, "localhost", "/big"), ABT_ASK_GOOD);
	assert_int_equal(got_bytes, 12000000);
	assert_int_equal(ask(client, "localhost", "/x"), ABT_ASK_GOOD);
	assert_int_equal(world.loop->conn_count, 2); /* kept, past tickets */
	abt_client_free(client);
	abt_tls_free(options.context);
	/* not who it should be */
	make(&files, "other", false, 256, "DNS:other.test", 0600);
	abt_tls_free(world.options.tls);
	world.options.tls = load(&files, 1);
	abt_listener_set(world.listener, &world.options);
	options.context = abt_tls_client_new(files.cert, why, sizeof(why));
	client = abt_client_new(world.loop, &options);
	assert_int_equal(ask(client, "127.0.0.1", "/x"), ABT_ASK_TLS);
	assert_non_null(strstr(why, "IP address mismatch"));
	assert_int_equal(ask(client, "localhost", "/x"), ABT_ASK_TLS);
	assert_non_null(strstr(why, "ostname mismatch"));
	abt_client_free(client);
	abt_tls_free(options.context);
	/* nobody vouches for it */
	options.context = abt_tls_client_new(NULL, why, sizeof(why));
	assert_non_null(options.context);
	client = abt_client_new(world.loop, &options);
	assert_int_equal(ask(client, "localhost", "/x"), ABT_ASK_TLS);
	assert_non_null(strstr(why, "certificate"));
	abt_client_free(client);
	abt_tls_free(options.context);
	assert_null(abt_tls_client_new("/nowhere", why, sizeof(why)));
	assert_non_null(strstr(why, "/nowhere"));
	world_turn(&world, 5);
	abt_tls_free(served_before);
}

static void
test_resumption(void **unused)
{
	SSL_SESSION *session;
	SSL *ssl = begin("a.test");

	(void)unused;
	assert_int_equal(shake(ssl), 1);
	say(ssl, GET("/x"), strlen(GET("/x")));
	listen_to(ssl, 10); /* the ticket comes with it */
	session = SSL_get1_session(ssl);
	SSL_shutdown(ssl); /* or the session counts as bad */
	end(ssl);
	ssl = begin("a.test");
	SSL_set_session(ssl, session);
	assert_int_equal(shake(ssl), 1);
	assert_true(SSL_session_reused(ssl));
	SSL_SESSION_free(session);
	end(ssl);
}

static void
test_plain_http_on_the_port(void **unused)
{
	int fd = world_connect(&world);
	bool eof;

	(void)unused;
	world_send(
	    &world, fd, GET("/x") GET("/y"), strlen(GET("/x") GET("/y")));
	world_read(&world, fd, out, sizeof(out), 30, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "HTTP/1.1 400"));
	assert_non_null(strstr(out, "h1/plain-on-tls"));
	assert_int_equal(world.heads, 1);
	assert_int_equal(world.readies, 0);
	close(fd);
	/* neither TLS nor HTTP */
	fd = world_connect(&world);
	world_send(&world, fd, "\x80\x2e\x01", 3);
	world_read(&world, fd, out, sizeof(out), 30, &eof);
	assert_true(eof);
	assert_string_equal(out, "");
	close(fd);
}

static void
test_vanishing_and_noise(void **unused)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03";
	SSL *ssl = begin(NULL);
	struct linger now = { .l_onoff = 1 };
	int fd = world_connect(&world);

	(void)unused;
	world_send(&world, fd, hello, sizeof(hello) - 1);
	world_turn(&world, 3);
	close(fd);
	fd = world_connect(&world);
	world_send(&world, fd, "\x16\x03\x01\x00\x05hello", 10);
	world_turn(&world, 3);
	close(fd);
	assert_int_equal(shake(ssl), 1);
	say(ssl, GET("/hold"), strlen(GET("/hold")));
	world_turn(&world, 5);
	assert_int_equal(world.held_count, 1);
	setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	end(ssl);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 1);
	world_release(&world);
	/* an end without close_notify is quiet */
	ssl = begin(NULL);
	assert_int_equal(shake(ssl), 1);
	say(ssl, GET("/hold"), strlen(GET("/hold")));
	shutdown(SSL_get_fd(ssl), SHUT_WR);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 1);
	assert_int_equal(world.half_closed, 1);
	world_release(&world);
	listen_to(ssl, 20);
	assert_non_null(strstr(out, "GET /hold 0"));
	end(ssl);
	world_turn(&world, 3);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_handshake_timeout(void **unused)
{
	int64_t now_ms = 1000000;
	int silent, half;

	(void)unused;
	abt_clock_stop_at(now_ms * 1000);
	silent = world_connect(&world);
	half = world_connect(&world);
	world_send(&world, half, "\x16\x03\x01", 3);
	world_turn(&world, 0);
	assert_int_equal(world.loop->conn_count, 2);
	now_ms += 9900;
	abt_clock_stop_at(now_ms * 1000);
	abt_wheel_run(world.loop->wheel, now_ms);
	assert_int_equal(world.loop->conn_count, 2);
	now_ms += 300;
	abt_clock_stop_at(now_ms * 1000);
	world.loop->now_us = 0;
	abt_wheel_run(world.loop->wheel, now_ms);
	assert_int_equal(world.loop->conn_count, 0);
	abt_clock_stop_at(-1);
	close(silent);
	close(half);
}

static void
test_proxy_line_before_tls(void **unused)
{
	static struct abt_cidr everyone;
	SSL *ssl;

	(void)unused;
	abt_cidr_parse(ABT_BYTES("127.0.0.0/8"), &everyone);
	world.options.proxy_sources = &everyone;
	world.options.proxy_source_count = 1;
	abt_listener_set(world.listener, &world.options);
	ssl = begin("a.test");
	world_send(&world, SSL_get_fd(ssl),
	    "PROXY TCP4 192.0.2.7 192.0.2.8 1234 443\r\n", 41);
	assert_int_equal(shake(ssl), 1);
	say(ssl, GET("/x"), strlen(GET("/x")));
	listen_to(ssl, 10);
	assert_non_null(strstr(out, "GET /x 0"));
	assert_string_equal(world.peer.ip, "192.0.2.7");
	assert_int_equal(world.peer.port, 1234);
	assert_string_equal(world.peer.local_ip, "192.0.2.8");
	assert_int_equal(world.peer.local_port, 443);
	end(ssl);
}

static int
make_folder(void **unused)
{
	(void)unused;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **unused)
{
	char command[128];

	(void)unused;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_self_signed),
		TEST(test_request),
		TEST(test_sni),
		TEST(test_versions_and_suites),
		TEST(test_alpn),
		TEST(test_large_both_ways),
		TEST(test_pieces_to_a_slow_reader),
		TEST(test_abort_says_no_close_notify),
		TEST(test_paused_body),
		TEST(test_client),
		TEST(test_resumption),
		TEST(test_plain_http_on_the_port),
		TEST(test_vanishing_and_noise),
		TEST(test_handshake_timeout),
		TEST(test_proxy_line_before_tls),
	};

	abt_log_set_level(ABT_LOG_ERROR);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
