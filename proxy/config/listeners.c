/*
 * listeners.c - "listeners" of the file become listeners of the setup
 *
 * Files are looked for here, so that a missing one is told with the line that
 * names it; what is in them is judged when they are used.
 */
#include "config/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "route/route.h"

struct listener_options {
	struct abt_bytes address, front;
	struct abt_map hosts;
	const struct abt_json *tls;
	struct abt_list proxy_protocol;
};

struct certificate_options {
	struct abt_bytes certificate, key;
};

#define AT(member) offsetof(struct listener_options, member)

const struct abt_option abt_listener_option_rows[] = {
	{ .name = "address",
	    .kind = ABT_STRING,
	    .offset = AT(address),
	    .help = "where to listen: \"127.0.0.1:8080\", \"[::1]:8080\", "
		    "\"unix:/path\"; port 0 is any free one",
	    .flags = ABT_OPTION_REQUIRED },
	{ .name = "front",
	    .kind = ABT_STRING,
	    .offset = AT(front),
	    .help = "the front it leads to; may be left out when there is one "
		    "front" },
	{ .name = "hosts",
	    .kind = ABT_MAP,
	    .offset = AT(hosts),
	    .help = "other fronts by the request's host, like { "
		    "\"*.api.localhost\": \"api\" }; the first that fits" },
	{ .name = "tls",
	    .kind = ABT_JSON,
	    .offset = AT(tls),
	    .argument = "true, object or list of objects",
	    .help = "true for a self-signed certificate, or an object or list "
		    "of objects of certificate and key" },
	{ .name = "proxy_protocol",
	    .kind = ABT_LIST,
	    .offset = AT(proxy_protocol),
	    .help = "the addresses (CIDR) of senders that begin with a PROXY "
		    "line" },
	ABT_OPTIONS_END,
};

const struct abt_option abt_certificate_option_rows[] = {
	{ .name = "certificate",
	    .kind = ABT_PATH,
	    .offset = offsetof(struct certificate_options, certificate),
	    .help = "PEM file of the certificate, then its chain",
	    .flags = ABT_OPTION_REQUIRED },
	{ .name = "key",
	    .kind = ABT_PATH,
	    .offset = offsetof(struct certificate_options, key),
	    .help = "PEM file of its private key",
	    .flags = ABT_OPTION_REQUIRED },
	ABT_OPTIONS_END,
};

/* An address inside brackets, or a name or address without them. */
static bool
host_looks_right(struct abt_bytes host)
{
	unsigned char address[16];
	char copy[INET6_ADDRSTRLEN];

	if (abt_bytes_equal(host, ABT_BYTES("localhost")) ||
	    abt_bytes_equal(host, ABT_BYTES("*")))
		return true;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = abt_bytes(host.p + 1, host.n - 2);
	if (host.n == 0 || host.n >= sizeof copy)
		return false;
	memcpy(copy, host.p, host.n);
	copy[host.n] = '\0';
	return inet_pton(AF_INET, copy, address) == 1 ||
	       inet_pton(AF_INET6, copy, address) == 1;
}

bool
abt_address_looks_right(struct abt_bytes text)
{
	struct abt_bytes port;
	uint64_t number;
	size_t i = text.n;

	if (abt_bytes_starts(text, ABT_BYTES("unix:")))
		return text.n > strlen("unix:");
	while (i > 0 && text.p[i - 1] != ':')
		i--;
	if (i < 2)
		return false;
	port = abt_bytes(text.p + i, text.n - i);
	return abt_bytes_number(port, 10, 65535, &number) &&
	       host_looks_right(abt_bytes(text.p, i - 1));
}

/* A socket's path is relative to the file like any other. */
static struct abt_bytes
whole_address(struct abt_source *source, struct abt_bytes address)
{
	struct abt_bytes path;

	if (!abt_bytes_starts(address, ABT_BYTES("unix:")))
		return address;
	path = abt_schema_path(source, abt_bytes(address.p + 5, address.n - 5));
	return abt_arena_printf(source->arena, "unix:%.*s", ABT_FMT(path));
}

static struct abt_front *
find_front(struct abt_source *source, const struct abt_json *at,
    struct abt_bytes name, struct abt_setup *setup, const struct abt_json *all)
{
	const char **names, *nearest = NULL;
	size_t count = 0;

