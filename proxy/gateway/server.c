/*
 * server.c - brings a setup to life and waits for its end
 *
 * Order of starting: the guard (before any thread or socket), sockets and
 * certificates (what the operator can mend, exit 2), loops, functions,
 * listeners, signals, then "ready".  The first loop runs on the main thread
 * and is the only one that hears signals.
 */
#include "gateway/server_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "function/process.h"

/* ---- the process ---- */

static void
prepare_process(void)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		abt_guard_keep_files(&limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* S8: no privilege to gain, no memory to read afterwards */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	if (geteuid() == 0)
		abt_warning("running as root: functions run as root too");
}

/* ---- signals ---- */

static void
on_end(evutil_socket_t signal, short what, void *context)
{
	(void)signal;
	(void)what;
	abt_server_drain(context);
}

static void
on_hangup(evutil_socket_t signal, short what, void *context)
{
	struct abt_server *server = context;

	(void)signal;
	(void)what;
	if (server->options->hangup_drains)
		abt_server_drain(server); /* the terminal was closed */
	else if (!server->draining)
		abt_server_reload(server);
}

static void
on_reopen(evutil_socket_t signal, short what, void *context)
{
	struct abt_server *server = context;

	(void)signal;
	(void)what;
	if (server->log != NULL)
		abt_access_log_reopen(server->log);
}

static void
listen_to_signals(struct abt_server *server)
{
	static const struct {
		int signal;
		event_callback_fn heard;
	} signals[] = {
		{ SIGTERM, on_end },
		{ SIGINT, on_end },
		{ SIGQUIT, on_end },
		{ SIGHUP, on_hangup },
		{ SIGUSR1, on_reopen },
	};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct event *event = &server->signals[i];

		event_assign(event, server->loops.loop[0]->base,
		    signals[i].signal, EV_SIGNAL | EV_PERSIST, signals[i].heard,
		    server);
		event_add(event, NULL);
		server->signal_count++;
	}
}

static void
ignore_signals(struct abt_server *server)
{
	while (server->signal_count > 0)
		event_del(&server->signals[--server->signal_count]);
}

/* ---- starting ---- */

static int
open_log(struct abt_server *server)
{
	char file[4096], why[512];

	if (server->setup->access_log.n == 0)
		return 0;
	snprintf(
	    file, sizeof(file), "%.*s", ABT_FMT(server->setup->access_log));
	server->log = abt_access_log_open(
	    file, server->setup->access_log_format, why, sizeof(why));
	if (server->log != NULL)
		return 0;
	abt_error("%s", why);
	return -1;
}

static int
attach_loops(struct abt_server *server)
{
	unsigned i;

	for (i = 0; i < server->loops.count; i++)
		if (abt_guard_attach(server->loops.loop[i]) != 0 ||
		    abt_gateway_attach(server->loops.loop[i], server->log,
			server->options->terminal,
			server->options->color) != 0) {
			abt_error("a loop cannot be made: memory or "
				  "descriptors ran out");
			return -1;
		}
	return 0;
}

/* 0, or the exit status. */
static int
start(struct abt_server *server)
{
	struct abt_setup *setup = server->setup;
	unsigned loops = abt_loops_count(setup->loops);
	char why[512];

	if (abt_guard_start(loops, why, sizeof(why)) != 0) {
		abt_error("%s", why);
		return 1;
	}
	if (abt_entrances_bind(&server->entrances, setup, loops) != 0 ||
	    open_log(server) != 0)
		return 2;
	abt_net_set_memory_max((uint64_t)setup->memory_max);
	if (abt_loops_new(&server->loops, loops) != 0) {
		abt_error("loops cannot be made: memory or descriptors ran "
			  "out");
		return 1;
	}
	if (attach_loops(server) != 0)
		return 1;
	if (abt_server_open_functions(server, setup, NULL) != 0)
		return 2;
	server->opened = true;
	if (abt_entrances_open(server, &server->entrances, setup) != 0)
		return 1;
	listen_to_signals(server);
	return abt_loops_start(&server->loops) == 0 ? 0 : 1;
}

static void
say_ready(struct abt_server *server)
{
	int fd = server->options->ready_fd;

	if (fd < 0)
		return;
	abt_entrances_print(&server->entrances, fd);
	/* who waits for it would wait for ever; the server itself is fine */
	if (dprintf(fd, "ready\n") < 0)
		abt_warning("cannot tell on standard output that all is ready: "
			    "%s",
		    strerror(errno));
}

/* ---- the end ---- */

static void
end(struct abt_server *server)
{
	unsigned i;

	ignore_signals(server);
	abt_loops_join(&server->loops);
	abt_guard_stop();
	for (i = 0; i < server->loops.count; i++)
		abt_gateway_detach(server->loops.loop[i]);
	abt_server_free_retired(server, true);
	abt_entrances_close(&server->entrances);
	abt_access_log_close(server->log);
	abt_loops_free(&server->loops);
}

int
abt_serve(struct abt_setup *setup, const struct abt_server_options *options)
{
	struct abt_server server = { .options = options, .setup = setup };
	size_t i;

	prepare_process();
	server.status = start(&server);
	if (server.status == 0) {
		abt_server_watch(&server);
		say_ready(&server);
		abt_memory_settle();
		abt_loop_run(server.loops.loop[0]);
	} else if (server.loops.started > 0) {
		abt_loops_stop(&server.loops);
	}
	/* Open ones cannot be freed: they end with us. */
	if (server.status != 0 && server.opened)
		for (i = 0; i < server.setup->function_count; i++)
			server.setup->functions[i] = NULL;
	end(&server);
	abt_setup_free(server.setup);
	return server.status;
}
