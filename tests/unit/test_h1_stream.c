/*
 * test_h1_stream.c - answers and bodies in pieces, over real sockets
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/guard.h"
#include "lib/net_stream.h"
#include "net/conn.h"
#include "net/wheel.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: h\r\n"
#define BIG        1000000

static struct world world;
static char out[16 << 20], big[BIG];

static int
open_world(void **unused)
{
	int small = 65536;

	(void)unused;
	memset(&world, 0, sizeof(world));
	memset(&stream, 0, sizeof(stream));
	world.options.handler = &stream_handler;
	world_open(&world);
	/* connections inherit it: the kernel takes little */
	setsockopt(
	    world.listener->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	world_fill(big, BIG);
	return 0;
}

static void
say(int fd, const char *text)
{
	world_send(&world, fd, text, strlen(text));
	world_turn(&world, 2);
}

static size_t
hear(int fd, int ms, bool *eof)
{
	return world_read(&world, fd, out, sizeof(out), ms, eof);
}

static int
ask(const char *text)
{
	int fd = world_connect(&world);

	say(fd, text);
	assert_non_null(stream.x);
	return fd;
}

/* A client that can take only little. */
static int
ask_slowly(const char *text)
{
	int fd = world_connect(&world), small = 65536;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	say(fd, text);
	assert_non_null(stream.x);
	return fd;
}

static size_t
begin(const char *text)
{
	world.loop->now_us = 0;
	stream.x->response.status = 200;
	return abt_exchange_begin(stream.x, abt_bytes_text(text));
}

static size_t
write_text(const char *text)
{
	world.loop->now_us = 0;
	return abt_exchange_write(stream.x, abt_bytes_text(text));
}

static size_t
write_big(void)
{
	world.loop->now_us = 0;
	return abt_exchange_write(stream.x, abt_bytes(big, BIG));
}

static void
finish(void)
{
	struct abt_exchange *x = stream.x;

	stream.x = NULL;
	world.loop->now_us = 0;
	abt_exchange_finish(x);
}

static void
cut(void)
{
	struct abt_exchange *x = stream.x;

	stream.x = NULL;
	world.loop->now_us = 0;
	abt_exchange_abort(x);
}

static int
close_world(void **unused)
{
	(void)unused;
	abt_clock_stop_at(-1);
	if (stream.x != NULL) /* a test has failed */
		cut();
	world_close(&world);
	return 0;
}

static void
reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* Was it cut by a reset?  Reads what is there first. */
static bool
is_reset(int fd)
{
	int i;

	for (i = 0; i < 100; i++) {
		ssize_t n = recv(fd, out, sizeof(out), MSG_DONTWAIT);

		if (n == 0)
			return false;
		if (n < 0 && errno == ECONNRESET)
			return true;
		world_turn(&world, 2);
	}
	return false;
}

/* Decode the chunks of |text| in place; the length, or -1 when they do not
 * end. */
static ssize_t
unchunk(char *text)
{
	char *from = text, *to = text, *end;

	for (;;) {
		size_t n = strtoul(from, &end, 16);

		if (end == from || end[0] != '\r' || end[1] != '\n')
			return -1;
		from = end + 2;
		memmove(to, from, n);
		to += n;
		from += n;
		if (from[0] != '\r' || from[1] != '\n')
			return -1;
		from += 2;
		if (n == 0)
			return to - text;
	}
}

/* ---- how the end is told ---- */

static void
test_chunked(void **unused)
{
	int fd = ask(GET("/a"));

	(void)unused;
	assert_int_equal(begin("one"), 0);
	hear(fd, 10, NULL);
	assert_string_equal(out,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "Connection: keep-alive\r\n\r\n3\r\none\r\n");
	assert_int_equal(write_text("two, a longer piece"), 0);
	assert_int_equal(write_text(""), 0); /* is not the end */
	hear(fd, 10, NULL);
	assert_string_equal(out, "13\r\ntwo, a longer piece\r\n");
	finish();
	hear(fd, 10, NULL);
	assert_string_equal(out, "0\r\n\r\n");
	assert_int_equal(world.done, 1);
	assert_int_equal(world.sent, 71 + 8 + 25 + 5);
	assert_int_equal(world.left, 0);
	say(fd, GET("/b"));
	begin("");
	finish();
	hear(fd, 10, NULL);
	assert_non_null(strstr(out, "\r\n\r\n0\r\n\r\n"));
	assert_int_equal(world.loop->conn_count, 1);
	close(fd);
}

