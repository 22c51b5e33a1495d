/*
 * routes.c - listener rules as written become routes
 *
 * The limits of alb.md 6.1 are kept here, where the operator can mend them, and
 * left out with "limits": "off".  Priorities default to the order of writing.
 */
#include "config/routes.h"

#include "config/redirect.h"

#define VALUE_MAX     128
#define VALUES_MAX    5 /* of a rule, all conditions together */
#define CONDITION_MAX 3 /* values of one condition */
#define WILDCARDS_MAX 5
#define PRIORITY_MAX  50000
#define RULES_MAX     100

struct rule_options {
	int64_t priority;
	struct abt_list path, host;
	const struct abt_json *function; /* a name, or null: nothing */
	struct abt_bytes target_group_arn;
	const struct abt_json *redirect, *fixed_response;
};

#define AT(member) offsetof(struct rule_options, member)

const struct abt_option abt_rule_option_rows[] = {
	{ .name = "path",
	    .kind = ABT_LIST,
	    .offset = AT(path),
	    .help = "patterns of the path, one must match; * is any text and ? "
		    "any one byte" },
	{ .name = "host",
	    .kind = ABT_LIST,
	    .offset = AT(host),
	    .help = "patterns of the host, one must match" },
	{ .name = "priority",
	    .kind = ABT_INT,
	    .offset = AT(priority),
	    .min = 1,
	    .max = PRIORITY_MAX,
	    .help = "lower ones first; the order of writing when left out" },
	{ .name = "function",
	    .kind = ABT_JSON,
	    .offset = AT(function),
	    .argument = "name or null",
	    .help = "action: the function to call; null is none (503)" },
	{ .name = "target_group_arn",
	    .kind = ABT_STRING,
	    .offset = AT(target_group_arn),
	    .help = "the target group's ARN in the events of this rule" },
	{ .name = "redirect",
	    .kind = ABT_JSON,
	    .offset = AT(redirect),
	    .argument = "object",
	    .help = "action: send the client elsewhere, see below" },
	{ .name = "fixed_response",
	    .kind = ABT_JSON,
	    .offset = AT(fixed_response),
	    .argument = "object",
	    .help = "action: always the same answer, see below" },
	ABT_OPTIONS_END,
};

/* One front's rules on their way. */
struct reader {
	struct abt_source *source;
	const struct abt_front_options *options;
	const struct abt_targets *targets;
	struct abt_front *front;
	struct abt_routes *routes;
	int last_priority;
	bool has_default;
};

static size_t
wildcards(struct abt_bytes text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '*' || text.p[i] == '?';
	return n;
}

static bool
path_byte(char c)
{
	return abt_char_is(c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) ||
	       (c != '\0' && strchr("_-.$/~\"'@:+&*?", c) != NULL);
}

static bool
host_byte(char c)
{
	return abt_char_is(c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) || c == '-' ||
	       c == '.' || c == '*' || c == '?';
}

static const struct abt_json *
element(const struct abt_json *rule, const char *name, size_t index)
{
	const struct abt_json *value = abt_json_get(rule, name);

	return abt_json_is(value, ABT_JSON_ARRAY) ? abt_json_at(value, index)
						  : value;
}

/* Letters after the last dot, and a dot at all (alb.md 6.2). */
static bool
host_shape(struct abt_bytes host)
{
	size_t i = host.n;

	while (i > 0 && abt_char_is(host.p[i - 1], ABT_CHAR_ALPHA))
		i--;
	return i < host.n && i > 0 && host.p[i - 1] == '.';
}

static void
check_value(struct reader *r, const struct abt_json *at, struct abt_bytes value,
    bool is_path)
{
	struct abt_source *source = r->source;
	const char *what = is_path ? "path" : "host";

	if (value.n == 0)
		abt_complain(source, at, "a \"%s\" pattern is empty", what);
	else if (is_path && value.p[0] != '/' && value.p[0] != '*' &&
		 value.p[0] != '?')
		abt_complain(source, at,
		    "\"%.*s\" matches no path: paths begin with \"/\"",
		    ABT_FMT(value));
	if (r->front->limits_off || value.n == 0)
		return;
	if (value.n > VALUE_MAX)
		abt_complain(source, at,
		    "the pattern has %zu bytes, an ALB takes %d", value.n,
		    VALUE_MAX);
	for (size_t i = 0; i < value.n; i++) {
		if (is_path ? path_byte(value.p[i]) : host_byte(value.p[i]))
			continue;
		abt_complain(source, at,
		    "\"%.*s\" has a byte that an ALB takes in no \"%s\" "
		    "pattern: %s",
		    ABT_FMT(value), what,
		    is_path ? "allowed are letters, digits and "
			      "_-.$/~\"'@:+&*?"
			    : "allowed are letters, digits and -.*?");
		return;
	}
	if (!is_path && !host_shape(value))
		abt_complain(source, at,
		    "\"%.*s\" is no host for an ALB: it needs a dot, and only "
		    "letters behind the last one; \"limits\": \"off\" allows "
		    "it",
		    ABT_FMT(value));
}

