/*
 * test_client.c - outgoing HTTP/1.1: against our own server, and against
 * sockets that misbehave
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/guard.h"
#include "lib/net_stream.h"
#include "net/client_private.h"
#include "net/exchange.h"

#define BIG 3000000

static struct world world;
static struct abt_client *client;
static char server[64], out[16 << 20], big[BIG];

/* What an ask has seen. */
struct seen {
	struct abt_ask ask;
	unsigned heads, ends, drained, pieces;
	int status;
	size_t n;
	char body[4096]; /* its beginning */
	uint64_t hash;
	bool pause, cancel_at_head, cancel_at_data, again;
};

static void
on_head(struct abt_ask *ask)
{
	struct seen *seen = ask->context;

	seen->heads++;
	seen->status = ask->response.status;
	if (seen->cancel_at_head)
		abt_ask_cancel(ask);
}

static int
on_data(struct abt_ask *ask, struct abt_bytes data)
{
	struct seen *seen = ask->context;

	if (seen->n + data.n < sizeof(seen->body))
		memcpy(seen->body + seen->n, data.p, data.n);
	seen->n += data.n;
	seen->pieces++;
	seen->hash = stream_hash(seen->hash, data);
	if (seen->cancel_at_data)
		abt_ask_cancel(ask);
	return seen->pause ? ABT_DATA_PAUSE : 0;
}

static void
on_drained(struct abt_ask *ask)
{
	((struct seen *)ask->context)->drained++;
}

static void
on_end(struct abt_ask *ask)
{
	((struct seen *)ask->context)->ends++;
}

static const struct abt_ask_events events = {
	.head = on_head,
	.data = on_data,
	.drained = on_drained,
	.end = on_end,
};

static int
open_client(void **unused)
{
	struct abt_client_options options = { .resolver =
						  &abt_client_resolver };

	(void)unused;
	memset(&world, 0, sizeof(world));
	memset(&stream, 0, sizeof(stream));
	world_open(&world);
	snprintf(server, sizeof(server), "http://127.0.0.1:%u", world.port);
	client = abt_client_new(world.loop, &options);
	world_fill(big, BIG);
	return client != NULL ? 0 : -1;
}

static int
close_client(void **unused)
{
	(void)unused;
	abt_client_free(client);
	world_close(&world);
	return 0;
}

static void
prepare(struct seen *seen, const char *method, const char *target)
{
	memset(seen, 0, sizeof(*seen));
	seen->ask.events = &events;
	seen->ask.context = seen;
	seen->ask.server = server;
	seen->ask.method = abt_bytes_text(method);
	seen->ask.target = abt_bytes_text(target);
}

static void
wait_for(struct seen *seen, int ms)
{
	int64_t end = abt_clock_monotonic_us() + ms * 1000;

	while (seen->ends == 0 && abt_clock_monotonic_us() < end)
		world_turn(&world, 1);
}

static void
run(struct seen *seen)
{
	world.loop->now_us = 0;
	abt_ask_start(client, &seen->ask);
	assert_int_equal(seen->ends, 0);
	wait_for(seen, 2000);
	assert_int_equal(seen->ends, 1);
}

/* ---- our own server ---- */

static void
test_get(void **unused)
{
	struct seen seen;
	int i;

	(void)unused;
	for (i = 0; i < 3; i++) {
		prepare(&seen, "GET", "/x?y");
		run(&seen);
		assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
		assert_int_equal(seen.status, 200);
		assert_string_equal(seen.body, "GET /x?y 0");
		assert_int_equal(seen.heads, 1);
	}
	assert_int_equal(world.loop->conn_count, 1); /* kept */
	prepare(&seen, "HEAD", "/x");
	run(&seen);
	assert_int_equal(seen.n, 0);
	assert_true(seen.ask.response.has_length);
	prepare(&seen, "GET", "/304");
	run(&seen);
	assert_int_equal(seen.status, 304);
	prepare(&seen, "GET", "/close");
	run(&seen);
	world_turn(&world, 5);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_bodies(void **unused)
{
	struct seen seen;
	size_t sizes[] = { 0, 5, 5000, BIG }, i;

	(void)unused;
	for (i = 0; i < 4; i++) {
		prepare(&seen, "POST", "/p");
		seen.ask.body = abt_bytes(big, sizes[i]);
		run(&seen);
		assert_int_equal(seen.status, 200);
		assert_int_equal(world.body_size, sizes[i]);
		assert_true(world.body_good);
	}
	prepare(&seen, "GET", "/big");
	run(&seen);
	assert_int_equal(seen.n, 12000000);
	assert_int_equal(world.loop->conn_count, 1);
}

static void
test_many_at_once(void **unused)
{
	static struct seen seen[30];
	int i, round;

	(void)unused;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 30; i++) {
			prepare(&seen[i], "GET", "/x");
			abt_ask_start(client, &seen[i].ask);
		}
		for (i = 0; i < 30; i++)
			wait_for(&seen[i], 1000);
		for (i = 0; i < 30; i++)
			assert_string_equal(seen[i].body, "GET /x 0");
		world_turn(&world, 5);
		assert_int_equal(world.loop->conn_count, 16); /* kept */
	}
}

