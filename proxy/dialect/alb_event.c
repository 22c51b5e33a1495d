/*
 * alb_event.c - the ALB event (alb.md 1)
 *
 * One list of names and values is made of what the client sent and what the
 * load balancer adds; sorted, it is written with the last value of each name
 * (single mode) or with all of them (multi mode).  Nothing is decoded.
 */
#include "dialect/alb.h"
#include "dialect/maps.h"
#include "http/forwarded.h"
#include "base/ids.h"

#define TRACE_REWRITE_FROM 7168 /* E7.5: request headers over 7 KB */

static void
add(struct abt_entries *entries, struct abt_call *call, struct abt_bytes name,
    struct abt_bytes value)
{
	abt_entries_add(entries, call->arena, name, value);
}

/* What is ours, or of what was found to be plain. */
static void
add_plain(struct abt_entries *entries, struct abt_call *call,
    struct abt_bytes name, struct abt_bytes value)
{
	abt_entries_add_plain(entries, call->arena, name, value);
}

/* ---- Host (alb.md 1.5, table) ---- */

/* Where the port's colon stands in |host|, or host.n. */
static size_t
port_colon(struct abt_bytes host)
{
	size_t i;

	for (i = host.n; i > 0; i--) {
		if (host.p[i - 1] == ':')
			return i - 1;
		if (!abt_char_is(host.p[i - 1], ABT_CHAR_DIGIT))
			break;
	}
	return host.n;
}

static struct abt_bytes
with_port(struct abt_call *call, struct abt_bytes text, unsigned port)
{
	char *out = abt_arena_alloc(call->arena, text.n + 21);

	if (out == NULL)
		return text; /* the arena remembers */
	memcpy(out, text.p, text.n);
	out[text.n] = ':';
	return abt_bytes(
	    out, text.n + 1 + abt_format_number(out + text.n + 1, port));
}

static struct abt_bytes
host_for_listener(struct abt_call *call, struct abt_bytes host)
{
	unsigned port = call->facts.listener_port;
	size_t colon = port_colon(host);

	/* an IPv6 literal without brackets is no host with a port */
	if (abt_bytes_find(host, ':') < colon && host.p[0] != '[')
		colon = host.n;
	if (port == 80 || port == 443)
		return abt_bytes(host.p, colon);
	if (colon < host.n)
		return host;
	return with_port(call, host, port);
}

static void
add_host(struct abt_entries *entries, struct abt_call *call)
{
	const struct abt_request *req = call->request;
	const struct abt_field *first =
	    abt_headers_first(&req->headers, ABT_FIELD_HOST);
	size_t i;

	if (first == NULL && req->authority.n == 0) {
		add(entries, call, ABT_BYTES("host"), call->front->dns_name);
		return;
	}
	if (!abt_alb(call->front)->preserve_host) {
		struct abt_bytes host = host_for_listener(
		    call, req->authority.n > 0 ? req->authority : first->value);

		if (req->authority.n == 0 && first->plain)
			add_plain(entries, call, ABT_BYTES("host"), host);
		else
			add(entries, call, ABT_BYTES("host"), host);
		return;
	}
	for (i = 0; i < req->headers.count; i++)
		if (req->headers.fields[i].id == ABT_FIELD_HOST)
			add(entries, call, ABT_BYTES("host"),
			    req->headers.fields[i].value);
	if (first == NULL)
		add(entries, call, ABT_BYTES("host"), req->authority);
}

/* ---- what the load balancer adds ---- */

static struct abt_bytes
peer_element(struct abt_call *call)
{
	const struct abt_facts *facts = &call->facts;
	bool v6 = abt_bytes_find(facts->peer_ip, ':') < facts->peer_ip.n;

	if (!abt_alb(call->front)->client_port)
		return facts->peer_ip;
	return abt_arena_printf(call->arena, v6 ? "[%.*s]:%u" : "%.*s:%u",
	    ABT_FMT(facts->peer_ip), facts->peer_port);
}

static struct abt_bytes
number(struct abt_call *call, unsigned value)
{
	char *out = abt_arena_alloc(call->arena, 20);

	return abt_bytes(out, out != NULL ? abt_format_number(out, value) : 0);
}

