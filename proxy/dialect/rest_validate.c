/*
 * rest_validate.c - a REST API looks at the request before its integration
 * (apigw.md 1.14)
 *
 * Parameters that a method requires must be there and not blank; a body must
 * meet the model of its media type.
 */
#include "dialect/rest.h"

#include "base/json_schema.h"
#include "dialect/rest_template.h"

/* Header names are compared with case, unlike everywhere else. */
static bool
has_header(const struct abt_call *call, struct abt_bytes name)
{
	const struct abt_headers *headers = &call->request->headers;
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (abt_bytes_equal(headers->fields[i].name, name) &&
		    headers->fields[i].value.n > 0)
			return true;
	return false;
}

static bool
has(const struct abt_call *call, struct abt_bytes parameter,
    struct abt_bytes name)
{
	if (abt_bytes_starts(parameter, ABT_BYTES("method.request.header.")))
		return has_header(call, name);
	return abt_bytes_trim(abt_rest_value(call, NULL, parameter)).n > 0;
}

/* The missing ones of a group in order of their names; few are declared. */
static void
add_group(const struct abt_call *call, const struct abt_json *parameters,
    struct abt_bytes prefix, struct abt_buf *names)
{
	struct abt_bytes last = { NULL, 0 };

	for (;;) {
		const struct abt_json *p;
		struct abt_bytes least = { NULL, 0 }, name;

		for (p = parameters->first; p != NULL; p = p->next) {
			if (!abt_bytes_starts(p->key, prefix) ||
			    p->kind != ABT_JSON_TRUE || abt_json_is_shadowed(p))
				continue;
			name =
			    abt_bytes(p->key.p + prefix.n, p->key.n - prefix.n);
			if (last.p != NULL &&
			    abt_bytes_compare(name, last) <= 0)
				continue;
			if (!has(call, p->key, name) &&
			    (least.p == NULL ||
				abt_bytes_compare(name, least) < 0))
				least = name;
		}
		if (least.p == NULL)
			return;
		if (names->n > 0)
			abt_buf_text(names, ", ");
		abt_buf_add(names, least);
		last = least;
	}
}

void
abt_rest_missing(const struct abt_call *call, struct abt_buf *names)
{
	const struct abt_rest_method *method = call->match.method;

	if (method == NULL || !abt_json_is(method->parameters, ABT_JSON_OBJECT))
		return;
	add_group(call, method->parameters, ABT_BYTES("method.request.header."),
	    names);
	add_group(
	    call, method->parameters, ABT_BYTES("method.request.path."), names);
	add_group(call, method->parameters,
	    ABT_BYTES("method.request.querystring."), names);
}

static int
check_parameters(const struct abt_call *call, struct abt_report *report)
{
	struct abt_bytes names;
	struct abt_buf buf;

	abt_buf_init(&buf, NULL, 65536);
	abt_rest_missing(call, &buf);
	names = abt_arena_copy(call->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	if (names.n == 0)
		return 0;
	return abt_break_detail(
	    report, ABT_RULE_REST_PARAMETERS, ABT_BYTES(""), names);
}

static bool
body_holds(const struct abt_json *model, struct abt_bytes body,
    struct abt_arena *scratch)
{
	struct abt_json_error error;
	const struct abt_json *value =
	    abt_json_scan(body, ABT_JSON_DEPTH, scratch, &error);

	return value != NULL && abt_json_schema_holds(model, value, scratch);
}

static int
check_body(const struct abt_call *call, const struct abt_rest_method *method,
    struct abt_report *report)
{
	const struct abt_request *req = call->request;
	const struct abt_field *type =
	    abt_headers_last(&req->headers, ABT_FIELD_CONTENT_TYPE);
	const struct abt_json *model = abt_rest_for_type(
	    method->models, type != NULL ? type->value : abt_bytes(NULL, 0));
	struct abt_arena scratch;
	bool holds;

	if (model == NULL)
		return 0;
	abt_arena_init(&scratch, call->arena->pool);
	holds = req->body.n > 0 && body_holds(model, req->body, &scratch);
	if (abt_arena_failed(&scratch))
		abt_arena_fail(call->arena);
	abt_arena_end(&scratch);
	return holds ? 0
		     : abt_break(report, ABT_RULE_REST_BODY, ABT_BYTES("body"));
}

int
abt_rest_validate(const struct abt_call *call, struct abt_report *report)
{
	const struct abt_rest_method *method = call->match.method;

	if (method == NULL)
		return 0;
	if (method->validate_parameters && check_parameters(call, report) != 0)
		return -1;
	return method->validate_body ? check_body(call, method, report) : 0;
}
