/*
 * context_log.c - access log lines of APIs: AWS's formats of $context variables
 *
 * A format is text with $context.x in it (apigw.md 1.19, 2.14); four have
 * names, as AWS's console offers them.  What a variable does not have is "-".
 * Values are escaped as in JSON, which no format minds, so that no client can
 * begin a line of its own.
 */
#include "gateway/context_log.h"

#include "albatross/dialect.h"
#include "base/json_escape.h"
#include "base/utf8_mend.h"
#include "dialect/api.h"

#define VALUE_MAX 8192

static const struct {
	struct abt_bytes name, format;
} formats[] = {
	{ ABT_BYTES_INIT("clf"),
	    ABT_BYTES_INIT(
		"$context.identity.sourceIp $context.identity.caller "
		"$context.identity.user [$context.requestTime] "
		"\"$context.httpMethod $context.resourcePath "
		"$context.protocol\" $context.status $context.responseLength "
		"$context.requestId $context.extendedRequestId") },
	{ ABT_BYTES_INIT("json"),
	    ABT_BYTES_INIT(
		"{\"requestId\":\"$context.requestId\","
		"\"extendedRequestId\":\"$context.extendedRequestId\","
		"\"ip\":\"$context.identity.sourceIp\","
		"\"caller\":\"$context.identity.caller\","
		"\"user\":\"$context.identity.user\","
		"\"requestTime\":\"$context.requestTime\","
		"\"httpMethod\":\"$context.httpMethod\","
		"\"resourcePath\":\"$context.resourcePath\","
		"\"status\":\"$context.status\","
		"\"protocol\":\"$context.protocol\","
		"\"responseLength\":\"$context.responseLength\"}") },
	{ ABT_BYTES_INIT("csv"),
	    ABT_BYTES_INIT(
		"$context.identity.sourceIp,$context.identity.caller,"
		"$context.identity.user,$context.requestTime,"
		"$context.httpMethod,$context.resourcePath,"
		"$context.protocol,$context.status,"
		"$context.responseLength,$context.requestId,"
		"$context.extendedRequestId") },
	{ ABT_BYTES_INIT("xml"),
	    ABT_BYTES_INIT(
		"<request id=\"$context.requestId\"> "
		"<extendedRequestId>$context.extendedRequestId"
		"</extendedRequestId> <ip>$context.identity.sourceIp</ip> "
		"<caller>$context.identity.caller</caller> "
		"<user>$context.identity.user</user> "
		"<requestTime>$context.requestTime</requestTime> "
		"<httpMethod>$context.httpMethod</httpMethod> "
		"<resourcePath>$context.resourcePath</resourcePath> "
		"<status>$context.status</status> "
		"<protocol>$context.protocol</protocol> "
		"<responseLength>$context.responseLength</responseLength> "
		"</request>") },
};

enum variable {
	ACCOUNT_ID,
	API_ID,
	BASE_PATH,
	DOMAIN_NAME,
	DOMAIN_PREFIX,
	ERROR_MESSAGE,
	ERROR_STRING,
	ERROR_TYPE,
	EXTENDED_ID,
	HTTP_METHOD,
	SOURCE_IP,
	USER_AGENT,
	INTEGRATION_LATENCY,
	INTEGRATION_LATENCY_OLD,
	INTEGRATION_STATUS,
	INTEGRATION_REQUEST_ID,
	LAMBDA_STATUS,
	LAMBDA_STATUS_NEW,
	PATH,
	PROTOCOL,
	REQUEST_ID,
	REQUEST_TIME,
	REQUEST_TIME_EPOCH,
	RESOURCE_ID,
	RESOURCE_PATH,
	RESPONSE_LATENCY,
	RESPONSE_LENGTH,
	ROUTE_KEY,
	STAGE,
	STATUS,
	TRACE_ID,
	VARIABLES,
};

