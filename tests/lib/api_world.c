/*
 * api_world.c - what a case of apigw.md 12 sets up
 *
 * Configuration is not read from a file here but made by hand, as the contract
 * of the cases has it: the same structs, other ways to them.
 */
#include "lib/api_world.h"

#include <stdio.h>

#include "config/schema.h"

#define API_ID   "abcde12345"
#define URL_ID   "2cxn22odiwguak4feg4jtt7cwm0ziblr"
#define EPOCH_US INT64_C(1700000000000000)

static const struct kind {
	const char *area, *dialect, *stage, *route, *path;
} kinds[] = {
	{ "rest", "rest", "dev", "ANY /{proxy+}", "/dev/x" },
	{ "http1", "http-1.0", "$default", "$default", "/x" },
	{ "http2", "http-2.0", "$default", "$default", "/x" },
	{ "url", "url", "$default", NULL, "/" },
};

/* For a dialect that has no area of the contract: by its routing. */
static const struct kind *
kind_like(const struct abt_dialect *dialect)
{
	switch (dialect->routing) {
	case ABT_RESOURCE_TREE:
		return &kinds[0];
	case ABT_ROUTE_KEYS:
		return &kinds[2];
	default:
		return &kinds[3];
	}
}

static const struct kind *
kind_of(const struct abt_json *c)
{
	struct abt_bytes area = abt_case_area(c);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (abt_bytes_equal(area, abt_bytes_text(kinds[i].area)))
			return &kinds[i];
	return NULL;
}

static struct abt_bytes
text_of(const struct abt_json *c, const char *key, const char *preset)
{
	const struct abt_json *value = abt_json_get(c, key);

	return abt_json_is(value, ABT_JSON_STRING) ? value->text
						   : abt_bytes_text(preset);
}

static uint64_t
number_of(const struct abt_json *c, const char *key, uint64_t preset)
{
	uint64_t n = preset;

	(void)abt_json_uint(
	    c != NULL ? abt_json_get(c, key) : NULL, UINT32_MAX, &n);
	return n;
}

static const struct abt_json *
config_of(const struct abt_json *c, const char *key)
{
	const struct abt_json *config = abt_json_get(c, "config");

	return config != NULL ? abt_json_get(config, key) : NULL;
}

/* One character per byte: what is written as UTF-8 was Latin-1. */
static struct abt_bytes
latin1(struct abt_api_world *w, struct abt_bytes text)
{
	char *out = abt_arena_alloc(&w->arena, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char byte = (unsigned char)text.p[i];

		if (byte >= 0xc2 && byte <= 0xc3 && i + 1 < text.n)
			byte = (unsigned char)((byte & 3) << 6 |
					       ((unsigned char)text.p[++i] &
						   0x3f));
		out[n++] = (char)byte;
	}
	return abt_bytes(out, n);
}

static void
complain(void *context, const char *sentence)
{
	abt_fault_add(context, "%s", sentence);
}

/* ---- routes ---- */

static void
add_route(
    struct abt_api_world *w, struct abt_bytes key, struct abt_fault *fault)
{
	static const int function; /* only its address is needed */
	struct abt_api_route *route = &w->route[w->routes.count];
	char why[256] = "";

	if (w->routes.count == ABT_API_WORLD_ROUTES ||
	    (w->routes.routing != ABT_ONE_FUNCTION &&
		abt_api_route_parse(key, w->routes.routing, &w->arena, route,
		    why, sizeof(why)) != 0)) {
		abt_fault_add(fault, "the route %.*s %s", ABT_FMT(key), why);
		return;
	}
	w->routes.count++;
	route->action = w->method.responses != NULL ? ABT_MOCK : ABT_FORWARD;
	route->function = &function;
	route->setup = &w->method;
}

