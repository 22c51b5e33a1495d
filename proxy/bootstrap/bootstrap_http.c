/*
 * bootstrap_http.c - a web server answers the events of the bootstrap
 *
 * The server is a child of ours and told by PORT where to listen; events wait
 * until it does.  When it ends we end, and Lambda starts anew.
 */
#include "bootstrap/bootstrap_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/exchange.h"

#define LOOK_MS 10 /* between two looks at the port */

struct http {
	struct abt_bootstrap *b;
	struct abt_child child;
	struct event look; /* the wheel is too coarse for a cold start */
	char server[64];
	struct abt_ask ask;
	bool asking;
};

/* ---- is it there? ---- */

static bool
can_connect(const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && connect(fd, address, size) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* On this machine that takes no time, whatever the answer. */
static bool
listens(unsigned port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return can_connect((struct sockaddr *)&v4, sizeof(v4)) ||
	       can_connect((struct sockaddr *)&v6, sizeof(v6));
}

static void
look(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = { .tv_usec = LOOK_MS * 1000 };
	struct http *http = arg;

	(void)fd;
	(void)what;
	if (listens((unsigned)http->b->options->port))
		abt_bootstrap_ready(http->b);
	else if (event_add(&http->look, &soon) != 0)
		abt_bootstrap_broken(
		    http->b, "Runtime.InitError", "out of memory");
}

/* ---- life ---- */

static void
start_server(struct http *http)
{
	const struct abt_bootstrap_options *options = http->b->options;
	char port[8];

	snprintf(port, sizeof(port), "%u", (unsigned)options->port);
	if (setenv("PORT", port, 1) == 0 &&
	    abt_child_start(
		&http->child, options->command, NULL, NULL, false) == 0) {
		look(-1, 0, http);
		return;
	}
	abt_bootstrap_broken(http->b, "Runtime.InitError",
	    "cannot start %s: %s", options->command[0], strerror(errno));
}

static void
open_http(struct abt_bootstrap *b)
{
	struct http *http = abt_calloc(1, sizeof(*http));

	if (http == NULL) {
		abt_bootstrap_broken(b, "Runtime.InitError", "out of memory");
		return;
	}
	b->state = http;
	http->b = b;
	evtimer_assign(&http->look, b->loop->base, look, http);
	snprintf(http->server, sizeof(http->server), "http://localhost:%u",
	    (unsigned)b->options->port);
	if (b->options->command == NULL)
		look(-1, 0, http);
	else if (listens((unsigned)b->options->port))
		abt_bootstrap_broken(b, "Runtime.InitError",
		    "another program listens on port %u already",
		    (unsigned)b->options->port);
	else
		start_server(http);
}

static void
child(struct abt_bootstrap *b, pid_t pid, int status)
{
	struct http *http = b->state;
	char verdict[64];

	if (http == NULL || pid != http->child.pid)
		return;
	http->child.pid = 0;
	event_del(&http->look);
	abt_child_verdict(status, verdict, sizeof(verdict));
	if (b->ready && (b->working || b->posting)) {
		abt_error("%s has ended: %s", b->options->command[0], verdict);
		b->dying = true;
		return;
	}
	abt_bootstrap_broken(b, "Runtime.ExitError", "%s has ended: %s",
	    b->options->command[0], verdict);
}

static void
close_http(struct abt_bootstrap *b)
{
	struct http *http = b->state;

	if (http == NULL)
		return;
	event_del(&http->look);
	abt_child_kill(http->child.pid, SIGTERM);
	abt_free(http);
	b->state = NULL;
}

/* ---- one request ---- */

/* Is it one of the connection's, by its name or because Connection names it?
 */
static bool
is_hop(const struct abt_headers *headers, const struct abt_field *field)
{
	size_t i;

	switch (field->id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_PROXY_CONNECTION:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_UPGRADE:
		return true;
	default:
		break;
	}
	for (i = 0; i < headers->count; i++) {
		struct abt_bytes rest = headers->fields[i].value, name;

		if (headers->fields[i].id != ABT_FIELD_CONNECTION)
			continue;
		while (abt_bytes_next(&rest, ',', &name))
			if (abt_bytes_equal_nocase(
				abt_bytes_trim(name), field->name))
				return true;
	}
	return false;
}

static void
on_head(struct abt_ask *ask)
{
	struct http *http = ask->context;
	struct abt_bootstrap *b = http->b;
	const struct abt_headers *headers = &ask->response.headers;
	bool to_head = abt_bytes_equal(b->request.method, ABT_BYTES("HEAD"));
	size_t i;

	b->response.status = ask->response.status;
	for (i = 0; i < headers->count; i++) {
		const struct abt_field *field = &headers->fields[i];

		if (is_hop(headers, field) ||
		    (field->id == ABT_FIELD_CONTENT_LENGTH && !to_head))
			continue;
		abt_headers_add_id(&b->response.headers, &b->arena, field->id,
		    abt_arena_copy(&b->arena, field->name),
		    abt_arena_copy(&b->arena, field->value));
	}
	abt_answer_begin(b);
	if (!b->working)
		abt_ask_cancel(ask);
}

static int
on_data(struct abt_ask *ask, struct abt_bytes data)
{
	struct http *http = ask->context;

	return abt_answer_piece(http->b, data) > 0 ? ABT_DATA_PAUSE : 0;
}

static void
on_end(struct abt_ask *ask)
{
	struct http *http = ask->context;
	struct abt_bootstrap *b = http->b;

	http->asking = false;
	if (!b->working)
		return;
	if (ask->failure == ABT_ASK_GOOD)
		abt_answer_end(b);
	else
		abt_answer_fail(b, "Runtime.ExitError",
		    "the server on port %u: %s", (unsigned)b->options->port,
		    ask->why);
}

static const struct abt_ask_events events = {
	.head = on_head,
	.data = on_data,
	.end = on_end,
};

/* A server knows nothing of stages: it is asked for what stands behind, and
 * told what stood before. */
static struct abt_bytes
target_behind(struct abt_bootstrap *b, struct abt_headers *headers)
{
	struct abt_bytes target = b->request.target, prefix = b->origin.prefix;

	if (prefix.n == 0 || !abt_bytes_starts(target, prefix))
		return target;
	abt_headers_add(
	    headers, &b->arena, ABT_BYTES("X-Forwarded-Prefix"), prefix);
	target.p += prefix.n;
	target.n -= prefix.n;
	if (target.n == 0 || target.p[0] != '/')
		return abt_arena_printf(&b->arena, "/%.*s", ABT_FMT(target));
	return target;
}

static void
start(struct abt_bootstrap *b)
{
	struct http *http = b->state;
	const struct abt_headers *headers = &b->request.headers;
	struct abt_ask *ask = &http->ask;
	size_t i;

	memset(ask, 0, sizeof(*ask));
	ask->events = &events;
	ask->context = http;
	ask->server = http->server;
	ask->method = b->request.method;
	ask->target = target_behind(b, &ask->headers);
	ask->body = b->request.body;
	for (i = 0; i < headers->count; i++) {
		const struct abt_field *field = &headers->fields[i];

		if (field->id == ABT_FIELD_HOST)
			ask->host = field->value;
		else if (!is_hop(headers, field) &&
			 field->id != ABT_FIELD_EXPECT &&
			 field->id != ABT_FIELD_CONTENT_LENGTH)
			abt_headers_add_id(&ask->headers, &b->arena, field->id,
			    field->name, field->value);
	}
	http->asking = true;
	abt_ask_start(b->client, ask);
}

static void
resume(struct abt_bootstrap *b)
{
	struct http *http = b->state;

	if (http->asking)
		abt_ask_resume(&http->ask);
}

static void
stop(struct abt_bootstrap *b)
{
	struct http *http = b->state;

	if (http->asking)
		abt_ask_cancel(&http->ask);
	http->asking = false;
}

const struct abt_answerer abt_answerer_http = {
	.open = open_http,
	.start = start,
	.resume = resume,
	.stop = stop,
	.child = child,
	.close = close_http,
};
