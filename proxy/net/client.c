/*
 * client.c - outgoing HTTP/1.1: asks, their deadlines, the servers they go to
 *
 * An ask waits for its server's address, then for a connection, then sends and
 * reads on it (client_link.c).  A connection that was kept may be closed by its
 * server just when we use it; an ask is sent once more on a fresh one only when
 * nothing was received and either nothing was sent or asking twice does no
 * harm.
 */
#include "net/client_private.h"

#include <stdio.h>

#define KEPT_MAX   16
#define KEEP_MS    55000
#define RESOLVE_MS 30000 /* so long an address is believed */
#define OUT_MAX    (64u << 20)

static int64_t
now_ms(const struct abt_client *client)
{
	return abt_loop_now_us(client->loop) / 1000;
}

/* ---- on its way ---- */

static bool
is_known(const struct abt_client_target *target)
{
	return target->fixed ||
	       (target->address_count > 0 &&
		   now_ms(target->client) - target->resolved_ms < RESOLVE_MS);
}

static void
look_up(struct abt_ask *ask)
{
	struct abt_client_target *target = ask->to;
	const struct abt_client_resolver *resolver =
	    target->client->options.resolver;

	if (target->lookup == NULL && resolver != NULL)
		target->lookup = resolver->begin(target);
	if (target->lookup == NULL)
		abt_ask_doom(ask, ABT_ASK_RESOLVE,
		    resolver == NULL ? "names are not looked up here"
				     : "cannot begin to look its name up");
	else
		ask->resolving = 1;
}

/* Have it sent, on a kept connection if it may. */
static void
send_ask(struct abt_ask *ask, bool may_reuse)
{
	ask->address = 0;
	if (abt_ask_write_request(ask) != 0)
		abt_ask_doom(ask, ABT_ASK_NO_MEMORY, "out of memory");
	else if (may_reuse && abt_link_reuse(ask))
		return;
	else if (is_known(ask->to))
		abt_link_open(ask);
	else
		look_up(ask);
}

void
abt_client_resolved(struct abt_client_target *target, const char *why)
{
	struct abt_ask *ask;

	target->lookup = NULL;
	target->resolved_ms = now_ms(target->client);
	do {
		for (ask = target->asks; ask != NULL; ask = ask->next)
			if (ask->resolving)
				break;
		if (ask == NULL)
			return;
		ask->resolving = 0;
		if (target->address_count == 0)
			abt_ask_end(ask, ABT_ASK_RESOLVE, why);
		else
			abt_link_open(ask);
	} while (target->lookup == NULL);
}