static void
test_field_of_the_dialect_is_not_doubled(void **unused)
{
	int fd = ask(GET("/a"));

	(void)unused;
	abt_headers_add(&stream.x->response.ours, &stream.x->arena,
	    ABT_BYTES("Transfer-Encoding"), ABT_BYTES("chunked"));
	abt_headers_add(&stream.x->response.headers, &stream.x->arena,
	    ABT_BYTES("transfer-encoding"), ABT_BYTES("gzip"));
	abt_headers_add(&stream.x->response.headers, &stream.x->arena,
	    ABT_BYTES("content-length"), ABT_BYTES("7"));
	begin("x");
	finish();
	hear(fd, 10, NULL);
	assert_string_equal(out,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "Connection: keep-alive\r\n\r\n1\r\nx\r\n0\r\n\r\n");
	close(fd);
}

static void
test_http_10_ends_with_the_connection(void **unused)
{
	bool eof;
	int fd = ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

	(void)unused;
	abt_headers_add(&stream.x->response.ours, &stream.x->arena,
	    ABT_BYTES("Transfer-Encoding"), ABT_BYTES("chunked"));
	begin("one");
	write_text("two");
	finish();
	hear(fd, 50, &eof);
	assert_true(eof);
	assert_string_equal(
	    out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonetwo");
	close(fd);
}

static void
test_length(void **unused)
{
	bool eof;
	int fd = ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

	(void)unused;
	stream.x->response.has_length = true;
	stream.x->response.length = 6;
	begin("one");
	write_text("two and too much");
	write_text("more");
	finish();
	hear(fd, 20, &eof);
	assert_false(eof);
	assert_string_equal(out, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
				 "Connection: keep-alive\r\n\r\nonetwo");
	/* too little is no end */
	say(fd, GET("/b"));
	stream.x->response.has_length = true;
	stream.x->response.length = 6;
	begin("one");
	finish();
	assert_true(is_reset(fd));
	assert_int_equal(world.done, 2);
	assert_int_equal(world.left, 0);
	assert_int_equal(world.loop->conn_count, 0);
	close(fd);
}

static void
test_no_body(void **unused)
{
	static const struct {
		const char *ask;
		int status;
		bool length;
		const char *answer;
	} cases[] = {
		{ "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 200, false,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		    "Connection: keep-alive\r\n\r\n" },
		{ "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 200, true,
		    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
		    "Connection: keep-alive\r\n\r\n" },
		{ GET("/"), 204, true,
		    "HTTP/1.1 204 No Content\r\n"
		    "Connection: keep-alive\r\n\r\n" },
		{ GET("/"), 304, false,
		    "HTTP/1.1 304 Not Modified\r\n"
		    "Connection: keep-alive\r\n\r\n" },
		{ "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200,
		    false,
		    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n" },
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = ask(cases[i].ask);

		stream.x->response.status = cases[i].status;
		stream.x->response.has_length = cases[i].length;
		stream.x->response.length = 9;
		assert_int_equal(
		    abt_exchange_begin(stream.x, ABT_BYTES("drop")), 0);
		assert_int_equal(write_text("this"), 0);
		assert_int_equal(write_big(), 0);
		finish();
		hear(fd, 10, NULL);
		assert_string_equal(out, cases[i].answer);
		close(fd);
	}
}

static void
test_next_request_and_the_last_one(void **unused)
{
	bool eof;
	int fd;

	(void)unused;
	world.policy.requests_max = 2;
	fd = ask(GET("/1") GET("/2") GET("/3"));
	assert_int_equal(world.heads, 1);
	begin("first");
	world_turn(&world, 5);
	assert_int_equal(world.heads, 1);
	finish(); /* the next one begins within */
	assert_int_equal(world.heads, 2);
	assert_non_null(stream.x);
	begin("second");
	finish();
	hear(fd, 50, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "Connection: close\r\n\r\n6\r\nsecond"));
	assert_int_equal(world.heads, 2);
	close(fd);
}

static void
test_drain(void **unused)
{
	bool eof;
	int fd = ask(GET("/1"));

	(void)unused;
	begin("a");
	abt_loop_drain_conns(world.loop);
	world_turn(&world, 5);
	assert_int_equal(world.loop->conn_count, 1);
	write_text("b");
	finish();
	hear(fd, 50, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "1\r\nb\r\n0\r\n\r\n"));
	close(fd);
}

/* ---- slow readers ---- */

static void
what_waits(bool stays)
{
	int fd = ask_slowly(GET("/1") GET("/2"));
	char *body;
	size_t waits;

	stream.x->pieces_stay = stays;
	begin("");
	waits = write_big();
	assert_true(waits > 0 && waits < BIG);
	assert_int_equal(write_text("more"), waits + 9);
	assert_int_equal(write_big(), waits + 9 + BIG + 9);
	assert_int_equal(stream.drained, 0);
	finish(); /* all the same */
	assert_int_equal(world.done, 0);
	world_turn(&world, 10);
	assert_int_equal(world.heads, 1);
	hear(fd, 100, NULL);
	body = strstr(out, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(unchunk(body + 4), 2 * BIG + 4);
	assert_memory_equal(body + 4, big, BIG);
	assert_memory_equal(body + 4 + BIG, "more", 4);
	assert_memory_equal(body + 8 + BIG, big, BIG);
	assert_int_equal(world.done, 1);
	assert_int_equal(world.heads, 2);
	begin("");
	finish();
	close(fd);
	world_turn(&world, 3);
}

static void
test_what_waits(void **unused)
{
	(void)unused;
	what_waits(false);
}

/* The last piece, and only that, waits where it is. */
static void
test_what_stays(void **unused)
{
	(void)unused;
	what_waits(true);
}

/* Pieces that stay where they are wait there, and end the answer from there. */
static void
test_pieces_stay(void **unused)
{
	int fd = ask_slowly(GET("/1") GET("/2"));
	char *body;
	size_t waits, n;

	(void)unused;
	begin("");
	stream.x->pieces_stay = 1;
	waits = write_big();
	assert_true(waits > 0 && waits < BIG + 20);
	assert_int_equal(stream.x->held.n + 2, waits);
	assert_ptr_equal(stream.x->held.p + stream.x->held.n, big + BIG);
	assert_null(stream.x->wait_first);
	finish();
	n = hear(fd, 100, NULL);
	body = strstr(out, "\r\n\r\n");
	assert_non_null(body);
	assert_memory_equal(out + n - 5, "0\r\n\r\n", 5);
	assert_int_equal(unchunk(body + 4), BIG);
	assert_memory_equal(body + 4, big, BIG);
	assert_int_equal(world.done, 1);
	begin(""); /* something behind such a piece: all of it arrives */
	stream.x->pieces_stay = 1;
	waits = write_big();
	assert_int_equal(write_text("more"), waits + 9);
	assert_int_equal(stream.x->held.n, 0);
	assert_int_equal(write_big(), waits + 9 + BIG + 9);
	assert_int_equal(stream.x->held.n, BIG);
	finish();
	hear(fd, 100, NULL);
	body = strstr(out, "\r\n\r\n");
	assert_int_equal(unchunk(body + 4), 2 * BIG + 4);
	assert_memory_equal(body + 4 + BIG, "more", 4);
	assert_memory_equal(body + 8 + BIG, big, BIG);
	close(fd);
}

static void
test_drained_is_told(void **unused)
{
	int fd = ask_slowly(GET("/1")), i;
	char *body;
	size_t n = 0;

	(void)unused;
	begin("");
	for (i = 0; i < 3; i++) {
		stream.x->pieces_stay = i == 1;
		assert_true(write_big() > 0);
		assert_int_equal(stream.drained, i);
		n += world_read(&world, fd, out + n, sizeof(out) - n, 30, NULL);
		assert_int_equal(stream.drained, i + 1);
	}
	assert_int_equal(write_text("x"), 0);
	finish();
	n += world_read(&world, fd, out + n, sizeof(out) - n, 20, NULL);
	body = strstr(out, "\r\n\r\n");
	assert_int_equal(unchunk(body + 4), 3 * BIG + 1);
	close(fd);
}

static void
pass_time(int64_t *now_ms, int64_t ms)
{
	*now_ms += ms;
	abt_clock_stop_at(*now_ms * 1000);
	world.loop->now_us = 0;
	abt_wheel_run(world.loop->wheel, *now_ms);
	world_turn(&world, 0);
}

static void
test_write_idle(void **unused)
{
	int64_t now_ms = 1000000;
	int fd;

	(void)unused;
	abt_clock_stop_at(now_ms * 1000);
	world.policy.write_idle_ms = 1000;
	world.policy.head_ms = world.policy.keep_alive_ms = 1000;
	fd = world_connect(&world);
	world_send(&world, fd, GET("/1"), strlen(GET("/1")));
	while (stream.x == NULL)
		world_turn(&world, 0);
	pass_time(&now_ms, 5000);
	begin("a");
	pass_time(&now_ms, 5000); /* the handler has nothing to say */
	assert_int_equal(world.loop->conn_count, 1);
	write_big();
	pass_time(&now_ms, 500);
	assert_int_equal(world.gone, 0);
	pass_time(&now_ms, 1000); /* he does not listen */
	assert_int_equal(world.gone, 1);
	assert_true(stream.x->client_left);
	assert_null(stream.x->conn);
	assert_int_equal(write_big(), 0);
	finish();
	assert_int_equal(world.left, 1);
	abt_clock_stop_at(-1);
	assert_true(is_reset(fd));
	close(fd);
}

/* ---- ends half-way ---- */

static void
test_abort(void **unused)
{
	int fd = ask(GET("/1") GET("/2"));

	(void)unused;
	begin("a");
	cut();
	assert_int_equal(world.done, 1);
	assert_int_equal(world.left, 0);
	assert_int_equal(world.loop->conn_count, 0);
	assert_true(is_reset(fd));
	close(fd);
	fd = ask_slowly(GET("/1")); /* with much that waits */
	begin("a");
	write_big();
	cut();
	assert_true(is_reset(fd));
	assert_int_equal(world.heads, 2);
	close(fd);
	fd = ask(GET("/1")); /* a reply behind a beginning is no answer */
	begin("a");
	abt_log_set_fd(-1);
	abt_exchange_reply(stream.x);
	stream.x = NULL;
	abt_log_set_fd(2);
	assert_true(is_reset(fd));
	close(fd);
}

static void
test_client_vanishes(void **unused)
{
	int i;

	(void)unused;
	for (i = 0; i < 4; i++) {
		int fd = i < 2 ? ask(GET("/1")) : ask_slowly(GET("/1"));

		begin("a");
		if (i >= 2)
			assert_true(write_big() > 0);
		reset(fd);
		/* it may be noticed by the loop, or in writing */
		if (i & 1)
			assert_int_equal(write_text("b") == 0, i < 2);
		assert_int_equal(world.gone, i);
		world_turn(&world, 5);
		assert_int_equal(world.gone, i + 1);
		assert_null(stream.x->conn);
		assert_int_equal(write_big(), 0);
		assert_int_equal(world.done, i);
		if (i & 1)
			finish();
		else
			cut();
		assert_int_equal(world.done, i + 1);
		assert_int_equal(world.left, i + 1);
		assert_int_equal(world.loop->conn_count, 0);
	}
}

/* Found out in writing, and the handler lets go in the same turn. */
static void
test_doomed_and_done(void **unused)
{
	int fd = ask(GET("/1")), i;

	(void)unused;
	begin("a");
	reset(fd);
	for (i = 0; i < 3; i++)
		assert_int_equal(write_text("b"), 0);
	finish();
	assert_int_equal(world.done, 1);
	assert_int_equal(world.left, 1);
	assert_int_equal(world.gone, 0);
	world_turn(&world, 5);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_vanish_before_the_beginning(void **unused)
{
	int fd = ask(GET("/1"));

	(void)unused;
	reset(fd);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 1);
	assert_int_equal(begin("a"), 0);
	assert_int_equal(write_big(), 0);
	finish();
	assert_int_equal(world.done, 1);
}

static void
test_half_close(void **unused)
{
	bool eof;
	int fd = ask(GET("/1"));

	(void)unused;
	begin("a");
	shutdown(fd, SHUT_WR);
	world_turn(&world, 10);
	assert_int_equal(world.half_closed, 1);
	assert_int_equal(world.gone, 0);
	write_text("b");
	world_turn(&world, 10);
	finish();
	hear(fd, 50, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "1\r\nb\r\n0\r\n\r\n"));
	close(fd);
	/* and with much that waits */
	fd = ask_slowly(GET("/1"));
	shutdown(fd, SHUT_WR);
	begin("a");
	write_big();
	world_turn(&world, 10);
	hear(fd, 50, NULL);
	assert_int_equal(stream.drained, 1);
	finish();
	hear(fd, 50, &eof);
	assert_true(eof);
	close(fd);
}

/* ---- bodies ---- */

static void
test_pause_sized(void **unused)
{
	int fd, i;

	(void)unused;
	stream.pause = true;
	fd = ask(POST("/1") "Content-Length: 10\r\n\r\nab");
	assert_int_equal(stream.got, 2);
	for (i = 0; i < 3; i++) {
		say(fd, "x");
		assert_int_equal(stream.got, 2); /* not read */
	}
	abt_exchange_resume(stream.x);
	world_turn(&world, 5);
	assert_int_equal(stream.got, 5);
	say(fd, "vwxyz" GET("/2"));
	assert_int_equal(stream.got, 5);
	assert_int_equal(world.readies, 0);
	abt_exchange_resume(stream.x);
	world_turn(&world, 5);
	assert_int_equal(stream.got, 10);
	assert_int_equal(world.readies, 1); /* paused or not */
	abt_exchange_resume(stream.x);
	begin("");
	finish();
	assert_int_equal(world.heads, 2);
	begin("");
	finish();
	assert_int_equal(stream.pauses, 3);
	close(fd);
}

static void
test_pause_chunked(void **unused)
{
	int fd, i;

	(void)unused;
	stream.pause = true;
	fd = ask(
	    POST("/1") "Transfer-Encoding: chunked\r\n\r\n"
		       "2\r\nab\r\n1\r\nc\r\n3\r\ndef\r\n0\r\n\r\n" GET("/2"));
	for (i = 0; i < 3; i++) {
		assert_int_equal(stream.got, i == 0 ? 2 : i == 1 ? 3 : 6);
		assert_int_equal(world.readies, 0);
		world_turn(&world, 5);
		abt_exchange_resume(stream.x);
		world_turn(&world, 5);
	}
	assert_int_equal(world.readies, 1);
	begin("");
	finish();
	assert_int_equal(world.heads, 2);
	begin("");
	finish();
	close(fd);
}

static void
test_pause_has_no_deadline(void **unused)
{
	const char *text = POST("/1") "Content-Length: 1000\r\n\r\nab";
	int64_t now_ms = 1000000;
	int fd, i;

	(void)unused;
	abt_clock_stop_at(now_ms * 1000);
	stream.pause = true;
	stream.reply_broken = true;
	world.policy.body_idle_ms = 2000;
	world.policy.body_rate = 240;
	world.policy.request_ms = 30000;
	fd = world_connect(&world);
	world_send(&world, fd, text, strlen(text));
	while (stream.got == 0)
		world_turn(&world, 0);
	for (i = 0; i < 30; i++)
		pass_time(&now_ms, 3000);
	assert_int_equal(world.broken, 0);
	abt_exchange_resume(stream.x);
	pass_time(&now_ms, 1500);
	assert_int_equal(world.broken, 0);
	pass_time(&now_ms, 1500);
	assert_int_equal(world.broken, 1);
	assert_ptr_equal(world.rule, &abt_rules[ABT_RULE_NET_BODY_TIMEOUT]);
	abt_clock_stop_at(-1);
	close(fd);
}

/* The time of a whole request is for those that are collected. */
static void
test_pieces_may_take_long(void **unused)
{
	const char *text = POST("/1") "Content-Length: 1000\r\n\r\nab";
	int64_t now_ms = 1000000;
	size_t i;
	int fd;

	(void)unused;
	abt_clock_stop_at(now_ms * 1000);
	world.policy.body_idle_ms = 2000;
	world.policy.request_ms = 3000;
	fd = world_connect(&world);
	world_send(&world, fd, text, strlen(text));
	while (stream.got < 2)
		world_turn(&world, 0);
	for (i = 0; i < 5; i++) {
		pass_time(&now_ms, 1000);
		world_send(&world, fd, "x", 1);
		while (stream.got < 3 + i)
			world_turn(&world, 0);
	}
	assert_int_equal(world.broken, 0);
	abt_clock_stop_at(-1);
	close(fd);
}

static void
test_expect_continue_waits(void **unused)
{
	int fd;

	(void)unused;
	stream.pause_head = true;
	fd = ask(POST("/1") "Expect: 100-continue\r\n"
			    "Content-Length: 2\r\n\r\n");
	assert_int_equal(hear(fd, 10, NULL), 0);
	abt_exchange_resume(stream.x);
	hear(fd, 10, NULL);
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "ab");
	assert_int_equal(stream.got, 2);
	begin("");
	finish();
	close(fd);
	/* whoever sends all the same is not lost */
	fd = ask(POST("/1") "Content-Length: 2\r\n\r\nab" GET("/2"));
	assert_int_equal(stream.got, 2);
	abt_exchange_resume(stream.x);
	world_turn(&world, 3);
	assert_int_equal(stream.got, 4);
	begin("");
	finish();
	assert_int_equal(world.heads, 3);
	begin("");
	finish();
	close(fd);
	/* an answer before: no 100 behind it */
	fd = ask(POST("/1") "Expect: 100-continue\r\n"
			    "Content-Length: 2\r\n\r\n");
	begin("no");
	abt_exchange_resume(stream.x);
	finish();
	hear(fd, 20, NULL);
	assert_null(strstr(out, "100 Continue"));
	close(fd);
}

