/*
 * rest_result.c - a REST API reads the function's result (apigw.md 1.9 to 1.11)
 *
 * The result is bound to a strict record of five keys: scalars become text,
 * unknown keys and wrong containers fail.  Each part is read by one function,
 * which breaks the rule it keeps; how the header maps are merged is in
 * rest_headers.c.
 */
#include "dialect/rest.h"

#include <stdlib.h>

#include "base/ids.h"
#include "dialect/rest_headers.h"
#include "dialect/trace.h"

/* The result while it is read. */
struct reading {
	const struct abt_call *call;
	const struct abt_json *result;
	struct abt_response *response;
	struct abt_report *report;
};

static void
note(struct reading *r, enum abt_rule_id rule, struct abt_bytes where)
{
	if (!r->report->quiet_notes)
		abt_note(r->report, rule, where);
}

/* A member that is there and not null (R7.8, R7.10). */
static const struct abt_json *
member(const struct reading *r, const char *key)
{
	const struct abt_json *value = abt_json_get(r->result, key);

	return abt_json_is(value, ABT_JSON_NULL) ? NULL : value;
}

/* ---- the whole ---- */

static int
check_key(struct reading *r, const struct abt_json *key)
{
	static const char *const known[] = { "statusCode", "headers",
		"multiValueHeaders", "body", "isBase64Encoded" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!abt_bytes_equal(key->key, abt_bytes_text(known[i])))
			continue;
		if (abt_json_is_shadowed(key))
			note(r, ABT_RULE_REST_NOTE_DUPLICATE,
			    abt_json_pointer(
				r->call->arena, ABT_BYTES(""), key->key));
		return 0;
	}
	return abt_break(r->report, ABT_RULE_REST_RESULT_KEY,
	    abt_json_pointer(r->call->arena, ABT_BYTES(""), key->key));
}

static int
check_keys(struct reading *r)
{
	const struct abt_json *key;

	for (key = r->result->first; key != NULL; key = key->next)
		if (check_key(r, key) != 0)
			return -1;
	return 0;
}

static int
check_source(const struct abt_json *result, const struct abt_json_error *error,
    struct abt_report *report)
{
	if (result == NULL) {
		abt_break_detail(report, ABT_RULE_REST_RESULT_JSON,
		    ABT_BYTES(""),
		    abt_bytes_text(error != NULL ? error->text : NULL));
		return -1;
	}
	if (result->kind != ABT_JSON_OBJECT) {
		abt_break(report, ABT_RULE_REST_RESULT_OBJECT, ABT_BYTES(""));
		return -1;
	}
	return 0;
}

/* ---- status ---- */

/* A number that is whole, however it is written (R7.9). */
static bool
whole(struct abt_bytes text, uint64_t *value)
{
	char copy[40];
	double number;

	if (abt_bytes_number(text, 10, 599, value))
		return true;
	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	number = strtod(copy, NULL);
	if (!(number >= 0 && number <= 599))
		return false;
	*value = (uint64_t)number;
	return (double)*value >= number; /* it was cut down, so: equal */
}

static int
read_status(struct reading *r)
{
	const struct abt_json *status = member(r, "statusCode");
	uint64_t code = 0;
	bool good = false;

	r->response->status = 200; /* R7.3, R7.4, R7.8 */
	if (status == NULL)
		return 0;
	if (status->kind == ABT_JSON_NUMBER)
		good = whole(status->text, &code);
	else if (status->kind == ABT_JSON_STRING)
		good = abt_bytes_number(status->text, 10, 599, &code);
	if (!good || code < 100)
		return abt_break(r->report, ABT_RULE_REST_RESULT_STATUS,
		    ABT_BYTES("/statusCode"));
	if (status->kind == ABT_JSON_STRING)
		note(r, ABT_RULE_REST_NOTE_COERCED, ABT_BYTES("/statusCode"));
	r->response->status = (int)code;
	return 0;
}

/* ---- body ---- */

/* R7.17 */
static int
read_flag(struct reading *r, bool *flag)
{
	const struct abt_json *value = member(r, "isBase64Encoded");

	*flag = false;
	if (value == NULL)
		return 0;
	if (abt_json_is_bool(value)) {
		*flag = value->kind == ABT_JSON_TRUE;
		return 0;
	}
	if (value->kind == ABT_JSON_STRING) {
		*flag = abt_bytes_equal(value->text, ABT_BYTES("true"));
		if (*flag || abt_bytes_equal(value->text, ABT_BYTES("false")))
			return 0;
	}
	return abt_break(r->report, ABT_RULE_REST_RESULT_FLAG,
	    ABT_BYTES("/isBase64Encoded"));
}

