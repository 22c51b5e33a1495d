/*
 * test_process.c - the guard and its children, with real ones
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "function/process.h"
#include "lib/function_world.h"

struct child {
	struct abt_process *process;
	struct abt_output *output;
	int started, ended, closed;
	int error, status;
	long peak_kb;
	unsigned lines;
	char text[9000]; /* the last line */
	size_t length;
};

static void
on_started(struct abt_process *process, void *context, int error)
{
	struct child *child = context;

	child->started = 1;
	child->error = error;
	assert_true(error != 0 || abt_process_pid(process) > 0);
}

static void
on_ended(struct abt_process *process, void *context, int status,
    const struct rusage *usage)
{
	struct child *child = context;

	(void)process;
	child->ended = 1;
	child->status = status;
	child->peak_kb = usage->ru_maxrss;
}

static void
on_line(void *context, struct abt_bytes text)
{
	struct child *child = context;

	child->lines++;
	child->length = text.n;
	snprintf(child->text, sizeof(child->text), "%.*s", ABT_FMT(text));
}

static void
on_closed(void *context)
{
	((struct child *)context)->closed = 1;
}

static void
start_argv(struct child *child, const char *const *argv, char *const *envp,
    const char *directory)
{
	struct abt_process_start start = {
		.file = argv[0],
		.argv = (char *const *)(uintptr_t)argv,
		.envp = envp,
		.directory = directory,
		.stdin_fd = -1,
		.started = on_started,
		.ended = on_ended,
		.context = child,
	};
	int out;

	memset(child, 0, sizeof(*child));
	child->output =
	    abt_output_new(fw_loop(), &out, on_line, on_closed, child);
	assert_non_null(child->output);
	start.stdout_fd = start.stderr_fd = out;
	child->process = abt_process_new(fw_loop(), &start);
	assert_non_null(child->process);
}

static void
start(struct child *child, const char *script)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	char path[] = "PATH=/usr/bin:/bin";
	char *const envp[] = { path, NULL };

	start_argv(child, argv, envp, "/");
}

static void
end(struct child *child)
{
	abt_output_free(child->output);
	abt_process_free(child->process);
}

static void
test_output_and_status(void **state)
{
	struct child child;

	(void)state;
	start(&child, "echo one; echo two >&2; exit 7");
	assert_true(fw_run(&child.ended, 5000));
	assert_true(fw_run(&child.closed, 5000));
	assert_int_equal(child.error, 0);
	assert_true(WIFEXITED(child.status));
	assert_int_equal(WEXITSTATUS(child.status), 7);
	assert_int_equal(child.lines, 2);
	assert_string_equal(child.text, "two");
	assert_true(child.peak_kb > 0);
	end(&child);
	start(&child, "kill -TERM $$");
	assert_true(fw_run(&child.ended, 5000));
	assert_true(WIFSIGNALED(child.status));
	assert_int_equal(WTERMSIG(child.status), SIGTERM);
	end(&child);
}

static void
test_cannot_start(void **state)
{
	const char *argv[] = { "/no/such/program", NULL };
	char *const envp[] = { NULL };
	struct child child;

	(void)state;
	start_argv(&child, argv, envp, "/");
	assert_true(fw_run(&child.started, 5000));
	assert_int_equal(child.error, ENOENT);
	assert_int_equal(child.ended, 0);
	end(&child);
	argv[0] = "no-such-program-in-path";
	start_argv(&child, argv, envp, "/");
	assert_true(fw_run(&child.started, 5000));
	assert_int_equal(child.error, ENOENT);
	end(&child);
	argv[0] = "/etc/passwd";
	start_argv(&child, argv, envp, "/");
	assert_true(fw_run(&child.started, 5000));
	assert_int_equal(child.error, EACCES);
	end(&child);
	argv[0] = "/bin/true";
	start_argv(&child, argv, envp, "/no/such/folder");
	assert_true(fw_run(&child.started, 5000));
	assert_int_equal(child.error, ENOENT);
	end(&child);
}

/* What a child finds (threats.md P1): three descriptors, its own group, no
 * signal ignored or blocked. */
static void
test_clean_start(void **state)
{
	struct child child;

	(void)state;
	start(&child, "ls /proc/self/fd | tr '\\n' ' '");
	assert_true(fw_run(&child.closed, 5000));
	/* 3 is ls's own, of the folder it reads */
	assert_string_equal(child.text, "0 1 2 3 ");
	end(&child);
	/* 32 and 33 are the C library's own: who was started by its
	 * posix_spawn, as make does, has them ignored. */
	start(&child, "grep -E 'Sig(Blk|Ign)' /proc/self/status | "
		      "grep -vcE '0{16}|0{7}180000000'");
	assert_true(fw_run(&child.closed, 5000));
	assert_string_equal(child.text, "0");
	end(&child);
	start(&child, "read -r pid name status ppid group rest "
		      "</proc/$$/stat; test $pid = $group && echo own");
	assert_true(fw_run(&child.closed, 5000));
	assert_string_equal(child.text, "own");
	end(&child);
	start(&child, "readlink /proc/self/fd/0; pwd");
	assert_true(fw_run(&child.closed, 5000));
	assert_int_equal(child.lines, 2);
	assert_string_equal(child.text, "/");
	end(&child);
}