static void
test_pieces(void **unused)
{
	struct seen seen;
	size_t i, n, sum = 0, waits;

	(void)unused;
	for (i = 0; i < 2; i++) {
		prepare(&seen, "POST", "/p");
		seen.ask.body_follows = true;
		seen.ask.has_length = i == 1;
		seen.ask.length = 500000;
		abt_ask_start(client, &seen.ask);
		for (n = 1, sum = 0; sum + n < 500000; sum += n, n *= 2) {
			abt_ask_write(&seen.ask, abt_bytes(big + sum % 26, n));
			world_turn(&world, 1);
		}
		abt_ask_write(
		    &seen.ask, abt_bytes(big + sum % 26, 500000 - sum));
		abt_ask_finish(&seen.ask);
		wait_for(&seen, 1000);
		assert_int_equal(seen.status, 200);
		assert_int_equal(world.body_size, 500000);
		assert_true(world.body_good);
	}
	/* both ways, paused */
	world.options.handler = &stream_handler;
	abt_listener_set(world.listener, &world.options);
	prepare(&seen, "POST", "/echo");
	seen.ask.body_follows = true;
	abt_ask_start(client, &seen.ask);
	seen.pause = true;
	abt_ask_write(&seen.ask, ABT_BYTES("hello"));
	world_turn(&world, 10);
	assert_string_equal(seen.body, "hello");
	do {
		waits = abt_ask_write(&seen.ask, abt_bytes(big, BIG));
		world_turn(&world, 10);
	} while (abt_ask_waiting(&seen.ask) == 0);
	assert_true(waits > 0);
	n = seen.n;
	world_turn(&world, 20);
	assert_int_equal(seen.n, n);
	seen.pause = false;
	abt_ask_resume(&seen.ask);
	for (i = 0; i < 500 && abt_ask_waiting(&seen.ask) > 0; i++)
		world_turn(&world, 2);
	assert_true(seen.drained >= 1);
	abt_ask_finish(&seen.ask);
	wait_for(&seen, 1000);
	assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
	assert_int_equal(seen.n, stream.got);
	assert_true(seen.hash == stream.hash);
	/* too little */
	prepare(&seen, "POST", "/echo");
	seen.ask.body_follows = seen.ask.has_length = true;
	seen.ask.length = 5;
	abt_ask_start(client, &seen.ask);
	abt_ask_write(&seen.ask, ABT_BYTES("1234"));
	abt_ask_finish(&seen.ask);
	wait_for(&seen, 1000);
	assert_int_equal(seen.ask.failure, ABT_ASK_REQUEST);
}

static void
test_cancel(void **unused)
{
	struct seen seen;
	int i;

	(void)unused;
	prepare(&seen, "GET", "/hold");
	abt_ask_start(client, &seen.ask);
	abt_ask_cancel(&seen.ask); /* before anything */
	abt_ask_cancel(&seen.ask);
	prepare(&seen, "GET", "/hold");
	abt_ask_start(client, &seen.ask);
	world_turn(&world, 10);
	abt_ask_cancel(&seen.ask);
	world_turn(&world, 10);
	for (i = 0; i < 2; i++) {
		prepare(&seen, "GET", "/x");
		seen.cancel_at_head = i == 0;
		seen.cancel_at_data = i == 1;
		abt_ask_start(client, &seen.ask);
		world_turn(&world, 10);
		assert_int_equal(seen.ends, 0);
		assert_int_equal(seen.pieces, i);
	}
	world_turn(&world, 5);
	while (world.held_count > 0)
		world_release(&world);
	assert_int_equal(world.loop->conn_count, 0);
}

