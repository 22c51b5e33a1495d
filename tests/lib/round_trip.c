/*
 * round_trip.c - there and back: request, event, request; response, result,
 * response
 *
 * Numbers like L3 are those of docs/what-dialects-lose.md.
 */
#include "lib/round_trip.h"

#include "albatross.h"
#include "dialect/alb.h"
#include "dialect/stream.h"
#include "http/percent.h"

enum mode {
	LAST,   /* an ALB without lists: the last line of a name (L2) */
	LISTS,  /* every line */
	JOINED, /* 2.0: the lines of a name joined (L2) */
};

struct trip {
	const struct abt_call *call;
	struct abt_arena *arena;
	enum mode mode;
	bool is_alb, is_rest, is_v2, is_url;
	const char *fault;
};

static bool
is_named(const struct abt_dialect *dialect, const char *name)
{
	return abt_bytes_equal(
	    abt_bytes_text(dialect->name), abt_bytes_text(name));
}

static struct trip
trip_of(const struct abt_call *call)
{
	const struct abt_dialect *dialect = call->front->dialect;
	struct trip t = { .call = call,
		.arena = call->arena,
		.mode = LISTS,
		.is_alb = is_named(dialect, "alb"),
		.is_rest = is_named(dialect, "rest"),
		.is_v2 = is_named(dialect, "http-2.0"),
		.is_url = is_named(dialect, "url") };

	if (t.is_alb && !abt_alb(call->front)->multi_value)
		t.mode = LAST;
	else if (t.is_v2 || t.is_url)
		t.mode = JOINED;
	return t;
}

static void
differs(struct trip *t, const char *what, struct abt_bytes expected,
    struct abt_bytes got)
{
	if (t->fault == NULL)
		t->fault = abt_arena_printf(t->arena,
		    "round trip, %s: expected \"%.*s\", got \"%.*s\"", what,
		    ABT_FMT(expected), ABT_FMT(got))
			       .p;
}

static void
same(struct trip *t, const char *what, struct abt_bytes expected,
    struct abt_bytes got)
{
	if (!abt_bytes_equal(expected, got))
		differs(t, what, expected, got);
}

/* ---- lines of one name ---- */

/* The lines of |name| in one list or two, as |mode| leaves them: joined with
 * |separator|, or, where all are kept, with line feeds. */
static struct abt_bytes
lines(struct trip *t, const struct abt_headers *a, const struct abt_headers *b,
    struct abt_bytes name, enum mode mode, const char *separator)
{
	const struct abt_headers *both[] = { a, b };
	struct abt_buf buf;
	struct abt_bytes all;
	bool any = false;

	abt_buf_init(&buf, NULL, SIZE_MAX / 2);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; both[k] != NULL && i < both[k]->count; i++) {
			const struct abt_field *field = &both[k]->fields[i];

			if (!abt_bytes_equal_nocase(field->name, name))
				continue;
			if (mode == LAST)
				buf.n = 0;
			else if (any)
				abt_buf_text(
				    &buf, mode == LISTS ? "\n" : separator);
			abt_buf_add(&buf, field->value);
			any = true;
		}
	all = abt_arena_copy(t->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return all;
}

static bool
has(const struct abt_headers *headers, struct abt_bytes name)
{
	return abt_headers_named(headers, name) != NULL;
}

/* ---- the request ---- */

/* Made by the front in every event: the facts have them (L1). */
static bool
is_fronts(struct abt_bytes name)
{
	switch (abt_field_find(name)) {
	case ABT_FIELD_CONTENT_LENGTH:
	case ABT_FIELD_HOST:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_X_AMZN_TRACE_ID:
	case ABT_FIELD_X_FORWARDED_FOR:
	case ABT_FIELD_X_FORWARDED_PORT:
	case ABT_FIELD_X_FORWARDED_PROTO:
		return true;
	default:
		return abt_bytes_starts_nocase(name, ABT_BYTES("x-amzn-tls-"));
	}
}

static bool
is_one_of(struct abt_bytes name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (abt_bytes_equal_nocase(name, abt_bytes_text(*names)))
			return true;
	return false;
}

