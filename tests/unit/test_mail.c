/*
 * test_mail.c - letters: none lost, in the order of their sender, few bells
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "net/loop.h"
#include "net/mail.h"

#define SENDERS        4
#define LETTERS        50000
#define THERE_AND_BACK 2000

struct letter {
	struct abt_mail mail;
	unsigned sender, number;
};

struct sender {
	struct abt_loop *to;
	struct letter *letters;
	unsigned id;
};

static unsigned next_number[SENDERS], delivered;

static void
deliver(struct abt_loop *loop, struct abt_mail *mail)
{
	struct letter *letter = abt_container_of(mail, struct letter, mail);

	abt_loop_assert_mine(loop);
	assert_int_equal(letter->number, next_number[letter->sender]);
	next_number[letter->sender]++;
	if (++delivered == SENDERS * LETTERS)
		abt_loop_stop(loop);
}

static void *
send_all(void *arg)
{
	struct sender *sender = arg;
	unsigned i;

	for (i = 0; i < LETTERS; i++) {
		sender->letters[i].mail.deliver = deliver;
		sender->letters[i].sender = sender->id;
		sender->letters[i].number = i;
		abt_mail_send(sender->to, &sender->letters[i].mail);
	}
	return NULL;
}

static void
test_many_senders(void **unused)
{
	struct abt_loop *loop = abt_loop_new(0);
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	unsigned i;

	(void)unused;
	for (i = 0; i < SENDERS; i++) {
		senders[i].to = loop;
		senders[i].id = i;
		senders[i].letters = abt_calloc(LETTERS, sizeof(struct letter));
		pthread_create(&threads[i], NULL, send_all, &senders[i]);
	}
	abt_loop_run(loop);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(next_number[i], LETTERS);
		abt_free(senders[i].letters);
	}
	abt_loop_free(loop);
}

/* A letter that goes to and fro between two loops; plain ints in it, because
 * only who holds it touches it. */
struct ball {
	struct abt_mail mail;
	struct abt_loop *loops[2];
	unsigned at, throws;
};

static void
stop_other(struct abt_loop *loop, struct abt_mail *mail)
{
	(void)mail;
	abt_loop_stop(loop);
}

static void
throw_back(struct abt_loop *loop, struct abt_mail *mail)
{
	struct ball *ball = abt_container_of(mail, struct ball, mail);

	assert_ptr_equal(loop, ball->loops[ball->at]);
	ball->at = !ball->at;
	if (++ball->throws < THERE_AND_BACK) {
		abt_mail_send(ball->loops[ball->at], &ball->mail);
		return;
	}
	ball->mail.deliver = stop_other;
	abt_mail_send(ball->loops[ball->at], &ball->mail);
	abt_loop_stop(loop);
}

static void *
run(void *loop)
{
	abt_loop_run(loop);
	return NULL;
}

static void
test_there_and_back(void **unused)
{
	struct ball ball = { .mail.deliver = throw_back };
	pthread_t thread;

	(void)unused;
	ball.loops[0] = abt_loop_new(0);
	ball.loops[1] = abt_loop_new(1);
	abt_mail_send(ball.loops[0], &ball.mail);
	pthread_create(&thread, NULL, run, ball.loops[1]);
	abt_loop_run(ball.loops[0]);
	pthread_join(thread, NULL);
	assert_int_equal(ball.throws, THERE_AND_BACK);
	abt_loop_free(ball.loops[0]);
	abt_loop_free(ball.loops[1]);
}

/* ---- the end of a turn ---- */

static unsigned ends;

static void
turn_end(struct abt_loop *loop)
{
	(void)loop;
	ends++;
}

struct wish {
	struct abt_mail mail;
	unsigned turns;
};

static void
wish(struct abt_loop *loop, struct abt_mail *mail)
{
	struct wish *w = abt_container_of(mail, struct wish, mail);

	w->turns++;
	loop->turn_wanted = w->turns <= 3;
	if (w->turns == 10)
		abt_loop_stop(loop);
	else
		abt_mail_send(loop, &w->mail);
}

static void
test_end_of_turn(void **unused)
{
	struct abt_loop *loop = abt_loop_new(0);
	struct wish w = { .mail.deliver = wish };

	(void)unused;
	loop->turn_end = turn_end;
	abt_mail_send(loop, &w.mail);
	abt_loop_run(loop);
	assert_int_equal(ends, 3);
	abt_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_senders),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_end_of_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
