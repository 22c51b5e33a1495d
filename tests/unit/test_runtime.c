/*
 * test_runtime.c - instances of a runtime function, with a runtime client that
 * is this program itself and does what its events say
 *
 * The shared cases (tests/cases/lambda) cover the API's answers; here are the
 * lives and deaths of processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "function/process.h"
#include "function/runtime.h"
#include "lib/function_world.h"

/* ---- the runtime client ---- */

static int
dial(void)
{
	const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (api == NULL)
		_exit(90);
	address.sin_port =
	    htons((uint16_t)strtol(strchr(api, ':') + 1, NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		_exit(91);
	return fd;
}

static void
send_text(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(92);
}

/* One response: its body at |body|.  Returns the status; 0: closed. */
static int
read_response(int fd, char *head, size_t size, char **body)
{
	size_t n = 0;
	ssize_t got;

	for (;;) {
		char *end, *length;

		head[n] = '\0';
		end = strstr(head, "\r\n\r\n");
		length = strstr(head, "Content-Length: ");
		if (end != NULL) {
			size_t want =
			    length != NULL ? strtoul(length + 16, NULL, 10) : 0;

			*body = end + 4;
			if (n >= (size_t)(*body - head) + want)
				return (int)strtol(head + 9, NULL, 10);
		}
		got = read(fd, head + n, size - 1 - n);
		if (got <= 0)
			return 0;
		n += (size_t)got;
	}
}

static void
post(int fd, const char *path, const char *body)
{
	char text[2000];

	snprintf(text, sizeof(text),
	    "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    path, strlen(body), body);
	send_text(fd, text);
}

static bool
said(const char *event, const char *word)
{
	return strncmp(event, word, strlen(word)) == 0;
}

/* Do what |event| says; true: go on polling. */
static bool
obey(int fd, const char *id, const char *event)
{
	char path[100], answer[600], *body;

	snprintf(path, sizeof(path), "invocation/%s/response", id);
	snprintf(answer, sizeof(answer), "%.200s %d", event, (int)getpid());
	if (said(event, "exit "))
		_exit((int)strtol(event + 5, NULL, 10));
	if (said(event, "kill "))
		raise((int)strtol(event + 5, NULL, 10));
	if (said(event, "hang"))
		sleep(100);
	if (said(event, "half")) {
		char text[300];

		snprintf(text, sizeof(text),
		    "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: h\r\n"
		    "Content-Length: 1000\r\n\r\nhalf",
		    path);
		send_text(fd, text);
		_exit(4);
	}
	if (said(event, "drop")) { /* half a response, and life goes on */
		int other = dial();
		char text[300];

		snprintf(text, sizeof(text),
		    "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: h\r\n"
		    "Content-Length: 1000\r\n\r\nhalf",
		    path);
		send_text(other, text);
		close(other);
		sleep(100);
	}
	if (said(event, "post and exit")) {
		post(fd, path, answer);
		_exit(5);
	}
	if (said(event, "sleep "))
		usleep((unsigned)strtol(event + 6, NULL, 10) * 1000);
	if (said(event, "print "))
		printf("%s\n", event + 6);
	fflush(stdout);
	if (said(event, "error"))
		snprintf(path, sizeof(path), "invocation/%s/error", id);
	post(fd, path, answer);
	if (read_response(fd, answer, sizeof(answer), &body) != 202)
		_exit(93);
	if (said(event, "never back"))
		sleep(100);
	return !said(event, "then exit");
}

static int
runtime_main(const char *how)
{
	char head[8000], id[64] = "", *body, *at;
	int fd;

	if (said(how, "die"))
		return 3;
	if (said(how, "slow"))
		usleep((unsigned)strtol(how + 4, NULL, 10) * 1000);
	if (said(how, "stuck once") && access("stuck", F_OK) != 0) {
		fclose(fopen("stuck", "w"));
		sleep(100);
	}
	fd = dial();
	if (said(how, "lose poll") && access("stuck", F_OK) != 0) {
		fclose(fopen("stuck", "w"));
		send_text(fd, "GET /2018-06-01/runtime/invocation/next "
			      "HTTP/1.1\r\nHost: h\r\n\r\n");
		close(fd);
		sleep(100);
	}
	unlink("stuck");
	if (said(how, "init error")) {
		post(fd, "init/error", "{\"errorType\":\"Mine\"}");
		read_response(fd, head, sizeof(head), &body);
		return 1;
	}
	do {
		send_text(fd, "GET /2018-06-01/runtime/invocation/next "
			      "HTTP/1.1\r\nHost: h\r\nUser-Agent: test/1\r\n"
			      "\r\n");
		if (said(how, "reads nothing"))
			sleep(100);
		if (read_response(fd, head, sizeof(head), &body) != 200)
			return 94;
		at = strstr(head, "Lambda-Runtime-Aws-Request-Id: ");
		snprintf(id, sizeof(id), "%.36s", at != NULL ? at + 31 : "");
	} while (obey(fd, id, body));
	return 6;
}

/* ---- the tests ---- */

static char self[4096], folder[] = "/tmp/albatross-test-XXXXXX";

static struct abt_function *
open_function(const char *how, int64_t timeout_ms, int64_t concurrency)
{
	struct abt_function_options options = {
		.timeout_ms = timeout_ms,
		.concurrency = concurrency,
		.queue = { .length = 100000, .wait_ms = 60000 },
	};
	const char *words[] = { self, "--runtime", how, NULL };

	return fw_function("runtime", &options, folder, NULL, words);
}

static void
ask(struct flight *flight, struct abt_function *function, const char *event)
{
	assert_true(flight_run(flight, function, event, 10000));
}

static void
expect_exit(const struct flight *flight, const char *words)
{
	char expected[300];

	snprintf(expected, sizeof(expected),
	    "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId:"
	    " %s Error: %s\"}",
	    flight->id, words);
	assert_string_equal(flight->payload, expected);
	assert_true(flight->inv.function_error);
	assert_ptr_equal(flight->inv.rule, &abt_rules[ABT_RULE_FUNCTION_EXIT]);
}

/* The pid behind the last blank of the payload. */
static long
pid_of(const struct flight *flight)
{
	const char *blank = strrchr(flight->payload, ' ');

	assert_null(flight->inv.rule);
	assert_non_null(blank);
	return strtol(blank + 1, NULL, 10);
}

static void
test_warm(void **state)
{
	struct abt_function *function = open_function("", 3000, 4);
	struct flight one, two;

	(void)state;
	ask(&one, function, "a");
	ask(&two, function, "b");
	assert_int_equal(pid_of(&one), pid_of(&two));
	assert_true(one.inv.init_us > 0);
	assert_true(one.inv.cold);
	assert_int_equal(two.inv.init_us, -1);
	ask(&two, function, "error x");
	assert_true(two.inv.function_error);
	assert_non_null(strstr(two.payload, "error x"));
	ask(&two, function, "c");
	assert_int_equal(pid_of(&one), pid_of(&two)); /* R2.51 */
	ask(&two, function, "print hello");
	assert_non_null(strstr(fw_log(), "hello"));
	fw_close(function);
}

static void
test_exits(void **state)
{
	struct abt_function *function = open_function("", 3000, 4);
	struct flight flight;

	(void)state;
	ask(&flight, function, "exit 0");
	expect_exit(&flight, "Runtime exited without providing a reason");
	ask(&flight, function, "exit 3");
	expect_exit(&flight, "Runtime exited with error: exit status 3");
	ask(&flight, function, "kill 9");
	expect_exit(&flight, "Runtime exited with error: signal: killed");
	ask(&flight, function, "half");
	assert_true(flight.inv.function_error);
	ask(&flight, function, "ok");
	pid_of(&flight);
	fw_close(function);
}

/* The answer of a process that exits at once is not lost (R2.45). */
static void
test_answer_then_exit(void **state)
{
	struct abt_function *function = open_function("", 3000, 1);
	struct flight flight;

	(void)state;
	for (int i = 0; i < 20; i++) {
		ask(&flight, function,
		    i % 2 == 0 ? "post and exit" : "then exit");
		pid_of(&flight);
	}
	fw_close(function);
}

static void
test_truncated(void **state)
{
	struct abt_function *function = open_function("", 3000, 1);
	struct flight flight;

	(void)state;
	ask(&flight, function, "drop");
	assert_ptr_equal(
	    flight.inv.rule, &abt_rules[ABT_RULE_FUNCTION_TRUNCATED]);
	assert_string_equal(flight.inv.error_type, "Runtime.TruncatedResponse");
	ask(&flight, function, "ok");
	pid_of(&flight);
	fw_close(function);
}

static void
test_timeout(void **state)
{
	struct abt_function *function = open_function("", 300, 2);
	struct flight one, two;

	(void)state;
	ask(&one, function, "a");
	ask(&two, function, "hang");
	assert_ptr_equal(two.inv.rule, &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT]);
	ask(&two, function, "b");
	assert_true(pid_of(&one) != pid_of(&two));
	fw_close(function);
}

/* Answered, and never back: replaced after the time limit (R2.46). */
static void
test_never_back(void **state)
{
	struct abt_function *function = open_function("", 400, 1);
	struct flight one, two;

	(void)state;
	ask(&one, function, "never back");
	ask(&two, function, "b");
	assert_true(pid_of(&one) != pid_of(&two));
	fw_close(function);
}

static void
test_init_failures(void **state)
{
	struct abt_function *function = open_function("die", 3000, 2);
	struct flight flight, other;

	(void)state;
	flight_start(&other, function, "x");
	ask(&flight, function, "x");
	expect_exit(&flight, "Runtime exited with error: exit status 3");
	assert_non_null(strstr(flight.inv.detail, "never asked"));
	assert_true(fw_run(&other.done, 5000));
	expect_exit(&other, "Runtime exited with error: exit status 3");
	assert_non_null(strstr(fw_log(), "INIT_REPORT Init Duration: "));
	fw_close(function);
	function = open_function("init error", 3000, 2);
	ask(&flight, function, "x");
	assert_string_equal(flight.payload, "{\"errorType\":\"Mine\"}");
	assert_ptr_equal(flight.inv.rule, &abt_rules[ABT_RULE_FUNCTION_INIT]);
	ask(&flight, function, "x"); /* a fresh init again (R2.24) */
	assert_string_equal(flight.payload, "{\"errorType\":\"Mine\"}");
	fw_close(function);
}

/* The init phase takes too long: once more, inside the invocation (R2.21). */
static void
test_suppressed_init(void **state)
{
	struct abt_function *function = open_function("stuck once", 3000, 1);
	struct abt_runtime *runtime = function->self;
	struct flight flight;
	char file[200];

	(void)state;
	runtime->init_ms = 300;
	ask(&flight, function, "a");
	pid_of(&flight);
	assert_int_equal(flight.inv.init_us, -1);
	assert_non_null(strstr(fw_log(), "Phase: init"));
	fw_close(function);
	snprintf(file, sizeof(file), "%s/stuck", folder);
	unlink(file);
	/* The second init is under the function's own limit. */
	function = open_function("slow 100000", 300, 1);
	runtime = function->self;
	runtime->init_ms = 100;
	ask(&flight, function, "a");
	assert_ptr_equal(
	    flight.inv.rule, &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT]);
	fw_close(function);
}

static void
test_not_started(void **state)
{
	struct abt_function_options options = { .timeout_ms = 3000,
		.concurrency = 1 };
	const char *words[] = { "./no-such-bootstrap", NULL };
	struct abt_function *function =
	    fw_function("runtime", &options, folder, NULL, words);
	struct flight flight;

	(void)state;
	ask(&flight, function, "x");
	assert_ptr_equal(
	    flight.inv.rule, &abt_rules[ABT_RULE_FUNCTION_NOT_STARTED]);
	assert_non_null(strstr(flight.payload,
	    "Error: fork/exec ./no-such-bootstrap: no such file or "
	    "directory"));
	fw_close(function);
	function = fw_function("runtime", &options, folder, NULL, NULL);
	ask(&flight, function, "x");
	assert_non_null(strstr(flight.payload,
	    "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap "
	    "/opt/bootstrap]"));
	fw_close(function);
}

static void
test_concurrency(void **state)
{
	struct abt_function *function = open_function("", 5000, 3);
	struct abt_runtime *runtime = function->self;
	struct flight flights[9];

	(void)state;
	for (int i = 0; i < 9; i++)
		flight_start(&flights[i], function, "sleep 50");
	assert_int_equal(function->running, 3);
	assert_int_equal(function->queued, 6);
	for (int i = 0; i < 9; i++) {
		assert_true(fw_run(&flights[i].done, 5000));
		pid_of(&flights[i]);
	}
	assert_int_equal(runtime->alive, 3);
	/* One after another needs no more than is there. */
	for (int i = 0; i < 20; i++)
		ask(&flights[0], function, "a");
	assert_int_equal(runtime->alive, 3);
	fw_close(function);
}

/* One caller after another never needs a second process. */
static void
test_one_is_enough(void **state)
{
	struct abt_function *function = open_function("", 5000, 10);
	struct abt_runtime *runtime = function->self;
	struct flight flight;

	(void)state;
	for (int i = 0; i < 200; i++)
		ask(&flight, function, "a");
	assert_int_equal(runtime->alive, 1);
	fw_close(function);
}

static void
test_refresh(void **state)
{
	struct abt_function *function = open_function("", 5000, 4);
	struct flight one, two, running;

	(void)state;
	ask(&one, function, "a");
	flight_start(&running, function, "sleep 300");
	assert_false(fw_run(&running.done, 50));
	abt_function_refresh(function);
	ask(&two, function, "b");
	assert_true(pid_of(&one) != pid_of(&two));
	assert_true(fw_run(&running.done, 5000)); /* on the old code */
	assert_int_equal(pid_of(&one), pid_of(&running));
	ask(&one, function, "c");
	assert_int_equal(pid_of(&one), pid_of(&two));
	fw_close(function);
}

/* A process that dies while idle is noticed by nobody (P5). */
static void
test_idle_death(void **state)
{
	struct abt_function *function = open_function("", 5000, 4);
	struct flight one, two;

	(void)state;
	ask(&one, function, "a");
	kill((pid_t)pid_of(&one), SIGKILL);
	ask(&two, function, "b");
	if (two.inv.rule != NULL) /* it had the event already */
		expect_exit(&two, "Runtime exited with error: signal: killed");
	ask(&two, function, "b");
	assert_true(pid_of(&one) != pid_of(&two));
	fw_close(function);
}

/* 10,000 events, four processes, a crash every hundredth. */
static void
test_many(void **state)
{
	enum { EVENTS = 10000, FLIGHTS = 16 };
	struct abt_function *function = open_function("", 10000, 4);
	struct flight flights[FLIGHTS];
	int started = 0, good = 0, crashed = 0;
	int budget = getenv("TEST_EVENTS") != NULL
			 ? (int)strtol(getenv("TEST_EVENTS"), NULL, 10)
			 : EVENTS;

	(void)state;
	memset(flights, 0, sizeof(flights));
	while (good + crashed < budget) {
		for (int i = 0; i < FLIGHTS; i++) {
			if (flights[i].done == 1) {
				flights[i].done = 2;
				if (flights[i].inv.rule == NULL)
					good++;
				else
					crashed++;
			}
			if (flights[i].done != 1 && started < budget &&
			    (flights[i].done == 2 ||
				flights[i].inv.function == NULL)) {
				started++;
				flight_start(&flights[i], function,
				    started % 100 == 0 ? "exit 1" : "ok");
			}
		}
		for (int i = 0; i < FLIGHTS; i++)
			if (flights[i].inv.function != NULL &&
			    flights[i].done == 0) {
				assert_true(fw_run(&flights[i].done, 20000));
				break;
			}
	}
	assert_int_equal(crashed, budget / 100);
	assert_int_equal(good, budget - budget / 100);
	fw_close(function);
}

/* A client that loses its poll and does not come back is replaced. */
static void
test_lost_poll(void **state)
{
	struct abt_function *function = open_function("lose poll", 3000, 1);
	struct flight flight;
	int never = 0;

	(void)state;
	abt_function_refresh(
	    function); /* starts one before there is an event */
	fw_run(&never, 300);
	ask(&flight, function, "a");
	pid_of(&flight);
	fw_close(function);
}

/* A program that comes later is found when the code is read anew. */
static void
test_late_bootstrap(void **state)
{
	struct abt_function_options options = { .timeout_ms = 3000,
		.concurrency = 1 };
	struct abt_function *function =
	    fw_function("runtime", &options, folder, NULL, NULL);
	struct flight flight;
	char file[4200];

	(void)state;
	ask(&flight, function, "x");
	assert_ptr_equal(
	    flight.inv.rule, &abt_rules[ABT_RULE_FUNCTION_NOT_STARTED]);
	snprintf(file, sizeof(file), "%s/bootstrap", folder);
	assert_int_equal(symlink("/bin/false", file), 0);
	abt_function_refresh(function);
	ask(&flight, function, "x");
	expect_exit(&flight, "Runtime exited with error: exit status 1");
	unlink(file);
	fw_close(function);
}

/* While the server drains, what runs and what waits is still answered. */
static void
test_draining(void **state)
{
	struct abt_function *function = open_function("", 3000, 1);
	struct flight one, two, three;

	(void)state;
	ask(&one, function, "a");
	flight_start(&two, function, "sleep 50");
	flight_start(&three, function, "b");
	abt_loop_drain_conns(fw_loop());
	assert_true(fw_run(&two.done, 5000));
	assert_true(fw_run(&three.done, 5000));
	assert_int_equal(pid_of(&one), pid_of(&two));
	assert_int_equal(pid_of(&one), pid_of(&three));
	fw_loop()->draining = false;
	fw_close(function);
}

/* The deadline passes while the event is still being sent: the caller gets its
 * event back only when nobody reads it any more. */
static void
test_unread_event(void **state)
{
	struct abt_function *function = open_function("reads nothing", 300, 1);
	size_t size = 5 << 20;
	char *event = test_malloc(size + 1);
	struct flight flight;

	(void)state;
	memset(event, 'x', size);
	event[size] = '\0';
	ask(&flight, function, event);
	memset(event, 'y', size); /* it is ours again */
	assert_ptr_equal(
	    flight.inv.rule, &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT]);
	assert_int_equal(flight.done, 1);
	fw_close(function);
	test_free(event);
}

