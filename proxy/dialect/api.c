/*
 * api.c - what the dialects of API Gateway and function URLs share
 *
 * The rule numbers are those of the contract, apigw.md.
 */
#include "dialect/api.h"

#include "base/clock.h"
#include "base/ids.h"
#include "base/utf8_mend.h"
#include "dialect/maps.h"
#include "http/percent.h"
#include "route/route.h"

void
abt_api_policy(struct abt_front *front, size_t line_max, size_t head_max,
    uint64_t body_max)
{
	front->policy = (struct abt_policy){
		.mode = ABT_DEFENSIVE,
		.line_max = line_max,
		.field_max = head_max,
		.head_max = head_max,
		.fields_max = 1000,
		.body_max = body_max,
		.head_ms = 10000,
		.body_idle_ms = 10000,
		.request_ms = 60000,
		.keep_alive_ms = 60000,
		.write_idle_ms = 20000,
		.body_rate = 240,
		.requests_max = 1000,
	};
	if (!front->limits_off)
		return;
	front->policy.line_max = front->policy.field_max = 1 << 20;
	front->policy.head_max = 4 << 20;
	front->policy.body_max = 0;
	front->policy.request_ms = 0;
}

/* Is |host| of AWS's form, with another id in front? */
static bool
is_other_api(const struct abt_call *call, struct abt_bytes host)
{
	static const char *const services[] = { ".execute-api.",
		".lambda-url." };
	struct abt_bytes id = call->front->api->api_id;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		size_t at = abt_bytes_search(host, abt_bytes_text(services[i]));

		if (at < host.n)
			return !abt_bytes_equal_nocase(
			    abt_bytes(host.p, at), id);
	}
	return false;
}

int
abt_api_admit(const struct abt_call *call, struct abt_request *req,
    struct abt_report *report)
{
	if (abt_bytes_equal(req->method, ABT_BYTES("CONNECT")))
		return abt_break(report, ABT_RULE_API_CONNECT, req->method);
	if (call->front->api->own_host_only &&
	    is_other_api(call, abt_request_host(req)))
		return abt_break(
		    report, ABT_RULE_API_NO_HOST, abt_request_host(req));
	return 0;
}

struct abt_bytes
abt_api_domain(const struct abt_call *call)
{
	const struct abt_request *req = call->request;
	const struct abt_field *host =
	    abt_headers_first(&req->headers, ABT_FIELD_HOST);

	if (call->front->api->domain_name.n > 0)
		return call->front->api->domain_name;
	if (req->authority.n > 0)
		return req->authority;
	if (host != NULL && host->value.n > 0)
		return host->value;
	return call->front->dns_name;
}

struct abt_bytes
abt_api_domain_prefix(struct abt_bytes domain)
{
	size_t n = 0;

	while (n < domain.n && domain.p[n] != '.' && domain.p[n] != ':')
		n++;
	return abt_bytes(domain.p, n);
}

void
abt_api_clf_time(char out[ABT_CLF_SIZE], int64_t epoch_us)
{
	/* many requests come in one second */
	static _Thread_local struct {
		int64_t second;
		char text[ABT_CLF_SIZE];
	} last = { .second = INT64_MIN };
	int64_t second = epoch_us / 1000000;
	char date[ABT_DATE_SIZE]; /* Tue, 15 Nov 1994 08:12:31 GMT */

	if (second != last.second) {
		abt_date_imf(date, second);
		memcpy(last.text, date + 5, 11); /* 15 Nov 1994 */
		last.text[2] = last.text[6] = '/';
		last.text[11] = ':';
		memcpy(last.text + 12, date + 17, 8);
		memcpy(last.text + 20, " +0000", 7);
		last.second = second;
	}
	memcpy(out, last.text, ABT_CLF_SIZE);
}

struct abt_bytes
abt_api_extended_id(const struct abt_call *call)
{
	char id[17];

	abt_id_extended(id, call->facts.random + 32);
	return abt_arena_copy(call->arena, abt_bytes(id, 16));
}

