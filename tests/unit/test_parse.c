/*
 * test_parse.c - the command line by option rows
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"

struct first {
	int64_t port;
	bool tls;
	struct abt_bytes host;
};

struct second {
	struct abt_bytes host;
	struct abt_map env;
};

struct options {
	struct first first;
	struct second second;
};

static const struct abt_option first_rows[] = {
	{ .name = "port",
	    .kind = ABT_INT,
	    .offset = offsetof(struct first, port),
	    .preset = "8080",
	    .max = 65535,
	    .flag = "p|port" },
	{ .name = "tls",
	    .kind = ABT_BOOL,
	    .offset = offsetof(struct first, tls),
	    .flag = "t|tls" },
	{ .name = "host",
	    .kind = ABT_STRING,
	    .offset = offsetof(struct first, host),
	    .flag = "host" },
	ABT_OPTIONS_END,
};

static const struct abt_option second_rows[] = {
	{ .name = "host",
	    .kind = ABT_STRING,
	    .offset = offsetof(struct second, host),
	    .flag = "host" },
	{ .name = "env",
	    .kind = ABT_MAP,
	    .offset = offsetof(struct second, env),
	    .flag = "env" },
	ABT_OPTIONS_END,
};

static const struct abt_option_group groups[] = {
	{ "First", first_rows, offsetof(struct options, first) },
	{ "Second", second_rows, offsetof(struct options, second) },
	{ NULL, NULL, 0 },
};

static const struct abt_command plain = {
	.name = "test",
	.size = sizeof(struct options),
	.groups = groups,
	.attributes = true,
};

static const struct abt_command runner = {
	.name = "test",
	.size = sizeof(struct options),
	.groups = groups,
	.rest = true,
};

struct world {
	struct abt_cli cli;
	char said[512];
};

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	abt_arena_init(&w->cli.arena, NULL);
	w->cli.source.arena = &w->cli.arena;
	w->cli.command = &plain;
	*state = w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	abt_arena_end(&w->cli.arena);
	free(w);
	return 0;
}

/* Parse |line| split at blanks; what was said on stderr is kept. */
static int
parse(struct world *w, const char *line)
{
	static const char *argv[32]; /* cli.rest points into it afterwards */
	int argc = 2, saved, pipes[2], rc;
	struct abt_bytes rest = abt_bytes_text(line), word;
	ssize_t n;

	memset(argv, 0, sizeof argv);
	argv[0] = "albatross";
	argv[1] = "test";
	while (rest.n > 0 && abt_bytes_next(&rest, ' ', &word))
		argv[argc++] = abt_arena_text(&w->cli.arena, word);
	assert_int_equal(pipe(pipes), 0);
	saved = dup(STDERR_FILENO);
	dup2(pipes[1], STDERR_FILENO);
	rc = abt_cli_parse(&w->cli, argc, (char **)(uintptr_t)argv);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], w->said, sizeof w->said - 1);
	close(pipes[0]);
	w->said[n > 0 ? n : 0] = '\0';
	return rc;
}

static const struct options *
options_of(const struct world *w)
{
	return w->cli.options;
}

static void
assert_text(struct abt_bytes got, const char *expected)
{
	assert_int_equal(got.n, strlen(expected));
	assert_memory_equal(got.p, expected, got.n);
}

static void
every_spelling_is_read(void **state)
{
	static const char *const lines[] = { "--port 80 --tls", "--port=80 -t",
		"-p 80 --tls=true", "-p80 -t", "-tp80", "-tp 80" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_int_equal(parse(w, lines[i]), 0);
		assert_int_equal(options_of(w)->first.port, 80);
		assert_true(options_of(w)->first.tls);
		assert_true(abt_cli_given(&w->cli, "port"));
		assert_false(abt_cli_given(&w->cli, "host"));
	}
	assert_int_equal(parse(w, "--tls=false"), 0);
	assert_false(options_of(w)->first.tls);
	assert_int_equal(options_of(w)->first.port, 8080);
}

static void
a_flag_fills_every_group(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, "--host a"), 0);
	assert_text(options_of(w)->first.host, "a");
	assert_text(options_of(w)->second.host, "a");
}

static void
operands_stand_anywhere(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, "a --env A=1 b - --env B=2 -- --tls"), 0);
	assert_int_equal(w->cli.operand_count, 4);
	assert_string_equal(w->cli.operands[1], "b");
	assert_string_equal(w->cli.operands[2], "-");
	assert_string_equal(w->cli.operands[3], "--tls");
	assert_int_equal(options_of(w)->second.env.count, 2);
}

static void
a_program_is_left_alone(void **state)
{
	struct world *w = *state;

	w->cli.command = &runner;
	assert_int_equal(parse(w, "-t -- prog --port x --"), 0);
	assert_int_equal(w->cli.rest_count, 4);
	assert_string_equal(w->cli.rest[1], "--port");
	assert_int_equal(w->cli.operand_count, 0);
}

static void
attributes_wait_for_their_dialect(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    parse(w, "--multi-value-headers --desync-mode=monitor"), 0);
	assert_int_equal(w->cli.attribute_count, 2);
	assert_string_equal(
	    w->cli.attributes[0].name, "lambda.multi_value_headers.enabled");
	assert_string_equal(w->cli.attributes[1].value, "monitor");
}

static void
mistakes_are_told(void **state)
{
	static const struct {
		const char *line, *said;
	} table[] = {
		{ "--prot 1", "unknown option --prot, did you mean --port?\n" },
		{ "--zzzzz",
		    "unknown option --zzzzz; `albatross test --help` lists "
		    "them all\n" },
		{ "-tx",
		    "unknown option -x; `albatross test --help` lists them "
		    "all\n" },
		{ "--port", "--port wants a value: --port VALUE\n" },
		{ "-p", "-p wants a value: -p VALUE\n" },
		{ "--port=x", "--port must be a whole number, not \"x\"\n" },
		{ "--tls=maybe",
		    "--tls must be true or false, not \"maybe\"\n" },
		{ "--env A", "--env must be written NAME=VALUE, not \"A\"\n" },
	};
	struct world *w = *state;
	char expected[512];

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		assert_int_equal(parse(w, table[i].line), -1);
		snprintf(expected, sizeof expected, "albatross test: %s",
		    table[i].said);
		assert_string_equal(w->said, expected);
	}
}

static void
help_ends_the_reading(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, "--tls --help --nonsense"), 0);
	assert_true(w->cli.help);
}

static void
memory_may_run_out(void **state)
{
	struct world *w = *state;
	static const char *argv[] = { "albatross", "test", "--host", "a",
		"--env", "A=1", "-t", "--desync-mode", "monitor", NULL };

	for (unsigned long n = 1; n < 8; n++) {
		abt_arena_end(&w->cli.arena);
		w->cli.attribute_count = 0;
		abt_memory_fail_at(n);
		abt_cli_parse(&w->cli, 9, (char **)(uintptr_t)argv);
		abt_memory_fail_at(0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    every_spelling_is_read, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_flag_fills_every_group, begin, end),
		cmocka_unit_test_setup_teardown(
		    operands_stand_anywhere, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_program_is_left_alone, begin, end),
		cmocka_unit_test_setup_teardown(
		    attributes_wait_for_their_dialect, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_told, begin, end),
		cmocka_unit_test_setup_teardown(
		    help_ends_the_reading, begin, end),
		cmocka_unit_test_setup_teardown(memory_may_run_out, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
