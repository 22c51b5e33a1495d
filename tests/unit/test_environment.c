/*
 * test_environment.c - the process environment and the user's part of it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "function/function.h"

static struct abt_pair pairs[8];
static struct abt_map map = { pairs, 0 };

static const struct abt_backend none = { .name = "none" };

static void
user(const char *name, const char *value)
{
	pairs[map.count].name = abt_bytes_text(name);
	pairs[map.count++].value = abt_bytes_text(value);
}

static int
reset(void **state)
{
	(void)state;
	map.count = 0;
	unsetenv("TMPDIR");
	setenv("PATH", "/opt/x:/bin", 1);
	setenv("SECRET", "1", 1);
	setenv("HOME", "/root", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKOURS", 1);
	setenv("AWS_SESSION_TOKEN", "tok", 1);
	unsetenv("AWS_SECRET_ACCESS_KEY");
	return 0;
}

static char **
environment(bool credentials, const char *api, struct abt_arena *arena)
{
	struct abt_function_options options = {
		.memory_mb = 128,
		.environment = map,
		.credentials = credentials,
		.root = ABT_BYTES("/srv/fn"),
		.handler = ABT_BYTES("app.handler"),
		.region = ABT_BYTES("eu-central-1"),
	};
	struct abt_arena own;
	struct abt_function *function;
	char **lines;

	abt_arena_init(&own, NULL);
	function = abt_function_new("orders", &options, &none, NULL, &own);
	lines = abt_function_environment(
	    function, api, "2026/11/24/[$LATEST]0123", arena);
	assert_non_null(lines);
	abt_function_free(function);
	return lines;
}

static const char *
get(char **lines, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (; *lines != NULL; lines++)
		if (strncmp(*lines, name, n) == 0 && (*lines)[n] == '=') {
			assert_null(found); /* never twice */
			found = *lines + n + 1;
		}
	return found;
}

