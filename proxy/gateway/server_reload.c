/*
 * server_reload.c - a new setup in place of the old one, without dropping a
 * request (threats.md S5)
 *
 * Everything that can fail is done first: reading, certificates, binding,
 * opening new functions.  Then listeners get their new doors, loop by loop.
 * The old setup stays until no exchange holds one of its doors, and a while
 * longer for heads that were being read at that moment.
 */
#include "gateway/server_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#define RETIRE_CHECK_MS 5000
#define RETIRE_AFTER_US 30000000 /* longer than any head may take */

/* ---- the retired ---- */

static bool
is_quiet(const struct abt_server *server, const struct abt_retired *retired)
{
	size_t i;
	unsigned loop;

	if (abt_clock_monotonic_us() - retired->since_us < RETIRE_AFTER_US)
		return false;
	for (i = 0; i < retired->entrances.count; i++)
		for (loop = 0; loop < server->loops.count; loop++)
			if (__atomic_load_n(
				&retired->entrances.items[i].doors[loop].active,
				__ATOMIC_RELAXED) != 0)
				return false;
	return true;
}

void
abt_server_free_retired(struct abt_server *server, bool all)
{
	struct abt_retired **at = &server->retired, *retired;

	while ((retired = *at) != NULL) {
		if (!all && !is_quiet(server, retired)) {
			at = &retired->next;
			continue;
		}
		*at = retired->next;
		abt_entrances_close(&retired->entrances);
		abt_setup_free(retired->setup);
		abt_free(retired);
	}
}

static void
on_retire(struct abt_timer *timer)
{
	struct abt_server *server =
	    abt_container_of(timer, struct abt_server, retire_timer);

	abt_server_free_retired(server, false);
	if (server->retired != NULL)
		abt_timer_set(server->loops.loop[0], timer, RETIRE_CHECK_MS);
}

/* ---- the new entrances ---- */

/* The entrance that |fresh|'s |index|-th takes over, or NULL.  Several may have
 * the same address (port 0): the first takes the first, and so on. */
static struct abt_entrance *
find_old(
    struct abt_server *server, const struct abt_entrances *fresh, size_t index)
{
	struct abt_bytes address = fresh->items[index].setup->address;
	size_t i, skip = 0;

	for (i = 0; i < index; i++)
		if (abt_bytes_equal(fresh->items[i].setup->address, address))
			skip++;
	for (i = 0; i < server->entrances.count; i++)
		if (abt_bytes_equal(
			server->entrances.items[i].setup->address, address) &&
		    skip-- == 0)
			return &server->entrances.items[i];
	return NULL;
}

/* Bind what is new; what stays keeps its sockets for later.  Certificates are
 * read anew in both. */
static int
prepare(struct abt_server *server, const struct abt_setup *setup,
    struct abt_entrances *fresh)
{
	size_t i;

	fresh->items =
	    abt_calloc(setup->listener_count + 1, sizeof(*fresh->items));
	if (fresh->items == NULL)
		return -1;
	for (i = 0; i < setup->listener_count; i++) {
		struct abt_entrance *entrance = &fresh->items[fresh->count];
		const struct abt_setup_listener *listener =
		    &setup->listeners[i];
		char text[256], why[512];
		unsigned count = server->loops.count;

		entrance->setup = listener;
		entrance->doors = abt_calloc(count, sizeof(*entrance->doors));
		entrance->listeners =
		    abt_calloc(count, sizeof(*entrance->listeners));
		fresh->count++;
		if (entrance->doors == NULL || entrance->listeners == NULL ||
		    abt_entrance_tls(entrance, listener) != 0)
			return -1;
		if (find_old(server, fresh, i) != NULL)
			continue;
		snprintf(
		    text, sizeof(text), "%.*s", ABT_FMT(listener->address));
		if (abt_address_bind(&entrance->address, text, count, why,
			sizeof(why)) != 0) {
			abt_error("%s", why);
			return -1;
		}
	}
	return 0;
}

