/*
 * runtime.c - the instances of one function: who is idle, who gets an event
 *
 * An event goes to the idle instance that was used last; without one it waits
 * here for the first that polls, and a process is started for it unless one is
 * on its way: starting, or settling (it has answered and will poll again in a
 * moment).  One that does not settle soon no longer counts as on its way.
 */
#include "function/runtime.h"

#include <stdio.h>

#include "base/log.h"

#define SETTLE_MS 64  /* how long an answered instance is waited for */
#define GRACE_MS  500 /* from TERM to KILL (R2.53) */

static int64_t
limit_of(const struct abt_runtime *runtime)
{
	const struct abt_function_options *options =
	    &runtime->function->options;

	return options->timeout_ms == 0 ? 1 : options->concurrency;
}

/* ---- who waits ---- */

static void
add_waiting(struct abt_runtime *runtime, struct abt_invocation *inv)
{
	inv->next = NULL;
	*runtime->waiting_tail = inv;
	runtime->waiting_tail = &inv->next;
	runtime->waiting_count++;
}

struct abt_invocation *
abt_runtime_take_waiting(struct abt_runtime *runtime)
{
	struct abt_invocation *inv = runtime->waiting;

	if (inv == NULL)
		return NULL;
	runtime->waiting = inv->next;
	if (runtime->waiting == NULL)
		runtime->waiting_tail = &runtime->waiting;
	runtime->waiting_count--;
	inv->next = NULL;
	return inv;
}

/* Start processes until each waiting event has one on its way. */
static void
provision(struct abt_runtime *runtime, unsigned coming)
{
	if (runtime->providing)
		return; /* the loop below, further up, goes on */
	runtime->providing = true;
	while (!runtime->closing && runtime->waiting_count > coming &&
	       runtime->alive < limit_of(runtime)) {
		if (abt_instance_new(runtime) != NULL)
			coming++;
		else if (runtime->alive > 0)
			break; /* those who live will serve them */
	}
	runtime->providing = false;
}

static void
look_again(struct abt_runtime *runtime)
{
	if (!abt_timer_is_set(&runtime->settle_timer))
		abt_timer_set(runtime->loop, &runtime->settle_timer, SETTLE_MS);
}

static void
provide(struct abt_runtime *runtime)
{
	if (runtime->waiting_count == 0)
		return;
	if (!runtime->shortage || runtime->alive == 0)
		provision(runtime, runtime->starting + runtime->settling);
	if (runtime->waiting_count > 0 && runtime->settling > 0)
		look_again(runtime);
}

void
abt_runtime_shortage(struct abt_runtime *runtime)
{
	runtime->shortage = true;
	look_again(runtime);
}

static void
on_settle(struct abt_timer *timer)
{
	struct abt_runtime *runtime =
	    abt_container_of(timer, struct abt_runtime, settle_timer);

	runtime->shortage = false;
	provision(runtime, runtime->starting);
}

/* ---- idle instances ---- */

static void
push_idle(struct abt_instance *instance)
{
	struct abt_runtime *runtime = instance->runtime;

	instance->idle_next = runtime->idle;
	instance->idle_prev = &runtime->idle;
	if (runtime->idle != NULL)
		runtime->idle->idle_prev = &instance->idle_next;
	runtime->idle = instance;
}

static void
drop_idle(struct abt_instance *instance)
{
	if (instance->idle_prev == NULL)
		return;
	*instance->idle_prev = instance->idle_next;
	if (instance->idle_next != NULL)
		instance->idle_next->idle_prev = instance->idle_prev;
	instance->idle_next = NULL;
	instance->idle_prev = NULL;
}

