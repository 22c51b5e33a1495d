/*
 * function.c - admission of a function: concurrency, queue, deadline, log lines
 *
 * Everything here happens on the function's home loop, so concurrency is exact
 * and the queue is fair without a lock.  An invocation from another loop comes
 * and goes as a letter; one from the home itself sends none.  A function that
 * is not counted has no home and runs where it is called.
 *
 * One timer serves all deadlines: they are equal in length, so the list of
 * running invocations is in the order of their ends, and so is the queue.
 */
#include "function/function.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "net/mail.h"

#define NO_LIMIT_MS 86400000 /* told to runtimes when there is no timeout */

/* clang-format off */
static const struct abt_option queue_rows[] = {
	{ .name = "length", .kind = ABT_INT, .preset = "1000",
	  .offset = offsetof(struct abt_queue_options, length),
	  .max = 1000000,
	  .help = "how many events may wait for an environment; 0 refuses them at once" },
	{ .name = "wait", .kind = ABT_DURATION, .preset = "10s",
	  .offset = offsetof(struct abt_queue_options, wait_ms),
	  .max = 900000,
	  .help = "how long an event may wait for an environment" },
	ABT_OPTIONS_END,
};

#define AT(member) offsetof(struct abt_function_options, member)
const struct abt_option abt_function_option_rows[] = {
	{ .name = "timeout", .kind = ABT_DURATION, .offset = AT(timeout_ms),
	  .preset = "3s", .max = 900000, .flag = "timeout", .argument = "TIME",
	  .help = "how long the function may work on an event; 0 sets no limit and runs one environment (for debuggers)" },
	{ .name = "memory", .kind = ABT_INT, .offset = AT(memory_mb),
	  .preset = "128", .min = 128, .max = 32768, .flag = "memory",
	  .argument = "MB",
	  .help = "memory size in MB that the function is told; it is not enforced" },
	{ .name = "concurrency", .kind = ABT_INT, .offset = AT(concurrency),
	  .preset = "10", .min = 1, .max = 4000, .flag = "concurrency",
	  .argument = "N",
	  .help = "how many environments may run at once" },
	{ .name = "queue", .kind = ABT_TABLE, .offset = AT(queue),
	  .table = queue_rows,
	  .help = "events that wait while all environments are busy" },
	{ .name = "environment", .kind = ABT_MAP, .offset = AT(environment),
	  .flag = "env", .argument = "KEY=VALUE",
	  .help = "environment variables of the function",
	  .flags = ABT_OPTION_SECRET },
	{ .name = "env_file", .kind = ABT_PATH, .offset = AT(env_file),
	  .flag = "env-file", .argument = "FILE",
	  .help = "a file of KEY=VALUE lines with more environment variables" },
	{ .name = "region", .kind = ABT_STRING, .offset = AT(region),
	  .preset = "us-east-1", .flag = "region", .argument = "NAME",
	  .help = "the region in the function's ARN and environment" },
	{ .name = "account", .kind = ABT_STRING, .offset = AT(account),
	  .preset = "123456789012",
	  .help = "the account number in the function's ARN" },
	{ .name = "version", .kind = ABT_STRING, .offset = AT(version),
	  .preset = "$LATEST",
	  .help = "the function's version" },
	{ .name = "root", .kind = ABT_PATH, .offset = AT(root), .preset = ".",
	  .flag = "root", .argument = "FOLDER",
	  .help = "the function's folder: LAMBDA_TASK_ROOT and working directory" },
	{ .name = "handler", .kind = ABT_STRING, .offset = AT(handler),
	  .help = "the handler, as in app.handler" },
	{ .name = "credentials", .kind = ABT_BOOL, .offset = AT(credentials),
	  .flag = "credentials",
	  .help = "pass on the AWS credentials of our own environment" },
	ABT_OPTIONS_END,
};
#undef AT
/* clang-format on */

/* ---- making and ending ---- */