/* Environments and arguments beyond one message go through memory. */
static void
test_long_strings(void **state)
{
	static char value[100000], line[120001];
	const char *const argv[] = { "/bin/sh", "-c", "echo ${#LONG} ${#1}",
		"sh", value, NULL };
	char *const envp[] = { line, NULL };
	struct child child;

	(void)state;
	memset(value, 'a', sizeof(value) - 1);
	memset(line, 'b', sizeof(line) - 1);
	memcpy(line, "LONG=", 5);
	start_argv(&child, argv, envp, "/");
	assert_true(fw_run(&child.closed, 5000));
	assert_string_equal(child.text, "119995 99999");
	end(&child);
}

static void
test_lines(void **state)
{
	struct child child;

	(void)state;
	start(&child, "printf 'a\\r\\n\\nno end'");
	assert_true(fw_run(&child.closed, 5000));
	assert_int_equal(child.lines, 3);
	assert_string_equal(child.text, "no end");
	end(&child);
	start(&child, "head -c 20000 /dev/zero | tr '\\0' x; echo; echo after");
	assert_true(fw_run(&child.closed, 5000));
	assert_int_equal(child.lines, 2);
	assert_string_equal(child.text, "after");
	end(&child);
	start(&child, "head -c 20000 /dev/zero | tr '\\0' x");
	assert_true(fw_run(&child.closed, 5000));
	assert_int_equal(child.lines, 1);
	assert_int_equal(child.length, 8192);
	assert_non_null(strstr(child.text, " (cut at 8 KiB)"));
	end(&child);
	/* A flood is counted, not carried. */
	start(&child, "yes line | head -n 200000");
	assert_true(fw_run(&child.closed, 20000));
	assert_true(child.lines >= 20000 && child.lines < 60000);
	assert_non_null(strstr(child.text, "lines were dropped"));
	end(&child);
}

static void
test_end_with_grace(void **state)
{
	struct child child;

	(void)state;
	start(&child, "trap 'echo bye; exit 3' TERM; echo up; "
		      "while :; do sleep 0.01; done");
	assert_true(fw_run(&child.started, 5000));
	while (child.lines == 0)
		fw_run(&child.closed, 10);
	abt_process_end(child.process, 5000);
	assert_true(fw_run(&child.ended, 4000));
	assert_int_equal(WEXITSTATUS(child.status), 3);
	assert_true(fw_run(&child.closed, 2000));
	assert_string_equal(child.text, "bye");
	end(&child);
	start(&child, "trap '' TERM; echo up; while :; do sleep 0.01; done");
	while (child.lines == 0)
		fw_run(&child.closed, 10);
	abt_process_end(child.process, 100);
	assert_true(fw_run(&child.ended, 4000));
	assert_int_equal(WTERMSIG(child.status), SIGKILL);
	end(&child);
	/* End it before it has even started. */
	start(&child, "sleep 100");
	abt_process_end(child.process, 0);
	assert_true(fw_run(&child.ended, 4000));
	end(&child);
}

/* Does a process run whose first argument begins with |word|: "sleep WORD"? */
static bool
alive(const char *word)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	bool found = false;

	assert_non_null(proc);
	while (!found && (entry = readdir(proc)) != NULL) {
		char path[300], text[256] = "", *argument;
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text) - 2) < 0)
			text[0] = '\0';
		close(fd);
		argument = text + strlen(text) + 1;
		found = strncmp(argument, word, strlen(word)) == 0;
	}
	closedir(proc);
	return found;
}

static bool
appears(const char *word)
{
	for (int ms = 3000; ms > 0; ms -= 20) {
		if (alive(word))
			return true;
		usleep(20000);
	}
	return false;
}

static bool
dies(const char *word, int ms)
{
	for (; ms > 0; ms -= 20) {
		if (!alive(word))
			return true;
		usleep(20000);
	}
	return false;
}

#define TWICE                                                              \
	"(setsid sh -c '(setsid sleep %s >/dev/null 2>&1 &) ; exit 0' ); " \
	"(setsid env -i /bin/sleep %s >/dev/null 2>&1 &); "

/* Descendants that forked twice and called setsid end with their leader, also
 * those that cleaned their environment. */
static void
test_descendants(void **state)
{
	struct child child;
	char script[400];

	(void)state;
	snprintf(script, sizeof(script), TWICE "echo up; sleep 0.2; exit 1",
	    "71.301", "71.302");
	start(&child, script);
	while (child.lines == 0)
		fw_run(&child.closed, 10);
	assert_true(appears("71.30"));
	assert_true(fw_run(&child.ended, 5000));
	assert_true(dies("71.30", 2000));
	end(&child);
	snprintf(script, sizeof(script), TWICE "echo up; sleep 100", "71.303",
	    "71.304");
	start(&child, script);
	while (child.lines == 0)
		fw_run(&child.closed, 10);
	abt_process_end(child.process, 0);
	assert_true(fw_run(&child.ended, 5000));
	assert_true(dies("71.30", 2000));
	end(&child);
}

