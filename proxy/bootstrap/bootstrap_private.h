/*
 * bootstrap_private.h - what the rooms of the bootstrap share: the Runtime API
 * (bootstrap.c, bootstrap_post.c) and who answers (bootstrap_http.c,
 * bootstrap_cgi.c)
 */
#ifndef ABT_BOOTSTRAP_PRIVATE_H
#define ABT_BOOTSTRAP_PRIVATE_H

#include <sys/types.h>

#include "albatross/dialect.h"
#include "bootstrap/bootstrap.h"
#include "net/client.h"

struct abt_bootstrap;

/* Who answers requests. */
struct abt_answerer {
	/* Once, before the first event; calls abt_bootstrap_ready or
	 * abt_bootstrap_broken, now or later. */
	void (*open)(struct abt_bootstrap *b);
	/* Answer b->request with abt_answer_*. */
	void (*start)(struct abt_bootstrap *b);
	/* abt_answer_piece has room again. */
	void (*resume)(struct abt_bootstrap *b);
	/* The deadline passed, or we end: stop working on it. */
	void (*stop)(struct abt_bootstrap *b);
	/* A child of ours has ended. */
	void (*child)(struct abt_bootstrap *b, pid_t pid, int status);
	void (*close)(struct abt_bootstrap *b);
};

extern const struct abt_answerer abt_answerer_http;
extern const struct abt_answerer abt_answerer_cgi;

struct abt_bootstrap {
	struct abt_loop *loop;
	struct abt_client *client;
	const struct abt_bootstrap_options *options;
	const struct abt_answerer *answerer;
	void *state;      /* the answerer's */
	char server[128]; /* of the Runtime API */
	struct event signals[3];
	struct abt_timer deadline;
	int status; /* of the program, in the end */
	bool ready; /* the answerer is */
	bool ending;
	bool dying; /* end when this event is done */

	/* the event at work; the arena ends with it */
	struct abt_arena arena;
	struct abt_ask next, post;
	struct abt_buf event, body; /* body: of the answer, as a whole */
	char id[64], path[160];
	int64_t deadline_ms; /* epoch; 0: none */
	struct abt_origin origin;
	struct abt_request request;
	struct abt_response response;
	struct abt_report report;
	bool working;  /* the answerer is */
	bool posting;  /* |post| is under way */
	bool streamed; /* in pieces, and begun */
};

/* ---- bootstrap.c ---- */

void abt_bootstrap_ready(struct abt_bootstrap *b);
/* It cannot go on: tell the Runtime API, then end. */
void abt_bootstrap_broken(struct abt_bootstrap *b, const char *type,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The post is over: the next event. */
void abt_bootstrap_posted(struct abt_bootstrap *b);
void abt_bootstrap_end(struct abt_bootstrap *b, int status);

/* ---- bootstrap_post.c: answers become results ---- */

/* b->response has status and headers (in b->arena); pieces follow. */
void abt_answer_begin(struct abt_bootstrap *b);
/* Takes all of |data|; how many bytes wait: with more than 0 pause until
 * resume. */
size_t abt_answer_piece(struct abt_bootstrap *b, struct abt_bytes data);
void abt_answer_end(struct abt_bootstrap *b);
/* There is no answer, or not all of it. */
void abt_answer_fail(struct abt_bootstrap *b, const char *type,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* POST an error of |type| to |path|; b->post ends with events of |events|. */
void abt_post_error(struct abt_bootstrap *b, const char *path,
    const struct abt_ask_events *events, const char *type, const char *message);

/* ---- bootstrap_child.c ---- */

struct abt_child {
	pid_t pid;
	int in, out; /* ours: its stdin, its stdout; -1: not taken */
};

/* Start argv[0] (looked for in PATH) in a process group of its own; with
 * |piped| its stdin and stdout are pipes.  |envp| NULL: ours.  0 or -1. */
int abt_child_start(struct abt_child *child, char *const *argv,
    char *const *envp, const char *folder, bool piped);
void abt_child_kill(pid_t pid, int signal);
/* What |status| of waitpid says: "exit status 1", "signal: Killed". */
void abt_child_verdict(int status, char *out, size_t size);

#endif
