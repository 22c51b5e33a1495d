/*
 * command.c - event on stdin, result on stdout: one process per event
 *
 * All of stdout is the payload; stderr is the log.  Exit 0 is success.  A
 * failed command whose stdout is an object with errorMessage has told its error
 * itself (R11.2).  A command that does not read its event is not at fault.
 */
#include "function/function.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "function/process.h"

#define RESULT_MAX  6291556 /* R11.5 */
#define RESULT_ROOM 16384
#define WAIT_EOF_MS                                              \
	100 /* after the end, for the rest of its output (R2.56) \
	     */
#define GRACE_MS  500
#define PIPE_SURE 65536 /* what every pipe holds */

struct command {
	struct abt_list words;
	char **argv;
	struct abt_function *function;
	struct run *runs;
	bool closing;
};

/* One process and its event. */
struct run {
	struct run *next, **prev;
	struct command *command;
	struct abt_invocation *inv; /* NULL: it has its answer */
	struct abt_process *process;
	struct abt_output *log;
	int in, out; /* our ends, or -1 */
	struct event writable, readable;
	size_t written;
	struct abt_chunk *result;
	bool ended, too_large;
	int status;
	int64_t used_mb;
	struct event late; /* does not wait for the end of output for ever */
	char request_id[40];
	char log_stream[128];
};

static struct abt_loop *
loop_of(const struct run *run)
{
	return run->command->function->home;
}

/* ---- the end ---- */

static void
close_in(struct run *run)
{
	if (run->in < 0)
		return;
	event_del(&run->writable);
	close(run->in);
	run->in = -1;
}

static void
close_out(struct run *run)
{
	if (run->out < 0)
		return;
	event_del(&run->readable);
	close(run->out);
	run->out = -1;
}

static void
run_free(struct run *run)
{
	struct command *command = run->command;

	close_in(run);
	close_out(run);
	if (event_initialized(&run->late))
		event_del(&run->late);
	abt_output_free(run->log);
	abt_process_free(run->process);
	abt_chunk_end(loop_of(run)->pool, run->result);
	*run->prev = run->next;
	if (run->next != NULL)
		run->next->prev = run->prev;
	abt_free(run);
	if (command->closing && command->runs == NULL)
		abt_function_closed(command->function);
}

/* Has the failed command printed an error object of its own? */
static bool
told_error(const struct run *run)
{
	struct abt_json_error error;
	struct abt_arena arena;
	const struct abt_json *tree;
	bool told;

	if (run->result == NULL)
		return false;
	abt_arena_init(&arena, loop_of(run)->pool);
	tree = abt_json_scan(abt_bytes(run->result->data, run->result->used),
	    ABT_JSON_DEPTH, &arena, &error);
	told = abt_json_is(tree, ABT_JSON_OBJECT) &&
	       abt_json_get(tree, "errorMessage") != NULL;
	abt_arena_end(&arena);
	return told;
}

static struct abt_invocation *
take_invocation(struct run *run)
{
	struct abt_invocation *inv = run->inv;

	run->inv = NULL;
	if (inv != NULL) {
		inv->instance = NULL;
		inv->used_mb = run->used_mb;
	}
	return inv;
}

static void
give_too_large(struct abt_invocation *inv)
{
	static const struct abt_bytes text = ABT_BYTES_INIT(
	    "{\"errorMessage\":\"Response payload size exceeded maximum "
	    "allowed payload size (6291556 bytes).\","
	    "\"errorType\":\"Function.ResponseSizeTooLarge\"}");

	abt_result_take(inv, NULL);
	if (abt_result_data(inv, text) != 0)
		abt_error("%s: no memory for a result", inv->function->name);
	abt_result_broken(inv, ABT_RULE_FUNCTION_TOO_LARGE,
	    "Function.ResponseSizeTooLarge",
	    "the result is larger than 6291556 bytes");
}