	if (name.n == 0 && setup->front_count == 1)
		return &setup->fronts[0];
	for (size_t i = 0; i < setup->front_count; i++)
		if (abt_bytes_equal(name, setup->fronts[i].name))
			return &setup->fronts[i];
	/* A front with errors of its own was told already. */
	if (abt_json_is(all, ABT_JSON_OBJECT) &&
	    (name.n == 0 ? all->count == 1
			 : abt_json_get_bytes(all, name) != NULL))
		return NULL;
	if (name.n == 0) {
		abt_complain(source, at,
		    "\"front\" is missing, and there are several fronts");
		return NULL;
	}
	names =
	    abt_arena_array(source->arena, setup->front_count, sizeof *names);
	for (; names != NULL && count < setup->front_count; count++)
		names[count] =
		    abt_arena_text(source->arena, setup->fronts[count].name);
	if (names != NULL && !abt_arena_failed(source->arena))
		nearest = abt_schema_nearest(name, names, count);
	if (nearest != NULL)
		abt_complain(source, at,
		    "there is no front \"%.*s\", did you mean \"%s\"?",
		    ABT_FMT(name), nearest);
	else
		abt_complain(source, at,
		    "there is no front \"%.*s\"; describe it in \"fronts\"",
		    ABT_FMT(name));
	return NULL;
}

static const char *
find_file(
    struct abt_source *source, const struct abt_json *at, struct abt_bytes path)
{
	const char *name = abt_arena_text(source->arena, path);

	if (name != NULL && access(name, R_OK) != 0)
		abt_complain(
		    source, at, "cannot open %s: %s", name, strerror(errno));
	return name;
}

static void
add_certificate(struct abt_source *source, const struct abt_json *value,
    struct abt_setup_listener *listener)
{
	struct abt_certificate *certificate =
	    &listener->certificates[listener->certificate_count];
	struct certificate_options options = { 0 };

	if (abt_schema_read(source, value, abt_certificate_option_rows, NULL,
		&options) != 0)
		return;
	certificate->certificate = find_file(
	    source, abt_json_get(value, "certificate"), options.certificate);
	certificate->key =
	    find_file(source, abt_json_get(value, "key"), options.key);
	listener->certificate_count++;
}

static void
read_tls(struct abt_source *source, const struct abt_json *tls,
    struct abt_setup_listener *listener)
{
	if (tls == NULL || tls->kind == ABT_JSON_FALSE)
		return;
	listener->tls = true;
	if (tls->kind == ABT_JSON_TRUE)
		return;
	if (tls->kind != ABT_JSON_OBJECT &&
	    (tls->kind != ABT_JSON_ARRAY || tls->count == 0)) {
		abt_complain(source, tls,
		    "\"tls\" must be true, { \"certificate\": ..., \"key\": "
		    "... } or a list of these, but here is %s",
		    tls->count == 0 && tls->kind == ABT_JSON_ARRAY
			? "an empty one"
			: abt_json_kind_name(tls->kind));
		return;
	}
	listener->certificates = abt_arena_array(source->arena,
	    (size_t)tls->count + 1, sizeof *listener->certificates);
	if (listener->certificates == NULL)
		return;
	if (tls->kind == ABT_JSON_OBJECT) {
		add_certificate(source, tls, listener);
		return;
	}
	for (const struct abt_json *v = tls->first; v != NULL; v = v->next)
		add_certificate(source, v, listener);
}

static void
read_sources(struct abt_source *source, const struct abt_json *at,
    const struct abt_list *list, struct abt_setup_listener *listener)
{
	if (at == NULL)
		return;
	if (list->count == 0)
		abt_complain(source, at,
		    "\"proxy_protocol\" trusts nobody; list addresses like "
		    "\"127.0.0.1/32\", or leave it out");
	listener->proxy_sources = abt_arena_array(
	    source->arena, list->count, sizeof *listener->proxy_sources);
	if (listener->proxy_sources == NULL)
		return;
	for (size_t i = 0; i < list->count; i++) {
		const struct abt_json *item =
		    at->kind == ABT_JSON_ARRAY ? abt_json_at(at, i) : at;

		if (!abt_cidr_parse(
			list->items[i], &listener->proxy_sources[i]))
			abt_complain(source, item,
			    "\"%.*s\" is no range of addresses; write "
			    "\"10.0.0.0/8\" or \"::1/128\", without bits "
			    "behind the mask",
			    ABT_FMT(list->items[i]));
	}
	listener->proxy_source_count = list->count;
}

/* An ALB refuses a redirect from HTTPS to HTTP (alb.md 6.3). */
static void
check_redirects(struct abt_source *source, const struct abt_json *at,
    const struct abt_setup_listener *listener)
{
	const struct abt_routes *routes = listener->front->routes;

	if (!listener->tls || listener->front->limits_off)
		return;
	for (size_t i = 0; i < routes->count; i++)
		if (routes->routes[i].action == ABT_REDIRECT &&
		    abt_bytes_equal(routes->routes[i].redirect.protocol,
			ABT_BYTES("HTTP"))) {
			abt_complain(source, at,
			    "a rule of the front redirects from HTTPS to HTTP, "
			    "which an ALB refuses");
			return;
		}
}

