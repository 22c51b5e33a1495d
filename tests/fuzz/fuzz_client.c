/*
 * fuzz_client.c - what a server may say to our client
 *
 * The first byte chooses the request and whether its body is taken with pauses,
 * the second how the rest, the server's bytes, is cut.  It is said twice, in
 * one piece and in pieces, and then the connection ends.  Properties: the ask
 * ends exactly once, both ways with the same outcome, status and body; no more
 * body than was said; what was kept open is closed with the client.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/client.h"
#include "net/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURNS 400

struct outcome {
	enum abt_ask_failure failure;
	int status;
	uint64_t hash;
	size_t n;
	unsigned heads, ends;
};

static struct abt_loop *loop;
static struct outcome now;
static struct abt_ask ask;
static bool pauses;
static int listener = -1;
static char folder[] = "/tmp/albatross-fuzz-XXXXXX", server[128];

/* ---- the client's side ---- */

static void
on_head(struct abt_ask *a)
{
	now.heads++;
	now.status = a->response.status;
}

static int
on_data(struct abt_ask *a, struct abt_bytes data)
{
	size_t i;

	(void)a;
	now.n += data.n;
	for (i = 0; i < data.n; i++)
		now.hash =
		    (now.hash ^ (unsigned char)data.p[i]) * 0x100000001b3;
	return pauses ? ABT_DATA_PAUSE : 0;
}

static void
on_end(struct abt_ask *a)
{
	now.ends++;
	now.failure = a->failure;
}

static const struct abt_ask_events events = {
	.head = on_head,
	.data = on_data,
	.end = on_end,
};

static void
turn(void)
{
	loop->now_us = 0;
	event_base_loop(loop->base, EVLOOP_NONBLOCK);
	if (ask.paused)
		abt_ask_resume(&ask);
}

static void
start(struct abt_client *client, uint8_t how)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT" };

	memset(&ask, 0, sizeof(ask));
	memset(&now, 0, sizeof(now));
	pauses = (how & 4) != 0;
	ask.events = &events;
	ask.server = server;
	ask.method = abt_bytes_text(methods[how & 3]);
	ask.target = ABT_BYTES("/");
	if ((how & 3) == 2)
		ask.body = ABT_BYTES("body");
	abt_ask_start(client, &ask);
}

/* ---- the server's side ---- */

static void
remove_folder(void)
{
	unlink(server + 5);
	rmdir(folder);
}

static void
open_world(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	loop = abt_loop_new(0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (loop == NULL || listener < 0 || mkdtemp(folder) == NULL)
		abort();
	snprintf(server, sizeof(server), "unix:%s/s", folder);
	memcpy(un.sun_path, server + 5, strlen(server + 5));
	if (bind(listener, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    listen(listener, 4) != 0)
		abort();
	atexit(remove_folder);
}

/* Say |data| in pieces of |step| bytes at most. */
static void
say(int fd, const uint8_t *data, size_t size, size_t step)
{
	size_t at = 0;
	ssize_t n;
	int i;

	for (i = 0; at < size && now.ends == 0 && i < 100000; i++) {
		n = send(fd, data + at, size - at < step ? size - at : step,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			break;
		if (n > 0)
			at += (size_t)n;
		turn();
		if (step > 64 && size - at > step)
			turn();
	}
}

static void
converse(uint8_t how, const uint8_t *data, size_t size, size_t step)
{
	struct abt_client_options options = { .kept_max = 1 };
	struct abt_client *client = abt_client_new(loop, &options);
	char sink[4096];
	int fd, i;

	if (client == NULL)
		abort();
	start(client, how);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		abort();
	turn();
	while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		turn();
	say(fd, data, size, step);
	shutdown(fd, SHUT_WR);
	for (i = 0; i < TURNS && now.ends == 0; i++)
		turn();
	close(fd);
	if (now.ends != 1 || now.heads > 1 || now.n > size ||
	    (now.failure == ABT_ASK_GOOD && now.heads != 1))
		abort();
	abt_client_free(client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole;

	if (size < 2)
		return 0;
	if (loop == NULL)
		open_world();
	converse(data[0], data + 2, size - 2, size);
	whole = now;
	converse(data[0], data + 2, size - 2, (size_t)data[1] % 100 + 1);
	if (whole.failure != now.failure || whole.status != now.status ||
	    whole.n != now.n || whole.hash != now.hash)
		abort();
	return 0;
}
