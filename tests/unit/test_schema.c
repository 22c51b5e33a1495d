/*
 * test_schema.c - option rows read from JSON and text, errors and their places
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "config/schema.h"
#include "config/units.h"

struct inner {
	int64_t length;
	int64_t wait_ms;
};

struct all {
	bool on;
	int64_t number, bytes, ms;
	struct abt_bytes text, path;
	int choice;
	struct abt_list list;
	struct abt_map map;
	const struct abt_json *tree;
	struct inner inner;
};

#define AT(member) offsetof(struct all, member)

static const char *const choices[] = { "alpha", "beta", "gamma", NULL };

static const struct abt_option inner_rows[] = {
	{ .name = "length",
	    .kind = ABT_INT,
	    .offset = offsetof(struct inner, length),
	    .preset = "1000" },
	{ .name = "wait",
	    .kind = ABT_DURATION,
	    .offset = offsetof(struct inner, wait_ms),
	    .preset = "10s",
	    .max = 60000 },
	ABT_OPTIONS_END,
};

static const struct abt_option rows[] = {
	{ .name = "on", .kind = ABT_BOOL, .offset = AT(on), .preset = "true" },
	{ .name = "concurrency",
	    .kind = ABT_INT,
	    .offset = AT(number),
	    .preset = "10",
	    .min = 1,
	    .max = 1000 },
	{ .name = "memory", .kind = ABT_SIZE, .offset = AT(bytes) },
	{ .name = "timeout",
	    .kind = ABT_DURATION,
	    .offset = AT(ms),
	    .preset = "3s",
	    .max = 900000 },
	{ .name = "text", .kind = ABT_STRING, .offset = AT(text), .max = 8 },
	{ .name = "file", .kind = ABT_PATH, .offset = AT(path) },
	{ .name = "choice",
	    .kind = ABT_ENUM,
	    .offset = AT(choice),
	    .preset = "beta",
	    .names = choices },
	{ .name = "list", .kind = ABT_LIST, .offset = AT(list) },
	{ .name = "environment",
	    .kind = ABT_MAP,
	    .offset = AT(map),
	    .flags = ABT_OPTION_SECRET },
	{ .name = "tree", .kind = ABT_JSON, .offset = AT(tree) },
	{ .name = "queue",
	    .kind = ABT_TABLE,
	    .offset = AT(inner),
	    .table = inner_rows },
	ABT_OPTIONS_END,
};

struct world {
	struct abt_arena arena;
	struct abt_source source;
	char said[4096];
	struct all all;
};

static void
complain(void *context, const char *sentence)
{
	struct world *w = context;
	size_t n = strlen(w->said);

	snprintf(w->said + n, sizeof w->said - n, "%s\n", sentence);
}

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	abt_arena_init(&w->arena, NULL);
	w->source.file = "a.json";
	w->source.directory = "conf";
	w->source.arena = &w->arena;
	w->source.complain = complain;
	w->source.context = w;
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
read_json(struct world *w, const char *text)
{
	struct abt_json_error error;
	const struct abt_json *root;

	w->said[0] = '\0';
	w->source.errors = 0;
	memset(&w->all, 0, sizeof w->all);
	w->source.text = abt_bytes_text(text);
	root = abt_json_read(w->source.text, 64, &w->arena, &error);
	assert_non_null(root);
	return abt_schema_read(&w->source, root, rows, NULL, &w->all);
}

static void
assert_text(struct abt_bytes got, const char *expected)
{
	assert_int_equal(got.n, strlen(expected));
	assert_memory_equal(got.p, expected, got.n);
}

static void
presets_stand(void **state)
{
	struct world *w = *state;

	assert_int_equal(read_json(w, "{}"), 0);
	assert_true(w->all.on);
	assert_int_equal(w->all.number, 10);
	assert_int_equal(w->all.ms, 3000);
	assert_int_equal(w->all.choice, 1);
	assert_int_equal(w->all.inner.length, 1000);
	assert_int_equal(w->all.inner.wait_ms, 10000);
}

static void
every_kind_is_read(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    read_json(w,
		"{\"on\": \"false\", \"concurrency\": \"12\", // AWS's way\n"
		"\"memory\": \"64 KiB\", \"timeout\": 1.5, \"text\": \"a\","
		"\"file\": \"x/y\", \"choice\": \"gamma\","
		"\"list\": [\"a\", \"b\"], \"environment\": {\"A\": \"1\"},"
		"\"tree\": [1, {\"k\": null}], \"queue\": {\"wait\": \"2s\"}}"),
	    0);
	assert_false(w->all.on);
	assert_int_equal(w->all.number, 12);
	assert_int_equal(w->all.bytes, 65536);
	assert_int_equal(w->all.ms, 1500);
	assert_text(w->all.text, "a");
	assert_text(w->all.path, "conf/x/y");
	assert_int_equal(w->all.choice, 2);
	assert_int_equal(w->all.list.count, 2);
	assert_text(w->all.list.items[1], "b");
	assert_text(w->all.map.pairs[0].name, "A");
	assert_int_equal(w->all.tree->count, 2);
	assert_int_equal(w->all.inner.wait_ms, 2000);
	assert_int_equal(w->all.inner.length, 1000);
}

static void
one_string_is_a_list(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    read_json(w, "{\"list\": \"one\", \"file\": \"/abs\"}"), 0);
	assert_int_equal(w->all.list.count, 1);
	assert_text(w->all.path, "/abs");
}

/* One wrong file, one line each. */
static void
errors_tell_place_and_cure(void **state)
{
	static const struct {
		const char *json, *said;
	} table[] = {
		{ "{\n  \"concurency\": 4}",
		    "a.json:2:3: unknown key \"concurency\", did you mean "
		    "\"concurrency\"?\n" },
		{ "{\"zzz\": 4}",
		    "a.json:1:2: unknown key \"zzz\"; the manual is `albatross "
		    "help config`\n" },
		{ "{\"concurrency\": 0}",
		    "a.json:1:17: \"concurrency\" must be from 1 to 1000, not "
		    "0\n" },
		{ "{\"concurrency\": -1}",
		    "a.json:1:17: \"concurrency\" must be a whole number, not "
		    "\"-1\"\n" },
		{ "{\"concurrency\": 1.5}",
		    "a.json:1:17: \"concurrency\" must be a whole number, not "
		    "\"1.5\"\n" },
		{ "{\"concurrency\": true}",
		    "a.json:1:17: \"concurrency\" must be a whole number, but "
		    "here is true\n" },
		{ "{\"timeout\": \"16m\"}",
		    "a.json:1:13: \"timeout\" must be from 0s to 900s, not "
		    "960s\n" },
		{ "{\"timeout\": \"3 weeks\"}",
		    "a.json:1:13: \"timeout\" must be a duration like \"30s\", "
		    "\"250ms\" or \"5m\", not \"3 weeks\"\n" },
		{ "{\"on\": \"yes\"}",
		    "a.json:1:8: \"on\" must be true or false, not \"yes\"\n" },
		{ "{\"text\": [1]}",
		    "a.json:1:10: \"text\" must be a string, but here is an "
		    "array\n" },
		{ "{\"text\": \"123456789\"}", "a.json:1:10: \"text\" has 9 "
					       "bytes, at most 8 are taken\n" },
		{ "{\"text\": \"a\\u0000b\"}",
		    "a.json:1:10: \"text\" holds a NUL byte\n" },
		{ "{\"choice\": \"gama\"}",
		    "a.json:1:12: \"choice\" must be \"alpha\", \"beta\" or "
		    "\"gamma\", not \"gama\"; did you mean \"gamma\"?\n" },
		{ "{\"list\": [\"a\", 5]}",
		    "a.json:1:16: \"list\" must be a list of strings, but here "
		    "is a number\n" },
		{ "{\"environment\": {\"A\": 1}}",
		    "a.json:1:23: \"environment\" must be an object of "
		    "strings, but here is a number\n" },
		{ "{\"on\": true,\n\"on\": false}",
		    "a.json:2:1: \"on\" stands twice, first on line 1; keep "
		    "one\n" },
		{ "{\"queue\": {\"lenght\": 1}}",
		    "a.json:1:12: unknown key \"lenght\", did you mean "
		    "\"length\"?\n" },
		{ "{\"queue\": 5}",
		    "a.json:1:11: \"queue\" must be an object, but here is a "
		    "number\n" },
		{ "[]", "a.json:1:1: here must be an object, not an array\n" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		assert_int_equal(read_json(w, table[i].json), -1);
		assert_string_equal(w->said, table[i].said);
		assert_int_equal(w->source.errors, 1);
	}
}

static void
all_errors_are_told(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    read_json(w, "{\"on\": 1, \"tekst\": 2, \"timeout\": []}"), -1);
	assert_int_equal(w->source.errors, 3);
}

