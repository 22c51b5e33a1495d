/*
 * test_h1_server.c - connections over real sockets: order, limits, ends
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/guard.h"
#include "lib/net_world.h"
#include "net/wheel.h"
#include "route/cidr.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: h\r\n"

static struct world world;
static char out[16 << 20];

static int
open_world(void **unused)
{
	(void)unused;
	memset(&world, 0, sizeof(world));
	world_open(&world);
	return 0;
}

static int
close_world(void **unused)
{
	(void)unused;
	abt_clock_stop_at(-1);
	world_close(&world);
	return 0;
}

static void
say(int fd, const char *text)
{
	world_send(&world, fd, text, strlen(text));
}

static unsigned
count(const char *needle)
{
	const char *at = out;
	unsigned n = 0;

	while ((at = strstr(at, needle)) != NULL) {
		n++;
		at++;
	}
	return n;
}

static void
linger_reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* ---- one request ---- */

static void
test_get(void **unused)
{
	(void)unused;
	world_talk(&world, GET("/x?y"), out, sizeof(out));
	assert_string_equal(out, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
				 "Connection: keep-alive\r\n\r\nGET /x?y 0");
	assert_int_equal(world.received, sizeof(GET("/x?y")) - 1);
	assert_int_equal(world.sent, strlen(out));
	assert_string_equal(world.peer.ip, "127.0.0.1");
	assert_string_equal(world.peer.local_ip, "127.0.0.1");
	assert_int_equal(world.peer.local_port, world.port);
}

static void
test_head_and_304_have_no_body(void **unused)
{
	(void)unused;
	world_talk(
	    &world, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", out, sizeof(out));
	assert_string_equal(out, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
				 "Connection: keep-alive\r\n\r\n");
	world_talk(&world, GET("/304") GET("/y"), out, sizeof(out));
	assert_int_equal(count("HTTP/1.1 "), 2);
	assert_non_null(strstr(out, "\r\n\r\nHTTP/1.1 200"));
}

static void
test_http_10(void **unused)
{
	bool eof;
	int fd = world_connect(&world);

	(void)unused;
	say(fd, "GET / HTTP/1.0\r\n\r\n");
	world_read(&world, fd, out, sizeof(out), 50, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "Connection: close"));
	close(fd);
	fd = world_connect(&world);
	world_send(
	    &world, fd, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 42);
	world_read(&world, fd, out, sizeof(out), 20, &eof);
	assert_false(eof);
	assert_non_null(strstr(out, "Connection: keep-alive"));
	close(fd);
}

static void
test_close_when_asked(void **unused)
{
	static const char *const asks[] = {
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		GET("/close"),
		"GET / HTTP/1.1\r\n\r\n", /* no host: refused */
		"nonsense\r\n\r\n",
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		int fd = world_connect(&world);
		bool eof;

		say(fd, asks[i]);
		world_read(&world, fd, out, sizeof(out), 50, &eof);
		assert_true(eof);
		assert_non_null(strstr(out, "Connection: close"));
		close(fd);
		world_turn(&world, 3);
	}
	assert_int_equal(world.loop->conn_count, 0);
}

/* ---- bodies ---- */

static void
test_bodies(void **unused)
{
	(void)unused;
	world_talk(&world, POST("/a") "Content-Length: 3\r\n\r\nabc", out,
	    sizeof(out));
	assert_non_null(strstr(out, "POST /a 3"));
	assert_true(world.body_good);
	world_talk(&world,
	    POST("/b") "Transfer-Encoding: chunked\r\n\r\n"
		       "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n" GET("/c"),
	    out, sizeof(out));
	assert_non_null(strstr(out, "POST /b 5"));
	assert_non_null(strstr(out, "GET /c 0"));
	assert_int_equal(world.readies, 3);
	world_talk(&world,
	    POST("/pieces") "Content-Length: 5\r\n\r\nabcde" GET("/c"), out,
	    sizeof(out));
	assert_non_null(strstr(out, "POST /pieces 5"));
	assert_non_null(strstr(out, "GET /c 0"));
}

static void
test_large_body_in_place(void **unused)
{
	static char body[2 << 20];
	char head[128];
	int fd = world_connect(&world);

	(void)unused;
	world_fill(body, sizeof(body));
	snprintf(head, sizeof(head), POST("/l") "Content-Length: %zu\r\n\r\n",
	    sizeof(body));
	say(fd, head);
	world_send(&world, fd, body, sizeof(body));
	say(fd, GET("/n"));
	world_read(&world, fd, out, sizeof(out), 50, NULL);
	assert_non_null(strstr(out, "POST /l 2097152"));
	assert_non_null(strstr(out, "GET /n 0"));
	close(fd);
}

