/*
 * payload_event.c - events of format 2.0: HTTP APIs and function URLs
 *
 * Optional members are absent, never null (apigw.md 2.1).  An HTTP API decodes
 * rawPath in spite of its name and takes Cookie out of the headers; a function
 * URL does neither (3.1).
 */
#include "dialect/payload.h"

#include "base/utf8_mend.h"
#include "dialect/trace.h"
#include "http/forwarded.h"
#include "http/percent.h"

bool
abt_payload_is_hop_by_hop(const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_EXPECT: /* the front has answered it */
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_PROXY_CONNECTION:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_UPGRADE:
		return true;
	case ABT_FIELD_OTHER:
		return abt_bytes_starts_nocase(
		    field->name, ABT_BYTES("proxy-"));
	default:
		return false;
	}
}

struct writing {
	const struct abt_payload *payload;
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

static bool
is_tls_header(struct abt_bytes name)
{
	return abt_bytes_equal_nocase(name, ABT_BYTES("x-amzn-tls-version")) ||
	       abt_bytes_equal_nocase(
		   name, ABT_BYTES("x-amzn-tls-cipher-suite"));
}

static bool
passes(const struct abt_payload *payload, const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_COOKIE: /* H2.2; 3.1 */
		return payload->url;
	case ABT_FIELD_CONTENT_LENGTH:
		return payload->url;
	case ABT_FIELD_HOST: /* ours */
	case ABT_FIELD_X_AMZN_TRACE_ID:
	case ABT_FIELD_X_FORWARDED_FOR:
	case ABT_FIELD_X_FORWARDED_PORT:
	case ABT_FIELD_X_FORWARDED_PROTO:
		return false;
	case ABT_FIELD_OTHER:
		if (payload->url && is_tls_header(field->name))
			return false;
		break;
	default:
		break;
	}
	return !abt_payload_is_hop_by_hop(field);
}

static struct abt_bytes
number(const struct abt_call *call, uint64_t value)
{
	char *out;

	if (value == 0)
		return ABT_BYTES("0");
	out = abt_arena_alloc(call->arena, 20);
	return abt_bytes(out, out != NULL ? abt_format_number(out, value) : 0);
}

static struct abt_bytes
host_of(const struct abt_call *call)
{
	const struct abt_field *host =
	    abt_headers_first(&call->request->headers, ABT_FIELD_HOST);

	return host != NULL ? host->value : abt_api_domain(call);
}

/* What the service adds (H2.3). */
static void
add_ours(const struct writing *w, struct abt_entries *entries)
{
	const struct abt_payload *payload = w->payload;
	struct abt_call *call = w->call;
	const struct abt_facts *facts = &call->facts;
	struct abt_arena *arena = call->arena;

	if (!payload->url)
		abt_entries_add(entries, arena, ABT_BYTES("content-length"),
		    number(call, call->request->body.n));
	abt_entries_add(
	    entries, arena, ABT_BYTES("host"), text(w, host_of(call)));
	abt_trace_fill(call);
	abt_entries_add(entries, arena, ABT_BYTES("x-amzn-trace-id"),
	    text(w, call->trace_id));
	abt_entries_add(entries, arena, ABT_BYTES("x-forwarded-for"),
	    text(w, abt_forwarded_for(
			&call->request->headers, facts->peer_ip, arena)));
	abt_entries_add(
	    entries, arena, ABT_BYTES("x-forwarded-port"), abt_api_port(call));
	abt_entries_add(entries, arena, ABT_BYTES("x-forwarded-proto"),
	    facts->tls ? ABT_BYTES("https") : ABT_BYTES("http"));
	if (!payload->url || !facts->tls)
		return;
	abt_entries_add(entries, arena, ABT_BYTES("x-amzn-tls-cipher-suite"),
	    facts->tls_cipher);
	abt_entries_add(entries, arena, ABT_BYTES("x-amzn-tls-version"),
	    facts->tls_version);
}

static void
write_headers(const struct writing *w)
{
	struct abt_call *call = w->call;
	const struct abt_headers *headers = &call->request->headers;
	struct abt_entries entries = { 0 };
	size_t i;

	for (i = 0; i < headers->count; i++) {
		const struct abt_field *field = &headers->fields[i];

		if (!passes(w->payload, field))
			continue;
		if (w->mend && !field->plain)
			abt_entries_add(&entries, call->arena,
			    text(w, abt_field_lower(field, call->arena)),
			    text(w, field->value));
		else
			abt_entries_add_field(&entries, call->arena, field);
	}
	add_ours(w, &entries);
	abt_entries_sort(&entries, call->arena);
	abt_write_joined(w->out, "headers", &entries, call->arena); /* H2.1 */
}

