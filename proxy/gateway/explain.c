/*
 * explain.c - when it fails, it says why
 *
 * With "explain" on, a response that we made ourselves carries the name of its
 * rule, and a browser gets a page with rule, place, source, cure and the
 * function's own exception in place of AWS's bare one.
 */
#include "gateway/call_state.h"

#include <stdio.h>

#define PAGE_MAX 262144

static void
add_html(struct abt_buf *page, struct abt_bytes text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '<':
			abt_buf_text(page, "&lt;");
			break;
		case '>':
			abt_buf_text(page, "&gt;");
			break;
		case '&':
			abt_buf_text(page, "&amp;");
			break;
		case '"':
			abt_buf_text(page, "&quot;");
			break;
		case '\0':
			abt_buf_text(page, "&#xfffd;");
			break;
		default:
			abt_buf_char(page, text.p[i]);
		}
	}
}

static void
add_row(struct abt_buf *page, const char *name, struct abt_bytes value)
{
	if (value.n == 0)
		return;
	abt_buf_printf(page, "<dt>%s</dt><dd>", name);
	add_html(page, value);
	abt_buf_text(page, "</dd>\n");
}

static void
add_stack(struct abt_buf *page, const struct abt_json *stack)
{
	const struct abt_json *frame;

	if (!abt_json_is(stack, ABT_JSON_ARRAY))
		return;
	abt_buf_text(page, "<pre>");
	for (frame = stack->first; frame != NULL; frame = frame->next) {
		if (frame->kind != ABT_JSON_STRING)
			continue;
		add_html(page, frame->text);
		abt_buf_char(page, '\n');
	}
	abt_buf_text(page, "</pre>\n");
}

/* What the function said went wrong: its own exception. */
static void
add_exception(struct abt_buf *page, struct abt_call_state *state)
{
	const struct abt_chunk *result = state->inv.result;
	struct abt_json_error unread;
	const struct abt_json *error, *type, *message;

	if (result == NULL || result->used == 0)
		return;
	error = abt_json_scan(abt_bytes(result->data, result->used),
	    ABT_JSON_DEPTH, &state->x->arena, &unread);
	type = abt_json_get(error, "errorType");
	message = abt_json_get(error, "errorMessage");
	if (abt_json_is(type, ABT_JSON_STRING)) {
		abt_buf_text(page, "<h2>The function's error</h2>\n<p><b>");
		add_html(page, type->text);
		abt_buf_text(page, "</b> ");
		if (abt_json_is(message, ABT_JSON_STRING))
			add_html(page, message->text);
		abt_buf_text(page, "</p>\n");
		add_stack(page, abt_json_get(error, "stackTrace"));
		add_stack(page, abt_json_get(error, "trace"));
		return;
	}
	abt_buf_text(page, "<h2>The function's result</h2>\n<pre>");
	add_html(page,
	    abt_bytes(result->data, result->used < 4096 ? result->used : 4096));
	abt_buf_text(page, "</pre>\n");
}

static void
write_page(struct abt_buf *page, struct abt_call_state *state)
{
	const struct abt_rule *rule = state->rule;

	abt_buf_printf(page,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
	    "charset=\"utf-8\"><title>%d %s</title>\n<style>body{font:16px/1.5 "
	    "sans-serif;max-width:44em;margin:2em auto;padding:0 1em;"
	    "color:#222}dt{font-weight:bold;margin-top:.6em}dd{margin:0}"
	    "pre{background:#f4f4f4;padding:1em;overflow:auto;font-size:14px}"
	    "code{background:#f4f4f4;padding:.1em .3em}h1{font-size:1.4em}"
	    "h2{font-size:1.1em}</style></head>\n<body>\n<h1>%d: %s</h1>\n",
	    state->x->response.status, rule->name, state->x->response.status,
	    rule->text);
	abt_buf_printf(
	    page, "<dl>\n<dt>Rule</dt><dd><code>%s</code></dd>\n", rule->name);
	add_row(page, "Place", state->where);
	add_row(page, "Detail", state->detail);
	add_row(page, "Cure", abt_bytes_text(rule->cure));
	add_row(page, "Source", abt_bytes_text(rule->source));
	add_row(page, "What AWS logs", abt_bytes_text(rule->reason));
	if (state->inv.function != NULL)
		add_row(page, "Function",
		    abt_bytes_text(state->inv.function->name));
	if (state->invoked)
		add_row(page, "Request id",
		    abt_bytes_text(state->call.facts.request_id));
	abt_buf_text(page, "</dl>\n");
	add_exception(page, state);
	abt_buf_text(page,
	    "<p>This page is albatross's (<code>--explain</code>); AWS sends "
	    "only the status.</p>\n</body></html>\n");
}

static bool
wants_page(const struct abt_request *req)
{
	const struct abt_field *accept =
	    abt_headers_last(&req->headers, ABT_FIELD_ACCEPT);

	return accept != NULL && abt_bytes_search(accept->value,
				     ABT_BYTES("text/html")) < accept->value.n;
}

void
abt_explain(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	struct abt_buf page;
	struct abt_chunk *chunk;
	size_t i;

	abt_headers_add(&x->response.headers, &x->arena,
	    ABT_BYTES("x-albatross-rule"), abt_bytes_text(state->rule->name));
	if (!wants_page(&x->request))
		return;
	abt_buf_init(&page, x->loop->pool, PAGE_MAX);
	write_page(&page, state);
	if (!page.failed && (chunk = abt_buf_take(&page)) != NULL) {
		abt_arena_adopt(&x->arena, chunk);
		x->response.body = abt_bytes(chunk->data, chunk->used);
		for (i = 0; i < x->response.ours.count; i++)
			if (x->response.ours.fields[i].id ==
			    ABT_FIELD_CONTENT_TYPE)
				x->response.ours.fields[i].value =
				    ABT_BYTES("text/html; charset=utf-8");
	}
	abt_buf_end(&page);
}
