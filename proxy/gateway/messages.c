/*
 * messages.c - calls whose function takes the request itself (CGI)
 *
 * They skip write_event and read_result.  A body of known length is handed on
 * in pieces from the first one, as the program reads it; a chunked one goes to
 * a file without a name first, because such programs are told the length before
 * they start.  The answer goes to the client in pieces as it comes.  Neither
 * the dialect's limits of bodies nor Lambda's count here, but the function's
 * "body_max".
 */
#include "gateway/call_state.h"

#include "albatross/dialect.h"
#include "base/clock.h"
#include "dialect/trace.h"
#include "gateway/body_file.h"
#include "http/target.h"

#define REDIRECTS_MAX 10 /* R10.29 */

/* What one call of this kind has besides; in the exchange's arena. */
struct abt_message {
	struct abt_body_file file; /* of a chunked body */
	bool lent;                 /* the function has the invocation */
	bool begun;                /* the answer, in pieces */
	bool body_over;            /* the request's body is of no interest */
	bool paused;               /* so is the body: the program is slow */
	size_t under_way;          /* bytes of the body, fed and not eaten */
	size_t uneaten;            /* of the answer: they wait at the socket */
	unsigned redirects;
	bool *ended; /* set when the call has its answer; may be NULL */
};

static const struct abt_function *
function_of(const struct abt_call_state *state)
{
	return state->call.match.function;
}

bool
abt_message_takes(const struct abt_call_state *state)
{
	const struct abt_function *function = function_of(state);

	return state->call.match.action == ABT_FORWARD && function != NULL &&
	       function->backend->takes == ABT_MESSAGES;
}

/* ---- failures of programs ---- */

static bool
is_ours(const struct abt_rule *rule)
{
	return rule >= &abt_rules[ABT_RULE_CGI_PATH] &&
	       rule <= &abt_rules[ABT_RULE_FASTCGI_BROKEN];
}

/* lambda.md 10: the same at every front. */
static int
status_of(const struct abt_rule *rule)
{
	switch (rule->failure) {
	case ABT_BAD_REQUEST:
		return 400;
	case ABT_FORBIDDEN:
		return 403;
	case ABT_NO_ROUTE:
		return 404;
	case ABT_HEADERS_TOO_LARGE:
		return 431;
	case ABT_SETUP_ERROR:
		return 500;
	case ABT_NO_MEMORY:
		return 503;
	case ABT_UNREACHABLE:
		return 504;
	default:
		return 502;
	}
}

static void
add_own_headers(struct abt_call_state *state, struct abt_response *response)
{
	struct abt_arena *arena = state->call.arena;

	abt_facts_date(state);
	if (abt_headers_first(&response->headers, ABT_FIELD_DATE) == NULL)
		abt_headers_add_id(&response->ours, arena, ABT_FIELD_DATE,
		    ABT_BYTES("Date"), state->call.facts.date);
	if (abt_headers_first(&response->headers, ABT_FIELD_SERVER) == NULL)
		abt_headers_add_id(&response->ours, arena, ABT_FIELD_SERVER,
		    ABT_BYTES("Server"), ABT_BYTES("albatross"));
}

void
abt_message_write_failure(
    struct abt_call_state *state, const struct abt_rule *rule)
{
	struct abt_response *response = &state->x->response;
	int status;

	if (!is_ours(rule) || abt_arena_failed(state->call.arena))
		return;
	status = status_of(rule);
	memset(response, 0, sizeof(*response));
	response->status = status;
	response->rule = rule;
	add_own_headers(state, response);
	abt_headers_add_id(&response->ours, state->call.arena,
	    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"),
	    ABT_BYTES("text/html"));
	response->body = abt_arena_printf(state->call.arena,
	    "<html>\r\n<head><title>%d %s</title></head>\r\n"
	    "<body><h1>%d %s</h1></body>\r\n</html>\r\n",
	    status, abt_status_phrase(status), status,
	    abt_status_phrase(status));
}

/* Our word for what admission and its clock say. */
static const struct abt_rule *
rule_of(const struct abt_rule *rule)
{
	if (rule == &abt_rules[ABT_RULE_FUNCTION_TIMED_OUT])
		return &abt_rules[ABT_RULE_CGI_TIMED_OUT];
	return rule;
}

/* ---- answers ---- */

static struct abt_bytes
copy(struct abt_call_state *state, struct abt_bytes text)
{
	return text.n > 0 ? abt_arena_copy(state->call.arena, text) : text;
}

/* The function's response becomes the exchange's: its memory goes. */
static void
take_response(struct abt_call_state *state, const struct abt_response *from)
{
	struct abt_response *to = &state->x->response;
	struct abt_arena *arena = state->call.arena;
	const struct abt_dialect *dialect = state->call.front->dialect;

	memset(to, 0, sizeof(*to));
	to->status = from->status;
	to->reason = copy(state, from->reason);
	to->length = from->length;
	to->has_length = from->has_length;
	to->no_content_length = from->no_content_length;
	for (size_t i = 0; i < from->headers.count; i++) {
		const struct abt_field *field = &from->headers.fields[i];

		abt_headers_add_id(&to->headers, arena, field->id,
		    copy(state, field->name), copy(state, field->value));
	}
	add_own_headers(state, to);
	if (dialect->finish != NULL)
		dialect->finish(&state->call, to);
	state->target_status = to->status;
}

