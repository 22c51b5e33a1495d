/*
 * setup.h - the plain struct that configuration becomes
 *
 * Made by config/ or the command line, read-only afterwards.  Everything in it
 * lives in its arena, but for the functions, which carry their own.
 */
#ifndef ABT_GATEWAY_SETUP_H
#define ABT_GATEWAY_SETUP_H

#include "albatross/call.h"
#include "function/function.h"
#include "net/tls.h"
#include "route/cidr.h"

/* The front of requests for a host. */
struct abt_host_front {
	struct abt_bytes host; /* with * and ? as in listener rules */
	struct abt_front *front;
};

struct abt_setup_listener {
	struct abt_bytes address; /* "127.0.0.1:8080", "unix:/path" */
	struct abt_front *front;  /* of hosts that are not named below */
	struct abt_host_front *hosts;
	size_t host_count;
	/* With hosts: what all their fronts let through; NULL: the front's. */
	struct abt_policy *policy;
	bool tls; /* with certificates below, or self-signed */
	struct abt_certificate *certificates;
	size_t certificate_count; /* 0 with tls: the self-signed one */
	struct abt_cidr *proxy_sources;
	size_t proxy_source_count;
};

enum abt_log_format {
	ABT_ACCESS_ALB,
	ABT_ACCESS_JSON,
};

struct abt_setup {
	struct abt_arena arena;
	struct abt_setup_listener *listeners;
	size_t listener_count;
	struct abt_front *fronts;
	size_t front_count;
	struct abt_function **functions;
	size_t function_count;
	struct abt_bytes access_log; /* file; empty: none */
	enum abt_log_format access_log_format;
	bool explain; /* x-albatross-rule and pages for people */
	bool watch;
	unsigned loops; /* 0: one per CPU, at most 16 */
	int64_t drain_ms;
	int64_t memory_max; /* bodies and results, all connections together */
	unsigned conns_max;
	int log_level; /* enum abt_log_level of base/log.h */
	bool log_json;
	struct abt_bytes file; /* where it came from; empty: command line */
};

/* NULL: no memory. */
struct abt_setup *abt_setup_new(void);
/* Frees the functions that still stand in |functions|: they must not be open.
 * An entry that was handed to another setup or is being closed is NULL. */
void abt_setup_free(struct abt_setup *setup);

/* The function that is called |name|, or NULL. */
struct abt_function *abt_setup_function(
    const struct abt_setup *setup, struct abt_bytes name);

/* Does one of its functions take requests itself? */
bool abt_setup_takes_messages(const struct abt_setup *setup);

#endif
