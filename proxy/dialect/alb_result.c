/*
 * alb_result.c - an ALB reads the function's result (alb.md 2)
 *
 * Each part of the result is checked by one function, which breaks the rule it
 * keeps.  A report that collects (albatross check) sees all of them; the server
 * stops at the first.
 */
#include "dialect/alb.h"

#define HEADERS_MAX 32768 /* R17 */

/* The result while it is read. */
struct reading {
	const struct abt_call *call;
	const struct abt_json *result;
	struct abt_response *response;
	struct abt_report *report;
	struct abt_headers types; /* the function's Content-Type lines */
	struct abt_bytes date;
	bool has_date;
	size_t header_bytes;
};

static struct abt_bytes
pointer_to(struct reading *r, const char *parent, struct abt_bytes name)
{
	return abt_json_pointer(r->call->arena, abt_bytes_text(parent), name);
}

static void
note(struct reading *r, enum abt_rule_id rule, struct abt_bytes where)
{
	if (!r->report->quiet_notes)
		abt_note(r->report, rule, where);
}

/* ---- status ---- */

static int
read_status(struct reading *r)
{
	const struct abt_json *status = abt_json_get(r->result, "statusCode");
	struct abt_bytes text;
	uint64_t code;

	r->response->status = 502;
	if (!abt_json_is(status, ABT_JSON_NUMBER))
		return abt_break(r->report, ABT_RULE_ALB_RESULT_STATUS,
		    ABT_BYTES("/statusCode"));
	text = status->text;
	if (text.n > 0 && text.p[0] == '-') { /* an integer, but too small */
		text.p++;
		text.n--;
	}
	if (!abt_bytes_all(text, ABT_CHAR_DIGIT))
		return abt_break(r->report, ABT_RULE_ALB_RESULT_STATUS,
		    ABT_BYTES("/statusCode"));
	if (!abt_json_uint(status, 599, &code) || code < 200) /* R3 */
		return abt_break(r->report, ABT_RULE_ALB_RESULT_STATUS_RANGE,
		    ABT_BYTES("/statusCode"));
	r->response->status = (int)code;
	return 0;
}

/* "NNN text" gives the phrase; anything else is ignored (R4, Q7). */
static int
read_description(struct reading *r)
{
	const struct abt_json *value =
	    abt_json_get(r->result, "statusDescription");
	struct abt_bytes text;

	if (value == NULL)
		return 0;
	if (value->kind != ABT_JSON_STRING)
		return abt_break(r->report, ABT_RULE_ALB_RESULT_DESCRIPTION,
		    ABT_BYTES("/statusDescription"));
	text = value->text;
	if (text.n > 4 && text.p[3] == ' ' && text.p[4] != ' ' &&
	    abt_bytes_all(abt_bytes(text.p, 3), ABT_CHAR_DIGIT) &&
	    abt_bytes_all(text, ABT_CHAR_FIELD))
		r->response->reason = abt_bytes(text.p + 4, text.n - 4);
	else
		note(r, ABT_RULE_ALB_NOTE_DESCRIPTION,
		    ABT_BYTES("/statusDescription"));
	return 0;
}

/* ---- headers ---- */

static bool
is_hop_by_hop(const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_UPGRADE:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
		return true;
	default:
		return abt_bytes_starts_nocase(
			   field->name, ABT_BYTES("proxy-")) &&
		       (field->id == ABT_FIELD_PROXY_CONNECTION ||
			   abt_bytes_equal_nocase(
			       field->name, ABT_BYTES("proxy-authenticate")) ||
			   abt_bytes_equal_nocase(
			       field->name, ABT_BYTES("proxy-authorization")) ||
			   abt_bytes_equal_nocase(field->name,
			       ABT_BYTES("proxy-authentication-info")));
	}
}

/* Put a valid field where it belongs on the wire (R7, R8, R18 to R20). */
static void
place_field(
    struct reading *r, const struct abt_field *field, struct abt_bytes where)
{
	if (is_hop_by_hop(field)) {
		note(r, ABT_RULE_ALB_NOTE_HOP_BY_HOP, where);
	} else if (field->id == ABT_FIELD_CONTENT_LENGTH) {
		note(r, ABT_RULE_ALB_NOTE_CONTENT_LENGTH, where);
	} else if (field->id == ABT_FIELD_SERVER) {
		note(r, ABT_RULE_ALB_NOTE_SERVER, where);
	} else if (field->id == ABT_FIELD_CONTENT_TYPE) {
		abt_headers_add_id(&r->types, r->call->arena, field->id,
		    field->name, field->value);
	} else if (field->id == ABT_FIELD_DATE) {
		r->date = field->value;
		r->has_date = true;
	} else {
		abt_headers_add_id(&r->response->headers, r->call->arena,
		    field->id, field->name, field->value);
	}
}

