/*
 * rest.c - API Gateway, REST API with Lambda proxy or mock integrations
 *
 * The entry of the dialect, its attributes, its limits and what comes between
 * routing and the event: decoding of the body, request validation.  Events are
 * in rest_event.c, results in rest_result.c, what the gateway says by itself in
 * rest_failure.c and rest_mock.c.  Rule numbers are those of apigw.md.
 */
#include "dialect/rest.h"

#include "dialect/api.h"
#include "dialect/rest_inverse.h"
#include "route/api_routes.h"

#define STREAM_MAX     (200u << 20) /* 1.17 */
#define STREAM_MS      900000
#define STREAM_IDLE_MS 300000

/* A method's; the API has no "DEFAULT". */
static const char *const transfer_modes[] = { "DEFAULT", "BUFFERED", "STREAM",
	"RESPONSE_STREAM", NULL };

#define AT(member) offsetof(struct abt_rest_attributes, member)

/* clang-format off */
const struct abt_option abt_rest_attribute_rows[] = {
	{ "binaryMediaTypes", ABT_LIST, AT(binary_types), NULL, 0, 0, NULL, NULL,
	    "binary-media-type", "TYPE", "media types that are passed on in base64: image/png, image/* or */*", 0 },
	{ "minimumCompressionSize", ABT_SIZE, AT(compress_from), "10485761", 0, ABT_REST_COMPRESS_OFF, NULL, NULL,
	    "minimum-compression-size", "BYTES", "compress bodies from this size on (10485761: never)", 0 },
	{ "gatewayResponses", ABT_JSON, AT(gateway_responses), NULL, 0, 0, NULL, NULL,
	    NULL, NULL, "what is said in place of AWS's own errors: type to statusCode, responseParameters, responseTemplates", 0 },
	{ .name = "responseTransferMode", .kind = ABT_ENUM, .offset = AT(transfer_mode), .preset = "BUFFERED",
	    .names = transfer_modes + 1, .flag = "response-transfer-mode", .argument = "MODE",
	    .help = "BUFFERED, or STREAM (RESPONSE_STREAM): what the function writes goes to the client at once" },
	ABT_OPTIONS_END,
};
/* clang-format on */

#undef AT
#define AT(member) offsetof(struct abt_rest_method, member)

/* clang-format off */
static const struct abt_option mock_rows[] = {
	{ .name = "requestTemplates", .kind = ABT_JSON, .offset = AT(templates) - AT(templates),
	    .help = "media type to a text that gives { \"statusCode\": 200 }" },
	{ .name = "responses", .kind = ABT_JSON, .offset = AT(responses) - AT(templates),
	    .help = "statusCode, as a pattern, or \"default\" to statusCode, "
		    "responseParameters, responseTemplates" },
	ABT_OPTIONS_END,
};

static const struct abt_option method_rows[] = {
	{ .name = "requestParameters", .kind = ABT_JSON, .offset = AT(parameters),
	    .help = "\"method.request.header.X\" (querystring, path) to true: required" },
	{ .name = "requestModels", .kind = ABT_JSON, .offset = AT(models),
	    .help = "media type to the JSON schema (draft 4) of bodies" },
	{ .name = "validateRequestParameters", .kind = ABT_BOOL, .offset = AT(validate_parameters),
	    .preset = "false", .help = "refuse requests that lack a required parameter" },
	{ .name = "validateRequestBody", .kind = ABT_BOOL, .offset = AT(validate_body),
	    .preset = "false", .help = "refuse bodies that do not meet their model" },
	{ .name = "mock", .kind = ABT_TABLE, .offset = AT(templates), .table = mock_rows,
	    .help = "answer without a function" },
	{ .name = "responseTransferMode", .kind = ABT_ENUM, .offset = AT(transfer_mode), .preset = "DEFAULT",
	    .names = transfer_modes,
	    .help = "BUFFERED or STREAM (RESPONSE_STREAM); DEFAULT: as the API has it" },
	ABT_OPTIONS_END,
};
/* clang-format on */

static enum abt_action
method_action(const void *settings)
{
	const struct abt_rest_method *method = settings;

	return method->responses != NULL ? ABT_MOCK : ABT_FORWARD;
}

