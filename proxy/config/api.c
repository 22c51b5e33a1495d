/*
 * api.c - what API fronts have besides: id, stage, routes
 *
 * "routes": { "GET /pets/{id}": "function" }, or a list of objects; "function"
 * alone takes everything.  Limits are AWS's own where the operator can mend
 * them.
 */
#include "config/api.h"

#include <stdio.h>

#define ROUTES_MAX  300
#define STAGE_MAX   128
#define TIMEOUT_MIN 50

struct route_options {
	struct abt_bytes route, function;
};

const struct abt_option abt_api_route_option_rows[] = {
	{ .name = "route",
	    .kind = ABT_STRING,
	    .offset = offsetof(struct route_options, route),
	    .help = "method and path, like \"GET /pets/{id}\", or \"$default\""
		    "; the name where routes are an object" },
	{ .name = "function",
	    .kind = ABT_STRING,
	    .offset = offsetof(struct route_options, function),
	    .help = "the function to call; a mock needs none" },
	ABT_OPTIONS_END,
};

/* ---- the front ---- */

/* |size| of [a-z0-9], the same from run to run. */
static struct abt_bytes
make_id(struct abt_arena *arena, uint64_t seed, size_t size)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char *out = abt_arena_alloc(arena, size);

	if (out == NULL)
		return abt_bytes(NULL, 0);
	for (size_t i = 0; i < size; i++) {
		out[i] = digits[(seed >> 33) % 36];
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963;
	}
	return abt_bytes(out, size);
}

/* Keys of the other kind of front. */
static void
check_keys(struct abt_source *source, const struct abt_front *front,
    const struct abt_json *at)
{
	static const char *const of_alb[] = { "rules", "target_group_arn",
		NULL };
	static const char *const of_api[] = { "routes", "route", "stage",
		"stage_variables", "stage_in_path", "base_path", "api_id",
		"domain_name", "integration_timeout", "stream_idle_timeout",
		"log_format", NULL };
	const char *const *names =
	    front->dialect->routing == ABT_LISTENER_RULES ? of_api : of_alb;

	for (; at != NULL && *names != NULL; names++) {
		const struct abt_json *value = abt_json_get(at, *names);

		if (value != NULL)
			abt_complain_key(source, value,
			    "a front of the dialect %s has no \"%s\"",
			    front->dialect->name, *names);
	}
}

static const struct abt_json *
member(const struct abt_json *at, const char *name)
{
	const struct abt_json *value =
	    at != NULL ? abt_json_get(at, name) : NULL;

	return value != NULL ? value : at;
}

static bool
is_default_stage(struct abt_bytes stage)
{
	return abt_bytes_equal(stage, ABT_BYTES("$default"));
}

static void
set_stage(struct abt_source *source, const struct abt_front_options *options,
    const struct abt_json *at, const struct abt_front *front,
    struct abt_api *api)
{
	bool rest = front->dialect->routing == ABT_RESOURCE_TREE;
	struct abt_bytes stage = options->stage;

	if (stage.n == 0)
		stage = rest ? ABT_BYTES("dev") : ABT_BYTES("$default");
	api->stage = stage;
	api->stage_in_path = options->stage_in_path &&
			     options->base_path.n == 0 &&
			     !is_default_stage(stage);
	if (is_default_stage(stage) && !rest)
		return;
	for (size_t i = 0; i < stage.n; i++)
		if (!abt_char_is(stage.p[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) &&
		    stage.p[i] != '-' && stage.p[i] != '_')
			stage.n = STAGE_MAX + 1; /* told below, once */
	if (stage.n > STAGE_MAX)
		abt_complain(source, member(at, "stage"),
		    "\"stage\" must be up to %d letters, digits, hyphens and "
		    "underscores, not \"%.*s\"",
		    STAGE_MAX, ABT_FMT(api->stage));
}

static void
set_base_path(struct abt_source *source, struct abt_bytes base,
    const struct abt_json *at, struct abt_api *api)
{
	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	api->base_path = base;
	if (base.n > 0 && base.p[0] != '/')
		abt_complain(source, member(at, "base_path"),
		    "\"base_path\" must begin with \"/\", not \"%.*s\"",
		    ABT_FMT(base));
}

static void
set_timeout(struct abt_source *source, const struct abt_front_options *options,
    const struct abt_json *at, const struct abt_front *front,
    struct abt_api *api)
{
	int64_t preset = front->limits_off ? 0 : front->dialect->timeout_ms;

