/*
 * host.c - the function floor as a library, driven by hand: host -c FILE
 *
 * Loads a configuration as the server does, opens its functions on one loop and
 * lets a test be the invoker.  On stdin one JSON object a line:
 *
 *   {"n":1, "function":"orders", "event":"{}", "request_id":"UUID", ...}
 *
 * with the optional members trace_id, content_type, client_context,
 * cognito_identity, tenant_id and qualifier.  For each invocation that ends one
 * line comes on stdout: n, payload (base64), function_error, rule, detail,
 * error_type.  At the end of stdin the functions are closed and the loop ends;
 * with invocations still out the program ends at once, and the guard ends what
 * was started.
 * Listeners, fronts and dialects are not involved.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "config/load.h"
#include "function/process.h"
#include "gateway/setup.h"

#define LINE_MAX_BYTES ((size_t)64 << 20)

struct host {
	struct abt_loop *loop;
	struct abt_setup *setup;
	struct event input;
	struct abt_buf in;
	unsigned open;  /* functions that are not closed yet */
	unsigned aloft; /* invocations that are out */
};

/* One invocation and everything it points into. */
struct flight {
	struct abt_arena arena;
	struct abt_invocation inv;
	struct host *host;
	int64_t n;
};

static void
say(struct abt_buf *buf)
{
	abt_buf_char(buf, '\n');
	if (!buf->failed)
		(void)!fwrite(buf->p, 1, buf->n, stdout);
	(void)fflush(stdout);
	abt_buf_end(buf);
}

static void
say_error(int64_t n, const char *text)
{
	struct abt_buf buf;
	struct abt_json_out out;

	abt_buf_init(&buf, NULL, LINE_MAX_BYTES);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_json_int(&out, "n", n);
	abt_json_text(&out, "error", text);
	abt_json_close(&out);
	say(&buf);
}

static void
done(struct abt_invocation *inv)
{
	struct flight *flight = inv->context;
	struct abt_buf buf;
	struct abt_json_out out;

	abt_buf_init(&buf, NULL, LINE_MAX_BYTES);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_json_int(&out, "n", flight->n);
	abt_json_base64(&out, "payload",
	    inv->result != NULL
		? abt_bytes(inv->result->data, inv->result->used)
		: ABT_BYTES(""));
	abt_json_bool(&out, "function_error", inv->function_error);
	if (inv->rule != NULL)
		abt_json_text(&out, "rule", inv->rule->name);
	else
		abt_json_null(&out, "rule");
	abt_json_text(&out, "detail", inv->detail != NULL ? inv->detail : "");
	abt_json_text(&out, "error_type", inv->error_type);
	abt_json_close(&out);
	say(&buf);
	flight->host->aloft--;
	if (inv->result != NULL)
		abt_chunk_end(inv->owner->pool, inv->result);
	abt_arena_end(&flight->arena);
	abt_free(flight);
}

static struct abt_bytes
text_of(struct abt_arena *arena, const struct abt_json *c, const char *key)
{
	const struct abt_json *value = abt_json_get(c, key);

	return abt_json_is(value, ABT_JSON_STRING)
		   ? abt_arena_copy(arena, value->text)
		   : abt_bytes(NULL, 0);
}

static void
invoke(struct host *host, const struct abt_json *c)
{
	struct flight *flight = abt_calloc(1, sizeof(*flight));
	struct abt_invocation *inv;
	struct abt_arena *arena;
	struct abt_bytes name;
	uint64_t n = 0;

	(void)abt_json_uint(abt_json_get(c, "n"), INT64_MAX, &n);
	if (flight == NULL) {
		say_error((int64_t)n, "out of memory");
		return;
	}
	arena = &flight->arena;
	inv = &flight->inv;
	abt_arena_init(arena, NULL);
	flight->n = (int64_t)n;
	flight->host = host;
	name = text_of(arena, c, "function");
	inv->owner = host->loop;
	inv->function = abt_setup_function(host->setup, name);
	inv->done = done;
	inv->context = flight;
	inv->event = text_of(arena, c, "event");
	inv->request_id =
	    abt_arena_text(arena, text_of(arena, c, "request_id"));
	inv->trace_id = text_of(arena, c, "trace_id");
	inv->content_type = text_of(arena, c, "content_type");
	inv->client_context = text_of(arena, c, "client_context");
	inv->cognito_identity = text_of(arena, c, "cognito_identity");
	inv->tenant_id = text_of(arena, c, "tenant_id");
	inv->qualifier = text_of(arena, c, "qualifier");
	if (inv->function == NULL || abt_arena_failed(arena)) {
		say_error(flight->n, "no such function");
		abt_arena_end(arena);
		abt_free(flight);
		return;
	}
	host->aloft++;
	abt_function_invoke(inv->function, inv);
}

