/*
 * rest_template.c - references to the request in templates and parameters
 *
 * Mock integrations and gateway responses are written with references to the
 * request (apigw.md 1.13, 1.15).  Replacing those is enough for what they are
 * used for; the rest of the Velocity language is not spoken.
 */
#include "dialect/rest_template.h"

#include "base/utf8_mend.h"
#include "dialect/api.h"
#include "http/percent.h"

#define RENDERED_MAX ABT_REST_PAYLOAD_MAX

static const struct abt_bytes nothing = { NULL, 0 };

static bool
take(struct abt_bytes *text, const char *prefix)
{
	struct abt_bytes begin = abt_bytes_text(prefix);

	if (!abt_bytes_starts(*text, begin))
		return false;
	text->p += begin.n;
	text->n -= begin.n;
	return true;
}

/* ---- the request ---- */

static struct abt_bytes
header_value(const struct abt_call *call, struct abt_bytes name)
{
	const struct abt_field *field =
	    abt_headers_named(&call->request->headers, name);

	return field != NULL ? field->value : nothing;
}

/* The last value counts, as in the event. */
static struct abt_bytes
query_value(const struct abt_call *call, struct abt_bytes name)
{
	struct abt_bytes rest = call->request->query, piece, found = nothing;

	while (abt_bytes_next(&rest, '&', &piece)) {
		size_t equals = abt_bytes_find(piece, '=');
		size_t begin = equals < piece.n ? equals + 1 : piece.n;

		if (abt_bytes_equal(
			name, abt_percent_decode(abt_bytes(piece.p, equals),
				  true, call->arena)))
			found = abt_percent_decode(
			    abt_bytes(piece.p + begin, piece.n - begin), true,
			    call->arena);
	}
	return found;
}

static struct abt_bytes
path_value(const struct abt_call *call, struct abt_bytes name)
{
	size_t i;

	for (i = 0; i < call->match.param_count; i++)
		if (abt_bytes_equal(call->match.params[i].name, name))
			return call->match.params[i].value;
	return nothing;
}

static struct abt_bytes
stage_variable(const struct abt_call *call, struct abt_bytes name)
{
	const struct abt_map *map = &call->front->api->stage_variables;
	size_t i;

	for (i = 0; i < map->count; i++)
		if (abt_bytes_equal(map->pairs[i].name, name))
			return map->pairs[i].value;
	return nothing;
}

/* ---- $context ---- */

