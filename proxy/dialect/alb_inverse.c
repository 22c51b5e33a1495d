/*
 * alb_inverse.c - from an ALB event to its request, from a response to a result
 * for an ALB
 *
 * Which of its two modes the load balancer is in is seen by the event, and the
 * result is in the same.
 */
#include "dialect/alb.h"
#include "dialect/from_event.h"
#include "dialect/to_result.h"

bool
abt_alb_recognise(const struct abt_json *event)
{
	const struct abt_json *context = abt_json_get(event, "requestContext");

	return abt_json_is(context, ABT_JSON_OBJECT) &&
	       abt_json_is(abt_json_get(context, "elb"), ABT_JSON_OBJECT);
}

/* The address in |element| of X-Forwarded-For, which may have a port. */
static struct abt_bytes
address_of(struct abt_bytes element)
{
	size_t colon = abt_bytes_find(element, ':');

	element = abt_bytes_trim(element);
	if (element.n > 0 && element.p[0] == '[') {
		element = abt_bytes(element.p + 1, element.n - 1);
		element.n = abt_bytes_find(element, ']');
		return element;
	}
	colon = abt_bytes_find(element, ':');
	if (colon < element.n && abt_bytes_find(abt_bytes(element.p + colon + 1,
						    element.n - colon - 1),
				     ':') == element.n - colon - 1)
		element.n = colon; /* one colon: no IPv6 */
	return element;
}

/* The load balancer's own element is the last. */
static struct abt_bytes
peer_of(const struct abt_headers *headers)
{
	const struct abt_field *field =
	    abt_headers_last(headers, ABT_FIELD_X_FORWARDED_FOR);
	struct abt_bytes rest, element = { NULL, 0 };

	if (field == NULL)
		return element;
	rest = field->value;
	while (abt_bytes_next(&rest, ',', &element))
		;
	return address_of(element);
}

/* The trace id has the second in it: Root=1-5c536348-3d68... */
static int64_t
epoch_of(const struct abt_headers *headers)
{
	const struct abt_field *field =
	    abt_headers_last(headers, ABT_FIELD_X_AMZN_TRACE_ID);
	const struct abt_bytes mark = ABT_BYTES("Root=1-");
	uint64_t seconds;
	size_t at;

	if (field == NULL)
		return 0;
	at = abt_bytes_search(field->value, mark);
	if (field->value.n < at + mark.n + 8 ||
	    !abt_bytes_number(abt_bytes(field->value.p + at + mark.n, 8), 16,
		UINT32_MAX, &seconds))
		return 0;
	return (int64_t)seconds * 1000000;
}

int
abt_alb_read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report)
{
	struct abt_event_reader r =
	    abt_event_reader(event, origin, request, report);
	const struct abt_json *map = abt_event_map(
	    event, "multiValueHeaders", "headers", &origin->multi_value);
	struct abt_bytes query;
	bool lists;

	if (abt_event_method(&r, event, "httpMethod") != 0 ||
	    abt_event_headers(&r, map, origin->multi_value) != 0)
		return -1;
	map = abt_event_map(event, "multiValueQueryStringParameters",
	    "queryStringParameters", &lists);
	if (abt_event_query(&r, map, lists, false, &query) != 0 ||
	    abt_event_target(&r, abt_event_text(event, "path"), query, false) !=
		0 ||
	    abt_event_body(&r) != 0)
		return -1;
	origin->facts.peer_ip = peer_of(&request->headers);
	origin->facts.epoch_us = epoch_of(&request->headers);
	return abt_event_end(&r);
}

int
abt_alb_write_result(const struct abt_origin *origin,
    const struct abt_response *response, bool prelude, struct abt_json_out *out,
    struct abt_report *report)
{
	struct abt_to_result_fields fields =
	    abt_to_result_fields(response, origin->arena);
	struct abt_bytes reason = response->reason;

	if (reason.p == NULL || !abt_utf8_valid(reason))
		reason = abt_bytes_text(abt_status_phrase(response->status));
	abt_json_object(out, NULL);
	abt_json_int(out, "statusCode", response->status);
	if (reason.n > 0)
		abt_json_string(out, "statusDescription",
		    abt_arena_printf(origin->arena, "%03d %.*s",
			response->status, ABT_FMT(reason)));
	if (origin->multi_value) /* lines go out last first: R13 */
		abt_to_result_write_lists(&fields, true, origin->arena, out);
	else
		abt_to_result_write_joined(&fields, true, origin->arena, out);
	if (!prelude)
		abt_to_result_write_body(response, out);
	abt_json_close(out);
	return abt_to_result_end(origin, report);
}
