/*
 * payload_result.c - HTTP APIs and function URLs read the function's result
 *
 * An object with statusCode is an envelope (apigw.md 2.7, 2.8, 3.2); what else
 * comes is the body itself for format 2.0 and an error for 1.0.
 */
#include "dialect/payload.h"

#define REMAPPED "x-amzn-Remapped-"

/* The result while it is read. */
struct reading {
	const struct abt_payload *payload;
	const struct abt_call *call;
	const struct abt_json *result;
	struct abt_response *response;
	struct abt_report *report;
	struct abt_headers types; /* the function's Content-Type lines */
	struct abt_bytes date;    /* the function's own */
};

static void
note(struct reading *r, enum abt_rule_id rule, struct abt_bytes where)
{
	if (!r->report->quiet_notes)
		abt_note(r->report, rule, where);
}

static struct abt_bytes
where_of(struct reading *r, const char *parent, const struct abt_json *member)
{
	if (r->report->quiet_notes)
		return member->key;
	return abt_json_pointer(
	    r->call->arena, abt_bytes_text(parent), member->key);
}

/* ---- status ---- */

static int
read_status(struct reading *r)
{
	const struct abt_json *status = abt_json_get(r->result, "statusCode");
	uint64_t code = 0;
	bool good = false;

	if (abt_json_is(status, ABT_JSON_NUMBER))
		good = abt_json_uint(status, 599, &code);
	else if (abt_json_is(status, ABT_JSON_STRING)) /* H7.3, U1.6 */
		good = abt_bytes_number(status->text, 10, 599, &code);
	r->response->status = good && code >= 100 ? (int)code : 500;
	if (good && code >= 100) /* H7.1 */
		return 0;
	return abt_break(
	    r->report, ABT_RULE_API_RESULT_STATUS, ABT_BYTES("/statusCode"));
}

/* ---- headers ---- */

/* A function URL keeps these names for itself (3.5). */
static bool
is_remapped(const struct abt_field *field)
{
	return field->id == ABT_FIELD_DATE ||
	       field->id == ABT_FIELD_CONNECTION ||
	       abt_bytes_equal_nocase(
		   field->name, ABT_BYTES("www-authenticate"));
}

/* Made by the service (2.9). */
static bool
is_dropped(const struct abt_field *field)
{
	return field->id == ABT_FIELD_CONTENT_LENGTH ||
	       field->id == ABT_FIELD_CONNECTION ||
	       field->id == ABT_FIELD_TRANSFER_ENCODING ||
	       field->id == ABT_FIELD_KEEP_ALIVE ||
	       field->id == ABT_FIELD_UPGRADE;
}

static struct abt_bytes
remapped_name(struct reading *r, struct abt_bytes name)
{
	char *out =
	    abt_arena_alloc(r->call->arena, sizeof(REMAPPED) - 1 + name.n);

	if (out == NULL)
		return name; /* the arena remembers */
	memcpy(out, REMAPPED, sizeof(REMAPPED) - 1);
	memcpy(out + sizeof(REMAPPED) - 1, name.p, name.n);
	return abt_bytes(out, sizeof(REMAPPED) - 1 + name.n);
}

/* "content-type", "myHeader" -> "Content-Type", "Myheader" (H7.7). */
static struct abt_bytes
title_case(struct reading *r, struct abt_bytes name)
{
	char *out = abt_arena_alloc(r->call->arena, name.n);
	bool first = true;

	if (out == NULL)
		return name; /* the arena remembers */
	abt_bytes_lower(out, name);
	for (size_t i = 0; i < name.n; i++) {
		if (first && out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char)(out[i] - 'a' + 'A');
		first = out[i] == '-';
	}
	return abt_bytes(out, name.n);
}

/* Put a valid field where it belongs on the wire. */
static void
place_field(struct reading *r, struct abt_field *field, struct abt_bytes where)
{
	struct abt_headers *to = &r->response->headers;

	if (r->payload->url && is_remapped(field)) {
		note(r, ABT_RULE_API_NOTE_REMAPPED, where);
		field->name = remapped_name(r, field->name);
		field->id = ABT_FIELD_OTHER;
	} else if (is_dropped(field)) {
		note(r, ABT_RULE_API_NOTE_HOP_BY_HOP, where);
		return;
	} else if (abt_cors_is_on(abt_payload_cors(r->call)) &&
		   abt_cors_owns(field->name)) {
		note(r, ABT_RULE_API_NOTE_CORS, where); /* the front's finish */
	}
	if (r->payload->title_case)
		field->name = title_case(r, field->name);
	if (field->id == ABT_FIELD_DATE) {
		r->date = field->value;
		return;
	}
	if (field->id == ABT_FIELD_CONTENT_TYPE) {
		to = &r->types;
	}
	abt_headers_add_id(
	    to, r->call->arena, field->id, field->name, field->value);
}

