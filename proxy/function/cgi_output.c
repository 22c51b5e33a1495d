/*
 * cgi_output.c - a CGI program's stdout becomes a response
 *
 * The head is read whole, then pieces go to the caller as they come.  A short
 * answer whose end is there a turn of the loop later goes whole, with its
 * length: most programs print it and end.  While the caller is
 * full nothing is read, so the program waits.  The end of the response is the
 * end of stdout, not of the process (R10.48).
 */
#include "function/cgi_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TURNS     8
#define EARLY_MAX 16384

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

/* ---- failing ---- */

static void
fail(struct abt_cgi_job *job, enum abt_rule_id rule, const char *text)
{
	struct abt_invocation *inv = abt_cgi_job_drop(job);

	if (inv != NULL)
		abt_result_fail(inv, rule, text);
}

static void
end(struct abt_cgi_job *job)
{
	struct abt_invocation *inv = abt_cgi_job_take(job);

	if (inv != NULL)
		abt_result_end(inv);
}

/* ---- pieces ---- */

static void
give(struct abt_cgi_job *job, struct abt_bytes data)
{
	job->printed += data.n;
	if (job->cgi->options.output_max > 0 &&
	    job->printed > (uint64_t)job->cgi->options.output_max) {
		fail(job, ABT_RULE_CGI_OUTPUT_LARGE, NULL);
		return;
	}
	if (job->has_length) { /* R10.35: the rest is discarded */
		if (data.n > job->left)
			data.n = (size_t)job->left;
		job->left -= data.n;
	}
	if (data.n > 0 && job->inv != NULL && !abt_result_piece(job->inv, data))
		watch(job, false);
}

/* The head goes out, with the beginning of the body. */
static void
begin(struct abt_cgi_job *job)
{
	struct abt_bytes first = abt_buf_bytes(&job->early);

	event_del(&job->early_over);
	if (job->has_length) {
		if (first.n > job->left)
			first.n = (size_t)job->left;
		job->left -= first.n;
	}
	job->printed = first.n;
	/* the caller may be on another loop */
	job->response->body = abt_arena_copy(job->arena, first);
	abt_buf_end(&job->early);
	if (abt_arena_failed(job->arena)) {
		fail(job, ABT_RULE_NET_NO_MEMORY, NULL);
		return;
	}
	abt_result_begin(job->inv);
}

/* All of it is there: one answer with its length. */
static void
give_whole(struct abt_cgi_job *job)
{
	struct abt_bytes body = abt_buf_bytes(&job->early);
	struct abt_chunk *chunk;

	if (job->has_length && body.n > job->left)
		body.n = (size_t)job->left;
	chunk = abt_chunk_new(abt_cgi_loop(job)->pool, body.n + 1);
	if (chunk == NULL) {
		fail(job, ABT_RULE_NET_NO_MEMORY, NULL);
		return;
	}
	if (body.n > 0)
		memcpy(chunk->data, body.p, body.n);
	chunk->used = body.n;
	job->response->body = abt_bytes(chunk->data, body.n);
	abt_result_take(job->inv, chunk);
	end(job);
}

static void read_out(struct abt_cgi_job *job);

/* One turn later: is the end there?  Else do not let the client wait. */
static void
on_early_over(evutil_socket_t fd, short what, void *arg)
{
	struct abt_cgi_job *job = arg;

	(void)fd;
	(void)what;
	if (!job->cgi->reading)
		read_out(job);
	if (job->inv != NULL && job->stage == ABT_CGI_EARLY) {
		job->stage = ABT_CGI_BODY;
		begin(job);
	}
	abt_cgi_job_settle(job);
}

/* More of the body, as long as it may all be one answer. */
static void
hold_early(struct abt_cgi_job *job, struct abt_bytes data)
{
	size_t room = EARLY_MAX - job->early.n;
	struct abt_bytes rest = { NULL, 0 };

	if (data.n > room) {
		rest = abt_bytes(data.p + room, data.n - room);
		data.n = room;
	}
	abt_buf_add(&job->early, data);
	if (job->early.failed) {
		fail(job, ABT_RULE_NET_NO_MEMORY, NULL);
	} else if (rest.n > 0) {
		job->stage = ABT_CGI_BODY;
		begin(job);
		if (job->inv != NULL)
			give(job, rest);
	}
}

/* ---- the head ---- */

static bool
has_no_body(const struct abt_cgi_job *job, int status)
{
	return status == 204 || status == 304 ||
	       abt_bytes_equal(
		   job->inv->call->request->method, ABT_BYTES("HEAD"));
}

