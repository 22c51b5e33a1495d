/*
 * rest_inverse.c - from events of REST APIs, and of HTTP APIs in format 1.0, to
 * requests; from responses to results for them
 *
 * The two formats differ in little (apigw.md 2.6): where the stage stands in
 * the path, and that 1.0 says its version.
 */
#include "dialect/rest_inverse.h"

#include "dialect/from_event.h"
#include "dialect/to_result.h"

/* Events of authorizers have a methodArn, WebSockets no httpMethod. */
static bool
is_proxy_event(const struct abt_json *event)
{
	const struct abt_json *context = abt_json_get(event, "requestContext");

	return abt_json_is(context, ABT_JSON_OBJECT) &&
	       abt_json_get(event, "methodArn") == NULL &&
	       abt_json_get(context, "elb") == NULL &&
	       abt_event_text(event, "httpMethod").p != NULL &&
	       abt_event_text(event, "path").p != NULL;
}

bool
abt_rest_recognise(const struct abt_json *event)
{
	return abt_json_get(event, "version") == NULL && is_proxy_event(event);
}

bool
abt_http_v1_recognise(const struct abt_json *event)
{
	return abt_bytes_equal(
		   abt_event_text(event, "version"), ABT_BYTES("1.0")) &&
	       is_proxy_event(event);
}

static int
read_maps(struct abt_event_reader *r, struct abt_bytes *query)
{
	const struct abt_json *map;
	bool lists;

	map = abt_event_map(r->event, "multiValueHeaders", "headers", &lists);
	if (abt_event_headers(r, map, lists) != 0)
		return -1;
	map = abt_event_map(r->event, "multiValueQueryStringParameters",
	    "queryStringParameters", &lists);
	return abt_event_query(r, map, lists, true, query);
}

static void
read_context(struct abt_event_reader *r, const struct abt_json *context)
{
	struct abt_bytes protocol = abt_event_text(context, "protocol");
	const struct abt_json *identity = abt_json_get(context, "identity");

	if (abt_bytes_equal(protocol, ABT_BYTES("HTTP/1.0")))
		r->request->version = 10;
	abt_event_context(r, context, abt_event_text(identity, "sourceIp"),
	    abt_json_get(context, "requestTimeEpoch"));
}

static int
read_event(struct abt_event_reader *r, struct abt_bytes path)
{
	struct abt_bytes query;

	if (abt_event_method(r, r->event, "httpMethod") != 0 ||
	    read_maps(r, &query) != 0 ||
	    abt_event_target(r, path, query, false) != 0 ||
	    abt_event_body(r) != 0)
		return -1;
	read_context(r, abt_json_get(r->event, "requestContext"));
	return abt_event_end(r);
}

/* How much of |whole|, the path as the client sent it, stands before |path|,
 * the one behind the stage. */
static size_t
prefix_length(struct abt_bytes whole, struct abt_bytes path)
{
	if (abt_bytes_ends(whole, path))
		return whole.n - path.n;
	return path.n == 1 && path.p[0] == '/' ? whole.n : 0;
}

int
abt_rest_read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report)
{
	struct abt_event_reader r =
	    abt_event_reader(event, origin, request, report);
	struct abt_bytes path = abt_event_text(event, "path");
	struct abt_bytes whole =
	    abt_event_text(abt_json_get(event, "requestContext"), "path");
	size_t prefix;

	if (whole.n == 0 || whole.p[0] != '/')
		whole = path;
	if (read_event(&r, whole) != 0)
		return -1;
	prefix = prefix_length(whole, path);
	/* not where the path had to be escaped: it is longer now */
	if (prefix > 0 && request->path.n == whole.n)
		origin->prefix = abt_bytes(request->path.p, prefix);
	return 0;
}

int
abt_http_v1_read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report)
{
	struct abt_event_reader r =
	    abt_event_reader(event, origin, request, report);

	if (read_event(&r, abt_event_text(event, "path")) != 0)
		return -1;
	abt_event_stage_prefix(&r);
	return 0;
}

int
abt_rest_write_result(const struct abt_origin *origin,
    const struct abt_response *response, bool prelude, struct abt_json_out *out,
    struct abt_report *report)
{
	struct abt_to_result_fields fields =
	    abt_to_result_fields(response, origin->arena);

	abt_json_object(out, NULL);
	abt_json_int(out, "statusCode", response->status);
	abt_to_result_write_lists(&fields, false, origin->arena, out);
	if (!prelude)
		abt_to_result_write_body(response, out);
	abt_json_close(out);
	return abt_to_result_end(origin, report);
}
