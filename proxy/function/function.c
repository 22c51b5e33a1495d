/*
 * function.c - admission of a function: concurrency, queue, deadline
 *
 * Everything here happens on the function's home loop, so concurrency is exact
 * and the queue is fair without a lock.  An invocation from another loop comes
 * and goes as a letter; one from the home itself sends none.  A function that
 * is not counted has no home and runs where it is called.
 *
 * One timer serves all deadlines: they are equal in length, so the list of
 * running invocations is in the order of their ends, and so is the queue.
 */
#include "function/function_private.h"

#include <pthread.h>
#include <stdio.h>

#include "base/log.h"
#include "function/link.h"
#include "net/mail.h"

#define NO_LIMIT_MS 86400000 /* told to runtimes when there is no timeout */

/* ---- the way back ---- */

static void
call_done(struct abt_invocation *inv)
{
	if (inv->link != NULL)
		abt_link_done(inv);
	else
		inv->done(inv);
}

static void
on_returned(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_invocation *inv =
	    abt_container_of(letter, struct abt_invocation, letter);

	(void)loop;
	call_done(inv);
}

static void
give_back(struct abt_invocation *inv)
{
	struct abt_loop *home = inv->function->home;

	if (home == NULL || home == inv->owner) {
		call_done(inv);
		return;
	}
	inv->letter.deliver = on_returned;
	abt_mail_send(inv->owner, &inv->letter);
}

static void
unlink_running(struct abt_function *function, struct abt_invocation *inv)
{
	if (inv->prev == NULL)
		return;
	*inv->prev = inv->next;
	if (inv->next != NULL)
		inv->next->prev = inv->prev;
	else
		function->running_tail = inv->prev;
	inv->next = NULL;
	inv->prev = NULL;
}

static void
close_if_idle(struct abt_function *function)
{
	if (!function->closing || function->running > 0 || function->queued > 0)
		return;
	abt_timer_stop(&function->timer);
	if (function->backend->close != NULL)
		function->backend->close(function->self);
	else
		abt_function_closed(function);
}

static void
complete(struct abt_invocation *inv)
{
	struct abt_function *function = inv->function;
	bool admitted = function->home != NULL && inv->instance != inv;

	/* programs that know nothing of Lambda have no REPORT either */
	bool started =
	    inv->started_us > 0 && function->backend->takes == ABT_EVENTS;
	struct abt_last_lines last;

	if (!admitted) {
		give_back(inv);
		return;
	}
	if (started) {
		if (inv->rule == &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT])
			abt_function_log_timeout(inv);
		abt_function_keep_last_lines(inv, &last);
	}
	function->returning++; /* its place is free, the function is not idle */
	give_back(inv);        /* |inv| is the caller's again */
	function->returning--;
	function->running--;
	if (started)
		abt_function_log_last_lines(function, &last);
	abt_function_ready(function);
	close_if_idle(function);
}

void
abt_function_finish(struct abt_invocation *inv)
{
	struct abt_function *function = inv->function;
	struct abt_loop *loop =
	    function->home != NULL ? function->home : inv->owner;

	if (inv->finished)
		return;
	inv->finished = true;
	if (inv->link != NULL)
		abt_link_finish(inv);
	inv->ended_us = abt_loop_fresh_us(loop);
	/* What a failed one has printed stands before what its caller's loop,
	 * which holds lines of its own, says of it. */
	if (inv->rule != NULL && loop != inv->owner)
		abt_log_flush();
	unlink_running(function, inv);
	if (inv->pins == 0)
		complete(inv);
}

void
abt_function_pin(struct abt_invocation *inv)
{
	inv->pins++;
}

void
abt_function_unpin(struct abt_invocation *inv)
{
	if (--inv->pins == 0 && inv->finished)
		complete(inv);
}

/* ---- the way in ---- */

/* Refused before it was admitted. */
static void
refuse(struct abt_invocation *inv, enum abt_rule_id rule, const char *text)
{
	inv->instance = inv; /* never counted */
	abt_result_fail(inv, rule, text);
}