static void
test_body_size_and_good(void **unused)
{
	static char text[300000];
	size_t n, body = 250000;
	int fd = world_connect(&world);

	(void)unused;
	n = (size_t)snprintf(
	    text, sizeof(text), POST("/g") "Content-Length: %zu\r\n\r\n", body);
	world_fill(text + n, body);
	world_send(&world, fd, text, n + body);
	world_read(&world, fd, out, sizeof(out), 50, NULL);
	assert_int_equal(world.body_size, body);
	assert_true(world.body_good);
	close(fd);
}

static void
test_expect_continue(void **unused)
{
	int fd = world_connect(&world);

	(void)unused;
	say(fd, POST("/e") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "ab");
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_non_null(strstr(out, "POST /e 2"));
	close(fd);
}

static void
test_too_large_is_told_at_once(void **unused)
{
	bool eof;
	int fd = world_connect(&world);
	const char *text =
	    POST("/small") "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n";

	(void)unused;
	say(fd, text);
	world_read(&world, fd, out, sizeof(out), 50, &eof);
	assert_true(eof);
	assert_int_equal(count("100 Continue"), 0);
	assert_non_null(strstr(out, "net/body-large"));
	assert_int_equal(world.broken, 1);
	close(fd);
	/* chunked: known when it is over */
	world_talk(&world,
	    POST("/small") "Transfer-Encoding: chunked\r\n\r\n"
			   "5\r\nabcde\r\n6\r\nabcdef\r\n0\r\n\r\n",
	    out, sizeof(out));
	assert_non_null(strstr(out, "net/body-large"));
	assert_int_equal(count("HTTP/1.1 "), 1);
	/* not over */
	world_talk(&world,
	    POST("/small") "Transfer-Encoding: chunked\r\n\r\n"
			   "5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n",
	    out, sizeof(out));
	assert_non_null(strstr(out, "POST /small 10"));
}

static void
test_refusal_leaves_bytes_unread_as_requests(void **unused)
{
	(void)unused;
	/* no body: the connection may live on */
	world_talk(&world, GET("/refuse") GET("/a"), out, sizeof(out));
	assert_int_equal(count("HTTP/1.1 "), 2);
	/* a body that is not read must not be taken for a request */
	world_talk(&world,
	    POST("/refuse") "Content-Length: 36\r\n\r\n" GET("/a"), out,
	    sizeof(out));
	assert_int_equal(count("HTTP/1.1 "), 1);
	assert_non_null(strstr(out, "Connection: close"));
	world_talk(&world,
	    POST("/stop-pieces") "Content-Length: 99\r\n\r\n" GET("/a"), out,
	    sizeof(out));
	assert_int_equal(count("HTTP/1.1 "), 1);
	assert_non_null(strstr(out, "Connection: close"));
}

static void
test_late_refusal(void **unused)
{
	int fd = world_connect(&world);
	bool eof;

	(void)unused;
	say(fd, POST("/late-refuse") "Content-Length: 5\r\n\r\nabcde" GET("/"));
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_string_equal(out, "");
	assert_int_equal(world.held_count, 1);
	world_release(&world);
	world_read(&world, fd, out, sizeof(out), 50, &eof);
	assert_true(eof);
	assert_int_equal(count("HTTP/1.1 "), 1);
	assert_int_equal(world.heads, 1);
	close(fd);
}

/* ---- order ---- */

