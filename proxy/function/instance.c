/*
 * instance.c - one process of a runtime function, from start to end
 *
 * It has a listener, an output and a place in the counts of its function.  Its
 * end is noticed twice: by the guard, and by its connections.  What it sent
 * before it died may still be on its way through the kernel, so its end is
 * settled a few milliseconds later, or when a body that was being read is
 * through (R2.45, R2.56).
 */
#include "function/runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define END_STEP_US   2000
#define END_ROUNDS    2  /* without a body on its way */
#define END_BODY      50 /* with one: 100 ms in all */
#define MEMORY_AGE_US 200000
#define TOLD_AGE_US   1000000
#define POLL_AGAIN_MS 3000 /* for a client that lost its poll */
#define INIT_GRACE_MS 1000 /* after init/error, for it to exit by itself */

/* ---- helpers ---- */

static const char *
phase(const struct abt_instance *instance)
{
	return instance->suppressed ? "invoke" : "init";
}

/* INIT_REPORT (R2.65); |error_type| NULL: it took too long. */
static void
log_init_report(const struct abt_instance *instance, const char *error_type)
{
	int64_t us =
	    abt_loop_now_us(instance->runtime->loop) - instance->start_us;

	abt_function_log(instance->runtime->function, "",
	    "INIT_REPORT Init Duration: %lld.%02lld ms\tPhase: %s\tStatus: "
	    "%s%s%s",
	    (long long)(us / 1000), (long long)(us % 1000 / 10),
	    phase(instance), error_type != NULL ? "error" : "timeout",
	    error_type != NULL ? "\tError Type: " : "",
	    error_type != NULL ? error_type : "");
}

int64_t
abt_instance_used_mb(struct abt_instance *instance)
{
	int64_t now = abt_loop_now_us(instance->runtime->loop);

	if (instance->process != NULL && !instance->ended &&
	    (instance->used_at_us == 0 ||
		now - instance->used_at_us > MEMORY_AGE_US)) {
		int64_t mb = abt_process_peak_mb(instance->process);

		if (mb > instance->used_mb)
			instance->used_mb = mb;
		instance->used_at_us = now;
	}
	return instance->used_mb;
}

void
abt_instance_inited(struct abt_instance *instance)
{
	if (instance->counted_starting)
		instance->runtime->starting--;
	instance->counted_starting = false;
	abt_timer_stop(&instance->timer);
}

/* Who gets the blame of an instance that fails: the event in hand or, while it
 * starts, the one that waits longest. */
struct abt_invocation *
abt_instance_victim(struct abt_instance *instance)
{
	struct abt_invocation *inv = abt_runtime_release(instance);

	if (inv != NULL || instance->init_us >= 0 || instance->init_told)
		return inv;
	inv = abt_runtime_take_waiting(instance->runtime);
	if (inv != NULL) {
		abt_function_started(inv, -1);
		abt_function_log_start(inv);
		inv->used_mb = abt_instance_used_mb(instance);
	}
	return inv;
}

void
abt_instance_fail(struct abt_instance *instance, enum abt_rule_id rule,
    const char *error_type, const char *message)
{
	struct abt_invocation *inv = abt_instance_victim(instance);

	if (inv != NULL)
		abt_result_crash(inv, rule, error_type, message, message);
}

/* ---- the end ---- */

static void
instance_free(struct abt_instance *instance)
{
	abt_timer_stop(&instance->timer);
	if (event_initialized(&instance->end_event))
		event_del(&instance->end_event);
	abt_api_detach(instance);
	if (instance->listener != NULL)
		abt_listener_free(instance->listener);
	abt_output_free(instance->output);
	abt_process_free(instance->process);
	if (instance->prev != NULL) {
		*instance->prev = instance->next;
		if (instance->next != NULL)
			instance->next->prev = instance->prev;
	}
	abt_free(instance);
}

void
abt_instance_end(struct abt_instance *instance, int64_t grace_ms)
{
	abt_runtime_doom(instance);
	abt_timer_stop(&instance->timer);
	if (!instance->ended)
		abt_process_end(instance->process, grace_ms);
}

