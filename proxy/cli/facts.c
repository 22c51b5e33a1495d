/*
 * facts.c - what the world adds to a call made on the command line
 *
 * The clock and chance unless they are given, so that a script gets the same
 * event twice.
 */
#include "cli/facts.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/ids.h"

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

int
abt_cli_facts(struct abt_cli *cli, const struct abt_facts_options *options,
    struct abt_call *call)
{
	struct abt_facts *facts = &call->facts;
	char date[ABT_DATE_SIZE];
	uint64_t ms;

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
	abt_date_imf(date, facts->epoch_us / 1000000);
	facts->date = abt_arena_copy(&cli->arena, abt_bytes_text(date));
	if (abt_arena_failed(&cli->arena)) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	return fill_chance(cli, options, facts);
}
