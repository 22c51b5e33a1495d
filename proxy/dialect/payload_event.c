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
	if (name.n < 18 || abt_lower(name.p[0]) != 'x')
		return false;
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

static void
add_plain(const struct writing *w, struct abt_entries *entries,
    struct abt_bytes name, struct abt_bytes value)
{
	abt_entries_add_plain(entries, w->call->arena, name, value);
}

/* What is made of what the client sent. */
static void
add_mixed(const struct writing *w, struct abt_entries *entries,
    struct abt_bytes name, struct abt_bytes value)
{
	if (abt_bytes_plain(value))
		abt_entries_add_plain(entries, w->call->arena, name, value);
	else
		abt_entries_add(entries, w->call->arena, name, text(w, value));
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

	if (!payload->url)
		add_plain(w, entries, ABT_BYTES("content-length"),
		    number(call, call->request->body.n));
	add_mixed(w, entries, ABT_BYTES("host"), host_of(call));
	abt_trace_fill(call);
	add_mixed(w, entries, ABT_BYTES("x-amzn-trace-id"), call->trace_id);
	add_mixed(w, entries, ABT_BYTES("x-forwarded-for"),
	    abt_forwarded_for(
		&call->request->headers, facts->peer_ip, call->arena));
	add_plain(
	    w, entries, ABT_BYTES("x-forwarded-port"), abt_api_port(call));
	add_plain(w, entries, ABT_BYTES("x-forwarded-proto"),
	    facts->tls ? ABT_BYTES("https") : ABT_BYTES("http"));
	if (!payload->url || !facts->tls)
		return;
	add_mixed(w, entries, ABT_BYTES("x-amzn-tls-cipher-suite"),
	    facts->tls_cipher);
	add_mixed(
	    w, entries, ABT_BYTES("x-amzn-tls-version"), facts->tls_version);
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

static struct abt_bytes
protocol(const struct abt_request *req)
{
	return req->version == 10
		   ? ABT_BYTES("\",\"protocol\":\"HTTP/1.0\",\"sourceIp\":\"")
		   : ABT_BYTES("\",\"protocol\":\"HTTP/1.1\",\"sourceIp\":\"");
}

static void
write_context(const struct writing *w, struct abt_bytes path)
{
	struct abt_call *call = w->call;
	const struct abt_front *front = call->front;
	const struct abt_field *agent =
	    abt_headers_last(&call->request->headers, ABT_FIELD_USER_AGENT);
	struct abt_bytes domain = text(w, abt_api_domain(call));
	bool url = w->payload->url;
	char time[ABT_CLF_SIZE], epoch[20];
	size_t digits =
	    abt_format_number(epoch, (uint64_t)(call->facts.epoch_us / 1000));
	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"requestContext\":{\"accountId\":\""),
		url ? ABT_BYTES("anonymous") : front->account,
		ABT_BYTES("\",\"apiId\":\""),
		front->api->api_id,
		url ? ABT_BYTES("\",\"domainName\":\"") /* knows none */
		    : abt_api_client_cert(call,
			  ABT_BYTES("\",\"authentication\":{"),
			  ABT_BYTES("},\"domainName\":\""),
			  ABT_BYTES("\",\"domainName\":\"")),
		domain,
		ABT_BYTES("\",\"domainPrefix\":\""),
		abt_api_domain_prefix(domain),
		ABT_BYTES("\",\"http\":{\"method\":\""),
		text(w, call->request->method),
		ABT_BYTES("\",\"path\":\""),
		path,
		protocol(call->request),
		call->facts.peer_ip,
		ABT_BYTES("\",\"userAgent\":\""),
		agent != NULL ? text(w, agent->value) : ABT_BYTES(""),
		ABT_BYTES("\"},\"requestId\":\""),
		url ? abt_bytes_text(call->facts.request_id)
		    : abt_api_extended_id(call),
		ABT_BYTES("\",\"routeKey\":\""),
		call->match.route_key,
		ABT_BYTES("\",\"stage\":\""),
		url ? ABT_BYTES("$default") : front->api->stage,
		ABT_BYTES("\",\"time\":\""),
		abt_bytes(time, ABT_CLF_SIZE - 1),
		ABT_BYTES("\",\"timeEpoch\":"),
		abt_bytes(epoch, digits),
		ABT_BYTES("}"),
	};

	abt_api_clf_time(time, call->facts.epoch_us);
	abt_json_pieces(w->out, pieces, sizeof(pieces) / sizeof(pieces[0]));
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
	abt_json_members(w->out, base64
				     ? ABT_BYTES("\"isBase64Encoded\":true")
				     : ABT_BYTES("\"isBase64Encoded\":false"));
}

/* Decoded; what is not UTF-8 is seen when it is written, and mended then. */
static struct abt_bytes
path_of(const struct writing *w)
{
	struct abt_bytes path = w->call->request->path;

	if (!w->mend && abt_bytes_find(path, '%') == path.n)
		return path;
	return abt_percent_decode(path, false, w->call->arena);
}

static void
write(const struct writing *w)
{
	struct abt_call *call = w->call;
	const struct abt_request *req = call->request;
	const struct abt_api *api = call->front->api;
	struct abt_json_out *out = w->out;
	struct abt_bytes path = path_of(w);
	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"version\":\"2.0\",\"routeKey\":\""),
		call->match.route_key,
		ABT_BYTES("\",\"rawPath\":\""), /* H1.1; 3.1 */
		w->payload->url ? text(w, req->path) : path,
		ABT_BYTES("\",\"rawQueryString\":\""),
		text(w, req->query),
		ABT_BYTES("\""),
	};

	abt_json_object(out, NULL);
	abt_json_pieces(out, pieces, sizeof(pieces) / sizeof(pieces[0]));
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