static void
eaten(struct abt_call_state *state, size_t waiting, size_t n)
{
	struct abt_message *message = state->message;

	message->uneaten += n;
	if (waiting > 0 || message->uneaten == 0)
		return;
	n = message->uneaten;
	message->uneaten = 0;
	abt_invocation_eaten(&state->inv, n);
}

static void
on_begin(struct abt_invocation *inv)
{
	struct abt_call_state *state = inv->context;

	state->message->begun = true;
	take_response(state, inv->response);
	if (abt_arena_failed(state->call.arena))
		return; /* the end will tell */
	state->replied_epoch_us = abt_clock_epoch_us();
	abt_exchange_begin(state->x, inv->response->body);
}

static void
on_piece(struct abt_invocation *inv, struct abt_bytes data)
{
	struct abt_call_state *state = inv->context;
	size_t waiting = 0;

	if (!abt_arena_failed(state->call.arena))
		waiting = abt_exchange_write(state->x, data);
	eaten(state, waiting, data.n);
}

void
abt_message_drained(struct abt_call_state *state)
{
	if (state->message != NULL && state->message->lent)
		eaten(state, 0, 0);
}

/* ---- the end ---- */

static void
end_pieces(struct abt_call_state *state)
{
	const struct abt_rule *rule = rule_of(state->inv.rule);

	if (rule == NULL && abt_arena_failed(state->call.arena))
		rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
	if (rule == NULL) {
		abt_exchange_finish(state->x);
		return;
	}
	state->rule = rule;
	state->detail = abt_bytes_text(state->inv.detail);
	if (rule != &abt_rules[ABT_RULE_NET_CLIENT_GONE])
		abt_log_failure(state, rule);
	abt_exchange_abort(state->x);
}

/* The answer is another resource of this front, asked for in its place. */
static void
redirect(struct abt_call_state *state, const struct abt_response *response)
{
	struct abt_message *message = state->message;
	const struct abt_request *from = state->call.request;
	struct abt_request *req =
	    abt_arena_zero(state->call.arena, sizeof(*req));
	const struct abt_field *location =
	    abt_headers_named(&response->headers, ABT_BYTES("location"));
	struct abt_report report;

	if (++message->redirects > REDIRECTS_MAX || location == NULL) {
		abt_call_fail(state, &abt_rules[ABT_RULE_CGI_REDIRECTS]);
		return;
	}
	abt_report_init(&report, state->call.arena);
	if (req != NULL) {
		req->method = abt_bytes_equal(from->method, ABT_BYTES("HEAD"))
				  ? from->method
				  : ABT_BYTES("GET");
		req->target = copy(state, location->value);
		req->version = from->version;
		req->keep_alive = from->keep_alive;
		req->head_size = from->head_size;
		for (size_t i = 0; i < from->headers.count; i++) {
			const struct abt_field *field =
			    &from->headers.fields[i];

			if (field->id != ABT_FIELD_CONTENT_LENGTH &&
			    field->id != ABT_FIELD_CONTENT_TYPE &&
			    field->id != ABT_FIELD_CONTENT_ENCODING &&
			    field->id != ABT_FIELD_TRANSFER_ENCODING)
				abt_headers_add_id(&req->headers,
				    state->call.arena, field->id, field->name,
				    field->value);
		}
	}
	if (req == NULL || abt_arena_failed(state->call.arena) ||
	    abt_target_read(req, false, &report) != 0) {
		abt_call_fail(state, &abt_rules[ABT_RULE_CGI_REDIRECTS]);
		return;
	}
	message->body_over = true;
	state->call.request = req;
	memset(&state->call.match, 0, sizeof(state->call.match));
	memset(&state->inv, 0, sizeof(state->inv)); /* it may be an event's */
	abt_call_restart(state);
}

