/*
 * test_function.c - admission, queue and deadlines, with a backend that does
 * what the test says
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "lib/function_world.h"
#include "net/mail.h"

/* A backend that keeps what it gets. */
struct puppet {
	struct abt_function *function;
	struct abt_invocation *held[16];
	unsigned count, cancelled, refreshed;
	bool closed;
};

static int
puppet_open(void *self, struct abt_function *function, char *why, size_t size)
{
	struct puppet *puppet = self;

	(void)why;
	(void)size;
	puppet->function = function;
	return 0;
}

static void
puppet_invoke(void *self, struct abt_invocation *inv)
{
	struct puppet *puppet = self;

	puppet->held[puppet->count++] = inv;
	abt_function_started(inv, -1);
	abt_function_log_start(inv);
}

static void
puppet_cancel(void *self, struct abt_invocation *inv)
{
	struct puppet *puppet = self;

	(void)inv;
	puppet->cancelled++;
}

static void
puppet_refresh(void *self)
{
	((struct puppet *)self)->refreshed++;
}

static void
puppet_close(void *self)
{
	struct puppet *puppet = self;

	puppet->closed = true;
	abt_function_closed(puppet->function);
}

static const struct abt_backend puppets = {
	.name = "puppet",
	.size = sizeof(struct puppet),
	.counted = true,
	.open = puppet_open,
	.invoke = puppet_invoke,
	.cancel = puppet_cancel,
	.refresh = puppet_refresh,
	.close = puppet_close,
};

static const struct abt_rule *
rule(enum abt_rule_id id)
{
	return &abt_rules[id];
}

static void
answer(struct abt_invocation *inv, const char *text)
{
	assert_int_equal(abt_result_data(inv, abt_bytes_text(text)), 0);
	abt_result_end(inv);
}

static void
test_concurrency_and_queue(void **state)
{
	struct abt_function_options options = {
		.timeout_ms = 3000,
		.concurrency = 2,
		.queue = { .length = 1, .wait_ms = 10000 },
	};
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, &options, &puppet);
	struct flight flights[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		flight_start(&flights[i], function, "{}");
	assert_int_equal(puppet.count, 2); /* two run, one waits */
	assert_int_equal(function->queued, 1);
	assert_int_equal(flights[3].done, 1); /* one too many */
	assert_ptr_equal(
	    flights[3].inv.rule, rule(ABT_RULE_FUNCTION_THROTTLED));
	assert_false(flights[3].inv.function_error);
	answer(puppet.held[0], "{\"a\":1}");
	assert_int_equal(flights[0].done, 1);
	assert_string_equal(flights[0].payload, "{\"a\":1}");
	assert_null(flights[0].inv.rule);
	assert_int_equal(puppet.count, 3);
	assert_ptr_equal(puppet.held[2], &flights[2].inv);
	answer(puppet.held[1], "");
	answer(puppet.held[2], "3");
	assert_int_equal(flights[1].done, 1);
	assert_int_equal(flights[1].size, 0);
	assert_int_equal(function->running, 0);
	fw_close(function);
	assert_true(puppet.closed);
}

static void
test_shedding(void **state)
{
	struct abt_function_options options = { .timeout_ms = 3000,
		.concurrency = 1 };
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, &options, &puppet);
	struct flight one, two;

	(void)state;
	flight_start(&one, function, "{}");
	flight_start(&two, function, "{}");
	assert_ptr_equal(two.inv.rule, rule(ABT_RULE_FUNCTION_THROTTLED));
	answer(puppet.held[0], "1");
	flight_start(&two, function, "{}");
	assert_int_equal(puppet.count, 2);
	answer(puppet.held[1], "2");
	fw_close(function);
}

static void
test_queue_wait(void **state)
{
	struct abt_function_options options = {
		.timeout_ms = 3000,
		.concurrency = 1,
		.queue = { .length = 5, .wait_ms = 100 },
	};
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, &options, &puppet);
	struct flight one, two;

	(void)state;
	flight_start(&one, function, "{}");
	assert_true(!flight_run(&two, function, "{}", 20));
	assert_true(fw_run(&two.done, 1000));
	assert_ptr_equal(two.inv.rule, rule(ABT_RULE_FUNCTION_THROTTLED));
	assert_int_equal(one.done, 0);
	answer(puppet.held[0], "1");
	fw_close(function);
}

