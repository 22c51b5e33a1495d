/*
 * rest_event.c - the REST API event (apigw.md 1.1 to 1.6)
 *
 * Every key is always there, null where there is nothing.  The path and its
 * parameters stay as the client encoded them; the query is decoded.  Text that
 * is not UTF-8 is mended, so that every request has an event.
 */
#include "dialect/rest.h"

#include "base/utf8_mend.h"
#include "dialect/api.h"
#include "dialect/maps.h"
#include "dialect/spelled.h"
#include "dialect/trace.h"
#include "http/forwarded.h"

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

/* ---- path ---- */

/* |path| with the slashes at its very start as one (R1.3). */
static struct abt_bytes
one_slash(struct abt_bytes path)
{
	while (path.n > 1 && path.p[0] == '/' && path.p[1] == '/') {
		path.p++;
		path.n--;
	}
	return path;
}

/* Behind the stage of the default domain (R1.1, R1.6); a custom domain's path
 * keeps its base path (R1.8). */
static struct abt_bytes
event_path(const struct abt_call *call)
{
	struct abt_bytes path = call->front->api->base_path.n > 0
				    ? call->request->path
				    : call->match.path;

	return path.n == 0 ? ABT_BYTES("/") : one_slash(path);
}

/* ---- headers ---- */

static bool
is_signature(struct abt_bytes value)
{
	return abt_bytes_starts_nocase(value, ABT_BYTES("AWS4-HMAC-SHA256"));
}

/* R3.5, R3.7 */
static bool
other_passes(const struct abt_field *field)
{
	static const struct abt_bytes kept_back[] = {
		ABT_BYTES_INIT("content-md5"),
		ABT_BYTES_INIT("max-forwards"),
		ABT_BYTES_INIT("proxy-authenticate"),
		ABT_BYTES_INIT("www-authenticate"),
	};
	size_t i;

	if (field->name.n < 11) /* the shortest */
		return true;
	for (i = 0; i < sizeof(kept_back) / sizeof(kept_back[0]); i++)
		if (field->name.n == kept_back[i].n &&
		    abt_bytes_equal_nocase(field->name, kept_back[i]))
			return false;
	return !(
	    field->name.n == 13 && is_signature(field->value) &&
	    abt_bytes_equal_nocase(field->name, ABT_BYTES("authorization")));
}

static bool
passes(const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_CONTENT_LENGTH:
	case ABT_FIELD_EXPECT:
	case ABT_FIELD_SERVER:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_UPGRADE:
	case ABT_FIELD_HOST: /* these are ours */
	case ABT_FIELD_X_AMZN_TRACE_ID:
	case ABT_FIELD_X_FORWARDED_FOR:
	case ABT_FIELD_X_FORWARDED_PORT:
	case ABT_FIELD_X_FORWARDED_PROTO:
		return false;
	case ABT_FIELD_OTHER:
		return other_passes(field);
	default:
		return true;
	}
}

/* A field under the client's spelling, but for three names (R3.1). */
static void
add_field(struct abt_spelled *headers, struct abt_call *call,
    const struct abt_field *field)
{
	if (field->id == ABT_FIELD_USER_AGENT)
		abt_spelled_add_ours(headers, call->arena, field->id,
		    ABT_BYTES("User-Agent"), field->value);
	else if (field->id == ABT_FIELD_OTHER && field->name.n == 13 &&
		 abt_bytes_equal_nocase(
		     field->name, ABT_BYTES("Authorization")))
		abt_spelled_add_ours(headers, call->arena, field->id,
		    ABT_BYTES("Authorization"), field->value);
	else
		abt_spelled_add(headers, call->arena, field);
}

