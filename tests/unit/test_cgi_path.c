/*
 * test_cgi_path.c - which program a path means (RFC 3875 3.3; threats.md P4)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "function/cgi.h"

static char root[64];

static void
test_clean(void **unused)
{
	static const char *const cases[][2] = {
		{ "/a/b", "/a/b" },
		{ "/", "/" },
		{ "", "/" },
		{ "/a//b///c", "/a/b/c" },
		{ "/a/", "/a/" },
		{ "/a/./b/.", "/a/b/" },
		{ "/a/b/../c", "/a/c" },
		{ "/a/..", "/" },
		{ "/a/b/..", "/a/" },
		{ "/a%20b", "/a b" },
		{ "/%2e%2E/x", NULL },
		{ "/a/%2e%2e/x", "/x" },
		{ "/a%2f..%2fx", "/x" },
		{ "/a%2F%2F..%2F..", NULL },
		{ "/..", NULL },
		{ "/a/../..", NULL },
		{ "/...", "/..." },
		{ "/..;/x", "/..;/x" },
		{ "/..%3b/x", "/..;/x" },
		{ "/%00", NULL },
		{ "/a%0", NULL },
		{ "/a%", NULL },
		{ "/a%zz", NULL },
		{ "/%252e%252e/x", "/%2e%2e/x" },
		{ "/..\\x", "/..\\x" },
		{ "/\xff", "/\xff" },
	};
	struct abt_arena arena;

	(void)unused;
	abt_arena_init(&arena, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct abt_bytes clean;
		int rc =
		    abt_cgi_clean(abt_bytes_text(cases[i][0]), &arena, &clean);

		assert_int_equal(rc, cases[i][1] != NULL ? 0 : -1);
		if (rc == 0)
			assert_string_equal(clean.p, cases[i][1]);
	}
	abt_arena_end(&arena);
}

static void
put_file(const char *name, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_CREAT | O_WRONLY, mode);
	assert_true(fd >= 0);
	close(fd);
}

static void
put_link(const char *to, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(symlink(to, path), 0);
}

static int
make_tree(void **unused)
{
	char path[256];

	(void)unused;
	snprintf(root, sizeof(root), "/tmp/abt-cgi-XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/sub", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/cgi", root);
	mkdir(path, 0755);
	put_file("outside.sh", 0755);
	put_file("cgi/env.sh", 0755);
	put_file("cgi/text", 0644);
	put_file("cgi/x.php", 0644);
	snprintf(path, sizeof(path), "%s/cgi/dir", root);
	mkdir(path, 0755);
	put_file("cgi/dir/in.sh", 0755);
	put_file("cgi/dir/index.cgi", 0755);
	snprintf(path, sizeof(path), "%s/cgi/empty", root);
	mkdir(path, 0755);
	put_file("cgi/a b", 0755);
	put_link("dir/in.sh", "cgi/inner");
	put_link("../outside.sh", "cgi/outer");
	put_link("/bin/sh", "cgi/absolute");
	put_link("..", "cgi/up");
	put_link("loop", "cgi/loop");
	return 0;
}

static int
drop_tree(void **unused)
{
	char line[128];

	(void)unused;
	snprintf(line, sizeof(line), "rm -rf %s", root);
	return system(line) != 0;
}

struct find_case {
	const char *path;
	const char *script; /* NULL: |rule| */
	const char *info;   /* NULL: none */
	enum abt_rule_id rule;
};

static void
check_find(const struct abt_cgi_site *site, const struct find_case *row,
    struct abt_arena *arena)
{
	struct abt_cgi_place place;
	struct abt_report report;
	int rc;

	abt_report_init(&report, arena);
	rc = abt_cgi_find(site, abt_bytes(NULL, 0), abt_bytes_text(row->path),
	    arena, &place, &report);
	if (row->script == NULL) {
		if (rc == 0)
			fail_msg("%s was found", row->path);
		if (report.broken != &abt_rules[row->rule])
			fail_msg("%s: %s", row->path, report.broken->name);
		return;
	}
	if (rc != 0)
		fail_msg("%s: %s", row->path, report.broken->name);
	assert_true(
	    abt_bytes_equal(place.script_name, abt_bytes_text(row->script)));
	assert_int_equal(place.path_info.p != NULL, row->info != NULL);
	assert_true(
	    abt_bytes_equal(place.path_info, abt_bytes_text(row->info)));
}

#define NONE(rule) NULL, NULL, ABT_RULE_##rule