static const struct abt_option *
row_of(const char *name)
{
	const struct abt_option *row = rows;

	while (strcmp(row->name, name) != 0)
		row++;
	return row;
}

static int
text(struct world *w, const char *name, const char *value, char *why)
{
	return abt_schema_text(
	    &w->source, row_of(name), value, &w->all, why, 256);
}

static void
flags_add_up(void **state)
{
	struct world *w = *state;
	char why[256];

	assert_int_equal(text(w, "environment", "A=1", why), 0);
	assert_int_equal(text(w, "environment", "B=x=y", why), 0);
	assert_int_equal(text(w, "environment", "A=2", why), 0);
	assert_int_equal(w->all.map.count, 2);
	assert_text(w->all.map.pairs[0].value, "2");
	assert_text(w->all.map.pairs[1].value, "x=y");
	assert_int_equal(text(w, "list", "a", why), 0);
	assert_int_equal(text(w, "list", "b", why), 0);
	assert_int_equal(w->all.list.count, 2);
	assert_int_equal(text(w, "environment", "A", why), -1);
	assert_string_equal(why, "must be written NAME=VALUE, not \"A\"");
	assert_int_equal(text(w, "queue", "A", why), -1);
	assert_int_equal(text(w, "tree", "{\"a\": 1}", why), 0);
	assert_int_equal(w->all.tree->count, 1);
	assert_int_equal(text(w, "tree", "{", why), -1);
}

