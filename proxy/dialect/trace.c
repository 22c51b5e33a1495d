/*
 * trace.c - the trace header of API Gateway and function URLs
 *
 * Unlike a load balancer these services add no Self: they keep the client's
 * Root, or make one.
 */
#include "dialect/trace.h"

#include "base/ids.h"

struct parts {
	struct abt_bytes root, parent, sampled;
};

/* "Root=a;Parent=b;Sampled=1": names are exact, the first of each counts. */
static struct parts
split(struct abt_bytes sent)
{
	struct parts parts = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	struct abt_bytes piece;

	while (abt_bytes_next(&sent, ';', &piece)) {
		struct abt_bytes part = abt_bytes_trim(piece);
		size_t equals = abt_bytes_find(part, '=');
		struct abt_bytes name = abt_bytes(part.p, equals), value;

		if (equals + 1 >= part.n)
			continue;
		value = abt_bytes(part.p + equals + 1, part.n - equals - 1);
		if (parts.root.n == 0 &&
		    abt_bytes_equal(name, ABT_BYTES("Root")))
			parts.root = value;
		else if (parts.parent.n == 0 &&
			 abt_bytes_equal(name, ABT_BYTES("Parent")))
			parts.parent = value;
		else if (parts.sampled.n == 0 &&
			 abt_bytes_equal(name, ABT_BYTES("Sampled")))
			parts.sampled = value;
	}
	return parts;
}

static char *
put(char *at, struct abt_bytes b)
{
	memcpy(at, b.p, b.n);
	return at + b.n;
}

/* Root, Parent and Sampled; whose Root is new, that is the header of the event
 * too. */
static struct abt_bytes
join(struct abt_arena *arena, const struct parts *parts)
{
	size_t n = parts->root.n + parts->parent.n + parts->sampled.n + 32;
	char *out = abt_arena_alloc(arena, n), *at = out;

	if (out == NULL)
		return abt_bytes(NULL, 0); /* the arena remembers */
	at = put(at, ABT_BYTES("Root="));
	at = put(at, parts->root);
	at = put(at, ABT_BYTES(";Parent="));
	at = put(at, parts->parent);
	at = put(at, ABT_BYTES(";Sampled="));
	at = put(at, parts->sampled);
	return abt_bytes(out, (size_t)(at - out));
}

void
abt_trace_fill(struct abt_call *call)
{
	const struct abt_facts *facts = &call->facts;
	const struct abt_field *sent = abt_headers_last(
	    &call->request->headers, ABT_FIELD_X_AMZN_TRACE_ID);
	struct parts parts =
	    split(sent != NULL ? sent->value : abt_bytes(NULL, 0));
	bool is_new = parts.root.n == 0;
	char root[36], parent[17];

	if (is_new) {
		abt_id_trace(root, facts->epoch_us / 1000000, facts->random);
		parts = (struct parts){ .root = abt_bytes(root, 35) };
	}
	if (parts.parent.n == 0) {
		abt_id_hex(parent, facts->random + 12, 8);
		parts.parent = abt_bytes(parent, 16);
	}
	if (parts.sampled.n == 0)
		parts.sampled = ABT_BYTES("0");
	call->invoke_trace = join(call->arena, &parts);
	if (!is_new)
		call->trace_id = sent->value;
	else if (call->invoke_trace.n > 0)
		call->trace_id = abt_bytes(call->invoke_trace.p, 5 + 35);
}

bool
abt_trace_is_full(struct abt_bytes sent)
{
	struct parts parts;

	if (sent.n <= 5 + 35) /* a Root of ours alone */
		return false;
	parts = split(sent);
	return parts.root.n > 0 && parts.parent.n > 0 && parts.sampled.n > 0;
}