/* It ended without ever asking for an event: what may be wrong? */
static void
explain_no_poll(const struct abt_instance *instance, const char *text,
    char *out, size_t size)
{
	const struct abt_runtime *runtime = instance->runtime;
	const char *program = runtime->program.argv[0];

	if (runtime->program.polls)
		snprintf(out, size, "%s; its output in the log says why", text);
	else
		snprintf(out, size,
		    "%s. It never asked for an event: is %.60s a Lambda "
		    "runtime client? Try --command for a program that reads "
		    "stdin",
		    text, program);
	abt_error("%s: %s", runtime->function->name, out);
}

/* Say who is to blame for the end, if there is anybody to be told. */
static void
settle_end(struct abt_instance *instance)
{
	struct abt_invocation *inv;
	char text[64], hint[256];
	const char *detail = text;

	abt_exit_text(instance->status, text, sizeof(text));
	if (instance->output != NULL)
		abt_output_drain(instance->output);
	if (instance->current == NULL && instance->doomed)
		return; /* we ended it ourselves, or it has told why */
	if (instance->state == ABT_API_STARTED) {
		log_init_report(instance, "Runtime.ExitError");
		explain_no_poll(instance, text, hint, sizeof(hint));
		detail = hint;
	} else if (instance->current == NULL) {
		abt_info("%s: a process ended between two events (%s)",
		    instance->runtime->function->name, text);
	}
	inv = abt_instance_victim(instance);
	if (inv != NULL)
		abt_result_crash(inv, ABT_RULE_FUNCTION_EXIT,
		    "Runtime.ExitError", text, detail);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval step = { 0, END_STEP_US };
	struct abt_instance *instance = arg;
	struct abt_runtime *runtime = instance->runtime;
	int rounds = instance->posting > 0 ? END_BODY : END_ROUNDS;

	(void)fd;
	(void)what;
	if (abt_api_is_paused(instance))
		instance->end_rounds = 0; /* for a caller that is slow */
	if (++instance->end_rounds < rounds &&
	    event_add(&instance->end_event, &step) == 0)
		return;
	settle_end(instance);
	abt_runtime_doom(instance);
	instance_free(instance);
	abt_runtime_left(runtime);
}

/* Watch for what is still on its way, then settle. */
static void
end_soon(struct abt_instance *instance)
{
	instance->ended = true;
	evtimer_assign(&instance->end_event, instance->runtime->loop->base,
	    on_end, instance);
	on_end(-1, 0, instance);
}

static void
on_ended(struct abt_process *process, void *context, int status,
    const struct rusage *usage)
{
	struct abt_instance *instance = context;
	int64_t mb = (usage->ru_maxrss + 1023) / 1024;

	(void)process;
	instance->status = status;
	if (mb > instance->used_mb)
		instance->used_mb = mb;
	abt_runtime_unpolls(instance); /* nothing new is given to it (P5) */
	end_soon(instance);
}

/* ---- the start ---- */

/* An errno in Go's words, as AWS shows it (R2.12). */
static const char *
error_text(int error)
{
	switch (error) {
	case ENOENT:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case ENOEXEC:
		return "exec format error";
	default:
		return strerror(error);
	}
}

/* Not the program's fault. */
static bool
is_shortage(int error)
{
	return error == EAGAIN || error == ENOMEM || error == EMFILE ||
	       error == ENFILE;
}

static void no_resources(struct abt_runtime *runtime);

static void
on_started(struct abt_process *process, void *context, int error)
{
	struct abt_instance *instance = context;
	struct abt_runtime *runtime = instance->runtime;
	const char *root;
	struct stat st;
	char text[512];

	(void)process;
	if (error == 0)
		return;
	root = runtime->function->options.root.p;
	instance->ended = true;
	abt_runtime_doom(instance);
	if (is_shortage(error)) {
		instance_free(instance);
		no_resources(runtime);
		if (runtime->closing || runtime->alive == 0)
			abt_runtime_left(runtime);
		return;
	}
	if (stat(root, &st) != 0) {
		snprintf(text, sizeof(text), "chdir %s: %s", root,
		    error_text(errno));
		abt_instance_fail(instance, ABT_RULE_FUNCTION_NOT_STARTED,
		    "Runtime.InvalidWorkingDir", text);
	} else {
		snprintf(text, sizeof(text), "fork/exec %s: %s",
		    runtime->program.argv[0], error_text(error));
		abt_instance_fail(instance, ABT_RULE_FUNCTION_NOT_STARTED,
		    "Runtime.InvalidEntrypoint", text);
	}
	abt_error("%s: cannot start %s: %s", runtime->function->name,
	    runtime->program.argv[0], text);
	instance_free(instance);
	abt_runtime_left(runtime);
}

