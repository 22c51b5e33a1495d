/*
 * dialect.h - the contract of an event format
 *
 * A dialect is how one kind of front writes events and reads results.  It is
 * one file with one const entry and one line in dialect/dialects.def.  All its
 * functions are pure: the same ones serve the gateway, `albatross event`,
 * `albatross check` and the tests.
 */
#ifndef ALBATROSS_DIALECT_H
#define ALBATROSS_DIALECT_H

#include "albatross/call.h"
#include "albatross/json.h"
#include "albatross/option.h"

/* What an event tells besides its request. */
struct abt_origin {
	const struct abt_dialect *dialect;
	struct abt_arena *arena; /* of the request; a result needs it too */
	bool multi_value;        /* an ALB that sends and expects lists */
	/* As far as the event tells: epoch_us, peer_ip, listener_port, tls,
	 * request_id; the others are zero. */
	struct abt_facts facts;
	struct abt_bytes host;   /* the name asked for; may be empty */
	struct abt_bytes stage;  /* "dev", "$default"; empty: an ALB */
	struct abt_bytes prefix; /* of request->path, that is the front's:
				  * "/dev"; mostly empty */
};

struct abt_dialect {
	const char *name;  /* as written in the configuration */
	const char *title; /* as shown to people */

	enum abt_routing routing;
	int64_t timeout_ms; /* of the integration, if not set; 0: none */

	/* The attributes of a front of this kind: a struct of |attributes_size|
	 * bytes that the option rows describe. */
	size_t attributes_size;
	const struct abt_option *attributes;

	/* What one route may have besides its function (validation, a mock): a
	 * struct of |method_size| bytes by rows, handed on as match.method.
	 * NULL: nothing. */
	size_t method_size;
	const struct abt_option *method;
	/* What a route with those settings does; NULL: forward. */
	enum abt_action (*method_action)(const void *method);
	/* What is wrong with them beyond the rows: a clause behind the name of
	 * a setting ("\"mock\" has ..."), or NULL.  May be NULL. */
	const char *(*method_wrong)(const void *method);

	/* A result of more bytes is too large for the service, so that nobody
	 * builds its tree; read_result then gets none.  0: no limit. */
	size_t result_max;

	/* May be NULL.  Attributes that AWS does not take together: 0, or -1
	 * with a clause in |why| that tells how to mend it. */
	int (*check)(const struct abt_front *front, char *why, size_t size);

	/* Make |front|->policy from its attributes and limits_off. */
	void (*make_policy)(struct abt_front *front);

	/* What this front refuses, as far as the head tells (the body is not
	 * there yet).  May change the request's headers (dropping what a front
	 * consumes).  0, or -1 with the broken rule in the report. */
	int (*admit)(const struct abt_call *call, struct abt_request *request,
	    struct abt_report *report);

	/* Find the route: fills call->match.  0, or -1 with the rule when there
	 * is none. */
	int (*route)(struct abt_call *call, struct abt_report *report);

	/* May be NULL.  Asked before routing: 1 when the front answers by
	 * itself (|response| is filled: a CORS preflight), 0 when not. */
	int (*answer)(struct abt_call *call, struct abt_response *response,
	    struct abt_report *report);

	/* Write the event.  0, or -1 with the rule: text that is no UTF-8, too
	 * large.  The writer itself remembers failure.  Fills call->trace_id.
	 */
	int (*write_event)(struct abt_call *call, struct abt_json_out *out,
	    struct abt_report *report);

	/*
	 * Read the result: |source| is what the function gave, |result| its
	 * tree or NULL when it is not JSON (|error| then says why).  0 with
	 * |response| filled, or -1 with the broken rule.  With report->collect
	 * every break and note is collected and the return value is -1 if any
	 * broke.
	 */
	int (*read_result)(const struct abt_call *call, struct abt_bytes source,
	    const struct abt_json *result, const struct abt_json_error *error,
	    struct abt_response *response, struct abt_report *report);

	/* The answer of a match that invokes nothing (redirect, fixed, mock).
	 */
	int (*write_action)(const struct abt_call *call,
	    struct abt_response *response, struct abt_report *report);

	/* What the client sees when we could not get that far.  Needs no
	 * memory for a failure of kind ABT_NO_MEMORY. */
	void (*write_failure)(const struct abt_call *call,
	    const struct abt_rule *rule, struct abt_response *response);

	/* May be NULL.  The last word on every response of this front, the
	 * function's, our own and failures alike: CORS, request ids.  The arena
	 * may have failed: what needs memory is then left out. */
	void (*finish)(
	    const struct abt_call *call, struct abt_response *response);

	/*
	 * Results in pieces (dialect/stream.h); |streams| is NULL where the
	 * service knows none.  Does the integration of this call, which was
	 * routed, give its result so?
	 */
	bool (*streams)(const struct abt_call *call);
	bool stream_prelude; /* each begins with a prelude, whatever its type;
			      * its cookies are no key of whole results */
	uint64_t stream_max; /* bytes, unless limits are off; 0: no limit */
	int64_t stream_ms;   /* if timeout_ms is not set; 0: none */
	int64_t stream_idle_ms; /* without a piece, if not set; 0: no limit */

	/* The service's own word for a failure in its access log
	 * ("LambdaUnhandled"), or NULL. */
	const char *(*failure_reason)(const struct abt_rule *rule);

	/*
	 * The way back, for a program behind somebody else's front: events that
	 * AWS made become requests, responses become results.  All three or
	 * none; they know no front.  What a dialect loses on its way is told in
	 * docs/what-dialects-lose.md.
	 */

	/* Is |event| (a tree) one of ours?  At most one dialect says so. */
	bool (*recognise)(const struct abt_json *event);

	/*
	 * Fill |request| and |origin| (both zeroed, but for the dialect and the
	 * arena of |origin|) from |event|; slices point into the tree too.  0,
	 * or -1 with the rule: a member that is not what it should be, a body
	 * that is no base64, a path or header that cannot stand in a request.
	 *
	 * The request can be sent on: what cannot stand in a target is escaped,
	 * Content-Length is that of the body (and there when the body or the
	 * event had one), Transfer-Encoding is left out.
	 */
	int (*read_event)(const struct abt_json *event,
	    struct abt_origin *origin, struct abt_request *request,
	    struct abt_report *report);

	/*
	 * Write the result by which a front of this kind sends |response|: both
	 * its lists of headers without those of the connection, its body as
	 * text where it is UTF-8.  |prelude|: what goes before the eight NULs
	 * of a stream, a result without a body.  0, or -1 with the rule; the
	 * writer remembers failure.
	 */
	int (*write_result)(const struct abt_origin *origin,
	    const struct abt_response *response, bool prelude,
	    struct abt_json_out *out, struct abt_report *report);
};

/* Is a result of |size| bytes small enough for |front| to be read at all? */
static inline bool
abt_result_fits(const struct abt_front *front, size_t size)
{
	size_t max = front->dialect->result_max;

	return max == 0 || size <= max || front->limits_off;
}

/* The dialect that wrote |event|, or NULL. */
const struct abt_dialect *abt_dialect_of_event(const struct abt_json *event);

/*
 * The request that |event| was made of, whichever dialect wrote it: fills
 * |request| and |origin|.  0, or -1 with the rule (it is no such event, or a
 * broken one).
 */
int abt_request_from_event(const struct abt_json *event,
    struct abt_arena *arena, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report);

/* The dialect of that name, or NULL.  The list, NULL-terminated. */
const struct abt_dialect *abt_dialect_find(struct abt_bytes name);
extern const struct abt_dialect *const abt_dialects[];

#endif