static const struct abt_bytes names[VARIABLES] = {
	[ACCOUNT_ID] = ABT_BYTES_INIT("accountId"),
	[API_ID] = ABT_BYTES_INIT("apiId"),
	[BASE_PATH] = ABT_BYTES_INIT("customDomain.basePathMatched"),
	[DOMAIN_NAME] = ABT_BYTES_INIT("domainName"),
	[DOMAIN_PREFIX] = ABT_BYTES_INIT("domainPrefix"),
	[ERROR_MESSAGE] = ABT_BYTES_INIT("error.message"),
	[ERROR_STRING] = ABT_BYTES_INIT("error.messageString"),
	[ERROR_TYPE] = ABT_BYTES_INIT("error.responseType"),
	[EXTENDED_ID] = ABT_BYTES_INIT("extendedRequestId"),
	[HTTP_METHOD] = ABT_BYTES_INIT("httpMethod"),
	[SOURCE_IP] = ABT_BYTES_INIT("identity.sourceIp"),
	[USER_AGENT] = ABT_BYTES_INIT("identity.userAgent"),
	[INTEGRATION_LATENCY] = ABT_BYTES_INIT("integration.latency"),
	[INTEGRATION_LATENCY_OLD] = ABT_BYTES_INIT("integrationLatency"),
	[INTEGRATION_STATUS] = ABT_BYTES_INIT("integration.status"),
	[INTEGRATION_REQUEST_ID] = ABT_BYTES_INIT("integration.requestId"),
	[LAMBDA_STATUS] = ABT_BYTES_INIT("integrationStatus"),
	[LAMBDA_STATUS_NEW] = ABT_BYTES_INIT("integration.integrationStatus"),
	[PATH] = ABT_BYTES_INIT("path"),
	[PROTOCOL] = ABT_BYTES_INIT("protocol"),
	[REQUEST_ID] = ABT_BYTES_INIT("requestId"),
	[REQUEST_TIME] = ABT_BYTES_INIT("requestTime"),
	[REQUEST_TIME_EPOCH] = ABT_BYTES_INIT("requestTimeEpoch"),
	[RESOURCE_ID] = ABT_BYTES_INIT("resourceId"),
	[RESOURCE_PATH] = ABT_BYTES_INIT("resourcePath"),
	[RESPONSE_LATENCY] = ABT_BYTES_INIT("responseLatency"),
	[RESPONSE_LENGTH] = ABT_BYTES_INIT("responseLength"),
	[ROUTE_KEY] = ABT_BYTES_INIT("routeKey"),
	[STAGE] = ABT_BYTES_INIT("stage"),
	[STATUS] = ABT_BYTES_INIT("status"),
	[TRACE_ID] = ABT_BYTES_INIT("xrayTraceId"),
};

static const struct abt_bytes nothing = { NULL, 0 };

static struct abt_bytes
number(struct abt_call_state *state, int64_t value)
{
	return value < 0 ? nothing
			 : abt_arena_printf(
			       &state->x->arena, "%lld", (long long)value);
}

/* What our own error says, out of its JSON. */
static struct abt_bytes
error_message(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	struct abt_json_error error;
	const struct abt_json *tree, *message;

	if (state->rule == NULL || x->response.body.n > VALUE_MAX)
		return nothing;
	tree = abt_json_scan(x->response.body, 8, &x->arena, &error);
	message = abt_json_is(tree, ABT_JSON_OBJECT)
		      ? abt_json_get(tree, "message")
		      : NULL;
	return abt_json_is(message, ABT_JSON_STRING) ? message->text : nothing;
}

static struct abt_bytes
error_type(const struct abt_call_state *state)
{
	const struct abt_dialect *dialect = state->call.front->dialect;

	if (state->rule == NULL || dialect->failure_reason == NULL)
		return nothing;
	return abt_bytes_text(dialect->failure_reason(state->rule));
}

/* An HTTP API's request id is its extended one (apigw.md 0.2). */
static struct abt_bytes
request_id(const struct abt_call_state *state)
{
	if (state->call.front->dialect->routing == ABT_ROUTE_KEYS)
		return abt_api_extended_id(&state->call);
	return abt_bytes_text(state->call.facts.request_id);
}

static struct abt_bytes
header(const struct abt_call_state *state, enum abt_field_id id)
{
	const struct abt_field *field =
	    abt_headers_last(&state->call.request->headers, id);

	return field != NULL ? field->value : nothing;
}

static int64_t
latency_ms(const struct abt_call_state *state)
{
	const struct abt_invocation *inv = &state->inv;

	if (!state->invoked || inv->ended_us == 0)
		return -1;
	return (inv->ended_us - inv->queued_us) / 1000;
}

/* "/base" is logged as "base". */
static struct abt_bytes
behind_slash(struct abt_bytes path)
{
	return path.n > 0 ? abt_bytes(path.p + 1, path.n - 1) : nothing;
}