/* A string, or the text of a number or boolean (H7.5); null sends nothing. */
static int
read_value(struct reading *r, struct abt_bytes name,
    const struct abt_json *value, struct abt_bytes where)
{
	struct abt_field field = { .name = name, .value = value->text };

	switch (value->kind) {
	case ABT_JSON_NULL:
		note(r, ABT_RULE_API_NOTE_NULL_HEADER, where);
		return 0;
	case ABT_JSON_TRUE:
		field.value = ABT_BYTES("true");
		break;
	case ABT_JSON_FALSE:
		field.value = ABT_BYTES("false");
		break;
	case ABT_JSON_NUMBER:
	case ABT_JSON_STRING:
		break;
	default: /* H7.6 */
		return abt_break(
		    r->report, ABT_RULE_API_RESULT_HEADER_VALUE, where);
	}
	if (name.n == 0 || !abt_bytes_all(name, ABT_CHAR_TOKEN) ||
	    !abt_bytes_all(field.value, ABT_CHAR_FIELD))
		return abt_break(
		    r->report, ABT_RULE_API_RESULT_HEADER_BAD, where);
	field.id = abt_field_find(name);
	place_field(r, &field, where);
	return 0;
}

static int
read_single(struct reading *r)
{
	const struct abt_json *map = abt_json_get(r->result, "headers");
	const struct abt_json *member;

	if (map == NULL || map->kind == ABT_JSON_NULL) /* H7.14 */
		return 0;
	if (map->kind != ABT_JSON_OBJECT)
		return abt_break(r->report, ABT_RULE_API_RESULT_HEADERS,
		    ABT_BYTES("/headers"));
	for (member = map->first; member != NULL; member = member->next)
		if (!abt_json_is_shadowed(member) &&
		    read_value(r, member->key, member,
			where_of(r, "/headers", member)) != 0)
			return -1;
	return 0;
}

/* Behind the single ones (2.8). */
static int
read_multi(struct reading *r)
{
	const struct abt_json *map =
	    abt_json_get(r->result, "multiValueHeaders");
	const struct abt_json *member, *value;

	if (map == NULL || map->kind == ABT_JSON_NULL)
		return 0;
	if (!r->payload->multi_value) { /* H7.8 */
		note(r, ABT_RULE_API_NOTE_MULTI_IGNORED,
		    ABT_BYTES("/multiValueHeaders"));
		return 0;
	}
	if (map->kind != ABT_JSON_OBJECT)
		return abt_break(r->report, ABT_RULE_API_RESULT_MULTI,
		    ABT_BYTES("/multiValueHeaders"));
	for (member = map->first; member != NULL; member = member->next) {
		struct abt_bytes where =
		    where_of(r, "/multiValueHeaders", member);

		if (abt_json_is_shadowed(member) ||
		    member->kind == ABT_JSON_NULL)
			continue;
		if (member->kind != ABT_JSON_ARRAY) {
			if (abt_break(r->report, ABT_RULE_API_RESULT_MULTI,
				where) != 0)
				return -1;
			continue;
		}
		for (value = member->first; value != NULL; value = value->next)
			if (read_value(r, member->key, value, where) != 0)
				return -1;
	}
	return 0;
}

/* One Set-Cookie each, before those of headers (H7.9). */
static int
read_cookies(struct reading *r)
{
	const struct abt_json *list = abt_json_get(r->result, "cookies");
	const struct abt_json *cookie;

	if (list == NULL || list->kind == ABT_JSON_NULL)
		return 0;
	if (list->kind != ABT_JSON_ARRAY)
		return abt_break(r->report, ABT_RULE_API_RESULT_COOKIES,
		    ABT_BYTES("/cookies"));
	for (cookie = list->first; cookie != NULL; cookie = cookie->next) {
		if (cookie->kind == ABT_JSON_STRING &&
		    abt_bytes_all(cookie->text, ABT_CHAR_FIELD))
			abt_headers_add(&r->response->headers, r->call->arena,
			    ABT_BYTES("Set-Cookie"), cookie->text);
		else if (abt_break(r->report, ABT_RULE_API_RESULT_COOKIES,
			     ABT_BYTES("/cookies")) != 0)
			return -1;
	}
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

	if (flag != NULL && flag->kind != ABT_JSON_NULL &&
	    !abt_json_is_bool(flag) &&
	    abt_break(r->report, ABT_RULE_API_RESULT_BASE64_FLAG,
		ABT_BYTES("/isBase64Encoded")) != 0)
		return -1;
	if (body == NULL || body->kind == ABT_JSON_NULL) /* H7.10 */
		return 0;
	if (body->kind != ABT_JSON_STRING) /* H7.11, U1.9 */
		return abt_break(
		    r->report, ABT_RULE_API_RESULT_BODY, ABT_BYTES("/body"));
	r->response->body = body->text;
	if (!abt_json_is(flag, ABT_JSON_TRUE) || body->text.n == 0)
		return 0;
	out = abt_call_room(r->call, body->text);
	if (out == NULL)
		return 0;                       /* the arena remembers */
	n = abt_base64_decode(out, body->text); /* H7.12 */
	if (n < 0)
		return abt_break(
		    r->report, ABT_RULE_API_RESULT_BASE64, ABT_BYTES("/body"));
	r->response->body = abt_bytes(out, (size_t)n);
	return 0;
}

