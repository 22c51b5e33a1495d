/*
 * fuzz_cors.c - CORS of HTTP APIs and function URLs
 *
 * The input is lines: allowed origins, an empty line, the method, then header
 * lines "name: value" of the request, an empty line, header lines of the
 * response.  Properties: a response's origin is one that the front allows; what
 * the front does not own stays in order; a second last word changes nothing but
 * vary; a preflight is left alone.
 */
#include <stdlib.h>

#include "dialect/cors.h"

#define ORIGINS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_headers(struct abt_bytes *text, struct abt_headers *headers,
    struct abt_arena *arena)
{
	struct abt_bytes line;

	while (abt_bytes_next(text, '\n', &line) && line.n > 0) {
		size_t colon = abt_bytes_find(line, ':');

		if (colon > 0 && colon < line.n)
			abt_headers_add(headers, arena,
			    abt_bytes(line.p, colon),
			    abt_bytes_trim(abt_bytes(
				line.p + colon + 1, line.n - colon - 1)));
	}
}

static const struct abt_field *
allowed_origin(const struct abt_response *response)
{
	return abt_headers_named(
	    &response->headers, ABT_BYTES("access-control-allow-origin"));
}

/* The origin that a response names is the request's, or a star. */
static void
check_origin(const struct abt_cors *cors, const struct abt_request *req,
    const struct abt_response *response)
{
	const struct abt_field *named = allowed_origin(response);
	const struct abt_field *sent =
	    abt_headers_first(&req->headers, ABT_FIELD_ORIGIN);
	bool wildcard;

	if (named == NULL)
		return;
	if (sent == NULL || !abt_cors_allows(cors, sent->value, &wildcard))
		abort();
	if (wildcard ? !abt_bytes_equal(named->value, ABT_BYTES("*"))
		     : !abt_bytes_equal(named->value, sent->value))
		abort();
}

static void
check_apply(const struct abt_cors *cors, const struct abt_call *call,
    struct abt_response *response)
{
	struct abt_response before = *response;
	size_t i, at = 0;

	before.headers.fields = abt_arena_array(
	    call->arena, response->headers.count + 1, sizeof(struct abt_field));
	if (before.headers.fields == NULL)
		abort();
	for (i = 0; i < before.headers.count; i++)
		before.headers.fields[i] = response->headers.fields[i];
	abt_cors_apply(cors, call, response);
	for (i = 0; i < before.headers.count; i++) {
		const struct abt_field *field = &before.headers.fields[i];

		if (abt_cors_owns(field->name))
			continue;
		if (at >= response->headers.count ||
		    response->headers.fields[at++].name.p != field->name.p)
			abort();
	}
	check_origin(cors, call->request, response);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes text = abt_bytes((const char *)data, size), line;
	struct abt_bytes origins[ORIGINS];
	struct abt_cors cors = { .origins = { origins, 0 }, .max_age = -1 };
	struct abt_request req = { 0 };
	struct abt_response response = { 0 }, preflight;
	struct abt_arena arena;
	struct abt_call call = { .request = &req, .arena = &arena };

	abt_arena_init(&arena, NULL);
	while (abt_bytes_next(&text, '\n', &line) && line.n > 0)
		if (cors.origins.count < ORIGINS)
			origins[cors.origins.count++] = line;
	cors.credentials = size % 2 == 1 && cors.origins.count > 0;
	abt_bytes_next(&text, '\n', &req.method);
	read_headers(&text, &req.headers, &arena);
	read_headers(&text, &response.headers, &arena);
	if (abt_cors_preflight(&cors, &call, 204, &preflight) != 0) {
		size_t count = preflight.headers.count;

		if (!abt_cors_is_on(&cors))
			abort();
		check_origin(&cors, &req, &preflight);
		abt_cors_apply(&cors, &call, &preflight);
		if (preflight.headers.count != count)
			abort();
	} else if (abt_cors_is_on(&cors)) {
		check_apply(&cors, &call, &response);
	}
	abt_arena_end(&arena);
	return 0;
}