/* L3 */
static bool
is_dropped(const struct trip *t, const struct abt_field *field)
{
	static const char *const rest[] = { "connection", "content-md5",
		"expect", "max-forwards", "proxy-authenticate", "server", "te",
		"trailer", "upgrade", "www-authenticate", NULL };
	static const char *const http[] = { "connection", "expect",
		"keep-alive", "te", "trailer", "upgrade", NULL };

	if (t->is_alb)
		return field->id == ABT_FIELD_EXPECT ||
		       abt_alb(t->call->front)->drop_invalid ||
		       abt_alb(t->call->front)->tls_headers;
	if (t->is_rest)
		return is_one_of(field->name, rest) ||
		       (abt_bytes_equal_nocase(
			    field->name, ABT_BYTES("authorization")) &&
			   abt_bytes_starts_nocase(
			       field->value, ABT_BYTES("AWS4-")));
	return is_one_of(field->name, http) ||
	       abt_bytes_starts_nocase(field->name, ABT_BYTES("proxy-"));
}

/* "a=1; b=2" whatever the blanks and lines were (L4). */
static struct abt_bytes
cookies(struct trip *t, struct abt_bytes all)
{
	struct abt_buf buf;
	struct abt_bytes piece;

	abt_buf_init(&buf, NULL, SIZE_MAX / 2);
	while (abt_bytes_next(&all, ';', &piece)) {
		piece = abt_bytes_trim(piece);
		if (piece.n > 0 && buf.n > 0)
			abt_buf_text(&buf, "; ");
		abt_buf_add(&buf, piece);
	}
	piece = abt_arena_copy(t->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return piece;
}

static void
check_field(struct trip *t, const struct abt_field *field,
    const struct abt_headers *sent, const struct abt_headers *back)
{
	struct abt_bytes name = field->name;
	bool cookie = t->mode == JOINED && field->id == ABT_FIELD_COOKIE;
	struct abt_bytes expected =
	    lines(t, sent, NULL, name, t->mode, cookie ? ";" : ",");
	struct abt_bytes got = lines(t, back, NULL, name, LISTS, ",");

	if (!abt_utf8_valid(expected)) /* L8 */
		return;
	if (cookie) {
		expected = cookies(t, expected);
		got = cookies(t, got);
	}
	same(t, abt_arena_text(t->arena, name), abt_bytes_trim(expected),
	    abt_bytes_trim(got));
}

static void
check_headers(struct trip *t, const struct abt_headers *sent,
    const struct abt_headers *back)
{
	size_t i;

	for (i = 0; i < sent->count; i++)
		if (!is_fronts(sent->fields[i].name) &&
		    !is_dropped(t, &sent->fields[i]))
			check_field(t, &sent->fields[i], sent, back);
	for (i = 0; i < back->count; i++)
		if (!is_fronts(back->fields[i].name) &&
		    abt_utf8_valid(back->fields[i].name) &&
		    !has(sent, back->fields[i].name))
			differs(t, "a header that nobody sent", ABT_BYTES(""),
			    back->fields[i].name);
}

/* Slashes at the very start are one for a REST API (L5). */
static struct abt_bytes
one_slash(const struct trip *t, struct abt_bytes path)
{
	while (t->is_rest && path.n > 1 && path.p[1] == '/') {
		path.p++;
		path.n--;
	}
	return path;
}

static void
check_target(struct trip *t, const struct abt_request *sent,
    const struct abt_request *back)
{
	if (t->is_v2) /* L5 */
		same(t, "decoded path",
		    abt_percent_decode(sent->path, false, t->arena),
		    abt_percent_decode(back->path, false, t->arena));
	else
		same(t, "path", one_slash(t, sent->path), back->path);
	if (t->mode == JOINED) /* L6: the others' are compared as events */
		same(t, "query", sent->query, back->query);
}

static void
check_body(struct trip *t, const struct abt_request *sent,
    const struct abt_request *back)
{
	if (abt_utf8_valid(sent->body) || !t->is_rest) /* L8 */
		same(t, "body", sent->body, back->body);
}

/* The name is the event's, whatever the front made of the client's (L1). */
static void
check_host(struct trip *t, const struct abt_json *event,
    const struct abt_origin *origin)
{
	const struct abt_json *map = abt_json_get(event, "headers"), *host;

	if (map == NULL)
		map = abt_json_get(event, "multiValueHeaders");
	host = abt_json_get(map, "host");
	if (host == NULL)
		host = abt_json_get(map, "Host");
	if (abt_json_is(host, ABT_JSON_ARRAY))
		host = host->last;
	if (host != NULL)
		same(t, "host", host->text, origin->host);
}

static void
check_facts(struct trip *t, const struct abt_origin *origin)
{
	const struct abt_facts *sent = &t->call->facts, *back = &origin->facts;
	int64_t unit = t->is_alb ? 1000000 : 1000; /* L7 */

	if (sent->tls != back->tls ||
	    sent->listener_port != back->listener_port)
		differs(t, "scheme or port", ABT_BYTES(""), ABT_BYTES(""));
	if (t->is_alb && abt_alb(t->call->front)->xff_mode != ABT_XFF_APPEND)
		return;
	same(t, "peer", sent->peer_ip, back->peer_ip);
	/* a client that sends an ALB a Root tells its own time */
	if (t->is_alb && abt_headers_last(&t->call->request->headers,
			     ABT_FIELD_X_AMZN_TRACE_ID) != NULL)
		return;
	if (sent->epoch_us / unit != back->epoch_us / unit)
		differs(t, "time", ABT_BYTES(""), ABT_BYTES(""));
}

/* ---- the event of what came back ---- */

/* Lines that check_field has compared, and that the second event gets as the
 * client sent them: the front's own (L1), and in 2.0 those that came joined. */
static bool
is_taken_from_sent(
    const struct trip *t, const struct abt_request *sent, struct abt_bytes name)
{
	size_t count = 0;

	for (size_t i = 0; i < sent->headers.count; i++)
		count +=
		    abt_bytes_equal_nocase(sent->headers.fields[i].name, name);
	if (abt_bytes_equal_nocase(name, ABT_BYTES("host")))
		return t->is_alb || (count == 0 && sent->authority.n == 0);
	if (t->mode == JOINED) /* L2, L4 */
		return is_fronts(name) || count > 1 ||
		       abt_bytes_equal_nocase(name, ABT_BYTES("cookie"));
	return is_fronts(name);
}

/* |back| as the client would send it. */
static struct abt_request
as_sent(struct trip *t, const struct abt_request *sent,
    const struct abt_request *back)
{
	struct abt_request again = *back;
	const struct abt_headers *from[] = { &back->headers, &sent->headers };

	memset(&again.headers, 0, sizeof(again.headers));
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < from[k]->count; i++) {
			const struct abt_field *field = &from[k]->fields[i];

			if (is_taken_from_sent(t, sent, field->name) ==
			    (k == 1))
				abt_headers_add_id(&again.headers, t->arena,
				    field->id, field->name, field->value);
		}
	again.head_size = sent->head_size;
	again.line_size = sent->line_size;
	again.version = sent->version;
	again.authority = sent->authority;
	return again;
}

