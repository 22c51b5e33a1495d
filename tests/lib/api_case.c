/*
 * api_case.c - one case of apigw.md 12 through the pure translation
 *
 * A case becomes a front, facts and bytes (api_world.c); from these the library
 * makes an event or a response; then the expectations are held against it.
 * What a function that is slow or refused makes of it is written as the gateway
 * would.
 */
#include "lib/api_case.h"

#include "albatross.h"
#include "dialect/stream.h"
#include "lib/api_world.h"
#include "lib/round_trip.h"
#include "lib/wire.h"

static const char *const case_keys[] = { "id", "api", "rule", "route",
	"request", "peer", "expect_event", "expect_status", "expect_body",
	"expect_headers", "absent_headers", "expect_authorizer_event",
	"expect_authorizer_calls", "response", "function_error", "invoke_mode",
	"stream_content_type", "expect", "config", NULL };
static const char *const expect_keys[] = { "status", "headers", "absent",
	"exact_case", "ordered", "body", "body_base64", NULL };
static const char *const config_keys[] = { "stage", "stageVariables", "routes",
	"binaryMediaTypes", "minimumCompressionSize", "timeoutInMillis",
	"functionDelayMs", "functionThrottled", "requestParameters",
	"validateRequestParameters", "validateRequestBody", "models", "mock",
	"cors", NULL };

/* What one run gave. */
struct outcome {
	struct abt_arena arena;
	struct abt_call call;
	struct abt_report report;
	struct abt_response response;
	struct abt_bytes event;
	int asked; /* what abt_event_from_request returned */
};

bool
abt_api_case_is_area(struct abt_bytes area)
{
	const struct abt_dialect *dialect = abt_dialect_find(area);

	return abt_bytes_equal(area, ABT_BYTES("http1")) ||
	       abt_bytes_equal(area, ABT_BYTES("http2")) ||
	       (dialect != NULL && dialect->routing != ABT_LISTENER_RULES);
}

/* As the gateway answers when the call came to nothing. */
static void
fail(struct outcome *o, const struct abt_rule *rule)
{
	const struct abt_dialect *dialect = o->call.front->dialect;

	memset(&o->response, 0, sizeof(o->response));
	if (abt_arena_failed(&o->arena))
		rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
	dialect->write_failure(&o->call, rule, &o->response);
	if (dialect->finish != NULL)
		dialect->finish(&o->call, &o->response);
	o->asked = 1;
}

/* The stream in small pieces; what follows its head is the body. */
static void
stream(struct outcome *o, const struct abt_api_world *w)
{
	const struct abt_dialect *dialect = o->call.front->dialect;
	struct abt_bytes rest = w->result, piece;
	struct abt_stream stream;

	abt_stream_init(&stream, w->stream_type, NULL);
	do {
		piece = abt_bytes(rest.p, rest.n < 3 ? rest.n : 3);
		rest.p += piece.n;
		rest.n -= piece.n;
	} while (!abt_stream_feed(&stream, &piece) && rest.n > 0);
	if (abt_stream_head(&o->call, &stream, &o->response, &o->report) != 0 ||
	    abt_arena_failed(&o->arena) || stream.prelude.failed) {
		fail(o, o->report.broken != NULL
			    ? o->report.broken
			    : &abt_rules[ABT_RULE_NET_NO_MEMORY]);
		o->asked = 0;
	} else {
		o->response.body = abt_bytes(piece.p, piece.n + rest.n);
		if (dialect->finish != NULL)
			dialect->finish(&o->call, &o->response);
	}
	abt_stream_end(&stream);
}

/* The translation itself: everything the sweep makes fail is in here. */
static void
outcome_make(struct outcome *o, const struct abt_api_world *w)
{
	memset(o, 0, sizeof(*o));
	abt_arena_init(&o->arena, NULL);
	abt_report_init(&o->report, &o->arena);
	o->call.front = &w->front;
	o->call.facts = w->facts;
	o->call.arena = &o->arena;
	o->asked = abt_event_from_request(
	    &o->call, w->request, &o->event, &o->response, &o->report);
	if (o->asked != 0)
		return;
	if (w->failure != NULL)
		fail(o, w->failure);
	else if (w->streams)
		stream(o, w);
	else if (w->has_result)
		(void)abt_response_from_result(
		    &o->call, w->result, w->flagged, &o->response, &o->report);
}

