/*
 * cors.c - CORS as HTTP APIs and function URLs do it by themselves
 *
 * A front with CORS answers preflights and owns the Access-Control headers of
 * every other response (apigw.md 2.12, 3.4).  Its header names are in lower
 * case, as the services write them.
 */
#include "dialect/cors.h"

#define AT(member) offsetof(struct abt_cors, member)

const struct abt_option abt_cors_option_rows[] = {
	{ .name = "AllowOrigins",
	    .kind = ABT_LIST,
	    .offset = AT(origins),
	    .help = "origins that may read responses: *, a scheme with a star "
		    "for the host, or scheme://host[:port]" },
	{ .name = "AllowMethods",
	    .kind = ABT_LIST,
	    .offset = AT(methods),
	    .help = "methods that preflights allow" },
	{ .name = "AllowHeaders",
	    .kind = ABT_LIST,
	    .offset = AT(headers),
	    .help = "request headers that preflights allow" },
	{ .name = "ExposeHeaders",
	    .kind = ABT_LIST,
	    .offset = AT(expose),
	    .help = "response headers that scripts may read" },
	{ .name = "MaxAge",
	    .kind = ABT_INT,
	    .offset = AT(max_age),
	    .preset = "-1",
	    .min = -1,
	    .max = 86400,
	    .help = "seconds that a preflight may be kept; -1 sends none" },
	{ .name = "AllowCredentials",
	    .kind = ABT_BOOL,
	    .offset = AT(credentials),
	    .help = "allow requests with cookies" },
	ABT_OPTIONS_END,
};

bool
abt_cors_is_on(const struct abt_cors *cors)
{
	return cors->origins.count > 0 || cors->methods.count > 0 ||
	       cors->headers.count > 0 || cors->expose.count > 0 ||
	       cors->max_age > 0 || cors->credentials;
}

/* ---- origins ---- */

/* A star behind the scheme is any host (H9.4). */
static bool
origin_fits(struct abt_bytes allowed, struct abt_bytes origin)
{
	if (abt_bytes_ends(allowed, ABT_BYTES("://*"))) {
		allowed.n--;
		return origin.n > allowed.n &&
		       abt_bytes_starts_nocase(origin, allowed);
	}
	return abt_bytes_equal_nocase(allowed, origin);
}

bool
abt_cors_allows(
    const struct abt_cors *cors, struct abt_bytes origin, bool *wildcard)
{
	bool fits = false;

	*wildcard = false;
	for (size_t i = 0; i < cors->origins.count; i++) {
		struct abt_bytes allowed = cors->origins.items[i];

		if (abt_bytes_equal(allowed, ABT_BYTES("*")))
			return *wildcard = true;
		fits = fits || origin_fits(allowed, origin);
	}
	return fits;
}

static struct abt_bytes
origin_of(const struct abt_call *call)
{
	const struct abt_field *field =
	    abt_headers_first(&call->request->headers, ABT_FIELD_ORIGIN);

	return field != NULL ? field->value : abt_bytes(NULL, 0);
}

/* ---- headers ---- */

static void
add(struct abt_response *response, const struct abt_call *call,
    const char *name, struct abt_bytes value)
{
	abt_headers_add(
	    &response->headers, call->arena, abt_bytes_text(name), value);
}

static void
add_list(struct abt_response *response, const struct abt_call *call,
    const char *name, const struct abt_list *list)
{
	size_t n = 0, size = list->count;
	char *out;

	if (list->count == 0)
		return;
	for (size_t i = 0; i < list->count; i++)
		size += list->items[i].n;
	out = abt_arena_alloc(call->arena, size);
	if (out == NULL)
		return; /* the arena remembers */
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			out[n++] = ',';
		if (list->items[i].n > 0)
			memcpy(out + n, list->items[i].p, list->items[i].n);
		n += list->items[i].n;
	}
	add(response, call, name, abt_bytes(out, n));
}

/* What every response to an allowed origin has (H9.3, H9.6). */
static void
add_origin(const struct abt_cors *cors, const struct abt_call *call,
    struct abt_bytes origin, bool wildcard, struct abt_response *response)
{
	add(response, call, "access-control-allow-origin",
	    wildcard ? ABT_BYTES("*") : origin);
	if (!wildcard)
		add(response, call, "vary", ABT_BYTES("origin"));
	if (cors->credentials)
		add(response, call, "access-control-allow-credentials",
		    ABT_BYTES("true"));
	add_list(
	    response, call, "access-control-expose-headers", &cors->expose);
}

static bool
is_preflight(const struct abt_cors *cors, const struct abt_request *req)
{
	return abt_bytes_equal(req->method, ABT_BYTES("OPTIONS")) &&
	       abt_cors_is_on(cors) &&
	       abt_headers_first(&req->headers, ABT_FIELD_ORIGIN) != NULL &&
	       abt_headers_named(&req->headers,
		   ABT_BYTES("access-control-request-method")) != NULL;
}

int
abt_cors_preflight(const struct abt_cors *cors, const struct abt_call *call,
    int status, struct abt_response *response)
{
	struct abt_bytes origin = origin_of(call);
	bool wildcard;

	if (!is_preflight(cors, call->request))
		return 0;
	memset(response, 0, sizeof(*response));
	response->status = status;
	if (!abt_cors_allows(cors, origin, &wildcard)) /* H9.5 */
		return 1;
	add_origin(cors, call, origin, wildcard, response);
	add_list(
	    response, call, "access-control-allow-methods", &cors->methods);
	add_list(
	    response, call, "access-control-allow-headers", &cors->headers);
	if (cors->max_age >= 0)
		add(response, call, "access-control-max-age",
		    abt_arena_printf(
			call->arena, "%lld", (long long)cors->max_age));
	return 1;
}

bool
abt_cors_owns(struct abt_bytes name)
{
	static const char *const owned[] = { "origin", "methods", "headers",
		"credentials" };
	struct abt_bytes prefix = ABT_BYTES("access-control-allow-");

	if (!abt_bytes_starts_nocase(name, ABT_BYTES("access-control-")))
		return false;
	if (abt_bytes_equal_nocase(
		name, ABT_BYTES("access-control-expose-headers")) ||
	    abt_bytes_equal_nocase(name, ABT_BYTES("access-control-max-age")))
		return true;
	if (!abt_bytes_starts_nocase(name, prefix))
		return false;
	name = abt_bytes(name.p + prefix.n, name.n - prefix.n);
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		if (abt_bytes_equal_nocase(name, abt_bytes_text(owned[i])))
			return true;
	return false;
}

void
abt_cors_apply(const struct abt_cors *cors, const struct abt_call *call,
    struct abt_response *response)
{
	struct abt_headers *headers = &response->headers;
	struct abt_bytes origin = origin_of(call);
	size_t i, kept = 0;
	bool wildcard;

	if (!abt_cors_is_on(cors) || is_preflight(cors, call->request))
		return;
	for (i = 0; i < headers->count; i++)
		if (!abt_cors_owns(headers->fields[i].name))
			headers->fields[kept++] = headers->fields[i];
	headers->count = kept;
	if (origin.n > 0 && abt_cors_allows(cors, origin, &wildcard))
		add_origin(cors, call, origin, wildcard, response);
}
