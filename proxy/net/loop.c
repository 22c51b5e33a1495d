/*
 * loop.c - a thread, its event base, its timers, its memory
 *
 * We turn libevent's loop by hand, one turn a call, so that the time is read at
 * most once a turn and batched work runs at its end.  The base takes no locks:
 * other threads reach a loop only through its letter box.
 */
#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/exchange.h"
#include "net/mail.h"
#include "net/wheel.h"

#define RECV_SIZE   131072
#define SPARE_BYTES (16u << 20) /* of chunks, kept mapped */
#define LOG_MS      5 /* so long may lines of the log wait for company */
#define HEAD_MAX    (4u << 20) /* of a response; dialects allow far less */

void
abt_loop_assert_mine(const struct abt_loop *loop)
{
	if (loop->thread == 0 || loop->thread == (uint64_t)pthread_self())
		return;
	abt_error("loop %u was touched by a thread that does not run it",
	    loop->index);
	abort();
}

/* ---- time ---- */

int64_t
abt_loop_fresh_us(struct abt_loop *loop)
{
	loop->now_us = abt_clock_monotonic_us();
	return loop->now_us;
}

int64_t
abt_loop_now_us(struct abt_loop *loop)
{
	return loop->now_us != 0 ? loop->now_us : abt_loop_fresh_us(loop);
}

int64_t
abt_loop_epoch_us(struct abt_loop *loop)
{
	int64_t now_us = abt_loop_now_us(loop);

	if (loop->epoch_at_us != now_us) {
		loop->epoch_us = abt_clock_epoch_us();
		loop->epoch_at_us = now_us;
	}
	return loop->epoch_us;
}

/* Have the wheel run in |ms|; -1: leave the alarm as it is. */
static void
set_alarm(struct abt_loop *loop, int64_t ms)
{
	struct timeval wait;

	if (ms < 0)
		return;
	wait.tv_sec = (time_t)(ms / 1000);
	wait.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	/* libevent's heap has kept the alarm's place since abt_loop_new. */
	if (event_add(&loop->alarm, &wait) != 0)
		abt_error("loop %u: cannot set its alarm", loop->index);
}

static void
on_alarm(evutil_socket_t fd, short what, void *arg)
{
	struct abt_loop *loop = arg;

	(void)fd;
	(void)what;
	set_alarm(
	    loop, abt_wheel_run(loop->wheel, abt_loop_fresh_us(loop) / 1000));
}

void
abt_timer_set(struct abt_loop *loop, struct abt_timer *timer, int64_t ms)
{
	/* Rounded up: a timer fires at its time or later, never earlier. */
	int64_t now_ms = (abt_loop_now_us(loop) + 999) / 1000;

	abt_loop_assert_mine(loop);
	abt_timer_stop(timer);
	timer->at_ms = now_ms + (ms > 0 ? ms : 0);
	set_alarm(loop, abt_wheel_hang(loop->wheel, timer, now_ms));
}

static void
on_log_flush(struct abt_timer *timer)
{
	(void)timer;
	abt_log_flush();
}

/* ---- life ---- */

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	abt_mail_deliver(arg);
}

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	if (event_config_set_flag(config,
		EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static int
open_bell(struct abt_loop *loop)
{
	loop->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->bell < 0)
		return -1;
	event_assign(&loop->bell_event, loop->base, loop->bell,
	    EV_READ | EV_PERSIST, on_bell, loop);
	return event_add(&loop->bell_event, NULL);
}

struct abt_loop *
abt_loop_new(unsigned index)
{
	static const struct timeval far = { .tv_sec = 3600 };
	struct abt_loop *loop = abt_calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->index = index;
	loop->bell = -1;
	loop->recv_size = RECV_SIZE;
	loop->recv = abt_malloc(RECV_SIZE);
	loop->pool = abt_pool_new(SPARE_BYTES);
	loop->wheel = abt_wheel_new(loop);
	loop->base = new_base();
	if (loop->recv == NULL || loop->pool == NULL || loop->wheel == NULL ||
	    loop->base == NULL || open_bell(loop) != 0) {
		abt_loop_free(loop);
		return NULL;
	}
	abt_buf_init(&loop->out, loop->pool, HEAD_MAX);
	abt_timer_init(&loop->log_flush, on_log_flush);
	evtimer_assign(&loop->alarm, loop->base, on_alarm, loop);
	if (evtimer_add(&loop->alarm, &far) != 0) {
		abt_loop_free(loop);
		return NULL;
	}
	return loop;
}

void
abt_loop_free(struct abt_loop *loop)
{
	struct abt_exchange *x;

	if (loop == NULL)
		return;
	while ((x = loop->spare_exchanges) != NULL) {
		loop->spare_exchanges = x->next;
		abt_free(x);
	}
	if (loop->pool != NULL)
		abt_buf_end(&loop->out);
	if (event_initialized(&loop->alarm))
		event_del(&loop->alarm);
	if (loop->bell >= 0) {
		event_del(&loop->bell_event);
		close(loop->bell);
	}
	if (loop->base != NULL)
		event_base_free(loop->base);
	abt_wheel_free(loop->wheel);
	abt_pool_free(loop->pool);
	abt_free(loop->record);
	abt_free(loop->recv);
	abt_free(loop);
}

/* ---- running ---- */

static void
end_turn(struct abt_loop *loop)
{
	if (loop->turn_wanted && loop->turn_end != NULL) {
		loop->turn_wanted = false;
		loop->turn_end(loop);
	}
	if (abt_log_held() > 0 && !abt_timer_is_set(&loop->log_flush))
		abt_timer_set(loop, &loop->log_flush, LOG_MS);
	loop->now_us = 0;
}

void
abt_loop_run(struct abt_loop *loop)
{
	loop->thread = (uint64_t)pthread_self();
	loop->now_us = 0;
	abt_log_hold(true);
	while (!loop->stopping) {
		/* ONCE: wait, run what became active, come back. */
		if (event_base_loop(loop->base, EVLOOP_ONCE) < 0) {
			abt_error(
			    "loop %u: its event base failed", loop->index);
			break;
		}
		end_turn(loop);
	}
	abt_timer_stop(&loop->log_flush);
	abt_log_hold(false);
	loop->stopping = false;
	loop->thread = 0;
}

void
abt_loop_stop(struct abt_loop *loop)
{
	abt_loop_assert_mine(loop);
	loop->stopping = true;
}
