/*
 * server_loops.c - the loops of a server and how they are spoken to
 */
#include "gateway/server_loops.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>

#include "base/log.h"
#include "net/mail.h"

#define LOOPS_BY_DEFAULT 16

unsigned
abt_loops_count(unsigned wanted)
{
	cpu_set_t cpus;
	int count;

	if (wanted > 0)
		return wanted < ABT_LOOPS_MAX ? wanted : ABT_LOOPS_MAX;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return 1;
	count = CPU_COUNT(&cpus);
	if (count < 1)
		return 1;
	return count < LOOPS_BY_DEFAULT ? (unsigned)count : LOOPS_BY_DEFAULT;
}

int
abt_loops_new(struct abt_loops *loops, unsigned count)
{
	memset(loops, 0, sizeof(*loops));
	for (loops->count = 0; loops->count < count; loops->count++) {
		loops->loop[loops->count] = abt_loop_new(loops->count);
		if (loops->loop[loops->count] == NULL)
			return -1;
	}
	return 0;
}

void
abt_loops_free(struct abt_loops *loops)
{
	unsigned i;

	for (i = 0; i < loops->count; i++)
		abt_loop_free(loops->loop[i]);
	loops->count = 0;
}

static void *
run_loop(void *context)
{
	abt_loop_run(context);
	return NULL;
}

int
abt_loops_start(struct abt_loops *loops)
{
	sigset_t all, before;
	unsigned i;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (i = 1; i < loops->count && rc == 0; i++) {
		rc = pthread_create(
		    &loops->thread[i], NULL, run_loop, loops->loop[i]);
		if (rc == 0)
			loops->started = i;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		abt_error("cannot start a thread: %s", strerror(rc));
	return rc == 0 ? 0 : -1;
}

/* ---- letters ---- */

struct errand {
	struct abt_mail letter;
	void (*work)(struct abt_loop *loop, void *context);
	void *context;
	sem_t done;
};

static void
run_errand(struct abt_loop *loop, struct abt_mail *letter)
{
	struct errand *errand = abt_container_of(letter, struct errand, letter);

	errand->work(loop, errand->context);
	sem_post(&errand->done);
}

void
abt_loops_run_on(struct abt_loops *loops, struct abt_loop *loop,
    void (*work)(struct abt_loop *loop, void *context), void *context)
{
	struct errand errand = { .work = work, .context = context };

	if (loops->started < loop->index || loop->index == 0) {
		work(loop, context);
		return;
	}
	errand.letter.deliver = run_errand;
	sem_init(&errand.done, 0, 0);
	abt_mail_send(loop, &errand.letter);
	while (sem_wait(&errand.done) != 0)
		continue; /* a signal */
	sem_destroy(&errand.done);
}

static void
stop_loop(struct abt_loop *loop, void *context)
{
	(void)context;
	abt_loop_stop(loop);
}

void
abt_loops_stop(struct abt_loops *loops)
{
	unsigned i;

	for (i = loops->count; i > 0; i--)
		abt_loops_run_on(loops, loops->loop[i - 1], stop_loop, NULL);
}

void
abt_loops_join(struct abt_loops *loops)
{
	unsigned i;

	for (i = 1; i <= loops->started && i < loops->count; i++)
		pthread_join(loops->thread[i], NULL);
	loops->started = 0;
}