	api->timeout_is_set = options->integration_timeout_ms > 0;
	api->timeout_ms =
	    api->timeout_is_set ? options->integration_timeout_ms : preset;
	if (api->timeout_ms > 0 && api->timeout_ms < TIMEOUT_MIN &&
	    !front->limits_off)
		abt_complain(source, member(at, "integration_timeout"),
		    "\"integration_timeout\" must be %dms at least",
		    TIMEOUT_MIN);
}

static int64_t
idle_preset(const struct abt_front *front)
{
	return front->limits_off ? 0 : front->dialect->stream_idle_ms;
}

static void
set_stream_idle(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_json *at,
    const struct abt_front *front, struct abt_api *api)
{
	api->stream_idle_ms = options->stream_idle_ms > 0
				  ? options->stream_idle_ms
				  : idle_preset(front);
	if (options->stream_idle_ms > 0 && front->dialect->streams == NULL)
		abt_complain(source, member(at, "stream_idle_timeout"),
		    "a front of the dialect %s has no \"stream_idle_timeout\": "
		    "it does not stream",
		    front->dialect->name);
}

int
abt_api_make(struct abt_source *source, const struct abt_front_options *options,
    const struct abt_json *at, struct abt_front *front)
{
	struct abt_arena *arena = source->arena;
	bool url = front->dialect->routing == ABT_ONE_FUNCTION;
	unsigned before = source->errors;
	struct abt_routes *none;
	struct abt_api *api;

	check_keys(source, front, at);
	if (front->dialect->routing == ABT_LISTENER_RULES)
		return source->errors == before ? 0 : -1;
	api = abt_arena_zero(arena, sizeof *api);
	none = abt_arena_zero(arena, sizeof *none);
	if (api == NULL || none == NULL)
		return -1; /* the caller tells */
	front->api = api;
	front->routes = none;
	api->api_id = options->api_id;
	api->own_host_only = options->api_id.n > 0;
	if (api->api_id.n == 0)
		api->api_id = make_id(arena, front->id, url ? 32 : 10);
	api->deployment_id = make_id(arena, front->id + 1, 6);
	api->domain_name = options->domain_name;
	api->log_format = options->log_format;
	api->stage_variables = options->stage_variables;
	set_stage(source, options, at, front, api);
	set_base_path(source, options->base_path, at, api);
	set_timeout(source, options, at, front, api);
	set_stream_idle(source, options, at, front, api);
	if (options->dns_name.n == 0)
		front->dns_name = abt_arena_printf(arena, "%.*s.%s.%.*s.%s",
		    ABT_FMT(api->api_id), url ? "lambda-url" : "execute-api",
		    ABT_FMT(front->region), url ? "on.aws" : "amazonaws.com");
	return source->errors == before ? 0 : -1;
}

/* ---- routes ---- */

struct reader {
	struct abt_source *source;
	struct abt_front *front;
	struct abt_api_routes *routes;
	size_t room;
};

static int
begin(struct reader *r, size_t room)
{
	struct abt_arena *arena = r->source->arena;

	r->routes = abt_arena_zero(arena, sizeof *r->routes);
	if (r->routes != NULL)
		r->routes->routes =
		    abt_arena_array(arena, room, sizeof *r->routes->routes);
	if (abt_arena_failed(arena)) {
		abt_complain(r->source, NULL, "out of memory");
		return -1;
	}
	r->routes->routing = r->front->dialect->routing;
	r->room = room;
	return 0;
}

/* What a route is made of besides its key. */
struct aim {
	enum abt_action action;
	const void *function; /* of ABT_FORWARD */
	const void *settings; /* the dialect's, or NULL */
};

static void
add_route(struct reader *r, const struct abt_json *at, struct abt_bytes key,
    const struct aim *aim)
{
	struct abt_api_routes *routes = r->routes;
	struct abt_api_route *route = &routes->routes[routes->count];
	char why[256];

	/* a URL's only route is no key */
	if (routes->routing == ABT_ONE_FUNCTION) {
		*route = (struct abt_api_route){ .key = ABT_BYTES("$default"),
			.resource = ABT_BYTES("$default") };
	} else if (abt_api_route_parse(key, routes->routing, r->source->arena,
		       route, why, sizeof why) != 0) {
		abt_complain_key(
		    r->source, at, "the route \"%.*s\" %s", ABT_FMT(key), why);
		return;
	}
	for (size_t i = 0; i < routes->count; i++)
		if (abt_bytes_equal(routes->routes[i].key, route->key)) {
			abt_complain_key(r->source, at,
			    "the route \"%.*s\" stands twice", ABT_FMT(key));
			return;
		}
	route->action = aim->action;
	route->function = aim->function;
	route->setup = aim->settings;
	routes->count++;
}

/* Everything there is goes to |function|. */
static void
add_all(struct reader *r, const struct abt_json *at, const void *function)
{
	const struct aim aim = { ABT_FORWARD, function, NULL };

	if (r->routes->routing == ABT_RESOURCE_TREE) {
		add_route(r, at, ABT_BYTES("ANY /"), &aim);
		add_route(r, at, ABT_BYTES("ANY /{proxy+}"), &aim);
	} else {
		add_route(r, at, ABT_BYTES("$default"), &aim);
	}
}

static int
end(struct reader *r)
{
	struct abt_api *api = (struct abt_api *)(uintptr_t)r->front->api;

	abt_api_routes_sort(r->routes);
	api->routes = r->routes; /* still being made */
	return 0;
}

/* The names of |rows|, at most |max|, NULL behind them. */
static void
names_of(const struct abt_option *rows, const char **names, size_t max)
{
	size_t n = 0;

	for (; rows != NULL && rows->name != NULL && n + 1 < max; rows++)
		names[n++] = rows->name;
	names[n] = NULL;
}

/* An object: route, function and the dialect's own settings. */
static int
read_object(struct reader *r, const struct abt_json *value,
    struct route_options *options, struct aim *aim)
{
	const struct abt_dialect *dialect = r->front->dialect;
	const char *ours[8], *others[16], *wrong = NULL;
	void *settings;

