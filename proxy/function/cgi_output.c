/*
 * cgi_output.c - a CGI program's stdout becomes a response
 *
 * While the caller is full nothing is read, so the program waits.  A turn of
 * the loop is granted for the end to come, so that a short answer goes whole.
 * The end of the response is the end of stdout, not of the process (R10.48).
 */
#include "function/cgi_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TURNS 8

int
abt_cgi_pipe(bool we_write, int *ours, int *theirs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	*ours = fds[we_write ? 1 : 0];
	*theirs = fds[we_write ? 0 : 1];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	close(fds[0]);
	close(fds[1]);
	*ours = *theirs = -1;
	return -1;
}

static void
watch(struct abt_cgi_job *job, bool on)
{
	if (job->out < 0 || job->out_watched == on)
		return;
	if (on ? event_add(&job->readable, NULL) == 0
	       : event_del(&job->readable) == 0)
		job->out_watched = on;
}

void
abt_cgi_output_close(struct abt_cgi_job *job)
{
	if (job->out < 0)
		return;
	event_del(&job->early_over);
	watch(job, false);
	close(job->out);
	job->out = -1;
}

static void read_out(struct abt_cgi_job *job);

/* What the answer says: go on, wait, or stop. */
static void
follow(struct abt_cgi_job *job, int rc)
{
	struct abt_invocation *inv;

	if (rc == ABT_CGI_FULL)
		watch(job, false);
	if (rc >= 0)
		return;
	inv = abt_cgi_job_drop(job);
	if (inv != NULL)
		abt_result_fail(inv, job->answer.rule, NULL);
}

/* A turn later: is the end there?  Else do not let the client wait. */
static void
on_early_over(evutil_socket_t fd, short what, void *arg)
{
	struct abt_cgi_job *job = arg;

	(void)fd;
	(void)what;
	if (!job->cgi->reading)
		read_out(job);
	if (job->inv != NULL)
		follow(job, abt_cgi_answer_flush(&job->answer, job->inv));
	abt_cgi_job_settle(job);
}

static void
take(struct abt_cgi_job *job, struct abt_bytes data)
{
	enum abt_cgi_stage before = job->answer.stage;

	if (job->inv == NULL)
		return;
	follow(job, abt_cgi_answer_take(&job->answer, job->inv, data));
	if (before == ABT_CGI_HEAD && job->answer.stage == ABT_CGI_EARLY)
		event_active(&job->early_over, EV_TIMEOUT, 1);
}

/* ---- the end ---- */

void
abt_cgi_output_conclude(struct abt_cgi_job *job)
{
	struct abt_invocation *inv;

	if (job->inv == NULL)
		return;
	if (abt_cgi_answer_end(&job->answer, job->inv) != 0) {
		follow(job, -1);
		return;
	}
	inv = abt_cgi_job_take(job);
	if (inv != NULL)
		abt_result_end(inv);
}

static void
at_end(struct abt_cgi_job *job)
{
	abt_cgi_output_close(job);
	/* without a head, how it ended says why: wait for that */
	if (job->answer.stage != ABT_CGI_HEAD || job->ended)
		abt_cgi_output_conclude(job);
}

static void
read_out(struct abt_cgi_job *job)
{
	struct abt_cgi *cgi = job->cgi;

	cgi->reading = true;
	for (int turn = 0; turn < TURNS && job->out_watched; turn++) {
		ssize_t n = read(job->out, cgi->buffer, ABT_STREAM_PIECE);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			at_end(job);
			break;
		}
		take(job, abt_bytes(cgi->buffer, (size_t)n));
		if (n < ABT_STREAM_PIECE) /* that was all */
			break;
	}
	cgi->reading = false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct abt_cgi_job *job = arg;

	(void)fd;
	(void)what;
	if (!job->cgi->reading) /* else inside of another one: asked again */
		read_out(job);
	abt_cgi_job_settle(job);
}

void
abt_cgi_output_resume(struct abt_cgi_job *job)
{
	watch(job, true);
}

int
abt_cgi_output_open(struct abt_cgi_job *job, int *child_end)
{
	if (abt_cgi_pipe(false, &job->out, child_end) != 0)
		return -1;
	event_assign(&job->readable, abt_cgi_loop(job)->base, job->out,
	    EV_READ | EV_PERSIST, on_readable, job);
	evtimer_assign(
	    &job->early_over, abt_cgi_loop(job)->base, on_early_over, job);
	abt_cgi_answer_init(&job->answer, abt_cgi_loop(job)->pool,
	    job->cgi->options.output_max);
	watch(job, true);
	return job->out_watched ? 0 : -1;
}