static struct abt_bytes
quoted(const struct abt_call *call, struct abt_bytes text)
{
	struct abt_json_out out;
	struct abt_bytes json;
	struct abt_buf buf;

	abt_buf_init(&buf, NULL, RENDERED_MAX);
	abt_json_out_init(&out, &buf);
	abt_json_string(&out, NULL, text);
	json = abt_arena_copy(call->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return json;
}

static struct abt_bytes
error_value(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes name)
{
	if (error == NULL)
		return nothing;
	if (abt_bytes_equal(name, ABT_BYTES("message")))
		return error->message;
	if (abt_bytes_equal(name, ABT_BYTES("messageString")))
		return quoted(call, error->message);
	if (abt_bytes_equal(name, ABT_BYTES("responseType")))
		return abt_bytes_text(error->type);
	return nothing;
}

enum context_id {
	ACCOUNT_ID,
	API_ID,
	DOMAIN_NAME,
	DOMAIN_PREFIX,
	EXTENDED_ID,
	HTTP_METHOD,
	SOURCE_IP,
	USER_AGENT,
	PATH,
	PROTOCOL,
	REQUEST_ID,
	REQUEST_TIME,
	REQUEST_TIME_EPOCH,
	RESOURCE_ID,
	RESOURCE_PATH,
	STAGE,
	CONTEXT_IDS,
};

static const struct abt_bytes context_names[CONTEXT_IDS] = {
	[ACCOUNT_ID] = ABT_BYTES_INIT("accountId"),
	[API_ID] = ABT_BYTES_INIT("apiId"),
	[DOMAIN_NAME] = ABT_BYTES_INIT("domainName"),
	[DOMAIN_PREFIX] = ABT_BYTES_INIT("domainPrefix"),
	[EXTENDED_ID] = ABT_BYTES_INIT("extendedRequestId"),
	[HTTP_METHOD] = ABT_BYTES_INIT("httpMethod"),
	[SOURCE_IP] = ABT_BYTES_INIT("identity.sourceIp"),
	[USER_AGENT] = ABT_BYTES_INIT("identity.userAgent"),
	[PATH] = ABT_BYTES_INIT("path"),
	[PROTOCOL] = ABT_BYTES_INIT("protocol"),
	[REQUEST_ID] = ABT_BYTES_INIT("requestId"),
	[REQUEST_TIME] = ABT_BYTES_INIT("requestTime"),
	[REQUEST_TIME_EPOCH] = ABT_BYTES_INIT("requestTimeEpoch"),
	[RESOURCE_ID] = ABT_BYTES_INIT("resourceId"),
	[RESOURCE_PATH] = ABT_BYTES_INIT("resourcePath"),
	[STAGE] = ABT_BYTES_INIT("stage"),
};

static struct abt_bytes
known_context(const struct abt_call *call, enum context_id id)
{
	const struct abt_api *api = call->front->api;
	char time[ABT_CLF_SIZE];

	switch (id) {
	case ACCOUNT_ID:
		return call->front->account;
	case API_ID:
		return api->api_id;
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
		return header_value(call, ABT_BYTES("User-Agent"));
	case PATH:
		return call->request->path;
	case PROTOCOL:
		return ABT_BYTES("HTTP/1.1");
	case REQUEST_ID:
		return abt_bytes_text(call->facts.request_id);
	case REQUEST_TIME:
		abt_api_clf_time(time, call->facts.epoch_us);
		return abt_arena_copy(
		    call->arena, abt_bytes(time, ABT_CLF_SIZE - 1));
	case REQUEST_TIME_EPOCH:
		return abt_arena_printf(call->arena, "%lld",
		    (long long)(call->facts.epoch_us / 1000));
	case RESOURCE_ID:
		return call->match.resource_id;
	case RESOURCE_PATH:
		return call->match.resource;
	case STAGE:
		return api->stage;
	case CONTEXT_IDS:
		break;
	}
	return nothing;
}

static struct abt_bytes
context_value(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes name)
{
	unsigned id;

	if (take(&name, "error."))
		return error_value(call, error, name);
	for (id = 0; id < CONTEXT_IDS; id++)
		if (abt_bytes_equal(name, context_names[id]))
			return known_context(call, (enum context_id)id);
	return nothing;
}

struct abt_bytes
abt_rest_value(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes expression)
{
	struct abt_bytes name = expression;

	if (name.n >= 2 && name.p[0] == '\'' && name.p[name.n - 1] == '\'')
		return abt_bytes(name.p + 1, name.n - 2);
	if (take(&name, "context."))
		return context_value(call, error, name);
	if (take(&name, "stageVariables."))
		return stage_variable(call, name);
	if (take(&name, "method.request.header."))
		return header_value(call, name);
	if (take(&name, "method.request.querystring."))
		return query_value(call, name);
	if (take(&name, "method.request.path."))
		return path_value(call, name);
	return nothing;
}

/* ---- templates ---- */

/* How long a reference without its "$" is: names with dots between them. */
static size_t
reference_length(struct abt_bytes text)
{
	size_t i;

	for (i = 0; i < text.n; i++)
		if (!abt_char_is(text.p[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) &&
		    text.p[i] != '_' && text.p[i] != '-' && text.p[i] != '.')
			break;
	while (i > 0 && text.p[i - 1] == '.') /* the end of a sentence */
		i--;
	return i;
}

/* $input.params('x'): in path, query and header, in this order. */
static struct abt_bytes
param_value(const struct abt_call *call, struct abt_bytes name)
{
	struct abt_bytes value = path_value(call, name);

	if (value.p == NULL)
		value = query_value(call, name);
	return value.p != NULL ? value : header_value(call, name);
}

/* Behind "input.params(": the name in quotes and the bracket.  Its length, or 0
 * when it is not written so. */
static size_t
params_argument(struct abt_bytes text, struct abt_bytes *name)
{
	size_t end;

	if (text.n < 3 || (text.p[0] != '\'' && text.p[0] != '"'))
		return 0;
	end = abt_bytes_find(abt_bytes(text.p + 1, text.n - 1), text.p[0]) + 1;
	if (end + 1 >= text.n || text.p[end + 1] != ')')
		return 0;
	*name = abt_bytes(text.p + 1, end - 1);
	return end + 2;
}

static bool
is_root(struct abt_bytes name)
{
	return abt_bytes_starts(name, ABT_BYTES("context.")) ||
	       abt_bytes_starts(name, ABT_BYTES("stageVariables.")) ||
	       abt_bytes_starts(name, ABT_BYTES("method.request."));
}

/* The reference at |text|, which begins behind "$" or "${": its value into
 * |out| and its length; 0 when it is none that we know. */
static size_t
add_reference(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes text, struct abt_buf *out)
{
	const struct abt_bytes params = ABT_BYTES("input.params(");
	struct abt_bytes name;
	size_t n;

	if (abt_bytes_starts(text, params)) {
		n = params_argument(
		    abt_bytes(text.p + params.n, text.n - params.n), &name);
		if (n == 0)
			return 0;
		abt_buf_add(
		    out, abt_utf8_mend(param_value(call, name), call->arena));
		return params.n + n;
	}
	n = reference_length(text);
	name = abt_bytes(text.p, n);
	if (abt_bytes_equal(name, ABT_BYTES("input.body"))) {
		abt_buf_add(
		    out, abt_utf8_mend(call->request->body, call->arena));
		return n;
	}
	if (!is_root(name))
		return 0;
	abt_buf_add(
	    out, abt_utf8_mend(abt_rest_value(call, error, name), call->arena));
	return n;
}

/* "$x" or "${x}" at |text|: how much of it was replaced, or 0. */
static size_t
replace(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes text, struct abt_buf *out)
{
	size_t before = out->n, n, skip = 1;
	bool braces = text.n > 1 && text.p[1] == '{';

	if (text.p[0] != '$')
		return 0;
	if (braces || (text.n > 1 && text.p[1] == '!')) /* quiet reference */
		skip = 2;
	n = add_reference(
	    call, error, abt_bytes(text.p + skip, text.n - skip), out);
	if (n == 0)
		return 0;
	n += skip;
	if (!braces)
		return n;
	if (n < text.n && text.p[n] == '}')
		return n + 1;
	if (!out->failed)
		out->n = before;
	return 0;
}

static bool
is_directive(struct abt_bytes line)
{
	static const char *const words[] = { "##", "#set", "#if", "#else",
		"#elseif", "#end", "#foreach" };
	struct abt_bytes text = abt_bytes_trim(line);
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (abt_bytes_starts(text, abt_bytes_text(words[i])))
			return true;
	return false;
}

static void
render_line(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes line, struct abt_buf *out)
{
	while (line.n > 0) {
		size_t n = replace(call, error, line, out);

		if (n == 0) {
			abt_buf_char(out, line.p[0]);
			n = 1;
		}
		line.p += n;
		line.n -= n;
	}
}

struct abt_bytes
abt_rest_render(const struct abt_call *call, const struct abt_rest_error *error,
    struct abt_bytes template)
{
	struct abt_bytes rest = template, line, rendered;
	struct abt_buf out;

	if (abt_bytes_find(template, '$') == template.n &&
	    abt_bytes_find(template, '#') == template.n)
		return template;
	abt_buf_init(&out, NULL, RENDERED_MAX);
	while (abt_bytes_next(&rest, '\n', &line)) {
		if (is_directive(line))
			continue;
		render_line(call, error, line, &out);
		if (rest.p != NULL)
			abt_buf_char(&out, '\n');
	}
	rendered = abt_arena_copy(call->arena, abt_buf_bytes(&out));
	if (out.failed)
		abt_arena_fail(call->arena);
	abt_buf_end(&out);
	return rendered;
}

/* ---- which template ---- */

const struct abt_json *
abt_rest_for_type(const struct abt_json *map, struct abt_bytes type)
{
	const struct abt_json *member;

	type.n = abt_bytes_find(type, ';');
	type = abt_bytes_trim(type);
	if (type.n == 0 || abt_bytes_equal(type, ABT_BYTES("*/*")))
		type = ABT_BYTES("application/json");
	for (member = map != NULL ? map->first : NULL; member != NULL;
	     member = member->next)
		if (!abt_json_is_shadowed(member) &&
		    abt_bytes_equal_nocase(member->key, type))
			return member;
	return NULL;
}

const struct abt_json *
abt_rest_for_accept(const struct abt_call *call, const struct abt_json *map)
{
	const struct abt_field *accept =
	    abt_headers_first(&call->request->headers, ABT_FIELD_ACCEPT);
	struct abt_bytes rest = accept != NULL ? accept->value : nothing, type;
	const struct abt_json *found = NULL;

	if (!abt_json_is(map, ABT_JSON_OBJECT))
		return NULL;
	while (found == NULL && abt_bytes_next(&rest, ',', &type))
		found = abt_rest_for_type(map, type);
	if (found == NULL)
		found = abt_rest_for_type(map, nothing);
	return found != NULL ? found : map->first;
}

/* ---- headers and gateway responses ---- */

void
abt_rest_set_headers(const struct abt_call *call,
    const struct abt_rest_error *error, const struct abt_json *parameters,
    struct abt_bytes prefix, struct abt_response *response)
{
	const struct abt_json *p;

	if (!abt_json_is(parameters, ABT_JSON_OBJECT))
		return;
	for (p = parameters->first; p != NULL; p = p->next) {
		struct abt_bytes name = p->key, value;

		if (!abt_bytes_starts(name, prefix) ||
		    p->kind != ABT_JSON_STRING || abt_json_is_shadowed(p))
			continue;
		name.p += prefix.n;
		name.n -= prefix.n;
		value = abt_rest_value(call, error, p->text);
		if (value.p == NULL || name.n == 0 ||
		    !abt_bytes_all(name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(value, ABT_CHAR_FIELD))
			continue;
		abt_headers_drop_named(&response->ours, name);
		abt_headers_add(abt_field_find(name) == ABT_FIELD_CONTENT_TYPE
				    ? &response->ours
				    : &response->headers,
		    call->arena, name, value);
	}
}

/* The API's own response for the type, else for its class. */
static const struct abt_json *
own_response(const struct abt_call *call, const struct abt_rest_error *error)
{
	const struct abt_json *all = abt_rest(call->front)->gateway_responses;
	const struct abt_json *own;

	if (!abt_json_is(all, ABT_JSON_OBJECT))
		return NULL;
	own = abt_json_get(all, error->type);
	if (own == NULL)
		own = abt_json_get(
		    all, error->status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
	return abt_json_is(own, ABT_JSON_OBJECT) ? own : NULL;
}

/* A status as a number or as text, as templates have it. */
static void
set_status(const struct abt_json *value, struct abt_response *response)
{
	uint64_t status;

	if (value != NULL && value->kind <= ABT_JSON_STRING &&
	    abt_bytes_number(value->text, 10, 599, &status) && status >= 200)
		response->status = (int)status;
}

bool
abt_rest_customise(const struct abt_call *call,
    const struct abt_rest_error *error, struct abt_response *response)
{
	const struct abt_json *own = own_response(call, error);
	const struct abt_json *template;

	if (own == NULL)
		return false;
	set_status(abt_json_get(own, "statusCode"), response);
	abt_rest_set_headers(call, error,
	    abt_json_get(own, "responseParameters"),
	    ABT_BYTES("gatewayresponse.header."), response);
	template =
	    abt_rest_for_accept(call, abt_json_get(own, "responseTemplates"));
	if (!abt_json_is(template, ABT_JSON_STRING))
		return false;
	response->body = abt_rest_render(call, error, template->text);
	if (abt_headers_first(&response->ours, ABT_FIELD_CONTENT_TYPE) == NULL)
		abt_headers_add_id(&response->ours, call->arena,
		    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"),
		    template->key);
	return true;
}