static void
test_pipelining_in_order(void **unused)
{
	char text[4096] = "";
	const char *at;
	int i;

	(void)unused;
	for (i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
	world_talk(&world, text, out, sizeof(out));
	at = out;
	for (i = 0; i < 40; i++) {
		char want[32];

		snprintf(want, sizeof(want), "GET /%d 0", i);
		at = strstr(at, want);
		assert_non_null(at);
	}
}

static void
test_one_at_a_time(void **unused)
{
	int fd = world_connect(&world), i;

	(void)unused;
	say(fd, GET("/hold") GET("/hold") GET("/a"));
	say(fd, GET("/b"));
	world_turn(&world, 10);
	assert_int_equal(world.held_count, 1);
	for (i = 0; i < 5; i++) { /* more than it wants to read ahead */
		say(fd, GET("/c"));
		world_turn(&world, 3);
	}
	world_release(&world);
	world_turn(&world, 10);
	assert_int_equal(world.held_count, 1);
	world_release(&world);
	world_read(&world, fd, out, sizeof(out), 30, NULL);
	assert_int_equal(count("HTTP/1.1 200"), 9);
	assert_true(strstr(out, "GET /a") < strstr(out, "GET /b"));
	close(fd);
}

static void
test_every_split(void **unused)
{
	static const char text[] = "\r\n" POST(
	    "/s") "Content-Length: 4\r\n"
		  "Expect: 100-continue\r\n\r\nabcd" POST(
		      "/t") "Transfer-Encoding: chunked\r\n\r\n"
			    "3;e\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n" GET(
				"/hold");
	size_t n = sizeof(text) - 1, cut;

	(void)unused;
	for (cut = 1; cut < n; cut++) {
		int fd = world_connect(&world);

		world_send(&world, fd, text, cut);
		world_turn(&world, 1);
		world_send(&world, fd, text + cut, n - cut);
		world_turn(&world, 1);
		while (world.held_count == 0)
			world_turn(&world, 1);
		world_release(&world);
		world_read(&world, fd, out, sizeof(out), 3, NULL);
		assert_int_equal(count("HTTP/1.1 200"), 3);
		assert_int_equal(count("HTTP/1.1 100"), 1);
		close(fd);
	}
}

static void
test_byte_by_byte(void **unused)
{
	static const char text[] =
	    POST("/s") "Content-Length: 4\r\n\r\nabcd" POST(
		"/t") "Transfer-Encoding: chunked\r\n\r\n"
		      "3;e\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n" GET("/u");
	int fd = world_connect(&world);
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(text) - 1; i++) {
		world_send(&world, fd, text + i, 1);
		world_turn(&world, 1);
	}
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_int_equal(count("HTTP/1.1 200"), 3);
	assert_int_equal(world.received, strlen(GET("/u")));
	close(fd);
}

/* ---- large answers, slow readers ---- */

static void
test_big_answer_to_a_slow_reader(void **unused)
{
	int fd = world_connect(&world);
	const char *body;
	size_t n;

	(void)unused;
	say(fd, GET("/big") GET("/after"));
	world_turn(&world, 30);
	assert_int_equal(world.done, 0); /* the kernel does not hold it all */
	n = world_read(&world, fd, out, sizeof(out), 100, NULL);
	body = strstr(out, "\r\n\r\n");
	assert_non_null(body);
	assert_true(n > 12000000);
	assert_true(world_is_filled(abt_bytes(body + 4, 12000000)));
	assert_non_null(strstr(body + 4 + 12000000, "GET /after 0"));
	assert_int_equal(world.done, 2);
	close(fd);
}

static void
test_write_idle_cuts(void **unused)
{
	int fd = world_connect(&world), small = 4096;

	(void)unused;
	world.policy.write_idle_ms = 100;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	say(fd, GET("/big"));
	world_turn(&world, 400);
	assert_int_equal(world.done, 1);
	assert_int_equal(world.left, 1);
	assert_int_equal(world.loop->conn_count, 0);
	close(fd);
}

/* ---- ends ---- */

static void
test_half_close_is_answered(void **unused)
{
	int fd = world_connect(&world);
	bool eof;

	(void)unused;
	world_send(
	    &world, fd, GET("/a") GET("/hold"), strlen(GET("/a") GET("/hold")));
	shutdown(fd, SHUT_WR);
	world_turn(&world, 20);
	assert_int_equal(world.half_closed, 1);
	assert_int_equal(world.gone, 0);
	world_release(&world);
	world_read(&world, fd, out, sizeof(out), 50, &eof);
	assert_true(eof);
	assert_int_equal(count("HTTP/1.1 200"), 2);
	close(fd);
	world_turn(&world, 3);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_reset_while_working(void **unused)
{
	int fd = world_connect(&world);

	(void)unused;
	say(fd, GET("/hold"));
	world_turn(&world, 5);
	linger_reset(fd);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 1);
	assert_int_equal(world.done, 0);
	assert_int_equal(world.loop->conn_count, 0);
	world_release(&world);
	assert_int_equal(world.done, 1);
	assert_int_equal(world.left, 1);
}

static void
test_reset_after_half_close(void **unused)
{
	int fd = world_connect(&world);

	(void)unused;
	say(fd, GET("/hold"));
	shutdown(fd, SHUT_WR);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 0);
	linger_reset(fd);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 1);
	world_release(&world);
}

static void
test_reset_with_requests_ahead(void **unused)
{
	int fd = world_connect(&world), i;

	(void)unused;
	say(fd, GET("/hold"));
	world_turn(&world, 3);
	for (i = 0; i < 4; i++) {
		say(fd, GET("/a"));
		world_turn(&world, 3);
	}
	linger_reset(fd);
	world_turn(&world, 5);
	assert_int_equal(world.gone, 1);
	world_release(&world);
	assert_int_equal(world.heads, 1);
}

