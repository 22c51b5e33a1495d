/*
 * rest_body.c - bodies of REST APIs: which are binary, which are compressed
 * (apigw.md 1.6, 1.11, 1.12)
 */
#include "dialect/rest.h"

#include "http/coding.h"

/* ---- binary media types ---- */

/* |entry| in templates has "~1" for the slash (R4.7). */
static struct abt_bytes
next_part(struct abt_bytes *rest)
{
	size_t slash = abt_bytes_find(*rest, '/');
	size_t tilde = abt_bytes_search(*rest, ABT_BYTES("~1"));
	size_t end = slash < tilde ? slash : tilde;
	size_t skip = end == rest->n ? 0 : slash < tilde ? 1 : 2;
	struct abt_bytes part = abt_bytes(rest->p, end);

	rest->p += end + skip;
	rest->n -= end + skip;
	return part;
}

static bool
covers(struct abt_bytes entry, struct abt_bytes type)
{
	const struct abt_bytes any = ABT_BYTES("*");
	struct abt_bytes major = next_part(&entry);

	if (abt_bytes_equal(major, any))
		return abt_bytes_equal(entry, any); /* R4.4: no left ones */
	return type.n > 0 && abt_bytes_equal_nocase(major, next_part(&type)) &&
	       (abt_bytes_equal(entry, any) ||
		   abt_bytes_equal_nocase(entry, type));
}

bool
abt_rest_is_binary(const struct abt_front *front, struct abt_bytes type)
{
	const struct abt_list *types = &abt_rest(front)->binary_types;
	size_t i;

	type.n = abt_bytes_find(type, ';');
	type = abt_bytes_trim(type);
	for (i = 0; i < types->count; i++)
		if (covers(types->items[i], type))
			return true;
	return false;
}

/* ---- the request's coding (R4.6) ---- */

/* A request like |req| with another body. */
static int
replace_body(struct abt_call *call, struct abt_bytes body)
{
	struct abt_request *copy = abt_arena_alloc(call->arena, sizeof(*copy));

	if (copy == NULL)
		return 0; /* the arena remembers */
	*copy = *call->request;
	copy->body = body;
	call->request = copy;
	return 0;
}

int
abt_rest_decode_body(struct abt_call *call, struct abt_report *report)
{
	const struct abt_request *req = call->request;
	const struct abt_field *field =
	    abt_headers_last(&req->headers, ABT_FIELD_CONTENT_ENCODING);
	size_t max =
	    call->front->limits_off ? SIZE_MAX / 4 : ABT_REST_PAYLOAD_MAX;
	enum abt_coding coding;
	struct abt_bytes body;

	if (field == NULL || req->body.n == 0 ||
	    !abt_rest_compresses(call->front))
		return 0;
	coding = abt_coding_find(field->value);
	if (coding == ABT_CODING_IDENTITY)
		return 0;
	switch (abt_coding_decode(coding, req->body, max, call->arena, &body)) {
	case ABT_CODING_DONE:
		return replace_body(call, body);
	case ABT_CODING_LARGE:
		return abt_break(report, ABT_RULE_REST_BODY_LARGE,
		    ABT_BYTES("content-encoding"));
	case ABT_CODING_FAILED:
		return 0; /* the arena remembers */
	case ABT_CODING_BROKEN:
		break;
	}
	return abt_break(
	    report, ABT_RULE_REST_CODING, ABT_BYTES("content-encoding"));
}

/* ---- the response's coding (1.12) ---- */

static enum abt_coding
wanted_coding(const struct abt_call *call)
{
	const struct abt_field *accept = abt_headers_named(
	    &call->request->headers, ABT_BYTES("Accept-Encoding"));

	return accept != NULL ? abt_coding_choose(accept->value)
			      : ABT_CODING_IDENTITY;
}

void
abt_rest_compress(const struct abt_call *call, struct abt_response *response)
{
	int64_t from = abt_rest(call->front)->compress_from;
	enum abt_coding coding;
	struct abt_bytes packed;

	if (!abt_rest_compresses(call->front) ||
	    response->body.n < (uint64_t)from || response->body.n == 0 ||
	    abt_headers_first(&response->headers, ABT_FIELD_CONTENT_ENCODING) !=
		NULL)
		return;
	coding = wanted_coding(call);
	if (coding == ABT_CODING_IDENTITY ||
	    abt_coding_encode(coding, response->body, call->arena, &packed) !=
		ABT_CODING_DONE)
		return;
	response->body = packed;
	abt_headers_add_id(&response->headers, call->arena,
	    ABT_FIELD_CONTENT_ENCODING, ABT_BYTES("Content-Encoding"),
	    coding == ABT_CODING_GZIP ? ABT_BYTES("gzip")
				      : ABT_BYTES("deflate"));
}
