/*
 * server_entrances.c - the addresses of a setup: bound before anything starts,
 * opened in every loop
 */
#include "gateway/server_private.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static int
bind_one(struct abt_entrance *entrance,
    const struct abt_setup_listener *listener, unsigned loops)
{
	char text[256], why[512];

	entrance->setup = listener;
	snprintf(text, sizeof(text), "%.*s", ABT_FMT(listener->address));
	if (abt_address_bind(
		&entrance->address, text, loops, why, sizeof(why)) != 0) {
		abt_error("%s", why);
		return -1;
	}
	return 0;
}

int
abt_entrance_tls(
    struct abt_entrance *entrance, const struct abt_setup_listener *listener)
{
	struct abt_certificate self;
	char cert[512], key[512], why[512];
	struct abt_tls *tls;

	if (!listener->tls)
		return 0;
	if (listener->certificate_count > 0) {
		tls = abt_tls_new(listener->certificates,
		    listener->certificate_count, why, sizeof(why));
	} else {
		if (abt_tls_self_signed(
			cert, key, sizeof(cert), why, sizeof(why)) != 0) {
			abt_error("%s", why);
			return -1;
		}
		self = (struct abt_certificate){ cert, key };
		tls = abt_tls_new(&self, 1, why, sizeof(why));
		snprintf(
		    entrance->ca_file, sizeof(entrance->ca_file), "%s", cert);
	}
	if (tls == NULL) {
		abt_error("%s", why);
		return -1;
	}
	if (entrance->tls != NULL)
		abt_tls_free(entrance->tls);
	entrance->tls = tls;
	return 0;
}

int
abt_entrances_bind(struct abt_entrances *entrances,
    const struct abt_setup *setup, unsigned loops)
{
	size_t i;

	entrances->count = 0;
	entrances->items =
	    abt_calloc(setup->listener_count + 1, sizeof(*entrances->items));
	if (entrances->items == NULL)
		return -1;
	for (i = 0; i < setup->listener_count; i++) {
		struct abt_entrance *entrance = &entrances->items[i];

		if (bind_one(entrance, &setup->listeners[i], loops) != 0)
			return -1;
		entrances->count++;
		if (abt_entrance_tls(entrance, &setup->listeners[i]) != 0)
			return -1;
	}
	return 0;
}

void
abt_entrance_options(struct abt_entrance *entrance, struct abt_setup *setup,
    unsigned loop, unsigned loops, struct abt_listener_options *options)
{
	const struct abt_setup_listener *listener = entrance->setup;
	struct abt_front_door *door = &entrance->doors[loop];

	door->setup = setup;
	door->listener = listener;
	door->messages = abt_setup_takes_messages(setup);
	*options = (struct abt_listener_options){
		.handler = &abt_gateway,
		.owner = door,
		.policy = listener->policy != NULL ? listener->policy
						   : &listener->front->policy,
		.tls = entrance->tls,
		.proxy_sources = listener->proxy_sources,
		.proxy_source_count = listener->proxy_source_count,
		.conns_max = setup->conns_max / loops,
	};
	if (setup->conns_max > 0 && options->conns_max == 0)
		options->conns_max = 1;
}

struct opening {
	struct abt_entrance *entrance;
	struct abt_listener_options options;
	bool failed;
};

static void
open_on(struct abt_loop *loop, void *context)
{
	struct opening *opening = context;
	struct abt_entrance *entrance = opening->entrance;
	int fd = entrance->address.fds[loop->index];

	entrance->listeners[loop->index] =
	    abt_listener_new(loop, fd, &opening->options);
	if (entrance->listeners[loop->index] == NULL)
		opening->failed = true;
	else
		entrance->address.fds[loop->index] = -1;
}

static int
open_one(struct abt_server *server, struct abt_entrance *entrance,
    struct abt_setup *setup)
{
	unsigned i, count = server->loops.count;

	entrance->doors = abt_calloc(count, sizeof(*entrance->doors));
	entrance->listeners = abt_calloc(count, sizeof(*entrance->listeners));
	if (entrance->doors == NULL || entrance->listeners == NULL)
		return -1;
	for (i = 0; i < count; i++) {
		struct opening opening = { .entrance = entrance };

		abt_entrance_options(
		    entrance, setup, i, count, &opening.options);
		abt_loops_run_on(
		    &server->loops, server->loops.loop[i], open_on, &opening);
		if (opening.failed)
			return -1;
	}
	return 0;
}

int
abt_entrances_open(struct abt_server *server, struct abt_entrances *entrances,
    struct abt_setup *setup)
{
	size_t i;

	for (i = 0; i < entrances->count; i++)
		if (open_one(server, &entrances->items[i], setup) != 0) {
			abt_error("cannot listen on %s: memory ran out",
			    entrances->items[i].address.url_host);
			return -1;
		}
	return 0;
}

void
abt_entrances_close(struct abt_entrances *entrances)
{
	size_t i;

	for (i = 0; i < entrances->count; i++) {
		struct abt_entrance *entrance = &entrances->items[i];

		abt_address_close(&entrance->address);
		if (entrance->tls != NULL)
			abt_tls_free(entrance->tls);
		abt_free(entrance->doors);
		abt_free(entrance->listeners);
	}
	abt_free(entrances->items);
	entrances->items = NULL;
	entrances->count = 0;
}

/* "listening URL" for each address, for scripts. */
/* Nobody knows the self-signed certificate yet: how to. */
static void
print_trust(const struct abt_entrance *entrance)
{
	const char *host = entrance->address.url_host;

	if (entrance->address.is_unix)
		return;
	/* The certificate is for localhost, whatever address it serves. */
	if (strncmp(host, "127.0.0.1:", 10) != 0 &&
	    strncmp(host, "[::1]:", 6) != 0)
		abt_info("try: curl --cacert %s https://localhost:%u/",
		    entrance->ca_file, entrance->address.port);
	else
		abt_info("try: curl --cacert %s https://%s/", entrance->ca_file,
		    host);
}

void
abt_entrances_print(const struct abt_entrances *entrances, int fd)
{
	size_t i;

	for (i = 0; i < entrances->count; i++) {
		const struct abt_entrance *entrance = &entrances->items[i];
		const char *scheme = entrance->tls != NULL ? "https" : "http";

		if (entrance->address.is_unix)
			dprintf(fd, "listening %.*s\n",
			    ABT_FMT(entrance->setup->address));
		else
			dprintf(fd, "listening %s://%s\n", scheme,
			    entrance->address.url_host);
		if (entrance->ca_file[0] != '\0')
			print_trust(entrance);
	}
}