static void
check_condition(struct reader *r, const struct abt_json *rule, const char *name,
    const struct abt_list *values, bool is_path)
{
	const struct abt_json *at = abt_json_get(rule, name);

	if (at == NULL)
		return;
	if (values->count == 0)
		abt_complain(r->source, at,
		    "\"%s\" lists nothing; leave it out to match everything",
		    name);
	if (values->count > CONDITION_MAX && !r->front->limits_off)
		abt_complain(r->source, at,
		    "\"%s\" has %zu values, an ALB takes %d in a condition; "
		    "write another rule",
		    name, values->count, CONDITION_MAX);
	for (size_t i = 0; i < values->count; i++)
		check_value(
		    r, element(rule, name, i), values->items[i], is_path);
}

static void
check_sums(struct reader *r, const struct abt_json *rule,
    const struct rule_options *options)
{
	size_t stars = 0, values = options->path.count + options->host.count;

	if (r->front->limits_off)
		return;
	for (size_t i = 0; i < options->path.count; i++)
		stars += wildcards(options->path.items[i]);
	for (size_t i = 0; i < options->host.count; i++)
		stars += wildcards(options->host.items[i]);
	if (values > VALUES_MAX)
		abt_complain(r->source, rule,
		    "the rule has %zu values, an ALB takes %d; write two rules",
		    values, VALUES_MAX);
	if (stars > WILDCARDS_MAX)
		abt_complain(r->source, rule,
		    "the rule has %zu wildcards, an ALB takes %d", stars,
		    WILDCARDS_MAX);
}

const struct abt_target *
abt_target_find(struct abt_source *source, const struct abt_targets *all,
    const struct abt_json *at, struct abt_bytes name)
{
	const char **names, *nearest = NULL;

	for (size_t i = 0; i < all->count; i++)
		if (abt_bytes_equal(name, abt_bytes_text(all->targets[i].name)))
			return &all->targets[i];
	names = abt_arena_array(source->arena, all->count, sizeof *names);
	for (size_t i = 0; names != NULL && i < all->count; i++)
		names[i] = all->targets[i].name;
	if (names != NULL)
		nearest = abt_schema_nearest(name, names, all->count);
	if (nearest != NULL)
		abt_complain(source, at,
		    "there is no function \"%.*s\", did you mean \"%s\"?",
		    ABT_FMT(name), nearest);
	else
		abt_complain(source, at,
		    "there is no function \"%.*s\"; describe it in "
		    "\"functions\"",
		    ABT_FMT(name));
	return NULL;
}

/* The rule's own ARN, the front's, the function's, or a made one. */
static void
set_target(struct reader *r, const struct abt_target *target,
    struct abt_bytes arn, struct abt_route *route)
{
	struct abt_front *front = r->front;

	route->action = ABT_FORWARD;
	route->function = target->function;
	if (arn.n == 0)
		arn = target->target_group_arn;
	if (arn.n == 0)
		arn = r->options->target_group_arn;
	if (arn.n == 0)
		arn = abt_target_group_arn(r->source->arena, front->region,
		    front->account, abt_bytes_text(target->name));
	route->target_group_arn = arn;
}

static void
set_forward(struct reader *r, const struct rule_options *options,
    struct abt_route *route)
{
	static const struct abt_target nothing = { .name = "none" };
	const struct abt_json *name = options->function;
	const struct abt_target *target = &nothing;

	if (name->kind == ABT_JSON_STRING)
		target =
		    abt_target_find(r->source, r->targets, name, name->text);
	else if (name->kind != ABT_JSON_NULL)
		abt_complain(r->source, name,
		    "\"function\" must be the name of a function or null, but "
		    "here is %s",
		    abt_json_kind_name(name->kind));
	if (target != NULL)
		set_target(r, target, options->target_group_arn, route);
}

