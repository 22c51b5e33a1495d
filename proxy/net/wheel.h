/*
 * wheel.h - the coarse wheel of a loop; timers themselves are in loop.h
 */
#ifndef ABT_NET_WHEEL_H
#define ABT_NET_WHEEL_H

#include "net/loop.h"

#define ABT_WHEEL_TICK_MS 64

/* NULL: no memory. */
struct abt_wheel *abt_wheel_new(struct abt_loop *loop);
void abt_wheel_free(struct abt_wheel *wheel);

/* Hang |timer| so that it fires at its at_ms, |now_ms| being the time.  Returns
 * how many ms from now the wheel wants to run, or -1: as told before. */
int64_t abt_wheel_hang(
    struct abt_wheel *wheel, struct abt_timer *timer, int64_t now_ms);

/* Fire what is due at |now_ms|; returns as abt_wheel_hang, -1: never. */
int64_t abt_wheel_run(struct abt_wheel *wheel, int64_t now_ms);

#endif