/* ---- what rows cannot say of methods ---- */

static bool
names_a_parameter(struct abt_bytes key)
{
	static const struct abt_bytes places[] = {
		ABT_BYTES_INIT("method.request.header."),
		ABT_BYTES_INIT("method.request.querystring."),
		ABT_BYTES_INIT("method.request.path."),
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (key.n > places[i].n && abt_bytes_starts(key, places[i]))
			return true;
	return false;
}

/* Is |map| absent, or an object whose members are all of |kind|? */
static bool
is_map_of(const struct abt_json *map, enum abt_json_kind kind)
{
	if (map == NULL)
		return true;
	if (map->kind != ABT_JSON_OBJECT)
		return false;
	for (map = map->first; map != NULL; map = map->next)
		if (map->kind != kind)
			return false;
	return true;
}

static const char *
method_wrong(const void *settings)
{
	const struct abt_rest_method *method = settings;
	const struct abt_json *p = method->parameters;

	if (p != NULL && p->kind != ABT_JSON_OBJECT)
		return "\"requestParameters\" must be an object";
	for (p = p != NULL ? p->first : NULL; p != NULL; p = p->next)
		if (!names_a_parameter(p->key) || !abt_json_is_bool(p))
			return "\"requestParameters\" must have members like "
			       "\"method.request.querystring.q\": true; the "
			       "places are header, querystring and path";
	if (!is_map_of(method->models, ABT_JSON_OBJECT))
		return "\"requestModels\" must be an object of media types "
		       "and schemas";
	if (!is_map_of(method->templates, ABT_JSON_STRING))
		return "\"requestTemplates\" must be an object of media types "
		       "and texts";
	if (!is_map_of(method->responses, ABT_JSON_OBJECT))
		return "\"responses\" must be an object of patterns and "
		       "objects";
	if (method->templates != NULL && method->responses == NULL)
		return "\"mock\" has no \"responses\"";
	return NULL;
}

static void
make_policy(struct abt_front *front)
{
	abt_api_policy(front, 10240, 10240, ABT_REST_PAYLOAD_MAX); /* 1.16 */
	front->policy.any_path = true; /* events keep it as it came: R1.1 */
}

static int
admit(const struct abt_call *call, struct abt_request *req,
    struct abt_report *report)
{
	/* a connection of ours never becomes another protocol's */
	abt_headers_drop(&req->headers, ABT_FIELD_UPGRADE);
	return abt_api_admit(call, req, report);
}

static int
route(struct abt_call *call, struct abt_report *report)
{
	if (abt_api_route_find(call, report) != 0 ||
	    abt_rest_decode_body(call, report) != 0)
		return -1;
	return abt_rest_validate(call, report);
}

static bool
streams(const struct abt_call *call)
{
	const struct abt_rest_method *method = call->match.method;
	int mode = abt_rest(call->front)->transfer_mode;

	if (method != NULL && method->transfer_mode > 0)
		mode = method->transfer_mode - 1;
	return mode >= ABT_REST_STREAM;
}

const struct abt_dialect abt_dialect_rest = {
	.name = "rest",
	.title = "API Gateway, REST API",
	.routing = ABT_RESOURCE_TREE,
	.timeout_ms = 29000, /* 1.16 */
	.attributes_size = sizeof(struct abt_rest_attributes),
	.attributes = abt_rest_attribute_rows,
	.method_size = sizeof(struct abt_rest_method),
	.method = method_rows,
	.method_action = method_action,
	.method_wrong = method_wrong,
	.make_policy = make_policy,
	.admit = admit,
	.route = route,
	.write_event = abt_rest_write_event,
	.read_result = abt_rest_read_result,
	.write_action = abt_rest_write_action,
	.write_failure = abt_rest_write_failure,
	.failure_reason = abt_rest_failure_reason,
	.streams = streams,
	.stream_prelude = true,
	.stream_max = STREAM_MAX,
	.stream_ms = STREAM_MS,
	.stream_idle_ms = STREAM_IDLE_MS,
	.recognise = abt_rest_recognise,
	.read_event = abt_rest_read_event,
	.write_result = abt_rest_write_result,
};
