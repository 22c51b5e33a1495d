/*
 * fuzz_h1_head.c - a whole request out of raw bytes, in every mode
 *
 * Properties: nothing is read behind the input; what is used is never more than
 * what came; a request that is whole stays whole when more bytes follow; slices
 * lie inside the input or the arena; a field that is said to be plain is.
 */
#include <stdlib.h>

#include "http/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody looks again at what is said to be plain. */
static void
check_plain(const struct abt_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		if (headers->fields[i].plain &&
		    !(abt_bytes_plain(headers->fields[i].name) &&
			abt_bytes_plain(headers->fields[i].value)))
			abort();
}

static ssize_t
read_once(struct abt_bytes raw, const struct abt_policy *policy, size_t *body)
{
	struct abt_arena arena;
	struct abt_report report;
	struct abt_request req;
	ssize_t used;

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	used = abt_request_read(raw, policy, NULL, NULL, &arena, &req, &report);
	if (used > (ssize_t)raw.n || (used < 0 && report.broken == NULL))
		abort();
	if (used > 0)
		check_plain(&req.headers);
	*body = used > 0 ? req.body.n : 0;
	abt_arena_end(&arena);
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int mode;

	for (mode = ABT_MONITOR; mode <= ABT_STRICTEST + 1; mode++) {
		struct abt_policy policy = {
			.mode = mode > ABT_STRICTEST
				    ? ABT_DEFENSIVE
				    : (enum abt_desync_mode)mode,
			.strict_h1 = mode > ABT_STRICTEST,
			.line_max = 512,
			.field_max = 512,
			.head_max = 2048,
			.body_max = 4096,
		};
		/* exactly sized, so that one byte too far is seen */
		char *copy = malloc(size > 0 ? size : 1);
		size_t body, again;
		ssize_t used;

		if (copy == NULL)
			return 0;
		if (size > 0)
			memcpy(copy, data, size);
		used = read_once(abt_bytes(copy, size), &policy, &body);
		if (used > 0 && (read_once(abt_bytes(copy, (size_t)used),
				     &policy, &again) != used ||
				    again != body))
			abort();
		free(copy);
	}
	return 0;
}