/* Each allocation fails once: the event is answered all the same, and the next
 * one is served. */
static void
test_no_memory(void **state)
{
	struct flight flight;
	unsigned long n, asked = 1;

	(void)state;
	for (n = 1; n <= asked; n++) {
		struct abt_function *function = open_function("", 2000, 1);

		abt_memory_fail_at(n);
		ask(&flight, function, "a");
		asked = abt_memory_asked();
		abt_memory_fail_at(0);
		assert_int_equal(flight.done, 1);
		ask(&flight, function, "b");
		if (flight.inv.rule != NULL)
			ask(&flight, function, "b");
		pid_of(&flight);
		fw_close(function);
	}
	assert_true(n > 5);
}

static int
begin(void **state)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	return n > 0 && mkdtemp(folder) != NULL ? 0 : -1;
}

static int
finish(void **state)
{
	(void)state;
	fw_end();
	return rmdir(folder);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warm),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_answer_then_exit),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_never_back),
		cmocka_unit_test(test_init_failures),
		cmocka_unit_test(test_suppressed_init),
		cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_concurrency),
		cmocka_unit_test(test_one_is_enough),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_idle_death),
		cmocka_unit_test(test_lost_poll),
		cmocka_unit_test(test_late_bootstrap),
		cmocka_unit_test(test_draining),
		cmocka_unit_test(test_unread_event),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_many),
	};

	if (argc > 1 && strcmp(argv[1], "--runtime") == 0)
		return runtime_main(argc > 2 ? argv[2] : "");
	return cmocka_run_group_tests(tests, begin, finish);
}
