/*
 * loop.h - a thread, its event base, its timers, its memory
 *
 * Everything that hangs on a loop is touched by its own thread only; functions
 * that do so begin with abt_loop_assert_mine.  `struct event` of libevent is
 * used in net/ and function/ only.
 */
#ifndef ABT_NET_LOOP_H
#define ABT_NET_LOOP_H

#include <stdatomic.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "albatross/arena.h"
#include "albatross/backend.h"
#include "albatross/buf.h"

/*
 * Deadlines: one coarse wheel per loop, 64 ms a tick.  A timer stands inside
 * the thing it is for; setting one costs a few stores, no system call.  It
 * fires at its time or up to two ticks later, never earlier.
 */
struct abt_timer {
	struct abt_timer *next, **prev; /* prev == NULL: not set */
	int64_t at_ms;                  /* monotonic */
	void (*fire)(struct abt_timer *timer);
};

struct abt_loop {
	struct event_base *base;
	unsigned index;
	struct abt_pool *pool;
	_Atomic(struct abt_mail *) newest; /* the letter box */
	int bell;                          /* eventfd */
	struct event bell_event;
	struct abt_wheel *wheel;
	struct event alarm;         /* when the wheel wants to run */
	struct abt_timer log_flush; /* lines of the log are held till then */
	int64_t now_us; /* monotonic, of this turn; 0: not asked for yet */
	int64_t epoch_us,
	    epoch_at_us; /* the wall clock, asked for at that now_us */
	char *recv;      /* the receive buffer, shared by all conns */
	size_t recv_size;
	char *record;           /* one TLS record's worth, when needed */
	struct abt_buf out;     /* where response heads are written */
	struct abt_conn *conns; /* all of them, for drain and eviction */
	struct abt_conn
	    *conn_hand; /* where the search for an idle one goes on */
	unsigned conn_count;
	uint64_t conn_serial; /* of the next connection */
	bool draining;
	bool stopping;
	bool reading; /* |recv| is in use */
	struct abt_exchange *spare_exchanges;
	unsigned spare_exchange_count;
	void *gateway;   /* per-loop state of floor 6: counters, log buffer */
	void *function;  /* per-loop state of floor 5: the spawner's channel */
	uint64_t thread; /* pthread_self of who runs it */
	/* Called once after all events of a turn in which somebody set
	 * |turn_wanted| (batched writes); the wish is cleared before the call.
	 * May be NULL. */
	void (*turn_end)(struct abt_loop *loop);
	bool turn_wanted;
};

struct abt_loop *abt_loop_new(unsigned index); /* NULL: out of memory or fds */
void abt_loop_free(struct abt_loop *loop);

/* Run on this thread until abt_loop_stop (by a letter or from a callback).  The
 * turn in which it is called is finished. */
void abt_loop_run(struct abt_loop *loop);
void abt_loop_stop(struct abt_loop *loop);

/* Stays in release builds: this thread runs |loop| (or nobody does yet). */
void abt_loop_assert_mine(const struct abt_loop *loop);

/* Monotonic time, read at most once per turn of the loop; |fresh| asks the
 * clock. */
int64_t abt_loop_now_us(struct abt_loop *loop);
int64_t abt_loop_fresh_us(struct abt_loop *loop);
/* The wall clock's time at that moment, for ids, dates and log lines. */
int64_t abt_loop_epoch_us(struct abt_loop *loop);

void abt_timer_init(struct abt_timer *timer, void (*fire)(struct abt_timer *));
/* (Re)set: fire in |ms| from now. */
void abt_timer_set(struct abt_loop *loop, struct abt_timer *timer, int64_t ms);
void abt_timer_stop(struct abt_timer *timer);
static inline bool
abt_timer_is_set(const struct abt_timer *timer)
{
	return timer->prev != NULL;
}

#define abt_container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