static void
test_deadlines(void **unused)
{
	struct seen seen;
	int64_t begin;
	int i;

	(void)unused;
	for (i = 0; i < 2; i++) {
		prepare(&seen, "GET", "/hold");
		seen.ask.idle_ms = i == 0 ? 100 : 0;
		seen.ask.total_ms = i == 0 ? 0 : 100;
		begin = abt_clock_monotonic_us();
		run(&seen);
		assert_int_equal(seen.ask.failure, ABT_ASK_TIMEOUT);
		assert_true(abt_clock_monotonic_us() - begin >= 100000);
	}
	/* the owner's turn is not the server's */
	prepare(&seen, "POST", "/p");
	seen.ask.body_follows = true;
	seen.ask.idle_ms = 100;
	abt_ask_start(client, &seen.ask);
	abt_ask_write(&seen.ask, ABT_BYTES("a"));
	world_turn(&world, 400);
	assert_int_equal(seen.ends, 0);
	abt_ask_finish(&seen.ask);
	wait_for(&seen, 1000);
	assert_int_equal(seen.status, 200);
	world_turn(&world, 5);
	while (world.held_count > 0)
		world_release(&world);
}

static void
test_what_cannot_be_asked(void **unused)
{
	static const char *const servers[] = { "ftp://x", "http://",
		"http://:1", "http://a:0", "http://a:70000", "http://[::1",
		"http://a b", "http://a/b", "unix:", "https://a" };
	static const struct {
		const char *method, *target;
	} cases[] = { { "G T", "/" }, { "", "/" }, { "GET", "" },
		{ "GET", "/ x" }, { "GET", "/\r\nX: y" } };
	struct seen seen;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		prepare(&seen, "GET", "/");
		seen.ask.server = servers[i];
		run(&seen);
		assert_int_equal(seen.ask.failure, ABT_ASK_REQUEST);
		assert_true(seen.ask.why[0] != '\0');
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prepare(&seen, cases[i].method, cases[i].target);
		run(&seen);
		assert_int_equal(seen.ask.failure, ABT_ASK_REQUEST);
	}
	prepare(&seen, "GET", "/");
	{
		struct abt_field field = { .name = ABT_BYTES("X"),
			.value = ABT_BYTES("a\r\nY: b") };

		seen.ask.headers = (struct abt_headers){ &field, 1, 1 };
		run(&seen);
		assert_int_equal(seen.ask.failure, ABT_ASK_REQUEST);
	}
	assert_int_equal(world.heads, 0);
}

static void
test_names(void **unused)
{
	struct seen seen;
	char name[64];
	int i;

	(void)unused;
	for (i = 0; i < 2; i++) { /* ::1 is tried too, and refuses */
		snprintf(
		    name, sizeof(name), "http://LOCALHOST:%u/", world.port);
		prepare(&seen, "GET", "/x");
		seen.ask.server = name;
		run(&seen);
		assert_int_equal(seen.status, 200);
	}
	prepare(&seen, "GET", "/x");
	seen.ask.server = "http://no-such-name.invalid:80";
	abt_ask_start(client, &seen.ask);
	wait_for(&seen, 20000);
	assert_int_equal(seen.ask.failure, ABT_ASK_RESOLVE);
	/* forgotten while it is looked up, or before it is told */
	prepare(&seen, "GET", "/x");
	seen.ask.server = "http://another-name.invalid";
	abt_ask_start(client, &seen.ask);
	abt_ask_cancel(&seen.ask);
}

static void
test_nobody_there(void **unused)
{
	struct seen seen;
	unsigned port;
	int fd = abt_loopback_bind(&port);
	char name[64];

	(void)unused;
	close(fd);
	snprintf(name, sizeof(name), "http://127.0.0.1:%u", port);
	prepare(&seen, "GET", "/");
	seen.ask.server = name;
	run(&seen);
	assert_int_equal(seen.ask.failure, ABT_ASK_CONNECT);
	prepare(&seen, "GET", "/");
	seen.ask.server = "unix:/nowhere/at/all";
	run(&seen);
	assert_int_equal(seen.ask.failure, ABT_ASK_CONNECT);
	assert_non_null(strstr(seen.ask.why, "No such file"));
}

/* ---- a server by hand ---- */

static int raw = -1;

static void
open_raw(void)
{
	unsigned port;

	raw = abt_loopback_bind(&port);
	listen(raw, 16);
	snprintf(server, sizeof(server), "http://127.0.0.1:%u", port);
}

