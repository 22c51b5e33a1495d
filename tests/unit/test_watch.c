/*
 * test_watch.c - files change, the watch tells; other files change, it does not
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "function/watch.h"

struct world {
	char root[64];
	struct abt_loop *loop;
	struct abt_watch *watch;
	struct abt_timer timer;
	unsigned told;
};

static struct world world;

static void
on_changed(void *context)
{
	struct world *w = context;

	w->told++;
}

static void
on_time(struct abt_timer *timer)
{
	(void)timer;
	abt_loop_stop(world.loop);
}

/* How often it tells within half a second. */
static unsigned
told(void)
{
	unsigned before = world.told;

	abt_timer_set(world.loop, &world.timer, 500);
	abt_loop_run(world.loop);
	return world.told - before;
}

static const char *
at(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", world.root, name);
	return path;
}

static void
write_file(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static int
begin(void **state)
{
	char why[256];

	(void)state;
	snprintf(world.root, sizeof world.root, "/tmp/test_watch.XXXXXX");
	if (mkdtemp(world.root) == NULL)
		return -1;
	mkdir(at("lib"), 0700);
	mkdir(at("node_modules"), 0700);
	world.told = 0;
	world.loop = abt_loop_new(0);
	abt_timer_init(&world.timer, on_time);
	world.watch = abt_watch_new(
	    world.loop, world.root, on_changed, &world, why, sizeof why);
	return world.watch != NULL ? 0 : -1;
}

static int
end(void **state)
{
	char command[128];

	(void)state;
	abt_watch_free(world.watch);
	abt_timer_stop(&world.timer);
	abt_loop_free(world.loop);
	snprintf(command, sizeof command, "rm -rf %s", world.root);
	return system(command);
}

static void
changes_are_told_once(void **state)
{
	(void)state;
	assert_int_equal(told(), 0);
	write_file("a.py");
	write_file("lib/b.py");
	assert_int_equal(told(), 1);
	rename(at("a.py"), at("lib/c.py"));
	assert_int_equal(told(), 1);
	unlink(at("lib/c.py"));
	assert_int_equal(told(), 1);
	assert_int_equal(told(), 0);
}

static void
new_folders_are_watched(void **state)
{
	(void)state;
	mkdir(at("new"), 0700);
	mkdir(at("new/deep"), 0700);
	assert_int_equal(told(), 1);
	write_file("new/deep/a.py");
	assert_int_equal(told(), 1);
	/* Moved away and back: still watched, under its new name. */
	rename(at("new"), at("other"));
	assert_int_equal(told(), 1);
	write_file("other/deep/a.py");
	assert_int_equal(told(), 1);
}

static void
some_things_are_ignored(void **state)
{
	(void)state;
	write_file("node_modules/a.js");
	mkdir(at(".git"), 0700);
	write_file(".git/index");
	mkdir(at("__pycache__"), 0700);
	write_file("app.pyc");
	write_file(".app.py.swp");
	write_file("app.py~");
	assert_int_equal(told(), 0);
}

static void
a_replaced_root_is_found_again(void **state)
{
	char aside[128];

	(void)state;
	snprintf(aside, sizeof aside, "%s.aside", world.root);
	rename(world.root, aside);
	mkdir(world.root, 0700);
	assert_true(told() + told() >= 1);
	write_file("a.py");
	assert_int_equal(told(), 1);
	snprintf(aside, sizeof aside, "rm -rf %s.aside", world.root);
	assert_int_equal(system(aside), 0);
}

static void
a_missing_root_is_told(void **state)
{
	char why[256];

	(void)state;
	assert_null(abt_watch_new(world.loop, "/nowhere/at/all", on_changed,
	    &world, why, sizeof why));
	assert_string_equal(
	    why, "cannot watch /nowhere/at/all: No such file or directory");
}

static void
memory_may_run_out(void **state)
{
	char why[256];

	(void)state;
	for (unsigned long n = 1; n < 12; n++) {
		struct abt_watch *watch;

		abt_memory_fail_at(n);
		watch = abt_watch_new(world.loop, world.root, on_changed,
		    &world, why, sizeof why);
		abt_memory_fail_at(0);
		abt_watch_free(watch);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    changes_are_told_once, begin, end),
		cmocka_unit_test_setup_teardown(
		    new_folders_are_watched, begin, end),
		cmocka_unit_test_setup_teardown(
		    some_things_are_ignored, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_replaced_root_is_found_again, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_missing_root_is_told, begin, end),
		cmocka_unit_test_setup_teardown(memory_may_run_out, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