/* ---- events ---- */

static bool
is_absent_mark(const struct abt_json *value)
{
	return value->kind == ABT_JSON_OBJECT && value->count == 1 &&
	       abt_bytes_equal(value->first->key, ABT_BYTES("$absent"));
}

static void
check_value(struct outcome *o, struct abt_bytes at, const struct abt_json *want,
    const struct abt_json *got, struct abt_fault *fault)
{
	const char *where = abt_arena_text(&o->arena, at);

	if (is_absent_mark(want)) {
		if (got != NULL)
			abt_fault_json(fault, where, want, got);
		return;
	}
	if (want->kind != ABT_JSON_OBJECT || got == NULL ||
	    got->kind != ABT_JSON_OBJECT) {
		if (got == NULL || got->kind != want->kind ||
		    abt_json_compare(
			want, got, ABT_JSON_NUMBERS_AS_TEXT, &o->arena) != NULL)
			abt_fault_json(fault, where, want, got);
		return;
	}
	for (want = want->first; want != NULL; want = want->next)
		check_value(o, abt_json_pointer(&o->arena, at, want->key), want,
		    abt_json_get_bytes(got, want->key), fault);
}

static void
check_event(
    const struct abt_json *c, struct outcome *o, struct abt_fault *fault)
{
	struct abt_json_error error;
	const struct abt_json *event;

	if (o->asked != 0) {
		abt_fault_add(fault,
		    "no event but %d, status %d (%s %.*s: %.*s)", o->asked,
		    o->response.status,
		    o->report.broken != NULL ? o->report.broken->name : "-",
		    ABT_FMT(o->report.where), ABT_FMT(o->report.detail));
		return;
	}
	event = abt_json_scan(o->event, ABT_JSON_DEPTH, &o->arena, &error);
	if (event == NULL)
		abt_fault_add(fault, "the event is no JSON: %s at %zu",
		    error.text != NULL ? error.text : "out of memory",
		    error.offset);
	else
		check_value(o, ABT_BYTES(""), abt_json_get(c, "expect_event"),
		    event, fault);
}

/* ---- responses ---- */

static void
fault_field(struct abt_fault *fault, const struct abt_wire *wire,
    const char *what, struct abt_bytes name, const struct abt_json *expected)
{
	abt_fault_json(fault, what, expected, NULL);
	for (size_t i = 0; i < wire->count; i++)
		if (abt_bytes_equal_nocase(wire->fields[i].name, name))
			abt_fault_differs(fault, "a field",
			    wire->fields[i].name, wire->fields[i].value);
}

static bool
same_name(struct abt_bytes a, struct abt_bytes b, bool exact)
{
	return exact ? abt_bytes_equal(a, b) : abt_bytes_equal_nocase(a, b);
}

/* Take each expected pair from the fields that are left; |ordered|: of one name
 * in their order. */
static void
check_pairs(const struct abt_json *list, const struct abt_wire *wire,
    bool exact, bool ordered, struct abt_fault *fault)
{
	static bool taken[ABT_WIRE_FIELDS];

	memset(taken, 0, sizeof(taken));
	for (; list != NULL; list = list->next) {
		const struct abt_json *name = abt_json_at(list, 0);
		const struct abt_json *value = abt_json_at(list, 1);
		bool found = false;

		for (size_t i = 0; i < wire->count && !found; i++) {
			if (taken[i] || name == NULL || value == NULL ||
			    !same_name(wire->fields[i].name, name->text, exact))
				continue;
			found =
			    abt_bytes_equal(wire->fields[i].value, value->text);
			taken[i] = found;
			if (ordered && !found)
				break;
		}
		if (!found)
			fault_field(fault, wire, "headers",
			    name != NULL ? name->text : ABT_BYTES(""), list);
	}
}

