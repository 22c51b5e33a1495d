/*
 * payload_inverse.c - from events of format 2.0 to requests, from responses to
 * results for HTTP APIs and function URLs
 *
 * A function URL is told from an HTTP API by its domain, or by its caller, who
 * has no account.  rawPath is decoded in an HTTP API's event and as it came in
 * a URL's (apigw.md H1.1, 3.1).
 */
#include "dialect/payload.h"

#include "dialect/from_event.h"
#include "dialect/to_result.h"

#define URL_ID 32 /* letters of a function URL's id */

static const struct abt_json *
http_of(const struct abt_json *event)
{
	const struct abt_json *context = abt_json_get(event, "requestContext");
	const struct abt_json *http = abt_json_is(context, ABT_JSON_OBJECT)
					  ? abt_json_get(context, "http")
					  : NULL;

	return abt_json_is(http, ABT_JSON_OBJECT) ? http : NULL;
}

/* Callers of a URL have no account, but for those that signed; the id of a URL
 * is longer than those of APIs.  The domain alone may be what a client wrote.
 */
static bool
is_url(const struct abt_json *context)
{
	struct abt_bytes domain = abt_event_text(context, "domainName");

	return abt_bytes_equal(abt_event_text(context, "accountId"),
		   ABT_BYTES("anonymous")) ||
	       (abt_event_text(context, "apiId").n == URL_ID &&
		   abt_bytes_search(domain, ABT_BYTES(".lambda-url.")) <
		       domain.n);
}

bool
abt_payload_recognise(const struct abt_json *event, bool url)
{
	return http_of(event) != NULL &&
	       abt_bytes_equal(
		   abt_event_text(event, "version"), ABT_BYTES("2.0")) &&
	       is_url(abt_json_get(event, "requestContext")) == url;
}

/* Is |line|, taken apart at its semicolons, the |list|? */
static bool
is_list(struct abt_bytes line, const struct abt_json *list)
{
	const struct abt_json *cookie = list->first;
	struct abt_bytes piece;

	while (abt_bytes_next(&line, ';', &piece)) {
		piece = abt_bytes_trim(piece);
		if (piece.n == 0)
			continue;
		if (cookie == NULL || !abt_bytes_equal(piece, cookie->text))
			return false;
		cookie = cookie->next;
	}
	return cookie == NULL;
}

/* One Cookie line of the |list|; |size|: of all texts, two bytes more each. */
static int
add_cookies(
    struct abt_event_reader *r, const struct abt_json *list, size_t size)
{
	char *line = abt_arena_alloc(r->arena, size + 1), *w = line;
	const struct abt_json *cookie;

	if (line == NULL)
		return 0; /* the arena remembers */
	for (cookie = list->first; cookie != NULL; cookie = cookie->next) {
		if (cookie->text.n == 0)
			continue;
		if (w > line) {
			*w++ = ';';
			*w++ = ' ';
		}
		memcpy(w, cookie->text.p, cookie->text.n);
		w += cookie->text.n;
	}
	if (w == line)
		return 0;
	return abt_event_field(
	    r, ABT_BYTES("cookie"), abt_bytes(line, (size_t)(w - line)));
}

/* A URL's event has Cookie among its headers, too; but where the client sent
 * several lines they are joined there with commas, which do not divide cookies.
 */
static int
read_cookies(struct abt_event_reader *r)
{
	const struct abt_json *list = abt_json_get(r->event, "cookies");
	const struct abt_json *cookie;
	const struct abt_field *line =
	    abt_headers_first(&r->request->headers, ABT_FIELD_COOKIE);
	size_t size = 0;

	if (list == NULL || list->kind == ABT_JSON_NULL)
		return 0;
	if (list->kind != ABT_JSON_ARRAY)
		return abt_event_bad(r, "cookies");
	for (cookie = list->first; cookie != NULL; cookie = cookie->next) {
		if (cookie->kind != ABT_JSON_STRING)
			return abt_event_bad(r, "cookies");
		size += cookie->text.n + 2;
	}
	if (line != NULL && is_list(line->value, list))
		return 0;
	abt_headers_drop(&r->request->headers, ABT_FIELD_COOKIE);
	return add_cookies(r, list, size);
}

int
abt_payload_read_event(const struct abt_json *event, bool url,
    struct abt_origin *origin, struct abt_request *request,
    struct abt_report *report)
{
	struct abt_event_reader r =
	    abt_event_reader(event, origin, request, report);
	const struct abt_json *http = http_of(event);
	const struct abt_json *context = abt_json_get(event, "requestContext");
	struct abt_bytes query = abt_event_text(event, "rawQueryString");

	if (query.n == 0)
		query = abt_bytes(NULL, 0);
	if (abt_event_method(&r, http, "method") != 0 ||
	    abt_event_headers(&r, abt_json_get(event, "headers"), false) != 0 ||
	    read_cookies(&r) != 0 ||
	    abt_event_target(
		&r, abt_event_text(event, "rawPath"), query, !url) != 0 ||
	    abt_event_body(&r) != 0)
		return -1;
	if (abt_bytes_equal(
		abt_event_text(http, "protocol"), ABT_BYTES("HTTP/1.0")))
		request->version = 10;
	abt_event_context(&r, context, abt_event_text(http, "sourceIp"),
	    abt_json_get(context, "timeEpoch"));
	abt_event_stage_prefix(&r);
	return abt_event_end(&r);
}

int
abt_payload_write_result(const struct abt_origin *origin,
    const struct abt_response *response, bool prelude, struct abt_json_out *out,
    struct abt_report *report)
{
	struct abt_to_result_fields fields =
	    abt_to_result_fields(response, origin->arena);

	abt_json_object(out, NULL);
	abt_json_int(out, "statusCode", response->status);
	abt_to_result_write_joined(&fields, false, origin->arena, out);
	abt_to_result_write_cookies(&fields, origin->arena, out);
	if (!prelude)
		abt_to_result_write_body(response, out);
	abt_json_close(out);
	return abt_to_result_end(origin, report);
}