static void
check_again(struct trip *t, const struct abt_json *event,
    const struct abt_request *back)
{
	struct abt_call call = *t->call;
	struct abt_request again = as_sent(t, call.request, back);
	struct abt_json_out out;
	struct abt_report report;
	const struct abt_json *tree;
	struct abt_json_diff *diff;
	struct abt_buf buf;
	struct abt_bytes text;

	call.request = &again;
	abt_report_init(&report, t->arena);
	abt_buf_init(&buf, NULL, SIZE_MAX / 2);
	abt_json_out_init(&out, &buf);
	if (call.front->dialect->write_event(&call, &out, &report) != 0)
		differs(t, "no second event", ABT_BYTES(""),
		    abt_bytes_text(report.broken->name));
	text = abt_arena_copy(t->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	tree = abt_json_scan(text, ABT_JSON_DEPTH, t->arena, NULL);
	if (tree == NULL || t->fault != NULL)
		return;
	diff =
	    abt_json_compare(event, tree, ABT_JSON_NUMBERS_AS_TEXT, t->arena);
	if (diff != NULL)
		differs(t, abt_arena_text(t->arena, diff->pointer),
		    diff->expected != NULL ? diff->expected->text
					   : ABT_BYTES(""),
		    diff->got != NULL ? diff->got->text : ABT_BYTES(""));
}

/* Can every byte of it stand in a request again (L9)? */
static bool
is_sound(const struct abt_request *sent)
{
	const struct abt_bytes target[] = { sent->path, sent->query };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < target[k].n; i++)
			if ((unsigned char)target[k].p[i] <= ' ' ||
			    target[k].p[i] == 0x7f)
				return false;
	for (size_t i = 0; i < sent->headers.count; i++) {
		const struct abt_field *field = &sent->headers.fields[i];

		if (!abt_bytes_all(field->name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(field->value, ABT_CHAR_FIELD) ||
		    abt_bytes_trim(field->value).n != field->value.n)
			return false;
	}
	return abt_bytes_all(sent->method, ABT_CHAR_TOKEN) &&
	       abt_bytes_all(sent->authority, ABT_CHAR_FIELD) &&
	       abt_bytes_trim(sent->authority).n == sent->authority.n &&
	       abt_utf8_valid(sent->path) && abt_utf8_valid(sent->query);
}

const char *
abt_round_trip_event(const struct abt_call *call, struct abt_bytes event,
    struct abt_origin *origin)
{
	struct trip t = trip_of(call);
	const struct abt_json *tree =
	    abt_json_scan(event, ABT_JSON_DEPTH, t.arena, NULL);
	struct abt_request back;
	struct abt_report report;

	memset(origin, 0, sizeof(*origin));
	abt_report_init(&report, t.arena);
	if (tree == NULL)
		return "round trip: the event is no JSON";
	if (abt_dialect_of_event(tree) != call->front->dialect)
		return "round trip: the event is not known again";
	if (abt_request_from_event(tree, t.arena, origin, &back, &report) !=
	    0) {
		if (is_sound(call->request))
			differs(&t, "the event is refused", ABT_BYTES(""),
			    abt_bytes_text(report.broken->name));
		memset(origin, 0, sizeof(*origin));
		return t.fault;
	}
	check_body(&t, call->request, &back);
	check_facts(&t, origin);
	if (!is_sound(call->request))
		return t.fault;
	same(&t, "method", call->request->method, back.method);
	check_host(&t, tree, origin);
	check_target(&t, call->request, &back);
	check_headers(&t, &call->request->headers, &back.headers);
	check_again(&t, tree, &back);
	return t.fault;
}

/* ---- the response ---- */

/* What a front makes by itself, and what belongs to the connection (R1). */
static bool
is_fronts_answer(struct abt_bytes name)
{
	static const char *const names[] = { "apigw-requestid", "connection",
		"content-length", "date", "keep-alive", "server", "te",
		"trailer", "transfer-encoding", "upgrade", "x-amz-apigw-id",
		"x-amzn-requestid", "x-amzn-trace-id", "proxy-connection",
		NULL };

	return is_one_of(name, names);
}

/* |response| as a program gives it. */
static struct abt_response
as_given(struct trip *t, const struct abt_response *response)
{
	struct abt_response given = { .status = response->status,
		.reason = response->reason,
		.body = response->body };
	const struct abt_headers *from[] = { &response->ours,
		&response->headers };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < from[k]->count; i++)
			if (!is_fronts_answer(from[k]->fields[i].name))
				abt_headers_add(&given.headers, t->arena,
				    from[k]->fields[i].name,
				    from[k]->fields[i].value);
	return given;
}

