/*
 * http_api_v1.c - HTTP API, payload format 1.0
 *
 * Nearly a REST API's event (apigw.md 2.6): members are null where 2.0 leaves
 * them out, headers keep the client's spelling, and path is the one text that
 * stays percent-encoded.
 */
#include "base/utf8_mend.h"
#include "dialect/payload.h"
#include "dialect/rest_inverse.h"
#include "dialect/spelled.h"
#include "dialect/trace.h"
#include "http/forwarded.h"
#include "http/percent.h"
#include "route/api_routes.h"

static const struct abt_payload payload = {
	.multi_value = true,
	.title_case = true,
	.default_type = ABT_BYTES_INIT("text/plain; charset=utf-8"),
};

struct writing {
	struct abt_call *call;
	struct abt_json_out *out;
	bool mend; /* something is not UTF-8: this is the second time */
};

static struct abt_bytes
text(const struct writing *w, struct abt_bytes b)
{
	return w->mend ? abt_utf8_mend(b, w->call->arena) : b;
}

/* ---- headers ---- */

static void
add(struct abt_spelled *spelled, struct abt_call *call, enum abt_field_id id,
    const char *name, struct abt_bytes value)
{
	abt_spelled_add_ours(
	    spelled, call->arena, id, abt_bytes_text(name), value);
}

static struct abt_bytes
length_of(const struct abt_call *call)
{
	char *out;

	if (call->request->body.n == 0)
		return ABT_BYTES("0");
	out = abt_arena_alloc(call->arena, 20);
	return abt_bytes(out,
	    out != NULL ? abt_format_number(out, call->request->body.n) : 0);
}

/* Made by the gateway, in Title-Case (H5.7). */
static void
add_ours(struct abt_spelled *spelled, struct abt_call *call)
{
	const struct abt_request *req = call->request;
	const struct abt_field *host =
	    abt_headers_first(&req->headers, ABT_FIELD_HOST);
	const struct abt_facts *facts = &call->facts;

	add(spelled, call, ABT_FIELD_CONTENT_LENGTH, "Content-Length",
	    length_of(call));
	add(spelled, call, ABT_FIELD_HOST, "Host",
	    host != NULL ? host->value : abt_api_domain(call));
	abt_trace_fill(call);
	add(spelled, call, ABT_FIELD_X_AMZN_TRACE_ID, "X-Amzn-Trace-Id",
	    call->trace_id);
	add(spelled, call, ABT_FIELD_X_FORWARDED_FOR, "X-Forwarded-For",
	    abt_forwarded_for(&req->headers, facts->peer_ip, call->arena));
	add(spelled, call, ABT_FIELD_X_FORWARDED_PORT, "X-Forwarded-Port",
	    abt_api_port(call));
	add(spelled, call, ABT_FIELD_X_FORWARDED_PROTO, "X-Forwarded-Proto",
	    facts->tls ? ABT_BYTES("https") : ABT_BYTES("http"));
}

static bool
is_ours(const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_CONTENT_LENGTH:
	case ABT_FIELD_HOST:
	case ABT_FIELD_X_AMZN_TRACE_ID:
	case ABT_FIELD_X_FORWARDED_FOR:
	case ABT_FIELD_X_FORWARDED_PORT:
	case ABT_FIELD_X_FORWARDED_PROTO:
		return true;
	default:
		return false;
	}
}

static void
write_headers(const struct writing *w)
{
	const struct abt_headers *headers = &w->call->request->headers;
	struct abt_spelled spelled = { 0 };
	size_t i;

	for (i = 0; i < headers->count; i++) {
		const struct abt_field *field = &headers->fields[i];

		if (is_ours(field) || abt_payload_is_hop_by_hop(field))
			continue;
		if (field->id == ABT_FIELD_USER_AGENT)
			add(&spelled, w->call, field->id, "User-Agent",
			    field->value);
		else
			abt_spelled_add(&spelled, w->call->arena, field);
	}
	add_ours(&spelled, w->call);
	abt_spelled_write(&spelled, w->call->arena, w->mend, w->out);
}

/* ---- the event ---- */

static void
write_query(const struct writing *w)
{
	struct abt_arena *arena = w->call->arena;
	struct abt_entries entries = { 0 };

	abt_entries_of_form(&entries, arena, w->call->request->query);
	if (entries.count == 0) { /* H5.12 */
		abt_json_members(w->out,
		    ABT_BYTES("\"queryStringParameters\":null,"
			      "\"multiValueQueryStringParameters\":null"));
		return;
	}
	abt_entries_sort(&entries, arena);
	abt_write_last(w->out, "queryStringParameters", &entries);
	abt_write_lists(w->out, "multiValueQueryStringParameters", &entries);
}

