/*
 * test_wheel.c - timers: never early, at most two ticks late, safe to stop
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/wheel.h"

#define TICK ABT_WHEEL_TICK_MS

struct bell {
	struct abt_timer timer;
	unsigned fired;
	struct bell *stops; /* when it fires */
};

static void
on_fire(struct abt_timer *timer)
{
	struct bell *bell = abt_container_of(timer, struct bell, timer);

	bell->fired++;
	if (bell->stops != NULL)
		abt_timer_stop(&bell->stops->timer);
}

static void
hang_at(struct abt_wheel *wheel, struct bell *bell, int64_t now, int64_t at)
{
	abt_timer_stop(&bell->timer);
	bell->timer.at_ms = at;
	abt_wheel_hang(wheel, &bell->timer, now);
}

static void
test_never_early_never_late(void **unused)
{
	static const int64_t waits[] = { 0, 1, 63, 64, 65, 1000, 65000, 65536,
		65600, 200000, 3600000 };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct abt_wheel *wheel = abt_wheel_new(NULL);
		struct bell bell = { .fired = 0 };
		int64_t start = 1234567, now = start, next;

		abt_timer_init(&bell.timer, on_fire);
		bell.timer.at_ms = start + waits[i];
		next = abt_wheel_hang(wheel, &bell.timer, now);
		assert_true(next > 0);
		while (bell.fired == 0) {
			now += next;
			next = abt_wheel_run(wheel, now);
			assert_true(bell.fired == 0 || now >= start + waits[i]);
			assert_true(now <= start + waits[i] + 2 * TICK);
			assert_true(bell.fired || next > 0);
		}
		assert_int_equal(next, -1); /* nothing hangs any more */
		assert_false(abt_timer_is_set(&bell.timer));
		abt_wheel_free(wheel);
	}
}

static void
test_many_at_random(void **unused)
{
	struct abt_wheel *wheel = abt_wheel_new(NULL);
	static struct bell bells[2000];
	int64_t now = 99, i, step;

	(void)unused;
	srand(7);
	for (i = 0; i < 2000; i++) {
		abt_timer_init(&bells[i].timer, on_fire);
		hang_at(wheel, &bells[i], now, now + rand() % 300000);
	}
	for (step = 0; step < 6000; step++) {
		now += rand() % 120;
		abt_wheel_run(wheel, now);
		for (i = 0; i < 2000; i++) {
			int64_t at = bells[i].timer.at_ms;

			if (bells[i].fired)
				assert_true(at <= now);
			else
				assert_true(at > now - 2 * TICK);
		}
	}
	for (i = 0; i < 2000; i++)
		assert_int_equal(bells[i].fired, 1);
	abt_wheel_free(wheel);
}

static void
test_stopping_one_that_is_due(void **unused)
{
	struct abt_wheel *wheel = abt_wheel_new(NULL);
	struct bell a = { .fired = 0 }, b = { .fired = 0 };

	(void)unused;
	abt_timer_init(&a.timer, on_fire);
	abt_timer_init(&b.timer, on_fire);
	a.stops = &b;
	b.stops = &a;
	hang_at(wheel, &a, 1, 100);
	hang_at(wheel, &b, 1, 100);
	abt_wheel_run(wheel, 1000);
	assert_int_equal(a.fired + b.fired, 1);
	abt_timer_stop(&a.timer); /* harmless */
	abt_wheel_free(wheel);
}

static void
test_moved_earlier_asks_again(void **unused)
{
	struct abt_wheel *wheel = abt_wheel_new(NULL);
	struct bell a = { .fired = 0 }, b = { .fired = 0 };
	int64_t next;

	(void)unused;
	abt_timer_init(&a.timer, on_fire);
	abt_timer_init(&b.timer, on_fire);
	hang_at(wheel, &a, 0, 60000);
	b.timer.at_ms = 500;
	next = abt_wheel_hang(wheel, &b.timer, 0);
	assert_true(next >= 500 && next <= 500 + TICK);
	b.timer.at_ms = 90000;
	abt_timer_stop(&b.timer);
	assert_int_equal(abt_wheel_hang(wheel, &b.timer, 0), -1);
	abt_wheel_free(wheel);
}

static void
test_in_a_loop(void **unused)
{
	struct abt_loop *loop = abt_loop_new(0);
	struct bell bell = { .fired = 0 };
	int64_t start = abt_clock_monotonic_us(), took;

	(void)unused;
	abt_timer_init(&bell.timer, on_fire);
	abt_timer_set(loop, &bell.timer, 100);
	while (bell.fired == 0) {
		loop->now_us = 0;
		event_base_loop(loop->base, EVLOOP_ONCE);
	}
	took = (abt_clock_monotonic_us() - start) / 1000;
	assert_true(took >= 100);
	assert_true(took < 400); /* a busy machine */
	abt_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_early_never_late),
		cmocka_unit_test(test_many_at_random),
		cmocka_unit_test(test_stopping_one_that_is_due),
		cmocka_unit_test(test_moved_earlier_asks_again),
		cmocka_unit_test(test_in_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