/* It has ended and its output is read: what was it? */
static void
finish(struct run *run)
{
	struct abt_invocation *inv;
	bool told = run->status != 0 && told_error(run);
	char text[64];

	abt_output_drain(run->log);
	inv = take_invocation(run);
	if (inv == NULL)
		return;
	if (run->too_large) {
		give_too_large(inv);
		return;
	}
	abt_exit_text(run->status, text, sizeof(text));
	if (run->status != 0 && !told) {
		abt_result_crash(inv, ABT_RULE_FUNCTION_EXIT,
		    "Runtime.ExitError", text, text);
		return;
	}
	abt_result_take(inv, run->result);
	run->result = NULL;
	if (told)
		abt_result_broken(
		    inv, ABT_RULE_FUNCTION_EXIT, "Runtime.ExitError", text);
	else
		abt_result_end(inv);
}

static void
finish_and_free(struct run *run)
{
	finish(run);
	run_free(run);
}

/* ---- stdout and stdin ---- */

static void
too_large(struct run *run)
{
	run->too_large = true;
	close_out(run);
	abt_process_end(run->process, 0);
	if (run->ended)
		finish_and_free(run);
}

/* Room for more output.  0, or -1. */
static int
make_room(struct run *run)
{
	struct abt_pool *pool = loop_of(run)->pool;
	struct abt_chunk *chunk = run->result;

	if (chunk == NULL)
		chunk = abt_chunk_new(pool, RESULT_ROOM);
	else if (chunk->used == chunk->size)
		chunk = abt_chunk_grow(pool, chunk, chunk->size * 2);
	if (chunk == NULL)
		return -1;
	run->result = chunk;
	return 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;
	struct abt_chunk *chunk;
	ssize_t n;

	(void)what;
	for (int turn = 0; turn < 16; turn++) {
		if (make_room(run) != 0) {
			too_large(run);
			return;
		}
		chunk = run->result;
		n = read(
		    fd, chunk->data + chunk->used, chunk->size - chunk->used);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_out(run);
			if (run->ended)
				finish_and_free(run);
			return;
		}
		chunk->used += (size_t)n;
		if (chunk->used > RESULT_MAX) {
			too_large(run);
			return;
		}
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;
	struct abt_bytes event;
	ssize_t n;

	(void)what;
	if (run->inv == NULL) {
		close_in(run);
		return;
	}
	event = run->inv->event;
	while (run->written < event.n) {
		n = write(fd, event.p + run->written, event.n - run->written);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (event_add(&run->writable, NULL) == 0)
				return;
			break;
		}
		if (n <= 0)
			break; /* it does not want the rest (R11.5) */
		run->written += (size_t)n;
	}
	close_in(run);
}

/* ---- the process ---- */

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish_and_free(arg);
}

static void
on_ended(struct abt_process *process, void *context, int status,
    const struct rusage *usage)
{
	static const struct timeval wait = { 0, WAIT_EOF_MS * 1000 };
	struct run *run = context;

	(void)process;
	run->ended = true;
	run->status = status;
	run->used_mb = (usage->ru_maxrss + 1023) / 1024;
	close_in(run);
	if (run->out < 0) {
		finish_and_free(run);
		return;
	}
	/* The rest of its output comes as readable; a descendant that holds
	 * the pipe does not make us wait longer than this. */
	evtimer_assign(&run->late, loop_of(run)->base, on_late, run);
	if (event_add(&run->late, &wait) != 0)
		finish_and_free(run);
}

static void
on_started(struct abt_process *process, void *context, int error)
{
	struct run *run = context;
	struct abt_invocation *inv;
	char text[512];

	(void)process;
	if (error == 0)
		return;
	snprintf(text, sizeof(text), "fork/exec %s: %s", run->command->argv[0],
	    error == ENOENT ? "no such file or directory" : strerror(error));
	abt_error("%s: %s", run->command->function->name, text);
	inv = take_invocation(run);
	if (inv != NULL)
		abt_result_crash(inv, ABT_RULE_FUNCTION_NOT_STARTED,
		    "Runtime.InvalidEntrypoint", text, text);
	run_free(run);
}