static void
test_short_requests(void **unused)
{
	static const struct {
		const char *text, *rule;
	} cases[] = {
		{ "GET / HT", "h1/head-short" },
		{ POST("/") "Content-Length: 9\r\n\r\nabc", "h1/body-short" },
		{ POST("/") "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
		    "h1/body-short" },
		{ POST("/pieces") "Content-Length: 9\r\n\r\nabc",
		    "h1/body-short" },
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = world_connect(&world);
		bool eof;

		say(fd, cases[i].text);
		shutdown(fd, SHUT_WR);
		world_read(&world, fd, out, sizeof(out), 50, &eof);
		assert_true(eof);
		assert_non_null(strstr(out, cases[i].rule));
		close(fd);
	}
	world_turn(&world, 3);
	assert_int_equal(world.readies, 0);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_nothing_is_no_request(void **unused)
{
	int fd = world_connect(&world);
	bool eof;

	(void)unused;
	say(fd, "\r\n");
	shutdown(fd, SHUT_WR);
	world_read(&world, fd, out, sizeof(out), 50, &eof);
	assert_true(eof);
	assert_string_equal(out, "");
	assert_int_equal(world.heads, 0);
	close(fd);
}

static void
test_vanish_at_every_byte(void **unused)
{
	static const char text[] =
	    POST("/s") "Content-Length: 4\r\n\r\nabcd" POST(
		"/hold") "Transfer-Encoding: chunked\r\n\r\n"
			 "3\r\nabc\r\n0\r\n\r\n";
	size_t cut;

	(void)unused;
	for (cut = 0; cut < sizeof(text); cut++) {
		int fd = world_connect(&world);

		world_send(&world, fd, text, cut);
		world_turn(&world, 1);
		linger_reset(fd);
		world_turn(&world, 1);
		while (world.held_count > 0)
			world_release(&world);
		assert_int_equal(world.loop->conn_count, 0);
		assert_int_equal(world.heads, world.done);
	}
}

static void
test_lingering_close(void **unused)
{
	static char body[600000];
	int fd = world_connect(&world);
	const char *head = POST("/small") "Content-Length: 600000\r\n\r\n";
	bool eof;

	(void)unused;
	/* The answer is out while the body still comes: it must be read. */
	say(fd, head);
	world_turn(&world, 5);
	world_fill(body, sizeof(body));
	world_send(&world, fd, body, sizeof(body));
	world_read(&world, fd, out, sizeof(out), 50, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "net/body-large"));
	assert_int_equal(world.loop->conn_count, 1);
	close(fd);
	world_turn(&world, 5);
	assert_int_equal(world.loop->conn_count, 0);
}

/* ---- deadlines ---- */

static void
test_head_timeout(void **unused)
{
	int fd = world_connect(&world);
	bool eof;

	(void)unused;
	world.policy.head_ms = 100;
	say(fd, "GET / HTT");
	world_read(&world, fd, out, sizeof(out), 400, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "net/head-timeout"));
	assert_ptr_equal(world.rule, &abt_rules[ABT_RULE_NET_HEAD_TIMEOUT]);
	close(fd);
}

static void
test_idle_closes_silently(void **unused)
{
	int fd;
	bool eof;

	(void)unused;
	world.policy.keep_alive_ms = 100;
	fd = world_connect(&world);
	say(fd, GET("/"));
	world_read(&world, fd, out, sizeof(out), 400, &eof);
	assert_true(eof);
	assert_int_equal(count("HTTP/1.1"), 1);
	close(fd);
}

static void
test_a_working_handler_has_no_deadline(void **unused)
{
	int fd;

	(void)unused;
	world.policy.keep_alive_ms = 70;
	world.policy.head_ms = 70;
	world.policy.request_ms = 70;
	world.policy.body_idle_ms = 70;
	fd = world_connect(&world);
	say(fd, GET("/hold"));
	world_turn(&world, 350);
	assert_int_equal(world.held_count, 1);
	assert_int_equal(world.loop->conn_count, 1);
	world_release(&world);
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_int_equal(count("HTTP/1.1 200"), 1);
	close(fd);
}

static void
test_body_timeouts(void **unused)
{
	const char *text = POST("/") "Content-Length: 9\r\n\r\nabc";
	int fd, i;

	(void)unused;
	world.policy.body_idle_ms = 100;
	world_talk(&world, text, out, 2); /* gone before: no 408 */
	fd = world_connect(&world);
	say(fd, text);
	world_read(&world, fd, out, sizeof(out), 400, NULL);
	assert_non_null(strstr(out, "HTTP/1.1 408"));
	close(fd);
	/* a dripping body, against the whole request's time */
	world.policy.body_idle_ms = 0;
	world.policy.request_ms = 150;
	fd = world_connect(&world);
	say(fd, text);
	for (i = 0; i < 5; i++) {
		world_turn(&world, 80);
		say(fd, "x");
	}
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_non_null(strstr(out, "HTTP/1.1 408"));
	close(fd);
}

