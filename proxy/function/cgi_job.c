/*
 * cgi_job.c - one CGI program at work: its process, its stdin, its stderr
 *
 * A job belongs to its home loop and lives until its process is reaped and its
 * stdout is read; its invocation leaves it when the answer is known.  The body
 * goes to stdin as the program reads, and is acknowledged as it does: what it
 * does not want is acknowledged and dropped (R10.5).
 */
#include "function/cgi_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define LINGER_MS 60000 /* it goes on after its answer, for nobody */
#define LARGE     65536 /* from here on a larger pipe means fewer turns */
#define PIPE_SIZE 262144

struct abt_loop *
abt_cgi_loop(const struct abt_cgi_job *job)
{
	return job->cgi->function->home;
}

/* ---- the end ---- */

static void
close_in(struct abt_cgi_job *job)
{
	if (job->in < 0)
		return;
	if (job->in_watched)
		event_del(&job->writable);
	job->in_watched = false;
	close(job->in);
	job->in = -1;
}

static void
free_job(struct abt_cgi_job *job)
{
	struct abt_cgi *cgi = job->cgi;

	close_in(job);
	abt_cgi_output_close(job);
	abt_timer_stop(&job->linger);
	abt_cgi_errors_give(job);
	abt_process_free(job->process);
	abt_buf_end(&job->held);
	abt_cgi_answer_free(&job->answer);
	*job->prev = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	abt_free(job);
	if (cgi->closing && cgi->jobs == NULL)
		abt_cgi_closed(cgi);
}

void
abt_cgi_job_settle(struct abt_cgi_job *job)
{
	if (job->ended && job->inv == NULL)
		free_job(job);
}

static void
on_linger(struct abt_timer *timer)
{
	struct abt_cgi_job *job =
	    abt_container_of(timer, struct abt_cgi_job, linger);

	abt_process_end(job->process, ABT_CGI_GRACE_MS);
}

struct abt_invocation *
abt_cgi_job_take(struct abt_cgi_job *job)
{
	struct abt_invocation *inv = job->inv;
	int64_t ms = job->cgi->function->options.timeout_ms;

	job->inv = NULL;
	close_in(job);
	if (inv != NULL)
		inv->instance = NULL;
	if (!job->ended)
		abt_timer_set(
		    abt_cgi_loop(job), &job->linger, ms > 0 ? ms : LINGER_MS);
	return inv;
}

struct abt_invocation *
abt_cgi_job_drop(struct abt_cgi_job *job)
{
	struct abt_invocation *inv = abt_cgi_job_take(job);

	abt_timer_stop(&job->linger);
	abt_cgi_output_close(job);
	if (!job->ended)
		abt_process_end(job->process, ABT_CGI_GRACE_MS);
	return inv;
}

/* ---- stdin ---- */

static void
watch_in(struct abt_cgi_job *job, bool on)
{
	if (job->in < 0 || job->in_watched == on)
		return;
	if (on ? event_add(&job->writable, NULL) == 0
	       : event_del(&job->writable) == 0)
		job->in_watched = on;
	else
		close_in(job); /* no memory to wait: no more of it */
}