/* Each "name=value" of all Cookie headers, in order (2.1). */
static void
write_cookies(const struct writing *w)
{
	const struct abt_headers *headers = &w->call->request->headers;
	struct abt_json_out *out = w->out;
	size_t i;

	if (abt_headers_first(headers, ABT_FIELD_COOKIE) == NULL)
		return;
	abt_json_array(out, "cookies");
	for (i = 0; i < headers->count; i++) {
		struct abt_bytes rest = headers->fields[i].value, pair;

		if (headers->fields[i].id != ABT_FIELD_COOKIE)
			continue;
		while (abt_bytes_next(&rest, ';', &pair)) {
			pair = abt_bytes_trim(pair);
			if (pair.n > 0)
				abt_json_string(out, NULL, text(w, pair));
		}
	}
	abt_json_close(out);
}

/* ---- context ---- */

static void
write_http(const struct writing *w, struct abt_bytes path)
{
	const struct abt_request *req = w->call->request;
	const struct abt_field *agent =
	    abt_headers_last(&req->headers, ABT_FIELD_USER_AGENT);

	abt_json_object(w->out, "http");
	abt_json_string(w->out, "method", text(w, req->method));
	abt_json_string(w->out, "path", path);
	abt_json_members(w->out, req->version == 10
				     ? ABT_BYTES("\"protocol\":\"HTTP/1.0\"")
				     : ABT_BYTES("\"protocol\":\"HTTP/1.1\""));
	abt_json_string(w->out, "sourceIp", w->call->facts.peer_ip);
	abt_json_string(w->out, "userAgent",
	    agent != NULL ? text(w, agent->value) : ABT_BYTES(""));
	abt_json_close(w->out);
}

static void
write_context(const struct writing *w, struct abt_bytes path)
{
	struct abt_call *call = w->call;
	const struct abt_front *front = call->front;
	struct abt_bytes domain = text(w, abt_api_domain(call));
	struct abt_json_out *out = w->out;
	bool url = w->payload->url;
	char time[ABT_CLF_SIZE];

	abt_api_clf_time(time, call->facts.epoch_us);
	abt_json_object(out, "requestContext");
	abt_json_string(
	    out, "accountId", url ? ABT_BYTES("anonymous") : front->account);
	abt_json_string(out, "apiId", front->api->api_id);
	abt_json_string(out, "domainName", domain);
	abt_json_string(out, "domainPrefix", abt_api_domain_prefix(domain));
	write_http(w, path);
	if (url)
		abt_json_text(out, "requestId", call->facts.request_id);
	else
		abt_json_plain_at(
		    out, ABT_BYTES("requestId"), abt_api_extended_id(call));
	abt_json_string(out, "routeKey", call->match.route_key);
	abt_json_string(
	    out, "stage", url ? ABT_BYTES("$default") : front->api->stage);
	abt_json_plain_at(
	    out, ABT_BYTES("time"), abt_bytes(time, ABT_CLF_SIZE - 1));
	abt_json_int(out, "timeEpoch", call->facts.epoch_us / 1000);
	abt_json_close(out);
}

static void
write_query(const struct writing *w)
{
	struct abt_arena *arena = w->call->arena;
	struct abt_entries entries = { 0 };

	abt_entries_of_form(&entries, arena, w->call->request->query);
	if (entries.count == 0)
		return;
	abt_entries_sort(&entries, arena);
	abt_write_joined(w->out, "queryStringParameters", &entries, arena);
}

static void
write_body(const struct writing *w)
{
	const struct abt_request *req = w->call->request;
	bool base64 = abt_api_body_is_base64(req);

	if (req->body.n > 0 && base64)
		abt_json_base64(w->out, "body", req->body);
	else if (req->body.n > 0)
		abt_json_string(w->out, "body", req->body);
	abt_json_bool(w->out, "isBase64Encoded", base64);
}

static void
write(const struct writing *w)
{
	struct abt_call *call = w->call;
	const struct abt_request *req = call->request;
	const struct abt_api *api = call->front->api;
	struct abt_json_out *out = w->out;
	struct abt_bytes path =
	    abt_percent_decode(req->path, false, call->arena);

	abt_json_object(out, NULL);
	abt_json_members(out, ABT_BYTES("\"version\":\"2.0\""));
	abt_json_string(out, "routeKey", call->match.route_key);
	abt_json_string(out, "rawPath", /* H1.1; 3.1 */
	    w->payload->url ? text(w, req->path) : path);
	abt_json_string(out, "rawQueryString", text(w, req->query));
	write_cookies(w);
	write_headers(w);
	write_query(w);
	if (call->match.param_count > 0)
		abt_api_write_params(call, out, true); /* H1.6 */
	write_context(w, path);
	if (!w->payload->url && api->stage_variables.count > 0)
		abt_api_write_variables(out, api);
	write_body(w);
	abt_json_close(out);
}

int
abt_payload_write_event(const struct abt_payload *payload,
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report)
{
	struct writing w = { .payload = payload, .call = call, .out = out };
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