static void
on_line(void *context, struct abt_bytes text)
{
	const struct abt_instance *instance = context;
	const char *name = instance->runtime->function->name;

	if (instance->current != NULL && abt_error_line_is(text))
		instance->current->printed = true;
	if (!abt_error_line_unfold(name, instance->current_id, text))
		abt_log_output(name, instance->current_id, text);
}

static int
open_listener(struct abt_instance *instance)
{
	struct abt_listener_options options = {
		.handler = &abt_runtime_api,
		.owner = instance,
		.policy = &abt_runtime_api_policy,
		.inner = true,
	};
	int fd = abt_loopback_bind(&instance->port);

	if (fd < 0)
		return -1;
	instance->listener =
	    abt_listener_new(instance->runtime->loop, fd, &options);
	if (instance->listener == NULL) {
		close(fd);
		return -1;
	}
	return 0;
}

/* |output|: the child's end of the pipe; closed here in any case. */
static int
start_process(struct abt_instance *instance, int output)
{
	struct abt_runtime *runtime = instance->runtime;
	struct abt_process_start start = {
		.file = runtime->program.argv[0],
		.argv = runtime->program.argv,
		.directory = runtime->function->options.root.p,
		.stdin_fd = -1,
		.stdout_fd = output,
		.stderr_fd = output,
		.started = on_started,
		.ended = on_ended,
		.context = instance,
	};
	struct abt_arena arena;
	char address[32];

	snprintf(address, sizeof(address), "127.0.0.1:%u", instance->port);
	abt_arena_init(&arena, runtime->loop->pool);
	start.envp = abt_function_environment(
	    runtime->function, address, instance->log_stream, &arena);
	if (start.envp != NULL)
		instance->process = abt_process_new(runtime->loop, &start);
	else
		close(output);
	abt_arena_end(&arena);
	return instance->process != NULL ? 0 : -1;
}

static void on_timer(struct abt_timer *timer);

static struct abt_instance *
instance_make(struct abt_runtime *runtime)
{
	struct abt_instance *instance = abt_calloc(1, sizeof(*instance));

	if (instance == NULL)
		return NULL;
	instance->runtime = runtime;
	instance->init_us = -1;
	instance->cold = true;
	instance->start_us = abt_loop_fresh_us(runtime->loop);
	abt_timer_init(&instance->timer, on_timer);
	instance->next = runtime->instances;
	instance->prev = &runtime->instances;
	if (instance->next != NULL)
		instance->next->prev = &instance->next;
	runtime->instances = instance;
	return instance;
}

static int
instance_start(struct abt_instance *instance)
{
	struct abt_runtime *runtime = instance->runtime;
	int output;

	if (abt_function_log_stream(runtime->function, instance->log_stream,
		sizeof(instance->log_stream)) != 0 ||
	    open_listener(instance) != 0)
		return -1;
	instance->output =
	    abt_output_new(runtime->loop, &output, on_line, NULL, instance);
	if (instance->output == NULL)
		return -1;
	return start_process(instance, output);
}

/* No memory, descriptors or processes are left.  While others of the function
 * live, those who wait are served by them; else one of them is told. */
static void
no_resources(struct abt_runtime *runtime)
{
	static const char text[] = "no process could be started: out of "
				   "memory, descriptors or processes";
	int64_t now = abt_loop_now_us(runtime->loop);
	struct abt_invocation *inv = NULL;

	if (runtime->told_us == 0 || now - runtime->told_us > TOLD_AGE_US) {
		runtime->told_us = now;
		abt_error("%s: %s", runtime->function->name, text);
	}
	if (runtime->alive == 0)
		inv = abt_runtime_take_waiting(runtime);
	else
		abt_runtime_shortage(runtime);
	if (inv != NULL)
		abt_result_crash(inv, ABT_RULE_FUNCTION_NOT_STARTED,
		    "Runtime.InvalidEntrypoint", text, text);
}

/* Nobody could even try: one who waits is told (R2.12). */
static void
cannot_start(
    struct abt_runtime *runtime, const char *error_type, const char *message)
{
	struct abt_invocation *inv = abt_runtime_take_waiting(runtime);