static void
test_answer_before_the_body_ends(void **unused)
{
	bool eof;
	int fd = ask(POST("/1") "Content-Length: 9\r\n\r\nab");

	(void)unused;
	begin("early");
	say(fd, "cd");
	assert_int_equal(stream.got, 4);
	write_text("and later");
	finish(); /* the rest must not be taken for a request */
	say(fd, "efghi" GET("/2"));
	hear(fd, 50, &eof);
	assert_true(eof);
	assert_int_equal(world.heads, 1);
	close(fd);
}

static void
test_broken_body_while_answering(void **unused)
{
	int fd = ask(POST("/1") "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
	int i;

	(void)unused;
	begin("early");
	say(fd, "zz\r\n");
	assert_int_equal(world.broken, 1);
	cut();
	assert_true(is_reset(fd));
	close(fd);
	for (i = 0; i < 2; i++) { /* its client vanishes, the body paused */
		stream.pause = true;
		fd = ask(POST("/1") "Content-Length: 9\r\n\r\nab");
		if (i == 1)
			begin("early");
		reset(fd);
		world_turn(&world, 5);
		assert_int_equal(world.broken, 2 + i);
		assert_true(stream.x->client_left);
		abt_exchange_resume(stream.x);
		if (i == 0)
			begin("");
		cut();
	}
	assert_int_equal(world.left, 2);
	/* half-closed in its middle */
	stream.pause = false;
	stream.reply_broken = true;
	fd = ask(POST("/1") "Content-Length: 9\r\n\r\nab");
	begin("early");
	write_big();
	shutdown(fd, SHUT_WR);
	world_turn(&world, 10);
	assert_int_equal(world.broken, 4);
	assert_true(is_reset(fd));
	close(fd);
}

/* Both ways at once, more than any buffer holds. */
static void
echo(size_t total, bool chunked, bool slow)
{
	int fd = world_connect(&world);
	size_t sent = 0, got = 0, framing = 0;
	char line[64];
	uint64_t hash = 0;

	memset(&stream, 0, sizeof(stream));
	snprintf(out, sizeof(out),
	    chunked ? POST("/echo") "Transfer-Encoding: chunked\r\n\r\n"
		    : POST("/echo") "Content-Length: %zu\r\n\r\n",
	    total);
	say(fd, out);
	while (sent < total || (slow && stream.pauses == 0)) {
		size_t n = total - sent < 50000 ? total - sent : 50000;

		if (chunked && framing == 0) {
			snprintf(line, sizeof(line), "%zx\r\n", n);
			say(fd, line);
			framing = n;
		}
		while (n > 0) {
			ssize_t took =
			    send(fd, big + sent % 26, n, MSG_NOSIGNAL);

			if (took > 0) {
				hash = stream_hash(hash,
				    abt_bytes(big + sent % 26, (size_t)took));
				sent += (size_t)took;
				n -= (size_t)took;
			} else if (!slow || stream.pauses > 0) {
				got += world_read(&world, fd, out + got,
				    sizeof(out) - got, 1, NULL);
			}
			world_turn(&world, 0);
		}
		if (chunked) {
			framing = 0;
			say(fd, sent < total ? "\r\n" : "\r\n0\r\n\r\n");
		}
	}
	got += world_read(&world, fd, out + got, sizeof(out) - got, 50, NULL);
	assert_int_equal(stream.got, total);
	assert_true(stream.hash == hash);
	assert_int_equal(unchunk(strstr(out, "\r\n\r\n") + 4), total);
	assert_true(stream_hash(0,
			abt_bytes(strstr(out, "\r\n\r\n") + 4, total)) == hash);
	assert_true(stream.waiting < 300000);
	assert_int_equal(world.done, world.heads);
	close(fd);
	world_turn(&world, 3);
}

static void
test_echo(void **unused)
{
	(void)unused;
	echo(10, false, false);
	echo(10, true, false);
	echo(12000000, false, false);
	echo(12000000, true, false);
	echo(15000000, false, true);
	assert_true(stream.pauses > 0);
	echo(15000000, true, true);
	assert_true(stream.pauses > 0);
}

/* ---- failing memory ---- */

static unsigned whole;

static void
scenario(void *unused)
{
	int fd = world_connect(&world), small = 65536, i;
	const char *text = POST("/1") "Content-Length: 2\r\n\r\nab";
	size_t n = 0;

	(void)unused;
	memset(&stream, 0, sizeof(stream));
	stream.reply_broken = true;
	stream.pause = true;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* accepting pauses after the round in which it found no memory */
	for (i = 0; i < 250 && world.loop->conn_count == 0; i++)
		world_turn(&world, 1);
	world_send(&world, fd, text, strlen(text));
	world_turn(&world, 2);
	if (stream.x != NULL) {
		begin("a");
		write_big();
		write_big();
		world_turn(&world, 2);
		n = hear(fd, 20, NULL);
		if (stream.x != NULL)
			finish();
		n += hear(fd, 5, NULL);
		whole += n > 2 * BIG;
	}
	close(fd);
	world_turn(&world, 2);
	assert_int_equal(world.loop->conn_count, 0);
	assert_int_equal(world.heads, world.done);
}

static void
test_every_allocation_fails(void **unused)
{
	unsigned long allocations = abt_sweep(scenario, NULL);

	(void)unused;
	print_message("%lu allocations\n", allocations);
	assert_true(allocations > 3);
	assert_true(whole >= 1);
	abt_memory_fail_at(0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chunked),
		TEST(test_field_of_the_dialect_is_not_doubled),
		TEST(test_http_10_ends_with_the_connection),
		TEST(test_length),
		TEST(test_no_body),
		TEST(test_next_request_and_the_last_one),
		TEST(test_drain),
		TEST(test_what_waits),
		TEST(test_what_stays),
		TEST(test_pieces_stay),
		TEST(test_drained_is_told),
		TEST(test_write_idle),
		TEST(test_abort),
		TEST(test_client_vanishes),
		TEST(test_doomed_and_done),
		TEST(test_vanish_before_the_beginning),
		TEST(test_half_close),
		TEST(test_pause_sized),
		TEST(test_pause_chunked),
		TEST(test_pause_has_no_deadline),
		TEST(test_pieces_may_take_long),
		TEST(test_expect_continue_waits),
		TEST(test_answer_before_the_body_ends),
		TEST(test_broken_body_while_answering),
		TEST(test_echo),
		TEST(test_every_allocation_fails),
	};

	abt_log_set_level(ABT_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