static bool
is_set_cookie(struct abt_bytes name)
{
	return abt_bytes_equal_nocase(name, ABT_BYTES("set-cookie"));
}

static void
check_answer_headers(struct trip *t, const struct abt_headers *given,
    const struct abt_response *back)
{
	const struct abt_headers *from[] = { &back->ours, &back->headers };

	for (size_t i = 0; i < given->count; i++) {
		struct abt_bytes name = given->fields[i].name;
		enum mode mode = t->mode == LISTS || is_set_cookie(name)
				     ? LISTS
				     : JOINED; /* R2 */

		struct abt_bytes expected =
		    lines(t, given, NULL, name, mode, ", ");
		struct abt_bytes got =
		    lines(t, &back->ours, &back->headers, name, LISTS, "");

		/* R1: CORS of the front's own */
		if (given->fields[i].id == ABT_FIELD_OTHER &&
		    abt_bytes_equal_nocase(name, ABT_BYTES("vary")) &&
		    abt_bytes_ends(got, ABT_BYTES("\norigin")))
			got.n -= strlen("\norigin");
		same(t, abt_arena_text(t->arena, name), expected, got);
	}
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < from[k]->count; i++)
			if (!is_fronts_answer(from[k]->fields[i].name) &&
			    /* R3: the front's default */
			    from[k]->fields[i].id != ABT_FIELD_CONTENT_TYPE &&
			    !has(given, from[k]->fields[i].name))
				differs(t, "a header that nobody gave",
				    ABT_BYTES(""), from[k]->fields[i].name);
}

