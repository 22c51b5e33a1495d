/*
 * fuzz_proxy_line.c - PROXY protocol v1 and v2
 *
 * Properties: nothing is read behind the input; a header that is whole is the
 * same whatever follows it; each shorter piece of it asks for more.
 */
#include <stdlib.h>

#include "net/proxy_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a copy that is exactly as large. */
static ssize_t
read_piece(const uint8_t *data, size_t n, struct abt_proxy_line *line)
{
	char *copy = malloc(n > 0 ? n : 1);
	ssize_t used;

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, data, n);
	used = abt_proxy_line_read(abt_bytes(copy, n), line);
	free(copy);
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_proxy_line line, again;
	ssize_t used = read_piece(data, size, &line);
	size_t i, step;

	if (used > (ssize_t)size)
		abort();
	if (used <= 0)
		return 0;
	if (read_piece(data, (size_t)used, &again) != used ||
	    memcmp(&line, &again, sizeof(line)) != 0)
		abort();
	step = (size_t)used / 64 + 1;
	for (i = 0; i < (size_t)used; i += step)
		if (read_piece(data, i, &again) != 0)
			abort();
	return 0;
}
