/*
 * test_dotenv.c - environment files
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "config/dotenv.h"
#include "config/schema.h"

struct world {
	struct abt_arena arena;
	struct abt_map map;
	unsigned line;
	const char *what;
};

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	abt_arena_init(&w->arena, NULL);
	*state = w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	abt_arena_end(&w->arena);
	free(w);
	return 0;
}

static int
parse(struct world *w, const char *text)
{
	w->map = (struct abt_map){ 0 };
	return abt_dotenv_parse(
	    abt_bytes_text(text), &w->arena, &w->map, &w->line, &w->what);
}

static void
assert_value(struct world *w, const char *name, const char *expected)
{
	const struct abt_bytes *value =
	    abt_map_get(&w->map, abt_bytes_text(name));

	assert_non_null(value);
	assert_int_equal(value->n, strlen(expected));
	assert_memory_equal(value->p, expected, value->n);
}

static void
lines_are_pairs(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, "\xef\xbb\xbf# a comment\r\n"
				  "\n"
				  "A=1\r\n"
				  "  export B = two words  # not this\n"
				  "C=\n"
				  "D=a#b\n"
				  "E='$A #\\n'  # fine\n"
				  "F=\"x\\ty\\\\ \\\"q\\\" \\$A \\d\"\n"
				  "G=\"two\nlines\"\n"
				  "A=again\n"
				  "URL=http://h/?a=b\n"
				  "LAST=end"),
	    0);
	assert_int_equal(w->map.count, 9);
	assert_value(w, "A", "again");
	assert_value(w, "B", "two words");
	assert_value(w, "C", "");
	assert_value(w, "D", "a#b");
	assert_value(w, "E", "$A #\\n");
	assert_value(w, "F", "x\ty\\ \"q\" $A \\d");
	assert_value(w, "G", "two\nlines");
	assert_value(w, "URL", "http://h/?a=b");
	assert_value(w, "LAST", "end");
}

static void
nothing_is_fine(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, ""), 0);
	assert_int_equal(parse(w, "#"), 0);
	assert_int_equal(parse(w, "\n \n\t# x"), 0);
	assert_int_equal(w->map.count, 0);
}

static void
wrong_lines_are_told(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *what;
	} table[] = {
		{ "A=1\nB\n", 2, "this is not NAME=VALUE" },
		{ "=1", 1, "this is not NAME=VALUE" },
		{ "A B=1", 1, "this is not NAME=VALUE" },
		{ "\n\nA=\"x\ny", 3, "a quote is not closed" },
		{ "A='x' y", 1, "something stands behind the closing quote" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		assert_int_equal(parse(w, table[i].text), -1);
		assert_int_equal(w->line, table[i].line);
		assert_string_equal(w->what, table[i].what);
	}
}

static void
missing_files_are_named(void **state)
{
	struct world *w = *state;
	char why[256];

	assert_int_equal(abt_dotenv_read("/nowhere/at.env", &w->arena, &w->map,
			     why, sizeof why),
	    -1);
	assert_string_equal(
	    why, "cannot open /nowhere/at.env: No such file or directory");
	assert_int_equal(
	    abt_dotenv_read("/tmp", &w->arena, &w->map, why, sizeof why), -1);
	assert_string_equal(why, "/tmp is a folder, not a file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_pairs, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_fine, begin, end),
		cmocka_unit_test_setup_teardown(
		    wrong_lines_are_told, begin, end),
		cmocka_unit_test_setup_teardown(
		    missing_files_are_named, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