static int
set_texts(struct abt_function *function, const char *name)
{
	struct abt_function_options *options = &function->options;
	struct abt_bytes arn;

	if (options->region.n == 0)
		options->region = ABT_BYTES("us-east-1");
	if (options->account.n == 0)
		options->account = ABT_BYTES("123456789012");
	if (options->version.n == 0)
		options->version = ABT_BYTES("$LATEST");
	function->name = abt_arena_text(&function->arena, abt_bytes_text(name));
	arn = abt_arena_printf(&function->arena,
	    "arn:aws:lambda:%.*s:%.*s:function:%s", ABT_FMT(options->region),
	    ABT_FMT(options->account), name);
	function->arn = (char *)(uintptr_t)arn.p;
	return abt_arena_failed(&function->arena) ? -1 : 0;
}

static void on_timer(struct abt_timer *timer);

struct abt_function *
abt_function_new(const char *name, const struct abt_function_options *options,
    const struct abt_backend *backend, void *self, struct abt_arena *arena)
{
	struct abt_function *function = abt_calloc(1, sizeof(*function));

	if (function == NULL)
		return NULL;
	function->options = *options;
	function->arena = *arena;
	function->backend = backend;
	function->self = self;
	function->queue_tail = &function->queue;
	function->running_tail = &function->running_list;
	abt_timer_init(&function->timer, on_timer);
	if (set_texts(function, name) != 0) {
		*arena = function->arena; /* still the caller's */
		abt_free(function);
		return NULL;
	}
	memset(arena, 0, sizeof(*arena));
	return function;
}

/* The folder as an absolute name: processes of other folders ask for it. */
static int
resolve_root(struct abt_function *function, char *why, size_t size)
{
	struct abt_bytes *root = &function->options.root;
	const char *given =
	    root->n > 0 ? abt_arena_text(&function->arena, *root) : ".";
	char full[PATH_MAX];

	if (given == NULL || realpath(given, full) == NULL) {
		snprintf(why, size,
		    "the folder \"%s\" of function %s cannot be found",
		    given != NULL ? given : "", function->name);
		return -1;
	}
	*root = abt_arena_copy(&function->arena, abt_bytes_text(full));
	return abt_arena_failed(&function->arena) ? -1 : 0;
}

int
abt_function_open(struct abt_function *function, struct abt_loop *home,
    char *why, size_t size)
{
	function->home = function->backend->counted ? home : NULL;
	if (function->home != NULL &&
	    (resolve_root(function, why, size) != 0 ||
		abt_function_check_environment(
		    &function->options.environment, why, size) != 0))
		return -1;
	if (function->backend->open == NULL)
		return 0;
	return function->backend->open(function->self, function, why, size);
}

void
abt_function_free(struct abt_function *function)
{
	struct abt_arena arena;

	if (function == NULL)
		return;
	arena = function->arena;
	abt_free(function->content);
	abt_free(function);
	abt_arena_end(&arena);
}

int
abt_function_log_stream(
    const struct abt_function *function, char *out, size_t size)
{
	unsigned char random[16];
	char hex[33];
	int year, month, day;

	if (abt_random(random, sizeof(random)) != 0)
		return -1;
	abt_id_hex(hex, random, sizeof(random));
	abt_date_civil(abt_clock_epoch_us() / 1000000, &year, &month, &day);
	snprintf(out, size, "%04d/%02d/%02d/[%.*s]%s", year, month, day,
	    ABT_FMT(function->options.version), hex);
	return 0;
}

/* ---- log lines (lambda.md 2.6) ---- */

void
abt_function_log(const struct abt_function *function, const char *request_id,
    const char *format, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	if (n > 0)
		abt_log_platform(
		    function->name, request_id, abt_bytes(line, (size_t)n));
}

/* R2.66 */
static void
log_timeout(const struct abt_invocation *inv)
{
	char date[ABT_ISO_SIZE];
	int64_t ms = inv->function->options.timeout_ms;

	abt_date_iso_ms(date, abt_clock_epoch_us());
	abt_function_log(inv->function, inv->request_id,
	    "%s %s Task timed out after %lld.%02lld seconds", date,
	    inv->request_id, (long long)(ms / 1000),
	    (long long)(ms % 1000 / 10));
}

