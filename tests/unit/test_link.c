/*
 * test_link.c - pieces between a backend and a caller, on one loop and on two
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "function/function.h"
#include "function/link.h"
#include "net/mail.h"

#define TOTAL (5 << 20)
#define MANY  2000

/* ---- a backend that streams TOTAL bytes, and takes what it is fed ---- */

struct source {
	struct abt_function *function;
	size_t total;    /* to give */
	size_t fail_at;  /* then it fails */
	bool slow_start; /* is told when to begin */
	struct abt_invocation *inv;
	size_t given, resumed;
	size_t fed;
	bool fed_end, fed_broken, fed_wrong, abandoned;
	size_t held; /* fed, not yet told to be taken */
};

static unsigned char
pattern(size_t i)
{
	return (unsigned char)(i * 31 + i / 977);
}

static void
end(struct source *source)
{
	struct abt_invocation *inv = source->inv;

	source->inv = NULL;
	if (source->fail_at > 0)
		abt_result_fail(
		    inv, ABT_RULE_FUNCTION_TRUNCATED, "the pipe broke");
	else
		abt_result_end(inv);
}

static void
pump(struct source *source)
{
	char data[60000];
	size_t last = source->fail_at > 0 ? source->fail_at : source->total;
	bool more = true;

	while (more && source->given < last) {
		size_t n = sizeof(data);

		if (n > last - source->given)
			n = last - source->given;
		for (size_t i = 0; i < n; i++)
			data[i] = (char)pattern(source->given + i);
		source->given += n;
		more = abt_result_piece(source->inv, abt_bytes(data, n));
	}
	if (source->given == last && source->fed_end)
		end(source);
}

static int
source_open(void *self, struct abt_function *function, char *why, size_t size)
{
	(void)why;
	(void)size;
	((struct source *)self)->function = function;
	return 0;
}

static void
source_invoke(void *self, struct abt_invocation *inv)
{
	struct source *source = self;
	char type[] = "text/x-pattern";

	source->inv = inv;
	source->given = 0;
	source->fed = 0;
	source->fed_end = !inv->body_follows;
	abt_function_started(inv, -1);
	if (source->slow_start)
		return;
	inv->stream_type = abt_bytes_text(type);
	abt_result_begin(inv);
	memset(type, 'X', sizeof(type) - 1);
	pump(source);
}

static void
source_resume(void *self, struct abt_invocation *inv)
{
	struct source *source = self;

	assert_ptr_equal(inv, source->inv);
	source->resumed++;
	pump(source);
}

static void
source_feed(void *self, struct abt_invocation *inv, struct abt_bytes data)
{
	struct source *source = self;

	assert_ptr_equal(inv, source->inv);
	for (size_t i = 0; i < data.n; i++)
		if ((unsigned char)data.p[i] != pattern(source->fed + i))
			source->fed_wrong = true;
	source->fed += data.n;
	source->held += data.n;
	if (source->held > 100000 || source->fed == source->total) {
		size_t n = source->held;

		source->held = 0;
		abt_invocation_took(inv, n);
	}
}

static void
source_feed_end(void *self, struct abt_invocation *inv, bool broken)
{
	struct source *source = self;

	assert_ptr_equal(inv, source->inv);
	source->fed_end = true;
	source->fed_broken = broken;
	if (source->given == source->total)
		end(source);
}

static void
source_abandon(void *self, struct abt_invocation *inv)
{
	struct source *source = self;

	assert_ptr_equal(inv, source->inv);
	source->abandoned = true;
	source->inv = NULL;
	abt_result_fail(inv, ABT_RULE_NET_CLIENT_GONE, NULL);
}

static const struct abt_backend sources = {
	.name = "source",
	.size = sizeof(struct source),
	.counted = true,
	.open = source_open,
	.invoke = source_invoke,
	.resume = source_resume,
	.feed = source_feed,
	.feed_end = source_feed_end,
	.abandon = source_abandon,
};

/* ---- a caller ---- */

struct sink {
	struct abt_invocation inv;
	struct abt_mail letter;
	bool sent; /* the letter is on its way */
	size_t got, uneaten, most;
	size_t to_feed, fed, feed_out, feed_most;
	unsigned begun;
	bool slow, wrong, failed, stays;
	size_t leave_at; /* abandons when it got that much */
	int done;
	void (*after)(struct sink *sink);
};

