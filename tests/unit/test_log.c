/*
 * test_log.c - lines as they arrive at the other end of a pipe
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "albatross/json.h"
#include "base/clock.h"
#include "base/log.h"

static int ends[2];
static char got[65536];

static int
begin(void **state)
{
	(void)state;
	if (pipe(ends) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
		return -1;
	abt_log_set_fd(ends[1]);
	abt_log_set_level(ABT_LOG_INFO);
	abt_log_set_json(false);
	abt_log_set_color(false);
	abt_log_set_time(false);
	abt_clock_stop_at(1543616580186641);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	abt_clock_stop_at(-1);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* What came through the pipe, NUL-terminated. */
static const char *
lines(void)
{
	ssize_t n = read(ends[0], got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void
a_line_each(void **state)
{
	(void)state;
	abt_error("no %s", "luck");
	assert_string_equal(lines(), "error: no luck\n");
	abt_warning("w");
	assert_string_equal(lines(), "warning: w\n");
	abt_info("news");
	assert_string_equal(lines(), "news\n");
	abt_debug("quiet");
	assert_string_equal(lines(), "");
	abt_log_set_level(ABT_LOG_DEBUG);
	abt_debug("loud");
	assert_string_equal(lines(), "debug: loud\n");
	abt_log_set_level(ABT_LOG_ERROR);
	abt_warning("w");
	assert_string_equal(lines(), "");
	abt_log_set_level(ABT_LOG_INFO);
	abt_log_set_time(true);
	abt_info("news");
	assert_string_equal(lines(), "2018-11-30T22:23:00.186Z info: news\n");
	abt_log_output("api", "id-1", ABT_BYTES("out"));
	assert_string_equal(lines(), "2018-11-30T22:23:00.186Z api id-1 out\n");
	abt_log_output("api", NULL, ABT_BYTES("out"));
	assert_string_equal(lines(), "2018-11-30T22:23:00.186Z api out\n");
	abt_log_set_time(false); /* a person reads along */
	abt_log_output("api", "id-1", ABT_BYTES("out"));
	assert_string_equal(lines(), "api: out\n");
	abt_log_line(ABT_BYTES("GET / 200"));
	assert_string_equal(lines(), "GET / 200\n");
}

static void
color_marks_the_level(void **state)
{
	(void)state;
	abt_log_set_color(true);
	abt_error("x");
	assert_string_equal(lines(), "\033[1;31merror: \033[0mx\n");
	abt_info("x");
	assert_string_equal(lines(), "x\n");
	abt_log_line(ABT_BYTES("\033[1;32mok\033[0m \033[2J\033[m"));
	assert_string_equal(lines(), "\033[1;32mok\033[0m \\x1B[2J\033[m\n");
	abt_log_set_color(false);
	abt_log_line(ABT_BYTES("\033[1mok"));
	assert_string_equal(lines(), "\\x1B[1mok\n");
}

static void
what_could_harm_is_escaped(void **state)
{
	(void)state;
	abt_info("%s", "a\nb\r\t\x7f\033[31m\xc3\xa4\xff\xc2\x9b\xe2\x82 \"\\");
	assert_string_equal(lines(),
	    "a\\x0Ab\\x0D\\x09\\x7F\\x1B[31m\xc3\xa4\\xFF\\xC2\\x9B\\xE2\\x82"
	    " \"\\\n");
	abt_log_set_time(true);
	abt_log_output("f\n", "i\n", abt_bytes("x\0\ty\x1b[m", 7));
	assert_string_equal(lines(), "2018-11-30T22:23:00.186Z f\\x0A i\\x0A "
				     "x\\x00\ty\\x1B[m\n");
}

static void
escaping_stops_where_told(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(abt_log_escape(out, 8, ABT_BYTES("ab\ncdef")), 8);
	assert_memory_equal(out, "ab\\x0Acd", 8);
	assert_int_equal(abt_log_escape(out, 5, ABT_BYTES("ab\ncd")), 2);
	assert_int_equal(abt_log_escape(out, 3, ABT_BYTES("ab\xc3\xa4")), 2);
	assert_int_equal(abt_log_escape(out, 8, abt_bytes(NULL, 0)), 0);
}

static const struct abt_json *
line_as_json(struct abt_arena *arena)
{
	struct abt_bytes line = abt_bytes_text(lines());
	const struct abt_json *root;

	assert_true(line.n > 0 && line.p[line.n - 1] == '\n');
	assert_int_equal(abt_bytes_find(line, '\n'), line.n - 1);
	assert_true(line.n <= 8192);
	root = abt_json_scan(line, 8, arena, NULL);
	assert_non_null(root);
	return root;
}

static void
json_lines_are_json(void **state)
{
	struct abt_arena arena;
	const struct abt_json *root;
	char text[9000];
	size_t n;

	(void)state;
	abt_arena_init(&arena, NULL);
	abt_log_set_json(true);
	abt_error("a \"b\" \\ \n \xff \xc3\xa4");
	root = line_as_json(&arena);
	assert_true(abt_bytes_equal(abt_json_get(root, "time")->text,
	    ABT_BYTES("2018-11-30T22:23:00.186Z")));
	assert_true(abt_bytes_equal(
	    abt_json_get(root, "level")->text, ABT_BYTES("error")));
	assert_true(abt_bytes_equal(abt_json_get(root, "message")->text,
	    ABT_BYTES("a \"b\" \\ \\x0A \\xFF \xc3\xa4")));
	abt_log_output("fn", "id", ABT_BYTES("{\"k\":1}"));
	root = line_as_json(&arena);
	assert_true(abt_bytes_equal(
	    abt_json_get(root, "message")->text, ABT_BYTES("{\"k\":1}")));
	/* Cut lines stay whole JSON, whatever is cut. */
	for (n = 8000; n < sizeof(text); n++) {
		size_t i;

		for (i = 0; i < n; i++)
			text[i] = "\"\\\xc3\xa4 "[(i + n) % 5];
		abt_log_output("fn", "id", abt_bytes(text, n));
		line_as_json(&arena);
		memset(text, 'f', 8500);
		text[8500] = '\0';
		if (n == 8600) {
			abt_log_output(text, text, abt_bytes(text, n));
			line_as_json(&arena);
		}
		abt_arena_end(&arena);
	}
}

static void
long_lines_are_cut(void **state)
{
	static char text[20000];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	abt_info("%s", text);
	n = strlen(lines());
	assert_in_range(n, 8000, 8192);
	assert_int_equal(got[n - 1], '\n');
	abt_log_output(text, text, abt_bytes(text, sizeof(text)));
	n = strlen(lines());
	assert_in_range(n, 8000, 8192);
	memset(text, '\n', sizeof(text) - 1);
	abt_log_line(abt_bytes(text, sizeof(text) - 1));
	n = strlen(lines());
	assert_in_range(n, 8000, 8192);
}

/* Lines of a thread that works in turns; errors do not wait. */
static void
held_lines_come_together(void **state)
{
	static char text[3000];
	int i;

	(void)state;
	abt_log_hold(true);
	abt_info("a");
	abt_info("b");
	assert_string_equal(lines(), "");
	abt_log_flush();
	assert_string_equal(lines(), "a\nb\n");
	abt_log_flush();
	assert_string_equal(lines(), "");
	abt_info("a");
	abt_error("b");
	assert_string_equal(lines(), "a\nerror: b\n");
	memset(text, 'x', sizeof(text) - 1);
	for (i = 0; i < 3; i++)
		abt_info("%s", text);
	assert_int_equal(strlen(lines()), 6000);
	abt_log_hold(false);
	assert_int_equal(strlen(lines()), 3000);
	abt_info("a");
	assert_string_equal(lines(), "a\n");
	abt_log_hold(true);
	abt_log_set_json(true);
	memset(text, '\n', sizeof(text) - 1);
	abt_log_output("f", "i", abt_bytes(text, sizeof(text) - 1));
	assert_true(strlen(lines()) > 8000); /* larger than what is held */
	abt_log_hold(false);
}

static void
what_cannot_be_written_is_counted(void **state)
{
	uint64_t before = abt_log_dropped();
	int full = open("/dev/full", O_WRONLY);

	(void)state;
	abt_log_set_fd(-1);
	abt_error("x");
	assert_int_equal(abt_log_dropped(), before + 1);
	if (full >= 0) {
		abt_log_set_fd(full);
		abt_error("x");
		assert_int_equal(abt_log_dropped(), before + 2);
		close(full);
	}
}

/* Lines of a function are looked at in blocks: each byte at each place is
 * written as one alone is. */
static void
every_byte_in_a_line(void **state)
{
	char text[40], alone[8], expected[64];
	size_t n, at;
	int c;

	(void)state;
	for (c = 0; c < 128; c++) {
		memset(alone, 0, sizeof(alone));
		if (c == '\t' || (c >= ' ' && c < 0x7f))
			alone[0] = (char)c;
		else
			snprintf(alone, sizeof(alone), "\\x%02X", (unsigned)c);
		for (n = 16; n <= sizeof(text); n += 5)
			for (at = 0; at < n; at++) {
				memset(text, 'a', n);
				text[at] = (char)c;
				abt_log_output("f", NULL, abt_bytes(text, n));
				snprintf(expected, sizeof(expected),
				    "f: %.*s%s%.*s\n", (int)at, text, alone,
				    (int)(n - at - 1), text + at + 1);
				assert_string_equal(lines(), expected);
			}
	}
}

/* A file is given up to 64 KB at once, whole lines as ever. */
static void
lines_for_a_file(void **state)
{
	char name[] = "/tmp/albatross-log-XXXXXX";
	int fd = mkstemp(name), i;
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	abt_log_set_fd(fd);
	abt_log_hold(true);
	for (i = 0; i < 1000; i++)
		abt_info("%060d", i);
	assert_true(abt_log_held() == 61000);
	for (i = 0; i < 1000; i++)
		abt_info("%060d", i);
	abt_log_hold(false);
	abt_log_set_fd(ends[1]);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 122000);
	n = pread(fd, got, 61, 61 * 1074);
	assert_int_equal(n, 61);
	assert_true(memcmp(got + 50, "0000000074\n", 11) == 0);
	close(fd);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_line_each),
		TEST(color_marks_the_level),
		TEST(what_could_harm_is_escaped),
		TEST(escaping_stops_where_told),
		TEST(json_lines_are_json),
		TEST(long_lines_are_cut),
		TEST(held_lines_come_together),
		TEST(what_cannot_be_written_is_counted),
		TEST(every_byte_in_a_line),
		TEST(lines_for_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