/* The descendants of one child are not those of another. */
static void
test_others_live(void **state)
{
	struct child one, two;
	char script[400];

	(void)state;
	snprintf(script, sizeof(script), TWICE "echo up; sleep 100", "72.301",
	    "72.301");
	start(&one, script);
	while (one.lines == 0)
		fw_run(&one.closed, 10);
	start(&two, "sleep 0.1");
	assert_true(fw_run(&two.ended, 5000));
	usleep(100000);
	assert_true(appears("72.301"));
	end(&two);
	abt_process_end(one.process, 0);
	assert_true(fw_run(&one.ended, 5000));
	assert_true(dies("72.301", 2000));
	end(&one);
}

/* A process that forks all the time cannot run away. */
static void
test_fork_race(void **state)
{
	struct child child;

	(void)state;
	start(&child, "echo up; f() { (setsid sleep 73.301 &) ; }; "
		      "while :; do f; done");
	while (child.lines == 0)
		fw_run(&child.closed, 10);
	fw_run(&child.ended, 200);
	abt_process_end(child.process, 0);
	assert_true(fw_run(&child.ended, 5000));
	assert_true(dies("73.301", 2500));
	end(&child);
}

static void
server_main(int ready)
{
	struct abt_loop *loop;
	struct child child;
	char script[400], why[200];

	if (abt_guard_start(1, why, sizeof(why)) != 0)
		_exit(1);
	loop = abt_loop_new(0);
	if (loop == NULL || abt_guard_attach(loop) != 0)
		_exit(1);
	snprintf(script, sizeof(script), TWICE "sleep 74.303 & echo up; wait",
	    "74.301", "74.302");
	{
		const char *const argv[] = { "sh", "-c", script, NULL };
		char path[] = "PATH=/usr/bin:/bin";
		char *const envp[] = { path, NULL };
		struct abt_process_start start = {
			.file = "sh",
			.argv = (char *const *)(uintptr_t)argv,
			.envp = envp,
			.directory = "/",
			.stdin_fd = -1,
			.started = on_started,
			.ended = on_ended,
			.context = &child,
		};

		start.stdout_fd = start.stderr_fd = ready;
		if (abt_process_new(loop, &start) == NULL)
			_exit(1);
	}
	abt_loop_run(loop);
	_exit(0);
}

/* The server is killed: all that it started ends within two seconds. */
static void
test_server_killed(void **state)
{
	int fds[2];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		server_main(fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1); /* "up" */
	assert_true(appears("74.30"));
	kill(pid, SIGKILL);
	assert_true(dies("74.30", 2000));
	close(fds[0]);
}

/* The guard is killed: its children end, and another one takes its place. */
static void
test_guard_killed(void **state)
{
	struct child child, again;
	char path[64], text[300] = "", *at;
	long guard;
	int fd;

	(void)state;
	start(&child, "sleep 75.301");
	assert_true(fw_run(&child.started, 5000));
	snprintf(path, sizeof(path), "/proc/%d/stat",
	    (int)abt_process_pid(child.process));
	fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	at = strrchr(text, ')');
	assert_non_null(at);
	guard = strtol(at + 4, NULL, 10);
	assert_int_equal(kill((pid_t)guard, SIGKILL), 0);
	assert_true(fw_run(&child.ended, 5000));
	assert_int_equal(WTERMSIG(child.status), SIGKILL);
	assert_true(dies("75.301", 2000));
	end(&child);
	start(&again, "exit 5");
	assert_true(fw_run(&again.ended, 5000));
	assert_int_equal(WEXITSTATUS(again.status), 5);
	end(&again);
}

static void
test_many(void **state)
{
	struct child children[60];

	(void)state;
	for (int i = 0; i < 60; i++)
		start(&children[i], "exit 9");
	for (int i = 0; i < 60; i++) {
		assert_true(fw_run(&children[i].ended, 10000));
		assert_int_equal(WEXITSTATUS(children[i].status), 9);
		end(&children[i]);
	}
	/* Freed at once: nothing is heard of it, and it ends. */
	start(&children[0], "sleep 76.301");
	end(&children[0]);
	assert_true(dies("76.301", 2000));
}

static int
finish(void **state)
{
	(void)state;
	fw_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_status),
		cmocka_unit_test(test_cannot_start),
		cmocka_unit_test(test_clean_start),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_end_with_grace),
		cmocka_unit_test(test_descendants),
		cmocka_unit_test(test_others_live),
		cmocka_unit_test(test_fork_race),
		cmocka_unit_test(test_server_killed),
		cmocka_unit_test(test_guard_killed),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