static void
on_begin(struct abt_invocation *inv)
{
	struct sink *sink = inv->context;

	abt_loop_assert_mine(inv->owner);
	sink->begun++;
	if (!abt_bytes_equal(inv->stream_type, ABT_BYTES("text/x-pattern")))
		sink->wrong = true;
}

static void
eat(struct sink *sink)
{
	size_t n = sink->uneaten;

	sink->uneaten = 0;
	abt_invocation_eaten(&sink->inv, n);
}

/* A turn of the loop later. */
static void
on_letter(struct abt_loop *loop, struct abt_mail *letter)
{
	struct sink *sink = abt_container_of(letter, struct sink, letter);

	(void)loop;
	sink->sent = false;
	if (sink->done == 0)
		eat(sink);
}

static void
on_piece(struct abt_invocation *inv, struct abt_bytes data)
{
	struct sink *sink = inv->context;

	abt_loop_assert_mine(inv->owner);
	for (size_t i = 0; i < data.n; i++)
		if ((unsigned char)data.p[i] != pattern(sink->got + i))
			sink->wrong = true;
	sink->got += data.n;
	sink->uneaten += data.n;
	if (sink->uneaten > sink->most)
		sink->most = sink->uneaten;
	if (sink->leave_at > 0 && sink->got >= sink->leave_at) {
		sink->leave_at = 0;
		abt_invocation_abandon(inv);
		abt_invocation_abandon(inv); /* once is enough */
	}
	if (!sink->slow)
		eat(sink);
	else if (!sink->stays && !sink->sent) {
		sink->sent = true;
		sink->letter.deliver = on_letter;
		abt_mail_send(inv->owner, &sink->letter);
	}
}

static void
feed(struct sink *sink)
{
	char data[50000];

	while (sink->fed < sink->to_feed) {
		size_t n = sizeof(data);

		if (n > sink->to_feed - sink->fed)
			n = sink->to_feed - sink->fed;
		if (sink->feed_out + n > ABT_STREAM_WINDOW)
			return;
		for (size_t i = 0; i < n; i++)
			data[i] = (char)pattern(sink->fed + i);
		sink->fed += n;
		sink->feed_out += n;
		if (sink->fed == sink->to_feed)
			sink->to_feed = 0; /* no more by calls inside */
		abt_invocation_feed(&sink->inv, abt_bytes(data, n));
		if (sink->to_feed == 0)
			abt_invocation_feed_end(&sink->inv, false);
	}
}

static void
on_body_eaten(struct abt_invocation *inv, size_t n)
{
	struct sink *sink = inv->context;

	abt_loop_assert_mine(inv->owner);
	assert_true(n <= sink->feed_out);
	sink->feed_out -= n;
	feed(sink);
}

static void
on_failed(struct abt_invocation *inv)
{
	struct sink *sink = inv->context;

	sink->failed = true;
}

static void
on_done(struct abt_invocation *inv)
{
	struct sink *sink = inv->context;

	abt_loop_assert_mine(inv->owner);
	sink->done++;
	if (sink->after != NULL)
		sink->after(sink);
}

static const struct abt_taker taker = {
	.begin = on_begin,
	.piece = on_piece,
	.body_eaten = on_body_eaten,
	.failed = on_failed,
};

static void
invoke(struct sink *sink, struct abt_function *function, struct abt_loop *owner)
{
	sink->inv.owner = owner;
	sink->inv.done = on_done;
	sink->inv.context = sink;
	sink->inv.event = ABT_BYTES("{}");
	sink->inv.request_id = "3f1a8c52-0d6e-4a57-9f0b-6b1f2f9c0001";
	sink->inv.taker = &taker;
	sink->inv.body_follows = sink->to_feed > 0;
	abt_function_invoke(function, &sink->inv);
	feed(sink);
}

/* ---- the world ---- */

static struct abt_loop *loops[2];
static pthread_t thread;

static void *
run_loop(void *arg)
{
	abt_loop_run(arg);
	return NULL;
}

static void
stop_loop(struct abt_loop *loop, struct abt_mail *letter)
{
	(void)letter;
	abt_loop_stop(loop);
}