static void
test_platform(void **state)
{
	struct abt_arena arena;
	char **lines;

	(void)state;
	abt_arena_init(&arena, NULL);
	lines = environment(false, "127.0.0.1:9001", &arena);
	assert_string_equal(get(lines, "_HANDLER"), "app.handler");
	assert_string_equal(
	    get(lines, "AWS_LAMBDA_RUNTIME_API"), "127.0.0.1:9001");
	assert_string_equal(get(lines, "AWS_LAMBDA_FUNCTION_NAME"), "orders");
	assert_string_equal(
	    get(lines, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "128");
	assert_string_equal(
	    get(lines, "AWS_LAMBDA_FUNCTION_VERSION"), "$LATEST");
	assert_string_equal(
	    get(lines, "AWS_LAMBDA_LOG_GROUP_NAME"), "/aws/lambda/orders");
	assert_string_equal(get(lines, "AWS_LAMBDA_LOG_STREAM_NAME"),
	    "2026/11/24/[$LATEST]0123");
	assert_string_equal(
	    get(lines, "AWS_LAMBDA_INITIALIZATION_TYPE"), "on-demand");
	assert_string_equal(get(lines, "AWS_REGION"), "eu-central-1");
	assert_string_equal(get(lines, "AWS_DEFAULT_REGION"), "eu-central-1");
	assert_string_equal(get(lines, "LAMBDA_TASK_ROOT"), "/srv/fn");
	assert_string_equal(get(lines, "TZ"), ":UTC");
	assert_string_equal(get(lines, "LANG"), "en_US.UTF-8");
	assert_string_equal(get(lines, "PATH"), "/opt/x:/bin");
	assert_null(get(lines, "TMPDIR"));
	abt_arena_end(&arena);
}

static void
test_nothing_leaks(void **state)
{
	struct abt_arena arena;
	char **lines;

	(void)state;
	abt_arena_init(&arena, NULL);
	lines = environment(false, NULL, &arena);
	assert_null(get(lines, "SECRET"));
	assert_null(get(lines, "HOME"));
	assert_null(get(lines, "AWS_ACCESS_KEY_ID"));
	assert_null(get(lines, "AWS_SESSION_TOKEN"));
	assert_null(get(lines, "AWS_LAMBDA_RUNTIME_API"));
	assert_null(get(lines, "AWS_LAMBDA_MAX_CONCURRENCY"));
	assert_null(get(lines, "AWS_LAMBDA_FUNCTION_TIMEOUT"));
	assert_null(get(lines, "_X_AMZN_TRACE_ID"));
	lines = environment(true, NULL, &arena);
	assert_string_equal(get(lines, "AWS_ACCESS_KEY_ID"), "AKOURS");
	assert_string_equal(get(lines, "AWS_SESSION_TOKEN"), "tok");
	assert_null(get(lines, "AWS_SECRET_ACCESS_KEY"));
	abt_arena_end(&arena);
}

static void
test_users(void **state)
{
	struct abt_arena arena;
	char **lines;

	(void)state;
	user("STAGE", "one");
	user("PATH", "/mine");
	user("TZ", "Europe/Berlin");
	user("STAGE", "two"); /* the last one counts */
	user("HOME", "/tmp");
	user("EMPTY", "");
	abt_arena_init(&arena, NULL);
	lines = environment(false, NULL, &arena);
	assert_string_equal(get(lines, "STAGE"), "two");
	assert_string_equal(get(lines, "PATH"), "/mine");
	assert_string_equal(get(lines, "TZ"), "Europe/Berlin");
	assert_string_equal(get(lines, "HOME"), "/tmp");
	assert_string_equal(get(lines, "EMPTY"), "");
	abt_arena_end(&arena);
}

static void
refused(const char *name, const char *value, const char *word)
{
	char why[8192] = "";

	map.count = 0;
	user(name, value);
	assert_int_equal(
	    abt_function_check_environment(&map, why, sizeof(why)), -1);
	assert_non_null(strstr(why, word));
}

static void
test_refused(void **state)
{
	char why[256];

	(void)state;
	refused("AWS_LAMBDA_RUNTIME_API", "x", "AWS_LAMBDA_RUNTIME_API");
	refused("AWS_LAMBDA_FUNCTION_TIMEOUT", "x", "reserved");
	refused("AWS_SECRET_ACCESS_KEY", "x", "reserved");
	refused("_HANDLER", "x", "reserved");
	refused("AWS_LAMBDA_METADATA_TOKEN", "x", "reserved");
	refused("A", "x", "[a-zA-Z]([a-zA-Z0-9_])+");
	refused("1A", "x", "pattern");
	refused("A-B", "x", "pattern");
	refused("", "x", "pattern");
	map.count = 0;
	user("AWS_XRAY_CONTEXT_MISSING", "x");
	user("LD_LIBRARY_PATH", "x");
	user("AB", "x");
	assert_int_equal(
	    abt_function_check_environment(&map, why, sizeof(why)), 0);
}

/* 4,096 bytes as compact JSON are allowed, one more is not (R2.3). */
static void
test_limit(void **state)
{
	static char value[5000];
	char why[8192];

	(void)state;
	memset(value, 'x', sizeof(value));
	user("AB", "");
	pairs[0].value = abt_bytes(value, 4096 - strlen("{\"AB\":\"\"}"));
	assert_int_equal(
	    abt_function_check_environment(&map, why, sizeof(why)), 0);
	pairs[0].value.n++;
	assert_int_equal(
	    abt_function_check_environment(&map, why, sizeof(why)), -1);
	assert_non_null(
	    strstr(why, "exceeded the 4KB limit. String measured: {\"AB\":"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_platform, reset),
		cmocka_unit_test_setup(test_nothing_leaks, reset),
		cmocka_unit_test_setup(test_users, reset),
		cmocka_unit_test_setup(test_refused, reset),
		cmocka_unit_test_setup(test_limit, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