/* What is logged at the end, kept because |inv| is given back first. */
struct last_lines {
	char request_id[40];
	char report[512];
};

static void
keep_last_lines(const struct abt_invocation *inv, struct last_lines *last)
{
	struct abt_report_line line = {
		.request_id = inv->request_id,
		.duration_us = inv->ended_us - inv->started_us,
		.init_us = inv->init_us,
		.memory_mb = inv->function->options.memory_mb,
		.max_used_mb = inv->used_mb,
		.timeout_ms = inv->function->options.timeout_ms,
		.billed_includes_init = true, /* since August 2025 (R2.67) */
	};
	size_t n;

	line.timed_out = inv->rule == &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT];
	if (inv->rule != NULL && inv->error_type[0] != '\0' &&
	    inv->rule != &abt_rules[ABT_RULE_FUNCTION_ERROR])
		line.error_type = inv->error_type;
	snprintf(
	    last->request_id, sizeof(last->request_id), "%s", inv->request_id);
	n = abt_report_line(last->report, sizeof(last->report), &line);
	last->report[n > 0 ? n - 1 : 0] = '\0'; /* the log ends the line */
}

static void
log_last_lines(
    const struct abt_function *function, const struct last_lines *last)
{
	char end[64];

	snprintf(end, sizeof(end), "END RequestId: %s", last->request_id);
	abt_log_platform(function->name, last->request_id, abt_bytes_text(end));
	abt_log_platform(
	    function->name, last->request_id, abt_bytes_text(last->report));
}

/* ---- the way back ---- */

static void
on_returned(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_invocation *inv =
	    abt_container_of(letter, struct abt_invocation, letter);

	(void)loop;
	inv->done(inv);
}

static void
give_back(struct abt_invocation *inv)
{
	struct abt_loop *home = inv->function->home;

	if (home == NULL || home == inv->owner) {
		inv->done(inv);
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

	bool started = inv->started_us > 0;
	struct last_lines last;

	if (!admitted) {
		give_back(inv);
		return;
	}
	if (started) {
		if (inv->rule == &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT])
			log_timeout(inv);
		keep_last_lines(inv, &last);
	}
	function->returning++; /* its place is free, the function is not idle */
	give_back(inv);        /* |inv| is the caller's again */
	function->returning--;
	function->running--;
	if (started)
		log_last_lines(function, &last);
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
	inv->ended_us = abt_loop_fresh_us(loop);
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
	return function->options.timeout_ms == 0
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
run(struct abt_function *function, struct abt_invocation *inv)
{
	function->running++;
	function->backend->invoke(function->self, inv);
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
	if (function->home == NULL) {
		inv->queued_us = inv->started_us = abt_loop_now_us(inv->owner);
		function->backend->invoke(function->self, inv);
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
	inv->deadline_epoch_ms =
	    abt_clock_epoch_us() / 1000 + (timeout > 0 ? timeout : NO_LIMIT_MS);
	if (timeout > 0) {
		inv->deadline_us = inv->started_us + timeout * 1000;
		want_timer(function, inv->deadline_us);
	}
	inv->next = NULL;
	inv->prev = function->running_tail;
	*function->running_tail = inv;
	function->running_tail = &inv->next;
}

void
abt_function_log_start(const struct abt_invocation *inv)
{
	const struct abt_bytes parts[] = { ABT_BYTES("START RequestId: "),
		abt_bytes_text(inv->request_id), ABT_BYTES(" Version: "),
		inv->function->options.version };
	char line[512];
	size_t n = 0, i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t room = sizeof(line) - n;
		size_t more = parts[i].n < room ? parts[i].n : room;

		if (more > 0)
			memcpy(line + n, parts[i].p, more);
		n += more;
	}
	abt_log_platform(
	    inv->function->name, inv->request_id, abt_bytes(line, n));
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

static void
on_timer(struct abt_timer *timer)
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
