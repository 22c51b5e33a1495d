/*
 * fastcgi_link.h - connections to a FastCGI application, and what the files of
 * that backend share
 */
#ifndef ABT_FUNCTION_FASTCGI_LINK_H
#define ABT_FUNCTION_FASTCGI_LINK_H

#include <sys/socket.h>

#include "function/cgi.h"
#include "function/cgi_answer.h"
#include "function/fastcgi.h"
#include "function/function.h"
#include "function/link.h"
#include "function/process.h"

struct abt_fastcgi_options {
	struct abt_bytes socket; /* "unix:/path", "host:port" */
	struct abt_list command; /* an application that we start */
	struct abt_bytes prefix, fallback, document_root;
	struct abt_list ends, index;
	bool authorization;
	int64_t body_max, output_max, kept;
};
extern const struct abt_option abt_fastcgi_option_rows[];

/* The application, when we start it. */
struct abt_fastcgi_application {
	int listening; /* -1: somebody else starts it */
	int path;      /* of the socket's file, O_PATH */
	struct abt_process *process;
	struct abt_output *log;
	struct abt_timer again;
	int64_t started_ms;
};

struct abt_fastcgi {
	struct abt_fastcgi_options
	    options; /* first: the rows count from here */
	struct abt_cgi_site site;
	struct abt_function *function;
	struct sockaddr_storage address;
	socklen_t address_size;
	struct abt_fastcgi_application application;
	struct abt_fastcgi_link *links;
	unsigned idle, waiting; /* links: kept; busy without any answer yet */
	char *buffer;           /* what comes, ABT_STREAM_PIECE bytes */
	bool reading;
	bool closing;
};

/* ---- fastcgi_link.c ---- */

/* Ask the application: |variables| are copied.  The result comes through
 * abt_result_*, perhaps before this returns. */
void abt_fastcgi_ask(struct abt_fastcgi *fastcgi, struct abt_invocation *inv,
    char *const *variables);
void abt_fastcgi_link_feed(struct abt_invocation *inv, struct abt_bytes data);
void abt_fastcgi_link_feed_end(struct abt_invocation *inv);
void abt_fastcgi_link_resume(struct abt_invocation *inv);
/* Stop working on |inv|, which gets no result by this. */
void abt_fastcgi_link_drop(struct abt_invocation *inv);
void abt_fastcgi_links_close(struct abt_fastcgi *fastcgi);

/* ---- fastcgi_application.c ---- */

/* Start it and keep it running.  0, or -1 with a sentence in |why|. */
int abt_fastcgi_application_open(
    struct abt_fastcgi *fastcgi, char *why, size_t size);
/* End it; abt_fastcgi_ended is called when that is done, perhaps at once. */
void abt_fastcgi_application_close(struct abt_fastcgi *fastcgi);
void abt_fastcgi_ended(struct abt_fastcgi *fastcgi);

#endif