	names_of(abt_api_route_option_rows, ours, 8);
	names_of(dialect->method, others, 16);
	if (abt_schema_read(r->source, value, abt_api_route_option_rows, others,
		options) != 0)
		return -1;
	if (dialect->method == NULL)
		return 0;
	settings = abt_arena_zero(r->source->arena, dialect->method_size);
	if (settings == NULL || abt_schema_read(r->source, value,
				    dialect->method, ours, settings) != 0)
		return -1;
	aim->settings = settings;
	if (dialect->method_wrong != NULL)
		wrong = dialect->method_wrong(settings);
	if (wrong != NULL) {
		abt_complain(r->source, value, "%s", wrong);
		return -1;
	}
	if (dialect->method_action != NULL)
		aim->action = dialect->method_action(settings);
	return 0;
}

/* The function of a route that forwards.  0, or -1 after complaining. */
static int
find_function(struct reader *r, const struct abt_targets *targets,
    const struct abt_json *value, struct abt_bytes name, struct aim *aim)
{
	const struct abt_target *target;

	if (aim->action != ABT_FORWARD) {
		if (name.n > 0)
			abt_complain(r->source, value,
			    "a route that answers by itself has no "
			    "\"function\"");
		return name.n > 0 ? -1 : 0;
	}
	if (name.n == 0) {
		abt_complain(r->source, value, "the route has no \"function\"");
		return -1;
	}
	target = abt_target_find(r->source, targets, value, name);
	if (target == NULL)
		return -1;
	aim->function = target->function;
	return 0;
}

/* One member of "routes": "key": "function" or "key": { ... }, or an object of
 * a list. */
static void
read_route(struct reader *r, const struct abt_targets *targets,
    const struct abt_json *value, bool listed)
{
	struct route_options options = { value->key, value->text };
	struct aim aim = { ABT_FORWARD, NULL, NULL };

	if (listed || value->kind == ABT_JSON_OBJECT) {
		options = (struct route_options){ { NULL, 0 }, { NULL, 0 } };
		if (read_object(r, value, &options, &aim) != 0)
			return;
		if (listed && options.route.n == 0) {
			abt_complain(
			    r->source, value, "the route has no \"route\"");
			return;
		}
		if (!listed && options.route.n == 0)
			options.route = value->key;
	} else if (value->kind != ABT_JSON_STRING) {
		abt_complain(r->source, value,
		    "the route \"%.*s\" must name a function, but here is %s",
		    ABT_FMT(value->key), abt_json_kind_name(value->kind));
		return;
	}
	options.route = abt_arena_copy(r->source->arena, options.route);
	if (find_function(r, targets, value, options.function, &aim) == 0)
		add_route(r, value, options.route, &aim);
}

static void
read_routes(struct reader *r, const struct abt_targets *targets,
    const struct abt_json *routes)
{
	bool listed = routes->kind == ABT_JSON_ARRAY;

	if (!listed && routes->kind != ABT_JSON_OBJECT) {
		abt_complain(r->source, routes,
		    "\"routes\" must be an object like { \"GET /pets/{id}\": "
		    "\"function\" } or a list, but here is %s",
		    abt_json_kind_name(routes->kind));
		return;
	}
	if (!listed)
		abt_schema_unique(r->source, routes);
	if (routes->count > ROUTES_MAX && !r->front->limits_off)
		abt_complain(r->source, routes,
		    "there are %u routes, an API takes %d",
		    (unsigned)routes->count, ROUTES_MAX);
	for (const struct abt_json *v = routes->first; v != NULL; v = v->next)
		read_route(r, targets, v, listed);
}

int
abt_api_routes_read(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_json *at,
    const struct abt_targets *targets, struct abt_front *front)
{
	const struct abt_json *routes = options->routes;
	const struct abt_target *target = NULL;
	struct reader r = { .source = source, .front = front };
	unsigned before = source->errors;
	bool url = front->dialect->routing == ABT_ONE_FUNCTION;

	if (begin(&r, (routes != NULL ? routes->count : 0) +
			  options->route.count + 2) != 0)
		return -1;
	if (url && (routes != NULL || options->route.count > 0))
		abt_complain(source, member(at, "routes"),
		    "a function URL has no routes, only \"function\"");
	else if (routes != NULL)
		read_routes(&r, targets, routes);
	if (options->function.n > 0)
		target = abt_target_find(
		    source, targets, member(at, "function"), options->function);
	for (size_t i = 0; target != NULL && i < options->route.count; i++)
		add_route(&r, member(at, "route"), options->route.items[i],
		    &(struct aim){ ABT_FORWARD, target->function, NULL });
	if (target != NULL && options->route.count == 0)
		add_all(&r, member(at, "function"), target->function);
	if (options->function.n == 0 &&
	    (routes == NULL || options->route.count > 0))
		abt_complain(source, at,
		    url ? "the front leads nowhere: write \"function\""
			: "the front leads nowhere: write \"routes\" or "
			  "\"function\"");
	end(&r);
	return source->errors == before ? 0 : -1;
}

int
abt_api_routes_make(struct abt_source *source,
    const struct abt_front_options *options, const void *function,
    struct abt_front *front)
{
	struct reader r = { .source = source, .front = front };
	unsigned before = source->errors;