static int
read_field(struct reading *r, struct abt_bytes name, struct abt_bytes value,
    struct abt_bytes where)
{
	struct abt_field field = { .name = name, .value = value };

	if (name.n == 0 || !abt_bytes_all(name, ABT_CHAR_TOKEN) ||
	    !abt_bytes_all(value, ABT_CHAR_FIELD)) /* R16 */
		return abt_break(
		    r->report, ABT_RULE_ALB_RESULT_HEADER_BAD, where);
	r->header_bytes += name.n + value.n + 4;
	field.id = abt_field_find(name);
	place_field(r, &field, where);
	return 0;
}

/* The pointer is only made where somebody will read it. */
static struct abt_bytes
where_of(struct reading *r, const char *parent, const struct abt_json *member)
{
	if (r->report->quiet_notes)
		return member->key;
	return pointer_to(r, parent, member->key);
}

/* R14: names that differ in case are all sent, in order. */
static int
read_single(struct reading *r, const struct abt_json *map)
{
	const struct abt_json *member;

	if (map->kind != ABT_JSON_OBJECT)
		return abt_break(r->report, ABT_RULE_ALB_RESULT_HEADERS,
		    ABT_BYTES("/headers"));
	for (member = map->first; member != NULL; member = member->next) {
		int rc;

		if (abt_json_is_shadowed(member))
			continue;
		if (member->kind != ABT_JSON_STRING)
			rc = abt_break(r->report,
			    ABT_RULE_ALB_RESULT_HEADER_VALUE,
			    pointer_to(r, "/headers", member->key));
		else
			rc = read_field(r, member->key, member->text,
			    where_of(r, "/headers", member));
		if (rc != 0)
			return -1;
		if (r->header_bytes > HEADERS_MAX)
			break; /* check_header_size breaks the rule */
	}
	return 0;
}

