/*
 * client_lookup.c - outgoing HTTP/1.1: addresses of names
 *
 * A thread for each name that is looked up, because nothing but getaddrinfo
 * reads /etc/hosts, nsswitch.conf and search domains as the rest of the machine
 * does, and it blocks.  Lookups are rare: a server's addresses are believed for
 * a while, and only one lookup of a name is under way.
 */
#include "net/client_private.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>

#include "net/mail.h"

#define STACK 262144

struct abt_client_lookup {
	struct abt_mail letter;
	pthread_mutex_t lock;
	struct abt_loop *loop;            /* NULL: forgotten */
	struct abt_client_target *target; /* of the loop only */
	bool posted;
	char host[256], port[8];
	struct abt_client_address addresses[ABT_ADDRESSES_MAX];
	unsigned address_count;
	char why[160];
};

static void
end_lookup(struct abt_client_lookup *lookup)
{
	pthread_mutex_destroy(&lookup->lock);
	abt_free(lookup);
}

/* On the loop. */
static void
deliver(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_client_lookup *lookup =
	    abt_container_of(letter, struct abt_client_lookup, letter);
	struct abt_client_target *target = lookup->target;

	(void)loop;
	/* Its thread may not have left yet. */
	pthread_mutex_lock(&lookup->lock);
	pthread_mutex_unlock(&lookup->lock);
	if (target != NULL) {
		memcpy(target->addresses, lookup->addresses,
		    sizeof(target->addresses));
		target->address_count = lookup->address_count;
		abt_client_resolved(target, lookup->why);
	}
	end_lookup(lookup);
}

static void
ask_system(struct abt_client_lookup *lookup)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };
	struct addrinfo *found = NULL, *at;
	int rc = getaddrinfo(lookup->host, lookup->port, &hints, &found);

	if (rc != 0) {
		snprintf(lookup->why, sizeof(lookup->why),
		    "cannot look its name up: %s", gai_strerror(rc));
		return;
	}
	for (at = found; at != NULL; at = at->ai_next) {
		struct abt_client_address *address =
		    &lookup->addresses[lookup->address_count];

		if (at->ai_addrlen > sizeof(address->at) ||
		    lookup->address_count == ABT_ADDRESSES_MAX)
			continue;
		memcpy(&address->at, at->ai_addr, at->ai_addrlen);
		address->size = at->ai_addrlen;
		lookup->address_count++;
	}
	freeaddrinfo(found);
	if (lookup->address_count == 0)
		snprintf(lookup->why, sizeof(lookup->why),
		    "its name has no address");
}

/* A thread of its own. */
static void *
run(void *arg)
{
	struct abt_client_lookup *lookup = arg;
	bool forgotten;

	ask_system(lookup);
	pthread_mutex_lock(&lookup->lock);
	forgotten = lookup->loop == NULL;
	lookup->posted = !forgotten;
	if (!forgotten)
		abt_mail_send(lookup->loop, &lookup->letter);
	pthread_mutex_unlock(&lookup->lock);
	if (forgotten)
		end_lookup(lookup);
	return NULL;
}

static int
start_thread(struct abt_client_lookup *lookup)
{
	pthread_attr_t how;
	pthread_t thread;
	int rc;

	if (pthread_attr_init(&how) != 0)
		return -1;
	pthread_attr_setstacksize(&how, STACK);
	pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &how, run, lookup);
	pthread_attr_destroy(&how);
	return rc == 0 ? 0 : -1;
}

static struct abt_client_lookup *
begin(struct abt_client_target *target)
{
	struct abt_client_lookup *lookup = abt_calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return NULL;
	lookup->letter.deliver = deliver;
	lookup->loop = target->client->loop;
	lookup->target = target;
	memcpy(lookup->host, target->host, sizeof(lookup->host));
	memcpy(lookup->port, target->port, sizeof(lookup->port));
	if (pthread_mutex_init(&lookup->lock, NULL) != 0) {
		abt_free(lookup);
		return NULL;
	}
	if (start_thread(lookup) != 0) {
		end_lookup(lookup);
		return NULL;
	}
	return lookup;
}

static void
forget(struct abt_client_lookup *lookup)
{
	pthread_mutex_lock(&lookup->lock);
	if (!lookup->posted)
		lookup->loop = NULL; /* the thread frees it */
	lookup->target = NULL;
	pthread_mutex_unlock(&lookup->lock);
}

const struct abt_client_resolver abt_client_resolver = {
	.begin = begin,
	.forget = forget,
};
