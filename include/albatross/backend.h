/*
 * backend.h - the contract of a way to run functions, and the invocation
 *
 * A backend is one file with one const entry and one line in
 * function/backends.def.  It takes an event and gives a result.  It never sees
 * a client's socket, a dialect or another thread: every call into it, and every
 * call it makes, happens on its function's home loop.
 */
#ifndef ALBATROSS_BACKEND_H
#define ALBATROSS_BACKEND_H

#include "albatross/call.h"
#include "albatross/http.h"
#include "albatross/json.h"
#include "albatross/option.h"

struct abt_loop;
struct abt_function;

/* A letter: see net/mail.h.  It stands inside the thing that is sent. */
struct abt_mail {
	struct abt_mail *next;
	void (*deliver)(struct abt_loop *loop, struct abt_mail *letter);
};

struct abt_invocation;

/*
 * A caller that takes results, and gives request bodies, in pieces.  All of
 * these are called on the caller's loop, in order, before |done|.
 */
struct abt_taker {
	/* A result in pieces begins: inv->stream_type (event backends) or
	 * inv->response (message backends) is there.  It is not called when the
	 * whole result comes at once (inv->result) or fails before. */
	void (*begin)(struct abt_invocation *inv);
	/* |data| is valid during the call.  Every byte is acknowledged by
	 * abt_invocation_eaten when it has left (or was dropped); more than
	 * ABT_STREAM_WINDOW bytes are never under way. */
	void (*piece)(struct abt_invocation *inv, struct abt_bytes data);
	/* |n| more bytes of the request's body were taken (message backends):
	 * at most ABT_STREAM_WINDOW bytes may be under way. */
	void (*body_eaten)(struct abt_invocation *inv, size_t n);
	/* May be NULL.  A piece found no memory: the rest is missing, nothing
	 * more comes but |done|, when the function has ended. */
	void (*failed)(struct abt_invocation *inv);
};

#define ABT_STREAM_WINDOW 262144

/*
 * One event on its way to a function and its result on the way back.
 *
 * It is made by the caller in the exchange's arena and lent to the function
 * from abt_function_invoke until |done| is called, exactly once, on the
 * caller's loop.  While it is lent the caller touches nothing of it: a function
 * is not stopped because its caller has gone (nor does AWS).
 */
struct abt_invocation {
	struct abt_mail letter;
	struct abt_loop *owner; /* the caller's loop */
	struct abt_function *function;
	void (*done)(struct abt_invocation *inv);
	void *context; /* the caller's */

	/* in */
	struct abt_bytes event;            /* the bytes; valid until |done| */
	const char *request_id;            /* UUID, NUL-terminated */
	struct abt_bytes trace_id;         /* X-Amzn-Trace-Id; may be empty */
	struct abt_bytes content_type;     /* empty: application/json */
	struct abt_bytes client_context;   /* JSON text; may be empty */
	struct abt_bytes cognito_identity; /* JSON text; may be empty */
	struct abt_bytes tenant_id;
	struct abt_bytes qualifier;    /* of the ARN; may be empty */
	const struct abt_taker *taker; /* NULL: the result comes whole */
	/* For message backends, which get no event: the call, whose request is
	 * read only until |done|.  Its body comes by abt_invocation_feed, or
	 * stands in the request when it came whole. */
	const struct abt_call *call;
	bool body_follows; /* by abt_invocation_feed; request.length is known */
	int body_file;     /* > 0: it stands in this file, to be read from 0 */

	/* out */
	struct abt_chunk
	    *result; /* owned by the caller from |done| on; its
		      * |used| bytes are the payload; may be NULL */
	struct abt_bytes
	    stream_type; /* Content-Type of a result in pieces; "" */
	/* Of a message backend: the head (and the body, when it came whole).
	 * In the link's memory: valid during begin(), or during done() when
	 * nothing was begun; the caller copies what it keeps. */
	const struct abt_response *response;
	/* The response's Location is a path of the same front, which serves
	 * that in its place (RFC 3875 6.2.2); nothing was begun. */
	bool local_redirect;
	struct abt_stream_link *link; /* function/link.c: pieces under way */
	const struct abt_rule *rule;  /* why it failed, or NULL: a result.  Set
				       * after |begin|: the rest is missing */
	bool printed;                 /* its process has told of its error */
	bool function_error; /* X-Amz-Function-Error: Unhandled; |result| is the
			      * error's JSON */
	const char *detail; /* one line for the log, or NULL; lives in |text| */
	char text[256];
	char error_type[96]; /* kept by lambda.md R1.41; "" when none */
	int64_t queued_us, started_us, ended_us; /* monotonic */
	int64_t init_us;                         /* cold start part, or -1 */

