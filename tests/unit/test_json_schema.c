/*
 * test_json_schema.c - JSON Schema, draft 4
 */
#include "base/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
	const char *schema;
	const char *good[6], *bad[6];
};

/* clang-format off */
static const struct row rows[] = {
	{ "{}", { "1", "null", "{}", "[]" }, { NULL } },
	{ "{\"type\":\"integer\"}", { "1", "-3", "1.0", "1e2" }, { "1.5", "\"1\"", "null", "true" } },
	{ "{\"type\":\"number\"}", { "1", "1.5" }, { "\"1\"" } },
	{ "{\"type\":[\"string\",\"null\"]}", { "\"\"", "null" }, { "0", "false" } },
	{ "{\"type\":\"boolean\"}", { "true", "false" }, { "0" } },
	{ "{\"enum\":[1,\"a\",[2],{\"b\":null}]}", { "1", "1.0", "\"a\"", "[2]", "{\"b\":null}" }, { "2", "\"b\"", "[]", "{\"b\":0}" } },
	{ "{\"minimum\":2,\"maximum\":4}", { "2", "4", "\"x\"" }, { "1.99", "4.01" } },
	{ "{\"minimum\":2,\"exclusiveMinimum\":true,\"maximum\":4,\"exclusiveMaximum\":true}", { "2.01", "3" }, { "2", "4" } },
	{ "{\"multipleOf\":0.1}", { "0.3", "1", "-0.7", "0" }, { "0.35" } },
	{ "{\"multipleOf\":3}", { "9", "-3" }, { "10", "1e-3" } },
	{ "{\"minLength\":2,\"maxLength\":3}", { "\"ab\"", "\"\\u00e9\\u00e9\\u00e9\"", "1" }, { "\"a\"", "\"abcd\"" } },
	{ "{\"pattern\":\"^a+$\"}", { "\"aa\"", "7" }, { "\"ab\"", "\"\"" } },
	{ "{\"pattern\":\"b\"}", { "\"abc\"" }, { "\"ac\"" } },
	{ "{\"pattern\":\"(?=x)\"}", { "\"not spoken\"" }, { NULL } },
	{ "{\"items\":{\"type\":\"string\"}}", { "[]", "[\"a\"]", "1" }, { "[\"a\",1]" } },
	{ "{\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", { "[]", "[\"a\"]" }, { "[1]", "[\"a\",1]" } },
	{ "{\"items\":[{}],\"additionalItems\":{\"type\":\"null\"}}", { "[1,null]" }, { "[1,2]" } },
	{ "{\"minItems\":1,\"maxItems\":2}", { "[1]", "[1,2]" }, { "[]", "[1,2,3]" } },
	{ "{\"uniqueItems\":true}", { "[1,2,\"1\",[],{},false,0,null]", "[{\"a\":1},{\"a\":2}]", "[[1,2],[2,1]]" }, { "[1,2,1.0]", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", "[\"x\",\"x\"]", "[0,-0]" } },
	{ "{\"required\":[\"a\",\"b\"]}", { "{\"a\":null,\"b\":0}", "[]" }, { "{\"a\":1}", "{}" } },
	{ "{\"minProperties\":1,\"maxProperties\":1}", { "{\"a\":1}", "{\"a\":1,\"a\":2}" }, { "{}", "{\"a\":1,\"b\":2}" } },
	{ "{\"properties\":{\"a\":{\"type\":\"string\"}}}", { "{}", "{\"a\":\"\"}", "{\"b\":1}", "{\"a\":1,\"a\":\"x\"}" }, { "{\"a\":1}" } },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", { "{}", "{\"a\":1}" }, { "{\"b\":1}" } },
	{ "{\"patternProperties\":{\"^x-\":{\"type\":\"number\"}},\"additionalProperties\":{\"type\":\"string\"}}", { "{\"x-a\":1,\"b\":\"\"}" }, { "{\"x-a\":\"1\"}", "{\"b\":1}" } },
	{ "{\"dependencies\":{\"a\":[\"b\"],\"c\":{\"required\":[\"d\"]}}}", { "{}", "{\"a\":1,\"b\":1}", "{\"c\":1,\"d\":1}" }, { "{\"a\":1}", "{\"c\":1}" } },
	{ "{\"allOf\":[{\"type\":\"string\"},{\"minLength\":2}]}", { "\"ab\"" }, { "\"a\"", "12" } },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":2}]}", { "\"ab\"", "2" }, { "1" } },
	{ "{\"oneOf\":[{\"multipleOf\":2},{\"multipleOf\":3}]}", { "2", "3", "4" }, { "6", "1" } },
	{ "{\"not\":{\"type\":\"string\"}}", { "1" }, { "\"a\"" } },
	{ "{\"definitions\":{\"a/b\":{\"type\":\"string\"}},\"properties\":{\"x\":{\"$ref\":\"#/definitions/a~1b\"}}}", { "{\"x\":\"\"}" }, { "{\"x\":1}" } },
	{ "{\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"number\"}},\"required\":[\"v\"]}", { "{\"v\":1,\"next\":{\"v\":2}}" }, { "{\"v\":1,\"next\":{}}" } },
	{ "{\"$ref\":\"https://example.org/other\"}", { "1" }, { NULL } },
	{ "{\"$ref\":\"#\"}", { NULL }, { "1" } },
};
/* clang-format on */

