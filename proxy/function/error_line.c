/*
 * error_line.c - an error as a runtime prints it, readable at a terminal
 *
 * Runtimes print the errors of handlers themselves: Python as lines, Node as
 * AWS does, one line of JSON behind "ERROR".  In a log that line stays as it
 * is; a person reading along gets type, message and frames, one a line, without
 * the frames of our own client and of Node below the function's.
 */
#include "function/function.h"

#include "albatross/json.h"
#include "base/log.h"

#define MARK       "\tERROR\t"
#define FRAMES_MAX 20

bool
abt_error_line_is(struct abt_bytes text)
{
	return abt_bytes_starts(text, ABT_BYTES("[ERROR]")) ||
	       abt_bytes_starts(text, ABT_BYTES("Traceback ")) ||
	       abt_bytes_search(text, ABT_BYTES(MARK)) < text.n;
}

/* A frame that is not the function's: Node's own, or of our client. */
static bool
is_inner(struct abt_bytes frame)
{
	return abt_bytes_search(frame, ABT_BYTES("/albatross-runtime.mjs:")) <
		   frame.n ||
	       abt_bytes_search(frame, ABT_BYTES("(node:")) < frame.n;
}

static void
log_frames(const char *function, const char *id, const struct abt_json *stack)
{
	const struct abt_json *frame = stack->first;
	unsigned shown = 0;

	/* the first one repeats type and message */
	for (frame = frame != NULL ? frame->next : NULL; frame != NULL;
	     frame = frame->next) {
		if (frame->kind != ABT_JSON_STRING || is_inner(frame->text))
			continue;
		if (shown++ == FRAMES_MAX) {
			abt_log_output(function, id, ABT_BYTES("    ..."));
			break;
		}
		abt_log_output(function, id, frame->text);
	}
}

static bool
unfold(const char *function, const char *id, struct abt_bytes json,
    struct abt_arena *arena)
{
	struct abt_json_error unread;
	const struct abt_json *error, *type, *message, *stack;
	struct abt_bytes rest, line;

	error = abt_json_scan(json, ABT_JSON_DEPTH, arena, &unread);
	type = abt_json_get(error, "errorType");
	message = abt_json_get(error, "errorMessage");
	stack = abt_json_get(error, "stack");
	if (!abt_json_is(type, ABT_JSON_STRING) ||
	    !abt_json_is(message, ABT_JSON_STRING) ||
	    !abt_json_is(stack, ABT_JSON_ARRAY))
		return false;
	rest = abt_arena_printf(arena, "[ERROR] %.*s: %.*s",
	    ABT_FMT(type->text), ABT_FMT(message->text));
	if (rest.n == 0)
		return false;
	while (abt_bytes_next(&rest, '\n', &line))
		if (line.n > 0)
			abt_log_output(function, id, line);
	log_frames(function, id, stack);
	return true;
}

bool
abt_error_line_unfold(
    const char *function, const char *id, struct abt_bytes text)
{
	struct abt_bytes rest;
	struct abt_arena arena;
	size_t mark, n;
	bool done;

	if (!abt_log_is_read())
		return false;
	mark = abt_bytes_search(text, ABT_BYTES(MARK));
	if (mark == text.n)
		return false;
	n = mark + sizeof(MARK) - 1;
	rest = abt_bytes(text.p + n, text.n - n);
	/* "Invoke Error", "Uncaught Exception" or another name before it */
	n = abt_bytes_find(rest, '\t');
	if (n + 1 >= rest.n || rest.p[n + 1] != '{')
		return false;
	rest = abt_bytes(rest.p + n + 1, rest.n - n - 1);
	abt_arena_init(&arena, NULL);
	done = unfold(function, id, rest, &arena);
	abt_arena_end(&arena);
	return done;
}
