/*
 * alb.c - Application Load Balancer with a Lambda target
 *
 * The entry of the dialect, its attributes and what it refuses by the head.
 * Events are in alb_event.c, results in alb_result.c, its own pages in
 * alb_page.c.  The rule numbers are those of the contract, alb.md.
 */
#include "dialect/alb.h"

#include "http/forwarded.h"
#include "route/route.h"

#define FORWARDED_MAX 30 /* E6.2 */

static const char *const xff_modes[] = { "append", "preserve", "remove", NULL };
static const char *const desync_modes[] = { "monitor", "defensive", "strictest",
	NULL };

#define AT(member)  offsetof(struct abt_alb_attributes, member)
#define INSERTED(i) (AT(inserted) + (i) * sizeof(struct abt_bytes))

/* clang-format off */
const struct abt_option abt_alb_attribute_rows[] = {
	{ "lambda.multi_value_headers.enabled", ABT_BOOL, AT(multi_value), "false", 0, 0, NULL, NULL,
	    "multi-value-headers", NULL, "send and expect lists: multiValueHeaders and multiValueQueryStringParameters", 0 },
	{ "routing.http.desync_mitigation_mode", ABT_ENUM, AT(desync_mode), "defensive", 0, 0, desync_modes, NULL,
	    "desync-mode", "MODE", "how requests that deviate from RFC 9112 are treated", 0 },
	{ "routing.http.drop_invalid_header_fields.enabled", ABT_BOOL, AT(drop_invalid), "false", 0, 0, NULL, NULL,
	    "drop-invalid-headers", NULL, "drop headers whose name has other bytes than letters, digits and hyphens", 0 },
	{ "routing.http.preserve_host_header.enabled", ABT_BOOL, AT(preserve_host), "false", 0, 0, NULL, NULL,
	    "preserve-host", NULL, "pass Host on as the client sent it", 0 },
	{ "routing.http.xff_client_port.enabled", ABT_BOOL, AT(client_port), "false", 0, 0, NULL, NULL,
	    "xff-client-port", NULL, "add the client's port in X-Forwarded-For", 0 },
	{ "routing.http.xff_header_processing.mode", ABT_ENUM, AT(xff_mode), "append", 0, 0, xff_modes, NULL,
	    "xff-mode", "MODE", "what happens to X-Forwarded-For", 0 },
	{ "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", ABT_BOOL, AT(tls_headers), "false", 0, 0, NULL, NULL,
	    "tls-headers", NULL, "add x-amzn-tls-version and x-amzn-tls-cipher-suite on HTTPS", 0 },
	{ "routing.http.request.x_amzn_tls_version.header_name", ABT_STRING, AT(tls_version_name), NULL, 0, 0, NULL, NULL,
	    NULL, NULL, "another name for x-amzn-tls-version", 0 },
	{ "routing.http.request.x_amzn_tls_cipher_suite.header_name", ABT_STRING, AT(tls_cipher_name), NULL, 0, 0, NULL, NULL,
	    NULL, NULL, "another name for x-amzn-tls-cipher-suite", 0 },
	{ "routing.http.response.server.enabled", ABT_BOOL, AT(server), "true", 0, 0, NULL, NULL,
	    NULL, NULL, "send Server: awselb/2.0", 0 },
	{ "routing.http.response.strict_transport_security.header_value", ABT_STRING, INSERTED(0), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Strict-Transport-Security of every response", 0 },
	{ "routing.http.response.access_control_allow_origin.header_value", ABT_STRING, INSERTED(1), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Access-Control-Allow-Origin of every response", 0 },
	{ "routing.http.response.access_control_allow_methods.header_value", ABT_STRING, INSERTED(2), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Access-Control-Allow-Methods of every response", 0 },
	{ "routing.http.response.access_control_allow_headers.header_value", ABT_STRING, INSERTED(3), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Access-Control-Allow-Headers of every response", 0 },
	{ "routing.http.response.access_control_allow_credentials.header_value", ABT_STRING, INSERTED(4), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Access-Control-Allow-Credentials of every response", 0 },
	{ "routing.http.response.access_control_expose_headers.header_value", ABT_STRING, INSERTED(5), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Access-Control-Expose-Headers of every response", 0 },
	{ "routing.http.response.access_control_max_age.header_value", ABT_STRING, INSERTED(6), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Access-Control-Max-Age of every response", 0 },
	{ "routing.http.response.content_security_policy.header_value", ABT_STRING, INSERTED(7), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "Content-Security-Policy of every response", 0 },
	{ "routing.http.response.x_content_type_options.header_value", ABT_STRING, INSERTED(8), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "X-Content-Type-Options of every response", 0 },
	{ "routing.http.response.x_frame_options.header_value", ABT_STRING, INSERTED(9), NULL, 0, 1024, NULL, NULL,
	    NULL, NULL, "X-Frame-Options of every response", 0 },
	{ "idle_timeout.timeout_seconds", ABT_INT, AT(idle_s), "60", 1, 4000, NULL, NULL,
	    "idle-timeout", "SECONDS", "how long a client may be silent", 0 },
	{ "client_keep_alive.seconds", ABT_INT, AT(keep_alive_s), "3600", 60, 604800, NULL, NULL,
	    NULL, NULL, "how long a connection may live", 0 },
	{ "routing.http2.enabled", ABT_BOOL, AT(http2), "true", 0, 0, NULL, NULL,
	    NULL, NULL, "offer HTTP/2 on HTTPS (accepted; HTTP/2 is not served yet)", 0 },
	{ "albatross.event.drop_transfer_encoding", ABT_BOOL, AT(drop_transfer_encoding), "false", 0, 0, NULL, NULL,
	    NULL, NULL, "leave transfer-encoding out of the event (AWS's behaviour is not known)", 0 },
	{ "albatross.not_utf8.status", ABT_INT, AT(not_utf8_status), "400", 400, 599, NULL, NULL,
	    NULL, NULL, "status for text that is not UTF-8 (AWS's is not known: 400 or 502)", 0 },
	ABT_OPTIONS_END,
};
/* clang-format on */

static void
make_policy(struct abt_front *front)
{
	const struct abt_alb_attributes *attributes = abt_alb(front);
	int64_t idle_ms = attributes->idle_s * 1000;
	int64_t short_ms = idle_ms < 10000 ? idle_ms : 10000;

	front->policy = (struct abt_policy){
		.mode = (enum abt_desync_mode)attributes->desync_mode,
		.line_max = 16383,   /* L1; a line of 16 384 is refused */
		.field_max = 16383,  /* L2 */
		.head_max = 65536,   /* L3 */
		.body_max = 1048576, /* L6 */
		.head_ms = short_ms,
		.body_idle_ms = short_ms,
		.request_ms = 60000,
		.keep_alive_ms = idle_ms, /* L9 */
		.write_idle_ms = 20000,
		.connection_ms = attributes->keep_alive_s * 1000, /* L10 */
		.body_rate = 240,
		.requests_max = 1000,
	};
	if (front->limits_off) {
		front->policy.line_max = front->policy.field_max = 1 << 20;
		front->policy.head_max = 4 << 20;
		front->policy.body_max = 0;
		front->policy.request_ms = 0;
	}
}

/* Does an Upgrade line name |protocol|? */
static bool
upgrades_to(const struct abt_request *req, struct abt_bytes protocol)
{
	size_t i;

	for (i = 0; i < req->headers.count; i++) {
		struct abt_bytes rest = req->headers.fields[i].value, member;

		if (req->headers.fields[i].id != ABT_FIELD_UPGRADE)
			continue;
		while (abt_bytes_next(&rest, ',', &member))
			if (abt_bytes_starts_nocase(
				abt_bytes_trim(member), protocol))
				return true;
	}
	return false;
}

static int
admit(const struct abt_call *call, struct abt_request *req,
    struct abt_report *report)
{
	if (abt_bytes_equal(req->method, ABT_BYTES("TRACE")))
		return abt_break(report, ABT_RULE_ALB_TRACE, req->method);
	if (abt_bytes_equal(req->method, ABT_BYTES("CONNECT")))
		return abt_break(report, ABT_RULE_ALB_CONNECT, req->method);
	if (abt_headers_first(&req->headers, ABT_FIELD_UPGRADE) != NULL) {
		if (upgrades_to(req, ABT_BYTES("websocket"))) /* P7 */
			return abt_break(report, ABT_RULE_ALB_WEBSOCKET,
			    ABT_BYTES("upgrade"));
		abt_headers_drop(&req->headers, ABT_FIELD_UPGRADE); /* Q14 */
	}
	if (!call->front->limits_off &&
	    abt_headers_first(&req->headers, ABT_FIELD_X_FORWARDED_FOR) !=
		NULL &&
	    abt_forwarded_count(&req->headers) > FORWARDED_MAX)
		return abt_break(report, ABT_RULE_ALB_FORWARDED_LONG,
		    ABT_BYTES("x-forwarded-for"));
	return 0;
}

static int
route(struct abt_call *call, struct abt_report *report)
{
	if (abt_route_find(call, report) != 0)
		return -1;
	if (call->match.action == ABT_FORWARD && call->match.function == NULL)
		return abt_break(
		    report, ABT_RULE_ALB_NO_TARGET, call->request->path);
	return 0;
}

static const char *
failure_reason(const struct abt_rule *rule)
{
	/* desync reasons have a field of their own in the log */
	return rule->tier == ABT_COMPLIANT ? rule->reason : NULL;
}

const struct abt_dialect abt_dialect_alb = {
	.name = "alb",
	.title = "Application Load Balancer, Lambda target",
	.attributes_size = sizeof(struct abt_alb_attributes),
	.attributes = abt_alb_attribute_rows,
	.result_max = ABT_ALB_RESULT_MAX,
	.make_policy = make_policy,
	.admit = admit,
	.route = route,
	.write_event = abt_alb_write_event,
	.read_result = abt_alb_read_result,
	.write_action = abt_alb_write_action,
	.write_failure = abt_alb_write_failure,
	.failure_reason = failure_reason,
	.recognise = abt_alb_recognise,
	.read_event = abt_alb_read_event,
	.write_result = abt_alb_write_result,
};
