/*
 * cgi_answer.c - the output of a CGI program becomes a result
 *
 * The head is read whole, then pieces go to the caller as they come.  A short
 * answer whose end comes at once goes whole, with its length: most programs
 * print it and end.
 */
#include "function/cgi_answer.h"

#include "function/cgi.h"
#include "function/link.h"

#define EARLY_MAX 16384

void
abt_cgi_answer_init(
    struct abt_cgi_answer *answer, struct abt_pool *pool, int64_t output_max)
{
	memset(answer, 0, sizeof(*answer));
	answer->rule = ABT_NO_RULE;
	answer->pool = pool;
	answer->output_max = (uint64_t)output_max;
	abt_buf_init(&answer->early, pool, (size_t)8 << 20);
}

void
abt_cgi_answer_free(struct abt_cgi_answer *answer)
{
	abt_buf_end(&answer->early);
}

static int
fail(struct abt_cgi_answer *answer, enum abt_rule_id rule)
{
	answer->rule = rule;
	answer->stage = ABT_CGI_REST;
	return -1;
}

/* R10.35: what is over the Content-Length is discarded. */
static struct abt_bytes
limited(struct abt_cgi_answer *answer, struct abt_bytes data)
{
	answer->printed += data.n;
	if (!answer->has_length)
		return data;
	if (data.n > answer->left)
		data.n = (size_t)answer->left;
	answer->left -= data.n;
	return data;
}

static int
give(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    struct abt_bytes data)
{
	data = limited(answer, data);
	if (answer->output_max > 0 && answer->printed > answer->output_max)
		return fail(answer, ABT_RULE_CGI_OUTPUT_LARGE);
	if (data.n > 0 && !abt_result_piece(inv, data))
		return ABT_CGI_FULL;
	return 0;
}

/* The head goes out, with the beginning of the body. */
static int
begin(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    enum abt_cgi_stage stage)
{
	struct abt_bytes first = limited(answer, abt_buf_bytes(&answer->early));

	answer->stage = stage;
	/* the caller may be on another loop */
	answer->response->body = abt_arena_copy(answer->arena, first);
	abt_buf_end(&answer->early);
	if (abt_arena_failed(answer->arena))
		return fail(answer, ABT_RULE_NET_NO_MEMORY);
	abt_result_begin(inv);
	return 0;
}

int
abt_cgi_answer_flush(struct abt_cgi_answer *answer, struct abt_invocation *inv)
{
	if (answer->stage != ABT_CGI_EARLY)
		return 0;
	return begin(answer, inv, ABT_CGI_BODY);
}

/* More of the body, as long as it may all be one answer. */
static int
hold_early(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    struct abt_bytes data)
{
	size_t room = EARLY_MAX - answer->early.n;
	struct abt_bytes rest = { NULL, 0 };

	if (data.n > room) {
		rest = abt_bytes(data.p + room, data.n - room);
		data.n = room;
	}
	abt_buf_add(&answer->early, data);
	if (answer->early.failed)
		return fail(answer, ABT_RULE_NET_NO_MEMORY);
	if (rest.n == 0)
		return 0;
	if (begin(answer, inv, ABT_CGI_BODY) != 0)
		return -1;
	return give(answer, inv, rest);
}

/* ---- the head ---- */

static bool
has_no_body(const struct abt_invocation *inv, int status)
{
	return status == 204 || status == 304 ||
	       abt_bytes_equal(inv->call->request->method, ABT_BYTES("HEAD"));
}

static int
read_head(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    struct abt_bytes text)
{
	struct abt_report report;
	struct abt_response *response = abt_link_response(inv, &answer->arena);
	struct abt_bytes copy = abt_arena_copy(answer->arena, text);

	answer->response = response;
	abt_report_init(&report, answer->arena);
	if (copy.p == NULL)
		return fail(answer, ABT_RULE_NET_NO_MEMORY);
	if (abt_cgi_head_read(
		copy, answer->arena, response, &answer->local, &report) != 0)
		return fail(answer, abt_rule_id(report.broken));
	if (abt_arena_failed(answer->arena))
		return fail(answer, ABT_RULE_NET_NO_MEMORY);
	answer->has_length = response->has_length;
	answer->left = response->length;
	return 0;
}

/* The head is whole; |rest| stands behind it. */
static int
take_whole_head(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    struct abt_bytes head, struct abt_bytes rest)
{
	int rc = read_head(answer, inv, head);

	abt_buf_end(&answer->early); /* it stood there, or nothing */
	if (rc != 0)
		return -1;
	if (answer->local) {
		answer->stage = ABT_CGI_REST;
		return 0;
	}
	if (has_no_body(inv, answer->response->status))
		return begin(answer, inv, ABT_CGI_REST);
	answer->stage = ABT_CGI_EARLY;
	return hold_early(answer, inv, rest);
}

static int
take_head(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    struct abt_bytes data)
{
	struct abt_bytes all = data;
	size_t seen = answer->early.n, end, rest;

	if (seen > 0) {
		abt_buf_add(&answer->early, data);
		all = abt_buf_bytes(&answer->early);
	}
	if (answer->early.failed)
		return fail(answer, ABT_RULE_NET_NO_MEMORY);
	end = abt_cgi_head_end(all, seen);
	if (end == 0 && all.n > ABT_CGI_HEAD_MAX)
		return fail(answer, ABT_RULE_CGI_HEAD_LARGE);
	if (end == 0) {
		if (seen == 0)
			abt_buf_add(&answer->early, data);
		return 0;
	}
	rest = all.n - end; /* it came with |data| */
	return take_whole_head(answer, inv, abt_bytes(all.p, end),
	    abt_bytes(data.p + data.n - rest, rest));
}

int
abt_cgi_answer_take(struct abt_cgi_answer *answer, struct abt_invocation *inv,
    struct abt_bytes data)
{
	switch (answer->stage) {
	case ABT_CGI_HEAD:
		return take_head(answer, inv, data);
	case ABT_CGI_EARLY:
		return hold_early(answer, inv, data);
	case ABT_CGI_BODY:
		return give(answer, inv, data);
	default:
		return 0;
	}
}

/* ---- the end ---- */

/* All of it is there: one answer with its length. */
static int
give_whole(struct abt_cgi_answer *answer, struct abt_invocation *inv)
{
	struct abt_bytes body = limited(answer, abt_buf_bytes(&answer->early));
	struct abt_chunk *chunk = abt_chunk_new(answer->pool, body.n + 1);

	if (chunk == NULL)
		return fail(answer, ABT_RULE_NET_NO_MEMORY);
	if (body.n > 0)
		memcpy(chunk->data, body.p, body.n);
	chunk->used = body.n;
	answer->response->body = abt_bytes(chunk->data, body.n);
	abt_result_take(inv, chunk);
	return 0;
}

int
abt_cgi_answer_end(struct abt_cgi_answer *answer, struct abt_invocation *inv)
{
	if (answer->stage == ABT_CGI_HEAD)
		return fail(answer, answer->early.n > 0
					? ABT_RULE_CGI_HEAD_SHORT
					: ABT_RULE_CGI_NO_OUTPUT);
	if (answer->stage == ABT_CGI_EARLY) {
		if (!answer->has_length || answer->early.n >= answer->left)
			return give_whole(answer, inv);
		if (begin(answer, inv, ABT_CGI_BODY) != 0)
			return -1;
	}
	if (answer->stage == ABT_CGI_BODY && answer->has_length &&
	    answer->left > 0)
		return fail(answer, ABT_RULE_CGI_BODY_SHORT);
	inv->local_redirect = answer->local;
	return 0;
}
