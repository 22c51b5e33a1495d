/*
 * cgi_job.h - one CGI program at work, and what its files share
 */
#ifndef ABT_FUNCTION_CGI_JOB_H
#define ABT_FUNCTION_CGI_JOB_H

#include "function/cgi.h"
#include "function/cgi_answer.h"
#include "function/function.h"
#include "function/link.h"
#include "function/process.h"

#define ABT_CGI_GRACE_MS 500 /* between TERM and KILL (R10.7) */

/* A pipe for stderr.  Its writing end stays open, so that one program after
 * another can have it. */
struct abt_cgi_errors {
	struct abt_cgi_errors *next; /* spare */
	struct abt_cgi *cgi;
	struct abt_cgi_job *job; /* whose it is; NULL: nobody's, or of what an
				  * ended program left behind */
	struct abt_output *output;
	int child_end;
};

/* The backend's struct: options, and what one home loop shares. */
struct abt_cgi {
	struct abt_cgi_options options; /* first: the rows count from here */
	struct abt_cgi_site site;
	struct abt_function *function;
	struct abt_cgi_job *jobs;
	struct abt_cgi_errors *spare;
	unsigned spare_count;
	char *buffer; /* output on its way, ABT_STREAM_PIECE bytes */
	bool reading; /* |buffer| is in use */
	bool closing;
};

struct abt_cgi_job {
	struct abt_cgi_job *next, **prev;
	struct abt_cgi *cgi;
	struct abt_invocation *inv; /* NULL: it has its answer */
	struct abt_process *process;
	struct abt_cgi_errors *errors;
	bool ended;
	int status;
	struct abt_timer linger; /* for a program that goes on for nobody */
	char request_id[40];

	/* cgi_job.c: stdin */
	int in; /* our end, or -1 */
	bool in_watched;
	struct event writable;
	struct abt_buf held; /* fed, not written yet */
	size_t held_at;
	bool fed; /* all of the body was */

	/* cgi_output.c: stdout */
	int out;
	bool out_watched;
	struct event readable;
	struct abt_cgi_answer answer;
	struct event early_over;
};

/* ---- cgi.c ---- */

/* Nothing runs any more. */
void abt_cgi_closed(struct abt_cgi *cgi);

/* ---- cgi_job.c ---- */

struct abt_loop *abt_cgi_loop(const struct abt_cgi_job *job);
/* Start a program for |inv|.  0, or -1: nothing was started, |inv| is still the
 * caller's. */
int abt_cgi_job_start(struct abt_cgi *cgi, struct abt_invocation *inv,
    const struct abt_cgi_place *place, char *const *envp);
void abt_cgi_job_feed(struct abt_cgi_job *job, struct abt_bytes data);
void abt_cgi_job_feed_end(struct abt_cgi_job *job);
/* It gives no result any more; TERM, and KILL after a while. */
struct abt_invocation *abt_cgi_job_drop(struct abt_cgi_job *job);
/* Take the invocation away, to give it its result. */
struct abt_invocation *abt_cgi_job_take(struct abt_cgi_job *job);
/* The last thing to do with a job in every callback: it may end here. */
void abt_cgi_job_settle(struct abt_cgi_job *job);

/* ---- cgi_errors.c ---- */

/* A pipe for the stderr of |job|; the child's end, to be closed by whoever gets
 * it, into |child_end|.  0, or -1. */
int abt_cgi_errors_take(struct abt_cgi_job *job, int *child_end);
/* Its program has ended: the last lines, then it is spare. */
void abt_cgi_errors_give(struct abt_cgi_job *job);
void abt_cgi_errors_end(struct abt_cgi *cgi);

/* ---- cgi_output.c ---- */

int abt_cgi_output_open(struct abt_cgi_job *job, int *child_end);
void abt_cgi_output_close(struct abt_cgi_job *job);
/* There is room for pieces again. */
void abt_cgi_output_resume(struct abt_cgi_job *job);
/* The output is over without a head, and it is known how the program ended. */
void abt_cgi_output_conclude(struct abt_cgi_job *job);

/* A pipe: our end into |ours| (not blocking), the child's into |theirs|. */
int abt_cgi_pipe(bool we_write, int *ours, int *theirs);

#endif