static const struct abt_json *
tree(const char *text, struct abt_arena *arena)
{
	struct abt_json_error error;
	const struct abt_json *json =
	    abt_json_scan(abt_bytes_text(text), ABT_JSON_DEPTH, arena, &error);

	if (json == NULL)
		fail_msg("%s is no JSON", text);
	return json;
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct abt_arena arena;
		const struct abt_json *schema;

		abt_arena_init(&arena, NULL);
		schema = tree(rows[i].schema, &arena);
		for (size_t k = 0; k < 6 && rows[i].good[k] != NULL; k++)
			if (!abt_json_schema_holds(
				schema, tree(rows[i].good[k], &arena), &arena))
				fail_msg("%s refuses %s", rows[i].schema,
				    rows[i].good[k]);
		for (size_t k = 0; k < 6 && rows[i].bad[k] != NULL; k++)
			if (abt_json_schema_holds(
				schema, tree(rows[i].bad[k], &arena), &arena))
				fail_msg("%s accepts %s", rows[i].schema,
				    rows[i].bad[k]);
		abt_arena_end(&arena);
	}
}

/* A client's body of many alike items is judged in no time. */
static void
test_many_items(void **state)
{
	struct abt_arena arena;
	struct abt_buf buf;

	(void)state;
	abt_arena_init(&arena, NULL);
	abt_buf_init(&buf, NULL, (size_t)1 << 24);
	abt_buf_text(&buf, "[");
	for (unsigned i = 0; i < 200000; i++)
		abt_buf_printf(&buf, "%s\"%u\"", i > 0 ? "," : "", i);
	abt_buf_add(&buf, abt_bytes("]", 2));
	assert_true(
	    abt_json_schema_holds(tree("{\"uniqueItems\":true}", &arena),
		tree(buf.p, &arena), &arena));
	abt_buf_end(&buf);
	abt_arena_end(&arena);
}

static void
test_no_memory(void **state)
{
	struct abt_arena arena, scratch;
	const struct abt_json *schema, *value;

	(void)state;
	abt_arena_init(&arena, NULL);
	schema = tree(
	    "{\"uniqueItems\":true,\"items\":{\"pattern\":\"a\"}}", &arena);
	value = tree("[\"a\",\"ba\"]", &arena);
	for (unsigned long n = 1; n < 4; n++) {
		abt_arena_init(&scratch, NULL);
		abt_memory_fail_at(n);
		assert_true(abt_json_schema_holds(schema, value, &scratch) !=
			    abt_arena_failed(&scratch));
		abt_memory_fail_at(0);
		abt_arena_end(&scratch);
	}
	abt_arena_end(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_many_items),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