	/* the home's own */
	struct abt_invocation *next, **prev; /* queue or running list */
	void *instance;
	int64_t deadline_us; /* monotonic; 0: none */
	int64_t deadline_epoch_ms;
	int64_t used_mb; /* peak memory of the process, for REPORT */
	bool cold;
	bool finished; /* it has its result; |done| follows when unpinned */
	unsigned pins; /* how often its event's bytes are being sent now */
};

enum abt_input {
	ABT_EVENTS,
	ABT_MESSAGES, /* request in, response out: CGI */
};

struct abt_backend {
	const char *name;
	const char *title;
	enum abt_input takes;
	size_t size; /* of its own struct, made and zeroed for it */
	const struct abt_option *options;
	const char *main_option; /* that a bare JSON string or list fills */
	bool counted; /* has processes or a limit: lives on one home loop */
	int64_t timeout_ms; /* where none is configured; 0: every function's */

	/* All optional but invoke.  |self| is the struct of |size| bytes,
	 * filled by the option rows; open is called once on the home loop.  0,
	 * or -1 with a sentence in |why| (size bytes). */
	int (*open)(
	    void *self, struct abt_function *function, char *why, size_t size);
	/* Give a result through abt_result_* now or later. */
	void (*invoke)(void *self, struct abt_invocation *inv);
	/* The deadline passed: stop working on it.  The function has already
	 * given the caller its answer; abt_result_* must not be called. */
	void (*cancel)(void *self, struct abt_invocation *inv);
	/* There is room for pieces again, after abt_result_piece said no. */
	void (*resume)(void *self, struct abt_invocation *inv);
	/* A piece of the request's body (message backends): taken whole, valid
	 * during the call; abt_invocation_took says when it is gone. */
	void (*feed)(
	    void *self, struct abt_invocation *inv, struct abt_bytes data);
	/* The body's end; |broken|: it did not come whole. */
	void (*feed_end)(void *self, struct abt_invocation *inv, bool broken);
	/* The client has left: message backends stop (and still give a result,
	 * that nobody reads); others need no such entry. */
	void (*abandon)(void *self, struct abt_invocation *inv);
	/* New code: replace idle processes, let running ones finish. */
	void (*refresh)(void *self);
	/* End everything now or soon; call abt_function_closed when done. */
	void (*close)(void *self);
};

/*
 * Results, given by a backend.  abt_result_take hands over a whole payload;
 * abt_result_data copies bytes behind what is there.  Then exactly one of
 * abt_result_end, abt_result_error (the payload is the function's error JSON)
 * and abt_result_fail (no payload; |rule| says why, |text| goes into the log).
 */
void abt_result_take(struct abt_invocation *inv, struct abt_chunk *payload);
int abt_result_data(struct abt_invocation *inv, struct abt_bytes data);
void abt_result_end(struct abt_invocation *inv);
void abt_result_error(struct abt_invocation *inv);
void abt_result_fail(
    struct abt_invocation *inv, enum abt_rule_id rule, const char *text);

/*
 * Results in pieces, only for an |inv| with a taker: abt_result_begin once
 * (after inv->stream_type or inv->response was filled), then pieces, then
 * abt_result_end, or a failure, which now means that the rest is missing.
 * abt_result_piece takes all of |data| (copied when it goes to another loop)
 * and answers whether more may be given now; else wait for backend->resume.
 */
void abt_result_begin(struct abt_invocation *inv);
bool abt_result_piece(struct abt_invocation *inv, struct abt_bytes data);
/* |n| bytes of the request's body were taken by the program. */
void abt_invocation_took(struct abt_invocation *inv, size_t n);

/* For the taker, on its loop. */
void abt_invocation_eaten(struct abt_invocation *inv, size_t n);
void abt_invocation_feed(struct abt_invocation *inv, struct abt_bytes data);
void abt_invocation_feed_end(struct abt_invocation *inv, bool broken);
/* The caller has lost interest: its taker is called no more, and all that was
 * given counts as eaten.  A message backend stops.  |done| comes all the same,
 * never before this returns. */
void abt_invocation_abandon(struct abt_invocation *inv);

/* The backend of that name, or NULL.  The list, NULL-terminated. */
const struct abt_backend *abt_backend_find(struct abt_bytes name);
extern const struct abt_backend *const abt_backends[];

#endif