static void
take_line(struct host *host, struct abt_bytes line)
{
	struct abt_arena arena;
	struct abt_json_error error;
	const struct abt_json *c;

	abt_arena_init(&arena, NULL);
	c = abt_json_read(line, ABT_JSON_DEPTH, &arena, &error);
	if (abt_json_is(c, ABT_JSON_OBJECT))
		invoke(host, c);
	else
		say_error(-1, "this line is no JSON object");
	abt_arena_end(&arena);
}

static void
closed(struct abt_function *function, void *context)
{
	struct host *host = context;

	(void)function;
	if (--host->open == 0)
		abt_loop_stop(host->loop);
}

static void
close_all(struct host *host)
{
	(void)event_del(&host->input);
	if (host->aloft > 0) {
		abt_guard_stop();
		_exit(0);
	}
	host->open = (unsigned)host->setup->function_count;
	if (host->open == 0)
		abt_loop_stop(host->loop);
	for (size_t i = 0; i < host->setup->function_count; i++)
		abt_function_close(host->setup->functions[i], closed, host);
}

/* Bytes on stdin: act on every line that is complete. */
static void
on_input(evutil_socket_t fd, short what, void *context)
{
	struct host *host = context;
	char *room = abt_buf_room(&host->in, 65536);
	ssize_t n = room != NULL ? read(fd, room, 65536) : 0;
	struct abt_bytes rest;

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_all(host);
		return;
	}
	abt_buf_commit(&host->in, (size_t)n);
	rest = abt_buf_bytes(&host->in);
	for (;;) {
		size_t at = abt_bytes_find(rest, '\n');

		if (at == rest.n)
			break;
		take_line(host, abt_bytes(rest.p, at));
		rest.p += at + 1;
		rest.n -= at + 1;
	}
	memmove(host->in.p, rest.p, rest.n);
	host->in.n = rest.n;
}

static void
complain(void *context, const char *sentence)
{
	(void)context;
	(void)fprintf(stderr, "%s\n", sentence);
}

/* Everything that stands before the loop runs; false after a message. */
static bool
begin(struct host *host, const char *file)
{
	char why[512] = "";

	if (abt_guard_start(1, why, sizeof(why)) != 0) {
		(void)fprintf(stderr, "%s\n", why);
		return false;
	}
	host->setup = abt_load_file(file, complain, NULL);
	host->loop = abt_loop_new(0);
	if (host->setup == NULL || host->loop == NULL ||
	    abt_guard_attach(host->loop) != 0)
		return false;
	for (size_t i = 0; i < host->setup->function_count; i++) {
		struct abt_function *f = host->setup->functions[i];

		if (abt_function_open(f,
			f->backend->counted ? host->loop : NULL, why,
			sizeof(why)) != 0) {
			(void)fprintf(stderr, "%s\n", why);
			return false;
		}
	}
	abt_buf_init(&host->in, NULL, LINE_MAX_BYTES);
	(void)event_assign(&host->input, host->loop->base, STDIN_FILENO,
	    EV_READ | EV_PERSIST, on_input, host);
	return event_add(&host->input, NULL) == 0;
}

int
main(int argc, char **argv)
{
	struct host host = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc != 3 || strcmp(argv[1], "-c") != 0) {
		(void)fprintf(stderr, "usage: host -c FILE\n");
		return 2;
	}
	abt_log_set_level(ABT_LOG_DEBUG);
	if (!begin(&host, argv[2]))
		return 1;
	(void)printf("ready\n");
	(void)fflush(stdout);
	abt_loop_run(host.loop);
	abt_buf_end(&host.in);
	abt_setup_free(host.setup);
	abt_loop_free(host.loop);
	abt_guard_stop();
	return 0;
}