/* The clock stands where the test puts it; the wheel is turned by hand. */
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
test_body_rate(void **unused)
{
	int64_t now_ms = 1000000;
	int slow, fast, i;

	(void)unused;
	abt_clock_stop_at(now_ms * 1000);
	world.policy.body_rate = 240;
	slow = world_connect(&world);
	fast = world_connect(&world);
	say(slow, POST("/") "Content-Length: 999999\r\n\r\n");
	say(fast, POST("/") "Content-Length: 999999\r\n\r\n");
	for (i = 0; i < 30; i++) {
		static char bytes[600];

		world_send(&world, slow, bytes, i < 9 ? 200 : 280);
		world_send(&world, fast, bytes, 300);
		pass_time(&now_ms, 1000);
		if (i == 8) /* not judged in the first 10 s */
			assert_int_equal(world.broken, 0);
	}
	assert_int_equal(world.broken, 1);
	assert_ptr_equal(world.rule, &abt_rules[ABT_RULE_NET_BODY_TIMEOUT]);
	assert_int_equal(recv(slow, out, 12, MSG_DONTWAIT), 12);
	assert_memory_equal(out, "HTTP/1.1 408", 12);
	assert_true(recv(fast, out, 12, MSG_DONTWAIT) < 0);
	close(slow);
	close(fast);
	world_turn(&world, 0);
	abt_clock_stop_at(-1);
}

static void
test_linger_has_an_end(void **unused)
{
	int64_t now_ms = 1000000;
	int silent, chatty, i;

	(void)unused;
	abt_clock_stop_at(now_ms * 1000);
	silent = world_connect(&world);
	chatty = world_connect(&world);
	say(silent, "nonsense\r\n\r\n");
	say(chatty, "nonsense\r\n\r\n");
	world_turn(&world, 0);
	assert_int_equal(world.loop->conn_count, 2);
	for (i = 0; i < 9; i++) {
		say(chatty, "more");
		pass_time(&now_ms, 1000);
		assert_int_equal(world.loop->conn_count, i < 2 ? 2 : 1);
	}
	pass_time(&now_ms, 2000);
	assert_int_equal(world.loop->conn_count, 0);
	close(silent);
	close(chatty);
	abt_clock_stop_at(-1);
}

/* ---- limits of a connection ---- */

static void
test_requests_max(void **unused)
{
	(void)unused;
	world.policy.requests_max = 3;
	world_talk(
	    &world, GET("/1") GET("/2") GET("/3") GET("/4"), out, sizeof(out));
	assert_int_equal(count("HTTP/1.1"), 3);
	assert_int_equal(count("Connection: close"), 1);
}

static void
test_connection_age(void **unused)
{
	int fd;

	(void)unused;
	world.policy.connection_ms = 50;
	fd = world_connect(&world);
	say(fd, GET("/1"));
	world_read(&world, fd, out, sizeof(out), 10, NULL);
	assert_int_equal(count("Connection: keep-alive"), 1);
	world_turn(&world, 60);
	say(fd, GET("/2"));
	world_read(&world, fd, out, sizeof(out), 10, NULL);
	assert_int_equal(count("Connection: close"), 1);
	close(fd);
}

static void
test_head_limits(void **unused)
{
	static char text[70000];
	int fd;

	(void)unused;
	world.policy.line_max = 100;
	world.policy.head_max = 2000;
	world.policy.field_max = 1000;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	fd = world_connect(&world); /* never ends: known early */
	world_send(&world, fd, text, 200);
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_non_null(strstr(out, "h1/line-long"));
	close(fd);
	memcpy(text, "GET / HTTP/1.1\r\nh: ", 19);
	fd = world_connect(&world);
	world_send(&world, fd, text, 1500);
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_non_null(strstr(out, "h1/field-long"));
	close(fd);
}

static void
test_large_head_in_pieces(void **unused)
{
	static char text[600000];
	size_t n = 0, i;
	int fd = world_connect(&world);

	(void)unused;
	n += (size_t)snprintf(
	    text, sizeof(text), "GET /l HTTP/1.1\r\nHost: h\r\n");
	for (i = 0; i < 500; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "X-%zu: ", i);
		memset(text + n, 'v', 1000);
		n += 1000;
		memcpy(text + n, "\r\n", 2);
		n += 2;
	}
	memcpy(text + n, "\r\n", 2);
	n += 2;
	for (i = 0; i < n; i += 7777) {
		world_send(&world, fd, text + i, n - i < 7777 ? n - i : 7777);
		world_turn(&world, 1);
	}
	world_read(&world, fd, out, sizeof(out), 20, NULL);
	assert_non_null(strstr(out, "GET /l 0"));
	assert_int_equal(world.received, n);
	close(fd);
}