static void
set_action(struct reader *r, const struct abt_json *rule,
    const struct rule_options *options, struct abt_route *route)
{
	int actions = (options->function != NULL) +
		      (options->redirect != NULL) +
		      (options->fixed_response != NULL);

	if (actions != 1) {
		abt_complain(r->source, rule,
		    "a rule has one action, this one has %s: write "
		    "\"function\", \"redirect\" or \"fixed_response\"",
		    actions == 0 ? "none" : "several");
		return;
	}
	if (options->function != NULL)
		set_forward(r, options, route);
	else if (options->redirect != NULL)
		abt_redirect_read(r->source, options->redirect, route);
	else
		abt_fixed_read(r->source, options->fixed_response,
		    r->front->limits_off, route);
}

static void
set_priority(struct reader *r, const struct abt_json *rule,
    const struct rule_options *options, struct abt_route *route)
{
	bool conditions = route->path_count + route->host_count > 0;
	const struct abt_json *at = abt_json_get(rule, "priority");

	if (!conditions) {
		route->priority = 0;
		if (r->has_default)
			abt_complain(r->source, rule,
			    "a rule without conditions is the default action, "
			    "and there is one already");
		else if (at != NULL)
			abt_complain(r->source, at,
			    "the default action has no priority: it is last; "
			    "give the rule a \"path\" or \"host\"");
		r->has_default = true;
		return;
	}

	route->priority =
	    at != NULL ? (int)options->priority : r->last_priority + 1;
	r->last_priority = route->priority;
	for (size_t i = 0; i < r->routes->count; i++)
		if (r->routes->routes[i].priority == route->priority)
			abt_complain(r->source, at != NULL ? at : rule,
			    "priority %d stands twice; each rule needs its own",
			    route->priority);
}

static void
read_rule(struct reader *r, const struct abt_json *rule)
{
	struct abt_route *route = &r->routes->routes[r->routes->count];
	struct rule_options options = { 0 };

	if (abt_schema_read(
		r->source, rule, abt_rule_option_rows, NULL, &options) != 0)
		return;
	check_condition(r, rule, "path", &options.path, true);
	check_condition(r, rule, "host", &options.host, false);
	check_sums(r, rule, &options);
	route->paths = options.path.items;
	route->path_count = options.path.count;
	route->hosts = options.host.items;
	route->host_count = options.host.count;
	set_priority(r, rule, &options, route);
	set_action(r, rule, &options, route);
	r->routes->count++;
}

/* "function" of the front: a default action in short. */
static void
add_default(struct reader *r, const struct abt_json *at)
{
	struct abt_bytes name = r->options->function;
	struct abt_route *route = &r->routes->routes[r->routes->count];
	const struct abt_json *place = abt_json_get(at, "function");
	const struct abt_target *target;

	if (r->has_default) {
		abt_complain(r->source, place,
		    "\"function\" and a rule without conditions are two "
		    "default actions; keep one");
		return;
	}
	target = abt_target_find(r->source, r->targets, place, name);
	if (target == NULL)
		return;
	set_target(r, target, (struct abt_bytes){ NULL, 0 }, route);
	r->routes->count++;
}

int
abt_routes_read(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_json *at,
    const struct abt_targets *targets, struct abt_front *front)
{
	const struct abt_json *rules = options->rules;
	size_t room = 1;
	unsigned before = source->errors;
	struct reader r = {
		.source = source,
		.options = options,
		.targets = targets,
		.front = front,
		.routes = abt_arena_zero(source->arena, sizeof *r.routes),
	};

	if (rules != NULL && rules->kind != ABT_JSON_ARRAY) {
		abt_complain(source, rules,
		    "\"rules\" must be a list of rules, but here is %s",
		    abt_json_kind_name(rules->kind));
		return -1;
	}
	if (rules != NULL)
		room += rules->count;
	if (room > RULES_MAX + 1 && !front->limits_off)
		abt_complain(source, rules,
		    "there are %zu rules, an ALB takes %d", room - 1,
		    RULES_MAX);
	if (r.routes != NULL)
		r.routes->routes = abt_arena_array(
		    source->arena, room, sizeof *r.routes->routes);
	if (abt_arena_failed(source->arena)) {
		abt_complain(source, NULL, "out of memory");
		return -1;
	}
	for (const struct abt_json *v = rules != NULL ? rules->first : NULL;
	     v != NULL; v = v->next)
		read_rule(&r, v);
	if (options->function.n > 0)
		add_default(&r, at);
	abt_routes_sort(r.routes);
	front->routes = r.routes;
	return source->errors == before ? 0 : -1;
}