static void
test_folder(void **unused)
{
	static const struct find_case cases[] = {
		{ "/env.sh", "/env.sh", NULL, 0 },
		{ "/env.sh/", "/env.sh", "/", 0 },
		{ "/env.sh/a%20b/c//e", "/env.sh", "/a b/c/e", 0 },
		{ "/env.sh/a%2fb", "/env.sh", "/a/b", 0 },
		{ "/env.sh/x/..", "/env.sh", "/", 0 },
		{ "/a%20b", "/a b", NULL, 0 },
		{ "/dir/in.sh", "/dir/in.sh", NULL, 0 },
		{ "/dir%2Fin.sh/x", "/dir/in.sh", "/x", 0 },
		{ "/dir/../env.sh", "/env.sh", NULL, 0 },
		{ "/dir", "/dir/index.cgi", NULL, 0 },
		{ "/dir/", "/dir/index.cgi", NULL, 0 },
		{ "/inner", "/inner", NULL, 0 },
		{ "/x.php/p", "/x.php", "/p", 0 },
		{ "/empty", NONE(CGI_FORBIDDEN) },
		{ "/", NONE(CGI_FORBIDDEN) },
		{ "/text", NONE(CGI_FORBIDDEN) },
		{ "/nothing", NONE(CGI_NOT_FOUND) },
		{ "/dir/nothing", NONE(CGI_NOT_FOUND) },
		{ "/../outside.sh", NONE(CGI_PATH) },
		{ "/%2e%2e/outside.sh", NONE(CGI_PATH) },
		{ "/dir/..%2f..%2foutside.sh", NONE(CGI_PATH) },
		{ "/..;/outside.sh", NONE(CGI_NOT_FOUND) },
		{ "/.%00./outside.sh", NONE(CGI_PATH) },
		{ "/%252e%252e/outside.sh", NONE(CGI_NOT_FOUND) },
		{ "/outer", NONE(CGI_FORBIDDEN) },
		{ "/absolute", NONE(CGI_FORBIDDEN) },
		{ "/up/outside.sh", NONE(CGI_FORBIDDEN) },
		{ "/up/cgi/env.sh", NONE(CGI_FORBIDDEN) },
		{ "/loop", NONE(CGI_FORBIDDEN) },
		{ "/env.sh%00.txt", NONE(CGI_PATH) },
	};
	struct abt_pair php = { ABT_BYTES(".php"), ABT_BYTES("/usr/bin/php") };
	struct abt_bytes index = ABT_BYTES("index.cgi");
	struct abt_cgi_site site = {
		.interpreters = { &php, 1 },
		.index = { &index, 1 },
	};
	struct abt_arena arena;
	char folder[80];

	(void)unused;
	abt_arena_init(&arena, NULL);
	snprintf(folder, sizeof(folder), "%s/cgi", root);
	site.folder = abt_bytes_text(folder);
	site.fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_find(&site, &cases[i], &arena);
	close(site.fd);
	abt_arena_end(&arena);
}

static void
test_program(void **unused)
{
	static const struct find_case cases[] = {
		{ "/app", "/app", NULL, 0 },
		{ "/app/", "/app", "/", 0 },
		{ "/app/x%2Fy", "/app", "/x/y", 0 },
		{ "//app//x", "/app", "/x", 0 },
		{ "/apple", NONE(CGI_NOT_FOUND) },
		{ "/", NONE(CGI_NOT_FOUND) },
		{ "/app/../x", NONE(CGI_NOT_FOUND) },
		{ "/app/../../x", NONE(CGI_PATH) },
	};
	static const struct find_case whole = { "/r.git/info/refs", "",
		"/r.git/info/refs", 0 };
	struct abt_cgi_site site = {
		.program = ABT_BYTES_INIT("/usr/bin/app"),
		.prefix = ABT_BYTES_INIT("/app"),
		.fd = -1,
	};
	struct abt_cgi_place place;
	struct abt_report report;
	struct abt_arena arena;

	(void)unused;
	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_find(&site, &cases[i], &arena);
	assert_int_equal(abt_cgi_find(&site, ABT_BYTES("/dev"),
			     ABT_BYTES("/app/x"), &arena, &place, &report),
	    0);
	assert_true(abt_bytes_equal(place.script_name, ABT_BYTES("/dev/app")));
	site.prefix.n = 0;
	check_find(&site, &whole, &arena);
	abt_arena_end(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_program),
	};

	return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