static int
take(void)
{
	int fd, i;

	for (i = 0; i < 500; i++) {
		world_turn(&world, 1);
		fd = accept4(raw, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static void
hear(int fd)
{
	world_read(&world, fd, out, sizeof(out), 10, NULL);
}

static void
answer(int fd, const char *text)
{
	world_send(&world, fd, text, strlen(text));
	world_turn(&world, 3);
}

/* One answer, in one piece or byte by byte, then the end. */
static void
serve(struct seen *seen, const char *text, bool drip)
{
	int fd;
	size_t i;

	prepare(seen, "GET", "/");
	abt_ask_start(client, &seen->ask);
	fd = take();
	hear(fd);
	for (i = 0; drip && text[i] != '\0'; i++) {
		world_send(&world, fd, text + i, 1);
		world_turn(&world, 0);
	}
	if (!drip)
		answer(fd, text);
	close(fd);
	wait_for(seen, 500);
	assert_int_equal(seen->ends, 1);
}

static void
test_good_answers(void **unused)
{
	static const struct {
		const char *text, *body;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc" },
		{ "HTTP/1.0 200 OK\r\n\r\nto the end", "to the end" },
		{ "HTTP/1.1 200\r\n\r\n", "" },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n"
		  "\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
		  "1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: u\r\n\r\n",
		    "abc" },
		{ "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n"
		  "content-length:3\r\n\r\nabcd",
		    "abc" },
	};
	struct seen seen;
	size_t i;

	(void)unused;
	open_raw();
	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		serve(&seen, cases[i / 2].text, i & 1);
		assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
		assert_string_equal(seen.body, cases[i / 2].body);
		assert_int_equal(seen.heads, 1);
	}
	close(raw);
}

static void
test_bad_answers(void **unused)
{
	static const char *const cases[] = {
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 101 Switch\r\n\r\n",
		"HTTP/1.1 200 O\001K\r\n\r\n",
		"SSH-2.0-x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
		"HTTP/1.1 200 OK\r\n folded\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		"Content-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: "
		"9999999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nab",
	};
	static const char *const lost[] = {
		"",
		"HTTP/1.1 200",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na",
		"HTTP/1.1 100 Continue\r\n\r\n",
	};
	struct seen seen;
	size_t i;

	(void)unused;
	open_raw();
	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		serve(&seen, cases[i / 2], i & 1);
		assert_int_equal(seen.ask.failure, ABT_ASK_RESPONSE);
	}
	for (i = 0; i < 2 * sizeof(lost) / sizeof(lost[0]); i++) {
		serve(&seen, lost[i / 2], i & 1);
		assert_int_equal(seen.ask.failure, ABT_ASK_LOST);
	}
	close(raw);
}

static void
test_heads_without_end(void **unused)
{
	struct seen seen;
	int fd, i;

	(void)unused;
	open_raw();
	prepare(&seen, "GET", "/");
	abt_ask_start(client, &seen.ask);
	fd = take();
	answer(fd, "HTTP/1.1 200 OK\r\nA: ");
	for (i = 0; i < 10 && seen.ends == 0; i++)
		world_send(&world, fd, big, 40000);
	wait_for(&seen, 100);
	assert_int_equal(seen.ask.failure, ABT_ASK_RESPONSE);
	close(fd);
	prepare(&seen, "GET", "/");
	abt_ask_start(client, &seen.ask);
	fd = take();
	for (i = 0; i < 40 && seen.ends == 0; i++)
		answer(fd, "HTTP/1.1 102 Wait\r\n\r\n");
	wait_for(&seen, 100);
	assert_int_equal(seen.ask.failure, ABT_ASK_RESPONSE);
	close(fd);
	close(raw);
}

#define KEPT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static int
keep_one(void)
{
	struct seen seen;
	int fd;

	prepare(&seen, "GET", "/");
	abt_ask_start(client, &seen.ask);
	fd = take();
	hear(fd);
	answer(fd, KEPT);
	assert_int_equal(seen.ends, 1);
	return fd;
}

static void
test_stale_connections(void **unused)
{
	static const struct {
		const char *method;
		bool pieces, again;
	} cases[] = { { "GET", false, true }, { "PUT", false, true },
		{ "POST", false, false }, { "PUT", true, false } };
	struct seen seen;
	size_t i;
	int fd, next;

	(void)unused;
	open_raw();
	for (i = 0; i < 4; i++) {
		fd = keep_one();
		prepare(&seen, cases[i].method, "/");
		seen.ask.body_follows = cases[i].pieces;
		abt_ask_start(client, &seen.ask);
		abt_ask_write(&seen.ask, ABT_BYTES("x"));
		abt_ask_finish(&seen.ask);
		hear(fd);
		assert_non_null(strstr(out, cases[i].method));
		close(fd); /* just when it was asked */
		if (cases[i].again) {
			next = take();
			assert_true(next >= 0);
			hear(next);
			assert_non_null(strstr(out, cases[i].method));
			answer(next, KEPT);
			assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
			close(next); /* before the next one: seen */
			world_turn(&world, 5);
			continue;
		}
		wait_for(&seen, 500);
		assert_int_equal(seen.ask.failure, ABT_ASK_LOST);
		assert_true(accept4(raw, NULL, NULL, SOCK_NONBLOCK) < 0);
	}
	/* a fresh one that is closed is no stale one */
	serve(&seen, "", false);
	assert_int_equal(seen.ask.failure, ABT_ASK_LOST);
	/* closed, but the loop has not seen it: a POST goes elsewhere */
	fd = keep_one();
	close(fd);
	prepare(&seen, "POST", "/");
	abt_ask_start(client, &seen.ask);
	next = take();
	assert_true(next >= 0);
	hear(next);
	answer(next, KEPT);
	assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
	close(next);
	close(raw);
}