static void
set_routes(struct abt_api_world *w, const struct abt_json *c,
    const struct kind *kind, struct abt_fault *fault)
{
	const struct abt_json *all = config_of(c, "routes");
	const struct abt_json *one = abt_json_get(c, "route");

	w->routes.routes = w->route;
	w->routes.routing = w->front.dialect->routing;
	w->api.routes = &w->routes;
	for (all = all != NULL ? all->first : NULL; all != NULL;
	     all = all->next)
		add_route(w, all->text, fault);
	if (abt_json_is(one, ABT_JSON_STRING))
		add_route(w, one->text, fault);
	else if (w->routes.count == 0)
		add_route(w, abt_bytes_text(kind->route), fault);
	if (w->routes.routing != ABT_ONE_FUNCTION)
		abt_api_routes_sort(&w->routes);
}

static bool
flag_of(const struct abt_json *c, const char *key)
{
	return abt_json_is(config_of(c, key), ABT_JSON_TRUE);
}

static void
set_method(struct abt_api_world *w, const struct abt_json *c)
{
	const struct abt_json *mock = config_of(c, "mock");

	w->method.parameters = config_of(c, "requestParameters");
	w->method.models = config_of(c, "models");
	w->method.validate_parameters = flag_of(c, "validateRequestParameters");
	w->method.validate_body = flag_of(c, "validateRequestBody");
	if (mock != NULL) {
		w->method.templates = abt_json_get(mock, "requestTemplates");
		w->method.responses = abt_json_get(mock, "responses");
	}
}

/* ---- attributes ---- */

static const struct abt_option *
row_of(const struct abt_option *rows, struct abt_bytes name)
{
	while (rows->name != NULL &&
	       !abt_bytes_equal_nocase(abt_bytes_text(rows->name), name))
		rows++;
	return rows->name != NULL ? rows : NULL;
}

/* |value| of the configuration by its row; cases write CORS keys with a small
 * first letter. */
static void
set_attribute(struct abt_source *source, const struct abt_option *rows,
    struct abt_bytes name, const struct abt_json *value, void *self)
{
	const struct abt_option *row = row_of(rows, name);

	if (row == NULL) {
		abt_fault_add(source->context,
		    "no attribute is called \"%.*s\"", ABT_FMT(name));
		return;
	}
	if (row->kind != ABT_TABLE) {
		(void)abt_schema_value(source, row, value, self);
		return;
	}
	for (value = value->first; value != NULL; value = value->next)
		set_attribute(source, row->table, value->key, value,
		    (char *)self + row->offset);
}

static void
set_attributes(
    struct abt_api_world *w, const struct abt_json *c, struct abt_fault *fault)
{
	static const char *const names[] = { "binaryMediaTypes",
		"minimumCompressionSize", "cors" };
	struct abt_source source = { .file = "case",
		.directory = ".",
		.arena = &w->arena,
		.complain = complain,
		.context = fault };
	void *self =
	    abt_arena_zero(&w->arena, w->front.dialect->attributes_size);

	if (abt_schema_presets(&source, w->front.dialect->attributes, self) !=
	    0)
		abt_fault_add(fault, "the presets of the attributes are wrong");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (config_of(c, names[i]) != NULL)
			set_attribute(&source, w->front.dialect->attributes,
			    abt_bytes_text(names[i]), config_of(c, names[i]),
			    self);
	w->front.attributes = self;
}

/* ---- front and facts ---- */

static void
set_variables(struct abt_api_world *w, const struct abt_json *map)
{
	if (map == NULL)
		return;
	for (map = map->first; map != NULL; map = map->next)
		(void)abt_map_set(
		    &w->api.stage_variables, &w->arena, map->key, map->text);
}

static void
set_front(
    struct abt_api_world *w, const struct abt_json *c, const struct kind *kind)
{
	bool url = kind->route == NULL;
	const struct abt_json *config = abt_json_get(c, "config");