static void
test_timeout(void **state)
{
	struct abt_function_options options = { .timeout_ms = 150,
		.concurrency = 4 };
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, &options, &puppet);
	struct flight flight;
	char expected[200];

	(void)state;
	assert_true(flight_run(&flight, function, "{}", 2000));
	assert_int_equal(puppet.cancelled, 1);
	assert_ptr_equal(flight.inv.rule, rule(ABT_RULE_FUNCTION_TIMED_OUT));
	assert_true(flight.inv.function_error);
	assert_string_equal(flight.inv.error_type, "Sandbox.Timedout");
	snprintf(expected, sizeof(expected),
	    "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
	    "%s Error: Task timed out after 0.15 seconds\"}",
	    flight.id);
	assert_string_equal(flight.payload, expected);
	assert_true(flight.inv.ended_us - flight.inv.started_us >= 150000);
	assert_non_null(strstr(fw_log(), "Task timed out after 0.15 seconds"));
	assert_non_null(strstr(fw_log(), "Status: timeout"));
	fw_close(function);
}

/* Without a time limit there is one environment, and nothing is cut off. */
static void
test_no_timeout(void **state)
{
	struct abt_function_options options = {
		.timeout_ms = 0,
		.concurrency = 10,
		.queue = { .length = 5, .wait_ms = 10000 },
	};
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, &options, &puppet);
	struct flight one, two;

	(void)state;
	flight_start(&one, function, "{}");
	flight_start(&two, function, "{}");
	assert_int_equal(puppet.count, 1);
	assert_false(fw_run(&one.done, 300));
	assert_int_equal(one.inv.deadline_us, 0);
	assert_true(one.inv.deadline_epoch_ms > 0);
	answer(puppet.held[0], "1");
	answer(puppet.held[1], "2");
	fw_close(function);
}

/* A result is not given back while the event's bytes are being sent. */
static void
test_pin(void **state)
{
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, NULL, &puppet);
	struct flight flight;

	(void)state;
	flight_start(&flight, function, "{}");
	abt_function_pin(&flight.inv);
	abt_function_pin(&flight.inv);
	answer(puppet.held[0], "1");
	assert_int_equal(flight.done, 0);
	abt_function_unpin(&flight.inv);
	assert_int_equal(flight.done, 0);
	abt_function_unpin(&flight.inv);
	assert_int_equal(flight.done, 1);
	fw_close(function);
}

static void
test_errors(void **state)
{
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, NULL, &puppet);
	struct flight flight;

	(void)state;
	flight_start(&flight, function, "{}");
	abt_result_data(puppet.held[0], ABT_BYTES("{\"errorType\":"));
	abt_result_data(puppet.held[0], ABT_BYTES("\"X\"}"));
	abt_result_error(puppet.held[0]);
	assert_true(flight.inv.function_error);
	assert_ptr_equal(flight.inv.rule, rule(ABT_RULE_FUNCTION_ERROR));
	assert_string_equal(flight.payload, "{\"errorType\":\"X\"}");
	flight_start(&flight, function, "{}");
	abt_result_data(puppet.held[1], ABT_BYTES("half"));
	abt_result_fail(puppet.held[1], ABT_RULE_FUNCTION_GONE, "why");
	assert_false(flight.inv.function_error);
	assert_int_equal(flight.size, 0);
	assert_string_equal(flight.inv.detail, "why");
	fw_close(function);
}

/* What waits is served before the function closes. */
static void
test_close_waits(void **state)
{
	struct abt_function_options options = {
		.timeout_ms = 3000,
		.concurrency = 1,
		.queue = { .length = 5, .wait_ms = 10000 },
	};
	struct puppet puppet = { 0 };
	struct abt_function *function = fw_custom(&puppets, &options, &puppet);
	struct flight one, two;

	(void)state;
	flight_start(&one, function, "{}");
	flight_start(&two, function, "{}");
	abt_function_refresh(function);
	assert_int_equal(puppet.refreshed, 1);
	abt_function_close(function, NULL, NULL);
	assert_false(puppet.closed);
	answer(puppet.held[0], "1");
	assert_false(puppet.closed);
	answer(puppet.held[1], "2");
	assert_true(puppet.closed);
	assert_int_equal(two.done, 1);
	abt_function_free(function);
}

/* ---- letters ---- */

#define LETTERS 2000

struct sender {
	struct abt_loop *loop;
	struct abt_function *function;
	struct abt_mail begin;
	struct flight *flights;
	unsigned started, back, good;
};

