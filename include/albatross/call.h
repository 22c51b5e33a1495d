/*
 * call.h - a request at a front: everything an event is made of
 *
 * Facts that vary (time, ids, peer) come in through the call, so that every
 * event can be tested to the byte.  Nothing here asks a clock or for chance.
 */
#ifndef ALBATROSS_CALL_H
#define ALBATROSS_CALL_H

#include "albatross/http.h"
#include "albatross/option.h"

struct abt_dialect;
struct abt_routes;
struct abt_route;
struct abt_api_routes;

/* How a kind of front finds its functions. */
enum abt_routing {
	ABT_LISTENER_RULES, /* of an ALB */
	ABT_RESOURCE_TREE,  /* of a REST API */
	ABT_ROUTE_KEYS,     /* of an HTTP API */
	ABT_ONE_FUNCTION,   /* of a function URL */
};

/* What a front of API Gateway or a function URL has besides.  Read-only. */
struct abt_api {
	struct abt_bytes api_id;
	bool own_host_only; /* Hosts of AWS's form with another id are none of
			     * ours: set when the operator wrote the id */
	struct abt_bytes domain_name; /* in events; empty: Host as received */
	struct abt_bytes stage;       /* "dev", "$default" */
	bool stage_in_path;           /* the first segment is the stage */
	struct abt_bytes base_path;   /* of a custom domain: "/base"; empty */
	struct abt_map stage_variables;
	struct abt_bytes deployment_id; /* of REST */
	const struct abt_api_routes *routes;
	int64_t timeout_ms;          /* of the integration; 0: none */
	bool timeout_is_set;         /* by the operator: for streams, too */
	int64_t stream_idle_ms;      /* between pieces; 0: no limit */
	struct abt_bytes log_format; /* $context variables; empty: none */
};

/* A configured front door.  Read-only once the setup is made. */
struct abt_front {
	struct abt_bytes name;
	uint64_t id; /* made from the name: part of ARNs and log lines */
	const struct abt_dialect *dialect;
	const void *attributes;    /* of the dialect: its own struct */
	bool limits_off;           /* "limits": "off" */
	struct abt_bytes dns_name; /* Host of an HTTP/1.0 request without one */
	struct abt_bytes region, account;
	const struct abt_routes *routes; /* of an ALB */
	const struct abt_api *api;       /* NULL: an ALB */
	struct abt_policy policy;        /* made from the attributes */
	bool explain;
};

/* Where routing led. */
enum abt_action {
	ABT_FORWARD,
	ABT_REDIRECT,
	ABT_FIXED_RESPONSE,
	ABT_MOCK, /* a REST method that answers by itself */
};

struct abt_match {
	const struct abt_route *route; /* NULL: the default of an empty front */
	enum abt_action action;
	int priority;         /* of the rule; 0: default (access log) */
	const void *function; /* what to invoke; opaque below floor 5 */
	struct abt_bytes target_group_arn;
	/* of API Gateway fronts */
	struct abt_bytes route_key;   /* "GET /pets/{id}", "$default" */
	struct abt_bytes resource;    /* "/pets/{id}", "$default" */
	struct abt_bytes resource_id; /* of REST: six of [a-z0-9] */
	struct abt_bytes path;        /* raw, behind stage and base path */
	struct abt_pair *params;      /* path parameters, values raw */
	size_t param_count;
	const void *method; /* of REST: validation and mock, the dialect's */
};

/* What a client's certificate says, as AWS writes it (apigw.md 1.2.1). */
struct abt_client_cert {
	struct abt_bytes pem, subject, issuer;
	struct abt_bytes serial;                /* "0a:1b:..." */
	struct abt_bytes not_before, not_after; /* "May 28 12:30:02 2019 GMT" */
};

/* What the world adds: fixed in tests, real in the server (gateway/facts.c). */
struct abt_facts {
	int64_t epoch_us;         /* when the request came */
	struct abt_bytes peer_ip; /* as text, IPv6 without brackets */
	unsigned peer_port;
	unsigned listener_port;
	struct abt_bytes listener_ip; /* empty: not known, a unix socket */
	bool tls;
	struct abt_bytes tls_version, tls_cipher; /* OpenSSL's names */
	struct abt_bytes sni;
	const struct abt_client_cert *client_cert; /* NULL: none was shown */
	/* for ids: 12 trace or Self id, 8 parent, 12 free, 12 extended id */
	unsigned char random[44];
	char request_id[37];   /* UUID v4, NUL-terminated */
	struct abt_bytes date; /* IMF-fixdate of the response */
};

struct abt_call {
	const struct abt_request *request;
	const struct abt_front *front;
	struct abt_match match;
	struct abt_facts facts;
	struct abt_arena *arena;
	/* Made while the event is written, for Lambda and the log. */
	struct abt_bytes trace_id;     /* X-Amzn-Trace-Id, as sent on */
	struct abt_bytes invoke_trace; /* Root, Parent, Sampled */
	/* The result's bytes are the call's own and nobody reads them again: a
	 * body is decoded in its place, while it is in the cache. */
	bool result_is_ours;
};

/* Where to decode base64 |text| of the result; NULL: the arena remembers. */
static inline char *
abt_call_room(const struct abt_call *call, struct abt_bytes text)
{
	return call->result_is_ours
		   ? (char *)(uintptr_t)text.p
		   : abt_arena_alloc(call->arena, text.n / 4 * 3 + 3);
}

#endif