/* How much of |data| the pipe takes; -1: the program wants no more. */
static ptrdiff_t
write_some(struct abt_cgi_job *job, struct abt_bytes data)
{
	size_t done = 0;

	while (done < data.n) {
		ssize_t n = write(job->in, data.p + done, data.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return (ptrdiff_t)done;
}

/* Write what is held; how many bytes are gone now, written or dropped. */
static size_t
flush(struct abt_cgi_job *job)
{
	struct abt_bytes rest = abt_buf_bytes(&job->held);
	ptrdiff_t n = -1;

	rest.p += job->held_at;
	rest.n -= job->held_at;
	if (job->in >= 0)
		n = write_some(job, rest);
	if (n < 0) {
		close_in(job);
		n = (ptrdiff_t)rest.n;
	}
	job->held_at += (size_t)n;
	if (job->held_at == job->held.n)
		job->held_at = job->held.n = 0;
	watch_in(job, job->held.n > 0);
	if (job->fed && job->held.n == 0)
		close_in(job);
	return (size_t)n;
}

/* Whoever feeds us may do so from within abt_invocation_took: it is the last
 * thing that is done. */
static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct abt_cgi_job *job = arg;
	struct abt_invocation *inv = job->inv;
	size_t n = flush(job);

	(void)fd;
	(void)what;
	if (inv != NULL)
		abt_invocation_took(inv, n);
}

/* Keep |data| until the pipe has room.  0, or -1: no memory. */
static int
keep(struct abt_cgi_job *job, struct abt_bytes data)
{
	if (job->held_at > job->held.n / 2) {
		memmove(job->held.p, job->held.p + job->held_at,
		    job->held.n - job->held_at);
		job->held.n -= job->held_at;
		job->held_at = 0;
	}
	abt_buf_add(&job->held, data);
	return job->held.failed ? -1 : 0;
}

void
abt_cgi_job_feed(struct abt_cgi_job *job, struct abt_bytes data)
{
	struct abt_invocation *inv = job->inv;
	ptrdiff_t n = 0;

	if (job->in >= 0 && job->held.n == 0) {
		n = write_some(job, data);
		if (n < 0)
			close_in(job);
	}
	if (job->in < 0) {
		n = (ptrdiff_t)data.n;
	} else if ((size_t)n < data.n) {
		if (keep(job, abt_bytes(data.p + n, data.n - (size_t)n)) != 0) {
			inv = abt_cgi_job_drop(job);
			if (inv != NULL)
				abt_result_fail(
				    inv, ABT_RULE_NET_NO_MEMORY, NULL);
			abt_cgi_job_settle(job);
			return;
		}
		watch_in(job, true);
	}
	if (inv != NULL)
		abt_invocation_took(inv, (size_t)n);
}

void
abt_cgi_job_feed_end(struct abt_cgi_job *job)
{
	job->fed = true;
	if (job->held.n == 0)
		close_in(job);
}

/* ---- the process ---- */

static void
tell_exit(const struct abt_cgi_job *job)
{
	const char *name = job->cgi->function->name;

	if (WIFEXITED(job->status) && WEXITSTATUS(job->status) != 0)
		abt_warning("%s %s: the program ended with exit status %d",
		    name, job->request_id, WEXITSTATUS(job->status));
	else if (WIFSIGNALED(job->status) && job->inv != NULL)
		abt_warning("%s %s: the program was ended by signal %d", name,
		    job->request_id, WTERMSIG(job->status));
}

static void
on_ended(struct abt_process *process, void *context, int status,
    const struct rusage *usage)
{
	struct abt_cgi_job *job = context;

	(void)process;
	(void)usage;
	job->ended = true;
	job->status = status;
	abt_timer_stop(&job->linger);
	abt_cgi_errors_give(job);
	tell_exit(job);
	/* what it left behind may still print: then the answer goes on */
	if (job->out < 0)
		abt_cgi_output_conclude(job);
	abt_cgi_job_settle(job);
}

/* R10.4 */
static void
not_started(struct abt_cgi_job *job, int error)
{
	struct abt_invocation *inv;
	char text[200];

	snprintf(text, sizeof(text), "exec: %s%s", strerror(error),
	    error == ENOENT ? " (the program or its #! interpreter)" : "");
	job->ended = true;
	abt_cgi_output_close(job);
	inv = abt_cgi_job_take(job);
	if (inv != NULL)
		abt_result_fail(inv,
		    error == EACCES ? ABT_RULE_CGI_FORBIDDEN
				    : ABT_RULE_CGI_NOT_STARTED,
		    text);
}

static void
on_started(struct abt_process *process, void *context, int error)
{
	struct abt_cgi_job *job = context;

	(void)process;
	not_started(job, error);
	abt_cgi_job_settle(job);
}

/* ---- starting ---- */

static struct abt_cgi_job *
job_new(struct abt_cgi *cgi, struct abt_invocation *inv)
{
	struct abt_cgi_job *job = abt_calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->cgi = cgi;
	job->inv = inv;
	job->in = job->out = -1;
	abt_timer_init(&job->linger, on_linger);
	abt_buf_init(
	    &job->held, abt_cgi_loop(job)->pool, 4 * ABT_STREAM_WINDOW);
	snprintf(
	    job->request_id, sizeof(job->request_id), "%s", inv->request_id);
	job->next = cgi->jobs;
	job->prev = &cgi->jobs;
	if (job->next != NULL)
		job->next->prev = &job->next;
	cgi->jobs = job;
	return job;
}

/* Its stdin: a file that holds the body, a pipe, or nothing (-1: /dev/null). */
static int
open_input(struct abt_cgi_job *job, int *child_end)
{
	const struct abt_invocation *inv = job->inv;
	const struct abt_request *req = inv->call->request;

	if (inv->body_file > 0) {
		*child_end = fcntl(inv->body_file, F_DUPFD_CLOEXEC, 3);
		return *child_end >= 0 ? 0 : -1;
	}
	if (!inv->body_follows && req->body.n == 0)
		return 0;
	if (abt_cgi_pipe(true, &job->in, child_end) != 0)
		return -1;
	event_assign(&job->writable, abt_cgi_loop(job)->base, job->in,
	    EV_WRITE | EV_PERSIST, on_writable, job);
	if (req->length > LARGE) {
		fcntl(job->in, F_SETPIPE_SZ, PIPE_SIZE);
		fcntl(job->out, F_SETPIPE_SZ, PIPE_SIZE);
	}
	return 0;
}

static int
open_pipes(struct abt_cgi_job *job, int fds[3])
{
	if (abt_cgi_output_open(job, &fds[1]) != 0 ||
	    open_input(job, &fds[0]) != 0)
		return -1;
	return abt_cgi_errors_take(job, &fds[2]);
}

/* The folder of |file|, as text in |out|. */
static const char *
folder_of(struct abt_bytes file, char *out, size_t size)
{
	size_t n = file.n;

	while (n > 0 && file.p[n - 1] != '/')
		n--;
	if (n == 0 || n >= size)
		return NULL;
	memcpy(out, file.p, n);
	out[n > 1 ? n - 1 : n] = '\0';
	return out;
}

static int
spawn(struct abt_cgi_job *job, const struct abt_cgi_place *place,
    char *const *envp, int fds[3])
{
	char folder[4096];
	char *argv[3] = { (char *)(uintptr_t)place->file.p, NULL, NULL };
	struct abt_process_start start = {
		.file = place->file.p,
		.argv = argv,
		.envp = envp,
		.directory = folder_of(place->file, folder, sizeof(folder)),
		.stdin_fd = fds[0],
		.stdout_fd = fds[1],
		.stderr_fd = fds[2],
		.started = on_started,
		.ended = on_ended,
		.context = job,
		.keep = true,
		.quiet = true,
	};

	if (place->interpreter.n > 0) {
		argv[0] = (char *)(uintptr_t)place->interpreter.p;
		argv[1] = (char *)(uintptr_t)place->file.p;
		start.file = argv[0];
	}
	job->process = abt_process_new(abt_cgi_loop(job), &start);
	return job->process != NULL ? 0 : -1;
}

int
abt_cgi_job_start(struct abt_cgi *cgi, struct abt_invocation *inv,
    const struct abt_cgi_place *place, char *const *envp)
{
	struct abt_cgi_job *job = job_new(cgi, inv);
	int fds[3] = { -1, -1, -1 };

	if (job == NULL)
		return -1;
	if (open_pipes(job, fds) != 0) {
		for (int i = 0; i < 3; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		free_job(job);
		return -1;
	}
	if (spawn(job, place, envp, fds) != 0) {
		free_job(job);
		return -1;
	}
	inv->instance = job;
	if (inv->body_follows || inv->body_file > 0)
		return 0;
	if (inv->call->request->body.n > 0) /* it is there, whole */
		abt_cgi_job_feed(job, inv->call->request->body);
	abt_cgi_job_feed_end(job);
	return 0;
}