static void
write_headers(const struct writing *w)
{
	struct abt_call *call = w->call;
	const struct abt_headers *sent = &call->request->headers;
	struct abt_arena *arena = call->arena;
	const struct abt_field *host = abt_headers_first(sent, ABT_FIELD_HOST);
	struct abt_spelled headers = { 0 };
	size_t i;

	for (i = 0; i < sent->count; i++)
		if (passes(&sent->fields[i]))
			add_field(&headers, call, &sent->fields[i]);
	abt_trace_fill(call);
	abt_spelled_add_ours(&headers, arena, ABT_FIELD_HOST, ABT_BYTES("Host"),
	    host != NULL ? host->value : abt_api_domain(call));
	abt_spelled_add_ours(&headers, arena, ABT_FIELD_X_AMZN_TRACE_ID,
	    ABT_BYTES("X-Amzn-Trace-Id"), call->trace_id);
	abt_spelled_add_ours(&headers, arena, ABT_FIELD_X_FORWARDED_FOR,
	    ABT_BYTES("X-Forwarded-For"),
	    abt_forwarded_for(sent, call->facts.peer_ip, arena));
	abt_spelled_add_ours(&headers, arena, ABT_FIELD_X_FORWARDED_PORT,
	    ABT_BYTES("X-Forwarded-Port"), abt_api_port(call));
	abt_spelled_add_ours(&headers, arena, ABT_FIELD_X_FORWARDED_PROTO,
	    ABT_BYTES("X-Forwarded-Proto"),
	    call->facts.tls ? ABT_BYTES("https") : ABT_BYTES("http"));
	abt_spelled_write(&headers, arena, w->mend, w->out);
}

/* ---- query, parameters, variables ---- */

static void
write_query(const struct writing *w)
{
	struct abt_entries query = { NULL, 0, 0 };
	struct abt_arena *arena = w->call->arena;

	abt_entries_of_form(&query, arena, w->call->request->query);
	if (query.count == 0) { /* R2.1 */
		abt_json_members(w->out,
		    ABT_BYTES("\"queryStringParameters\":null,"
			      "\"multiValueQueryStringParameters\":null"));
		return;
	}
	abt_entries_sort(&query, arena);
	abt_write_last(w->out, "queryStringParameters", &query);
	abt_write_lists(w->out, "multiValueQueryStringParameters", &query);
}

static void
write_pairs(const struct writing *w, const char *key,
    const struct abt_pair *pairs, size_t count)
{
	size_t i;

	if (count == 0) {
		abt_json_null(w->out, key);
		return;
	}
	abt_json_object(w->out, key);
	for (i = 0; i < count; i++)
		abt_json_string_at(
		    w->out, pairs[i].name, text(w, pairs[i].value));
	abt_json_close(w->out);
}

/* ---- requestContext ---- */