static int64_t
limit_of(const struct abt_function *function)
{
	/* Without a timeout: one environment, which a debugger may stop. */
	return function->options.timeout_ms == 0 &&
		       function->backend->takes == ABT_EVENTS
		   ? 1
		   : function->options.concurrency;
}

static bool
has_place(const struct abt_function *function)
{
	return function->running - function->returning < limit_of(function);
}

static void
want_timer(struct abt_function *function, int64_t at_us)
{
	int64_t now = abt_loop_now_us(function->home);
	int64_t at_ms = (at_us + 999) / 1000;

	if (abt_timer_is_set(&function->timer) &&
	    function->timer.at_ms <= at_ms)
		return;
	abt_timer_set(function->home, &function->timer,
	    at_us > now ? (at_us - now + 999) / 1000 : 0);
}

static void
enqueue(struct abt_function *function, struct abt_invocation *inv)
{
	if ((int64_t)function->queued >= function->options.queue.length) {
		refuse(inv, ABT_RULE_FUNCTION_THROTTLED,
		    "all environments are busy and the queue is full");
		return;
	}
	inv->next = NULL;
	*function->queue_tail = inv;
	function->queue_tail = &inv->next;
	function->queued++;
	want_timer(
	    function, inv->queued_us + function->options.queue.wait_ms * 1000);
}

static struct abt_invocation *
dequeue(struct abt_function *function)
{
	struct abt_invocation *inv = function->queue;

	function->queue = inv->next;
	if (function->queue == NULL)
		function->queue_tail = &function->queue;
	function->queued--;
	inv->next = NULL;
	return inv;
}

static void
start(struct abt_function *function, struct abt_invocation *inv)
{
	if (inv->link != NULL)
		abt_link_start(inv);
	else
		function->backend->invoke(function->self, inv);
}

static void
run(struct abt_function *function, struct abt_invocation *inv)
{
	function->running++;
	start(function, inv);
}

static void
admit(struct abt_function *function, struct abt_invocation *inv)
{
	inv->queued_us = abt_loop_now_us(function->home);
	if (function->queued == 0 && has_place(function))
		run(function, inv);
	else
		enqueue(function, inv);
}

void
abt_function_ready(struct abt_function *function)
{
	while (function->queued > 0 && has_place(function))
		run(function, dequeue(function));
}

static void
on_arrived(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_invocation *inv =
	    abt_container_of(letter, struct abt_invocation, letter);

	(void)loop;
	admit(inv->function, inv);
}

static void
begin(struct abt_invocation *inv, struct abt_function *function)
{
	inv->function = function;
	inv->result = NULL;
	inv->rule = NULL;
	inv->link = NULL;
	inv->response = NULL;
	inv->local_redirect = false;
	inv->stream_type = abt_bytes(NULL, 0);
	inv->function_error = false;
	inv->detail = NULL;
	inv->error_type[0] = '\0';
	inv->queued_us = inv->started_us = inv->ended_us = 0;
	inv->init_us = -1;
	inv->next = NULL;
	inv->prev = NULL;
	inv->instance = NULL;
	inv->deadline_us = inv->deadline_epoch_ms = 0;
	inv->used_mb = 0;
	inv->cold = inv->finished = false;
	inv->pins = 0;
}

void
abt_function_invoke(struct abt_function *function, struct abt_invocation *inv)
{
	begin(inv, function);
	if (inv->taker != NULL && abt_link_make(inv, function->home) != 0) {
		inv->rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
		inv->done(inv);
		return;
	}
	if (function->home == NULL) {
		inv->queued_us = inv->started_us = abt_loop_now_us(inv->owner);
		start(function, inv);
	} else if (function->home == inv->owner) {
		admit(function, inv);
	} else {
		inv->letter.deliver = on_arrived;
		abt_mail_send(function->home, &inv->letter);
	}
}

