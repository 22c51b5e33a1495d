/*
 * net_world.c - a loop with a listener, clients beside it, one thread
 *
 * Paths: /hold answers when the test says so; /big a body of 12,000,000 bytes;
 * /refuse is refused at its head, /late-refuse after a while; /close closes;
 * /small takes bodies of at most 10 bytes; /pieces takes its body by on_data,
 * /stop-pieces stops after the first; /304 has no body.
 */
#include "lib/net_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define BIG 12000000

static struct world *
world_of(const struct abt_exchange *x)
{
	return x->owner;
}

static bool
is_at(const struct abt_exchange *x, const char *path)
{
	return abt_bytes_equal(x->request.path, abt_bytes_text(path));
}

void
world_fill(char *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = (char)('a' + i % 26);
}

bool
world_is_filled(struct abt_bytes body)
{
	size_t i;

	for (i = 0; i < body.n; i++)
		if (body.p[i] != (char)('a' + i % 26))
			return false;
	return true;
}

/* ---- the handler ---- */

static void
reply(struct abt_exchange *x, int status)
{
	struct abt_response *res = &x->response;

	res->status = status;
	res->close |= is_at(x, "/close");
	if (is_at(x, "/big")) {
		char *body = abt_arena_alloc(&x->arena, BIG);

		if (body != NULL)
			world_fill(body, BIG);
		res->body = abt_bytes(body, body != NULL ? BIG : 0);
	} else if (x->report.broken != NULL) {
		res->body = abt_bytes_text(x->report.broken->name);
	} else {
		res->body = abt_arena_printf(&x->arena, "%.*s %.*s %zu",
		    ABT_FMT(x->request.method), ABT_FMT(x->request.target),
		    (size_t)x->body_got);
	}
	abt_exchange_reply(x);
}

static int
on_head(struct abt_exchange *x)
{
	struct world *world = world_of(x);
	struct abt_bytes fact[3];
	int i;

	world->heads++;
	abt_exchange_peer(x, &world->peer);
	abt_exchange_tls(x, &fact[0], &fact[1], &fact[2]);
	for (i = 0; i < 3; i++)
		snprintf(world->tls[i], sizeof(world->tls[i]), "%.*s",
		    ABT_FMT(fact[i]));
	if (x->report.broken != NULL) {
		reply(x, 400);
		return -1;
	}
	if (is_at(x, "/refuse")) {
		reply(x, 405);
		return -1;
	}
	if (is_at(x, "/late-refuse")) {
		world->held[world->held_count++] = x;
		return -1;
	}
	if (is_at(x, "/small"))
		x->body_max = 10;
	x->collecting = !is_at(x, "/pieces") && !is_at(x, "/stop-pieces");
	return 0;
}

static int
on_data(struct abt_exchange *x, struct abt_bytes data)
{
	if (!is_at(x, "/stop-pieces") || data.n == 0)
		return 0;
	reply(x, 413);
	return -1;
}

static void
on_ready(struct abt_exchange *x)
{
	struct world *world = world_of(x);

	world->readies++;
	world->body_size = x->request.body.n;
	world->body_good = world_is_filled(x->request.body);
	if (is_at(x, "/hold"))
		world->held[world->held_count++] = x;
	else
		reply(x, is_at(x, "/304") ? 304 : 200);
}

static void
on_broken(struct abt_exchange *x)
{
	world_of(x)->broken++;
	reply(x, x->report.broken->failure == ABT_TIMEOUT_REQUEST ? 408 : 400);
}

static void
on_gone(struct abt_exchange *x)
{
	world_of(x)->gone++;
}

static void
on_half_closed(struct abt_exchange *x)
{
	world_of(x)->half_closed++;
}

static void
on_done(struct abt_exchange *x)
{
	struct world *world = world_of(x);

	world->done++;
	world->left += x->client_left;
	world->rule = x->report.broken;
	world->received = x->received;
	world->sent = x->sent;
}

static const struct abt_handler handler = {
	.name = "world",
	.on_head = on_head,
	.on_data = on_data,
	.on_ready = on_ready,
	.on_broken = on_broken,
	.on_gone = on_gone,
	.on_half_closed = on_half_closed,
	.on_done = on_done,
};

/* ---- the world ---- */

static void
die(const char *what)
{
	fprintf(stderr, "net_world: %s: %s\n", what, strerror(errno));
	abort();
}

void
world_open(struct world *world)
{
	int fd = abt_loopback_bind(&world->port);

	world->loop = abt_loop_new(0);
	if (fd < 0 || world->loop == NULL)
		die("cannot open");
	if (world->options.handler == NULL)
		world->options.handler = &handler;
	world->options.owner = world;
	world->options.policy = &world->policy;
	world->listener = abt_listener_new(world->loop, fd, &world->options);
	if (world->listener == NULL)
		die("cannot listen");
}

void
world_close(struct world *world)
{
	abt_listener_free(world->listener);
	abt_loop_cut_conns(world->loop);
	while (world->held_count > 0)
		world_release(world);
	if (world->heads != world->done || world->loop->conn_count != 0) {
		fprintf(stderr, "net_world: %u exchanges, %u ended\n",
		    world->heads, world->done);
		abort();
	}
	abt_loop_free(world->loop);
}

/* One turn that does not wait. */
static void
turn_once(struct world *world)
{
	world->loop->now_us = 0;
	event_base_loop(world->loop->base, EVLOOP_NONBLOCK);
	world->loop->now_us = 0;
}

void
world_turn(struct world *world, int ms)
{
	int64_t end = abt_clock_monotonic_us() + ms * 1000;

	turn_once(world);
	while (abt_clock_monotonic_us() < end) {
		poll(NULL, 0, ms > 20 ? 5 : 1);
		turn_once(world);
	}
}

void
world_release(struct world *world)
{
	struct abt_exchange *x = world->held[0];

	world->held_count--;
	memmove(world->held, world->held + 1,
	    world->held_count * sizeof(world->held[0]));
	world->loop->now_us = 0;
	reply(x, x->replied ? 500 : 200);
}

int
world_connect(const struct world *world)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)world->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("cannot connect");
	/* Small pieces go out at once, as the tests mean them to. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	evutil_make_socket_nonblocking(fd);
	return fd;
}

void
world_send(struct world *world, int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t took = send(fd, text, n, MSG_NOSIGNAL);

		if (took < 0 && errno != EAGAIN)
			return; /* cut off: the test will see */
		if (took > 0) {
			text += took;
			n -= (size_t)took;
		}
		turn_once(world);
	}
}

size_t
world_read(
    struct world *world, int fd, char *out, size_t size, int ms, bool *eof)
{
	int64_t end = abt_clock_monotonic_us() + ms * 1000;
	size_t got = 0;

	if (eof != NULL)
		*eof = false;
	while (got + 1 < size && abt_clock_monotonic_us() < end) {
		ssize_t n;

		turn_once(world);
		n = recv(fd, out + got, size - 1 - got, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			if (eof != NULL)
				*eof = true;
			break;
		}
		if (n > 0) {
			got += (size_t)n;
			end = abt_clock_monotonic_us() + ms * 1000;
		} else {
			poll(NULL, 0, 1);
		}
	}
	out[got] = '\0';
	return got;
}

size_t
world_talk(struct world *world, const char *text, char *out, size_t size)
{
	int fd = world_connect(world);
	size_t n;

	world_send(world, fd, text, strlen(text));
	n = world_read(world, fd, out, size, 20, NULL);
	close(fd);
	world_turn(world, 2);
	return n;
}
