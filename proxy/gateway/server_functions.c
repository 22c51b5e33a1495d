/*
 * server_functions.c - the functions of a setup: homes, opening, closing,
 * watching
 */
#include "gateway/server_private.h"

#include <stdio.h>

#include "base/log.h"
#include "net/mail.h"
#include "route/api_routes.h"
#include "route/route.h"

/* ---- opening ---- */

struct opening {
	struct abt_function *function;
	struct abt_loop *home;
	char why[512];
	int rc;
};

static void
open_on(struct abt_loop *loop, void *context)
{
	struct opening *opening = context;

	(void)loop;
	opening->rc = abt_function_open(opening->function, opening->home,
	    opening->why, sizeof(opening->why));
}

static int
open_function(struct abt_server *server, struct abt_function *function)
{
	struct opening opening = { .function = function, .rc = -1 };
	struct abt_loop *loop = server->loops.loop[0];

	if (function->backend->counted) { /* homes are dealt round robin */
		loop = server->loops
			   .loop[server->next_home++ % server->loops.count];
		opening.home = loop;
	}
	abt_loops_run_on(&server->loops, loop, open_on, &opening);
	if (opening.rc != 0)
		abt_error("function \"%s\": %s", function->name, opening.why);
	return opening.rc;
}

/* Routes of |setup| that led to |from| lead to |to|. */
static void
redirect_routes(struct abt_setup *setup, const struct abt_function *from,
    const struct abt_function *to)
{
	size_t i, j;

	for (i = 0; i < setup->front_count; i++) {
		const struct abt_routes *routes = setup->fronts[i].routes;

		const struct abt_api *api = setup->fronts[i].api;

		for (j = 0; j < routes->count; j++)
			if (routes->routes[j].function == from)
				routes->routes[j].function = to;
		for (j = 0; api != NULL && j < api->routes->count; j++)
			if (api->routes->routes[j].function == from)
				api->routes->routes[j].function = to;
	}
}

/* ---- closing ---- */

struct closing {
	struct abt_mail letter;
	struct abt_server *server;
	struct abt_function *function;
	void (*done)(struct abt_server *server);
};

/* On the first loop: the function is closed. */
static void
deliver_closed(struct abt_loop *loop, struct abt_mail *letter)
{
	struct closing *closing =
	    abt_container_of(letter, struct closing, letter);

	(void)loop;
	abt_function_free(closing->function);
	if (closing->done != NULL)
		closing->done(closing->server);
	abt_free(closing);
}

/* On its home. */
static void
on_closed(struct abt_function *function, void *context)
{
	struct closing *closing = context;

	closing->function = function;
	closing->letter.deliver = deliver_closed;
	abt_mail_send(closing->server->loops.loop[0], &closing->letter);
}

static void
close_on(struct abt_loop *loop, void *context)
{
	struct closing *closing = context;

	(void)loop;
	abt_function_close(closing->function, on_closed, closing);
}

/* |done| is called on the first loop once it is closed; may be NULL. */
static void
close_function(struct abt_server *server, struct abt_function *function,
    void (*done)(struct abt_server *server))
{
	struct closing *closing = abt_calloc(1, sizeof(*closing));

	if (closing == NULL) { /* the guard ends its processes */
		if (done != NULL)
			done(server);
		return;
	}
	*closing = (struct closing){
		.server = server, .function = function, .done = done
	};
	abt_loops_run_on(&server->loops,
	    function->home != NULL ? function->home : server->loops.loop[0],
	    close_on, closing);
}

void
abt_server_close_functions(struct abt_server *server, struct abt_setup *setup,
    void (*done)(struct abt_server *))
{
	size_t i;

	for (i = 0; i < setup->function_count; i++) {
		struct abt_function *function = setup->functions[i];

		setup->functions[i] = NULL;
		if (function != NULL)
			close_function(server, function, done);
	}
}

/* ---- opening all of a setup ---- */

/* Where |old| has the function that |function| equals by name and content: it
 * is carried over with its warm instances.  NULL: nowhere. */
static struct abt_function **
find_unchanged(struct abt_setup *old, const struct abt_function *function)
{
	size_t i;

	for (i = 0; old != NULL && i < old->function_count; i++) {
		struct abt_function *candidate = old->functions[i];

		if (candidate != NULL && candidate->content != NULL &&
		    function->content != NULL &&
		    strcmp(candidate->name, function->name) == 0 &&
		    strcmp(candidate->content, function->content) == 0)
			return &old->functions[i];
	}
	return NULL;
}

/* All that is new was opened: now the unchanged ones move. */
static void
carry_over(struct abt_setup *setup, struct abt_setup *old)
{
	size_t i;

	for (i = 0; i < setup->function_count; i++) {
		struct abt_function *fresh = setup->functions[i];
		struct abt_function **kept = find_unchanged(old, fresh);

		if (kept == NULL)
			continue;
		redirect_routes(setup, fresh, *kept);
		setup->functions[i] = *kept;
		*kept = NULL;
		abt_function_free(fresh); /* it was never opened */
	}
}

int
abt_server_open_functions(
    struct abt_server *server, struct abt_setup *setup, struct abt_setup *old)
{
	size_t i;

	for (i = 0; i < setup->function_count; i++)
		if (find_unchanged(old, setup->functions[i]) == NULL &&
		    open_function(server, setup->functions[i]) != 0)
			break;
	if (i == setup->function_count) {
		carry_over(setup, old);
		return 0;
	}
	while (i-- > 0) { /* what was opened is closed again */
		struct abt_function *function = setup->functions[i];

		if (find_unchanged(old, function) != NULL)
			continue;
		setup->functions[i] = NULL;
		close_function(server, function, NULL);
	}
	return -1;
}

/* ---- watching ---- */

struct abt_watched {
	struct abt_server *server;
	struct abt_function *function;
	struct abt_watch *watch;
};

static void
refresh_on(struct abt_loop *loop, void *context)
{
	(void)loop;
	abt_function_refresh(context);
}

static void
on_changed(void *context)
{
	struct abt_watched *watched = context;
	struct abt_function *function = watched->function;

	abt_info(
	    "%s: files changed, its processes are replaced", function->name);
	abt_loops_run_on(
	    &watched->server->loops, function->home, refresh_on, function);
}

static void
watch_one(struct abt_server *server, struct abt_function *function)
{
	struct abt_watched *watched = &server->watched[server->watch_count];
	char root[4096], why[512];

	watched->server = server;
	watched->function = function;
	snprintf(root, sizeof(root), "%.*s", ABT_FMT(function->options.root));
	watched->watch = abt_watch_new(
	    server->loops.loop[0], root, on_changed, watched, why, sizeof(why));
	if (watched->watch == NULL)
		abt_error("cannot watch %s: %s", root, why);
	else
		server->watch_count++;
}

void
abt_server_watch(struct abt_server *server)
{
	struct abt_setup *setup = server->setup;
	size_t i;

	if (!setup->watch)
		return;
	server->watched =
	    abt_calloc(setup->function_count + 1, sizeof(*server->watched));
	if (server->watched == NULL)
		return;
	for (i = 0; i < setup->function_count; i++)
		if (setup->functions[i]->options.root.n > 0 &&
		    setup->functions[i]->backend->counted)
			watch_one(server, setup->functions[i]);
}

void
abt_server_unwatch(struct abt_server *server)
{
	size_t i;

	for (i = 0; i < server->watch_count; i++)
		abt_watch_free(server->watched[i].watch);
	abt_free(server->watched);
	server->watched = NULL;
	server->watch_count = 0;
}
