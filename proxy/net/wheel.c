/*
 * wheel.c - deadlines: one coarse wheel per loop
 *
 * SLOTS lists of timers, one for each tick of 64 ms, round and round; a timer
 * further away than one round stays in its slot until its own round comes.
 * Setting and stopping are a few stores.  A bitmap finds the next list that
 * may hold something, so an idle loop is woken only when a timer may be due.
 * The owner (loop.c) keeps one libevent timer at the time the wheel asks for.
 */
#include "net/wheel.h"

#define SLOTS 1024 /* 65.5 s a round: most deadlines never see a second one */
#define WORDS (SLOTS / 64)

struct abt_wheel {
	struct abt_loop *loop;
	int64_t tick;          /* the last one that was run */
	int64_t armed;         /* the tick we asked to be run at; 0: none */
	uint64_t maybe[WORDS]; /* slots that may hold a timer */
	struct abt_timer *slots[SLOTS];
};

struct abt_wheel *
abt_wheel_new(struct abt_loop *loop)
{
	struct abt_wheel *wheel = abt_calloc(1, sizeof(*wheel));

	if (wheel != NULL)
		wheel->loop = loop;
	return wheel;
}

void
abt_wheel_free(struct abt_wheel *wheel)
{
	abt_free(wheel);
}

static void
link_in(struct abt_timer **list, struct abt_timer *timer)
{
	timer->next = *list;
	timer->prev = list;
	if (*list != NULL)
		(*list)->prev = &timer->next;
	*list = timer;
}

void
abt_timer_init(struct abt_timer *timer, void (*fire)(struct abt_timer *))
{
	timer->next = NULL;
	timer->prev = NULL;
	timer->at_ms = 0;
	timer->fire = fire;
}

void
abt_timer_stop(struct abt_timer *timer)
{
	if (timer->prev == NULL)
		return;
	*timer->prev = timer->next;
	if (timer->next != NULL)
		timer->next->prev = timer->prev;
	timer->prev = NULL;
}

/* The first tick at or after |at_ms|: never earlier than asked for. */
static int64_t
tick_of(int64_t at_ms)
{
	return (at_ms + ABT_WHEEL_TICK_MS - 1) / ABT_WHEEL_TICK_MS;
}

static void
hang(struct abt_wheel *wheel, struct abt_timer *timer, int64_t tick)
{
	unsigned slot = (unsigned)(tick % SLOTS);

	link_in(&wheel->slots[slot], timer);
	wheel->maybe[slot / 64] |= (uint64_t)1 << slot % 64;
}

int64_t
abt_wheel_hang(struct abt_wheel *wheel, struct abt_timer *timer, int64_t now_ms)
{
	int64_t tick = tick_of(timer->at_ms);

	if (wheel->armed == 0) /* nothing hangs: skip the time that passed */
		wheel->tick = now_ms / ABT_WHEEL_TICK_MS;
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	hang(wheel, timer, tick);
	if (wheel->armed != 0 && wheel->armed <= tick)
		return -1;
	wheel->armed = tick;
	return tick * ABT_WHEEL_TICK_MS - now_ms;
}

/* Move what is due in |slot| to |due|, hang the rest again. */
static void
empty_slot(struct abt_wheel *wheel, unsigned slot, int64_t now_tick,
    struct abt_timer **due)
{
	struct abt_timer *timer = wheel->slots[slot], *next;

	wheel->slots[slot] = NULL;
	wheel->maybe[slot / 64] &= ~((uint64_t)1 << slot % 64);
	for (; timer != NULL; timer = next) {
		next = timer->next;
		if (tick_of(timer->at_ms) <= now_tick)
			link_in(due, timer);
		else
			hang(wheel, timer, slot);
	}
}

/* The next tick whose slot may hold something; 0: there is none. */
static int64_t
next_tick(const struct abt_wheel *wheel)
{
	int64_t from = wheel->tick + 1;
	unsigned slot = (unsigned)(from % SLOTS), i;

	for (i = 0; i <= WORDS; i++) {
		unsigned word = (slot / 64 + i) % WORDS;
		uint64_t bits = wheel->maybe[word];
		unsigned found;

		if (i == 0)
			bits &= ~(uint64_t)0 << slot % 64;
		else if (i == WORDS)
			bits &= ~(~(uint64_t)0 << slot % 64);
		if (bits == 0)
			continue;
		found = word * 64 + (unsigned)__builtin_ctzll(bits);
		return from + (found + SLOTS - slot) % SLOTS;
	}
	return 0;
}

int64_t
abt_wheel_run(struct abt_wheel *wheel, int64_t now_ms)
{
	int64_t now_tick = now_ms / ABT_WHEEL_TICK_MS, tick;
	struct abt_timer *due = NULL, *timer;

	tick = wheel->tick;
	if (now_tick - tick > SLOTS)
		tick = now_tick - SLOTS;
	while (tick < now_tick) {
		unsigned slot = (unsigned)(++tick % SLOTS);

		if (wheel->slots[slot] != NULL)
			empty_slot(wheel, slot, now_tick, &due);
		else
			wheel->maybe[slot / 64] &= ~((uint64_t)1 << slot % 64);
	}
	if (now_tick > wheel->tick)
		wheel->tick = now_tick;
	wheel->armed = 1; /* whoever is set by those that fire need not ask */
	/* A timer that fires may stop others that are due: they are still
	 * linked, into |due|. */
	while ((timer = due) != NULL) {
		abt_timer_stop(timer);
		timer->fire(timer);
	}
	wheel->armed = next_tick(wheel);
	return wheel->armed != 0 ? wheel->armed * ABT_WHEEL_TICK_MS - now_ms
				 : -1;
}
