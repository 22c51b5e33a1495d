/*
 * facts.c - what the world adds to a call made on the command line
 *
 * The clock and chance unless they are given, so that a script gets the same
 * event twice.
 */
#include "cli/facts.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/ids.h"
#include "cli/input.h"

#define AT(member) offsetof(struct abt_facts_options, member)

const struct abt_option abt_facts_option_rows[] = {
	{ .name = "peer",
	    .kind = ABT_STRING,
	    .offset = AT(peer),
	    .preset = "127.0.0.1:50000",
	    .flag = "peer",
	    .argument = "IP:PORT",
	    .help = "the client's address" },
	{ .name = "listener_port",
	    .kind = ABT_INT,
	    .offset = AT(listener_port),
	    .max = 65535,
	    .flag = "listener-port",
	    .argument = "N",
	    .help = "the port the client connected to; 80, or 443 with --tls" },
	{ .name = "time",
	    .kind = ABT_STRING,
	    .offset = AT(time),
	    .flag = "time",
	    .argument = "EPOCH_MS",
	    .help = "when the request came, in milliseconds; now" },
	{ .name = "random",
	    .kind = ABT_STRING,
	    .offset = AT(random),
	    .flag = "random",
	    .argument = "HEX",
	    .help = "up to 64 hex digits that ids are made of; chance" },
	{ .name = "tls",
	    .kind = ABT_BOOL,
	    .offset = AT(tls),
	    .flag = "tls",
	    .help = "the client came over HTTPS" },
	{ .name = "tls_version",
	    .kind = ABT_STRING,
	    .offset = AT(tls_version),
	    .preset = "TLSv1.3",
	    .flag = "tls-version",
	    .argument = "NAME",
	    .help = "OpenSSL's name of the TLS version" },
	{ .name = "tls_cipher",
	    .kind = ABT_STRING,
	    .offset = AT(tls_cipher),
	    .preset = "TLS_AES_128_GCM_SHA256",
	    .flag = "tls-cipher",
	    .argument = "NAME",
	    .help = "OpenSSL's name of the cipher" },
	{ .name = "sni",
	    .kind = ABT_STRING,
	    .offset = AT(sni),
	    .flag = "sni",
	    .argument = "HOST",
	    .help = "the host that the client named in TLS" },
	{ .name = "client_cert",
	    .kind = ABT_STRING,
	    .offset = AT(client_cert),
	    .flag = "client-cert",
	    .argument = "FILE",
	    .help = "of APIs: the PEM certificate that the client showed in "
		    "mutual TLS" },
	ABT_OPTIONS_END,
};

/* "192.0.2.1:5000", "[2001:db8::1]:5000"; the port may be left out. */
static bool
read_peer(
    struct abt_arena *arena, struct abt_bytes text, struct abt_facts *facts)
{
	struct abt_bytes ip = text, port = ABT_BYTES("50000");
	unsigned char address[16];
	uint64_t number;
	size_t n;
	char *name;

	if (ip.n > 0 && ip.p[0] == '[') {
		n = abt_bytes_find(ip, ']');
		if (n == ip.n)
			return false;
		port = abt_bytes(ip.p + n + 1, ip.n - n - 1);
		ip = abt_bytes(ip.p + 1, n - 1);
		if (port.n > 0 && port.p[0] != ':')
			return false;
		port = port.n > 0 ? abt_bytes(port.p + 1, port.n - 1)
				  : ABT_BYTES("50000");
	} else if ((n = abt_bytes_find(ip, ':')) < ip.n &&
		   abt_bytes_find(abt_bytes(ip.p + n + 1, ip.n - n - 1), ':') ==
		       ip.n - n - 1) {
		port = abt_bytes(ip.p + n + 1, ip.n - n - 1);
		ip.n = n;
	}
	name = abt_arena_text(arena, ip);
	if (name == NULL || !abt_bytes_number(port, 10, 65535, &number))
		return false;
	if (inet_pton(AF_INET, name, address) != 1 &&
	    inet_pton(AF_INET6, name, address) != 1)
		return false;
	facts->peer_ip = abt_bytes(name, ip.n);
	facts->peer_port = (unsigned)number;
	return true;
}

static bool
read_random(struct abt_bytes hex, unsigned char out[44])
{
	if (hex.n > 64)
		return false;
	memset(out, 0, 44);
	for (size_t i = 0; i < hex.n; i++) {
		int value = abt_hex_value(hex.p[i]);

		if (value < 0)
			return false;
		out[i / 2] |= (unsigned char)(i % 2 == 0 ? value << 4 : value);
	}
	return true;
}

static int
fill_chance(struct abt_cli *cli, const struct abt_facts_options *options,
    struct abt_facts *facts)
{
	unsigned char id[16];

