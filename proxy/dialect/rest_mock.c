/*
 * rest_mock.c - mock integrations: a method that answers by itself (apigw.md
 * 1.15)
 *
 * The request template gives a statusCode; that picks one of the integration's
 * responses, whose templates and parameters make the answer.  Preflights of
 * REST APIs are answered so.
 */
#include "dialect/rest.h"

#include "base/regex.h"
#include "dialect/rest_headers.h"
#include "dialect/rest_template.h"

#define TEMPLATE_MAX 307200 /* 1.16 */

/* ---- the request template ---- */

static size_t
word_length(struct abt_bytes text)
{
	size_t n = 0;

	if (text.n == 0 || !abt_char_is(text.p[0], ABT_CHAR_ALPHA))
		return 0;
	while (n < text.n &&
	       (abt_char_is(text.p[n], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) ||
		   text.p[n] == '_'))
		n++;
	return n;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is the next byte that is no blank a colon? */
static bool
is_key(struct abt_bytes rest)
{
	size_t i = 0;

	while (i < rest.n && is_blank(rest.p[i]))
		i++;
	return i < rest.n && rest.p[i] == ':';
}

/* The string at |text|, quotes included. */
static size_t
string_length(struct abt_bytes text)
{
	size_t i = 1;

	while (i < text.n && text.p[i] != '"')
		i += text.p[i] == '\\' ? 2 : 1;
	return i + 1 < text.n ? i + 1 : text.n;
}

/* Put bare keys in quotes: {statusCode: 200} is common (R10.1). */
static void
quote_keys(struct abt_bytes text, struct abt_buf *out)
{
	while (text.n > 0) {
		size_t n = 1;
		bool key = false;

		if (text.p[0] == '"') {
			n = string_length(text);
		} else if (abt_char_is(text.p[0], ABT_CHAR_ALPHA)) {
			n = word_length(text);
			key = is_key(abt_bytes(text.p + n, text.n - n));
		}
		if (key)
			abt_buf_char(out, '"');
		abt_buf_add(out, abt_bytes(text.p, n));
		if (key)
			abt_buf_char(out, '"');
		text.p += n;
		text.n -= n;
	}
}

static const struct abt_json *
read_relaxed(const struct abt_call *call, struct abt_bytes text)
{
	const struct abt_json *tree = NULL;
	struct abt_json_error error;
	struct abt_buf buf;

	abt_buf_init(&buf, NULL, TEMPLATE_MAX * 2);
	quote_keys(text, &buf);
	if (!buf.failed)
		tree = abt_json_scan(
		    abt_arena_copy(call->arena, abt_buf_bytes(&buf)),
		    ABT_JSON_DEPTH, call->arena, &error);
	abt_buf_end(&buf);
	return tree;
}

/* What the integration gets: the template of the body's type, or the body
 * itself when there is none for it. */
static struct abt_bytes
request_text(const struct abt_call *call, const struct abt_rest_method *method)
{
	const struct abt_field *type =
	    abt_headers_last(&call->request->headers, ABT_FIELD_CONTENT_TYPE);
	const struct abt_json *template = abt_rest_for_type(
	    method->templates, type != NULL ? type->value : abt_bytes(NULL, 0));

	if (!abt_json_is(template, ABT_JSON_STRING))
		return call->request->body;
	return abt_rest_render(call, NULL, template->text);
}

/* ---- the response ---- */

static bool
fits(const struct abt_json *response, struct abt_bytes status)
{
	const struct abt_json *code = abt_json_get(response, "statusCode");

	return abt_regex_matches(response->key, status) ||
	       (code != NULL && abt_bytes_equal(code->text, status));
}

/* R10.2 */
static const struct abt_json *
find_response(const struct abt_rest_method *method, struct abt_bytes status)
{
	const struct abt_json *responses = method->responses, *r;

	if (!abt_json_is(responses, ABT_JSON_OBJECT))
		return NULL;
	for (r = responses->first; r != NULL; r = r->next)
		if (!abt_json_is_shadowed(r) && r->kind == ABT_JSON_OBJECT &&
		    !abt_bytes_equal(r->key, ABT_BYTES("default")) &&
		    fits(r, status))
			return r;
	r = abt_json_get(responses, "default");
	return abt_json_is(r, ABT_JSON_OBJECT) ? r : NULL;
}

/* The status the client sees: the response's own, else the mock's. */
static int
status_of(const struct abt_json *found, uint64_t mocked)
{
	const struct abt_json *code = abt_json_get(found, "statusCode");
	uint64_t status;

	if (code != NULL &&
	    (code->kind == ABT_JSON_STRING || code->kind == ABT_JSON_NUMBER) &&
	    abt_bytes_number(code->text, 10, 599, &status) && status >= 200)
		return (int)status;
	return (int)mocked;
}

static void
write_body(const struct abt_call *call, const struct abt_json *found,
    struct abt_response *response)
{
	const struct abt_json *template =
	    abt_rest_for_accept(call, abt_json_get(found, "responseTemplates"));

	if (abt_json_is(template, ABT_JSON_STRING)) { /* R10.4 */
		response->body = abt_rest_render(call, NULL, template->text);
		if (abt_headers_first(
			&response->ours, ABT_FIELD_CONTENT_TYPE) == NULL)
			abt_headers_add_id(&response->ours, call->arena,
			    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"),
			    template->key);
	}
	abt_rest_default_type(call, response);
	if (response->status == 204 || response->status == 304)
		response->body = abt_bytes(NULL, 0);
	response->no_content_length = response->status == 304;
}

int
abt_rest_write_action(const struct abt_call *call,
    struct abt_response *response, struct abt_report *report)
{
	const struct abt_rest_method *method = call->match.method;
	const struct abt_json *tree, *code, *found;
	uint64_t status;

	if (method == NULL)
		return abt_break(
		    report, ABT_RULE_REST_MOCK_TEMPLATE, ABT_BYTES(""));
	tree = read_relaxed(call, request_text(call, method));
	code = abt_json_is(tree, ABT_JSON_OBJECT)
		   ? abt_json_get(tree, "statusCode")
		   : NULL;
	if (!abt_json_is(code, ABT_JSON_NUMBER) ||
	    !abt_json_uint(code, 599, &status) || status < 100)
		return abt_break(report, ABT_RULE_REST_MOCK_TEMPLATE,
		    ABT_BYTES("/requestTemplates"));
	found = find_response(method, code->text);
	if (found == NULL)
		return abt_break(report, ABT_RULE_REST_MOCK_RESPONSE,
		    ABT_BYTES("/responses"));
	memset(response, 0, sizeof(*response));
	response->status = status_of(found, status);
	abt_rest_begin_response(call, response);
	abt_rest_set_headers(call, NULL,
	    abt_json_get(found, "responseParameters"),
	    ABT_BYTES("method.response.header."), response);
	write_body(call, found, response);
	abt_rest_compress(call, response);
	return 0;
}
