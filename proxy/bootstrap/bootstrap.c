/*
 * bootstrap.c - a client of the Runtime API that has programs answer requests
 *
 * One event at a time, as Lambda gives them: next, the request it was made of,
 * an answer, a result.  Whatever is wrong with one event is told to the Runtime
 * API and the next one is taken; what is wrong with the program as a whole ends
 * the process, so that Lambda starts a new one.
 */
#include "bootstrap/bootstrap_private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define EVENT_MAX  (32u << 20)
#define RESULT_MAX (7u << 20)

/* ---- the end ---- */

void
abt_bootstrap_end(struct abt_bootstrap *b, int status)
{
	if (b->ending)
		return;
	b->ending = true;
	b->status = status;
	abt_loop_stop(b->loop);
}

static int
drop(struct abt_ask *ask, struct abt_bytes data)
{
	(void)ask;
	(void)data;
	return 0;
}

static void
on_last_words(struct abt_ask *ask)
{
	abt_bootstrap_end(ask->context, 1);
}

static const struct abt_ask_events last_words = {
	.data = drop,
	.end = on_last_words,
};

void
abt_bootstrap_broken(
    struct abt_bootstrap *b, const char *type, const char *format, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (b->ready) { /* Lambda sees that we exit; so does the front */
		abt_error("%s: %s", type, message);
		abt_bootstrap_end(b, 1);
		return;
	}
	abt_error("%s: %s", type, message);
	abt_post_error(
	    b, "/2018-06-01/runtime/init/error", &last_words, type, message);
}

/* ---- the next event ---- */

static void ask_next(struct abt_bootstrap *b);

static void
begin_event(struct abt_bootstrap *b)
{
	abt_arena_init(&b->arena, b->loop->pool);
	abt_report_init(&b->report, &b->arena);
	abt_buf_init(&b->event, b->loop->pool, EVENT_MAX);
	abt_buf_init(&b->body, b->loop->pool, RESULT_MAX);
	memset(&b->request, 0, sizeof(b->request));
	memset(&b->response, 0, sizeof(b->response));
	memset(&b->origin, 0, sizeof(b->origin));
	b->id[0] = '\0';
	b->deadline_ms = 0;
	b->working = b->posting = b->streamed = false;
}

static void
end_event(struct abt_bootstrap *b)
{
	abt_timer_stop(&b->deadline);
	abt_buf_end(&b->event);
	abt_buf_end(&b->body);
	abt_arena_end(&b->arena);
}

void
abt_bootstrap_posted(struct abt_bootstrap *b)
{
	end_event(b);
	begin_event(b);
	if (b->dying)
		abt_bootstrap_end(b, 1);
	else if (!b->ending)
		ask_next(b);
}

static void
on_deadline(struct abt_timer *timer)
{
	struct abt_bootstrap *b =
	    abt_container_of(timer, struct abt_bootstrap, deadline);

	if (!b->working)
		return;
	b->answerer->stop(b);
	abt_answer_fail(
	    b, "Runtime.Timeout", "no answer before the function's deadline");
}

static void
arm_deadline(struct abt_bootstrap *b)
{
	int64_t left = b->deadline_ms - abt_clock_epoch_us() / 1000;

	if (b->deadline_ms > 0)
		abt_timer_set(b->loop, &b->deadline, left > 0 ? left : 0);
}

/* The event is there. */
static void
answer_event(struct abt_bootstrap *b)
{
	struct abt_json_error error = { 0 };
	const struct abt_json *tree = abt_json_scan(
	    abt_buf_bytes(&b->event), ABT_JSON_DEPTH, &b->arena, &error);

	if (tree == NULL) {
		abt_answer_fail(b, "Runtime.EventNotRead",
		    "the event is no JSON: %s",
		    error.text != NULL ? error.text : "out of memory");
		return;
	}
	if (abt_request_from_event(
		tree, &b->arena, &b->origin, &b->request, &b->report) != 0) {
		abt_answer_fail(b, "Runtime.EventNotRead", "%s%s%.*s",
		    b->report.broken != NULL ? b->report.broken->text
					     : "out of memory",
		    b->report.where.n > 0 ? ": " : "",
		    ABT_FMT(b->report.where));
		return;
	}
	b->working = true;
	arm_deadline(b);
	b->answerer->start(b);
}