/* One member of multiValueHeaders: a line per element, last first (R13). */
static int
read_list(struct reading *r, const struct abt_json *member)
{
	const struct abt_json *element;
	const struct abt_json **reversed;
	size_t i, n = 0;

	if (member->kind != ABT_JSON_ARRAY)
		return abt_break(r->report, ABT_RULE_ALB_RESULT_MULTI_VALUE,
		    pointer_to(r, "/multiValueHeaders", member->key));
	if (member->count == 0)
		note(r, ABT_RULE_ALB_NOTE_EMPTY_ARRAY,
		    where_of(r, "/multiValueHeaders", member)); /* R15 */
	reversed = abt_arena_array(
	    r->call->arena, (size_t)member->count + 1, sizeof(*reversed));
	if (reversed == NULL)
		return 0; /* the arena remembers */
	for (element = member->first; element != NULL; element = element->next)
		reversed[n++] = element;
	for (i = n; i > 0; i--) {
		int rc;

		if (reversed[i - 1]->kind != ABT_JSON_STRING)
			rc = abt_break(r->report,
			    ABT_RULE_ALB_RESULT_MULTI_VALUE,
			    pointer_to(r, "/multiValueHeaders", member->key));
		else
			rc = read_field(r, member->key, reversed[i - 1]->text,
			    where_of(r, "/multiValueHeaders", member));
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
read_multi(struct reading *r, const struct abt_json *map)
{
	const struct abt_json *member;

	if (map->kind != ABT_JSON_OBJECT)
		return abt_break(r->report, ABT_RULE_ALB_RESULT_MULTI,
		    ABT_BYTES("/multiValueHeaders"));
	for (member = map->first; member != NULL; member = member->next) {
		if (abt_json_is_shadowed(member))
			continue;
		if (read_list(r, member) != 0)
			return -1;
		if (r->header_bytes > HEADERS_MAX)
			break;
	}
	return 0;
}

static int
read_headers(struct reading *r)
{
	const struct abt_json *single = abt_json_get(r->result, "headers");
	const struct abt_json *multi =
	    abt_json_get(r->result, "multiValueHeaders");
	bool wants_multi = abt_alb(r->call->front)->multi_value;
	const struct abt_json *map = wants_multi ? multi : single;
	const struct abt_json *other = wants_multi ? single : multi;

	/* the map of the other mode is ignored, even when null (R5) */
	if (abt_json_is(other, ABT_JSON_OBJECT) && other->count > 0)
		note(r, ABT_RULE_ALB_NOTE_WRONG_MAP,
		    wants_multi ? ABT_BYTES("/headers")
				: ABT_BYTES("/multiValueHeaders"));
	if (map != NULL &&
	    (wants_multi ? read_multi(r, map) : read_single(r, map)) != 0)
		return -1;
	if (r->header_bytes > HEADERS_MAX && !r->call->front->limits_off)
		return abt_break(r->report, ABT_RULE_ALB_RESULT_HEADERS_LARGE,
		    wants_multi ? ABT_BYTES("/multiValueHeaders")
				: ABT_BYTES("/headers"));
	return 0;
}

/* ---- body ---- */

static int
read_body(struct reading *r)
{
	const struct abt_json *body = abt_json_get(r->result, "body");
	const struct abt_json *flag =
	    abt_json_get(r->result, "isBase64Encoded");
	ptrdiff_t n;
	char *out;

	if (flag != NULL && !abt_json_is_bool(flag) &&
	    abt_break(r->report, ABT_RULE_ALB_RESULT_BASE64_FLAG,
		ABT_BYTES("/isBase64Encoded")) != 0)
		return -1;
	if (body == NULL)
		return 0;
	if (body->kind != ABT_JSON_STRING)
		return abt_break(
		    r->report, ABT_RULE_ALB_RESULT_BODY, ABT_BYTES("/body"));
	r->response->body = body->text;
	if (!abt_json_is(flag, ABT_JSON_TRUE) || body->text.n == 0)
		return 0;
	out = abt_call_room(r->call, body->text);
	if (out == NULL)
		return 0;                       /* the arena remembers */
	n = abt_base64_decode(out, body->text); /* R9 */
	if (n < 0)
		return abt_break(
		    r->report, ABT_RULE_ALB_RESULT_BASE64, ABT_BYTES("/body"));
	r->response->body = abt_bytes(out, (size_t)n);
	return 0;
}

/* ---- the whole ---- */

/* Keys that an ALB does not know, and keys that stand twice. */
static void
note_keys(struct reading *r)
{
	static const char *const known[] = { "statusCode", "statusDescription",
		"headers", "multiValueHeaders", "body", "isBase64Encoded" };
	const struct abt_json *member;
	size_t i;

	for (member = r->result->first; member != NULL; member = member->next) {
		bool found = false;

		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || abt_bytes_equal(member->key,
					     abt_bytes_text(known[i]));
		if (!found)
			abt_note(r->report, ABT_RULE_ALB_NOTE_UNKNOWN_KEY,
			    pointer_to(r, "", member->key));
		else if (abt_json_is_shadowed(member))
			abt_note(r->report, ABT_RULE_ALB_NOTE_DUPLICATE,
			    pointer_to(r, "", member->key));
	}
}

/* Status, headers and body are read: put the response together. */
static void
finish(struct reading *r)
{
	struct abt_response *response = r->response;
	bool bodyless = response->status == 204 || response->status == 304;
	size_t i;

	abt_alb_begin_response(
	    r->call, response, r->has_date ? &r->date : NULL);
	for (i = 0; i < r->types.count; i++)
		abt_headers_add_id(&response->ours, r->call->arena,
		    ABT_FIELD_CONTENT_TYPE, r->types.fields[i].name,
		    r->types.fields[i].value);
	if (r->types.count == 0 && !bodyless) { /* R6, R22 */
		abt_headers_add_id(&response->ours, r->call->arena,
		    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"),
		    ABT_BYTES("application/octet-stream"));
		if (response->body.n > 0)
			note(r, ABT_RULE_ALB_NOTE_CONTENT_TYPE,
			    ABT_BYTES("/headers"));
	}
	abt_alb_insert_headers(r->call, response);
	if (!bodyless)
		return;
	if (response->body.n > 0)
		note(r, ABT_RULE_ALB_NOTE_BODY_DROPPED, ABT_BYTES("/body"));
	response->body = abt_bytes(NULL, 0);
	response->no_content_length = true;
}

static int
check_source(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_report *report)
{
	if (source.n > ABT_ALB_RESULT_MAX && !call->front->limits_off &&
	    abt_break(report, ABT_RULE_ALB_RESULT_LARGE, ABT_BYTES("")) != 0)
		return -1;
	if (result == NULL) {
		abt_break_detail(report, ABT_RULE_ALB_RESULT_JSON,
		    ABT_BYTES(""),
		    abt_bytes_text(error != NULL ? error->text : NULL));
		return -1;
	}
	if (result->kind != ABT_JSON_OBJECT) {
		abt_break(report, ABT_RULE_ALB_RESULT_OBJECT, ABT_BYTES(""));
		return -1;
	}
	return 0;
}

int
abt_alb_read_result(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_response *response, struct abt_report *report)
{
	struct reading r = {
		.call = call,
		.result = result,
		.response = response,
		.report = report,
	};

	memset(response, 0, sizeof(*response));
	if (check_source(call, source, result, error, report) != 0)
		return -1;
	if (read_status(&r) != 0 || read_description(&r) != 0 ||
	    read_headers(&r) != 0 || read_body(&r) != 0)
		return -1;
	if (!report->quiet_notes)
		note_keys(&r);
	finish(&r);
	return report->broken != NULL ? -1 : 0;
}
