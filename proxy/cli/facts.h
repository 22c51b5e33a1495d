/*
 * facts.h - what the world adds to a call made on the command line
 */
#ifndef ABT_CLI_FACTS_H
#define ABT_CLI_FACTS_H

#include "cli/command.h"

struct abt_facts_options {
	struct abt_bytes peer; /* IP:PORT */
	int64_t listener_port;
	struct abt_bytes time;   /* milliseconds since 1970; empty: now */
	struct abt_bytes random; /* up to 64 hex digits; empty: chance */
	bool tls;
	struct abt_bytes tls_version, tls_cipher, sni;
	struct abt_bytes client_cert; /* a PEM file; empty: none */
};
extern const struct abt_option abt_facts_option_rows[];

/* Fill call->facts and call->arena.  0, or the exit status after saying what is
 * wrong. */
int abt_cli_facts(struct abt_cli *cli, const struct abt_facts_options *options,
    struct abt_call *call);

#endif