static void
add_forwarded(struct abt_entries *entries, struct abt_call *call)
{
	const struct abt_facts *facts = &call->facts;
	struct abt_bytes peer;

	if (abt_alb(call->front)->xff_mode == ABT_XFF_APPEND) {
		peer = peer_element(call);
		if (abt_headers_first(&call->request->headers,
			ABT_FIELD_X_FORWARDED_FOR) == NULL)
			add_plain(
			    entries, call, ABT_BYTES("x-forwarded-for"), peer);
		else
			add(entries, call, ABT_BYTES("x-forwarded-for"),
			    abt_forwarded_for(
				&call->request->headers, peer, call->arena));
	}
	add_plain(entries, call, ABT_BYTES("x-forwarded-port"),
	    facts->listener_port == 80 ? ABT_BYTES("80")
				       : number(call, facts->listener_port));
	add_plain(entries, call, ABT_BYTES("x-forwarded-proto"),
	    facts->tls ? ABT_BYTES("https") : ABT_BYTES("http"));
}

/* What follows "Root=" in a trace header, or all of it. */
static struct abt_bytes
root_of(struct abt_bytes trace)
{
	size_t at = abt_bytes_starts(trace, ABT_BYTES("Root="))
			? 0
			: abt_bytes_search(trace, ABT_BYTES("Root="));
	struct abt_bytes root = trace;

	if (at < trace.n)
		root = abt_bytes(trace.p + at + 5, trace.n - at - 5);
	root.n = abt_bytes_find(root, ';');
	return root;
}

/* Root=...;Parent=...;Sampled=... */
static struct abt_bytes
invoke_trace(struct abt_call *call, bool sampled)
{
	static const char parent[] = ";Parent=", end[] = ";Sampled=";
	struct abt_bytes root = root_of(call->trace_id);
	char *out = abt_arena_alloc(call->arena, root.n + 48), *w = out;

	if (out == NULL)
		return abt_bytes(NULL, 0);
	memcpy(w, "Root=", 5);
	w += 5;
	if (root.n > 0)
		memcpy(w, root.p, root.n);
	w += root.n;
	memcpy(w, parent, sizeof(parent) - 1);
	w += sizeof(parent) - 1;
	abt_id_hex(w, call->facts.random + 12, 8);
	w += 16;
	memcpy(w, end, sizeof(end) - 1);
	w += sizeof(end) - 1;
	*w++ = sampled ? '1' : '0';
	return abt_bytes(out, (size_t)(w - out));
}

/* The client's own line stays too, unless the head was so large that AWS keeps
 * nothing of it (E7.5). */
static bool
trace_is_rewritten(const struct abt_request *req)
{
	return req->head_size > req->line_size + TRACE_REWRITE_FROM;
}

static void
add_trace(struct abt_entries *entries, struct abt_call *call)
{
	const struct abt_request *req = call->request;
	const struct abt_facts *facts = &call->facts;
	const struct abt_field *sent =
	    abt_headers_last(&req->headers, ABT_FIELD_X_AMZN_TRACE_ID);
	bool sampled = false;

	call->trace_id =
	    abt_trace_id(sent != NULL ? sent->value : abt_bytes(NULL, 0),
		facts->epoch_us / 1000000, facts->random,
		trace_is_rewritten(req), call->arena);
	if (sent == NULL || sent->plain)
		add_plain(entries, call, ABT_BYTES("x-amzn-trace-id"),
		    call->trace_id);
	else
		add(entries, call, ABT_BYTES("x-amzn-trace-id"),
		    call->trace_id);
	/* Lambda takes the root and makes itself the parent (E7.6) */
	if (sent != NULL)
		sampled = abt_bytes_search(sent->value,
			      ABT_BYTES("Sampled=1")) < sent->value.n;
	call->invoke_trace = invoke_trace(call, sampled);
}

static struct abt_bytes
name_or(struct abt_bytes name, const char *preset)
{
	return name.n > 0 ? name : abt_bytes_text(preset);
}

static void
add_tls(struct abt_entries *entries, struct abt_call *call)
{
	const struct abt_alb_attributes *attributes = abt_alb(call->front);
	struct abt_field version = { .name =
					 name_or(attributes->tls_version_name,
					     "x-amzn-tls-version") };
	struct abt_field cipher = { .name = name_or(attributes->tls_cipher_name,
					"x-amzn-tls-cipher-suite") };

	if (!attributes->tls_headers || !call->facts.tls)
		return;
	abt_entries_add(entries, call->arena,
	    abt_field_lower(&version, call->arena), call->facts.tls_version);
	abt_entries_add(entries, call->arena,
	    abt_field_lower(&cipher, call->arena), call->facts.tls_cipher);
}

/* ---- what the client sent ---- */

static bool
is_spoofed_tls(const struct abt_call *call, struct abt_bytes name)
{
	const struct abt_alb_attributes *attributes = abt_alb(call->front);

	return attributes->tls_headers &&
	       (abt_bytes_equal_nocase(
		    name, name_or(attributes->tls_version_name,
			      "x-amzn-tls-version")) ||
		   abt_bytes_equal_nocase(
		       name, name_or(attributes->tls_cipher_name,
				 "x-amzn-tls-cipher-suite")));
}