static void
check_absent(const struct abt_json *list, const struct abt_wire *wire,
    struct abt_fault *fault)
{
	for (; list != NULL; list = list->next)
		if (abt_wire_count(wire, list->text, abt_bytes(NULL, 0)) != 0)
			fault_field(fault, wire, "absent", list->text, list);
}

static const struct abt_json *
first_of(const struct abt_json *c, const char *key)
{
	const struct abt_json *list = abt_json_get(c, key);

	return list != NULL ? list->first : NULL;
}

static void
check_status(const struct abt_json *want, const struct abt_wire *wire,
    const struct outcome *o, struct abt_fault *fault)
{
	uint64_t status = 0;

	if (want != NULL &&
	    (!abt_json_uint(want, 999, &status) || (int)status != wire->status))
		abt_fault_add(fault,
		    "expected status %u, got %d (%s %.*s: %.*s)",
		    (unsigned)status, wire->status,
		    o->report.broken != NULL ? o->report.broken->name : "-",
		    ABT_FMT(o->report.where), ABT_FMT(o->report.detail));
}

static void
check_base64(const struct abt_json *want, const struct abt_wire *wire,
    struct outcome *o, struct abt_fault *fault)
{
	size_t n = abt_base64_length(wire->body.n);
	char *out = abt_arena_alloc(&o->arena, n + 1);

	abt_base64_encode(out, wire->body);
	if (!abt_bytes_equal(want->text, abt_bytes(out, n)))
		abt_fault_differs(
		    fault, "body_base64", want->text, abt_bytes(out, n));
}

static void
check_answer(const struct abt_json *c, const struct abt_wire *wire,
    struct outcome *o, struct abt_fault *fault)
{
	const struct abt_json *body = abt_json_get(c, "expect_body");

	check_status(abt_json_get(c, "expect_status"), wire, o, fault);
	check_pairs(first_of(c, "expect_headers"), wire, false, false, fault);
	check_absent(first_of(c, "absent_headers"), wire, fault);
	if (body != NULL && !abt_bytes_equal(body->text, wire->body))
		abt_fault_differs(fault, "body", body->text, wire->body);
}

static void
check_expect(const struct abt_json *expect, const struct abt_wire *wire,
    struct outcome *o, struct abt_fault *fault)
{
	const struct abt_json *body = abt_json_get(expect, "body");
	const struct abt_json *base64 = abt_json_get(expect, "body_base64");

	check_status(abt_json_get(expect, "status"), wire, o, fault);
	check_pairs(first_of(expect, "headers"), wire,
	    abt_json_is(abt_json_get(expect, "exact_case"), ABT_JSON_TRUE),
	    abt_json_is(abt_json_get(expect, "ordered"), ABT_JSON_TRUE), fault);
	check_absent(first_of(expect, "absent"), wire, fault);
	if (body != NULL && !abt_bytes_equal(body->text, wire->body))
		abt_fault_differs(fault, "body", body->text, wire->body);
	if (base64 != NULL)
		check_base64(base64, wire, o, fault);
}

static void
check_response(const struct abt_json *c, struct outcome *o,
    const struct abt_api_world *w, struct abt_fault *fault)
{
	const struct abt_json *expect = abt_json_get(c, "expect");
	struct abt_wire *wire = abt_arena_zero(&o->arena, sizeof(*wire));

	if (wire == NULL) {
		abt_fault_add(fault, "out of memory");
		return;
	}
	if (!abt_wire_read(wire, &o->response, w->http_method))
		abt_fault_differs(fault, "the head cannot be read",
		    ABT_BYTES("HTTP/1.1 ..."), abt_buf_bytes(&wire->bytes));
	else if (expect != NULL)
		check_expect(expect, wire, o, fault);
	else
		check_answer(c, wire, o, fault);
	abt_buf_end(&wire->bytes);
}

static void
check(const struct abt_json *c, struct outcome *o,
    const struct abt_api_world *w, struct abt_fault *fault)
{
	if (abt_json_get(c, "expect_event") != NULL)
		check_event(c, o, fault);
	else if (abt_json_get(c, "expect") == NULL && o->asked == 0)
		abt_fault_differs(fault, "the function was called",
		    ABT_BYTES("an answer of the gateway"), o->event);
	else if (o->asked < 0)
		abt_fault_add(fault, "the request is not complete");
	else
		check_response(c, o, w, fault);
}

