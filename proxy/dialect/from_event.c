/*
 * from_event.c - a request out of an event: what all dialects share
 *
 * Events come from AWS, but also from anyone who may invoke the function, and
 * the request goes to a program that trusts its server.  So nothing gets
 * through that could not have come over a connection: names are tokens, values
 * and targets have no control bytes, the length is that of the body.
 */
#include "dialect/from_event.h"

struct abt_event_reader
abt_event_reader(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report)
{
	request->version = 11;
	request->keep_alive = true;
	return (struct abt_event_reader){ .event = event,
		.arena = origin->arena,
		.origin = origin,
		.request = request,
		.report = report };
}

struct abt_bytes
abt_event_text(const struct abt_json *object, const char *name)
{
	const struct abt_json *value = abt_json_is(object, ABT_JSON_OBJECT)
					   ? abt_json_get(object, name)
					   : NULL;

	return abt_json_is(value, ABT_JSON_STRING) ? value->text
						   : abt_bytes(NULL, 0);
}

const struct abt_json *
abt_event_map(const struct abt_json *event, const char *lists,
    const char *single, bool *is_lists)
{
	const struct abt_json *many = abt_json_get(event, lists);
	const struct abt_json *one = abt_json_get(event, single);

	*is_lists = abt_json_is(many, ABT_JSON_OBJECT) &&
		    (many->count > 0 || !abt_json_is(one, ABT_JSON_OBJECT));
	return *is_lists ? many : one;
}

int
abt_event_bad(struct abt_event_reader *r, const char *name)
{
	return abt_break(r->report, ABT_RULE_EVENT_SHAPE,
	    abt_json_pointer(r->arena, ABT_BYTES(""), abt_bytes_text(name)));
}

int
abt_event_method(
    struct abt_event_reader *r, const struct abt_json *object, const char *name)
{
	struct abt_bytes method = abt_event_text(object, name);

	if (method.n == 0 || !abt_bytes_all(method, ABT_CHAR_TOKEN))
		return abt_break(r->report, ABT_RULE_EVENT_METHOD,
		    abt_json_pointer(
			r->arena, ABT_BYTES(""), abt_bytes_text(name)));
	r->request->method = method;
	return 0;
}

/* ---- headers ---- */

int
abt_event_field(
    struct abt_event_reader *r, struct abt_bytes name, struct abt_bytes value)
{
	enum abt_field_id id = abt_field_find(name);

	value = abt_bytes_trim(value);
	if (name.n == 0 || !abt_bytes_all(name, ABT_CHAR_TOKEN) ||
	    !abt_bytes_all(value, ABT_CHAR_FIELD))
		return abt_break(r->report, ABT_RULE_EVENT_HEADER, name);
	if (id == ABT_FIELD_CONTENT_LENGTH)
		r->has_length = true; /* ours is added */
	else if (id != ABT_FIELD_TRANSFER_ENCODING)
		abt_headers_add_id(
		    &r->request->headers, r->arena, id, name, value);
	return 0;
}

/* The strings of |value|, which is one or a list of them, one after another:
 * NULL behind the last.  |*bad| when it is anything else. */
static const struct abt_json *
next_string(const struct abt_json *value, const struct abt_json *last,
    bool lists, bool *bad)
{
	const struct abt_json *next = value;

	if (lists && value->kind == ABT_JSON_ARRAY)
		next = last == NULL ? value->first : last->next;
	else if (lists || last != NULL)
		next = NULL;
	*bad = *bad || (lists && value->kind != ABT_JSON_ARRAY) ||
	       (next != NULL && next->kind != ABT_JSON_STRING);
	return *bad ? NULL : next;
}

static bool
is_nothing(const struct abt_json *map)
{
	return map == NULL || map->kind == ABT_JSON_NULL;
}

int
abt_event_headers(
    struct abt_event_reader *r, const struct abt_json *map, bool lists)
{
	const char *what = lists ? "multiValueHeaders" : "headers";
	const struct abt_json *member, *value = NULL;
	bool bad = false;

	if (is_nothing(map))
		return 0;
	if (map->kind != ABT_JSON_OBJECT)
		return abt_event_bad(r, what);
	for (member = map->first; member != NULL; member = member->next) {
		if (abt_json_is_shadowed(member))
			continue;
		while (
		    (value = next_string(member, value, lists, &bad)) != NULL)
			if (abt_event_field(r, member->key, value->text) != 0)
				return -1;
		if (bad)
			return abt_event_bad(r, what);
	}
	return 0;
}

