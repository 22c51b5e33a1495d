/*
 * alb_case.c - one case of alb.md 9 through the pure translation
 *
 * The same form serves every dialect of fronts with listener rules: its name is
 * the case's area.
 *
 * A case becomes a front, facts and bytes (struct world, made once); from these
 * the library makes an event or a response (struct outcome, made once a run);
 * then the expectations are held against it.  A response is judged as the bytes
 * that a client would read, so the head writer is tested too.
 */
#include "lib/alb_case.h"

#include <stdio.h>
#include <stdlib.h>

#include "albatross.h"
#include "config/schema.h"
#include "lib/regex.h"
#include "lib/round_trip.h"
#include "lib/wire.h"
#include "route/route.h"

#define TARGET_GROUP                              \
	"arn:aws:elasticloadbalancing:us-east-1:" \
	"123456789012:targetgroup/fn/0123456789abcdef"
#define EPOCH_US INT64_C(1700000000000000)

static const char *const case_keys[] = { "id", "area", "mode", "certainty",
	"rule", "request", "request_b64", "fill", "attrs", "listener_attrs",
	"listener_port", "client_ip", "client_port", "expect_event",
	"expect_exact", "expect_absent", "expect_regex", "expect_status",
	"expect_status_alt", "response", "function_error", "method", "expect",
	NULL };
static const char *const expect_keys[] = { "status", "reason", "headers",
	"headers_absent", "header_multiset", "body", "body_base64", NULL };
static const char *const fill_keys[] = { "char", "count", NULL };

/* What a case sets up. */
struct world {
	struct abt_arena arena;
	struct abt_front front;
	struct abt_routes routes;
	struct abt_route route;
	struct abt_facts facts;
	struct abt_bytes request, result, method;
	bool has_result, flagged;
};

/* What one run gave. */
struct outcome {
	struct abt_arena arena;
	struct abt_call call;
	struct abt_report report;
	struct abt_response response;
	struct abt_bytes event;
	int asked; /* what abt_event_from_request returned */
};

static struct abt_bytes
text_of(const struct abt_json *c, const char *key, const char *preset)
{
	const struct abt_json *value = abt_json_get(c, key);

	return abt_json_is(value, ABT_JSON_STRING) ? value->text
						   : abt_bytes_text(preset);
}

static unsigned
number_of(const struct abt_json *c, const char *key, unsigned preset)
{
	uint64_t n = preset;

	(void)abt_json_uint(abt_json_get(c, key), UINT32_MAX, &n);
	return (unsigned)n;
}