	w->front.name = abt_bytes_text(kind->area);
	w->front.region = ABT_BYTES("us-east-1");
	w->front.account = ABT_BYTES("123456789012");
	w->front.dns_name =
	    url ? ABT_BYTES(URL_ID ".lambda-url.us-east-1.on.aws")
		: ABT_BYTES(API_ID ".execute-api.us-east-1.amazonaws.com");
	w->front.routes = &w->no_rules;
	w->front.api = &w->api;
	w->api.api_id = url ? ABT_BYTES(URL_ID) : ABT_BYTES(API_ID);
	w->api.own_host_only = true;
	w->api.stage = config != NULL ? text_of(config, "stage", kind->stage)
				      : abt_bytes_text(kind->stage);
	w->api.stage_in_path =
	    !abt_bytes_equal(w->api.stage, ABT_BYTES("$default"));
	w->api.deployment_id = ABT_BYTES("a1b2c3");
	set_variables(w, config_of(c, "stageVariables"));
}

static void
set_facts(struct abt_api_world *w, const struct abt_json *c)
{
	static const char id[] = "5f0c7b1e-6f0e-4a57-9f0b-6b1f2f9c7a10";

	w->facts.epoch_us = EPOCH_US;
	w->facts.peer_ip = text_of(c, "peer", "203.0.113.10");
	w->facts.peer_port = 50000;
	w->facts.listener_port = 443;
	w->facts.tls = true;
	w->facts.tls_version = ABT_BYTES("TLSv1.3");
	w->facts.tls_cipher = ABT_BYTES("TLS_AES_128_GCM_SHA256");
	for (size_t i = 0; i < sizeof(w->facts.random); i++)
		w->facts.random[i] = (unsigned char)(i * 37 + 11);
	memcpy(w->facts.request_id, id, sizeof(id));
	w->facts.date = ABT_BYTES("Tue, 14 Nov 2023 22:13:20 GMT");
}

static void
set_bytes(
    struct abt_api_world *w, const struct abt_json *c, const struct kind *kind)
{
	const struct abt_json *config = abt_json_get(c, "config");

	w->has_result = abt_json_get(c, "response") != NULL;
	w->flagged =
	    abt_json_is(abt_json_get(c, "function_error"), ABT_JSON_TRUE);
	w->result = text_of(c, "response", "");
	w->streams = abt_bytes_equal(
	    text_of(c, "invoke_mode", ""), ABT_BYTES("RESPONSE_STREAM"));
	w->stream_type = text_of(c, "stream_content_type", "");
	if (w->streams)
		w->result = latin1(w, w->result);
	if (abt_json_get(c, "request") != NULL)
		w->request = latin1(w, text_of(c, "request", ""));
	else
		w->request = abt_arena_printf(&w->arena,
		    "GET %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", kind->path,
		    ABT_FMT(w->front.dns_name));
	w->http_method =
	    abt_bytes(w->request.p, abt_bytes_find(w->request, ' '));
	if (flag_of(c, "functionThrottled"))
		w->failure = &abt_rules[ABT_RULE_FUNCTION_THROTTLED];
	else if (number_of(config, "functionDelayMs", 0) >
		 number_of(config, "timeoutInMillis", UINT32_MAX))
		w->failure = &abt_rules[ABT_RULE_API_TIMED_OUT];
}

bool
abt_api_world_make(
    struct abt_api_world *w, const struct abt_json *c, struct abt_fault *fault)
{
	const struct kind *kind = kind_of(c);

	memset(w, 0, sizeof(*w));
	abt_arena_init(&w->arena, NULL);
	w->front.dialect = abt_dialect_find(
	    kind != NULL ? abt_bytes_text(kind->dialect) : abt_case_area(c));
	if (kind == NULL && w->front.dialect != NULL)
		kind = kind_like(w->front.dialect);
	if (w->front.dialect == NULL) {
		abt_fault_add(fault, "there is no dialect for \"%.*s\"",
		    ABT_FMT(abt_case_area(c)));
		return false;
	}
	set_front(w, c, kind);
	set_method(w, c);
	set_routes(w, c, kind, fault);
	set_attributes(w, c, fault);
	w->front.dialect->make_policy(&w->front);
	set_facts(w, c);
	set_bytes(w, c, kind);
	if (abt_arena_failed(&w->arena))
		abt_fault_add(fault, "the runner is out of memory");
	return abt_fault_is_empty(fault);
}