/* The whole head stands in |text|: read it.  NULL: it failed. */
static struct abt_response *
read_head(struct abt_cgi_job *job, struct abt_bytes text)
{
	struct abt_report report;
	struct abt_arena *arena;
	struct abt_response *response = abt_link_response(job->inv, &arena);
	struct abt_bytes copy = abt_arena_copy(arena, text);

	abt_report_init(&report, arena);
	if (copy.p == NULL) {
		fail(job, ABT_RULE_NET_NO_MEMORY, NULL);
		return NULL;
	}
	if (abt_cgi_head_read(copy, arena, response, &job->local, &report) !=
	    0) {
		fail(job, abt_rule_id(report.broken), NULL);
		return NULL;
	}
	if (abt_arena_failed(arena)) {
		fail(job, ABT_RULE_NET_NO_MEMORY, NULL);
		return NULL;
	}
	job->has_length = response->has_length;
	job->left = response->length;
	job->response = response;
	job->arena = arena;
	return response;
}

/* The head is whole; |rest| stands behind it. */
static void
answer(struct abt_cgi_job *job, struct abt_bytes head, struct abt_bytes rest)
{
	struct abt_response *response = read_head(job, head);

	abt_buf_end(&job->early); /* it stood there, or nothing */
	if (response == NULL)
		return;
	if (job->local) {
		job->stage = ABT_CGI_REST;
	} else if (has_no_body(job, response->status)) {
		job->stage = ABT_CGI_REST;
		begin(job);
	} else {
		job->stage = ABT_CGI_EARLY;
		event_active(&job->early_over, EV_TIMEOUT, 1);
		hold_early(job, rest);
	}
}

static void
take_head(struct abt_cgi_job *job, struct abt_bytes data)
{
	struct abt_bytes all = data;
	size_t seen = job->early.n, end_at;

	if (seen > 0) {
		abt_buf_add(&job->early, data);
		all = abt_buf_bytes(&job->early);
		if (job->early.failed) {
			fail(job, ABT_RULE_NET_NO_MEMORY, NULL);
			return;
		}
	}
	end_at = abt_cgi_head_end(all, seen);
	if (end_at == 0 && all.n > ABT_CGI_HEAD_MAX) {
		fail(job, ABT_RULE_CGI_HEAD_LARGE, NULL);
	} else if (end_at == 0) {
		if (seen == 0)
			abt_buf_add(&job->early, data);
	} else {
		/* what follows the head came with |data| */
		size_t rest = all.n - end_at;

		answer(job, abt_bytes(all.p, end_at),
		    abt_bytes(data.p + data.n - rest, rest));
	}
}

/* ---- the end ---- */

void
abt_cgi_output_conclude(struct abt_cgi_job *job)
{
	if (job->inv == NULL || job->stage != ABT_CGI_HEAD)
		return;
	fail(job,
	    job->early.n > 0 ? ABT_RULE_CGI_HEAD_SHORT : ABT_RULE_CGI_NO_OUTPUT,
	    NULL);
}

static void
at_end(struct abt_cgi_job *job)
{
	abt_cgi_output_close(job);
	if (job->inv == NULL)
		return;
	if (job->stage == ABT_CGI_HEAD) {
		/* how it ended says why: wait for that */
		if (job->ended)
			abt_cgi_output_conclude(job);
		return;
	}
	if (job->stage == ABT_CGI_EARLY) {
		if (!job->has_length || job->early.n >= job->left) {
			give_whole(job);
			return;
		}
		job->stage = ABT_CGI_BODY;
		begin(job);
		if (job->inv == NULL)
			return;
	}
	if (job->stage == ABT_CGI_BODY && job->has_length && job->left > 0) {
		fail(job, ABT_RULE_CGI_BODY_SHORT, NULL);
		return;
	}
	job->inv->local_redirect = job->local;
	end(job);
}

static void
take(struct abt_cgi_job *job, struct abt_bytes data)
{
	if (job->inv == NULL || job->stage == ABT_CGI_REST)
		return;
	if (job->stage == ABT_CGI_HEAD)
		take_head(job, data);
	else if (job->stage == ABT_CGI_EARLY)
		hold_early(job, data);
	else
		give(job, data);
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
	abt_buf_init(&job->early, abt_cgi_loop(job)->pool,
	    ABT_CGI_HEAD_MAX + ABT_STREAM_PIECE + 1);
	watch(job, true);
	return job->out_watched ? 0 : -1;
}
