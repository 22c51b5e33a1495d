/*
 * front.c - a front door out of its options
 *
 * "alb-multi" is short for "alb" with multi-value headers: any dialect that has
 * an attribute with the flag multi-value-headers takes the ending "-multi".
 */
#include "config/front.h"

#include "config/api.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_NAMES 128

static const char *const limit_names[] = { "aws", "off", NULL };

#define AT(member) offsetof(struct abt_front_options, member)

const struct abt_option abt_front_option_rows[] = {
	{ .name = "dialect",
	    .kind = ABT_STRING,
	    .offset = AT(dialect),
	    .preset = "alb",
	    .flag = "d|dialect",
	    .argument = "NAME",
	    .help = "the kind of front door: alb, or alb-multi for an ALB with "
		    "multi-value headers" },
	{ .name = "attributes",
	    .kind = ABT_JSON,
	    .offset = AT(attributes),
	    .argument = "object",
	    .help =
		"the dialect's attributes under AWS's own names, see below" },
	{ .name = "attribute",
	    .kind = ABT_MAP,
	    .offset = AT(attribute),
	    .flag = "attribute",
	    .argument = "NAME=VALUE",
	    .help = "set an attribute by AWS's own name; may be repeated",
	    .flags = ABT_OPTION_HIDDEN },
	{ .name = "limits",
	    .kind = ABT_ENUM,
	    .offset = AT(limits),
	    .preset = "aws",
	    .names = limit_names,
	    .flag = "limits",
	    .argument = "aws|off",
	    .help =
		"keep AWS's limits on sizes and times, or only what memory "
		"needs; a function's whole result has 6 MB at most in both" },
	{ .name = "dns_name",
	    .kind = ABT_STRING,
	    .offset = AT(dns_name),
	    .flag = "dns-name",
	    .argument = "NAME",
	    .help = "the load balancer's own name, the Host of a request "
		    "without one" },
	{ .name = "region",
	    .kind = ABT_STRING,
	    .offset = AT(region),
	    .preset = ABT_REGION,
	    .flag = "region",
	    .argument = "REGION",
	    .help = "the region in ARNs and in the function's environment" },
	{ .name = "account",
	    .kind = ABT_STRING,
	    .offset = AT(account),
	    .preset = ABT_ACCOUNT,
	    .flag = "account",
	    .argument = "ID",
	    .help = "the account in ARNs" },
	{ .name = "target_group_arn",
	    .kind = ABT_STRING,
	    .offset = AT(target_group_arn),
	    .flag = "target-group-arn",
	    .argument = "ARN",
	    .help = "the target group's ARN in events; made from the "
		    "function's name when left out" },
	{ .name = "function",
	    .kind = ABT_STRING,
	    .offset = AT(function),
	    .help = "the function of the default action, in place of a rule "
		    "without conditions" },
	{ .name = "rules",
	    .kind = ABT_JSON,
	    .offset = AT(rules),
	    .argument = "list of objects",
	    .help = "listener rules, see below" },
	{ .name = "routes",
	    .kind = ABT_JSON,
	    .offset = AT(routes),
	    .argument = "object or list of objects",
	    .help = "of APIs: the function of each route, like { \"GET "
		    "/pets/{id}\": \"pets\" }" },
	{ .name = "route",
	    .kind = ABT_LIST,
	    .offset = AT(route),
	    .flag = "route",
	    .argument = "KEY",
	    .help = "of APIs: a route to the function, like 'GET /pets/{id}'; "
		    "may be repeated, all there is when left out" },
	{ .name = "stage",
	    .kind = ABT_STRING,
	    .offset = AT(stage),
	    .flag = "stage",
	    .argument = "NAME",
	    .help = "of APIs: the stage; dev for REST, else $default" },
	{ .name = "stage_in_path",
	    .kind = ABT_BOOL,
	    .offset = AT(stage_in_path),
	    .preset = "true",
	    .help = "of APIs: paths begin with the stage, but for $default" },
	{ .name = "stage_variables",
	    .kind = ABT_MAP,
	    .offset = AT(stage_variables),
	    .flag = "stage-variable",
	    .argument = "NAME=VALUE",
	    .help = "of APIs: the stage's variables" },
	{ .name = "base_path",
	    .kind = ABT_STRING,
	    .offset = AT(base_path),
	    .flag = "base-path",
	    .argument = "PATH",
	    .help = "of APIs: the mapping of a custom domain, which paths "
		    "begin with in place of the stage" },
	{ .name = "api_id",
	    .kind = ABT_STRING,
	    .offset = AT(api_id),
	    .flag = "api-id",
	    .argument = "ID",
	    .help = "of APIs: the id in events; other ids in a Host of AWS's "
		    "form are then refused" },
	{ .name = "domain_name",
	    .kind = ABT_STRING,
	    .offset = AT(domain_name),
	    .flag = "domain-name",
	    .argument = "NAME",
	    .help = "of APIs: domainName in events; the Host when left out" },
	{ .name = "log_format",
	    .kind = ABT_STRING,
	    .offset = AT(log_format),
	    .flag = "log-format",
	    .argument = "clf|json|csv|xml|TEXT",
	    .help = "of APIs: the line of the access log, one of AWS's formats "
		    "or a text with $context variables" },
	{ .name = "integration_timeout",
	    .kind = ABT_DURATION,
	    .offset = AT(integration_timeout_ms),
	    .flag = "integration-timeout",
	    .argument = "TIME",
	    .help =
		"of APIs: how long the API waits for the function; 29s for "
		"REST, 30s for HTTP APIs; nothing for function URLs and 15m "
		"for REST streams" },
	{ .name = "stream_idle_timeout",
	    .kind = ABT_DURATION,
	    .offset = AT(stream_idle_ms),
	    .flag = "stream-idle-timeout",
	    .argument = "TIME",
	    .help = "of fronts that stream: how long a stream may pause before "
		    "it is cut; 5m for REST, no limit for function URLs" },
	ABT_OPTIONS_END,
};

