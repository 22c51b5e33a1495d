/*
 * fuzz_round_trip.c - there and back, behind every door
 *
 * The first byte names the door, the second what the rest is: a request, which
 * becomes an event, a request and the event again; an event as somebody might
 * make it, which must become a request that can be sent on, or none; or a
 * response, which becomes a result and the same response.
 */
#include <stdio.h>
#include <stdlib.h>

#include "albatross.h"
#include "config/api.h"
#include "route/route.h"

/* a fuzz target is one object */
#include "lib/round_trip.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DOORS        6
#define SIZE_LARGEST 4096

struct door {
	struct abt_front front;
	struct abt_routes routes;
	struct abt_route route;
};

static struct abt_arena setup;

static void
demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void
complain(void *context, const char *sentence)
{
	(void)context;
	demand(false, sentence);
}

static void
make_door(struct door *door, const char *name)
{
	struct abt_source source = { .arena = &setup, .complain = complain };
	struct abt_front_options options = { 0 };

	(void)abt_schema_presets(&source, abt_front_option_rows, &options);
	options.dialect = abt_bytes_text(name);
	options.stage_in_path = false;
	(void)abt_front_make(
	    &source, ABT_BYTES("fuzz"), &options, NULL, &door->front);
	door->route = (struct abt_route){ .action = ABT_FORWARD,
		.function = door,
		.target_group_arn = ABT_BYTES("arn") };
	door->routes = (struct abt_routes){ &door->route, 1 };
	if (door->front.api == NULL)
		door->front.routes = &door->routes;
	else
		(void)abt_api_routes_make(
		    &source, &options, door, &door->front);
	abt_front_finish(&door->front);
}

static struct door *
doors(void)
{
	static const char *const names[DOORS] = { "alb", "alb-multi", "rest",
		"http-1.0", "http-2.0", "url" };
	static struct door made[DOORS];

	if (made[0].front.dialect == NULL) {
		abt_arena_init(&setup, NULL);
		for (size_t i = 0; i < DOORS; i++)
			make_door(&made[i], names[i]);
	}
	return made;
}

static struct abt_call
call_at(const struct door *door, bool tls, struct abt_arena *arena)
{
	struct abt_call call = { .front = &door->front, .arena = arena };

	call.facts.epoch_us = INT64_C(1700000000123456);
	call.facts.peer_ip =
	    tls ? ABT_BYTES("2001:db8::7") : ABT_BYTES("192.0.2.7");
	call.facts.peer_port = 50000;
	call.facts.tls = tls;
	call.facts.tls_version = ABT_BYTES("TLSv1.3");
	call.facts.tls_cipher = ABT_BYTES("TLS_AES_128_GCM_SHA256");
	call.facts.listener_port = tls ? 8443 : 80;
	call.facts.date = ABT_BYTES("Tue, 14 Nov 2023 22:13:20 GMT");
	memcpy(call.facts.request_id, "5f0c7b1e-6f0e-4a57-9f0b-6b1f2f9c7a10",
	    sizeof(call.facts.request_id));
	return call;
}

/* ---- a request ---- */

static bool
make_event(
    struct abt_call *call, struct abt_bytes raw, struct abt_origin *origin)
{
	struct abt_response response = { 0 };
	struct abt_report report;
	struct abt_bytes event;
	const char *wrong;

	abt_report_init(&report, call->arena);
	if (abt_event_from_request(call, raw, &event, &response, &report) != 0)
		return false;
	wrong = abt_round_trip_event(call, event, origin);
	demand(wrong == NULL, wrong);
	return origin->dialect != NULL;
}

/* ---- an event ---- */