static bool
is_harmless(struct abt_bytes method)
{
	static const struct abt_bytes twice[] = { ABT_BYTES_INIT("GET"),
		ABT_BYTES_INIT("HEAD"), ABT_BYTES_INIT("PUT"),
		ABT_BYTES_INIT("DELETE"), ABT_BYTES_INIT("OPTIONS"),
		ABT_BYTES_INIT("TRACE") };
	size_t i;

	for (i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
		if (abt_bytes_equal(method, twice[i]))
			return true;
	return false;
}

void
abt_ask_broken(struct abt_ask *ask, bool stale, enum abt_ask_failure failure,
    const char *why)
{
	if (!stale || ask->retried || ask->received > 0 || ask->body_begun ||
	    (ask->sent > 0 && !is_harmless(ask->method))) {
		abt_ask_end(ask, failure, why);
		return;
	}
	ask->retried = 1;
	ask->sent = 0;
	send_ask(ask, false);
	abt_ask_arm(ask);
}

/* ---- deadlines ---- */

static int64_t
sooner(int64_t at, int64_t start, int64_t ms)
{
	if (ms <= 0)
		return at;
	return at == 0 || start + ms < at ? start + ms : at;
}

static int64_t
deadline(const struct abt_ask *ask)
{
	int64_t at = sooner(0, ask->start_ms, ask->total_ms);

	if (ask->doomed)
		return ask->start_ms;
	if (!ask->connected)
		return sooner(at, ask->start_ms, ask->connect_ms);
	if (abt_ask_waiting(ask) > 0 || (!ask->paused && !ask->body_open) ||
	    (ask->has_head && !ask->paused))
		return sooner(at, ask->stamp_ms, ask->idle_ms);
	return at;
}

void
abt_ask_arm(struct abt_ask *ask)
{
	int64_t at = ask->started ? deadline(ask) : 0;

	if (at == 0 ||
	    (abt_timer_is_set(&ask->timer) && ask->timer.at_ms <= at))
		return;
	abt_timer_set(ask->client->loop, &ask->timer, at - now_ms(ask->client));
}

void
abt_ask_stamp(struct abt_ask *ask)
{
	ask->stamp_ms = now_ms(ask->client);
}

static void
on_timer(struct abt_timer *timer)
{
	struct abt_ask *ask = abt_container_of(timer, struct abt_ask, timer);
	int64_t at = deadline(ask);

	if (at == 0 || at > now_ms(ask->client))
		abt_ask_arm(ask);
	else if (ask->doomed)
		abt_ask_end(ask, ask->failure, NULL);
	else if (!ask->connected)
		abt_ask_end(ask, ABT_ASK_TIMEOUT,
		    "no connection within the time for it");
	else
		abt_ask_end(
		    ask, ABT_ASK_TIMEOUT, "no answer within the time for it");
}

/* ---- life of an ask ---- */

static void
explain(struct abt_ask *ask, enum abt_ask_failure failure, const char *why)
{
	ask->failure = failure;
	if (why != NULL)
		snprintf(ask->why, sizeof(ask->why), "%s", why);
}

/* Off everything; what is left is its owner's. */
static void
detach(struct abt_ask *ask)
{
	struct abt_client_link *link = ask->link;

	if (!ask->started)
		return;
	ask->started = 0;
	ask->link = NULL;
	if (link != NULL)
		abt_link_close(link);
	abt_timer_stop(&ask->timer);
	abt_buf_end(&ask->out);
	ask->out_at = 0;
	ask->body_left.n = 0;
	if (ask->prev != NULL) {
		*ask->prev = ask->next;
		if (ask->next != NULL)
			ask->next->prev = ask->prev;
		ask->prev = NULL;
	}
}

void
abt_ask_end(struct abt_ask *ask, enum abt_ask_failure failure, const char *why)
{
	struct abt_arena arena;

	explain(ask, failure, why);
	detach(ask);
	arena = ask->arena;
	abt_arena_init(&ask->arena, NULL);
	ask->events->end(ask); /* |ask| may be gone behind this */
	abt_arena_end(&arena);
}

void
abt_ask_doom(struct abt_ask *ask, enum abt_ask_failure failure, const char *why)
{
	if (ask->doomed)
		return;
	explain(ask, failure, why);
	ask->doomed = 1;
	abt_ask_arm(ask);
}

static void
join_target(struct abt_ask *ask, struct abt_client_target *target)
{
	ask->to = target;
	ask->next = target->asks;
	ask->prev = &target->asks;
	if (target->asks != NULL)
		target->asks->prev = &ask->next;
	target->asks = ask;
}

void
abt_ask_start(struct abt_client *client, struct abt_ask *ask)
{
	struct abt_client_target *target;
	const char *why;

	abt_loop_assert_mine(client->loop);
	ask->client = client;
	ask->started = 1;
	ask->start_ms = ask->stamp_ms = now_ms(client);
	ask->body_open = ask->body_follows;
	ask->length_left = ask->has_length ? ask->length : 0;
	abt_arena_init(&ask->arena, client->loop->pool);
	abt_report_init(&ask->report, &ask->arena);
	abt_buf_init(&ask->out, client->loop->pool, OUT_MAX);
	abt_timer_init(&ask->timer, on_timer);
	target = abt_client_find_target(client, ask->server, &why);
	if (target != NULL)
		why = abt_ask_check(ask);
	if (target != NULL)
		join_target(ask, target);
	if (why != NULL)
		abt_ask_doom(ask, ABT_ASK_REQUEST, why);
	else if (target == NULL)
		abt_ask_doom(ask, ABT_ASK_NO_MEMORY, "out of memory");
	else
		send_ask(ask, true);
	abt_ask_arm(ask);
}

size_t
abt_ask_write(struct abt_ask *ask, struct abt_bytes data)
{
	struct abt_buf *out = &ask->out;

	if (!ask->started || ask->doomed || !ask->body_open)
		return 0;
	if (ask->has_length && data.n > ask->length_left)
		data.n = (size_t)ask->length_left;
	if (data.n == 0)
		return abt_ask_waiting(ask);
	ask->body_begun = 1;
	if (abt_ask_waiting(ask) == 0) {
		abt_ask_stamp(ask);
		out->n = ask->out_at = 0;
	}
	if (ask->has_length) {
		ask->length_left -= data.n;
		abt_buf_add(out, data);
	} else {
		abt_buf_printf(out, "%zx\r\n", data.n);
		abt_buf_add(out, data);
		abt_buf_add(out, ABT_BYTES("\r\n"));
	}
	if (out->failed)
		abt_ask_doom(ask, ABT_ASK_NO_MEMORY, "out of memory");
	else if (ask->connected)
		abt_client_link_send(ask->link);
	ask->waits = abt_ask_waiting(ask) > 0;
	abt_ask_arm(ask);
	return ask->doomed ? 0 : abt_ask_waiting(ask);
}

void
abt_ask_finish(struct abt_ask *ask)
{
	if (!ask->started || ask->doomed || !ask->body_open)
		return;
	ask->body_open = 0;
	ask->body_begun = 1;
	ask->waits = 0;
	abt_ask_stamp(ask);
	if (ask->has_length && ask->length_left > 0) {
		abt_ask_doom(
		    ask, ABT_ASK_REQUEST, "its body ended before its length");
		return;
	}
	if (!ask->has_length)
		abt_buf_add(&ask->out, ABT_BYTES("0\r\n\r\n"));
	if (ask->out.failed)
		abt_ask_doom(ask, ABT_ASK_NO_MEMORY, "out of memory");
	else if (ask->connected)
		abt_client_link_send(ask->link);
	abt_ask_arm(ask);
}

void
abt_ask_resume(struct abt_ask *ask)
{
	if (!ask->started || !ask->paused)
		return;
	ask->paused = 0;
	abt_ask_stamp(ask);
	abt_ask_arm(ask);
	if (ask->link != NULL)
		abt_link_resume(ask->link);
}

void
abt_ask_cancel(struct abt_ask *ask)
{
	if (!ask->started)
		return;
	detach(ask);
	abt_arena_end(&ask->arena);
}

/* ---- life of a client ---- */

struct abt_client *
abt_client_new(struct abt_loop *loop, const struct abt_client_options *options)
{
	struct abt_client *client = abt_calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->loop = loop;
	client->options = *options;
	if (client->options.kept_max == 0)
		client->options.kept_max = KEPT_MAX;
	if (client->options.keep_ms == 0)
		client->options.keep_ms = KEEP_MS;
	return client;
}

void
abt_client_free(struct abt_client *client)
{
	struct abt_client_target *target;

	if (client == NULL)
		return;
	while ((target = client->targets) != NULL) {
		client->targets = target->next;
		while (target->asks != NULL)
			abt_ask_cancel(target->asks);
		abt_links_drop(target);
		if (target->lookup != NULL)
			client->options.resolver->forget(target->lookup);
		abt_free(target->name);
		abt_free(target);
	}
	abt_free(client);
}