	if (options->random.n > 0) {
		if (!read_random(options->random, facts->random))
			return abt_cli_usage(
			    cli, "--random must be up to 64 hex digits");
		memcpy(id, facts->random, sizeof id);
		memcpy(facts->random + 32, facts->random + 20, 12);
	} else if (abt_random(facts->random, sizeof facts->random) != 0 ||
		   abt_random(id, sizeof id) != 0) {
		abt_cli_usage(cli, "the kernel gives no random bytes");
		return ABT_EXIT_BROKEN;
	}
	abt_id_uuid(facts->request_id, id);
	return 0;
}

/* ---- the client's certificate ---- */

#define CERTIFICATE_MAX 65536

static struct abt_bytes
bio_text(struct abt_arena *arena, BIO *bio)
{
	char *text = NULL;
	long n = BIO_get_mem_data(bio, &text);
	struct abt_bytes copy =
	    abt_arena_copy(arena, abt_bytes(text, n > 0 ? (size_t)n : 0));

	(void)BIO_reset(bio);
	return copy;
}

/* "0a:1b:ff" */
static struct abt_bytes
serial_text(struct abt_arena *arena, const ASN1_INTEGER *serial)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(serial);
	int size = ASN1_STRING_length(serial);
	size_t n = size > 0 ? (size_t)size : 0;
	char *text = abt_arena_alloc(arena, 3 * n + 1);

	if (text == NULL || n == 0)
		return abt_bytes(NULL, 0);
	for (size_t i = 0; i < n; i++)
		snprintf(text + 3 * i, 4, "%02x:", bytes[i]);
	return abt_bytes(text, 3 * n - 1);
}

static bool
describe(struct abt_arena *arena, X509 *x509, struct abt_client_cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool good;

	if (bio == NULL)
		return false;
	good = PEM_write_bio_X509(bio, x509) == 1;
	cert->pem = bio_text(arena, bio);
	good &= X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0,
		    XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0;
	cert->subject = bio_text(arena, bio);
	good &= X509_NAME_print_ex(bio, X509_get_issuer_name(x509), 0,
		    XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0;
	cert->issuer = bio_text(arena, bio);
	good &= ASN1_TIME_print(bio, X509_get0_notBefore(x509)) == 1;
	cert->not_before = bio_text(arena, bio);
	good &= ASN1_TIME_print(bio, X509_get0_notAfter(x509)) == 1;
	cert->not_after = bio_text(arena, bio);
	cert->serial = serial_text(arena, X509_get0_serialNumber(x509));
	BIO_free(bio);
	return good;
}

static int
read_client_cert(
    struct abt_cli *cli, struct abt_bytes file, struct abt_facts *facts)
{
	struct abt_client_cert *cert =
	    abt_arena_zero(&cli->arena, sizeof *cert);
	const char *name = abt_arena_text(&cli->arena, file);
	struct abt_bytes pem;
	X509 *x509 = NULL;
	bool good;
	BIO *bio;

	if (cert == NULL || name == NULL)
		return 0; /* the caller tells */
	if (abt_cli_read(cli, name, CERTIFICATE_MAX, &pem) != 0)
		return ABT_EXIT_BROKEN;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio != NULL)
		x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	good = x509 != NULL && describe(&cli->arena, x509, cert);
	X509_free(x509);
	if (!good)
		return abt_cli_usage(cli,
		    "--client-cert must be a file with a PEM certificate, and "
		    "%s is none",
		    name);
	facts->client_cert = cert;
	return 0;
}

int
abt_cli_facts(struct abt_cli *cli, const struct abt_facts_options *options,
    struct abt_call *call)
{
	struct abt_facts *facts = &call->facts;
	char date[ABT_DATE_SIZE];
	uint64_t ms;
	int rc;

	call->arena = &cli->arena;
	if (!read_peer(&cli->arena, options->peer, facts))
		return abt_cli_usage(cli,
		    "--peer must be an address and a port like 192.0.2.1:5000 "
		    "or [2001:db8::1]:5000, not \"%.*s\"",
		    ABT_FMT(options->peer));
	facts->epoch_us = abt_clock_epoch_us();
	if (options->time.n > 0) {
		if (!abt_bytes_number(
			options->time, 10, UINT64_C(1) << 50, &ms))
			return abt_cli_usage(cli,
			    "--time must be milliseconds since 1970, not "
			    "\"%.*s\"",
			    ABT_FMT(options->time));
		facts->epoch_us = (int64_t)ms * 1000;
	}
	facts->tls = options->tls;
	facts->listener_port = (unsigned)options->listener_port;
	if (facts->listener_port == 0)
		facts->listener_port = options->tls ? 443 : 80;
	if (options->tls) {
		facts->tls_version = options->tls_version;
		facts->tls_cipher = options->tls_cipher;
		facts->sni = options->sni;
	}
	if (options->client_cert.n > 0 &&
	    (rc = read_client_cert(cli, options->client_cert, facts)) != 0)
		return rc;
	abt_date_imf(date, facts->epoch_us / 1000000);
	facts->date = abt_arena_copy(&cli->arena, abt_bytes_text(date));
	if (abt_arena_failed(&cli->arena)) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	return fill_chance(cli, options, facts);
}