static struct abt_function *
open_function(struct source *source, unsigned home, int64_t concurrency)
{
	struct abt_function_options options = { .timeout_ms = 60000,
		.concurrency = concurrency,
		.queue = { .length = 10, .wait_ms = 60000 } };
	struct abt_function *function;
	struct abt_arena arena;
	char why[100];

	if (source->total == 0)
		source->total = TOTAL;
	abt_arena_init(&arena, NULL);
	function =
	    abt_function_new("source", &options, &sources, source, &arena);
	assert_non_null(function);
	for (unsigned i = 0; i < 2; i++)
		loops[i] = abt_loop_new(i);
	assert_int_equal(
	    abt_function_open(function, loops[home], why, sizeof(why)), 0);
	if (home == 1)
		pthread_create(&thread, NULL, run_loop, loops[1]);
	return function;
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct sink *sink = arg;

	(void)fd;
	(void)what;
	if (sink->done > 0)
		abt_loop_stop(loops[0]);
}

/* Turn the caller's loop until |sink| is done. */
static void
wait_for(struct sink *sink)
{
	struct timeval often = { 0, 1000 };
	struct event look;

	if (sink->done > 0)
		return;
	event_assign(&look, loops[0]->base, -1, EV_PERSIST, on_look, sink);
	event_add(&look, &often);
	abt_loop_run(loops[0]);
	event_del(&look);
}

static void
close_function(struct abt_function *function)
{
	static struct abt_mail letter;

	if (function->home == loops[1]) {
		letter.deliver = stop_loop;
		abt_mail_send(loops[1], &letter);
		pthread_join(thread, NULL);
	}
	abt_function_close(function, NULL, NULL);
	abt_function_free(function);
	abt_loop_free(loops[0]);
	abt_loop_free(loops[1]);
}

/* ---- tests, each for both homes ---- */

static void
check_whole(struct sink *sink)
{
	assert_int_equal(sink->done, 1);
	assert_null(sink->inv.rule);
	assert_int_equal(sink->begun, 1);
	assert_int_equal(sink->got, TOTAL);
	assert_false(sink->wrong);
	assert_true(sink->most <= ABT_STREAM_WINDOW);
}

static void
run_fast(unsigned home)
{
	struct source source = { 0 };
	struct sink sink = { 0 };
	struct abt_function *function = open_function(&source, home, 1);

	invoke(&sink, function, loops[0]);
	wait_for(&sink);
	check_whole(&sink);
	close_function(function);
	if (home == 0)
		assert_int_equal(source.resumed, 0);
}

static void
run_slow(unsigned home)
{
	struct source source = { 0 };
	struct sink sink = { .slow = true };
	struct abt_function *function = open_function(&source, home, 1);

	invoke(&sink, function, loops[0]);
	wait_for(&sink);
	check_whole(&sink);
	close_function(function);
	assert_true(source.resumed > 10);
}

/* A body the same way at the same time. */
static void
run_body(unsigned home)
{
	struct source source = { 0 };
	struct sink sink = { .slow = true, .to_feed = TOTAL };
	struct abt_function *function = open_function(&source, home, 1);

	invoke(&sink, function, loops[0]);
	wait_for(&sink);
	check_whole(&sink);
	close_function(function);
	assert_int_equal(source.fed, TOTAL);
	assert_false(source.fed_wrong);
	assert_false(source.fed_broken);
}

/* What failed in the middle: all that came before arrives. */
static void
run_failure(unsigned home)
{
	struct source source = { .fail_at = 1000000 };
	struct sink sink = { .slow = true };
	struct abt_function *function = open_function(&source, home, 1);

	invoke(&sink, function, loops[0]);
	wait_for(&sink);
	assert_int_equal(sink.done, 1);
	assert_ptr_equal(
	    sink.inv.rule, &abt_rules[ABT_RULE_FUNCTION_TRUNCATED]);
	assert_string_equal(sink.inv.detail, "the pipe broke");
	assert_int_equal(sink.begun, 1);
	assert_int_equal(sink.got, 1000000);
	close_function(function);
}

/* Who waits for a place: his pieces are kept, his leaving is known. */
static void
run_queue(unsigned home)
{
	struct source source = { 0 };
	struct sink first = { .slow = true }, second = { .to_feed = TOTAL },
		    third = { .to_feed = TOTAL };
	struct abt_function *function = open_function(&source, home, 1);

	invoke(&first, function, loops[0]);
	invoke(&second, function, loops[0]);
	invoke(&third, function, loops[0]);
	abt_invocation_abandon(&third.inv);
	assert_true(second.fed > 0 && second.fed <= ABT_STREAM_WINDOW);
	wait_for(&third);
	wait_for(&second);
	check_whole(&first);
	check_whole(&second);
	assert_int_equal(third.done, 1);
	assert_int_equal(third.begun, 0);
	assert_ptr_equal(third.inv.rule, &abt_rules[ABT_RULE_NET_CLIENT_GONE]);
	close_function(function);
	assert_false(source.abandoned);
	assert_false(source.fed_wrong);
}