static bool
name_is_plain(struct abt_bytes name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!abt_char_is(name.p[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) &&
		    name.p[i] != '-')
			return false;
	return true;
}

static bool
passes(const struct abt_call *call, const struct abt_field *field)
{
	const struct abt_alb_attributes *attributes = abt_alb(call->front);

	switch (field->id) {
	case ABT_FIELD_EXPECT: /* E5.9 */
	case ABT_FIELD_HOST:   /* add_host */
		return false;
	case ABT_FIELD_X_FORWARDED_FOR:
		return attributes->xff_mode != ABT_XFF_REMOVE;
	case ABT_FIELD_X_AMZN_TRACE_ID:
		return !trace_is_rewritten(call->request);
	case ABT_FIELD_TRANSFER_ENCODING: /* E5.10, Q2 */
		return !attributes->drop_transfer_encoding;
	case ABT_FIELD_OTHER:
		if (attributes->drop_invalid && !name_is_plain(field->name))
			return false; /* E5.14 */
		return !is_spoofed_tls(call, field->name);
	default:
		return true;
	}
}

static void
write_headers(struct abt_call *call, struct abt_json_out *out)
{
	const struct abt_headers *headers = &call->request->headers;
	struct abt_entries entries = { 0 };
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (passes(call, &headers->fields[i]))
			abt_entries_add_field(
			    &entries, call->arena, &headers->fields[i]);
	add_host(&entries, call);
	add_forwarded(&entries, call);
	add_trace(&entries, call);
	add_tls(&entries, call);
	abt_entries_sort(&entries, call->arena); /* E1.5 */
	if (abt_alb(call->front)->multi_value)
		abt_write_lists(out, "multiValueHeaders", &entries);
	else
		abt_write_last(out, "headers", &entries);
}

static void
write_query(struct abt_call *call, struct abt_json_out *out)
{
	struct abt_entries entries = { 0 };

	if (call->request->query.n == 0) {
		abt_json_members(out,
		    abt_alb(call->front)->multi_value
			? ABT_BYTES("\"multiValueQueryStringParameters\":{}")
			: ABT_BYTES("\"queryStringParameters\":{}"));
		return;
	}
	abt_entries_of_query(&entries, call->arena, call->request->query);
	abt_entries_sort(&entries, call->arena);
	if (abt_alb(call->front)->multi_value)
		abt_write_lists(
		    out, "multiValueQueryStringParameters", &entries);
	else
		abt_write_last(out, "queryStringParameters", &entries);
}

/* alb.md 1.6: content-encoding, then the media type, else base64. */
static bool
body_is_base64(const struct abt_request *req)
{
	const struct abt_field *type;

	if (req->body.n == 0 && req->version < 20)
		return false; /* E8.4, E8.7: no body comes before the type */
	if (abt_headers_first(&req->headers, ABT_FIELD_CONTENT_ENCODING) !=
	    NULL)
		return true;
	type = abt_headers_last(&req->headers, ABT_FIELD_CONTENT_TYPE);
	return type == NULL || !abt_media_is_text(type->value); /* E8.12 */
}

int
abt_alb_write_event(
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report)
{
	const struct abt_request *req = call->request;
	bool base64 = body_is_base64(req);
	const struct abt_bytes pieces[] = {
		ABT_BYTES("\"requestContext\":{\"elb\":{\"targetGroupArn\":\""),
		call->match.target_group_arn,
		ABT_BYTES("\"}},\"httpMethod\":\""),
		req->method,
		ABT_BYTES("\",\"path\":\""),
		req->path,
		ABT_BYTES("\""),
	};

	abt_json_object(out, NULL);
	abt_json_pieces(out, pieces, sizeof(pieces) / sizeof(pieces[0]));
	write_query(call, out);
	write_headers(call, out);
	if (base64)
		abt_json_base64(out, "body", req->body);
	else
		abt_json_string(out, "body", req->body);
	abt_json_members(out, base64 ? ABT_BYTES("\"isBase64Encoded\":true")
				     : ABT_BYTES("\"isBase64Encoded\":false"));
	abt_json_close(out);
	if (out->bad_utf8) /* E8.10 */
		return abt_break(report, ABT_RULE_ALB_NOT_UTF8, ABT_BYTES(""));
	if (out->buf->overflowed)
		return abt_break(
		    report, ABT_RULE_ALB_EVENT_LARGE, ABT_BYTES(""));
	return 0;
}
