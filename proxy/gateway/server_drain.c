/*
 * server_drain.c - ending: listeners close, what runs is answered, functions
 * end, loops stop (threats.md S6)
 */
#include "gateway/server_private.h"

#include "base/log.h"
#include "net/mail.h"

/* ---- third: the loops ---- */

static void
cut_on(struct abt_loop *loop, void *context)
{
	(void)context;
	abt_loop_cut_conns(loop);
}

static void
stop_all(struct abt_server *server)
{
	unsigned i;

	abt_timer_stop(&server->drain_timer);
	for (i = 0; i < server->loops.count; i++)
		abt_loops_run_on(
		    &server->loops, server->loops.loop[i], cut_on, NULL);
	abt_loops_stop(&server->loops);
}

/* ---- second: the functions ---- */

static void
on_function_closed(struct abt_server *server)
{
	if (--server->functions_open == 0)
		stop_all(server);
}

static void
close_functions(struct abt_server *server)
{
	size_t i;

	abt_server_unwatch(server);
	server->functions_open = 1; /* held until all were asked */
	for (i = 0; i < server->setup->function_count; i++)
		server->functions_open += server->setup->functions[i] != NULL;
	abt_server_close_functions(server, server->setup, on_function_closed);
	on_function_closed(server);
}

/* ---- first: the fronts ---- */

struct farewell {
	struct abt_mail letter;
	struct abt_server *server;
};

/* On the first loop: one more loop has answered all it had. */
static void
deliver_idle(struct abt_loop *loop, struct abt_mail *letter)
{
	struct farewell *farewell =
	    abt_container_of(letter, struct farewell, letter);
	struct abt_server *server = farewell->server;

	(void)loop;
	abt_free(farewell);
	if (--server->loops_busy == 0 && !server->forced)
		close_functions(server);
}

static void
tell_idle(struct abt_server *server)
{
	struct farewell *farewell = abt_calloc(1, sizeof(*farewell));

	if (farewell == NULL)
		return; /* the deadline ends it */
	farewell->server = server;
	farewell->letter.deliver = deliver_idle;
	abt_mail_send(server->loops.loop[0], &farewell->letter);
}

static struct abt_server *the_server; /* for the idle callback */

static void
on_idle(struct abt_gateway_loop *gateway)
{
	gateway->idle = NULL; /* once */
	tell_idle(the_server);
}

static void
drain_on(struct abt_loop *loop, void *context)
{
	struct abt_server *server = context;
	struct abt_gateway_loop *gateway = loop->gateway;
	size_t i;

	for (i = 0; i < server->entrances.count; i++) {
		struct abt_entrance *entrance = &server->entrances.items[i];

		if (entrance->listeners[loop->index] == NULL)
			continue;
		abt_listener_free(entrance->listeners[loop->index]);
		entrance->listeners[loop->index] = NULL;
	}
	abt_loop_drain_conns(loop);
	if (gateway->active == 0)
		tell_idle(server);
	else
		gateway->idle = on_idle;
}

static void
on_deadline(struct abt_timer *timer)
{
	struct abt_server *server =
	    abt_container_of(timer, struct abt_server, drain_timer);

	abt_warning("requests still run after %lld s, ending all the same",
	    (long long)server->setup->drain_ms / 1000);
	abt_server_force(server);
}

void
abt_server_drain(struct abt_server *server)
{
	unsigned i;

	if (server->draining) {
		abt_warning("second signal: ending at once");
		abt_server_force(server);
		return;
	}
	abt_info("draining: running requests are answered, then all ends");
	server->draining = true;
	the_server = server;
	abt_timer_init(&server->drain_timer, on_deadline);
	abt_timer_set(server->loops.loop[0], &server->drain_timer,
	    server->setup->drain_ms > 0 ? server->setup->drain_ms : 30000);
	server->loops_busy = server->loops.count;
	for (i = 0; i < server->loops.count; i++)
		abt_loops_run_on(
		    &server->loops, server->loops.loop[i], drain_on, server);
}

void
abt_server_force(struct abt_server *server)
{
	server->forced = true;
	server->status = 1;
	stop_all(server); /* the guard ends every process */
}