static void
write_context(const struct writing *w)
{
	struct abt_call *call = w->call;
	const struct abt_api *api = call->front->api;
	const struct abt_field *agent =
	    abt_headers_last(&call->request->headers, ABT_FIELD_USER_AGENT);
	struct abt_bytes domain = text(w, abt_api_domain(call));
	char time[ABT_CLF_SIZE], epoch[20];
	size_t digits =
	    abt_format_number(epoch, (uint64_t)(call->facts.epoch_us / 1000));
	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"requestContext\":{\"resourceId\":\""),
		call->match.resource_id,
		ABT_BYTES("\",\"resourcePath\":\""),
		call->match.resource,
		ABT_BYTES("\",\"httpMethod\":\""),
		text(w, call->request->method),
		ABT_BYTES("\",\"extendedRequestId\":\""),
		abt_api_extended_id(call),
		ABT_BYTES("\",\"requestTime\":\""),
		abt_bytes(time, ABT_CLF_SIZE - 1),
		ABT_BYTES("\",\"path\":\""),
		text(w, one_slash(call->request->path)),
		ABT_BYTES("\",\"accountId\":\""),
		call->front->account,
		ABT_BYTES("\",\"protocol\":\"HTTP/1.1\",\"stage\":\""),
		api->stage,
		ABT_BYTES("\",\"domainPrefix\":\""),
		abt_api_domain_prefix(domain),
		ABT_BYTES("\",\"requestTimeEpoch\":"),
		abt_bytes(epoch, digits),
		ABT_BYTES(",\"requestId\":\""),
		abt_bytes_text(call->facts.request_id),
		ABT_BYTES("\",\"identity\":{\"accessKey\":null,"
			  "\"accountId\":null,\"caller\":null,"
			  "\"cognitoAuthenticationProvider\":null,"
			  "\"cognitoAuthenticationType\":null,"
			  "\"cognitoIdentityId\":null,"
			  "\"cognitoIdentityPoolId\":null,"
			  "\"principalOrgId\":null,\"user\":null,"
			  "\"userArn\":null,\"sourceIp\":\""),
		call->facts.peer_ip,
		agent != NULL ? ABT_BYTES("\",\"userAgent\":\"")
			      : ABT_BYTES("\",\"userAgent\":null"),
		agent != NULL ? text(w, agent->value) : ABT_BYTES(""),
		agent != NULL ? abt_api_client_cert(call, ABT_BYTES("\","),
				    ABT_BYTES("},\"domainName\":\""),
				    ABT_BYTES("\"},\"domainName\":\""))
			      : abt_api_client_cert(call, ABT_BYTES(","),
				    ABT_BYTES("},\"domainName\":\""),
				    ABT_BYTES("},\"domainName\":\"")),
		domain,
		api->deployment_id.n > 0 ? ABT_BYTES("\",\"deploymentId\":\"")
					 : ABT_BYTES(""),
		api->deployment_id,
		ABT_BYTES("\",\"apiId\":\""),
		api->api_id,
		ABT_BYTES("\"}"),
	};

	abt_api_clf_time(time, call->facts.epoch_us);
	abt_json_pieces(w->out, pieces, sizeof(pieces) / sizeof(pieces[0]));
}

/* ---- body ---- */

/* A missing type is matched by the entry for every type alone (R4.3). */
static bool
body_is_binary(const struct abt_call *call)
{
	const struct abt_field *type =
	    abt_headers_last(&call->request->headers, ABT_FIELD_CONTENT_TYPE);

	return abt_rest_is_binary(
	    call->front, type != NULL ? type->value : abt_bytes(NULL, 0));
}

static void
write_body(const struct writing *w)
{
	struct abt_bytes body = w->call->request->body;
	bool base64 = body.n > 0 && body_is_binary(w->call);

	if (body.n == 0) { /* R4.5 */
		abt_json_members(w->out,
		    ABT_BYTES("\"body\":null,\"isBase64Encoded\":false"));
		return;
	}
	if (base64)
		abt_json_base64(w->out, "body", body);
	else
		abt_json_string(w->out, "body", text(w, body)); /* R4.1 */
	abt_json_bool(w->out, "isBase64Encoded", base64);
}

static void
write(const struct writing *w)
{
	const struct abt_match *match = &w->call->match;
	const struct abt_map *variables = &w->call->front->api->stage_variables;

	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"resource\":\""),
		match->resource,
		ABT_BYTES("\",\"path\":\""),
		text(w, event_path(w->call)),
		ABT_BYTES("\",\"httpMethod\":\""),
		text(w, w->call->request->method),
		ABT_BYTES("\""),
	};

	abt_json_object(w->out, NULL);
	abt_json_pieces(w->out, pieces, sizeof(pieces) / sizeof(pieces[0]));
	write_headers(w);
	write_query(w);
	write_pairs(w, "pathParameters", match->params, match->param_count);
	write_pairs(w, "stageVariables", variables->pairs, variables->count);
	write_context(w);
	write_body(w);
	abt_json_close(w->out);
}

int
abt_rest_write_event(
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report)
{
	struct writing w = { .call = call, .out = out };
	struct abt_buf *buf = out->buf;
	size_t begin = buf->n;

	write(&w);
	if (out->bad_utf8 && !buf->failed) { /* rare: R2.8, R4.1 */
		buf->n = begin;
		abt_json_out_init(out, buf);
		w.mend = true;
		write(&w);
	}
	if (buf->overflowed)
		return abt_break(
		    report, ABT_RULE_API_EVENT_LARGE, ABT_BYTES(""));
	return 0;
}
