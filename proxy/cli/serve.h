/*
 * serve.h - what `albatross serve` was told, and the setup made of it
 */
#ifndef ABT_CLI_SERVE_H
#define ABT_CLI_SERVE_H

#include "cli/command.h"
#include "config/front.h"
#include "config/settings.h"
#include "function/cgi.h"
#include "function/fastcgi_link.h"
#include "function/function.h"
#include "gateway/setup.h"

struct abt_serve_options {
	struct abt_serve_own {
		struct abt_bytes config;
		struct abt_bytes host;
		int64_t port;
		bool tls;
		int64_t tls_port; /* 0: HTTPS is on |port|, if at all */
		struct abt_bytes cert, key;
		bool command; /* what follows "--" is a filter */
		int runtime;  /* enum abt_runtime_kind */
		struct abt_bytes name, handler;
		bool watch;
		bool check;
		bool print_config;
		bool verbose;
	} own;
	struct abt_cgi_options cgi;
	struct abt_fastcgi_options fastcgi;
	struct abt_front_options front;
	struct abt_function_options function;
	struct abt_settings settings;
};

extern const struct abt_option abt_serve_option_rows[];

/* The setup of a function on the command line.  NULL after saying what is
 * wrong; |status| is then the exit status. */
struct abt_setup *abt_serve_setup(struct abt_cli *cli, int *status);
/* The setup of a file, with what the command line says on top. */
struct abt_setup *abt_serve_load(struct abt_cli *cli,
    void (*complain)(void *context, const char *sentence), void *context);

/* Certificates and handlers: what only use would show.  0, or the exit status
 * after saying what is wrong. */
int abt_serve_check(struct abt_cli *cli, struct abt_setup *setup);

#endif