/* ---- the case ---- */

/* A case that says what no case can say is the case's fault. */
static bool
is_sound(const struct abt_json *c, struct abt_fault *fault)
{
	const struct abt_json *expect = abt_json_get(c, "expect");
	const struct abt_json *config = abt_json_get(c, "config");
	int kinds = (expect != NULL) +
		    (abt_json_get(c, "expect_event") != NULL) +
		    (abt_json_get(c, "expect_status") != NULL);

	(void)abt_case_known(fault, "the case", c, case_keys);
	if (expect != NULL)
		(void)abt_case_known(fault, "expect", expect, expect_keys);
	if (config != NULL)
		(void)abt_case_known(fault, "config", config, config_keys);
	if (kinds != 1)
		abt_fault_add(fault, "a case has one of expect_event, "
				     "expect_status and expect");
	if ((expect != NULL) != (abt_json_get(c, "response") != NULL))
		abt_fault_add(fault, "response and expect go together");
	return abt_fault_is_empty(fault);
}

void
abt_api_case_run(const struct abt_json *c, struct abt_fault *fault)
{
	static struct abt_api_world w;
	struct outcome o;

	if (!is_sound(c, fault))
		return;
	if (abt_api_world_make(&w, c, fault)) {
		outcome_make(&o, &w);
		check(c, &o, &w, fault);
		abt_arena_end(&o.arena);
	}
	abt_arena_end(&w.arena);
}

/* What came of the case, there and back. */
void
abt_api_case_round_trip(const struct abt_json *c, struct abt_fault *fault)
{
	static struct abt_api_world w;
	struct abt_origin origin;
	const char *wrong;
	struct outcome o;

	if (!is_sound(c, fault))
		return;
	if (abt_api_world_make(&w, c, fault)) {
		outcome_make(&o, &w);
		wrong = o.event.n > 0
			    ? abt_round_trip_event(&o.call, o.event, &origin)
			    : NULL;
		if (wrong == NULL && o.event.n > 0 && w.has_result &&
		    !w.streams && w.failure == NULL &&
		    o.response.rule == NULL && origin.dialect != NULL)
			wrong = abt_round_trip_result(
			    &o.call, &origin, &o.response);
		if (wrong != NULL)
			abt_fault_add(fault, "%s", wrong);
		abt_arena_end(&o.arena);
	}
	abt_arena_end(&w.arena);
}

/* With an allocation failing: right all the same, or told as lack of memory. */
static bool
survived(
    const struct abt_json *c, struct outcome *o, const struct abt_api_world *w)
{
	struct abt_fault fault;
	bool good = o->response.rule != NULL &&
		    o->response.rule->failure == ABT_NO_MEMORY &&
		    o->response.status == 503;

	if (good)
		return true;
	/* The arena's mark would make the runner's own reading fail. */
	o->arena.failed = false;
	abt_fault_init(&fault);
	check(c, o, w, &fault);
	good = abt_fault_is_empty(&fault);
	abt_fault_end(&fault);
	return good;
}

void
abt_api_case_sweep(const struct abt_json *c, struct abt_fault *fault)
{
	static struct abt_api_world w;
	struct outcome o;
	unsigned long asked = 1;

	if (!is_sound(c, fault))
		return;
	if (abt_api_world_make(&w, c, fault)) {
		for (unsigned long n = 1; n <= asked; n++) {
			abt_memory_fail_at(n);
			outcome_make(&o, &w);
			asked = abt_memory_asked();
			abt_memory_fail_at(0);
			if (!survived(c, &o, &w))
				abt_fault_add(fault,
				    "allocation %lu failing: status %d (%s)", n,
				    o.response.status,
				    o.report.broken != NULL
					? o.report.broken->name
					: "-");
			abt_arena_end(&o.arena);
		}
	}
	abt_arena_end(&w.arena);
}