void
abt_runtime_assign(struct abt_instance *instance, struct abt_invocation *inv)
{
	size_t n;

	drop_idle(instance);
	instance->current = inv;
	inv->instance = instance;
	n = strnlen(inv->request_id, sizeof(instance->current_id) - 1);
	memcpy(instance->current_id, inv->request_id, n);
	instance->current_id[n] = '\0';
	abt_function_started(inv,
	    instance->cold && !instance->suppressed ? instance->init_us : -1);
	instance->cold = false;
	instance->deadline_us = inv->deadline_us;
	if (instance->poll != NULL)
		abt_api_send_event(instance);
	abt_function_log_start(inv);
}

struct abt_invocation *
abt_runtime_release(struct abt_instance *instance)
{
	struct abt_invocation *inv = instance->current;

	if (inv == NULL)
		return NULL;
	instance->current = NULL;
	inv->instance = NULL;
	inv->used_mb = abt_instance_used_mb(instance);
	if (instance->output != NULL)
		abt_output_drain(instance->output);
	return inv;
}

void
abt_runtime_polls(struct abt_instance *instance)
{
	struct abt_runtime *runtime = instance->runtime;
	struct abt_invocation *inv;

	if (instance->doomed || instance->ended)
		return; /* a poll of one that is being ended gets nothing */
	if (instance->counted_settling)
		runtime->settling--;
	instance->counted_settling = false;
	if (instance->current != NULL) { /* an init inside an invocation */
		abt_api_send_event(instance);
		return;
	}
	if (instance->retiring) {
		abt_instance_end(instance, GRACE_MS);
		return;
	}
	inv = abt_runtime_take_waiting(runtime);
	if (inv != NULL)
		abt_runtime_assign(instance, inv);
	else
		push_idle(instance);
}

void
abt_runtime_unpolls(struct abt_instance *instance)
{
	drop_idle(instance);
}

void
abt_runtime_doom(struct abt_instance *instance)
{
	if (instance->doomed)
		return;
	drop_idle(instance);
	abt_instance_inited(instance);
	if (instance->counted_settling)
		instance->runtime->settling--;
	instance->counted_settling = false;
	instance->doomed = true;
	instance->runtime->alive--;
}

void
abt_runtime_left(struct abt_runtime *runtime)
{
	if (runtime->closing && runtime->instances == NULL) {
		abt_timer_stop(&runtime->settle_timer);
		abt_function_closed(runtime->function);
		return;
	}
	provide(runtime);
}

/* ---- the backend ---- */

static struct abt_bytes
handler_of(const struct abt_runtime *runtime)
{
	return runtime->handler.n > 0 ? runtime->handler
				      : runtime->function->options.handler;
}

/* The command as it was given. */
static int
use_command(struct abt_runtime *runtime)
{
	struct abt_arena *arena = &runtime->function->arena;
	size_t n = runtime->command.count;

	runtime->program.client = "its own program";
	runtime->program.argv = abt_arena_array(arena, n + 1, sizeof(char *));
	for (size_t i = 0; runtime->program.argv != NULL && i < n; i++)
		runtime->program.argv[i] =
		    abt_arena_text(arena, runtime->command.items[i]);
	return abt_arena_failed(arena) ? -1 : 0;
}

/* What runs the handler.  0, or -1 with a sentence in |why|. */
static int
choose(struct abt_runtime *runtime, char *why, size_t size)
{
	struct abt_function *function = runtime->function;

	if (runtime->command.count > 0)
		return use_command(runtime);
	return abt_runtime_choose(function->options.root, handler_of(runtime),
	    (enum abt_runtime_kind)runtime->kind, &function->arena,
	    &runtime->program, why, size);
}

static int
open_runtime(void *self, struct abt_function *function, char *why, size_t size)
{
	struct abt_runtime *runtime = self;
	int result;

	runtime->function = function;
	runtime->loop = function->home;
	runtime->waiting_tail = &runtime->waiting;
	abt_timer_init(&runtime->settle_timer, on_settle);
	if (runtime->init_ms <= 0)
		runtime->init_ms = 10000;
	if (function->options.handler.n == 0)
		function->options.handler = runtime->handler;
	result = choose(runtime, why, size);
	if (abt_arena_failed(&function->arena))
		snprintf(why, size, "memory ran out");
	else if (result == 0)
		abt_debug("%s: events go to %s", function->name,
		    runtime->program.client != NULL ? runtime->program.client
						    : "nobody");
	return abt_arena_failed(&function->arena) ? -1 : result;
}

