/*
 * translate.c - the two calls of albatross.h: event from request, response from
 * result
 *
 * The same steps as the gateway's, one after another without a wait.
 */
#include "albatross.h"

#include "http/read.h"

#define EVENT_MAX 6291556 /* lambda.md R1.23 */

static int
admit_head(void *context, struct abt_request *req, struct abt_report *report)
{
	const struct abt_call *call = context;

	return call->front->dialect->admit(call, req, report);
}

/* A response that the front gives: its last word on it. */
static int
finish(const struct abt_call *call, struct abt_response *response)
{
	if (call->front->dialect->finish != NULL)
		call->front->dialect->finish(call, response);
	return 1;
}

/* The front answers by itself: with |report|'s broken rule. */
static int
refuse(const struct abt_call *call, struct abt_response *response,
    const struct abt_report *report)
{
	const struct abt_rule *rule = report->broken;

	if (abt_arena_failed(call->arena))
		rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
	memset(response, 0, sizeof(*response));
	call->front->dialect->write_failure(call, rule, response);
	return finish(call, response);
}

static int
write_event(
    struct abt_call *call, struct abt_bytes *event, struct abt_report *report)
{
	const struct abt_request *req = call->request;
	struct abt_json_out out;
	struct abt_chunk *chunk;
	struct abt_buf buf;
	int rc;

	abt_buf_init(&buf, call->arena->pool,
	    call->front->limits_off ? SIZE_MAX / 2 : EVENT_MAX);
	abt_buf_room(
	    &buf, abt_base64_length(req->body.n) + 2 * req->head_size + 512);
	abt_json_out_init(&out, &buf);
	rc = call->front->dialect->write_event(call, &out, report);
	if (rc == 0 && abt_json_out_failed(&out)) {
		rc = abt_break(report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	}
	chunk = abt_buf_take(&buf);
	abt_buf_end(&buf);
	if (chunk != NULL) {
		*event = abt_bytes(chunk->data, chunk->used);
		abt_arena_adopt(call->arena, chunk);
	}
	return rc;
}

int
abt_event_from_request(struct abt_call *call, struct abt_bytes raw,
    struct abt_bytes *event, struct abt_response *response,
    struct abt_report *report)
{
	const struct abt_dialect *dialect = call->front->dialect;
	struct abt_request *req = abt_arena_zero(call->arena, sizeof(*req));
	ssize_t used;

	*event = abt_bytes(NULL, 0);
	if (req == NULL)
		return refuse(call, response, report);
	call->request = req;
	used = abt_request_read(raw, &call->front->policy, admit_head, call,
	    call->arena, req, report);
	if (used == 0 && !abt_arena_failed(call->arena))
		return -1;
	if (used < 0 || abt_arena_failed(call->arena))
		return refuse(call, response, report);
	if (dialect->answer != NULL &&
	    dialect->answer(call, response, report) != 0)
		return finish(call, response);
	if (dialect->route(call, report) != 0)
		return refuse(call, response, report);
	if (call->match.action != ABT_FORWARD) {
		if (dialect->write_action(call, response, report) != 0)
			return refuse(call, response, report);
		return finish(call, response);
	}
	if (write_event(call, event, report) != 0 ||
	    abt_arena_failed(call->arena))
		return refuse(call, response, report);
	return 0;
}

int
abt_response_from_result(const struct abt_call *call, struct abt_bytes result,
    bool function_error, struct abt_response *response,
    struct abt_report *report)
{
	const struct abt_dialect *dialect = call->front->dialect;
	struct abt_json_error error = { 0 };
	const struct abt_json *tree = NULL;

	if (function_error) {
		abt_break(report, ABT_RULE_FUNCTION_ERROR, ABT_BYTES(""));
		refuse(call, response, report);
		return -1;
	}
	if (report->collect || abt_result_fits(call->front, result.n))
		tree =
		    abt_json_scan(result, ABT_JSON_DEPTH, call->arena, &error);
	if (!abt_arena_failed(call->arena) &&
	    dialect->read_result(
		call, result, tree, &error, response, report) == 0 &&
	    !abt_arena_failed(call->arena)) {
		finish(call, response);
		return 0;
	}
	refuse(call, response, report);
	return -1;
}
