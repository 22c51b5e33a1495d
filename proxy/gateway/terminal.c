/*
 * terminal.c - what a person at a terminal reads: one short line a request, and
 * a function's error with its stack
 */
#include "gateway/call_state.h"

#include <stdio.h>

#include "base/log.h"

#define WIDTH     80
#define STACK_MAX 20 /* lines of a stack that are shown */

static const char *
color_of(const struct abt_call_state *state, int status)
{
	if (!state->gateway->color)
		return "";
	if (status >= 500)
		return "\033[31m";
	return status >= 400 ? "\033[33m" : "\033[32m";
}

void
abt_terminal_line(struct abt_call_state *state)
{
	const struct abt_exchange *x = state->x;
	const struct abt_request *req = &x->request;
	bool left = state->client_left || x->client_left;
	int status = left ? 460 : x->response.status;
	const char *off = state->gateway->color ? "\033[0m" : "";
	const struct abt_rule *rule =
	    left ? &abt_rules[ABT_RULE_NET_CLIENT_GONE] : state->rule;
	char path[2 * WIDTH], line[4 * WIDTH];
	double ms = (double)(x->reply_us - x->begin_us) / 1000.0;
	size_t room, n;
	int size;

	/* status, time and rule stay readable; a long path is cut */
	room = WIDTH - 24 - (rule != NULL ? strlen(rule->name) + 2 : 0);
	n = abt_log_escape(path, sizeof(path), req->path);
	if (n > room)
		memcpy(path + room - 3, "...", 3);
	size = snprintf(line, sizeof(line), "%s%d%s %-7.*s %.*s %.1f ms%s%s",
	    color_of(state, status), status, off, ABT_FMT(req->method),
	    (int)(n > room ? room : n), path, ms, rule != NULL ? "  " : "",
	    rule != NULL ? rule->name : "");
	if (size > 0)
		abt_log_line(abt_bytes(line, (size_t)size < sizeof(line)
						 ? (size_t)size
						 : sizeof(line) - 1));
}

/* ---- a function's error ---- */

/* "trace" of Node, "stackTrace" of Python and others; its lines. */
static const struct abt_json *
stack_of(const struct abt_json *error)
{
	const struct abt_json *stack = abt_json_get(error, "stackTrace");

	if (!abt_json_is(stack, ABT_JSON_ARRAY))
		stack = abt_json_get(error, "trace");
	return abt_json_is(stack, ABT_JSON_ARRAY) ? stack : NULL;
}

static void
log_lines(struct abt_call_state *state, struct abt_bytes text)
{
	const char *name = state->inv.function->name;
	struct abt_bytes rest = text, line;

	while (abt_bytes_next(&rest, '\n', &line))
		if (line.n > 0)
			abt_log_output(name, state->inv.request_id, line);
}

static void
log_stack(struct abt_call_state *state, const struct abt_json *stack,
    struct abt_bytes headline)
{
	const struct abt_json *frame;
	unsigned shown = 0;

	if (stack == NULL)
		return;
	for (frame = stack->first; frame != NULL; frame = frame->next) {
		if (frame->kind != ABT_JSON_STRING ||
		    abt_bytes_equal(frame->text, headline))
			continue; /* Node repeats its headline */
		if (shown++ == STACK_MAX) {
			log_lines(state, ABT_BYTES("  ..."));
			break;
		}
		log_lines(state, frame->text);
	}
}

/*
 * Why the function gave no result: type, message and stack of its error, where
 * its runtime has not shown them already.  Only for a person at a terminal:
 * elsewhere the runtime's own lines stand in the log.
 */
void
abt_log_function_error(struct abt_call_state *state)
{
	struct abt_invocation *inv = &state->inv;
	struct abt_json_error unread;
	const struct abt_json *error = NULL, *type, *message;
	struct abt_bytes headline;

	if (!state->gateway->terminal)
		return;
	if (inv->result != NULL && inv->function_error &&
	    (inv->rule == NULL ||
		inv->rule == &abt_rules[ABT_RULE_FUNCTION_ERROR]))
		error = abt_json_scan(
		    abt_bytes(inv->result->data, inv->result->used),
		    ABT_JSON_DEPTH, &state->x->arena, &unread);
	type = abt_json_get(error, "errorType");
	message = abt_json_get(error, "errorMessage");
	if (!abt_json_is(type, ABT_JSON_STRING) ||
	    !abt_json_is(message, ABT_JSON_STRING)) {
		if (inv->detail != NULL && inv->detail[0] != '\0')
			log_lines(state, abt_bytes_text(inv->detail));
		return;
	}
	if (inv->printed)
		return;
	headline = abt_arena_printf(&state->x->arena, "%.*s: %.*s",
	    ABT_FMT(type->text), ABT_FMT(message->text));
	log_lines(state, headline);
	log_stack(state, stack_of(error), headline);
}
