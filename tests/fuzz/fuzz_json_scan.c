/*
 * fuzz_json_scan.c - our reader and yajl read the same, wherever yajl is right
 *
 * Both readings are put down as flat text and compared.  yajl may take what we
 * refuse only where it is known to be wrong: invalid UTF-8, half surrogate
 * pairs, vertical tabs and form feeds as blanks, half a token behind the value;
 * and it has no limit of depth.
 */
#include <stdlib.h>

#include <yajl/yajl_parse.h>

#include "albatross/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* ---- yajl's reading ---- */

static void
put(struct abt_buf *buf, char kind, const void *p, size_t n)
{
	abt_buf_char(buf, kind);
	abt_buf_number(buf, n);
	abt_buf_char(buf, ' ');
	abt_buf_add(buf, abt_bytes(p, n));
}

static int
on_null(void *buf)
{
	put(buf, 'n', "", 0);
	return 1;
}

static int
on_boolean(void *buf, int value)
{
	put(buf, value ? 't' : 'f', "", 0);
	return 1;
}

static int
on_number(void *buf, const char *p, size_t n)
{
	put(buf, '0', p, n);
	return 1;
}

static int
on_string(void *buf, const unsigned char *p, size_t n)
{
	put(buf, 's', p, n);
	return 1;
}

static int
on_key(void *buf, const unsigned char *p, size_t n)
{
	put(buf, 'k', p, n);
	return 1;
}

static int
on_object(void *buf)
{
	put(buf, '{', "", 0);
	return 1;
}

static int
on_array(void *buf)
{
	put(buf, '[', "", 0);
	return 1;
}

static int
on_close(void *buf)
{
	put(buf, '.', "", 0);
	return 1;
}

static bool
read_by_yajl(struct abt_bytes source, struct abt_buf *buf)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_map_key = on_key,
		.yajl_start_map = on_object,
		.yajl_end_map = on_close,
		.yajl_start_array = on_array,
		.yajl_end_array = on_close,
	};
	yajl_handle yajl = yajl_alloc(&callbacks, NULL, buf);
	bool ok;

	ok = yajl_parse(yajl, (const unsigned char *)source.p, source.n) ==
		 yajl_status_ok &&
	     yajl_complete_parse(yajl) == yajl_status_ok;
	yajl_free(yajl);
	return ok;
}

/* ---- ours ---- */

static void
put_tree(struct abt_buf *buf, const struct abt_json *value, bool member)
{
	static const char kinds[] = "nft0s[{";
	const struct abt_json *child;

	if (member)
		put(buf, 'k', value->key.p, value->key.n);
	put(buf, kinds[value->kind], value->text.p, value->text.n);
	for (child = value->first; child != NULL; child = child->next)
		put_tree(buf, child, value->kind == ABT_JSON_OBJECT);
	if (value->kind >= ABT_JSON_ARRAY)
		put(buf, '.', "", 0);
}

/* Written and read again it is the same tree. */
static void
check_round_trip(struct abt_arena *arena, const struct abt_json *tree)
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

static bool
yajl_is_wrong(struct abt_bytes source, const struct abt_json_error *error)
{
	static const char *const reasons[] = { "invalid UTF-8",
		"half of a surrogate pair", "too many levels" };
	size_t i;

	demand(error->text != NULL && error->offset <= source.n);
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(error->text, reasons[i]) == 0)
			return true;
	if (strcmp(error->text, "something behind the value") == 0 &&
	    strchr("\"tfn", source.p[error->offset]) != NULL)
		return true;
	return abt_bytes_find(source, '\v') < source.n ||
	       abt_bytes_find(source, '\f') < source.n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct abt_bytes source = abt_bytes((const char *)data, n);
	struct abt_json_error error = { NULL, 0, 0, 0 };
	struct abt_arena arena;
	struct abt_json *tree;
	struct abt_buf theirs, ours;
	bool taken;

	abt_arena_init(&arena, NULL);
	abt_buf_init(&theirs, NULL, 64 << 20);
	abt_buf_init(&ours, NULL, 64 << 20);
	taken = read_by_yajl(source, &theirs);
	tree = abt_json_scan(source, ABT_JSON_DEPTH, &arena, &error);
	if (tree != NULL) {
		demand(taken);
		put_tree(&ours, tree, false);
		demand(abt_bytes_equal(
		    abt_buf_bytes(&ours), abt_buf_bytes(&theirs)));
		check_round_trip(&arena, tree);
	} else {
		demand(!taken || yajl_is_wrong(source, &error));
	}
	abt_buf_end(&theirs);
	abt_buf_end(&ours);
	abt_arena_end(&arena);
	return 0;
}
