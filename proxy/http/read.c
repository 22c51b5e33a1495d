/*
 * read.c - a whole request out of raw bytes, without a connection
 */
#include "http/read.h"

#include "http/framing.h"
#include "http/h1_body.h"
#include "http/h1_head.h"
#include "http/judge.h"

static ssize_t
read_sized(struct abt_bytes raw, size_t head, const struct abt_policy *policy,
    struct abt_request *req, struct abt_report *report)
{
	if (policy->body_max > 0 && req->length > policy->body_max)
		return abt_break(report, ABT_RULE_NET_BODY_LARGE,
		    ABT_BYTES("content-length"));
	if (raw.n - head < req->length)
		return 0;
	req->body = abt_bytes(raw.p + head, (size_t)req->length);
	return (ssize_t)(head + (size_t)req->length);
}

static ssize_t
read_chunked(struct abt_bytes raw, size_t head, const struct abt_policy *policy,
    struct abt_arena *arena, struct abt_request *req, struct abt_report *report)
{
	struct abt_bytes in = abt_bytes(raw.p + head, raw.n - head), data;
	char *body = abt_arena_alloc(arena, in.n);
	struct abt_chunked chunked;
	enum abt_chunked_result got;
	size_t size = 0;

	abt_chunked_init(&chunked, !policy->strict_h1);
	for (;;) {
		got = abt_chunked_read(&chunked, &in, &data, &req->trailers,
		    arena, policy->head_max, report);
		if (got != ABT_CHUNKED_DATA)
			break;
		if (policy->body_max > 0 && size + data.n > policy->body_max)
			return abt_break(
			    report, ABT_RULE_NET_BODY_LARGE, ABT_BYTES("body"));
		if (body != NULL)
			memcpy(body + size, data.p, data.n);
		size += data.n;
	}
	if (got == ABT_CHUNKED_BROKEN)
		return -1;
	if (got == ABT_CHUNKED_MORE)
		return 0;
	if (chunked.bare_lf)
		req->keep_alive = false;
	req->body = abt_bytes(body, body != NULL ? size : 0);
	return (ssize_t)(raw.n - in.n);
}

ssize_t
abt_request_read(struct abt_bytes raw, const struct abt_policy *policy,
    int (*on_head)(
	void *context, struct abt_request *req, struct abt_report *report),
    void *context, struct abt_arena *arena, struct abt_request *req,
    struct abt_report *report)
{
	size_t head = abt_h1_head_end(raw, 0);

	if (head == 0)
		return abt_h1_head_partial(raw, policy, report);
	if (abt_h1_head_read(
		abt_bytes(raw.p, head), policy, arena, req, report) != 0 ||
	    abt_framing_decide(req, policy, report) != 0 ||
	    abt_judge(req, policy, report) != 0)
		return -1;
	if (on_head != NULL && on_head(context, req, report) != 0)
		return -1;
	if (req->framing == ABT_BODY_LENGTH)
		return read_sized(raw, head, policy, req, report);
	if (req->framing == ABT_BODY_CHUNKED)
		return read_chunked(raw, head, policy, arena, req, report);
	return (ssize_t)head;
}
