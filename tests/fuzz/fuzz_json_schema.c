/*
 * fuzz_json_schema.c - JSON schemas, regular expressions in them, and values
 *
 * The input is a schema, an empty line and a value; the first line is a pattern
 * too.  Properties: everything ends; a schema and its "not" never agree, unless
 * memory or depth ran out; "allOf" of one schema is that schema.
 */
#include <stdlib.h>

#include "base/json_schema.h"
#include "base/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_pattern(struct abt_bytes text)
{
	struct abt_bytes rest = text, pattern;
	const struct abt_regex *regex;
	struct abt_arena arena;

	abt_arena_init(&arena, NULL);
	if (abt_bytes_next(&rest, '\n', &pattern)) {
		regex = abt_regex_compile(pattern, &arena);
		if (regex != NULL && rest.n < 2000 &&
		    abt_regex_search(regex, rest, true, &arena) &&
		    !abt_regex_search(regex, rest, false, &arena))
			abort(); /* whole, but nowhere */
	}
	abt_arena_end(&arena);
}

/* |schema| within an object under |key|; |list|: in an array. */
static bool
holds_within(const struct abt_json *schema, const char *key, bool list,
    const struct abt_json *value, struct abt_arena *arena)
{
	struct abt_json inner = *schema, array = { 0 }, outer = { 0 };

	inner.next = NULL;
	array.kind = ABT_JSON_ARRAY;
	array.count = 1;
	array.first = array.last = &inner;
	if (!list)
		array = inner;
	array.key = abt_bytes_text(key);
	outer.kind = ABT_JSON_OBJECT;
	outer.count = 1;
	outer.first = outer.last = &array;
	return abt_json_schema_holds(&outer, value, arena);
}

static void
try_schema(struct abt_bytes text)
{
	size_t gap = abt_bytes_search(text, ABT_BYTES("\n\n"));
	struct abt_json_error error;
	const struct abt_json *schema, *value;
	struct abt_arena arena;

	if (gap == text.n)
		return;
	abt_arena_init(&arena, NULL);
	schema = abt_json_scan(
	    abt_bytes(text.p, gap), ABT_JSON_DEPTH, &arena, &error);
	value = abt_json_scan(abt_bytes(text.p + gap, text.n - gap),
	    ABT_JSON_DEPTH, &arena, &error);
	/* references reach the root, which is another one within */
	if (schema != NULL && schema->kind == ABT_JSON_OBJECT &&
	    value != NULL &&
	    abt_bytes_search(abt_bytes(text.p, gap), ABT_BYTES("ref")) == gap &&
	    abt_bytes_find(abt_bytes(text.p, gap), '\\') == gap) {
		bool holds = abt_json_schema_holds(schema, value, &arena);

		if (holds_within(schema, "not", false, value, &arena) ==
			holds ||
		    holds_within(schema, "allOf", true, value, &arena) != holds)
			abort();
	} else if (schema != NULL && value != NULL) {
		(void)abt_json_schema_holds(schema, value, &arena);
	}
	abt_arena_end(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes text = abt_bytes((const char *)data, size);

	try_pattern(text);
	try_schema(text);
	return 0;
}
