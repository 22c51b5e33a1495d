/*
 * server_private.h - what the files of the server share
 */
#ifndef ABT_GATEWAY_SERVER_PRIVATE_H
#define ABT_GATEWAY_SERVER_PRIVATE_H

#include "function/watch.h"
#include "gateway/access_log.h"
#include "gateway/gateway.h"
#include "gateway/server.h"
#include "gateway/server_loops.h"
#include "net/listener.h"

/* An address we accept on, in every loop. */
struct abt_entrance {
	struct abt_address address;
	struct abt_tls *tls;             /* NULL: plain */
	struct abt_front_door *doors;    /* one per loop */
	struct abt_listener **listeners; /* one per loop */
	const struct abt_setup_listener *setup;
	char ca_file[512]; /* of the self-signed certificate; "" */
};

struct abt_entrances {
	struct abt_entrance *items;
	size_t count;
};

/* A setup that was replaced, until nothing can look at it any more. */
struct abt_retired {
	struct abt_retired *next;
	struct abt_setup *setup;
	struct abt_entrances entrances; /* doors only */
	int64_t since_us;
};

struct abt_watched; /* server_functions.c */

struct abt_server {
	const struct abt_server_options *options;
	struct abt_setup *setup;
	struct abt_loops loops;
	struct abt_entrances entrances;
	struct abt_access_log *log;
	struct abt_watched *watched;
	size_t watch_count;
	struct abt_retired *retired;
	struct abt_timer retire_timer, drain_timer;
	struct event signals[8];
	unsigned signal_count;
	unsigned next_home;
	unsigned loops_busy, functions_open; /* while draining */
	bool draining, forced;
	bool opened; /* the functions are open */
	int status;
};

/* server_entrances.c */
int abt_entrances_bind(struct abt_entrances *entrances,
    const struct abt_setup *setup, unsigned loops);
int abt_entrances_open(struct abt_server *server,
    struct abt_entrances *entrances, struct abt_setup *setup);
void abt_entrances_close(struct abt_entrances *entrances);
/* Contexts for |listener|, self-signed or from files.  0 or -1 (logged). */
int abt_entrance_tls(
    struct abt_entrance *entrance, const struct abt_setup_listener *listener);
void abt_entrances_print(const struct abt_entrances *entrances, int fd);
void abt_entrance_options(struct abt_entrance *entrance,
    struct abt_setup *setup, unsigned loop, unsigned loops,
    struct abt_listener_options *options);

/* server_functions.c */
int abt_server_open_functions(
    struct abt_server *server, struct abt_setup *setup, struct abt_setup *old);
/* Close what stands in |setup|->functions; |done| is called on the first loop
 * for each, may be NULL. */
void abt_server_close_functions(struct abt_server *server,
    struct abt_setup *setup, void (*done)(struct abt_server *));
void abt_server_watch(struct abt_server *server);
void abt_server_unwatch(struct abt_server *server);

/* server_reload.c */
void abt_server_reload(struct abt_server *server);
void abt_server_free_retired(struct abt_server *server, bool all);

/* server_drain.c */
void abt_server_drain(struct abt_server *server);
void abt_server_force(struct abt_server *server);

#endif