void
abt_function_started(struct abt_invocation *inv, int64_t init_us)
{
	struct abt_function *function = inv->function;
	int64_t timeout = function->options.timeout_ms;

	inv->started_us = abt_loop_fresh_us(function->home);
	inv->init_us = init_us;
	inv->cold = init_us >= 0;
	inv->deadline_epoch_ms = abt_loop_epoch_us(function->home) / 1000 +
				 (timeout > 0 ? timeout : NO_LIMIT_MS);
	if (timeout > 0) {
		inv->deadline_us = inv->started_us + timeout * 1000;
		want_timer(function, inv->deadline_us);
	}
	inv->next = NULL;
	inv->prev = function->running_tail;
	*function->running_tail = inv;
	function->running_tail = &inv->next;
}

/* ---- deadlines ---- */

static void
time_out(struct abt_function *function, struct abt_invocation *inv)
{
	int64_t ms = function->options.timeout_ms;
	char text[80];

	unlink_running(function, inv);
	if (function->backend->cancel != NULL)
		function->backend->cancel(function->self, inv);
	snprintf(text, sizeof(text), "Task timed out after %lld.%02lld seconds",
	    (long long)(ms / 1000), (long long)(ms % 1000 / 10));
	abt_result_crash(
	    inv, ABT_RULE_FUNCTION_TIMED_OUT, "Sandbox.Timedout", text, text);
}

static void
expire_queue(struct abt_function *function, int64_t now)
{
	int64_t wait_us = function->options.queue.wait_ms * 1000;

	while (function->queue != NULL) {
		if (function->queue->queued_us + wait_us > now) {
			want_timer(
			    function, function->queue->queued_us + wait_us);
			return;
		}
		refuse(dequeue(function), ABT_RULE_FUNCTION_THROTTLED,
		    "it waited too long for an environment");
	}
}

void
abt_function_on_timer(struct abt_timer *timer)
{
	struct abt_function *function =
	    abt_container_of(timer, struct abt_function, timer);
	int64_t now = abt_loop_fresh_us(function->home);
	struct abt_invocation *inv;

	while ((inv = function->running_list) != NULL && inv->deadline_us > 0 &&
	       inv->deadline_us <= now)
		time_out(function, inv);
	if (inv != NULL && inv->deadline_us > 0)
		want_timer(function, inv->deadline_us);
	expire_queue(function, now);
	close_if_idle(function);
}

/* ---- refresh and close, from any loop ---- */

static bool
is_here(const struct abt_loop *loop)
{
	return loop->thread == 0 || loop->thread == (uint64_t)pthread_self();
}

static void
refresh_here(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_function *function =
	    abt_container_of(letter, struct abt_function, refresh_letter);

	(void)loop;
	function->refreshing = false;
	if (!function->closing && function->backend->refresh != NULL)
		function->backend->refresh(function->self);
}

void
abt_function_refresh(struct abt_function *function)
{
	if (function->home == NULL)
		return;
	if (is_here(function->home)) {
		if (!function->closing && function->backend->refresh != NULL)
			function->backend->refresh(function->self);
		return;
	}
	if (atomic_exchange(&function->refreshing, true))
		return; /* one is under way */
	function->refresh_letter.deliver = refresh_here;
	abt_mail_send(function->home, &function->refresh_letter);
}

static void
close_here(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_function *function =
	    abt_container_of(letter, struct abt_function, letter);

	(void)loop;
	function->closing = true;
	close_if_idle(function);
}

void
abt_function_close(struct abt_function *function,
    void (*closed)(struct abt_function *, void *), void *context)
{
	function->closed = closed;
	function->closed_context = context;
	if (function->home == NULL || is_here(function->home)) {
		close_here(function->home, &function->letter);
		return;
	}
	function->letter.deliver = close_here;
	abt_mail_send(function->home, &function->letter);
}

void
abt_function_closed(struct abt_function *function)
{
	if (function->closed != NULL)
		function->closed(function, function->closed_context);
}