/* The first media type of Accept decides alone (R9.1, R9.4). */
static bool
client_takes_binary(const struct reading *r)
{
	const struct abt_field *accept =
	    abt_headers_first(&r->call->request->headers, ABT_FIELD_ACCEPT);
	struct abt_bytes type =
	    accept != NULL ? accept->value : abt_bytes(NULL, 0);

	type.n = abt_bytes_find(type, ',');
	return abt_rest_is_binary(r->call->front, type);
}

static int
decode(struct reading *r)
{
	struct abt_bytes text = r->response->body;
	char *out = abt_call_room(r->call, text);
	ptrdiff_t n;

	if (out == NULL)
		return 0; /* the arena remembers */
	n = abt_base64_decode(out, text);
	if (n < 0) /* R9.6 */
		return abt_break(
		    r->report, ABT_RULE_REST_RESULT_BASE64, ABT_BYTES("/body"));
	r->response->body = abt_bytes(out, (size_t)n);
	return 0;
}

static int
read_body(struct reading *r)
{
	const struct abt_json *body = member(r, "body");
	bool flag;

	if (read_flag(r, &flag) != 0)
		return -1;
	if (body == NULL)
		return 0;
	if (body->kind == ABT_JSON_OBJECT || body->kind == ABT_JSON_ARRAY)
		return abt_break(
		    r->report, ABT_RULE_REST_RESULT_BODY, ABT_BYTES("/body"));
	r->response->body = abt_rest_scalar(body); /* R7.16 */
	if (body->kind != ABT_JSON_STRING)
		note(r, ABT_RULE_REST_NOTE_COERCED, ABT_BYTES("/body"));
	if (!flag || r->response->body.n == 0)
		return 0; /* R9.7 */
	if (client_takes_binary(r))
		return decode(r);
	note(r, ABT_RULE_REST_NOTE_NOT_DECODED, ABT_BYTES("/body"));
	return 0; /* R9.5 */
}

/* ---- the response ---- */

/* R8.10 */
static void
drop_body(struct reading *r)
{
	struct abt_response *response = r->response;

	if (response->status >= 200 && response->status != 204 &&
	    response->status != 304)
		return;
	if (response->body.n > 0)
		note(r, ABT_RULE_REST_NOTE_BODY_DROPPED, ABT_BYTES("/body"));
	response->body = abt_bytes(NULL, 0);
	response->no_content_length = response->status != 204;
	/* whoever waits for what follows a 1xx shall not wait for ever */
	response->close = response->close || response->status < 200;
}

/* R8.2 */
static void
add_trace(struct reading *r)
{
	static const char lineage[] = ";Lineage=1:";
	const struct abt_call *call = r->call;
	struct abt_bytes trace = call->invoke_trace;
	char *out, *w;

	if (trace.n == 0 || abt_headers_first(&r->response->headers,
				ABT_FIELD_X_AMZN_TRACE_ID) != NULL)
		return;
	if (abt_trace_is_full(call->trace_id)) {
		abt_headers_add_id(&r->response->headers, call->arena,
		    ABT_FIELD_X_AMZN_TRACE_ID, ABT_BYTES("X-Amzn-Trace-Id"),
		    call->trace_id);
		return;
	}
	out = w = abt_arena_alloc(call->arena, trace.n + 32);
	if (out == NULL)
		return; /* the arena remembers */
	memcpy(w, trace.p, trace.n);
	w += trace.n;
	memcpy(w, lineage, sizeof(lineage) - 1);
	w += sizeof(lineage) - 1;
	abt_id_hex(w, call->facts.random + 20, 4);
	memcpy(w + 8, ":0", 2);
	abt_headers_add_id(&r->response->headers, call->arena,
	    ABT_FIELD_X_AMZN_TRACE_ID, ABT_BYTES("X-Amzn-Trace-Id"),
	    abt_bytes(out, (size_t)(w + 10 - out)));
}

static int
check_size(struct reading *r)
{
	if (r->response->body.n <= ABT_REST_PAYLOAD_MAX ||
	    r->call->front->limits_off)
		return 0;
	return abt_break(
	    r->report, ABT_RULE_REST_RESULT_LARGE, ABT_BYTES("/body"));
}

int
abt_rest_read_result(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_response *response, struct abt_report *report)
{
	struct reading r = { call, result, response, report };

	(void)source;
	memset(response, 0, sizeof(*response));
	if (check_source(result, error, report) != 0)
		return -1;
	abt_rest_begin_response(call, response);
	if (check_keys(&r) != 0 || read_status(&r) != 0 ||
	    abt_rest_read_headers(call, member(&r, "headers"),
		member(&r, "multiValueHeaders"), response, report) != 0 ||
	    read_body(&r) != 0 || check_size(&r) != 0)
		return -1;
	abt_rest_compress(call, response);
	drop_body(&r);
	add_trace(&r);
	return report->broken != NULL ? -1 : 0;
}
