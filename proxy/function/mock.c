/*
 * mock.c - a function that is not there
 *
 * Gives the same bytes back for every event, on the caller's loop and, without
 * a delay, in the same turn of it.  Used by tests, by benchmarks of everything
 * around a function, and for a route whose function is not written yet.
 */
#include "function/function.h"

#include <stdio.h>

struct mock {
	const struct abt_json *result;
	int64_t delay_ms;
	bool error;
	struct abt_bytes bytes; /* |result| as it is sent */
	struct abt_function *function;
	_Atomic unsigned holders; /* the function, and each one that is late */
};

/* One that is late; made for it and freed with it. */
struct late {
	struct abt_timer timer;
	struct mock *mock;
	struct abt_invocation *inv;
};

/* A string is the payload itself, anything else its JSON. */
static int
open_mock(void *self, struct abt_function *function, char *why, size_t size)
{
	struct mock *mock = self;
	struct abt_json_out out;
	struct abt_buf buf;

	mock->function = function;
	mock->holders = 1;
	if (mock->result == NULL) {
		mock->bytes = ABT_BYTES("{}");
		return 0;
	}
	if (mock->result->kind == ABT_JSON_STRING) {
		mock->bytes = mock->result->text;
		return 0;
	}
	abt_buf_init(&buf, NULL, 64 << 20);
	abt_json_out_init(&out, &buf);
	abt_json_tree(&out, NULL, mock->result);
	if (!abt_json_out_failed(&out))
		mock->bytes =
		    abt_arena_copy(&function->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	if (mock->bytes.p != NULL)
		return 0;
	snprintf(why, size, "memory ran out");
	return -1;
}

static void
give(const struct mock *mock, struct abt_invocation *inv)
{
	if (abt_result_data(inv, mock->bytes) != 0)
		abt_result_fail(inv, ABT_RULE_NET_NO_MEMORY, "memory ran out");
	else if (mock->error)
		abt_result_error(inv);
	else
		abt_result_end(inv);
}

/* Late ones may be on any loop: the last to let go closes. */
static void
let_go(struct mock *mock)
{
	if (atomic_fetch_sub(&mock->holders, 1) == 1)
		abt_function_closed(mock->function);
}

static void
close_mock(void *self)
{
	let_go(self);
}

static void
on_time(struct abt_timer *timer)
{
	struct late *late = abt_container_of(timer, struct late, timer);
	struct abt_invocation *inv = late->inv;
	struct mock *mock = late->mock;

	abt_free(late);
	give(mock, inv);
	let_go(mock);
}

static void
invoke(void *self, struct abt_invocation *inv)
{
	struct mock *mock = self;
	struct late *late;

	if (mock->delay_ms <= 0) {
		give(mock, inv);
		return;
	}
	late = abt_malloc(sizeof(*late));
	if (late == NULL) {
		abt_result_fail(inv, ABT_RULE_NET_NO_MEMORY, "memory ran out");
		return;
	}
	atomic_fetch_add(&mock->holders, 1);
	late->mock = mock;
	late->inv = inv;
	abt_timer_init(&late->timer, on_time);
	abt_timer_set(inv->owner, &late->timer, mock->delay_ms);
}

/* clang-format off */
static const struct abt_option rows[] = {
	{ .name = "result", .kind = ABT_JSON,
	  .offset = offsetof(struct mock, result),
	  .help = "what is given back: a string as it is, anything else as JSON" },
	{ .name = "delay", .kind = ABT_DURATION,
	  .offset = offsetof(struct mock, delay_ms), .max = 900000,
	  .help = "how long it takes" },
	{ .name = "error", .kind = ABT_BOOL,
	  .offset = offsetof(struct mock, error),
	  .help = "give it back as the function's error" },
	ABT_OPTIONS_END,
};
/* clang-format on */

const struct abt_backend abt_backend_mock = {
	.name = "mock",
	.title = "a fixed result",
	.takes = ABT_EVENTS,
	.size = sizeof(struct mock),
	.options = rows,
	.main_option = "result",
	.open = open_mock,
	.invoke = invoke,
	.close = close_mock,
};