static void
check_answer_body(struct trip *t, struct abt_bytes given, struct abt_bytes back)
{
	size_t n = abt_base64_length(given.n);
	char *code;

	if (!abt_utf8_valid(given) && t->is_rest && back.n == n) { /* R4 */
		code = abt_arena_alloc(t->arena, n + 1);
		if (code == NULL)
			return;
		abt_base64_encode(code, given);
		if (abt_bytes_equal(abt_bytes(code, n), back))
			return;
	}
	same(t, "body", given, back);
}

static struct abt_bytes
result_of(struct trip *t, const struct abt_origin *origin,
    const struct abt_response *given, bool prelude)
{
	struct abt_bytes result = { NULL, 0 };
	struct abt_json_out out;
	struct abt_report report;
	struct abt_buf buf;

	abt_report_init(&report, t->arena);
	abt_buf_init(&buf, NULL, SIZE_MAX / 2);
	abt_json_out_init(&out, &buf);
	if (origin->dialect->write_result(
		origin, given, prelude, &out, &report) != 0 ||
	    abt_json_out_failed(&out))
		differs(t, "no result", ABT_BYTES(""), ABT_BYTES(""));
	else
		result = abt_arena_copy(t->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return result;
}

/* The same head as the prelude of a stream. */
static void
check_prelude(struct trip *t, const struct abt_origin *origin,
    const struct abt_response *given)
{
	struct abt_bytes text = result_of(t, origin, given, true);
	struct abt_bytes nuls = { "\0\0\0\0\0\0\0\0", 8 };
	struct abt_response back = { 0 };
	struct abt_report report;
	struct abt_stream stream;

	abt_report_init(&report, t->arena);
	abt_stream_init(&stream, ABT_BYTES(ABT_STREAM_TYPE), NULL);
	abt_stream_feed(&stream, &text);
	abt_stream_feed(&stream, &nuls);
	if (abt_stream_head(t->call, &stream, &back, &report) != 0)
		differs(t, "the prelude is refused", ABT_BYTES(""),
		    abt_bytes_text(report.broken->name));
	else if (back.status != given->status)
		differs(
		    t, "status of the prelude", ABT_BYTES(""), ABT_BYTES(""));
	else
		check_answer_headers(t, &given->headers, &back);
	abt_stream_end(&stream);
}

const char *
abt_round_trip_result(const struct abt_call *call,
    const struct abt_origin *origin, const struct abt_response *response)
{
	struct trip t = trip_of(call);
	struct abt_response given = as_given(&t, response), back = { 0 };
	struct abt_bytes result = result_of(&t, origin, &given, false);
	struct abt_report report;

	if (t.fault != NULL || !abt_result_fits(call->front, result.n))
		return t.fault; /* R5 */
	abt_report_init(&report, t.arena);
	if (abt_response_from_result(call, result, false, &back, &report) !=
	    0) {
		differs(&t, "the result is refused", result,
		    abt_bytes_text(report.broken->name));
		return t.fault;
	}
	if (back.status != given.status)
		differs(&t, "status", ABT_BYTES(""), ABT_BYTES(""));
	if (t.is_alb)
		same(&t, "reason",
		    given.reason.p != NULL
			? given.reason
			: abt_bytes_text(abt_status_phrase(given.status)),
		    back.reason.p != NULL
			? back.reason
			: abt_bytes_text(abt_status_phrase(back.status)));
	check_answer_headers(&t, &given.headers, &back);
	check_answer_body(&t, given.body, back.body);
	if (t.is_url || t.is_rest)
		check_prelude(&t, origin, &given);
	return t.fault;
}
