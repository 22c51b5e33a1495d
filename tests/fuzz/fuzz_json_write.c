/*
 * fuzz_json_write.c - whatever goes into the writer comes out of the reader
 *
 * The first two bytes are the ceiling, the third divides the rest into a key
 * and a value.  Text that is no UTF-8 is refused without a trace; everything
 * else is read back as it was, or was too long for the ceiling.
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
write_all(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value)
{
	abt_json_object(out, NULL);
	abt_json_string_at(out, key, value);
	abt_json_array(out, "list");
	abt_json_string(out, NULL, value);
	abt_json_base64(out, NULL, value);
	abt_json_close(out);
	abt_json_close(out);
}

static void
read_back(struct abt_bytes text, struct abt_bytes key, struct abt_bytes value)
{
	struct abt_arena arena;
	struct abt_json *root, *list, *code;
	char *in_code;
	ptrdiff_t n;

	abt_arena_init(&arena, NULL);
	root = abt_json_scan(text, ABT_JSON_DEPTH, &arena, NULL);
	demand(root != NULL && root->count == 2);
	demand(abt_bytes_equal(root->first->key, key));
	demand(abt_bytes_equal(root->first->text, value));
	list = root->first->next;
	demand(list->count == 2 && abt_bytes_equal(list->first->text, value));
	code = list->first->next;
	in_code = abt_arena_alloc(&arena, code->text.n + 1);
	demand(in_code != NULL);
	n = abt_base64_decode(in_code, code->text);
	demand(n >= 0 && abt_bytes_equal(abt_bytes(in_code, (size_t)n), value));
	abt_arena_end(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct abt_bytes rest, key, value;
	struct abt_json_out out;
	struct abt_buf tight, wide;
	size_t max, at;
	bool valid;

	if (n < 3)
		return 0;
	max = (size_t)(data[0] << 8 | data[1]);
	rest = abt_bytes((const char *)data + 3, n - 3);
	at = data[2] < rest.n ? data[2] : rest.n;
	key = abt_bytes(rest.p, at);
	value = abt_bytes(rest.p + at, rest.n - at);
	valid = abt_utf8_valid(key) && abt_utf8_valid(value);

	abt_buf_init(&wide, NULL, 64 << 20);
	abt_json_out_init(&out, &wide);
	write_all(&out, key, value);
	demand(abt_json_out_failed(&out) == !valid);
	demand(out.bad_utf8 == !valid && !wide.failed);
	if (valid)
		read_back(abt_buf_bytes(&wide), key, value);

	abt_buf_init(&tight, NULL, max);
	abt_json_out_init(&out, &tight);
	write_all(&out, key, value);
	demand(tight.n <= max);
	if (valid) {
		demand(abt_json_out_failed(&out) == (wide.n > max));
		demand(tight.n <= wide.n);
		demand(tight.n == 0 || memcmp(tight.p, wide.p, tight.n) == 0);
	} else {
		demand(abt_json_out_failed(&out));
	}
	abt_buf_end(&wide);
	abt_buf_end(&tight);
	return 0;
}
