/*
 * fuzz_alb_result.c - a function's result through the ALB dialect, both modes
 *
 * Properties: a response always comes back; its headers hold no byte that could
 * end a line; reading with and without collecting agree on whether it broke.
 */
#include <stdlib.h>

#include "albatross.h"
#include "dialect/alb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_headers(const struct abt_headers *headers)
{
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (!abt_bytes_all(headers->fields[i].name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(headers->fields[i].value, ABT_CHAR_FIELD))
			abort();
}

static int
read_once(struct abt_bytes result, bool multi, bool collect)
{
	struct abt_alb_attributes attributes = {
		.multi_value = multi,
		.server = true,
		.not_utf8_status = 400,
	};
	struct abt_front front = {
		.dialect = abt_dialect_find(ABT_BYTES("alb")),
		.attributes = &attributes,
	};
	struct abt_request request = { .method = ABT_BYTES("GET") };
	struct abt_arena arena;
	struct abt_report report;
	struct abt_response response;
	struct abt_call call = {
		.request = &request,
		.front = &front,
		.arena = &arena,
		.facts.date = ABT_BYTES("Tue, 15 Nov 1994 08:12:31 GMT"),
	};
	int rc;

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	report.collect = collect;
	rc = abt_response_from_result(&call, result, false, &response, &report);
	if (response.status < 200 || response.status > 599 ||
	    (rc != 0 && report.broken == NULL))
		abort();
	check_headers(&response.ours);
	check_headers(&response.headers);
	abt_arena_end(&arena);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes result = abt_bytes((const char *)data, size);

	if (read_once(result, false, false) != read_once(result, false, true) ||
	    read_once(result, true, false) != read_once(result, true, true))
		abort();
	return 0;
}
