/*
 * bootstrap.h - programs that know HTTP or CGI, as Lambda functions
 *
 * A client of the Runtime API: it takes an event, turns it back into the
 * request it was made of, has a program answer that, and posts the answer as a
 * result of the same dialect.
 */
#ifndef ABT_BOOTSTRAP_BOOTSTRAP_H
#define ABT_BOOTSTRAP_BOOTSTRAP_H

#include "albatross/option.h"
#include "net/loop.h"

struct abt_bootstrap_options {
	const char *api; /* "127.0.0.1:9001" */
	/* A web server: started with |command| (PORT in its environment),
	 * reached at localhost:|port|.  0: none. */
	int64_t port;
	char *const *command; /* NULL-terminated; NULL: it runs already */
	/* Or a CGI program, or a folder of them. */
	struct abt_bytes cgi;
	struct abt_bytes prefix; /* of URLs: "/cgi-bin" */
	struct abt_bytes document_root;
	struct abt_map interpreters; /* ".php": "/usr/bin/php-cgi" */
	struct abt_list index;       /* names that stand for a folder */
	bool authorization;          /* CGI programs may see it */
	bool stream;                 /* results go in pieces */
};

/*
 * Serve until the Runtime API is gone or a signal comes.  Takes SIGTERM, SIGINT
 * and SIGCHLD.  0, or 1 with a sentence in the log.
 */
int abt_bootstrap_run(const struct abt_bootstrap_options *options);

#endif
