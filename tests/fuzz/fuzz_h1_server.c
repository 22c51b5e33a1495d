/*
 * fuzz_h1_server.c - a whole connection's bytes through the codec
 *
 * The input is a stream of requests.  It is sent twice over a socket pair: in
 * one piece, and in pieces whose sizes its first bytes choose.  Properties:
 * both ways the same requests reach the handler with the same bodies; each
 * exchange that began ends exactly once; the connection goes away with its
 * client; an answer that says close is the last.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HELD 8

struct seen {
	uint64_t hash; /* of the requests that became ready */
	unsigned heads, readies, done;
};

static struct seen seen;
static struct abt_loop *loop;
static struct abt_listener *listener;
static struct abt_exchange *held[HELD];
static unsigned held_count;
static char sink[65536];

static struct abt_policy policy = {
	.mode = ABT_DEFENSIVE,
	.line_max = 512,
	.field_max = 512,
	.head_max = 2048,
	.fields_max = 50,
	.body_max = 4096,
	.requests_max = 40,
};

static void
note(struct abt_bytes b)
{
	size_t i;

	for (i = 0; i < b.n; i++)
		seen.hash = (seen.hash ^ (unsigned char)b.p[i]) * 0x100000001b3;
	seen.hash = (seen.hash ^ 0x100) * 0x100000001b3;
}

/* ---- the handler: the method's first letter chooses what it does ---- */

static char
letter(const struct abt_exchange *x)
{
	return x->request.method.n > 0 ? x->request.method.p[0] : '\0';
}

static void
reply(struct abt_exchange *x)
{
	x->response.status = x->report.broken != NULL ? 400 : 200;
	x->response.body = x->request.target;
	abt_exchange_reply(x);
}

static void
reply_later(struct abt_exchange *x)
{
	if (held_count < HELD)
		held[held_count++] = x;
	else
		reply(x);
}

static int
on_head(struct abt_exchange *x)
{
	seen.heads++;
	if (x->report.broken == NULL && letter(x) != 'R') {
		x->collecting = letter(x) != 'D';
		return 0;
	}
	if (x->request.target.n % 2 != 0)
		reply_later(x);
	else
		reply(x);
	return -1;
}

static int
on_data(struct abt_exchange *x, struct abt_bytes data)
{
	(void)x;
	(void)data;
	return 0;
}

static void
on_ready(struct abt_exchange *x)
{
	if (x->collecting && x->request.body.n != x->body_got)
		abort();
	seen.readies++;
	note(x->request.method);
	note(x->request.target);
	note(x->request.body);
	if (letter(x) == 'P')
		reply_later(x);
	else
		reply(x);
}

static void
on_done(struct abt_exchange *x)
{
	(void)x;
	seen.done++;
}

static const struct abt_handler handler = {
	.name = "fuzz",
	.on_head = on_head,
	.on_data = on_data,
	.on_ready = on_ready,
	.on_broken = reply_later,
	.on_done = on_done,
};

/* ---- driving ---- */

static void
set_up(void)
{
	static const struct abt_listener_options options = {
		.handler = &handler,
		.policy = &policy,
	};
	unsigned port;
	int fd = abt_loopback_bind(&port);

	abt_log_set_level(ABT_LOG_ERROR);
	loop = abt_loop_new(0);
	if (fd < 0 || loop == NULL)
		abort();
	listener = abt_listener_new(loop, fd, &options);
	if (listener == NULL)
		abort();
}

/* Each input has a loop of its own: no timer or spare memory is left over. */
static void
tear_down(void)
{
	abt_listener_free(listener);
	abt_loop_free(loop);
}

static void
turn(int fd)
{
	loop->now_us = 0;
	event_base_loop(loop->base, EVLOOP_NONBLOCK);
	while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		continue;
}

static void
answer_one(void)
{
	struct abt_exchange *x = held[0];

	if (held_count == 0)
		return;
	held_count--;
	memmove(held, held + 1, held_count * sizeof(held[0]));
	reply(x);
}

static void
send_piece(int fd, const uint8_t *data, size_t n)
{
	while (n > 0) {
		ssize_t took = send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (took < 0 && errno != EAGAIN)
			return;
		if (took > 0) {
			data += took;
			n -= (size_t)took;
		}
		turn(fd);
		if (took < 0)
			answer_one();
	}
}

/* Send |data|, cut by the bytes of |cuts|; 0 of them: in one piece. */
static struct seen
run(const uint8_t *data, size_t size, const uint8_t *cuts, size_t count)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	size_t at = 0, i = 0;
	int pair[2];

	memset(&seen, 0, sizeof(seen));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
	if (abt_conn_accept(listener, pair[0], &nobody) != 0)
		abort();
	while (at < size) {
		size_t n = count > 0 ? cuts[i++ % count] % 64u + 1 : size;

		if (n > size - at)
			n = size - at;
		send_piece(pair[1], data + at, n);
		at += n;
		if (i % 3 == 0)
			answer_one();
	}
	shutdown(pair[1], SHUT_WR);
	for (i = 0; i < 200 && (loop->conn_count > 0 || held_count > 0); i++) {
		turn(pair[1]);
		answer_one();
	}
	turn(pair[1]);
	close(pair[1]);
	turn(pair[1]);
	if (loop->conn_count != 0 || seen.heads != seen.done ||
	    held_count != 0 || seen.readies > seen.heads)
		abort();
	return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, pieces;

	if (size < 4)
		return 0;
	set_up();
	policy.mode = (enum abt_desync_mode)(data[0] % 3);
	policy.strict_h1 = data[0] % 8 == 7;
	whole = run(data + 4, size - 4, NULL, 0);
	pieces = run(data + 4, size - 4, data + 1, 3);
	tear_down();
	if (whole.readies != pieces.readies || whole.hash != pieces.hash)
		abort();
	return 0;
}