static void
send_one(struct sender *sender)
{
	struct flight *flight = &sender->flights[sender->started++];

	flight->inv.owner = sender->loop;
	flight->inv.context = sender;
	flight->inv.event = ABT_BYTES("{}");
	flight->inv.request_id = "3f1a8c52-0d6e-4a57-9f0b-6b1f2f9c7a10";
	abt_function_invoke(sender->function, &flight->inv);
}

static void
on_back(struct abt_invocation *inv)
{
	struct sender *sender = inv->context;

	abt_loop_assert_mine(sender->loop);
	sender->back++;
	if (inv->rule == NULL && inv->result != NULL &&
	    inv->result->used == 4 && memcmp(inv->result->data, "true", 4) == 0)
		sender->good++;
	abt_chunk_end(sender->loop->pool, inv->result);
	if (sender->started < LETTERS)
		send_one(sender);
	else if (sender->back == LETTERS)
		abt_loop_stop(sender->loop);
}

static void
on_begin(struct abt_loop *loop, struct abt_mail *letter)
{
	struct sender *sender = abt_container_of(letter, struct sender, begin);

	(void)loop;
	for (unsigned i = 0; i < LETTERS; i++)
		sender->flights[i].inv.done = on_back;
	for (int i = 0; i < 32; i++)
		send_one(sender);
}

static void
prompt_invoke(void *self, struct abt_invocation *inv)
{
	(void)self;
	abt_function_started(inv, -1);
	answer(inv, "true");
}

static const struct abt_backend prompts = {
	.name = "prompt",
	.counted = true,
	.invoke = prompt_invoke,
};

static void *
run_sender(void *arg)
{
	abt_loop_run(((struct sender *)arg)->loop);
	return NULL;
}

/* Three loops lend to a fourth one, which is the home. */
static void
test_letters(void **state)
{
	struct abt_function_options options = {
		.timeout_ms = 3000,
		.concurrency = 3,
		.queue = { .length = 1000, .wait_ms = 10000 },
	};
	struct abt_function *function = fw_custom(&prompts, &options, NULL);
	struct sender senders[3];
	pthread_t threads[3];
	bool joined[3] = { false, false, false };
	int never = 0;

	(void)state;
	memset(senders, 0, sizeof(senders));
	for (unsigned i = 0; i < 3; i++) {
		senders[i].loop = abt_loop_new(i + 1);
		senders[i].function = function;
		senders[i].flights =
		    test_calloc(LETTERS, sizeof(struct flight));
		senders[i].begin.deliver = on_begin;
		abt_mail_send(senders[i].loop, &senders[i].begin);
		pthread_create(&threads[i], NULL, run_sender, &senders[i]);
	}
	/* The home runs here until the senders have it all back. */
	for (int rounds = 0; rounds < 100; rounds++) {
		unsigned out = 0;

		for (unsigned i = 0; i < 3; i++) {
			if (!joined[i] &&
			    pthread_tryjoin_np(threads[i], NULL) == 0)
				joined[i] = true;
			else
				out += !joined[i];
		}
		if (out == 0)
			break;
		fw_run(&never, 20);
		if (rounds == 99)
			fail_msg("letters were lost");
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(senders[i].back, LETTERS);
		assert_int_equal(senders[i].good, LETTERS);
		test_free(senders[i].flights);
		abt_loop_free(senders[i].loop);
	}
	assert_int_equal(function->running, 0);
	fw_close(function);
}

/* ---- mock and command ---- */

static void
test_mock(void **state)
{
	struct abt_function *function =
	    fw_function("mock", NULL, NULL, NULL, NULL);
	struct flight flight;

	(void)state;
	flight_start(&flight, function, "{}");
	assert_int_equal(flight.done, 1); /* in the same turn */
	assert_string_equal(flight.payload, "{}");
	fw_close(function);
}

static void
shell(const char *script, struct flight *flight, const char *event,
    int64_t timeout_ms)
{
	struct abt_function_options options = {
		.timeout_ms = timeout_ms,
		.concurrency = 4,
	};
	const char *const words[] = { "sh", "-c", script, NULL };
	struct abt_function *function =
	    fw_function("command", &options, "/", NULL, words);

	assert_true(flight_run(flight, function, event, 10000));
	fw_close(function);
}