static void
what_was_read_is_printed(void **state)
{
	struct world *w = *state;
	struct abt_json_out out;
	struct abt_buf buf;

	read_json(w, "{\"environment\": {\"A\": \"1\"}, \"memory\": 2048,"
		     "\"list\": [\"a\"]}");
	abt_buf_init(&buf, NULL, 4096);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_schema_print(&out, rows, &w->all, false);
	abt_json_close(&out);
	assert_false(abt_json_out_failed(&out));
	assert_text(abt_buf_bytes(&buf),
	    "{\"on\":true,\"concurrency\":10,\"memory\":\"2 KiB\","
	    "\"timeout\":\"3s\",\"choice\":\"beta\",\"list\":[\"a\"],"
	    "\"environment\":{\"A\":\"(secret)\"},"
	    "\"queue\":{\"length\":1000,\"wait\":\"10s\"}}");
	abt_buf_end(&buf);
}

static void
units_are_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: none */
	} table[] = {
		{ "0", 0 },
		{ "3", 3000 },
		{ "0.25", 250 },
		{ "250ms", 250 },
		{ "5m", 300000 },
		{ "1 h", 3600000 },
		{ "2min", 120000 },
		{ "1.5ms", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "-1s", -1 },
		{ "1.s", -1 },
		{ "1.2345s", -1 },
		{ "99999999999999999999", -1 },
		{ "9223372036854775h", -1 },
		{ "1d", -1 },
	};
	int64_t got;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		bool good =
		    abt_duration_parse(abt_bytes_text(table[i].text), &got);

		assert_int_equal(good, table[i].ms >= 0);
		if (good)
			assert_int_equal(got, table[i].ms);
	}
	assert_true(abt_size_parse(ABT_BYTES("10MB"), &got));
	assert_int_equal(got, 10 << 20);
	assert_true(abt_size_parse(ABT_BYTES("1.5 kib"), &got));
	assert_int_equal(got, 1536);
	assert_false(abt_size_parse(ABT_BYTES("0.001B"), &got));
	assert_false(abt_size_parse(ABT_BYTES("1T"), &got));
}

static void
near_names_are_found(void **state)
{
	static const char *const names[] = { "concurrency", "timeout", "path",
		"host" };

	(void)state;
	assert_string_equal(
	    abt_schema_nearest(ABT_BYTES("tiemout"), names, 4), "timeout");
	assert_string_equal(
	    abt_schema_nearest(ABT_BYTES("PATHS"), names, 4), "path");
	assert_null(abt_schema_nearest(ABT_BYTES("memory"), names, 4));
	assert_null(abt_schema_nearest(ABT_BYTES(""), names, 4));
	assert_null(abt_schema_nearest(ABT_BYTES("x"), names, 4));
}

/* The n-th allocation fails, for every n: an error, never a crash. */
static void
memory_may_run_out(void **state)
{
	struct world *w = *state;
	struct abt_json_error error;
	struct all all;

	for (unsigned long n = 1; n < 64; n++) {
		struct abt_arena arena;
		const struct abt_json *root;

		abt_arena_init(&arena, NULL);
		w->source.arena = &arena;
		w->source.text = ABT_BYTES(
		    "{\"list\": [\"a\"], \"environment\": {\"A\": \"1\"},"
		    "\"tree\": {\"a\": [1]}, \"text\": \"t\"}");
		memset(&all, 0, sizeof all);
		abt_memory_fail_at(n);
		root = abt_json_read(w->source.text, 64, &arena, &error);
		if (root != NULL)
			abt_schema_read(&w->source, root, rows, NULL, &all);
		abt_memory_fail_at(0);
		abt_arena_end(&arena);
	}
	w->source.arena = &w->arena;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(presets_stand, begin, end),
		cmocka_unit_test_setup_teardown(every_kind_is_read, begin, end),
		cmocka_unit_test_setup_teardown(
		    one_string_is_a_list, begin, end),
		cmocka_unit_test_setup_teardown(
		    errors_tell_place_and_cure, begin, end),
		cmocka_unit_test_setup_teardown(
		    all_errors_are_told, begin, end),
		cmocka_unit_test_setup_teardown(flags_add_up, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_was_read_is_printed, begin, end),
		cmocka_unit_test(units_are_exact),
		cmocka_unit_test(near_names_are_found),
		cmocka_unit_test_setup_teardown(memory_may_run_out, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