static void
on_done(struct abt_invocation *inv)
{
	struct abt_call_state *state = inv->context;
	struct abt_message *message = state->message;
	const struct abt_rule *rule = rule_of(inv->rule);
	bool broken = state->x->report.broken != NULL;

	message->lent = false;
	if (message->ended != NULL)
		*message->ended = true;
	abt_body_file_close(&message->file);
	if (inv->result != NULL)
		abt_arena_adopt(state->call.arena, inv->result);
	if (message->begun) {
		end_pieces(state);
	} else if (broken) { /* the request's body: that is the reason */
		abt_call_fail(state, state->x->report.broken);
	} else if (rule != NULL) {
		state->detail = abt_bytes_text(inv->detail);
		abt_call_fail(state, rule);
	} else if (inv->local_redirect) {
		redirect(state, inv->response);
	} else {
		take_response(state, inv->response);
		state->x->response.body = inv->response->body;
		state->x->response.has_length = false;
		if (abt_arena_failed(state->call.arena))
			abt_call_fail(
			    state, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
		else
			abt_call_reply(state);
	}
}

/* ---- the request ---- */

static void
on_body_eaten(struct abt_invocation *inv, size_t n)
{
	struct abt_call_state *state = inv->context;
	struct abt_message *message = state->message;

	message->under_way -= n < message->under_way ? n : message->under_way;
	if (!message->paused || message->under_way > ABT_STREAM_WINDOW / 4)
		return;
	message->paused = false;
	abt_exchange_resume(state->x);
}

static const struct abt_taker taker = {
	.begin = on_begin,
	.piece = on_piece,
	.body_eaten = on_body_eaten,
};

static int
make_message(struct abt_call_state *state)
{
	if (state->message != NULL)
		return 0;
	state->message =
	    abt_arena_zero(state->call.arena, sizeof(*state->message));
	if (state->message == NULL)
		return -1;
	state->message->file.fd = -1;
	return 0;
}

/* Lend the function its invocation: the answer may come before this returns. */
static void
invoke(struct abt_call_state *state, bool body_follows)
{
	struct abt_invocation *inv = &state->inv;
	struct abt_message *message = state->message;

	memset(inv, 0, sizeof(*inv));
	if (state->call.front->api != NULL) /* their own way of it */
		abt_trace_fill(&state->call);
	message->lent = true;
	message->begun = false;
	state->invoked = true;
	inv->owner = state->x->loop;
	inv->done = on_done;
	inv->context = state;
	inv->request_id = state->call.facts.request_id;
	inv->taker = &taker;
	inv->call = &state->call;
	inv->body_follows = body_follows;
	inv->body_file = message->file.fd;
	abt_function_invoke(
	    (struct abt_function *)(uintptr_t)function_of(state), inv);
}

void
abt_message_invoke(struct abt_call_state *state)
{
	if (make_message(state) != 0)
		abt_call_fail(state, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
	else
		invoke(state, false);
}

int
abt_message_head(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	bool ended = false;

	x->collecting = 0;
	x->body_max = function_of(state)->body_max;
	if (make_message(state) != 0) {
		abt_call_fail(state, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
		return -1;
	}
	if (x->request.framing == ABT_BODY_CHUNKED) {
		if (abt_body_file_open(&state->message->file, x->body_max) == 0)
			return 0;
		abt_call_fail(state, &abt_rules[ABT_RULE_CGI_FILES_FULL]);
		return -1;
	}
	/* the codec refuses what is too large, and an empty one is none */
	if (x->request.length == 0 ||
	    (x->body_max > 0 && x->request.length > x->body_max))
		return 0;
	state->message->ended = &ended;
	invoke(state, true);
	if (ended)
		return -1;
	state->message->ended = NULL;
	return 0;
}

int
abt_message_data(struct abt_call_state *state, struct abt_bytes data)
{
	struct abt_message *message = state->message;
	bool ended = false;

	if (message->file.fd >= 0) {
		if (abt_body_file_add(&message->file, data) == 0)
			return 0;
		abt_body_file_close(&message->file);
		abt_call_fail(state, &abt_rules[ABT_RULE_CGI_FILES_FULL]);
		return -1;
	}
	if (!message->lent || message->body_over)
		return 0;
	message->ended = &ended;
	message->under_way += data.n;
	abt_invocation_feed(&state->inv, data);
	if (ended)
		return -1;
	message->ended = NULL;
	message->paused = message->under_way > ABT_STREAM_WINDOW / 2;
	return message->paused ? ABT_DATA_PAUSE : 0;
}

void
abt_message_ready(struct abt_call_state *state)
{
	struct abt_message *message = state->message;
	struct abt_exchange *x = state->x;

	if (message->file.fd >= 0) {
		x->request.length = message->file.size;
		if (abt_body_file_rewind(&message->file) == 0)
			invoke(state, false);
		else
			abt_call_fail(
			    state, &abt_rules[ABT_RULE_CGI_FILES_FULL]);
	} else if (message->lent && !message->body_over) {
		message->body_over = true;
		abt_invocation_feed_end(&state->inv, false);
	} else if (!state->invoked) {
		invoke(state, false); /* Content-Length: 0 */
	}
}

/* Nobody reads any more: what waited at the socket counts as eaten, or the
 * function's end would wait for it. */
static void
leave(struct abt_call_state *state)
{
	eaten(state, 0, 0);
	abt_invocation_abandon(&state->inv);
}

bool
abt_message_broken(struct abt_call_state *state)
{
	struct abt_message *message = state->message;

	if (message == NULL)
		return false;
	abt_body_file_close(&message->file);
	if (!message->lent)
		return false;
	message->body_over = true;
	leave(state);
	return true;
}

void
abt_message_gone(struct abt_call_state *state)
{
	if (state->message != NULL && state->message->lent)
		leave(state);
}