static void
test_memory_account(void **unused)
{
	int fd[3], i;
	const char *text = POST("/hold") "Content-Length: 5\r\n\r\nabcde";

	(void)unused;
	abt_net_set_memory_max(2 * 4096);
	for (i = 0; i < 3; i++) {
		fd[i] = world_connect(&world);
		say(fd[i], text);
		world_turn(&world, 3);
	}
	assert_int_equal(world.held_count, 2);
	world_read(&world, fd[2], out, sizeof(out), 20, NULL);
	assert_non_null(strstr(out, "proxy/bodies-full"));
	world_release(&world);
	world_release(&world);
	close(fd[2]);
	fd[2] = world_connect(&world);
	say(fd[2], text);
	world_turn(&world, 3);
	assert_int_equal(world.held_count, 1);
	world_release(&world);
	abt_net_set_memory_max(0);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

/* ---- listeners, drain ---- */

static void
test_drain(void **unused)
{
	int idle = world_connect(&world), busy = world_connect(&world);
	int late = world_connect(&world);
	bool eof;

	(void)unused;
	say(idle, GET("/"));
	say(busy, GET("/hold"));
	world_turn(&world, 5);
	world_read(&world, idle, out, sizeof(out), 5, NULL);
	/* sent, but not seen by the loop yet */
	assert_int_equal(send(late, GET("/late"), 32, 0), 32);
	abt_loop_drain_conns(world.loop);
	assert_int_equal(world.loop->draining, true);
	world_read(&world, idle, out, sizeof(out), 20, &eof);
	assert_true(eof);
	world_read(&world, late, out, sizeof(out), 20, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "GET /late 0"));
	assert_non_null(strstr(out, "Connection: close"));
	world_release(&world);
	world_read(&world, busy, out, sizeof(out), 20, &eof);
	assert_true(eof);
	assert_non_null(strstr(out, "Connection: close"));
	close(idle);
	close(busy);
	close(late);
}

static void
test_listener_ends(void **unused)
{
	int idle = world_connect(&world), late = world_connect(&world);
	int part = world_connect(&world), inner;
	struct abt_listener *listener;
	unsigned port = world.port;
	bool eof;

	(void)unused;
	say(part, "GET / HT");
	world_turn(&world, 5);
	/* the last one is not even accepted by us */
	inner = world_connect(&world);
	assert_int_equal(send(late, GET("/late"), 32, 0), 32);
	assert_int_equal(send(inner, GET("/fresh"), 33, 0), 33);
	listener = world.listener;
	world.listener = NULL;
	abt_listener_free(listener);
	world_read(&world, idle, out, sizeof(out), 20, &eof);
	assert_true(eof);
	world_read(&world, part, out, sizeof(out), 20, &eof);
	assert_true(eof);
	world_read(&world, late, out, sizeof(out), 20, &eof);
	assert_non_null(strstr(out, "GET /late 0"));
	world_read(&world, inner, out, sizeof(out), 20, &eof);
	assert_int_equal(world.heads, 1 + (strstr(out, "/fresh") != NULL));
	close(idle);
	close(late);
	close(part);
	close(inner);
	world_turn(&world, 5);
	assert_int_equal(world.loop->conn_count, 0);
	world.port = port;
}

static void
test_inner_listener_serves_nothing_more(void **unused)
{
	int late = world_connect(&world), busy = world_connect(&world);
	struct abt_listener *listener = world.listener;
	bool eof;

	(void)unused;
	world.options.inner = true;
	abt_listener_set(listener, &world.options);
	say(busy, GET("/hold"));
	world_turn(&world, 5);
	/* it works on while the loop drains */
	abt_loop_drain_conns(world.loop);
	assert_int_equal(world.loop->conn_count, 2);
	assert_int_equal(send(late, GET("/late"), 32, 0), 32);
	world.listener = NULL;
	abt_listener_free(listener);
	world_read(&world, late, out, sizeof(out), 20, &eof);
	assert_true(eof);
	assert_string_equal(out, "");
	world_release(&world);
	world_read(&world, busy, out, sizeof(out), 20, &eof);
	assert_true(eof);
	assert_int_equal(count("Connection: close"), 1);
	assert_int_equal(world.heads, 1);
	close(late);
	close(busy);
}