static void
run_abandon(unsigned home)
{
	struct source source = { 0 };
	struct sink sink = { .slow = true, .leave_at = 300000 };
	struct abt_function *function = open_function(&source, home, 1);

	invoke(&sink, function, loops[0]);
	wait_for(&sink);
	assert_int_equal(sink.done, 1);
	assert_ptr_equal(sink.inv.rule, &abt_rules[ABT_RULE_NET_CLIENT_GONE]);
	assert_true(sink.got < TOTAL);
	close_function(function);
	assert_true(source.abandoned);
}

/* Many short ones, each of which says good-bye as it ends: letters that come
 * too late must not hurt. */
static struct abt_function *many_function;
static unsigned many_left;

static void
invoke_again(struct abt_loop *loop, struct abt_mail *letter)
{
	invoke(
	    abt_container_of(letter, struct sink, letter), many_function, loop);
}

static void
again(struct sink *sink)
{
	struct sink fresh = { .after = again };

	if (--many_left == 0)
		return;
	fresh.leave_at = many_left % 3 == 0 ? 1 : 0;
	*sink = fresh;
	sink->letter.deliver = invoke_again; /* not upon this stack */
	abt_mail_send(loops[0], &sink->letter);
}

static void
run_many(unsigned home)
{
	struct source source = { .total = 70000 };
	struct sink sink = { .after = again };

	many_function = open_function(&source, home, 1);
	many_left = MANY;
	invoke(&sink, many_function, loops[0]);
	wait_for(&sink);
	assert_int_equal(many_left, 0);
	close_function(many_function);
}

/* No memory for the link: done at once, with the rule.  None for its first
 * piece: the stream has failed. */
static void
run_no_memory(unsigned home)
{
	struct source source = { 0 };
	struct sink sink = { 0 };
	struct abt_function *function = open_function(&source, home, 1);

	abt_memory_fail_at(1);
	invoke(&sink, function, loops[0]);
	abt_memory_fail_at(0);
	assert_int_equal(sink.done, 1);
	assert_ptr_equal(sink.inv.rule, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
	assert_int_equal(sink.begun, 0);
	close_function(function);
}

static struct source *starved;

static void
pump_starved(struct abt_loop *loop, struct abt_mail *letter)
{
	(void)loop;
	(void)letter;
	starved->inv->stream_type = ABT_BYTES("text/x-pattern");
	abt_result_begin(starved->inv);
	abt_memory_fail_at(3);
	pump(starved);
	abt_memory_fail_at(0);
}

static void
test_piece_without_memory(void **state)
{
	static struct abt_mail letter = { NULL, pump_starved };
	struct source source = { .slow_start = true };
	struct sink sink = { 0 };
	struct abt_function *function = open_function(&source, 1, 1);

	(void)state;
	starved = &source;
	invoke(&sink, function, loops[0]);
	abt_mail_send(loops[1], &letter);
	wait_for(&sink);
	assert_int_equal(sink.done, 1);
	assert_true(sink.failed);
	assert_int_equal(sink.got, 120000);
	assert_false(sink.wrong);
	assert_ptr_equal(sink.inv.rule, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
	close_function(function);
}

/* Nobody eats: the function stops within the window. */
static void
test_window(void **state)
{
	struct source source = { 0 };
	struct sink sink = { .slow = true, .stays = true };
	struct abt_function *function = open_function(&source, 0, 1);

	(void)state;
	invoke(&sink, function, loops[0]);
	assert_true(source.given >= ABT_STREAM_PIECE);
	assert_true(source.given <= ABT_STREAM_WINDOW);
	sink.stays = false;
	eat(&sink);
	wait_for(&sink);
	check_whole(&sink);
	close_function(function);
}

#define BOTH(name)                        \
	static void test_##name(void **s) \
	{                                 \
		(void)s;                  \
		run_##name(0);            \
		run_##name(1);            \
	}

BOTH(fast)
BOTH(slow)
BOTH(body)
BOTH(failure)
BOTH(queue)
BOTH(abandon)
BOTH(many)
BOTH(no_memory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_piece_without_memory),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