static const struct abt_option *
multi_row(const struct abt_dialect *dialect)
{
	const struct abt_option *row = dialect->attributes;

	for (; row != NULL && row->kind != ABT_OPTION_END; row++)
		if (row->flag != NULL &&
		    strcmp(row->flag, "multi-value-headers") == 0)
			return row;
	return NULL;
}

static const struct abt_dialect *
find_dialect(struct abt_bytes name, const struct abt_option **multi)
{
	const struct abt_dialect *dialect = abt_dialect_find(name);

	*multi = NULL;
	if (dialect != NULL || !abt_bytes_ends(name, ABT_BYTES("-multi")))
		return dialect;
	name.n -= strlen("-multi");
	dialect = abt_dialect_find(name);
	if (dialect == NULL || (*multi = multi_row(dialect)) == NULL)
		return NULL;
	return dialect;
}

/* Where |name| stands in the front, or the front. */
static const struct abt_json *
member(const struct abt_json *at, const char *name)
{
	const struct abt_json *value =
	    at != NULL ? abt_json_get(at, name) : NULL;

	return value != NULL ? value : at;
}

static void
unknown_dialect(
    struct abt_source *source, struct abt_bytes name, const struct abt_json *at)
{
	char known[256] = "";
	size_t used = 0;

	for (size_t i = 0; abt_dialects[i] != NULL; i++) {
		const struct abt_dialect *d = abt_dialects[i];

		snprintf(known + used, sizeof known - used, "%s%s",
		    used > 0 ? ", " : "", d->name);
		used = strlen(known);
		if (multi_row(d) != NULL)
			snprintf(known + used, sizeof known - used,
			    ", %s-multi", d->name);
		used = strlen(known);
	}
	abt_complain(source, at, "there is no dialect \"%.*s\"; there are: %s",
	    ABT_FMT(name), known);
}

static const struct abt_option *
find_attribute(const struct abt_dialect *dialect, struct abt_bytes name)
{
	const struct abt_option *row = dialect->attributes;

	for (; row != NULL && row->kind != ABT_OPTION_END; row++)
		if (abt_bytes_equal(name, abt_bytes_text(row->name)))
			return row;
	return NULL;
}

int
abt_front_attribute(struct abt_source *source, struct abt_front *front,
    const char *name, const char *value, char *why, size_t size)
{
	const struct abt_option *row =
	    find_attribute(front->dialect, abt_bytes_text(name));
	/* Still being made: nobody else looks at it yet. */
	void *attributes = (void *)(uintptr_t)front->attributes;
	const char *names[MAX_NAMES], *nearest;
	size_t count = 0;

	if (row != NULL)
		return abt_schema_text(
		    source, row, value, attributes, why, size);
	for (row = front->dialect->attributes;
	     row != NULL && row->kind != ABT_OPTION_END && count < MAX_NAMES;
	     row++)
		names[count++] = row->name;
	nearest = abt_schema_nearest(abt_bytes_text(name), names, count);
	if (nearest != NULL)
		snprintf(why, size,
		    "is no attribute of %s, did you mean \"%s\"?",
		    front->dialect->name, nearest);
	else
		snprintf(why, size,
		    "is no attribute of %s; `albatross help config` lists them",
		    front->dialect->name);
	return -1;
}

/* Attributes of the file, then those of the command line. */
static int
fill_attributes(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_option *multi,
    struct abt_front *front, void *self)
{
	const struct abt_dialect *dialect = front->dialect;
	char why[256];
	int rc = 0;