static void
write_context(const struct writing *w)
{
	struct abt_call *call = w->call;
	const struct abt_front *front = call->front;
	const struct abt_request *req = call->request;
	const struct abt_field *agent =
	    abt_headers_last(&req->headers, ABT_FIELD_USER_AGENT);
	struct abt_bytes id = abt_api_extended_id(call);
	struct abt_bytes domain = text(w, abt_api_domain(call));
	char time[ABT_CLF_SIZE], epoch[20];
	size_t digits =
	    abt_format_number(epoch, (uint64_t)(call->facts.epoch_us / 1000));
	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"requestContext\":{\"accountId\":\""),
		front->account,
		ABT_BYTES("\",\"apiId\":\""),
		front->api->api_id,
		ABT_BYTES("\",\"domainName\":\""),
		domain,
		ABT_BYTES("\",\"domainPrefix\":\""),
		abt_api_domain_prefix(domain),
		ABT_BYTES("\",\"extendedRequestId\":\""),
		id,
		ABT_BYTES("\",\"httpMethod\":\""),
		text(w, req->method),
		/* all null but two (H5.9) */
		ABT_BYTES("\",\"identity\":{\"accessKey\":null,"
			  "\"accountId\":null,\"caller\":null,"
			  "\"cognitoAuthenticationProvider\":null,"
			  "\"cognitoAuthenticationType\":null,"
			  "\"cognitoIdentityId\":null,"
			  "\"cognitoIdentityPoolId\":null,"
			  "\"principalOrgId\":null,\"user\":null,"
			  "\"userArn\":null,\"sourceIp\":\""),
		call->facts.peer_ip,
		ABT_BYTES("\",\"userAgent\":\""),
		agent != NULL ? text(w, agent->value) : ABT_BYTES(""),
		abt_api_client_cert(call, ABT_BYTES("\","),
		    ABT_BYTES("},\"path\":\""),
		    ABT_BYTES("\"},\"path\":\"")), /* H5.5 */
		abt_percent_decode(req->path, false, call->arena),
		req->version == 10
		    ? ABT_BYTES("\",\"protocol\":\"HTTP/1.0\",\"requestId\":\"")
		    : ABT_BYTES(
			  "\",\"protocol\":\"HTTP/1.1\",\"requestId\":\""),
		id, /* H5.8 */
		ABT_BYTES("\",\"requestTime\":\""),
		abt_bytes(time, ABT_CLF_SIZE - 1),
		ABT_BYTES("\",\"requestTimeEpoch\":"),
		abt_bytes(epoch, digits),
		ABT_BYTES(",\"resourceId\":\""), /* H5.3 */
		call->match.route_key,
		ABT_BYTES("\",\"resourcePath\":\""),
		call->match.resource,
		ABT_BYTES("\",\"stage\":\""),
		front->api->stage,
		ABT_BYTES("\"}"),
	};

	abt_api_clf_time(time, call->facts.epoch_us);
	abt_json_pieces(w->out, pieces, sizeof(pieces) / sizeof(pieces[0]));
}

static void
write_maps(const struct writing *w)
{
	const struct abt_api *api = w->call->front->api;

	if (w->call->match.param_count > 0)
		abt_api_write_params(w->call, w->out, true); /* H5.6 */
	else
		abt_json_null(w->out, "pathParameters");
	if (api->stage_variables.count > 0)
		abt_api_write_variables(w->out, api);
	else
		abt_json_null(w->out, "stageVariables");
}

static void
write_body(const struct writing *w)
{
	const struct abt_request *req = w->call->request;
	bool base64 = abt_api_body_is_base64(req);

	if (req->body.n == 0) {
		abt_json_members(w->out,
		    ABT_BYTES("\"body\":null,\"isBase64Encoded\":false"));
		return;
	}
	if (base64)
		abt_json_base64(w->out, "body", req->body);
	else
		abt_json_string(w->out, "body", req->body);
	abt_json_bool(w->out, "isBase64Encoded", base64);
}

static void
write(const struct writing *w)
{
	const struct abt_request *req = w->call->request;
	struct abt_json_out *out = w->out;

	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"version\":\"1.0\",\"resource\":\""), /* H5.1 */
		w->call->match.resource,
		ABT_BYTES("\",\"path\":\""),
		text(w, req->path),
		ABT_BYTES("\",\"httpMethod\":\""),
		text(w, req->method),
		ABT_BYTES("\""),
	};

	abt_json_object(out, NULL);
	abt_json_pieces(out, pieces, sizeof(pieces) / sizeof(pieces[0]));
	write_headers(w);
	write_query(w);
	write_context(w);
	write_maps(w);
	write_body(w);
	abt_json_close(out);
}

static int
write_event(
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report)
{
	struct writing w = { .call = call, .out = out };
	struct abt_buf *buf = out->buf;
	size_t begin = buf->n;

	write(&w);
	if (out->bad_utf8 && !buf->failed) { /* rare (H1.9) */
		buf->n = begin;
		abt_json_out_init(out, buf);
		w.mend = true;
		write(&w);
	}
	return abt_api_event_end(out, report);
}

static int
read_result(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_response *response, struct abt_report *report)
{
	(void)error;
	return abt_payload_read_result(
	    &payload, call, source, result, response, report);
}

const struct abt_dialect abt_dialect_http_api_v1 = {
	.name = "http-1.0",
	.title = "API Gateway HTTP API, payload format 1.0",
	.routing = ABT_ROUTE_KEYS,
	.timeout_ms = 30000, /* 2.15 */
	.attributes_size = sizeof(struct abt_payload_attributes),
	.attributes = abt_http_api_attribute_rows,
	.check = abt_http_api_check,
	.make_policy = abt_http_api_make_policy,
	.admit = abt_http_api_admit,
	.route = abt_api_route_find,
	.answer = abt_http_api_answer,
	.write_event = write_event,
	.read_result = read_result,
	.write_failure = abt_http_api_write_failure,
	.finish = abt_http_api_finish,
	.recognise = abt_http_v1_recognise,
	.read_event = abt_http_v1_read_event,
	.write_result = abt_rest_write_result,
};