	abt_error("%s: %s", runtime->function->name, message);
	if (inv != NULL)
		abt_result_crash(inv, ABT_RULE_FUNCTION_NOT_STARTED, error_type,
		    message, message);
}

struct abt_instance *
abt_instance_new(struct abt_runtime *runtime)
{
	struct abt_instance *instance;

	if (runtime->program.argv == NULL) {
		cannot_start(runtime, "Runtime.InvalidEntrypoint",
		    "Couldn't find valid bootstrap(s): [/var/task/bootstrap "
		    "/opt/bootstrap]");
		return NULL;
	}
	instance = instance_make(runtime);
	if (instance == NULL || instance_start(instance) != 0) {
		if (instance != NULL)
			instance_free(instance);
		no_resources(runtime);
		return NULL;
	}
	runtime->alive++;
	runtime->starting++;
	instance->counted_starting = true;
	abt_function_log(runtime->function, "",
	    "INIT_START Runtime Version: %s\tRuntime Version ARN: "
	    "arn:aws:lambda:%.*s::runtime:albatross",
	    runtime->program.client != NULL ? runtime->program.client : "",
	    ABT_FMT(runtime->function->options.region));
	if (runtime->function->options.timeout_ms > 0)
		abt_timer_set(
		    runtime->loop, &instance->timer, runtime->init_ms);
	return instance;
}

/* ---- time ---- */

/* The init phase took too long (R2.21): once more, inside the invocation that
 * waits for it and under its time limit. */
static void
init_expired(struct abt_instance *instance)
{
	struct abt_runtime *runtime = instance->runtime;
	struct abt_invocation *inv;
	struct abt_instance *again;

	log_init_report(instance, NULL);
	abt_instance_end(instance, 0);
	inv = runtime->waiting;
	if (inv == NULL || instance->suppressed)
		return;
	again = abt_instance_new(runtime);
	if (again == NULL)
		return;
	abt_runtime_take_waiting(runtime);
	again->suppressed = true;
	abt_timer_stop(&again->timer);
	abt_instance_inited(again);
	abt_runtime_assign(again, inv);
}

/* It has answered: will it come back within the time limit (R2.46)? */
static void
settle_expired(struct abt_instance *instance)
{
	struct abt_runtime *runtime = instance->runtime;
	int64_t left = instance->deadline_us - abt_loop_now_us(runtime->loop);

	if (instance->state != ABT_API_SENT && !instance->poll_lost)
		return;
	if (left > 0) {
		abt_timer_set(
		    runtime->loop, &instance->timer, (left + 999) / 1000);
		return;
	}
	abt_warning("%s: a process did not ask for its next event within the "
		    "time limit; it is replaced",
	    runtime->function->name);
	abt_instance_end(instance, 0);
	abt_runtime_left(runtime);
}

static void
on_timer(struct abt_timer *timer)
{
	struct abt_instance *instance =
	    abt_container_of(timer, struct abt_instance, timer);

	if (instance->doomed)
		abt_instance_end(instance, 0);
	else if (instance->init_us < 0)
		init_expired(instance);
	else
		settle_expired(instance);
}

void
abt_instance_answered(struct abt_instance *instance)
{
	struct abt_runtime *runtime = instance->runtime;

	if (!instance->counted_settling && !instance->doomed) {
		instance->counted_settling = true;
		runtime->settling++;
	}
	/* One timer for many events: when it fires it looks at the time. */
	if (instance->deadline_us > 0 && !abt_timer_is_set(&instance->timer))
		abt_timer_set(runtime->loop, &instance->timer,
		    runtime->function->options.timeout_ms);
}

void
abt_instance_lost_poll(struct abt_instance *instance)
{
	struct abt_loop *loop = instance->runtime->loop;

	instance->poll_lost = true;
	instance->deadline_us = abt_loop_now_us(loop) + POLL_AGAIN_MS * 1000;
	if (!instance->doomed && !instance->ended)
		abt_timer_set(loop, &instance->timer, POLL_AGAIN_MS);
}

void
abt_instance_init_failed(struct abt_instance *instance, const char *error_type)
{
	log_init_report(instance, error_type);
	abt_runtime_doom(instance);
	/* It exits by itself; if not, it is ended. */
	abt_timer_set(instance->runtime->loop, &instance->timer, INIT_GRACE_MS);
}