/* What the call was, as the event has it. */
static struct abt_bytes
call_value(struct abt_call_state *state, enum variable id)
{
	const struct abt_call *call = &state->call;
	char time[ABT_CLF_SIZE];

	switch (id) {
	case ACCOUNT_ID:
		return call->front->account;
	case API_ID:
		return call->front->api->api_id;
	case BASE_PATH:
		return behind_slash(call->front->api->base_path);
	case DOMAIN_NAME:
		return abt_api_domain(call);
	case DOMAIN_PREFIX:
		return abt_api_domain_prefix(abt_api_domain(call));
	case EXTENDED_ID:
		return abt_api_extended_id(call);
	case HTTP_METHOD:
		return call->request->method;
	case SOURCE_IP:
		return call->facts.peer_ip;
	case USER_AGENT:
		return header(state, ABT_FIELD_USER_AGENT);
	case PATH:
		return call->request->path;
	case PROTOCOL:
		return call->request->version == 10 ? ABT_BYTES("HTTP/1.0")
						    : ABT_BYTES("HTTP/1.1");
	case REQUEST_ID:
		return request_id(state);
	case REQUEST_TIME:
		abt_api_clf_time(time, call->facts.epoch_us);
		return abt_arena_copy(
		    call->arena, abt_bytes(time, ABT_CLF_SIZE - 1));
	case REQUEST_TIME_EPOCH:
		return number(state, call->facts.epoch_us / 1000);
	case RESOURCE_ID:
		return call->match.resource_id;
	case RESOURCE_PATH:
		return call->match.resource;
	case ROUTE_KEY:
		return call->match.route_key;
	case STAGE:
		return call->front->api->stage;
	case TRACE_ID:
		return call->trace_id;
	default:
		return nothing;
	}
}

/* What came of it. */
static struct abt_bytes
value_of(struct abt_call_state *state, enum variable id)
{
	const struct abt_exchange *x = state->x;

	switch (id) {
	case ERROR_MESSAGE:
	case ERROR_STRING:
		return error_message(state);
	case ERROR_TYPE:
		return error_type(state);
	case INTEGRATION_LATENCY:
	case INTEGRATION_LATENCY_OLD:
		return number(state, latency_ms(state));
	case INTEGRATION_STATUS:
		return state->target_status != 0
			   ? number(state, state->target_status)
			   : nothing;
	case INTEGRATION_REQUEST_ID:
		return state->invoked
			   ? abt_bytes_text(state->call.facts.request_id)
			   : nothing;
	case LAMBDA_STATUS:
	case LAMBDA_STATUS_NEW:
		return state->target_status != 0 ? ABT_BYTES("200") : nothing;
	case RESPONSE_LATENCY:
		return number(state, (x->reply_us - x->begin_us) / 1000);
	case RESPONSE_LENGTH:
		return number(
		    state, (int64_t)(state->pieces.open ? state->pieces.got
							: x->response.body.n));
	case STATUS:
		return number(state, x->response.status);
	default:
		return call_value(state, id);
	}
}

static void
add_value(
    struct abt_buf *line, struct abt_call_state *state, struct abt_bytes name)
{
	bool quoted = abt_bytes_equal(name, names[ERROR_STRING]);
	struct abt_bytes value = nothing;
	uint64_t high = 0;

	for (unsigned id = 0; id < VARIABLES; id++)
		if (abt_bytes_equal(name, names[id]))
			value = value_of(state, (enum variable)id);
	quoted = quoted && value.n > 0; /* a JSON string (apigw.md 1.13) */
	if (value.n == 0)
		value = ABT_BYTES("-");
	if (value.n > VALUE_MAX)
		value.n = VALUE_MAX;
	if (quoted)
		abt_buf_char(line, '"');
	abt_json_escape(line, abt_utf8_mend(value, &state->x->arena), &high);
	if (quoted)
		abt_buf_char(line, '"');
}

/* Letters with dots between them; a dot at the end is none of it. */
static size_t
name_length(struct abt_bytes text)
{
	size_t n = 0;

	while (n < text.n &&
	       (abt_char_is(text.p[n], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) ||
		   text.p[n] == '.' || text.p[n] == '_'))
		n++;
	while (n > 0 && text.p[n - 1] == '.')
		n--;
	return n;
}

struct abt_bytes
abt_context_log_format(struct abt_bytes name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (abt_bytes_equal(name, formats[i].name))
			return formats[i].format;
	return name;
}

void
abt_context_log_line(
    struct abt_buf *line, struct abt_call_state *state, struct abt_bytes format)
{
	const struct abt_bytes begin = ABT_BYTES("$context.");

	format = abt_context_log_format(format);
	while (format.n > 0) {
		size_t at = abt_bytes_search(format, begin), n;

		for (size_t i = 0; i < at; i++) /* a line is a line */
			abt_buf_char(
			    line, format.p[i] == '\n' || format.p[i] == '\r'
				      ? ' '
				      : format.p[i]);
		if (at == format.n)
			break;
		format =
		    abt_bytes(format.p + at + begin.n, format.n - at - begin.n);
		n = name_length(format);
		add_value(line, state, abt_bytes(format.p, n));
		format = abt_bytes(format.p + n, format.n - n);
	}
}
