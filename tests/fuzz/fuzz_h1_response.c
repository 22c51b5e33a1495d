/*
 * fuzz_h1_response.c - heads of responses
 *
 * The first byte says whether the request was HEAD.  Properties: nothing is
 * read behind the input; the end is found however the head is cut; whatever
 * stands behind it changes nothing; a head that was read has a status, proper
 * names and values, and one way to tell where its body ends.
 */
#include <stdlib.h>

#include "http/h1_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy that is exactly as large. */
static char *
copy_of(const uint8_t *data, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, data, n);
	return copy;
}

static void
check(const struct abt_response_head *head, bool to_head)
{
	bool bodyless = to_head || head->status < 200 || head->status == 204 ||
			head->status == 304;
	size_t i;

	if (head->status < 100 || head->status > 599 ||
	    !abt_bytes_all(head->reason, ABT_CHAR_FIELD) ||
	    bodyless != (head->framing == ABT_RESPONSE_NO_BODY) ||
	    (head->framing == ABT_RESPONSE_TO_END && head->keep_alive) ||
	    (head->framing == ABT_RESPONSE_CHUNKED && head->has_length) ||
	    (head->framing == ABT_RESPONSE_LENGTH && !head->has_length))
		abort();
	for (i = 0; i < head->headers.count; i++) {
		const struct abt_field *field = &head->headers.fields[i];

		if (field->name.n == 0 ||
		    !abt_bytes_all(field->name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(field->value, ABT_CHAR_FIELD))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool to_head = size > 0 && (data[0] & 1) != 0;
	struct abt_response_head head;
	struct abt_arena arena;
	size_t end, cut, step;
	char *copy;

	if (size == 0)
		return 0;
	copy = copy_of(data + 1, size - 1);
	end = abt_h1_response_end(abt_bytes(copy, size - 1), 0);
	if (end > size - 1)
		abort();
	step = end / 64 + 1;
	for (cut = 0; cut < end; cut += step)
		if (abt_h1_response_end(abt_bytes(copy, cut), 0) != 0 ||
		    abt_h1_response_end(abt_bytes(copy, size - 1), cut) != end)
			abort();
	free(copy);
	if (end == 0)
		return 0;
	copy = copy_of(data + 1, end);
	abt_arena_init(&arena, NULL);
	if (abt_h1_response_read(
		abt_bytes(copy, end), to_head, &arena, &head) == NULL)
		check(&head, to_head);
	abt_arena_end(&arena);
	free(copy);
	return 0;
}
