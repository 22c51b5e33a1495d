/*
 * bootstrap_post.c - answers of programs become results for the Runtime API
 *
 * A whole result is collected and posted; a streamed one is posted as it comes:
 * the prelude, eight NULs, then the body (lambda.md R1).  An error before
 * anything was posted is reported as the function's; one in the middle of a
 * stream cuts the post, which is how the Runtime API learns that the rest is
 * missing.
 */
#include "bootstrap/bootstrap_private.h"

#include <stdio.h>

#include "base/log.h"

#define RESULT_MAX  (7u << 20) /* Lambda takes 6 MB */
#define HELD_MAX    65536      /* pieces that wait before the source pauses */
#define STREAM_TYPE "application/vnd.awslambda.http-integration-response"

/* ---- events of a post ---- */

static int
on_data(struct abt_ask *ask, struct abt_bytes data)
{
	(void)ask;
	(void)data;
	return 0;
}

static void
on_drained(struct abt_ask *ask)
{
	struct abt_bootstrap *b = ask->context;

	if (b->working)
		b->answerer->resume(b);
}

static void
on_end(struct abt_ask *ask)
{
	struct abt_bootstrap *b = ask->context;

	b->posting = false;
	if (ask->failure != ABT_ASK_GOOD)
		abt_error(
		    "cannot post a result: the Runtime API: %s", ask->why);
	else if (ask->response.status >= 300)
		abt_error("a result was refused by the Runtime API with "
			  "status %d",
		    ask->response.status);
	if (b->working) { /* a stream that nobody wants any more */
		b->working = false;
		b->answerer->stop(b);
	}
	abt_bootstrap_posted(b);
}

static const struct abt_ask_events post_events = {
	.data = on_data,
	.drained = on_drained,
	.end = on_end,
};

static void
add_header(struct abt_bootstrap *b, const char *name, const char *value)
{
	abt_headers_add(&b->post.headers, &b->arena, abt_bytes_text(name),
	    abt_bytes_text(value));
}

static void
prepare(struct abt_bootstrap *b, const char *path,
    const struct abt_ask_events *events)
{
	memset(&b->post, 0, sizeof(b->post));
	b->post.events = events;
	b->post.context = b;
	b->post.server = b->server;
	b->post.method = ABT_BYTES("POST");
	if (path != b->path)
		snprintf(b->path, sizeof(b->path), "%s", path);
	b->post.target = abt_bytes_text(b->path);
	b->posting = true;
}

static void
set_path(struct abt_bootstrap *b, const char *what)
{
	snprintf(b->path, sizeof(b->path),
	    "/2018-06-01/runtime/invocation/%s/%s", b->id, what);
}

/* ---- errors ---- */

void
abt_post_error(struct abt_bootstrap *b, const char *path,
    const struct abt_ask_events *events, const char *type, const char *message)
{
	struct abt_buf text;
	struct abt_json_out out;

	prepare(b, path, events);
	add_header(b, "Content-Type", "application/json");
	add_header(b, "Lambda-Runtime-Function-Error-Type", type);
	abt_buf_init(&text, NULL, 4096);
	abt_json_out_init(&out, &text);
	abt_json_object(&out, NULL);
	abt_json_text(&out, "errorMessage", message);
	abt_json_text(&out, "errorType", type);
	abt_json_array(&out, "stackTrace");
	abt_json_close(&out);
	abt_json_close(&out);
	b->post.body = abt_json_out_failed(&out)
			   ? ABT_BYTES("{\"errorType\":\"Runtime.Unknown\"}")
			   : abt_arena_copy(&b->arena, abt_buf_bytes(&text));
	abt_buf_end(&text);
	abt_ask_start(b->client, &b->post);
}

static void
fail(struct abt_bootstrap *b, const char *type, const char *message)
{
	abt_error("%s %s: %s", b->id, type, message);
	b->working = false;
	if (b->streamed) {
		abt_ask_cancel(&b->post);
		b->posting = false;
		abt_bootstrap_posted(b);
		return;
	}
	set_path(b, "error");
	abt_post_error(b, b->path, &post_events, type, message);
}

void
abt_answer_fail(
    struct abt_bootstrap *b, const char *type, const char *format, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	fail(b, type, message);
}

/* ---- results ---- */

/* The result into |text|.  0, or -1 with the error posted. */
static int
write_result(struct abt_bootstrap *b, bool prelude, struct abt_buf *text)
{
	struct abt_json_out out;
	int rc;

	abt_json_out_init(&out, text);
	rc = b->origin.dialect->write_result(
	    &b->origin, &b->response, prelude, &out, &b->report);
	if (rc == 0 && !abt_json_out_failed(&out) &&
	    !abt_arena_failed(&b->arena))
		return 0;
	abt_answer_fail(b, "Runtime.ResultNotWritten", "%s",
	    b->report.broken != NULL ? b->report.broken->text
				     : "the answer is too large for a result");
	return -1;
}

static void
begin_stream(struct abt_bootstrap *b)
{
	struct abt_buf text;

	abt_buf_init(&text, b->loop->pool, RESULT_MAX);
	if (write_result(b, true, &text) == 0) {
		abt_buf_add(&text, abt_bytes("\0\0\0\0\0\0\0\0", 8));
		set_path(b, "response");
		prepare(b, b->path, &post_events);
		add_header(b, "Content-Type", STREAM_TYPE);
		add_header(
		    b, "Lambda-Runtime-Function-Response-Mode", "streaming");
		b->post.body_follows = true;
		b->streamed = true;
		abt_ask_start(b->client, &b->post);
		abt_ask_write(&b->post, abt_buf_bytes(&text));
	} else {
		b->answerer->stop(b);
	}
	abt_buf_end(&text);
}

/* One function may stand behind doors that stream and others. */
void
abt_answer_begin(struct abt_bootstrap *b)
{
	if (b->options->stream && b->origin.dialect->streams != NULL)
		begin_stream(b);
}

size_t
abt_answer_piece(struct abt_bootstrap *b, struct abt_bytes data)
{
	size_t waits;

	if (!b->working)
		return 0;
	if (b->streamed) {
		waits = abt_ask_write(&b->post, data);
		return waits > HELD_MAX ? waits : 0;
	}
	abt_buf_add(&b->body, data);
	if (b->body.failed) {
		abt_answer_fail(b, "Function.ResponseSizeTooLarge",
		    "the answer is larger than a result may be");
		b->answerer->stop(b);
	}
	return 0;
}

void
abt_answer_end(struct abt_bootstrap *b)
{
	struct abt_buf text;

	if (!b->working)
		return;
	b->working = false;
	if (b->streamed) {
		abt_ask_finish(&b->post);
		return;
	}
	b->response.body = abt_buf_bytes(&b->body);
	abt_buf_init(&text, b->loop->pool, 3 * RESULT_MAX);
	if (write_result(b, false, &text) == 0) {
		set_path(b, "response");
		prepare(b, b->path, &post_events);
		add_header(b, "Content-Type", "application/json");
		b->post.body = abt_buf_bytes(&text);
		abt_arena_adopt(&b->arena, abt_buf_take(&text));
		abt_ask_start(b->client, &b->post);
	}
	abt_buf_end(&text);
}