/* ---- the whole ---- */

static void
note_keys(struct reading *r)
{
	static const char *const known[] = { "statusCode", "headers", "body",
		"isBase64Encoded", "multiValueHeaders", "cookies" };
	const struct abt_json *member;

	for (member = r->result->first; member != NULL; member = member->next) {
		bool found = false;

		/* cookies are of 2.0 only, the last of the list */
		for (size_t i = 0; i < (r->payload->multi_value ? 5u : 6u); i++)
			found = found || abt_bytes_equal(member->key,
					     abt_bytes_text(known[i]));
		if (!found)
			abt_note(r->report, ABT_RULE_API_NOTE_UNKNOWN_KEY,
			    where_of(r, "", member));
	}
}

/* Date and Content-Type go first; some statuses have no body. */
static void
finish(struct reading *r, struct abt_bytes default_type, bool inferred)
{
	struct abt_response *response = r->response;
	int status = response->status;

	abt_headers_add_id(&response->ours, r->call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), r->date.n > 0 ? r->date : r->call->facts.date);
	for (size_t i = 0; i < r->types.count; i++)
		abt_headers_add_id(&response->ours, r->call->arena,
		    ABT_FIELD_CONTENT_TYPE, r->types.fields[i].name,
		    r->types.fields[i].value);
	if (r->types.count == 0) {
		abt_headers_add_id(&response->ours, r->call->arena,
		    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"),
		    default_type);
		if (response->body.n > 0 && !inferred)
			note(r, ABT_RULE_API_NOTE_CONTENT_TYPE,
			    ABT_BYTES("/headers"));
	}
	if (status != 204 && status != 304 && status >= 200)
		return;
	response->body = abt_bytes(NULL, 0);
	response->no_content_length = true;
	response->close = status < 200; /* no client reads on after that */
}

static int
read_envelope(struct reading *r)
{
	if (read_status(r) != 0)
		return -1;
	if (!r->payload->multi_value && read_cookies(r) != 0)
		return -1;
	if (read_single(r) != 0 || read_multi(r) != 0 || read_body(r) != 0)
		return -1;
	if (!r->report->quiet_notes)
		note_keys(r);
	finish(r, r->payload->default_type, false);
	return r->report->broken != NULL ? -1 : 0;
}

/* A URL writes JSON anew, without blanks (U1.2). */
static struct abt_bytes
compact(struct reading *r)
{
	struct abt_json_out out;
	struct abt_chunk *chunk;
	struct abt_buf buf;

	abt_buf_init(&buf, r->call->arena->pool, SIZE_MAX / 2);
	abt_json_out_init(&out, &buf);
	abt_json_tree(&out, NULL, r->result);
	if (abt_json_out_failed(&out))
		abt_arena_fail(r->call->arena);
	chunk = abt_buf_take(&buf);
	abt_buf_end(&buf);
	if (chunk == NULL)
		return abt_bytes(NULL, 0);
	abt_arena_adopt(r->call->arena, chunk);
	return abt_bytes(chunk->data, chunk->used);
}

static struct abt_bytes
trimmed(struct abt_bytes json)
{
	while (json.n > 0 && strchr(" \t\r\n", json.p[0]) != NULL &&
	       json.p[0] != '\0') {
		json.p++;
		json.n--;
	}
	while (json.n > 0 && json.p[json.n - 1] != '\0' &&
	       strchr(" \t\r\n", json.p[json.n - 1]) != NULL)
		json.n--;
	return json;
}

/* No statusCode: the result is the body (H6, U1.2 to U1.5). */
static int
infer(struct reading *r, struct abt_bytes source)
{
	const struct abt_json *result = r->result;

	r->response->status = 200;
	if (result == NULL) /* H6.6 */
		r->response->body = source;
	else if (result->kind == ABT_JSON_STRING) /* H6.2 */
		r->response->body = result->text;
	else if (r->payload->url)
		r->response->body = compact(r);
	else
		r->response->body = trimmed(source); /* H6.1, Q5 */
	note(r, ABT_RULE_API_NOTE_INFERRED, ABT_BYTES(""));
	finish(r, ABT_BYTES("application/json"), true);
	return 0;
}

int
abt_payload_read_result(const struct abt_payload *payload,
    const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, struct abt_response *response,
    struct abt_report *report)
{
	struct reading r = {
		.payload = payload,
		.call = call,
		.result = result,
		.response = response,
		.report = report,
	};

	memset(response, 0, sizeof(*response));
	if (abt_json_is(result, ABT_JSON_OBJECT) &&
	    abt_json_get(result, "statusCode") != NULL)
		return read_envelope(&r);
	if (payload->infers)
		return infer(&r, source);
	abt_break(report,
	    result == NULL ? ABT_RULE_API_RESULT_JSON
			   : ABT_RULE_API_RESULT_OBJECT,
	    ABT_BYTES(""));
	return -1;
}