static void
on_line(void *context, struct abt_bytes text)
{
	const struct run *run = context;

	abt_log_output(run->command->function->name, run->request_id, text);
}

/* "NAME=value", behind the others; room was left for it. */
static void
add_variable(char **envp, struct abt_arena *arena, const char *name,
    struct abt_bytes value)
{
	struct abt_bytes line;

	if (value.n == 0)
		return;
	while (*envp != NULL)
		envp++;
	line = abt_arena_printf(arena, "%s=%.*s", name, ABT_FMT(value));
	*envp = abt_arena_failed(arena) ? NULL : (char *)(uintptr_t)line.p;
}

/* R11.3 */
static char **
make_environment(struct run *run, struct abt_arena *arena)
{
	struct abt_invocation *inv = run->inv;
	char **base = abt_function_environment(
	    run->command->function, NULL, run->log_stream, arena);
	char **envp;
	size_t n = 0;
	struct abt_bytes deadline;

	while (base != NULL && base[n] != NULL)
		n++;
	envp = abt_arena_array(arena, n + 8, sizeof(*envp));
	if (base == NULL || envp == NULL)
		return NULL;
	memcpy(envp, base, n * sizeof(*envp));
	deadline =
	    abt_arena_printf(arena, "%lld", (long long)inv->deadline_epoch_ms);
	add_variable(envp, arena, "_X_AMZN_TRACE_ID", inv->trace_id);
	add_variable(envp, arena, "ALBATROSS_REQUEST_ID",
	    abt_bytes_text(inv->request_id));
	add_variable(envp, arena, "ALBATROSS_DEADLINE_MS", deadline);
	add_variable(envp, arena, "ALBATROSS_FUNCTION_ARN",
	    abt_bytes_text(inv->function->arn));
	add_variable(
	    envp, arena, "ALBATROSS_CLIENT_CONTEXT", inv->client_context);
	return abt_arena_failed(arena) ? NULL : envp;
}

/* A pipe: our end into |ours| (not blocking), the child's into |theirs|. */
static int
make_pipe(bool we_write, int *ours, int *theirs)
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
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Pipes and events.  fds[]: the child's ends. */
static int
open_pipes(struct run *run, int fds[3])
{
	struct event_base *base = loop_of(run)->base;

	if (make_pipe(true, &run->in, &fds[0]) != 0)
		return -1;
	event_assign(&run->writable, base, run->in, EV_WRITE | EV_PERSIST,
	    on_writable, run);
	if (make_pipe(false, &run->out, &fds[1]) != 0)
		return -1;
	event_assign(&run->readable, base, run->out, EV_READ | EV_PERSIST,
	    on_readable, run);
	run->log = abt_output_new(loop_of(run), &fds[2], on_line, NULL, run);
	if (run->log == NULL) {
		fds[2] = -1;
		return -1;
	}
	if (run->inv->event.n > PIPE_SURE) { /* fewer turns for large ones */
		fcntl(run->in, F_SETPIPE_SZ, 1 << 20);
		fcntl(run->out, F_SETPIPE_SZ, 1 << 20);
	}
	return event_add(&run->readable, NULL) != 0 ? -1 : 0;
}