static void
check_address(struct abt_source *source, const struct abt_json *at,
    struct abt_bytes address, const struct abt_setup *setup)
{
	if (!abt_address_looks_right(address)) {
		abt_complain(source, at,
		    "\"%.*s\" is no address; write \"127.0.0.1:8080\", "
		    "\"[::1]:8080\" or \"unix:/path\"",
		    ABT_FMT(address));
		return;
	}
	if (abt_bytes_ends(address, ABT_BYTES(":0")))
		return;
	for (size_t i = 0; i < setup->listener_count; i++)
		if (abt_bytes_equal(setup->listeners[i].address, address))
			abt_complain(source, at,
			    "two listeners have the address \"%.*s\"",
			    ABT_FMT(address));
}

static size_t
larger(size_t a, size_t b)
{
	return a == 0 || b == 0 ? 0 : a > b ? a : b; /* 0: no limit */
}

/* Let through what |more| lets through: the head is read before anyone knows
 * for whom it is.  Bodies are judged by the front's own limit. */
static void
widen(struct abt_policy *policy, const struct abt_policy *more)
{
	if (more->mode < policy->mode)
		policy->mode = more->mode;
	policy->any_path |= more->any_path;
	policy->line_max = larger(policy->line_max, more->line_max);
	policy->field_max = larger(policy->field_max, more->field_max);
	policy->head_max = larger(policy->head_max, more->head_max);
	policy->fields_max = larger(policy->fields_max, more->fields_max);
}

static void
read_hosts(struct abt_source *source, const struct abt_json *at,
    const struct abt_map *map, const struct abt_json *fronts,
    struct abt_setup *setup, struct abt_setup_listener *listener)
{
	struct abt_arena *arena = source->arena;

	if (map->count == 0 || listener->front == NULL)
		return;
	listener->hosts =
	    abt_arena_array(arena, map->count, sizeof *listener->hosts);
	listener->policy = abt_arena_zero(arena, sizeof *listener->policy);
	if (listener->hosts == NULL || listener->policy == NULL)
		return; /* the loader asks the arena */
	*listener->policy = listener->front->policy;
	for (size_t i = 0; i < map->count; i++) {
		struct abt_host_front *host =
		    &listener->hosts[listener->host_count];
		const struct abt_json *place =
		    abt_json_get_bytes(at, map->pairs[i].name);

		host->host = map->pairs[i].name;
		host->front = find_front(
		    source, place, map->pairs[i].value, setup, fronts);
		if (host->front == NULL)
			continue;
		widen(listener->policy, &host->front->policy);
		listener->host_count++;
	}
}

static void
read_listener(struct abt_source *source, const struct abt_json *value,
    const struct abt_json *fronts, struct abt_setup *setup)
{
	struct abt_setup_listener *listener =
	    &setup->listeners[setup->listener_count];
	const struct abt_json *place;
	struct listener_options options = { 0 };

	if (abt_schema_read(
		source, value, abt_listener_option_rows, NULL, &options) != 0)
		return;
	listener->address = whole_address(source, options.address);
	check_address(
	    source, abt_json_get(value, "address"), listener->address, setup);
	place = abt_json_get(value, "front");
	listener->front = find_front(source, place != NULL ? place : value,
	    options.front, setup, fronts);
	read_hosts(source, abt_json_get(value, "hosts"), &options.hosts, fronts,
	    setup, listener);
	read_tls(source, options.tls, listener);
	read_sources(source, abt_json_get(value, "proxy_protocol"),
	    &options.proxy_protocol, listener);
	if (listener->front != NULL)
		check_redirects(source, value, listener);
	setup->listener_count++;
}

int
abt_listeners_read(struct abt_source *source, const struct abt_json *root,
    struct abt_setup *setup)
{
	const struct abt_json *all = abt_json_get(root, "listeners");
	unsigned before = source->errors;

	if (!abt_json_is(all, ABT_JSON_ARRAY) || all->count == 0) {
		abt_complain(source, all != NULL ? all : root,
		    "\"listeners\" must be a list with at least one: "
		    "{ \"address\": \"127.0.0.1:8080\" }");
		return -1;
	}
	setup->listeners = abt_arena_array(
	    source->arena, all->count, sizeof *setup->listeners);
	if (setup->listeners == NULL) {
		abt_complain(source, NULL, "out of memory");
		return -1;
	}
	for (const struct abt_json *v = all->first; v != NULL; v = v->next)
		read_listener(source, v, abt_json_get(root, "fronts"), setup);
	return source->errors == before ? 0 : -1;
}