static void
invoke(void *self, struct abt_invocation *inv)
{
	struct abt_runtime *runtime = self;

	if (runtime->idle != NULL) {
		abt_runtime_assign(runtime->idle, inv);
		return;
	}
	add_waiting(runtime, inv);
	provide(runtime);
}

/* The deadline passed: the process cannot be stopped any other way. */
static void
cancel(void *self, struct abt_invocation *inv)
{
	struct abt_instance *instance = inv->instance;

	(void)self;
	if (instance == NULL)
		return;
	abt_runtime_release(instance);
	abt_instance_end(instance, 0);
	abt_api_resume(instance);
}

static void
resume(void *self, struct abt_invocation *inv)
{
	(void)self;
	if (inv->instance != NULL)
		abt_api_resume(inv->instance);
}

/* The handler may be another file now. */
static void
choose_again(struct abt_runtime *runtime)
{
	struct abt_runtime_program before = runtime->program;
	char why[1024];

	if (runtime->command.count > 0 ||
	    choose(runtime, why, sizeof(why)) == 0)
		return;
	abt_error("%s: %s", runtime->function->name, why);
	runtime->program = before;
}

/* New code.  A fresh process is started at once, so that code which cannot be
 * loaded is told at once. */
static void
refresh(void *self)
{
	struct abt_runtime *runtime = self;
	struct abt_instance *instance, *next;

	choose_again(runtime);
	for (instance = runtime->instances; instance != NULL; instance = next) {
		next = instance->next;
		if (instance->doomed)
			continue;
		if (instance->current != NULL || instance->posting > 0 ||
		    instance->counted_settling)
			instance->retiring = true;
		else
			abt_instance_end(instance, GRACE_MS);
	}
	provide(runtime);
	if (runtime->starting == 0 && runtime->alive < limit_of(runtime))
		abt_instance_new(runtime);
}

static void
close_runtime(void *self)
{
	struct abt_runtime *runtime = self;
	struct abt_instance *instance, *next;

	runtime->closing = true;
	for (instance = runtime->instances; instance != NULL; instance = next) {
		next = instance->next;
		abt_instance_end(instance, GRACE_MS);
	}
	abt_runtime_left(runtime);
}

/* clang-format off */
static const struct abt_option rows[] = {
	{ .name = "command", .kind = ABT_LIST,
	  .offset = offsetof(struct abt_runtime, command),
	  .help = "program and arguments that poll the Runtime API; without it the handler's file decides" },
	{ .name = "handler", .kind = ABT_STRING,
	  .offset = offsetof(struct abt_runtime, handler),
	  .help = "the handler, as in app.handler" },
	{ .name = "runtime", .kind = ABT_ENUM, .preset = "auto",
	  .offset = offsetof(struct abt_runtime, kind),
	  .names = abt_runtime_names, .flag = "runtime", .argument = "NAME",
	  .help = "what runs the handler when several files fit: auto, python or node" },
	{ .name = "init_timeout", .kind = ABT_DURATION, .preset = "10s",
	  .offset = offsetof(struct abt_runtime, init_ms),
	  .min = 100, .max = 900000,
	  .help = "how long a process may take until it asks for its first event" },
	ABT_OPTIONS_END,
};
/* clang-format on */

const struct abt_backend abt_backend_runtime = {
	.name = "runtime",
	.title = "processes that poll the Lambda Runtime API",
	.takes = ABT_EVENTS,
	.size = sizeof(struct abt_runtime),
	.options = rows,
	.main_option = "command",
	.counted = true,
	.open = open_runtime,
	.invoke = invoke,
	.cancel = cancel,
	.resume = resume,
	.refresh = refresh,
	.close = close_runtime,
};