static void
check_sendable(const struct abt_request *req)
{
	size_t lengths = 0;

	demand(abt_bytes_all(req->method, ABT_CHAR_TOKEN) && req->method.n > 0,
	    "the method is no token");
	demand(req->path.n > 0 && req->path.p[0] == '/', "no path");
	for (size_t i = 0; i < req->target.n; i++)
		demand((unsigned char)req->target.p[i] > ' ' &&
			   req->target.p[i] != 0x7f,
		    "a target that cannot be sent");
	for (size_t i = 0; i < req->headers.count; i++) {
		const struct abt_field *field = &req->headers.fields[i];

		demand(field->name.n > 0 &&
			   abt_bytes_all(field->name, ABT_CHAR_TOKEN) &&
			   abt_bytes_all(field->value, ABT_CHAR_FIELD),
		    "a header that cannot be sent");
		demand(field->id != ABT_FIELD_TRANSFER_ENCODING,
		    "a transfer coding");
		lengths += field->id == ABT_FIELD_CONTENT_LENGTH;
	}
	demand(lengths == (req->framing == ABT_BODY_LENGTH), "the framing");
	demand(req->body.n == 0 || req->framing == ABT_BODY_LENGTH,
	    "a body without a length");
}

static void
read_event(struct abt_bytes text, struct abt_arena *arena)
{
	struct abt_origin origin;
	struct abt_request req;
	struct abt_report report;
	const struct abt_json *tree =
	    abt_json_scan(text, ABT_JSON_DEPTH, arena, NULL);

	if (tree == NULL)
		return;
	abt_report_init(&report, arena);
	if (abt_request_from_event(tree, arena, &origin, &req, &report) == 0)
		check_sendable(&req);
	else
		demand(report.broken != NULL, "refused without a rule");
}

/* ---- a response ---- */

/* Names that every front hands on as they are (R1, R3, R6), with values that
 * are as they will be (R9). */
static bool
is_handed_on(struct abt_bytes name, struct abt_bytes value)
{
	return (abt_bytes_starts_nocase(name, ABT_BYTES("x-f")) ||
		   abt_bytes_equal_nocase(name, ABT_BYTES("set-cookie")) ||
		   abt_bytes_equal_nocase(name, ABT_BYTES("vary"))) &&
	       abt_bytes_all(name, ABT_CHAR_TOKEN) &&
	       abt_bytes_all(value, ABT_CHAR_FIELD) && abt_utf8_valid(value);
}

static void
write_result(
    struct door *door, struct abt_bytes text, bool tls, struct abt_arena *arena)
{
	struct abt_call call = call_at(door, tls, arena);
	struct abt_response response = { 0 };
	struct abt_origin origin;
	struct abt_bytes line;
	const char *wrong;

	if (text.n == 0 ||
	    !make_event(&call,
		ABT_BYTES("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
		&origin))
		return;
	response.status = 200 + (unsigned char)text.p[0] % 200 * 2;
	text.p++;
	text.n--;
	while (abt_bytes_next(&text, '\n', &line) && line.n > 0) {
		size_t colon = abt_bytes_find(line, ':');
		struct abt_bytes name = abt_bytes(line.p, colon), value;

		if (colon == line.n)
			continue;
		value = abt_bytes_trim(
		    abt_bytes(line.p + colon + 1, line.n - colon - 1));
		if (is_handed_on(name, value))
			abt_headers_add(&response.headers, arena, name, value);
	}
	if (response.status != 204 && response.status != 304) /* R10 */
		response.body = text;
	wrong = abt_round_trip_result(&call, &origin, &response);
	demand(wrong == NULL, wrong);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_arena arena;
	struct abt_origin origin;
	struct abt_bytes rest;
	struct abt_call call;
	struct door *door;

	if (size < 2 || size > SIZE_LARGEST)
		return 0;
	door = &doors()[data[0] % DOORS];
	rest = abt_bytes((const char *)data + 2, size - 2);
	abt_arena_init(&arena, NULL);
	switch (data[1] % 3) {
	case 0:
		call = call_at(door, data[1] >= 128, &arena);
		(void)make_event(&call, rest, &origin);
		break;
	case 1:
		read_event(rest, &arena);
		break;
	default:
		write_result(door, rest, data[1] >= 128, &arena);
	}
	abt_arena_end(&arena);
	return 0;
}
