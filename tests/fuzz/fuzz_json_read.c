/*
 * fuzz_json_read.c - the reader of what people write, also without memory
 *
 * What it takes can be written, and the strict reader takes that as the same
 * tree.  What it refuses has a reason and a place.  The last byte of the input
 * says which allocation fails.
 */
#include <stdlib.h>

#include "albatross/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static void
check_tree(struct abt_arena *arena, const struct abt_json *tree)
{
	struct abt_buf buf;
	struct abt_json_out out;
	struct abt_json *again;

	abt_buf_init(&buf, NULL, 64 << 20);
	abt_json_out_init(&out, &buf);
	abt_json_tree(&out, NULL, tree);
	demand(!abt_json_out_failed(&out));
	again = abt_json_scan(abt_buf_bytes(&buf), ABT_JSON_DEPTH, arena, NULL);
	demand(again != NULL);
	demand(abt_json_compare(tree, again, ABT_JSON_NUMBERS_AS_TEXT, arena) ==
	       NULL);
	abt_buf_end(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct abt_bytes source = abt_bytes((const char *)data, n);
	struct abt_json_error error = { NULL, 0, 0, 0 };
	struct abt_arena arena;
	struct abt_json *tree;

	abt_arena_init(&arena, NULL);
	tree = abt_json_read(source, ABT_JSON_DEPTH, &arena, &error);
	if (tree != NULL)
		check_tree(&arena, tree);
	else
		demand(error.text != NULL && error.offset <= n &&
		       error.line > 0 && error.column > 0);
	abt_arena_end(&arena);
	if (n == 0)
		return 0;
	abt_memory_fail_at(1 + data[n - 1] % 16);
	tree = abt_json_read(source, ABT_JSON_DEPTH, &arena, &error);
	abt_memory_fail_at(0);
	demand(tree != NULL || error.text != NULL || abt_arena_failed(&arena));
	abt_arena_end(&arena);
	return 0;
}