	if (options->attributes != NULL)
		rc = abt_schema_read(source, options->attributes,
		    dialect->attributes, NULL, self);
	else
		rc = abt_schema_presets(source, dialect->attributes, self);
	if (multi != NULL)
		*(bool *)(void *)((char *)self + multi->offset) = true;
	for (size_t i = 0; i < options->attribute.count; i++) {
		const struct abt_pair *pair = &options->attribute.pairs[i];
		struct abt_bytes name = pair->name;
		const char *text = abt_arena_text(source->arena, name);
		const char *value = abt_arena_text(source->arena, pair->value);

		if (text == NULL || value == NULL)
			return -1;
		if (abt_front_attribute(
			source, front, text, value, why, sizeof why) == 0)
			continue;
		abt_complain(source, NULL, "\"%s\" %s", text, why);
		rc = -1;
	}
	return rc;
}

/* |name| with other bytes than letters, digits and hyphens made hyphens. */
static struct abt_bytes
plain_name(struct abt_arena *arena, struct abt_bytes name, size_t max)
{
	char *out;

	if (name.n > max)
		name.n = max;
	out = abt_arena_text(arena, name);
	if (out == NULL)
		return abt_bytes(NULL, 0);
	for (size_t i = 0; i < name.n; i++)
		if (!abt_char_is(out[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT))
			out[i] = '-';
	return abt_bytes(out, name.n);
}

static uint64_t
hash(struct abt_bytes text)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
	return h;
}

struct abt_bytes
abt_target_group_arn(struct abt_arena *arena, struct abt_bytes region,
    struct abt_bytes account, struct abt_bytes function)
{
	struct abt_bytes name = plain_name(arena, function, 32);

	return abt_arena_printf(arena,
	    "arn:aws:elasticloadbalancing:%.*s:%.*s:targetgroup/%.*s/"
	    "%016" PRIx64,
	    ABT_FMT(region), ABT_FMT(account), ABT_FMT(name), hash(function));
}

static bool
check_names(struct abt_source *source, const struct abt_front_options *options,
    const struct abt_json *at)
{
	struct abt_bytes account = options->account;
	unsigned before = source->errors;

	if (account.n != 12 || !abt_bytes_all(account, ABT_CHAR_DIGIT))
		abt_complain(source, member(at, "account"),
		    "\"account\" must be 12 digits like " ABT_ACCOUNT
		    ", not \"%.*s\"",
		    ABT_FMT(account));
	if (options->region.n == 0)
		abt_complain(source, member(at, "region"),
		    "\"region\" is empty; leave it out for " ABT_REGION);
	return source->errors == before;
}

static int
check_attributes(struct abt_source *source, const struct abt_json *at,
    const struct abt_front *front)
{
	char why[256] = "";

	if (front->dialect->check == NULL ||
	    front->dialect->check(front, why, sizeof why) == 0)
		return 0;
	abt_complain(source, member(at, "attributes"), "%s", why);
	return -1;
}

int
abt_front_make(struct abt_source *source, struct abt_bytes name,
    const struct abt_front_options *options, const struct abt_json *at,
    struct abt_front *front)
{
	const struct abt_option *multi;
	struct abt_arena *arena = source->arena;
	struct abt_bytes plain;
	void *attributes;
	int rc;

	*front = (struct abt_front){ 0 };
	front->dialect = find_dialect(options->dialect, &multi);
	if (front->dialect == NULL) {
		unknown_dialect(
		    source, options->dialect, member(at, "dialect"));
		return -1;
	}
	attributes = abt_arena_zero(arena, front->dialect->attributes_size + 1);
	plain = plain_name(arena, name, 32);
	if (attributes == NULL || abt_arena_failed(arena)) {
		abt_complain(source, NULL, "out of memory");
		return -1;
	}
	front->name = name;
	front->id = hash(name);
	front->attributes = attributes;
	front->limits_off = options->limits == 1;
	front->region = options->region;
	front->account = options->account;
	front->dns_name = options->dns_name;
	if (front->dns_name.n == 0)
		front->dns_name = abt_arena_printf(arena,
		    "%.*s-123456789.%.*s.elb.amazonaws.com", ABT_FMT(plain),
		    ABT_FMT(options->region));
	rc = fill_attributes(source, options, multi, front, attributes);
	if (rc == 0)
		rc = check_attributes(source, at, front);
	if (abt_api_make(source, options, at, front) != 0)
		rc = -1;
	if (!check_names(source, options, at) || abt_arena_failed(arena))
		rc = -1;
	return rc;
}

void
abt_front_finish(struct abt_front *front)
{
	if (front->dialect->make_policy != NULL)
		front->dialect->make_policy(front);
}