	if (begin(&r, options->route.count + 2) != 0)
		return -1;
	if (front->dialect->routing == ABT_ONE_FUNCTION &&
	    options->route.count > 0)
		abt_complain(source, NULL, "a function URL has no routes");
	for (size_t i = 0; i < options->route.count; i++)
		add_route(&r, NULL, options->route.items[i],
		    &(struct aim){ ABT_FORWARD, function, NULL });
	if (options->route.count == 0)
		add_all(&r, NULL, function);
	end(&r);
	return source->errors == before ? 0 : -1;
}

/* ---- printing ---- */

static const char *
name_of(const void *function)
{
	const struct abt_function *f = function;

	return f != NULL ? f->name : "";
}

static void
print_route(struct abt_json_out *out, const struct abt_dialect *dialect,
    const struct abt_api_route *route)
{
	if (route->setup == NULL) {
		abt_json_string_at(
		    out, route->key, abt_bytes_text(name_of(route->function)));
		return;
	}
	abt_json_object_at(out, route->key);
	if (route->function != NULL)
		abt_json_text(out, "function", name_of(route->function));
	abt_schema_print(out, dialect->method, route->setup, true);
	abt_json_close(out);
}

static void
print_duration(struct abt_json_out *out, const char *name, int64_t ms)
{
	char text[32];

	snprintf(text, sizeof text, "%lldms", (long long)ms);
	abt_json_text(out, name, text);
}

void
abt_api_print(struct abt_json_out *out, const struct abt_front *front)
{
	const struct abt_api *api = front->api;
	const struct abt_api_routes *routes = api->routes;

	if (api->own_host_only) /* else it is made of the name again */
		abt_json_string(out, "api_id", api->api_id);
	if (api->timeout_is_set)
		print_duration(out, "integration_timeout", api->timeout_ms);
	if (api->stream_idle_ms != idle_preset(front))
		print_duration(out, "stream_idle_timeout", api->stream_idle_ms);
	if (api->domain_name.n > 0)
		abt_json_string(out, "domain_name", api->domain_name);
	if (api->log_format.n > 0)
		abt_json_string(out, "log_format", api->log_format);
	if (routes->routing == ABT_ONE_FUNCTION) {
		if (routes->count > 0)
			abt_json_text(out, "function",
			    name_of(routes->routes[0].function));
		return;
	}
	abt_json_string(out, "stage", api->stage);
	abt_json_bool(out, "stage_in_path", api->stage_in_path);
	if (api->base_path.n > 0)
		abt_json_string(out, "base_path", api->base_path);
	if (api->stage_variables.count > 0) {
		abt_json_object(out, "stage_variables");
		for (size_t i = 0; i < api->stage_variables.count; i++)
			abt_json_string_at(out,
			    api->stage_variables.pairs[i].name,
			    api->stage_variables.pairs[i].value);
		abt_json_close(out);
	}
	abt_json_object(out, "routes");
	for (size_t i = 0; i < routes->count; i++)
		print_route(out, front->dialect, &routes->routes[i]);
	abt_json_close(out);
}