static void
test_oldest_idle_gives_way(void **unused)
{
	int fd[4], i;
	bool eof;

	(void)unused;
	world.options.conns_max = 3;
	abt_listener_set(world.listener, &world.options);
	for (i = 0; i < 3; i++) {
		fd[i] = world_connect(&world);
		say(fd[i], GET("/"));
		world_read(&world, fd[i], out, sizeof(out), 5, NULL);
	}
	/* number 0 has spoken last, number 1 idles longest */
	say(fd[0], GET("/"));
	world_read(&world, fd[0], out, sizeof(out), 5, NULL);
	fd[3] = world_connect(&world);
	say(fd[3], GET("/new"));
	world_read(&world, fd[3], out, sizeof(out), 10, NULL);
	assert_non_null(strstr(out, "GET /new"));
	world_read(&world, fd[1], out, sizeof(out), 5, &eof);
	assert_true(eof);
	world_read(&world, fd[0], out, sizeof(out), 5, &eof);
	assert_false(eof);
	for (i = 0; i < 4; i++)
		close(fd[i]);
}

/* Client and server are one process here: both use up its descriptors. */
static void
test_out_of_descriptors(void **unused)
{
	struct rlimit before, few = { .rlim_cur = 120 };
	int fd[100], i, open_fds = 0;
	unsigned most;

	(void)unused;
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	world_close(&world);
	memset(&world, 0, sizeof(world));
	world_open(&world);
	for (i = 0; i < 60; i++) { /* none of them is idle */
		fd[open_fds++] = world_connect(&world);
		say(fd[i], "GET / HTTP");
		if (i % 8 == 0)
			world_turn(&world, 1);
	}
	world_turn(&world, 10);
	most = world.loop->conn_count;
	assert_true(most > 10 && most < 60);
	world_turn(&world, 150);
	assert_int_equal(world.loop->conn_count, most);
	/* it goes on by itself when others have ended */
	while (open_fds > 55)
		close(fd[--open_fds]);
	for (i = 0; i < 40; i++)
		close(fd[i]);
	world_turn(&world, 300);
	say(fd[50], "/1.1\r\nHost: h\r\n\r\n");
	world_read(&world, fd[50], out, sizeof(out), 200, NULL);
	assert_int_equal(count("HTTP/1.1 200"), 1);
	for (i = 40; i < open_fds; i++)
		close(fd[i]);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* ---- memory runs out at every place ---- */

static unsigned whole;

static void
scenario(void *context)
{
	static const char text[] =
	    POST("/s") "Content-Length: 4\r\n\r\nabcd" POST(
		"/t") "Transfer-Encoding: chunked\r\n\r\n"
		      "3;e\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n" GET("/hold")
			  GET("/u");
	size_t n = sizeof(text) - 1, cut = 60;
	int fd = world_connect(&world), i;

	(void)context;
	/* accepting pauses after the round in which it found no memory */
	for (i = 0; i < 250 && world.loop->conn_count == 0; i++)
		world_turn(&world, 1);
	world_send(&world, fd, text, cut);
	world_turn(&world, 0);
	world_send(&world, fd, text + cut, n - cut);
	world_turn(&world, 0);
	world_turn(&world, 0);
	while (world.held_count > 0)
		world_release(&world);
	world_read(&world, fd, out, sizeof(out), 2, NULL);
	whole += count("HTTP/1.1 200") == 4;
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
	assert_true(allocations > 5);
	assert_true(whole >= 1); /* the last one, where nothing failed */
	abt_memory_fail_at(0);
	world_talk(&world, GET("/x"), out, sizeof(out));
	assert_non_null(strstr(out, "GET /x 0"));
}

/* ---- PROXY lines ---- */

static void
trust(const char *range)
{
	static struct abt_cidr source;

	assert_true(abt_cidr_parse(abt_bytes_text(range), &source));
	world.options.proxy_sources = &source;
	world.options.proxy_source_count = 1;
	abt_listener_set(world.listener, &world.options);
}

static void
test_proxy_line_at_every_split(void **unused)
{
	static const char v1[] =
	    "PROXY TCP6 2001:db8::7 ::1 5000 443\r\n" GET("/v1") GET("/again");
	static const char v2[] =
	    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\x0a\0\0\x09\0\7\0"
	    "\x50" GET("/v2") GET("/again");
	size_t cut;

	(void)unused;
	trust("127.0.0.1");
	for (cut = 1; cut < sizeof(v1) - 1; cut++) {
		int fd = world_connect(&world);

		world_send(&world, fd, v1, cut);
		world_send(&world, fd, v1 + cut, sizeof(v1) - 1 - cut);
		world_read(&world, fd, out, sizeof(out), 2, NULL);
		assert_non_null(strstr(out, "GET /v1 0"));
		assert_non_null(strstr(out, "GET /again 0"));
		assert_string_equal(world.peer.ip, "2001:db8::7");
		assert_int_equal(world.peer.port, 5000);
		assert_int_equal(world.peer.local_port, 443);
		close(fd);
	}
	for (cut = 1; cut < sizeof(v2) - 1; cut++) {
		int fd = world_connect(&world);

		world_send(&world, fd, v2, cut);
		world_send(&world, fd, v2 + cut, sizeof(v2) - 1 - cut);
		world_read(&world, fd, out, sizeof(out), 2, NULL);
		assert_non_null(strstr(out, "GET /again 0"));
		assert_string_equal(world.peer.ip, "192.0.2.1");
		assert_string_equal(world.peer.local_ip, "10.0.0.9");
		close(fd);
	}
}

static void
test_proxy_line_is_demanded(void **unused)
{
	int fd;
	bool eof;

	(void)unused;
	trust("127.0.0.0/8");
	fd = world_connect(&world);
	say(fd, GET("/x"));
	world_read(&world, fd, out, sizeof(out), 20, &eof);
	assert_true(eof);
	assert_string_equal(out, "");
	close(fd);
	/* LOCAL keeps the addresses of the socket */
	fd = world_connect(&world);
	world_send(&world, fd, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
	say(fd, GET("/x"));
	world_read(&world, fd, out, sizeof(out), 10, NULL);
	assert_non_null(strstr(out, "GET /x 0"));
	assert_string_equal(world.peer.ip, "127.0.0.1");
	close(fd);
	/* vanished inside the line */
	fd = world_connect(&world);
	say(fd, "PROXY TCP4 1.2");
	world_turn(&world, 3);
	close(fd);
	world_turn(&world, 3);
	assert_int_equal(world.loop->conn_count, 0);
	/* from elsewhere it is no PROXY line, but a bad request */
	trust("192.0.2.0/24");
	world_talk(&world, GET("/plain"), out, sizeof(out));
	assert_non_null(strstr(out, "GET /plain 0"));
	world_talk(&world, "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" GET("/x"), out,
	    sizeof(out));
	assert_int_equal(count("HTTP/1.1 400"), 1);
	assert_string_equal(world.peer.ip, "127.0.0.1");
}

static void
test_conn_id_stays(void **unused)
{
	struct abt_exchange x = { .conn_serial = 7 }, y = { .conn_serial = 8 };
	char a[49], b[49], c[49];

	(void)unused;
	abt_exchange_conn_id(&x, a);
	abt_exchange_conn_id(&x, b);
	abt_exchange_conn_id(&y, c);
	assert_int_equal(strlen(a), 48);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_head_and_304_have_no_body),
		TEST(test_http_10),
		TEST(test_close_when_asked),
		TEST(test_bodies),
		TEST(test_large_body_in_place),
		TEST(test_body_size_and_good),
		TEST(test_expect_continue),
		TEST(test_too_large_is_told_at_once),
		TEST(test_refusal_leaves_bytes_unread_as_requests),
		TEST(test_late_refusal),
		TEST(test_pipelining_in_order),
		TEST(test_one_at_a_time),
		TEST(test_every_split),
		TEST(test_byte_by_byte),
		TEST(test_big_answer_to_a_slow_reader),
		TEST(test_write_idle_cuts),
		TEST(test_half_close_is_answered),
		TEST(test_reset_while_working),
		TEST(test_reset_after_half_close),
		TEST(test_reset_with_requests_ahead),
		TEST(test_short_requests),
		TEST(test_nothing_is_no_request),
		TEST(test_vanish_at_every_byte),
		TEST(test_lingering_close),
		TEST(test_head_timeout),
		TEST(test_idle_closes_silently),
		TEST(test_a_working_handler_has_no_deadline),
		TEST(test_body_timeouts),
		TEST(test_body_rate),
		TEST(test_linger_has_an_end),
		TEST(test_requests_max),
		TEST(test_connection_age),
		TEST(test_head_limits),
		TEST(test_large_head_in_pieces),
		TEST(test_memory_account),
		TEST(test_drain),
		TEST(test_listener_ends),
		TEST(test_inner_listener_serves_nothing_more),
		TEST(test_oldest_idle_gives_way),
		TEST(test_out_of_descriptors),
		TEST(test_every_allocation_fails),
		TEST(test_proxy_line_at_every_split),
		TEST(test_proxy_line_is_demanded),
		TEST(test_conn_id_stays),
	};

	abt_log_set_level(ABT_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