/* ---- target ---- */

/* What a text must not hold where it stands in a target. */
enum {
	IN_PATH = 0x1,    /* "?" begins the query */
	IN_QUERY = 0x2,   /* "&" and "+" mean something */
	IN_NAME = 0x4,    /* so does "=" */
	IS_DECODED = 0x8, /* "%" is only a percent sign */
};

static bool
stands(unsigned char c, int where)
{
	if (c <= ' ' || c == 0x7f)
		return false;
	switch (c) {
	case '?':
		return (where & IN_PATH) == 0;
	case '&':
		return (where & IN_QUERY) == 0;
	case '=':
		return (where & IN_NAME) == 0;
	case '+':
		return (where & IN_QUERY) == 0 || (where & IS_DECODED) == 0;
	case '%':
	case '#':
	case '"':
	case '<':
	case '>':
	case '\\':
	case '^':
	case '`':
	case '{':
	case '|':
	case '}':
		return (where & IS_DECODED) == 0;
	default:
		return c < 0x80 || (where & IS_DECODED) == 0;
	}
}

static void
put_escaped(struct abt_buf *buf, struct abt_bytes text, int where)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		const char escape[3] = { '%', hex[c >> 4], hex[c & 15] };

		if (stands(c, where))
			abt_buf_char(buf, (char)c);
		else
			abt_buf_add(buf, abt_bytes(escape, sizeof(escape)));
	}
}

/* What |buf| holds, in the arena; |buf| is ended. */
static struct abt_bytes
keep(struct abt_event_reader *r, struct abt_buf *buf)
{
	struct abt_bytes kept = abt_bytes(NULL, 0);

	if (buf->failed)
		abt_arena_fail(r->arena);
	else
		kept = abt_arena_copy(r->arena, abt_buf_bytes(buf));
	abt_buf_end(buf);
	return kept;
}

/* |text| as it can stand in a target. */
static struct abt_bytes
escaped(struct abt_event_reader *r, struct abt_bytes text, int where)
{
	struct abt_buf buf;
	size_t i;

	for (i = 0; i < text.n; i++)
		if (!stands((unsigned char)text.p[i], where))
			break;
	if (i == text.n)
		return text;
	abt_buf_init(&buf, r->arena->pool, SIZE_MAX / 2);
	put_escaped(&buf, text, where);
	return keep(r, &buf);
}

static void
put_pair(struct abt_buf *buf, struct abt_bytes name, struct abt_bytes value,
    int decoded)
{
	if (buf->n > 0)
		abt_buf_char(buf, '&');
	put_escaped(buf, name, IN_QUERY | IN_NAME | decoded);
	abt_buf_char(buf, '=');
	put_escaped(buf, value, IN_QUERY | decoded);
}

int
abt_event_query(struct abt_event_reader *r, const struct abt_json *map,
    bool lists, bool decoded, struct abt_bytes *query)
{
	const char *what =
	    lists ? "multiValueQueryStringParameters" : "queryStringParameters";
	const struct abt_json *member, *value = NULL;
	struct abt_buf buf;
	bool bad = false;

	*query = abt_bytes(NULL, 0);
	if (is_nothing(map))
		return 0;
	if (map->kind != ABT_JSON_OBJECT)
		return abt_event_bad(r, what);
	abt_buf_init(&buf, r->arena->pool, SIZE_MAX / 2);
	for (member = map->first; member != NULL && !bad;
	     member = member->next) {
		if (abt_json_is_shadowed(member))
			continue;
		while (
		    (value = next_string(member, value, lists, &bad)) != NULL)
			put_pair(&buf, member->key, value->text,
			    decoded ? IS_DECODED : 0);
	}
	*query = keep(r, &buf);
	if (query->n == 0) /* rather none than an empty one */
		*query = abt_bytes(NULL, 0);
	return bad ? abt_event_bad(r, what) : 0;
}

int
abt_event_target(struct abt_event_reader *r, struct abt_bytes path,
    struct abt_bytes query, bool decoded)
{
	struct abt_request *req = r->request;