static void
test_command(void **state)
{
	struct flight flight;
	char expected[300];

	(void)state;
	shell("cat; echo to the log >&2", &flight, "{\"a\":1}", 3000);
	assert_null(flight.inv.rule);
	assert_string_equal(flight.payload, "{\"a\":1}");
	assert_non_null(strstr(fw_log(), "to the log"));
	shell("exit 0", &flight, "{}", 3000);
	assert_null(flight.inv.rule);
	assert_int_equal(flight.size, 0);
	shell("echo -n half; exit 2", &flight, "{}", 3000);
	assert_ptr_equal(flight.inv.rule, rule(ABT_RULE_FUNCTION_EXIT));
	snprintf(expected, sizeof(expected),
	    "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId:"
	    " %s Error: Runtime exited with error: exit status 2\"}",
	    flight.id);
	assert_string_equal(flight.payload, expected);
	shell(
	    "echo '{\"errorMessage\":\"mine\"}'; exit 1", &flight, "{}", 3000);
	assert_true(flight.inv.function_error);
	assert_string_equal(flight.payload, "{\"errorMessage\":\"mine\"}\n");
	shell("kill -SEGV $$", &flight, "{}", 3000);
	assert_non_null(strstr(flight.payload, "signal: segmentation fault"));
	shell("env | grep -E 'ALBATROSS|RUNTIME_API'", &flight, "{}", 3000);
	assert_non_null(strstr(flight.payload, "ALBATROSS_REQUEST_ID="));
	assert_null(strstr(flight.payload, "AWS_LAMBDA_RUNTIME_API"));
}

static void
test_command_limits(void **state)
{
	struct flight flight;

	(void)state;
	shell("sleep 10", &flight, "{}", 200);
	assert_ptr_equal(flight.inv.rule, rule(ABT_RULE_FUNCTION_TIMED_OUT));
	shell("head -c 6291556 /dev/zero", &flight, "{}", 10000);
	assert_null(flight.inv.rule);
	assert_int_equal(flight.size, 6291556);
	shell("head -c 6291557 /dev/zero", &flight, "{}", 10000);
	assert_ptr_equal(flight.inv.rule, rule(ABT_RULE_FUNCTION_TOO_LARGE));
	assert_string_equal(
	    flight.inv.error_type, "Function.ResponseSizeTooLarge");
	/* A descendant that keeps the pipe open delays nobody for long. */
	shell("sleep 5 & echo done", &flight, "{}", 3000);
	assert_null(flight.inv.rule);
	assert_string_equal(flight.payload, "done\n");
	assert_true(flight.inv.ended_us - flight.inv.started_us < 1000000);
}

/* An event larger than any pipe, and one that nobody reads. */
static void
test_command_large_event(void **state)
{
	size_t size = 3 << 20;
	char *event = test_malloc(size + 1);
	struct flight flight;

	(void)state;
	memset(event, 'x', size);
	event[size] = '\0';
	shell("cat", &flight, event, 10000);
	assert_null(flight.inv.rule);
	assert_int_equal(flight.size, size);
	shell("echo unread", &flight, event, 10000);
	assert_null(flight.inv.rule);
	assert_string_equal(flight.payload, "unread\n");
	test_free(event);
}

static void
test_command_missing(void **state)
{
	const char *const words[] = { "/no/such/program", NULL };
	struct abt_function *function =
	    fw_function("command", NULL, "/", NULL, words);
	struct flight flight;

	(void)state;
	assert_true(flight_run(&flight, function, "{}", 3000));
	assert_ptr_equal(flight.inv.rule, rule(ABT_RULE_FUNCTION_NOT_STARTED));
	assert_non_null(strstr(flight.payload,
	    "Error: fork/exec /no/such/program: no such file or directory"));
	fw_close(function);
}

static void
test_command_no_memory(void **state)
{
	const char *const words[] = { "cat", NULL };
	unsigned long n, asked = 1;
	struct flight flight;

	(void)state;
	for (n = 1; n <= asked; n++) {
		struct abt_function *function =
		    fw_function("command", NULL, "/", NULL, words);

		abt_memory_fail_at(n);
		assert_true(flight_run(&flight, function, "{}", 5000));
		asked = abt_memory_asked();
		abt_memory_fail_at(0);
		assert_int_equal(flight.done, 1);
		assert_true(flight_run(&flight, function, "{}", 5000));
		assert_null(flight.inv.rule);
		assert_string_equal(flight.payload, "{}");
		fw_close(function);
	}
	assert_true(n > 5);
}

static int
end(void **state)
{
	(void)state;
	fw_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_concurrency_and_queue),
		cmocka_unit_test(test_shedding),
		cmocka_unit_test(test_queue_wait),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_no_timeout),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_close_waits),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_mock),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_limits),
		cmocka_unit_test(test_command_large_event),
		cmocka_unit_test(test_command_missing),
		cmocka_unit_test(test_command_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