struct swap {
	struct abt_server *server;
	struct abt_setup *setup;
	struct abt_entrances *fresh;
	bool failed;
};

static void
swap_entrance(struct abt_loop *loop, struct swap *swap, size_t index)
{
	struct abt_entrance *entrance = &swap->fresh->items[index];
	struct abt_entrance *old = find_old(swap->server, swap->fresh, index);
	struct abt_listener_options options;
	unsigned i = loop->index;

	abt_entrance_options(
	    entrance, swap->setup, i, swap->server->loops.count, &options);
	if (old != NULL) {
		entrance->listeners[i] = old->listeners[i];
		old->listeners[i] = NULL;
		abt_listener_set(entrance->listeners[i], &options);
		return;
	}
	entrance->listeners[i] =
	    abt_listener_new(loop, entrance->address.fds[i], &options);
	if (entrance->listeners[i] != NULL)
		entrance->address.fds[i] = -1;
	else
		swap->failed = true;
}

static void
swap_on(struct abt_loop *loop, void *context)
{
	struct swap *swap = context;
	size_t i;

	for (i = 0; i < swap->fresh->count; i++)
		swap_entrance(loop, swap, i);
	/* addresses that the new setup does not have any more */
	for (i = 0; i < swap->server->entrances.count; i++) {
		struct abt_entrance *old = &swap->server->entrances.items[i];

		if (old->listeners[loop->index] == NULL)
			continue;
		abt_listener_free(old->listeners[loop->index]);
		old->listeners[loop->index] = NULL;
	}
}

/* The sockets of an address that stays move to its new entrance. */
static void
move_addresses(struct abt_server *server, struct abt_entrances *fresh)
{
	size_t i;

	for (i = 0; i < fresh->count; i++) {
		struct abt_entrance *entrance = &fresh->items[i];
		struct abt_entrance *old = find_old(server, fresh, i);

		if (old == NULL)
			continue;
		entrance->address = old->address;
		memset(&old->address, 0, sizeof(old->address));
	}
}

static void
take_over(struct abt_server *server, struct abt_setup *setup,
    struct abt_entrances *fresh, struct abt_retired *retired)
{
	struct swap swap = { server, setup, fresh, false };
	unsigned i;

	abt_server_unwatch(server);
	for (i = 0; i < server->loops.count; i++)
		abt_loops_run_on(
		    &server->loops, server->loops.loop[i], swap_on, &swap);
	if (swap.failed)
		abt_error("memory ran out: not every loop listens");
	move_addresses(server, fresh);
	abt_server_close_functions(server, server->setup, NULL);
	retired->setup = server->setup;
	retired->entrances = server->entrances;
	retired->since_us = abt_clock_monotonic_us();
	retired->next = server->retired;
	server->retired = retired;
	server->setup = setup;
	server->entrances = *fresh;
	abt_timer_init(&server->retire_timer, on_retire);
	abt_timer_set(
	    server->loops.loop[0], &server->retire_timer, RETIRE_CHECK_MS);
	abt_server_watch(server);
}

void
abt_server_reload(struct abt_server *server)
{
	struct abt_entrances fresh = { 0 };
	struct abt_retired *retired = abt_calloc(1, sizeof(*retired));
	struct abt_setup *setup = NULL;

	if (server->options->reload != NULL && retired != NULL)
		setup = server->options->reload(server->options->context);
	if (setup == NULL) {
		abt_error("the configuration was not changed: the old one "
			  "stays in force");
		abt_free(retired);
		return;
	}
	if (prepare(server, setup, &fresh) != 0 ||
	    abt_server_open_functions(server, setup, server->setup) != 0) {
		abt_error("the new configuration cannot be used: the old one "
			  "stays in force");
		abt_entrances_close(&fresh);
		abt_setup_free(setup);
		abt_free(retired);
		return;
	}
	take_over(server, setup, &fresh, retired);
	abt_net_set_memory_max((uint64_t)setup->memory_max);
	abt_info("the new configuration is in force");
}
