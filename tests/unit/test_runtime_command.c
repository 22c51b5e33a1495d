/*
 * test_runtime_command.c - which program runs a handler
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "function/runtime_command.h"

static char root[32];
static struct abt_arena arena;
static struct abt_runtime_program program;
static char why[1024];

static void
put(const char *name, mode_t mode)
{
	char path[300], *slash;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (slash = path + strlen(root) + 1;
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int
begin(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/albatross-XXXXXX");
	assert_non_null(mkdtemp(root));
	abt_arena_init(&arena, NULL);
	return 0;
}

static int
end(void **state)
{
	char command[100];

	(void)state;
	abt_arena_end(&arena);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static int
choose(const char *handler, enum abt_runtime_kind kind)
{
	why[0] = '\0';
	return abt_runtime_choose(abt_bytes_text(root), abt_bytes_text(handler),
	    kind, &arena, &program, why, sizeof(why));
}

static void
runs(const char *handler, enum abt_runtime_kind kind, const char *interpreter,
    const char *client)
{
	assert_int_equal(choose(handler, kind), 0);
	assert_string_equal(program.argv[0], interpreter);
	assert_string_equal(program.client, client);
	assert_true(program.polls);
}

static void
refused(const char *handler, enum abt_runtime_kind kind, const char *word)
{
	assert_int_equal(choose(handler, kind), -1);
	assert_non_null(strstr(why, word));
}

#define PY "albatross_runtime.py"
#define JS "albatross-runtime.mjs"

static void
test_python(void **state)
{
	(void)state;
	put("app.py", 0644);
	put("src/deep/mod.py", 0644);
	put("pkg/__init__.py", 0644);
	runs("app.handler", ABT_RUNTIME_AUTO, "python3", PY);
	assert_string_equal(program.argv[2], "app.handler");
	assert_null(program.argv[3]);
	runs("src/deep/mod.handler", ABT_RUNTIME_AUTO, "python3", PY);
	runs("src.deep.mod.handler", ABT_RUNTIME_AUTO, "python3", PY);
	runs("pkg.handler", ABT_RUNTIME_PYTHON, "python3", PY);
	refused("app.handler", ABT_RUNTIME_NODE, "app.js, app.mjs, app.cjs");
}

static void
test_node(void **state)
{
	(void)state;
	put("index.mjs", 0644);
	put("lib/old.cjs", 0644);
	runs("index.handler", ABT_RUNTIME_AUTO, "node", JS);
	runs("lib/old.a.b.handler", ABT_RUNTIME_AUTO, "node", JS);
	assert_string_equal(program.argv[2], "lib/old.a.b.handler");
	refused("index.handler", ABT_RUNTIME_PYTHON, "index.py");
}

static void
test_none_and_several(void **state)
{
	(void)state;
	put("app.py", 0644);
	put("app.js", 0644);
	put("two.js", 0644);
	put("two.mjs", 0644);
	refused("app.handler", ABT_RUNTIME_AUTO, "app.py, app.js");
	refused("app.handler", ABT_RUNTIME_AUTO, "--runtime");
	runs("app.handler", ABT_RUNTIME_PYTHON, "python3", PY);
	runs("app.handler", ABT_RUNTIME_NODE, "node", JS);
	refused("two.handler", ABT_RUNTIME_AUTO, "two.js, two.mjs");
	runs("two.handler", ABT_RUNTIME_NODE, "node", JS); /* AWS's order */
	refused("gone.handler", ABT_RUNTIME_AUTO,
	    "gone.py, gone/__init__.py, gone.js, gone.mjs, gone.cjs");
	refused("nodot", ABT_RUNTIME_AUTO, "file.function");
}

static void
test_programs(void **state)
{
	char path[100];

	(void)state;
	assert_int_equal(choose("", ABT_RUNTIME_AUTO), 0);
	assert_null(program.argv); /* each event says so */
	put("bootstrap", 0755);
	put("bin/poller", 0755);
	put("bin/plain", 0644);
	assert_int_equal(choose("", ABT_RUNTIME_AUTO), 0);
	snprintf(path, sizeof(path), "%s/bootstrap", root);
	assert_string_equal(program.argv[0], path);
	assert_int_equal(choose("./bootstrap", ABT_RUNTIME_AUTO), 0);
	assert_int_equal(choose("bin/poller", ABT_RUNTIME_AUTO), 0);
	assert_false(program.polls);
	refused("bin/plain", ABT_RUNTIME_AUTO, "chmod +x");
	/* A bootstrap of its own reads _HANDLER itself. */
	assert_int_equal(choose("some.handler", ABT_RUNTIME_AUTO), 0);
	assert_true(abt_bytes_ends(
	    abt_bytes_text(program.argv[0]), ABT_BYTES("/bootstrap")));
	put("some.py", 0644);
	runs("some.handler", ABT_RUNTIME_AUTO, "python3", PY);
}

/* AWS's own clients are taken where they are installed. */
static void
test_clients_of_aws(void **state)
{
	(void)state;
	put("app.py", 0644);
	put("awslambdaric/__main__.py", 0644);
	runs("app.handler", ABT_RUNTIME_AUTO, "python3", "awslambdaric");
	assert_string_equal(program.argv[1], "-m");
	put("fn/index.js", 0644);
	put("node_modules/aws-lambda-ric/bin/index.mjs", 0644);
	runs("fn/index.handler", ABT_RUNTIME_AUTO, "node", "aws-lambda-ric");
	assert_non_null(
	    strstr(program.argv[1], "/aws-lambda-ric/bin/index.mjs"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_python, begin, end),
		cmocka_unit_test_setup_teardown(test_node, begin, end),
		cmocka_unit_test_setup_teardown(
		    test_none_and_several, begin, end),
		cmocka_unit_test_setup_teardown(test_programs, begin, end),
		cmocka_unit_test_setup_teardown(
		    test_clients_of_aws, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
