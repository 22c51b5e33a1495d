/*
 * runtime.h - the rooms of the runtime backend and what they share
 *
 * runtime.c keeps the instances of one function and decides who gets an event;
 * instance.c is one process from start to end; runtime_api.c and its rooms
 * speak HTTP with it.  All on the function's home loop.
 */
#ifndef ABT_FUNCTION_RUNTIME_H
#define ABT_FUNCTION_RUNTIME_H

#include "function/function.h"
#include "function/process.h"
#include "function/runtime_command.h"
#include "net/listener.h"

/* R1.60, by RIE's names (see runtime_answers.c). */
enum abt_api_state {
	ABT_API_STARTED,
	ABT_API_INIT_ERROR,
	ABT_API_READY,
	ABT_API_RUNNING,
	ABT_API_RESPONSE,
	ABT_API_ERROR_RESPONSE,
	ABT_API_SENT,
};

struct abt_instance;

struct abt_runtime {
	/* options */
	struct abt_list command;
	struct abt_bytes handler;
	int kind; /* enum abt_runtime_kind */
	int64_t init_ms;
	/* the rest is ours */
	struct abt_function *function;
	struct abt_loop *loop;
	struct abt_runtime_program program;
	struct abt_instance *instances; /* all that are not freed */
	struct abt_instance *idle;      /* polling, the last used one first */
	unsigned alive; /* instances that are not doomed: at most the limit */
	unsigned starting; /* of them: have not polled yet */
	unsigned settling; /* of them: answered, have not polled again */
	struct abt_invocation *waiting, **waiting_tail; /* for an instance */
	unsigned waiting_count;
	struct abt_timer settle_timer;
	bool closing;
	int64_t told_us; /* when a shortage was last told */
	bool shortage;   /* no process could be started a moment ago */
	bool providing;  /* inside provide: no recursion */
};

/* One request at the Runtime API; in the exchange's arena. */
struct abt_api_call {
	struct abt_api_call *next, **prev; /* of the instance */
	struct abt_exchange *x;
	struct abt_instance *instance;  /* NULL: it is gone */
	struct abt_invocation *sending; /* pinned: its event is our body */
	int kind;
	enum abt_api_state before; /* when the request came */
	bool begun;                /* a response that changed the state */
	bool bad_id, bad_mode, forbidden;
	bool streaming; /* its body goes to the caller in pieces */
};

struct abt_instance {
	struct abt_instance *next, **prev;           /* of the runtime */
	struct abt_instance *idle_next, **idle_prev; /* when idle */
	struct abt_runtime *runtime;
	struct abt_process *process;
	struct abt_output *output;
	struct abt_listener *listener;
	unsigned port;
	enum abt_api_state state;
	struct abt_api_call *calls; /* all that are open */
	struct abt_api_call *poll;  /* waits for an event */
	unsigned posting;           /* of them: bodies being read */
	struct abt_invocation *current;
	char current_id[40]; /* also of the one answered last */
	int64_t start_us, init_us;
	int64_t deadline_us; /* of the event in hand or just answered; 0 */
	int64_t used_mb, used_at_us;
	struct abt_timer timer; /* init limit; then the deadline after SENT */
	struct event end_event; /* its end, a little later */
	int end_rounds;
	int status;
	bool counted_starting, counted_settling;
	bool cold;       /* has had no event yet */
	bool suppressed; /* a second init, inside an invocation */
	bool doomed;     /* is being ended by us */
	bool retiring;   /* to be ended when it has answered (refresh) */
	bool ended;      /* the process is gone */
	bool init_told;  /* its init/error was given to somebody */
	bool agent_seen;
	bool poll_lost; /* the connection of its poll went */
	char log_stream[128];
};

/* ---- runtime.c ---- */

/* The instance can take an event: it polls. */
void abt_runtime_polls(struct abt_instance *instance);
/* It does not poll any more (its connection went). */
void abt_runtime_unpolls(struct abt_instance *instance);
/* No event for it any more: take it out of all counts. */
void abt_runtime_doom(struct abt_instance *instance);
/* No process can be started now, others live: try again a little later. */
void abt_runtime_shortage(struct abt_runtime *runtime);
/* It is gone: free places are filled. */
void abt_runtime_left(struct abt_runtime *runtime);
/* The invocation that waits longest, or NULL; it is taken out. */
struct abt_invocation *abt_runtime_take_waiting(struct abt_runtime *runtime);
/* |inv| is in the hands of |instance| from now on. */
void abt_runtime_assign(
    struct abt_instance *instance, struct abt_invocation *inv);
/* The invocation in hand is answered: nothing of it is left here. */
struct abt_invocation *abt_runtime_release(struct abt_instance *instance);

/* ---- instance.c ---- */

/* Start one.  NULL: it cannot be (one waiting invocation was told). */
struct abt_instance *abt_instance_new(struct abt_runtime *runtime);
/* End it: |grace_ms| after TERM, or at once with 0. */
void abt_instance_end(struct abt_instance *instance, int64_t grace_ms);
/* Its init phase is over, well or not; for the counts. */
void abt_instance_inited(struct abt_instance *instance);
/* Peak memory, asked of the kernel now and then only. */
int64_t abt_instance_used_mb(struct abt_instance *instance);
/* It has answered and will poll again soon. */
void abt_instance_answered(struct abt_instance *instance);
/* Its poll went with its connection: it polls again soon, or is replaced. */
void abt_instance_lost_poll(struct abt_instance *instance);
/* It posted init/error and will exit. */
void abt_instance_init_failed(
    struct abt_instance *instance, const char *error_type);
/* Who gets the blame when it fails: the event in hand, or, while it starts, the
 * one that waits longest; NULL: nobody. */
struct abt_invocation *abt_instance_victim(struct abt_instance *instance);
/* Fail what it has in hand, or else who waits for it. */
void abt_instance_fail(struct abt_instance *instance, enum abt_rule_id rule,
    const char *error_type, const char *message);

/* ---- runtime_api.c ---- */

extern const struct abt_handler abt_runtime_api;
extern const struct abt_policy abt_runtime_api_policy;
/* Give the event in hand to the poll that waits. */
void abt_api_send_event(struct abt_instance *instance);
/* The instance goes: its open calls get an error or stay alone. */
void abt_api_detach(struct abt_instance *instance);
/* The response that is given in pieces may go on (or is dropped). */
void abt_api_resume(struct abt_instance *instance);
/* Does one wait for its caller? */
bool abt_api_is_paused(const struct abt_instance *instance);
/* What is kept of an error type (R1.41). */
void abt_api_error_type(struct abt_bytes given, char *out, size_t size);

#endif