/* Replace every {{FILL}} of |text| by the case's filling. */
static struct abt_bytes
filled(struct world *w, const struct abt_json *fill, struct abt_bytes text)
{
	const struct abt_bytes marker = ABT_BYTES("{{FILL}}");
	struct abt_bytes piece = text_of(fill, "char", ""), out;
	unsigned count = number_of(fill, "count", 0);
	struct abt_buf buf;
	size_t at;

	if (fill == NULL)
		return text;
	abt_buf_init(&buf, NULL, (size_t)1 << 30);
	while ((at = abt_bytes_search(text, marker)) < text.n) {
		abt_buf_add(&buf, abt_bytes(text.p, at));
		for (unsigned i = 0; i < count; i++)
			abt_buf_add(&buf, piece);
		text.p += at + marker.n;
		text.n -= at + marker.n;
	}
	abt_buf_add(&buf, text);
	out = abt_arena_copy(&w->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return out;
}

static struct abt_bytes
decoded(struct world *w, struct abt_bytes base64)
{
	char *out = abt_arena_alloc(&w->arena, base64.n + 1);
	ptrdiff_t n = abt_base64_decode(out, base64);

	return abt_bytes(out, n < 0 ? 0 : (size_t)n);
}

static void
complain(void *context, const char *sentence)
{
	abt_fault_add(context, "%s", sentence);
}

/* Set one attribute by AWS's name. */
static void
set_attribute(struct world *w, struct abt_source *source, void *self,
    struct abt_bytes name, const struct abt_json *value,
    struct abt_fault *fault)
{
	const struct abt_option *row = w->front.dialect->attributes;
	char why[256] = "";

	while (row->name != NULL &&
	       !abt_bytes_equal(abt_bytes_text(row->name), name))
		row++;
	if (row->name == NULL) {
		abt_fault_add(
		    fault, "no attribute is called \"%.*s\"", ABT_FMT(name));
		return;
	}
	if (value->kind != ABT_JSON_STRING)
		(void)abt_schema_value(source, row, value, self);
	else if (abt_schema_text(source, row,
		     abt_arena_text(&w->arena, value->text), self, why,
		     sizeof(why)) != 0)
		abt_fault_add(fault, "%.*s: %s", ABT_FMT(name), why);
}

static void
set_attributes(
    struct world *w, const struct abt_json *c, struct abt_fault *fault)
{
	static const char *const maps[] = { "attrs", "listener_attrs" };
	struct abt_source source = { .file = "case",
		.directory = ".",
		.arena = &w->arena,
		.complain = complain,
		.context = fault };
	struct abt_json multi = { .kind = ABT_JSON_STRING };
	void *self =
	    abt_arena_zero(&w->arena, w->front.dialect->attributes_size);

	if (abt_schema_presets(&source, w->front.dialect->attributes, self) !=
	    0)
		abt_fault_add(fault, "the presets of the attributes are wrong");
	multi.text = ABT_BYTES("true");
	if (abt_bytes_equal(text_of(c, "mode", ""), ABT_BYTES("multi")))
		set_attribute(w, &source, self,
		    ABT_BYTES("lambda.multi_value_headers.enabled"), &multi,
		    fault);
	for (size_t i = 0; i < 2; i++) {
		const struct abt_json *map = abt_json_get(c, maps[i]);

		for (map = map != NULL ? map->first : NULL; map != NULL;
		     map = map->next)
			set_attribute(w, &source, self, map->key, map, fault);
	}
	w->front.attributes = self;
}

static void
set_facts(struct world *w, const struct abt_json *c)
{
	static const char id[] = "5f0c7b1e-6f0e-4a57-9f0b-6b1f2f9c7a10";

	w->facts.epoch_us = EPOCH_US;
	w->facts.peer_ip = text_of(c, "client_ip", "203.0.113.10");
	w->facts.peer_port = number_of(c, "client_port", 50000);
	w->facts.listener_port = number_of(c, "listener_port", 80);
	for (size_t i = 0; i < sizeof(w->facts.random); i++)
		w->facts.random[i] = (unsigned char)(i * 37 + 11);
	memcpy(w->facts.request_id, id, sizeof(id));
	w->facts.date = ABT_BYTES("Tue, 14 Nov 2023 22:13:20 GMT");
}

static void
set_bytes(struct world *w, const struct abt_json *c)
{
	const struct abt_json *fill = abt_json_get(c, "fill");

	w->has_result = abt_json_get(c, "response") != NULL ||
			abt_json_get(c, "expect") != NULL;
	w->flagged =
	    abt_json_is(abt_json_get(c, "function_error"), ABT_JSON_TRUE);
	w->method = text_of(c, "method", "GET");
	w->result = filled(w, fill, text_of(c, "response", ""));
	if (abt_json_get(c, "request_b64") != NULL)
		w->request = decoded(w, text_of(c, "request_b64", ""));
	else if (abt_json_get(c, "request") != NULL)
		w->request = filled(w, fill, text_of(c, "request", ""));
	else
		w->request = abt_arena_printf(&w->arena,
		    "%.*s / HTTP/1.1\r\nHost: example.com\r\n\r\n",
		    ABT_FMT(w->method));
}

/* Everything a case says before anything runs. */
static bool
world_make(struct world *w, const struct abt_json *c, struct abt_fault *fault)
{
	static const int function; /* only its address is needed */

	memset(w, 0, sizeof(*w));
	abt_arena_init(&w->arena, NULL);
	w->front.name = abt_case_area(c);
	w->front.dialect = abt_dialect_find(w->front.name);
	if (w->front.dialect == NULL) {
		abt_fault_add(fault, "there is no dialect \"%.*s\"",
		    ABT_FMT(w->front.name));
		return false;
	}
	w->front.dns_name =
	    ABT_BYTES("my-alb-123456.us-east-1.elb.amazonaws.com");
	w->front.region = ABT_BYTES("us-east-1");
	w->front.account = ABT_BYTES("123456789012");
	w->route.action = ABT_FORWARD;
	w->route.function = &function;
	w->route.target_group_arn = ABT_BYTES(TARGET_GROUP);
	w->routes.routes = &w->route;
	w->routes.count = 1;
	w->front.routes = &w->routes;
	set_attributes(w, c, fault);
	w->front.dialect->make_policy(&w->front);
	set_facts(w, c);
	set_bytes(w, c);
	if (abt_arena_failed(&w->arena))
		abt_fault_add(fault, "the runner is out of memory");
	return abt_fault_is_empty(fault);
}

/* The translation itself: everything the sweep makes fail is in here. */
static void
outcome_make(struct outcome *o, const struct world *w)
{
	memset(o, 0, sizeof(*o));
	abt_arena_init(&o->arena, NULL);
	abt_report_init(&o->report, &o->arena);
	o->call.front = &w->front;
	o->call.facts = w->facts;
	o->call.arena = &o->arena;
	o->asked = abt_event_from_request(
	    &o->call, w->request, &o->event, &o->response, &o->report);
	if (o->asked != 0 || !w->has_result)
		return;
	memset(&o->response, 0, sizeof(o->response));
	(void)abt_response_from_result(
	    &o->call, w->result, w->flagged, &o->response, &o->report);
}

/* ---- what came out ---- */

/* The value at |path| (a list of keys and indices), or NULL. */
static const struct abt_json *
at_path(const struct abt_json *root, const struct abt_json *path)
{
	for (const struct abt_json *step = path->first;
	     step != NULL && root != NULL; step = step->next) {
		uint64_t n;

		if (step->kind == ABT_JSON_STRING &&
		    root->kind == ABT_JSON_OBJECT)
			root = abt_json_get_bytes(root, step->text);
		else if (root->kind == ABT_JSON_ARRAY &&
			 abt_json_uint(step, SIZE_MAX, &n))
			root = abt_json_at(root, (size_t)n);
		else
			root = NULL;
	}
	return root;
}

static void
check_compare(const struct abt_json *c, const struct abt_json *event,
    struct abt_arena *arena, struct abt_fault *fault)
{
	const struct abt_json *expected = abt_json_get(c, "expect_event");
	const struct abt_json *exact = abt_json_get(c, "expect_exact");
	struct abt_json_diff *d;

	for (d = abt_json_compare(expected, event, ABT_JSON_SUBSET, arena);
	     d != NULL; d = d->next)
		abt_fault_json(fault, abt_arena_text(arena, d->pointer),
		    d->expected, d->got);
	for (exact = exact != NULL ? exact->first : NULL; exact != NULL;
	     exact = exact->next) {
		const struct abt_json *want =
		    abt_json_get_bytes(expected, exact->text);
		const struct abt_json *got =
		    abt_json_get_bytes(event, exact->text);

		if (want == NULL || got == NULL ||
		    abt_json_compare(want, got, 0, arena) != NULL)
			abt_fault_json(fault,
			    abt_arena_text(arena, exact->text), want, got);
	}
}

static void
check_paths(const struct abt_json *c, const struct abt_json *event,
    struct abt_fault *fault)
{
	const struct abt_json *absent = abt_json_get(c, "expect_absent");
	const struct abt_json *regex = abt_json_get(c, "expect_regex");

	for (absent = absent != NULL ? absent->first : NULL; absent != NULL;
	     absent = absent->next) {
		const struct abt_json *got = at_path(event, absent);

		if (got != NULL)
			abt_fault_json(fault, "absent", absent, got);
	}
	for (regex = regex != NULL ? regex->first : NULL; regex != NULL;
	     regex = regex->next) {
		const struct abt_json *path = abt_json_at(regex, 0);
		const struct abt_json *pattern = abt_json_at(regex, 1);
		const struct abt_json *got =
		    path != NULL ? at_path(event, path) : NULL;

		if (!abt_json_is(pattern, ABT_JSON_STRING) ||
		    !abt_json_is(got, ABT_JSON_STRING) ||
		    !abt_regex_finds(pattern->text, got->text))
			abt_fault_json(fault, "regex", regex, got);
	}
}

static void
check_event(
    const struct abt_json *c, struct outcome *o, struct abt_fault *fault)
{
	struct abt_json_error error;
	const struct abt_json *event;

	if (o->asked != 0) {
		abt_fault_add(fault, "expected an event, got %s %d (%s %.*s)",
		    o->asked < 0 ? "an unfinished request," : "status",
		    o->response.status,
		    o->report.broken != NULL ? o->report.broken->name : "",
		    ABT_FMT(o->report.where));
		return;
	}
	event = abt_json_scan(o->event, ABT_JSON_DEPTH, &o->arena, &error);
	if (event == NULL) {
		abt_fault_add(fault, "the event is no JSON: %s at %zu",
		    error.text != NULL ? error.text : "out of memory",
		    error.offset);
		return;
	}
	check_compare(c, event, &o->arena, fault);
	check_paths(c, event, fault);
}

static void
check_refusal(
    const struct abt_json *c, const struct outcome *o, struct abt_fault *fault)
{
	const struct abt_json *alt = abt_json_get(c, "expect_status_alt");
	/* A client that never finishes is told so by the server's clock. */
	unsigned got = o->asked < 0 ? 408 : (unsigned)o->response.status;

	if (o->asked == 0) {
		abt_fault_differs(fault, "the function was called",
		    text_of(c, "rule", ""), o->event);
		return;
	}
	if (got == number_of(c, "expect_status", 0))
		return;
	for (alt = alt != NULL ? alt->first : NULL; alt != NULL;
	     alt = alt->next) {
		uint64_t n;

		if (abt_json_uint(alt, 999, &n) && n == got)
			return;
	}
	abt_fault_add(fault, "expected status %u, got %u (%s %.*s)",
	    number_of(c, "expect_status", 0), got,
	    o->report.broken != NULL ? o->report.broken->name : "-",
	    ABT_FMT(o->report.where));
}

/* ---- responses, read back from the wire ---- */

static void
fault_field(struct abt_fault *fault, const struct abt_wire *wire,
    const char *what, struct abt_bytes name, const struct abt_json *expected)
{
	abt_fault_json(fault, what, expected, NULL);
	for (size_t i = 0; i < wire->count; i++)
		if (abt_bytes_equal_nocase(wire->fields[i].name, name))
			abt_fault_differs(fault, "a field",
			    ABT_BYTES("(see above)"), wire->fields[i].value);
}

/* How often the string |value| stands in the array |list|. */
static size_t
list_count(const struct abt_json *list, struct abt_bytes value)
{
	size_t n = 0;

	for (const struct abt_json *v = list->first; v != NULL; v = v->next)
		n += abt_bytes_equal(v->text, value);
	return n;
}

static void
check_fields(const struct abt_json *expect, const struct abt_wire *wire,
    struct abt_fault *fault)
{
	const struct abt_json *m = abt_json_get(expect, "headers");

	for (m = m != NULL ? m->first : NULL; m != NULL; m = m->next) {
		const struct abt_json *name = abt_json_at(m, 0);
		const struct abt_json *value = abt_json_at(m, 1);

		if (name == NULL || value == NULL ||
		    abt_wire_count(wire, name->text, value->text) == 0)
			fault_field(fault, wire, "headers",
			    name != NULL ? name->text : ABT_BYTES(""), m);
	}
	m = abt_json_get(expect, "headers_absent");
	for (m = m != NULL ? m->first : NULL; m != NULL; m = m->next)
		if (abt_wire_count(wire, m->text, abt_bytes(NULL, 0)) != 0)
			fault_field(fault, wire, "headers_absent", m->text, m);
	m = abt_json_get(expect, "header_multiset");
	for (m = m != NULL ? m->first : NULL; m != NULL; m = m->next) {
		bool good = abt_wire_count(wire, m->key, abt_bytes(NULL, 0)) ==
			    m->count;

		for (const struct abt_json *v = m->first; v != NULL;
		     v = v->next)
			good &= abt_wire_count(wire, m->key, v->text) ==
				list_count(m, v->text);
		if (!good)
			fault_field(fault, wire, "header_multiset", m->key, m);
	}
}

static void
check_wire(const struct abt_json *expect, const struct abt_wire *wire,
    struct outcome *o, struct abt_fault *fault)
{
	const struct abt_json *reason = abt_json_get(expect, "reason");
	const struct abt_json *body = abt_json_get(expect, "body");
	const struct abt_json *base64 = abt_json_get(expect, "body_base64");
	unsigned status = number_of(expect, "status", 0);

	if (abt_json_get(expect, "status") != NULL &&
	    (unsigned)wire->status != status)
		abt_fault_add(fault, "expected status %u, got %d (%s %.*s)",
		    status, wire->status,
		    o->report.broken != NULL ? o->report.broken->name : "-",
		    ABT_FMT(o->report.where));
	if (reason != NULL && !abt_bytes_equal(reason->text, wire->reason))
		abt_fault_differs(fault, "reason", reason->text, wire->reason);
	check_fields(expect, wire, fault);
	if (body != NULL && !abt_bytes_equal(body->text, wire->body))
		abt_fault_differs(fault, "body", body->text, wire->body);
	if (base64 != NULL) {
		char *out = abt_arena_alloc(
		    &o->arena, abt_base64_length(wire->body.n) + 1);
		struct abt_bytes got =
		    abt_bytes(out, abt_base64_length(wire->body.n));

		abt_base64_encode(out, wire->body);
		if (!abt_bytes_equal(base64->text, got))
			abt_fault_differs(
			    fault, "body_base64", base64->text, got);
	}
}

static void
check_response(const struct abt_json *c, struct outcome *o,
    const struct world *w, struct abt_fault *fault)
{
	struct abt_wire *wire;

	if (o->asked != 0) {
		check_event(c, o, fault);
		return;
	}
	wire = abt_arena_zero(&o->arena, sizeof(*wire));
	if (wire == NULL) {
		abt_fault_add(fault, "out of memory");
		return;
	}
	if (!abt_wire_read(wire, &o->response, w->method))
		abt_fault_differs(fault, "the head cannot be read",
		    ABT_BYTES("HTTP/1.1 ..."), abt_buf_bytes(&wire->bytes));
	else
		check_wire(abt_json_get(c, "expect"), wire, o, fault);
	abt_buf_end(&wire->bytes);
}

static void
check(const struct abt_json *c, struct outcome *o, const struct world *w,
    struct abt_fault *fault)
{
	if (abt_json_get(c, "expect") != NULL)
		check_response(c, o, w, fault);
	else if (abt_json_get(c, "expect_event") != NULL)
		check_event(c, o, fault);
	else
		check_refusal(c, o, fault);
}

/* A case that says what no case can say is the case's fault. */
static bool
is_sound(const struct abt_json *c, struct abt_fault *fault)
{
	const struct abt_json *expect = abt_json_get(c, "expect");
	const struct abt_json *fill = abt_json_get(c, "fill");
	struct abt_bytes mode = text_of(c, "mode", "single");
	int kinds = (expect != NULL) +
		    (abt_json_get(c, "expect_event") != NULL) +
		    (abt_json_get(c, "expect_status") != NULL);

	(void)abt_case_known(fault, "the case", c, case_keys);
	if (expect != NULL)
		(void)abt_case_known(fault, "expect", expect, expect_keys);
	if (fill != NULL)
		(void)abt_case_known(fault, "fill", fill, fill_keys);
	if (kinds != 1)
		abt_fault_add(fault, "a case has one of expect_event, "
				     "expect_status and expect");
	if ((expect != NULL) != (abt_json_get(c, "response") != NULL))
		abt_fault_add(fault, "response and expect go together");
	if (expect == NULL && abt_json_get(c, "request") == NULL &&
	    abt_json_get(c, "request_b64") == NULL)
		abt_fault_add(fault, "there is no request");
	if (!abt_bytes_equal(mode, ABT_BYTES("single")) &&
	    !abt_bytes_equal(mode, ABT_BYTES("multi")))
		abt_fault_add(fault, "mode is neither single nor multi");
	return abt_fault_is_empty(fault);
}

bool
abt_alb_case_is_area(struct abt_bytes area)
{
	const struct abt_dialect *dialect = abt_dialect_find(area);

	return dialect != NULL && dialect->routing == ABT_LISTENER_RULES;
}

void
abt_alb_case_run(const struct abt_json *c, struct abt_fault *fault)
{
	struct world w;
	struct outcome o;

	if (!is_sound(c, fault))
		return;
	if (world_make(&w, c, fault)) {
		outcome_make(&o, &w);
		check(c, &o, &w, fault);
		abt_arena_end(&o.arena);
	}
	abt_arena_end(&w.arena);
}

/* What came of the case, there and back. */
void
abt_alb_case_round_trip(const struct abt_json *c, struct abt_fault *fault)
{
	struct abt_origin origin;
	const char *wrong;
	struct world w;
	struct outcome o;

	if (!is_sound(c, fault))
		return;
	if (world_make(&w, c, fault)) {
		outcome_make(&o, &w);
		wrong = o.asked == 0
			    ? abt_round_trip_event(&o.call, o.event, &origin)
			    : NULL;
		if (wrong == NULL && o.asked == 0 && w.has_result &&
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
survived(const struct abt_json *c, struct outcome *o, const struct world *w)
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
abt_alb_case_sweep(const struct abt_json *c, struct abt_fault *fault)
{
	struct world w;
	struct outcome o;
	unsigned long asked = 1;

	if (!is_sound(c, fault))
		return;
	if (world_make(&w, c, fault)) {
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
