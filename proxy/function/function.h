/*
 * function.h - a configured function: admission, queue, deadline
 *
 * A function whose backend is counted lives on one home loop, dealt round
 * robin.  Others run where they are called.  The caller lends an invocation and
 * gets it back by the same hand, exactly once.
 */
#ifndef ABT_FUNCTION_FUNCTION_H
#define ABT_FUNCTION_FUNCTION_H

#include "albatross/backend.h"
#include "net/loop.h"

/* "functions": { name: { ... } }: what every function has. */
struct abt_function_options {
	int64_t timeout_ms; /* 0: none, and one environment (debuggers) */
	int64_t memory_mb;
	int64_t concurrency;
	struct abt_queue_options {
		int64_t length; /* 0: shed */
		int64_t wait_ms;
	} queue;
	struct abt_map environment;
	struct abt_bytes env_file;
	struct abt_bytes region, account, version; /* of the ARN */
	struct abt_bytes root;    /* LAMBDA_TASK_ROOT and working directory */
	struct abt_bytes handler; /* _HANDLER */
	bool credentials;         /* pass AWS_* credentials of ours on */
};
extern const struct abt_option abt_function_option_rows[];

struct abt_function {
	char *name;
	struct abt_function_options options; /* slices in |arena| */
	struct abt_arena arena;              /* the function's own */
	const struct abt_backend *backend;
	void *self;            /* the backend's struct */
	struct abt_loop *home; /* NULL: not counted */
	char *arn;
	uint64_t body_max; /* of requests, for message backends; 0: none */
	char *content;     /* canonical JSON of its configuration (reload) */
	/* the home's own */
	struct abt_invocation *queue, **queue_tail;
	struct abt_invocation *running_list, **running_tail; /* by deadline */
	unsigned running, queued;
	unsigned returning; /* running ones whose result is handed over */
	struct abt_timer timer;
	bool closing;
	void (*closed)(struct abt_function *function, void *context);
	void *closed_context;
	struct abt_mail letter;         /* close */
	struct abt_mail refresh_letter; /* refresh */
	_Atomic bool refreshing;        /* that letter is under way */
};

/*
 * Make a function; |options| and the backend's |self| were filled by the option
 * rows with slices in |arena|, which the function takes over.  NULL: no memory.
 */
struct abt_function *abt_function_new(const char *name,
    const struct abt_function_options *options,
    const struct abt_backend *backend, void *self, struct abt_arena *arena);
/* Give it a home and open the backend (before loops run, or by letter).  0, or
 * -1 with a sentence in |why|. */
int abt_function_open(struct abt_function *function, struct abt_loop *home,
    char *why, size_t size);

/* Lend |inv| (its in-fields filled) to |function|.  done() is called on
 * inv->owner, perhaps before this returns. */
void abt_function_invoke(
    struct abt_function *function, struct abt_invocation *inv);

/* Replace the code: idle processes are replaced, running ones finish. */
void abt_function_refresh(struct abt_function *function);
/* End it when nothing runs any more; |closed| is called on the home loop. */
void abt_function_close(struct abt_function *function,
    void (*closed)(struct abt_function *, void *), void *context);
void abt_function_free(struct abt_function *function);

/* For backends. */
void abt_function_closed(struct abt_function *function);
/* |inv| goes to a process now: its clock starts.  |init_us| is the cold start
 * that came before, or -1. */
void abt_function_started(struct abt_invocation *inv, int64_t init_us);
/* The START line; after the event was sent, because a log costs time. */
void abt_function_log_start(const struct abt_invocation *inv);
/* A line of the function's log; |request_id| may be "". */
void abt_function_log(const struct abt_function *function,
    const char *request_id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The function failed and |inv| has the error's JSON already (abt_result_data);
 * |rule| and |error_type| say how, |text| is for the log. */
void abt_result_broken(struct abt_invocation *inv, enum abt_rule_id rule,
    const char *error_type, const char *text);
/* The same with AWS's JSON for it: {"errorType":|error_type|,"errorMessage":
 * "RequestId: <id> Error: |message|"} (lambda.md 2.4); |detail| is for the log.
 */
void abt_result_crash(struct abt_invocation *inv, enum abt_rule_id rule,
    const char *error_type, const char *message, const char *detail);
/* How a process ended, in AWS's words (R2.41 to R2.43). */
void abt_exit_text(int status, char *out, size_t size);
/* Is |text| a runtime's own telling of a handler's error? */
bool abt_error_line_is(struct abt_bytes text);
/* At a terminal: log Node's error line as lines of its own; false: log it as it
 * is. */
bool abt_error_line_unfold(
    const char *function, const char *id, struct abt_bytes text);
/* The bytes of its event are being sent, or are sent: |done| waits for it. */
void abt_function_pin(struct abt_invocation *inv);
void abt_function_unpin(struct abt_invocation *inv);
/* For invocation.c: |inv| has its result. */
void abt_function_finish(struct abt_invocation *inv);
/* "2026/11/24/[$LATEST]0123...": a new one; 0, or -1. */
int abt_function_log_stream(
    const struct abt_function *function, char *out, size_t size);
/* The backend can take another event now: hands out queued ones. */
void abt_function_ready(struct abt_function *function);

/*
 * The process environment of lambda.md 2.1 for one instance: "NAME=value"
 * strings and NULL, in |arena|.  |runtime_api| is "127.0.0.1:port" or NULL.
 * |log_stream| is the instance's.
 */
char **abt_function_environment(const struct abt_function *function,
    const char *runtime_api, const char *log_stream, struct abt_arena *arena);

/* Check the user's variables: reserved names (R2.1), the pattern (R2.2) and the
 * 4 KB limit (R2.3).  0, or -1 with AWS's own sentence in |why|. */
int abt_function_check_environment(
    const struct abt_map *environment, char *why, size_t size);

/* The same for programs that know nothing of Lambda: names that an environment
 * can have, nothing else. */
int abt_function_check_variables(
    const struct abt_map *environment, char *why, size_t size);

/* The REPORT line and its siblings (lambda.md 2.6), newline included; for the
 * log.  |init_us| < 0: no cold start. */
struct abt_report_line {
	const char *request_id;
	int64_t duration_us, init_us;
	int64_t memory_mb, max_used_mb;
	int64_t timeout_ms; /* |timed_out|: the duration shown */
	bool timed_out;
	const char *error_type; /* "Status: error" when not NULL */
	bool billed_includes_init;
};
size_t abt_report_line(
    char *out, size_t size, const struct abt_report_line *line);

#endif
