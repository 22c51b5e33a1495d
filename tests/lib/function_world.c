/*
 * function_world.c - a loop, a guard and functions for tests of floor 5
 */
#include "lib/function_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "function/process.h"

static struct abt_loop *loop;
static int log_fd = -1;
static const int *flag_wanted;

struct abt_loop *
fw_loop(void)
{
	char why[256];

	if (loop != NULL)
		return loop;
	if (abt_guard_start(1, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	log_fd = memfd_create("log", MFD_CLOEXEC);
	abt_log_set_fd(log_fd);
	loop = abt_loop_new(0);
	if (loop == NULL || abt_guard_attach(loop) != 0)
		abort();
	return loop;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(int *)arg = 1;
	abt_loop_stop(loop);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (*flag_wanted != 0)
		abt_loop_stop(loop);
}

bool
fw_run(const int *flag, int ms)
{
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };
	struct timeval often = { 0, 2000 };
	struct event timer, look;
	int late = 0;

	fw_loop();
	if (*flag != 0)
		return true;
	flag_wanted = flag;
	evtimer_assign(&timer, loop->base, on_time, &late);
	event_assign(&look, loop->base, -1, EV_PERSIST, on_look, NULL);
	event_add(&timer, &wait);
	event_add(&look, &often);
	abt_loop_run(loop);
	event_del(&timer);
	event_del(&look);
	return *flag != 0;
}

void
fw_end(void)
{
	if (loop == NULL)
		return;
	abt_guard_detach(loop);
	abt_loop_free(loop);
	abt_guard_stop();
	loop = NULL;
}

static void
fill_options(
    struct abt_function_options *options, const struct abt_function_options *by)
{
	memset(options, 0, sizeof(*options));
	options->timeout_ms = 3000;
	options->memory_mb = 128;
	options->concurrency = 10;
	options->queue.length = 1000;
	options->queue.wait_ms = 10000;
	options->root = ABT_BYTES("/");
	if (by != NULL)
		*options = *by;
	if (options->memory_mb == 0)
		options->memory_mb = 128;
	if (options->root.n == 0)
		options->root = ABT_BYTES("/");
}

static struct abt_function *
make(const struct abt_backend *backend,
    const struct abt_function_options *options, struct abt_arena *arena,
    void *self)
{
	struct abt_function *function =
	    abt_function_new("orders", options, backend, self, arena);
	char why[512] = "";

	if (function == NULL ||
	    abt_function_open(function, fw_loop(), why, sizeof(why)) != 0) {
		fprintf(stderr, "cannot open the function: %s\n", why);
		abort();
	}
	return function;
}

struct abt_function *
fw_custom(const struct abt_backend *backend,
    const struct abt_function_options *by, void *self)
{
	struct abt_function_options options;
	struct abt_arena arena;

	fill_options(&options, by);
	abt_arena_init(&arena, NULL);
	return make(backend, &options, &arena, self);
}

/* Set the option |name| of the backend, as the configuration reader would. */
static void
set_list(const struct abt_backend *backend, void *self, const char *name,
    struct abt_list list)
{
	for (const struct abt_option *row = backend->options; row->name != NULL;
	     row++)
		if (strcmp(row->name, name) == 0)
			memcpy((char *)self + row->offset, &list, sizeof(list));
}

struct abt_function *
fw_function(const char *name, const struct abt_function_options *by,
    const char *root, const char *handler, const char *const *words)
{
	const struct abt_backend *backend =
	    abt_backend_find(abt_bytes_text(name));
	struct abt_function_options options;
	struct abt_list list = { NULL, 0 };
	struct abt_arena arena;
	void *self;

	fill_options(&options, by);
	abt_arena_init(&arena, NULL);
	self = abt_arena_zero(&arena, backend->size);
	if (root != NULL)
		options.root = abt_bytes_text(root);
	if (handler != NULL)
		options.handler = abt_bytes_text(handler);
	if (words != NULL) {
		while (words[list.count] != NULL)
			list.count++;
		list.items =
		    abt_arena_array(&arena, list.count, sizeof(*list.items));
		for (size_t i = 0; i < list.count; i++)
			list.items[i] = abt_bytes_text(words[i]);
		set_list(backend, self, "command", list);
	}
	return make(backend, &options, &arena, self);
}

static void
on_closed(struct abt_function *function, void *context)
{
	(void)function;
	*(int *)context = 1;
}

void
fw_close(struct abt_function *function)
{
	int closed = 0;

	abt_function_close(function, on_closed, &closed);
	if (!fw_run(&closed, 10000)) {
		fprintf(stderr, "the function does not close\n");
		abort();
	}
	abt_function_free(function);
}

static void
on_done(struct abt_invocation *inv)
{
	struct flight *flight = inv->context;

	flight->done++;
	if (inv->result != NULL) {
		flight->size = inv->result->used;
		snprintf(flight->payload, sizeof(flight->payload), "%.*s",
		    (int)(flight->size < 500 ? flight->size : 500),
		    inv->result->data);
		abt_chunk_end(loop->pool, inv->result);
		inv->result = NULL;
	}
}

void
flight_start(
    struct flight *flight, struct abt_function *function, const char *event)
{
	static unsigned last;

	memset(flight, 0, sizeof(*flight));
	snprintf(flight->id, sizeof(flight->id),
	    "3f1a8c52-0d6e-4a57-9f0b-6b1f2f9c%04x", ++last & 0xffff);
	flight->inv.owner = fw_loop();
	flight->inv.done = on_done;
	flight->inv.context = flight;
	flight->inv.event = abt_bytes_text(event);
	flight->inv.request_id = flight->id;
	abt_function_invoke(function, &flight->inv);
}

bool
flight_run(struct flight *flight, struct abt_function *function,
    const char *event, int ms)
{
	flight_start(flight, function, event);
	return fw_run(&flight->done, ms);
}

const char *
fw_log(void)
{
	static char *text;
	off_t size = lseek(log_fd, 0, SEEK_CUR);

	free(text);
	text = calloc(1, (size_t)size + 1);
	if (text != NULL && pread(log_fd, text, (size_t)size, 0) < 0)
		text[0] = '\0';
	return text != NULL ? text : "";
}