static void
on_next_head(struct abt_ask *ask)
{
	struct abt_bootstrap *b = ask->context;
	const struct abt_headers *headers = &ask->response.headers;
	const struct abt_field *id = abt_headers_named(
	    headers, ABT_BYTES("Lambda-Runtime-Aws-Request-Id"));
	const struct abt_field *deadline =
	    abt_headers_named(headers, ABT_BYTES("Lambda-Runtime-Deadline-Ms"));
	uint64_t ms;

	if (id != NULL && id->value.n < sizeof(b->id) &&
	    abt_bytes_all(id->value, ABT_CHAR_UNRESERVED))
		memcpy(b->id, id->value.p, id->value.n);
	b->id[id != NULL && b->id[0] != '\0' ? id->value.n : 0] = '\0';
	if (deadline != NULL &&
	    abt_bytes_number(deadline->value, 10, INT64_MAX, &ms))
		b->deadline_ms = (int64_t)ms;
}

static int
on_next_data(struct abt_ask *ask, struct abt_bytes data)
{
	struct abt_bootstrap *b = ask->context;

	abt_buf_add(&b->event, data);
	return 0;
}

static void
on_next_end(struct abt_ask *ask)
{
	struct abt_bootstrap *b = ask->context;

	if (ask->failure != ABT_ASK_GOOD) {
		if (!b->ending)
			abt_error("the Runtime API at %s: %s", b->options->api,
			    ask->why);
		abt_bootstrap_end(b, 1);
	} else if (ask->response.status != 200 || b->id[0] == '\0') {
		abt_error("the Runtime API gives no event: status %d",
		    ask->response.status);
		abt_bootstrap_end(b, 1);
	} else if (b->event.failed) {
		abt_answer_fail(
		    b, "Runtime.EventNotRead", "the event is too large");
	} else {
		answer_event(b);
	}
}

static const struct abt_ask_events next_events = {
	.head = on_next_head,
	.data = on_next_data,
	.end = on_next_end,
};

static void
ask_next(struct abt_bootstrap *b)
{
	memset(&b->next, 0, sizeof(b->next));
	b->next.events = &next_events;
	b->next.context = b;
	b->next.server = b->server;
	b->next.method = ABT_BYTES("GET");
	b->next.target = ABT_BYTES("/2018-06-01/runtime/invocation/next");
	abt_ask_start(b->client, &b->next);
}

void
abt_bootstrap_ready(struct abt_bootstrap *b)
{
	if (b->ready)
		return;
	b->ready = true;
	ask_next(b);
}

/* ---- signals ---- */

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct abt_bootstrap *b = arg;
	pid_t pid;
	int status;

	(void)what;
	if (number != SIGCHLD) {
		abt_bootstrap_end(b, 0);
		return;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		b->answerer->child(b, pid, status);
}

static int
watch_signals(struct abt_bootstrap *b)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGCHLD };
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < 3; i++) {
		event_assign(&b->signals[i], b->loop->base, numbers[i],
		    EV_SIGNAL | EV_PERSIST, on_signal, b);
		if (event_add(&b->signals[i], NULL) != 0)
			return -1;
	}
	return 0;
}

static void
unwatch_signals(struct abt_bootstrap *b)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if (event_initialized(&b->signals[i]))
			event_del(&b->signals[i]);
}

/* ---- run ---- */

static int
open_all(struct abt_bootstrap *b)
{
	static const struct abt_client_options options = { .kept_max = 2 };

	b->loop = abt_loop_new(0);
	if (b->loop == NULL)
		return -1;
	b->client = abt_client_new(b->loop, &options);
	if (b->client == NULL || watch_signals(b) != 0)
		return -1;
	abt_timer_init(&b->deadline, on_deadline);
	snprintf(b->server, sizeof(b->server), "http://%s", b->options->api);
	b->answerer =
	    b->options->port > 0 ? &abt_answerer_http : &abt_answerer_cgi;
	begin_event(b);
	return 0;
}

static void
close_all(struct abt_bootstrap *b)
{
	if (b->answerer != NULL) {
		if (b->working)
			b->answerer->stop(b);
		b->answerer->close(b);
		end_event(b);
	}
	abt_client_free(b->client);
	if (b->loop != NULL)
		unwatch_signals(b);
	abt_loop_free(b->loop);
}

int
abt_bootstrap_run(const struct abt_bootstrap_options *options)
{
	struct abt_bootstrap b = { .options = options };

	if (open_all(&b) != 0) {
		abt_error("cannot start: out of memory or descriptors");
		b.status = 1;
	} else {
		b.answerer->open(&b);
		abt_loop_run(b.loop);
	}
	close_all(&b);
	return b.status;
}