	if (path.n == 0 || path.p[0] != '/')
		return abt_break(r->report, ABT_RULE_EVENT_PATH, path);
	req->path = escaped(r, path, IN_PATH | (decoded ? IS_DECODED : 0));
	req->query = escaped(r, query, 0);
	req->target = req->path;
	if (req->query.p != NULL)
		req->target = abt_arena_printf(r->arena, "%.*s?%.*s",
		    ABT_FMT(req->path), ABT_FMT(req->query));
	return 0;
}

/* ---- body ---- */

int
abt_event_body(struct abt_event_reader *r)
{
	const struct abt_json *body = abt_json_get(r->event, "body");
	const struct abt_json *flag = abt_json_get(r->event, "isBase64Encoded");
	ptrdiff_t n;
	char *out;

	if (!is_nothing(flag) && !abt_json_is_bool(flag))
		return abt_event_bad(r, "isBase64Encoded");
	if (is_nothing(body))
		return 0;
	if (body->kind != ABT_JSON_STRING)
		return abt_event_bad(r, "body");
	r->request->body = body->text;
	if (!abt_json_is(flag, ABT_JSON_TRUE) || body->text.n == 0)
		return 0;
	out = abt_arena_alloc(r->arena, body->text.n / 4 * 3 + 3);
	if (out == NULL)
		return 0; /* the arena remembers */
	n = abt_base64_decode(out, body->text);
	if (n < 0)
		return abt_break(
		    r->report, ABT_RULE_EVENT_BASE64, ABT_BYTES("/body"));
	r->request->body = abt_bytes(out, (size_t)n);
	return 0;
}

/* ---- context ---- */

void
abt_event_context(struct abt_event_reader *r, const struct abt_json *context,
    struct abt_bytes peer, const struct abt_json *epoch)
{
	struct abt_facts *facts = &r->origin->facts;
	struct abt_bytes id = abt_event_text(context, "requestId");
	uint64_t ms;

	facts->peer_ip = peer;
	if (abt_json_is(epoch, ABT_JSON_NUMBER) &&
	    abt_json_uint(epoch, INT64_MAX / 1000, &ms))
		facts->epoch_us = (int64_t)ms * 1000;
	if (id.n > 0 && id.n < sizeof(facts->request_id))
		memcpy(facts->request_id, id.p, id.n); /* the rest is zero */
	r->origin->stage = abt_event_text(context, "stage");
}

void
abt_event_stage_prefix(struct abt_event_reader *r)
{
	struct abt_bytes stage = r->origin->stage, path = r->request->path;
	size_t n = stage.n + 1;

	if (stage.n == 0 || abt_bytes_equal(stage, ABT_BYTES("$default")))
		return;
	if (path.n >= n &&
	    abt_bytes_equal(abt_bytes(path.p + 1, stage.n), stage) &&
	    (path.n == n || path.p[n] == '/'))
		r->origin->prefix = abt_bytes(path.p, n);
}

/* ---- what is known at the end ---- */

static void
add_length(struct abt_event_reader *r)
{
	struct abt_request *req = r->request;
	char *digits;

	if (req->body.n == 0 && !r->has_length)
		return;
	req->framing = ABT_BODY_LENGTH;
	req->length = req->body.n;
	digits = abt_arena_alloc(r->arena, 20);
	if (digits != NULL)
		abt_headers_add_id(&req->headers, r->arena,
		    ABT_FIELD_CONTENT_LENGTH, ABT_BYTES("content-length"),
		    abt_bytes(digits, abt_format_number(digits, req->body.n)));
}

static struct abt_bytes
last_value(struct abt_event_reader *r, enum abt_field_id id)
{
	const struct abt_field *field =
	    abt_headers_last(&r->request->headers, id);

	return field != NULL ? field->value : abt_bytes(NULL, 0);
}

int
abt_event_end(struct abt_event_reader *r)
{
	struct abt_facts *facts = &r->origin->facts;
	struct abt_bytes proto = last_value(r, ABT_FIELD_X_FORWARDED_PROTO);
	uint64_t port;

	r->origin->host = last_value(r, ABT_FIELD_HOST);
	facts->tls = abt_bytes_equal_nocase(proto, ABT_BYTES("https"));
	facts->listener_port = facts->tls ? 443 : 80;
	if (abt_bytes_number(
		last_value(r, ABT_FIELD_X_FORWARDED_PORT), 10, 65535, &port))
		facts->listener_port = (unsigned)port;
	add_length(r);
	return r->report->broken != NULL ? -1 : 0;
}