static int
start(struct run *run)
{
	struct command *command = run->command;
	struct abt_process_start start = {
		.file = command->argv[0],
		.argv = command->argv,
		.directory = command->function->options.root.p,
		.started = on_started,
		.ended = on_ended,
		.context = run,
	};
	int fds[3] = { -1, -1, -1 };
	struct abt_arena arena;

	abt_arena_init(&arena, loop_of(run)->pool);
	start.envp = make_environment(run, &arena);
	if (start.envp == NULL || open_pipes(run, fds) != 0) {
		for (int i = 0; i < 3; i++)
			close_fd(fds[i]);
	} else {
		start.stdin_fd = fds[0];
		start.stdout_fd = fds[1];
		start.stderr_fd = fds[2];
		run->process = abt_process_new(loop_of(run), &start);
	}
	abt_arena_end(&arena);
	if (run->process == NULL)
		return -1;
	on_writable(run->in, 0, run); /* most events fit into the pipe */
	return 0;
}

/* ---- the backend ---- */

static struct run *
run_new(struct command *command, struct abt_invocation *inv)
{
	struct run *run = abt_calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->command = command;
	run->inv = inv;
	run->in = run->out = -1;
	snprintf(
	    run->request_id, sizeof(run->request_id), "%s", inv->request_id);
	run->next = command->runs;
	run->prev = &command->runs;
	if (run->next != NULL)
		run->next->prev = &run->next;
	command->runs = run;
	inv->instance = run;
	return run;
}

static void
invoke(void *self, struct abt_invocation *inv)
{
	struct command *command = self;
	struct run *run = run_new(command, inv);

	abt_function_started(inv, -1);
	if (run == NULL ||
	    abt_function_log_stream(command->function, run->log_stream,
		sizeof(run->log_stream)) != 0 ||
	    start(run) != 0) {
		inv->instance = NULL;
		if (run != NULL)
			run->inv = NULL;
		abt_result_crash(inv, ABT_RULE_FUNCTION_NOT_STARTED,
		    "Runtime.InvalidEntrypoint",
		    "no process could be started: out of memory, descriptors "
		    "or processes",
		    NULL);
		if (run != NULL)
			run_free(run);
		return;
	}
	abt_function_log_start(inv);
}

static void
cancel(void *self, struct abt_invocation *inv)
{
	struct run *run = inv->instance;

	(void)self;
	if (run == NULL)
		return;
	abt_output_drain(run->log);
	run->used_mb = abt_process_peak_mb(run->process);
	take_invocation(run);
	close_in(run);
	abt_process_end(run->process, 0);
}

static int
open_command(void *self, struct abt_function *function, char *why, size_t size)
{
	struct command *command = self;
	size_t n = command->words.count;

	command->function = function;
	if (n == 0) {
		snprintf(why, size,
		    "function %s has no command: give program and arguments",
		    function->name);
		return -1;
	}
	command->argv =
	    abt_arena_array(&function->arena, n + 1, sizeof(char *));
	for (size_t i = 0; command->argv != NULL && i < n; i++)
		command->argv[i] =
		    abt_arena_text(&function->arena, command->words.items[i]);
	if (!abt_arena_failed(&function->arena))
		return 0;
	snprintf(why, size, "memory ran out");
	return -1;
}

static void
close_command(void *self)
{
	struct command *command = self;
	struct run *run, *next;

	command->closing = true;
	if (command->runs == NULL) {
		abt_function_closed(command->function);
		return;
	}
	for (run = command->runs; run != NULL; run = next) {
		next = run->next;
		if (!run->ended)
			abt_process_end(run->process, GRACE_MS);
	}
}

/* clang-format off */
static const struct abt_option rows[] = {
	{ .name = "command", .kind = ABT_LIST,
	  .offset = offsetof(struct command, words),
	  .flags = ABT_OPTION_REQUIRED,
	  .help = "program and arguments; it reads the event from stdin and prints the result" },
	ABT_OPTIONS_END,
};
/* clang-format on */

const struct abt_backend abt_backend_command = {
	.name = "command",
	.title = "a program for each event: event on stdin, result on stdout",
	.takes = ABT_EVENTS,
	.size = sizeof(struct command),
	.options = rows,
	.main_option = "command",
	.counted = true,
	.open = open_command,
	.invoke = invoke,
	.cancel = cancel,
	.close = close_command,
};