static void
test_not_kept(void **unused)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200",
		"HTTP/1.1 200 OK\r\nConnection: x, Close\r\n"
		"Content-Length: 2\r\n\r\nok",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n"
		"Content-Length: 2\r\n\r\nok",
	};
	struct seen seen;
	size_t i;

	(void)unused;
	open_raw();
	for (i = 0; i < 4; i++) {
		int fd;
		bool eof;

		prepare(&seen, "GET", "/");
		abt_ask_start(client, &seen.ask);
		fd = take();
		hear(fd);
		answer(fd, answers[i]);
		assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
		world_read(&world, fd, out, sizeof(out), 50, &eof);
		assert_true(eof);
		close(fd);
	}
	close(raw);
}

static void
test_answer_before_the_body(void **unused)
{
	struct seen seen;
	int fd;

	(void)unused;
	open_raw();
	prepare(&seen, "POST", "/");
	seen.ask.body_follows = true;
	abt_ask_start(client, &seen.ask);
	fd = take();
	while (abt_ask_write(&seen.ask, abt_bytes(big, BIG)) == 0)
		world_turn(&world, 1);
	answer(fd, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
	close(fd); /* with much unread: a reset */
	wait_for(&seen, 500);
	assert_int_equal(seen.ask.failure, ABT_ASK_GOOD);
	assert_int_equal(seen.status, 413);
	assert_string_equal(seen.body, "no");
	close(raw);
}

static void
test_unix_socket(void **unused)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/albatross-client-XXXXXX", name[128];
	struct seen seen;
	int fd;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", folder);
	snprintf(name, sizeof(name), "unix:%s", un.sun_path);
	raw = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(raw, (struct sockaddr *)&un, sizeof(un)), 0);
	listen(raw, 5);
	prepare(&seen, "GET", "/u");
	seen.ask.server = name;
	abt_ask_start(client, &seen.ask);
	fd = take();
	hear(fd);
	assert_string_equal(out, "GET /u HTTP/1.1\r\nHost: localhost\r\n\r\n");
	answer(fd, KEPT);
	assert_string_equal(seen.body, "ok");
	close(fd);
	close(raw);
	unlink(un.sun_path);
	rmdir(folder);
}

/* ---- failing memory ---- */

static unsigned whole;

static void
scenario(void *unused)
{
	struct seen seen;

	(void)unused;
	prepare(&seen, "POST", "/s");
	seen.ask.body = abt_bytes(big, 20000);
	seen.ask.idle_ms = 500;
	world.loop->now_us = 0;
	abt_ask_start(client, &seen.ask);
	wait_for(&seen, 3000);
	assert_int_equal(seen.ends, 1);
	whole += seen.status == 200;
	abt_client_free(client);
	client = NULL;
	while (client == NULL) {
		struct abt_client_options options = { .tls = NULL };

		client = abt_client_new(world.loop, &options);
	}
	world_turn(&world, 5);
	assert_int_equal(world.heads, world.done);
}

static void
test_every_allocation_fails(void **unused)
{
	unsigned long allocations = abt_sweep(scenario, NULL);

	(void)unused;
	print_message("%lu allocations\n", allocations);
	assert_true(allocations > 5);
	assert_true(whole >= 1);
	abt_memory_fail_at(0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_client, close_client)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_bodies),
		TEST(test_many_at_once),
		TEST(test_pieces),
		TEST(test_cancel),
		TEST(test_deadlines),
		TEST(test_what_cannot_be_asked),
		TEST(test_names),
		TEST(test_nobody_there),
		TEST(test_good_answers),
		TEST(test_bad_answers),
		TEST(test_heads_without_end),
		TEST(test_stale_connections),
		TEST(test_not_kept),
		TEST(test_answer_before_the_body),
		TEST(test_unix_socket),
		TEST(test_every_allocation_fails),
	};

	abt_log_set_level(ABT_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