void
abt_api_write_variables(struct abt_json_out *out, const struct abt_api *api)
{
	abt_json_object(out, "stageVariables");
	for (size_t i = 0; i < api->stage_variables.count; i++)
		abt_json_string_at(out, api->stage_variables.pairs[i].name,
		    api->stage_variables.pairs[i].value);
	abt_json_close(out);
}

void
abt_api_write_params(
    const struct abt_call *call, struct abt_json_out *out, bool decode)
{
	abt_json_object(out, "pathParameters");
	for (size_t i = 0; i < call->match.param_count; i++) {
		const struct abt_pair *param = &call->match.params[i];

		abt_json_string_at(out, param->name,
		    decode
			? abt_percent_decode(param->value, false, call->arena)
			: param->value);
	}
	abt_json_close(out);
}

struct abt_bytes
abt_api_port(const struct abt_call *call)
{
	unsigned port = call->facts.listener_port;
	char *out;

	if (port == 443)
		return ABT_BYTES("443");
	out = abt_arena_alloc(call->arena, 20);
	return abt_bytes(out, out != NULL ? abt_format_number(out, port) : 0);
}

bool
abt_api_body_is_base64(const struct abt_request *req)
{
	const struct abt_field *type;

	if (req->body.n == 0) /* H3.5 */
		return false;
	type = abt_headers_last(&req->headers, ABT_FIELD_CONTENT_TYPE);
	return type == NULL || !abt_media_is_text(type->value) || /* H3.2 */
	       !abt_utf8_valid(req->body);                        /* H3.4 */
}

int
abt_api_event_end(const struct abt_json_out *out, struct abt_report *report)
{
	if (out->bad_utf8)
		return abt_break(report, ABT_RULE_API_NOT_UTF8, ABT_BYTES(""));
	if (out->buf->overflowed)
		return abt_break(
		    report, ABT_RULE_API_EVENT_LARGE, ABT_BYTES(""));
	return 0;
}

/* ---- client certificates ---- */

#define CERTIFICATE_MAX (256 * 1024) /* as text in an event */

static void
write_certificate(const struct abt_client_cert *cert, struct abt_arena *arena,
    struct abt_json_out *out)
{
	abt_json_object(out, NULL);
	abt_json_object(out, "clientCert");
	abt_json_string(out, "clientCertPem", abt_utf8_mend(cert->pem, arena));
	abt_json_string(out, "subjectDN", abt_utf8_mend(cert->subject, arena));
	abt_json_string(out, "issuerDN", abt_utf8_mend(cert->issuer, arena));
	abt_json_string(
	    out, "serialNumber", abt_utf8_mend(cert->serial, arena));
	abt_json_object(out, "validity");
	abt_json_string(
	    out, "notBefore", abt_utf8_mend(cert->not_before, arena));
	abt_json_string(out, "notAfter", abt_utf8_mend(cert->not_after, arena));
	abt_json_close(out);
	abt_json_close(out);
	abt_json_close(out);
}

struct abt_bytes
abt_api_client_cert(const struct abt_call *call, struct abt_bytes head,
    struct abt_bytes tail, struct abt_bytes none)
{
	const struct abt_client_cert *cert = call->facts.client_cert;
	struct abt_json_out out;
	struct abt_bytes json;
	struct abt_buf buf, whole;

	if (cert == NULL)
		return none;
	abt_buf_init(&buf, NULL, CERTIFICATE_MAX);
	abt_buf_init(&whole, NULL, CERTIFICATE_MAX + head.n + tail.n);
	abt_json_out_init(&out, &buf);
	write_certificate(cert, call->arena, &out);
	json = abt_buf_bytes(&buf);
	if (buf.failed || json.n < 2)
		abt_arena_fail(call->arena); /* the event's writer tells */
	abt_buf_add(&whole, head);
	if (json.n >= 2) /* without the braces around it */
		abt_buf_add(&whole, abt_bytes(json.p + 1, json.n - 2));
	abt_buf_add(&whole, tail);
	if (whole.failed)
		abt_arena_fail(call->arena);
	json = abt_arena_copy(call->arena, abt_buf_bytes(&whole));
	abt_buf_end(&buf);
	abt_buf_end(&whole);
	return json;
}
