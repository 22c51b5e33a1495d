/*
 * fuzz_api_result.c - a function's result through the dialects of APIs
 *
 * Properties: a response always comes back; its headers hold no byte that could
 * end a line; reading with and without collecting agree on whether it broke;
 * what was compressed is what it was when it is not.
 */
#include <stdlib.h>

#include "albatross.h"
#include "dialect/payload.h"
#include "dialect/rest.h"
#include "http/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct abt_bytes every_type[] = { ABT_BYTES_INIT("*/*") };
static struct abt_bytes origins[] = { ABT_BYTES_INIT("https://*") };

static const struct abt_rest_attributes plain = {
	.compress_from = ABT_REST_COMPRESS_OFF,
};
static const struct abt_rest_attributes packing = {
	.binary_types = { every_type, 1 },
};
static const struct abt_rest_attributes unpacked = {
	.binary_types = { every_type, 1 },
	.compress_from = ABT_REST_COMPRESS_OFF,
};
/* function URLs have one more member: room for it */
static const struct abt_payload_attributes cors[2] = { {
    .cors = { .origins = { origins, 1 }, .max_age = -1 },
} };

static struct abt_field sent[] = {
	{ .name = ABT_BYTES_INIT("Accept"),
	    .value = ABT_BYTES_INIT("a/b"),
	    .id = ABT_FIELD_ACCEPT,
	    false },
	{ .name = ABT_BYTES_INIT("Accept-Encoding"),
	    .value = ABT_BYTES_INIT("gzip") },
	{ .name = ABT_BYTES_INIT("Origin"),
	    .value = ABT_BYTES_INIT("https://a.example"),
	    .id = ABT_FIELD_ORIGIN,
	    false },
};

static const struct abt_api api = {
	.api_id = ABT_BYTES_INIT("abcde12345"),
	.stage = ABT_BYTES_INIT("dev"),
};
static const struct abt_request request = {
	.method = ABT_BYTES_INIT("GET"),
	.path = ABT_BYTES_INIT("/"),
	.headers = { sent, 3, 3 },
};

struct reading {
	struct abt_arena arena;
	struct abt_report report;
	struct abt_response response;
	int rc;
};

static void
check_headers(const struct abt_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		if (!abt_bytes_all(headers->fields[i].name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(headers->fields[i].value, ABT_CHAR_FIELD))
			abort();
}

static void
read_once(struct reading *r, const char *dialect, const void *attributes,
    struct abt_bytes result, bool collect)
{
	struct abt_front front = {
		.dialect = abt_dialect_find(abt_bytes_text(dialect)),
		.attributes = attributes,
		.api = &api,
	};
	struct abt_call call = {
		.request = &request,
		.front = &front,
		.arena = &r->arena,
		.facts.date = ABT_BYTES("Tue, 15 Nov 1994 08:12:31 GMT"),
		.invoke_trace = ABT_BYTES("Root=1-0-0;Parent=0;Sampled=0"),
	};

	abt_arena_init(&r->arena, NULL);
	abt_report_init(&r->report, &r->arena);
	r->report.collect = collect;
	r->rc = abt_response_from_result(
	    &call, result, false, &r->response, &r->report);
	if (r->response.status < 100 || r->response.status > 599 ||
	    (r->rc != 0 && r->report.broken == NULL))
		abort();
	check_headers(&r->response.ours);
	check_headers(&r->response.headers);
}

static void
both_ways(const char *dialect, const void *attributes, struct abt_bytes result)
{
	struct reading once, collecting;

	read_once(&once, dialect, attributes, result, false);
	read_once(&collecting, dialect, attributes, result, true);
	if (once.rc != collecting.rc)
		abort();
	abt_arena_end(&once.arena);
	abt_arena_end(&collecting.arena);
}

/* The same body, compressed or not. */
static void
packed_and_not(struct abt_bytes result)
{
	struct reading a, b;
	struct abt_bytes body;

	read_once(&a, "rest", &packing, result, false);
	read_once(&b, "rest", &unpacked, result, false);
	if (a.rc != b.rc || a.response.status != b.response.status)
		abort();
	if (a.response.headers.count == b.response.headers.count) {
		if (!abt_bytes_equal(a.response.body, b.response.body))
			abort();
	} else if (a.response.body.n > 0 &&
		   (abt_coding_decode(ABT_CODING_GZIP, a.response.body,
			b.response.body.n, &a.arena,
			&body) != ABT_CODING_DONE ||
		       !abt_bytes_equal(body, b.response.body))) {
		abort();
	}
	abt_arena_end(&a.arena);
	abt_arena_end(&b.arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes result = abt_bytes((const char *)data, size);

	both_ways("rest", &plain, result);
	packed_and_not(result);
	both_ways("http-1.0", cors, result);
	both_ways("http-2.0", cors, result);
	both_ways("url", cors, result);
	return 0;
}
