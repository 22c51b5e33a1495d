/*
 * redirect.c - the actions that invoke nothing: redirect, fixed response
 *
 * Source: alb.md 6.3.
 */
#include "config/redirect.h"

#include "config/routes.h"

#define PART_MAX 128
#define BODY_MAX 1024

static const char *const statuses[] = { "301", "302", "HTTP_301", "HTTP_302",
	NULL };
static const char *const protocols[] = { "#{protocol}", "HTTP", "HTTPS", NULL };
static const char *const types[] = { "text/plain", "text/css", "text/html",
	"application/javascript", "application/json", NULL };

struct redirect_options {
	int status;
	int protocol;
	struct abt_bytes host, port, path, query;
};

struct fixed_options {
	int64_t status;
	int content_type;
	struct abt_bytes body;
};

#define AT(member) offsetof(struct redirect_options, member)

const struct abt_option abt_redirect_option_rows[] = {
	{ .name = "status",
	    .kind = ABT_ENUM,
	    .offset = AT(status),
	    .names = statuses,
	    .help = "301 or 302",
	    .flags = ABT_OPTION_REQUIRED },
	{ .name = "protocol",
	    .kind = ABT_ENUM,
	    .offset = AT(protocol),
	    .preset = "#{protocol}",
	    .names = protocols,
	    .help = "HTTP, HTTPS or the request's own" },
	{ .name = "host",
	    .kind = ABT_STRING,
	    .offset = AT(host),
	    .preset = "#{host}",
	    .help = "the host to go to" },
	{ .name = "port",
	    .kind = ABT_STRING,
	    .offset = AT(port),
	    .preset = "#{port}",
	    .help = "the port to go to, as a string" },
	{ .name = "path",
	    .kind = ABT_STRING,
	    .offset = AT(path),
	    .preset = "/#{path}",
	    .help = "the path to go to, with its slash" },
	{ .name = "query",
	    .kind = ABT_STRING,
	    .offset = AT(query),
	    .preset = "#{query}",
	    .help = "the query, without the question mark" },
	ABT_OPTIONS_END,
};

#undef AT
#define AT(member) offsetof(struct fixed_options, member)

const struct abt_option abt_fixed_option_rows[] = {
	{ .name = "status",
	    .kind = ABT_INT,
	    .offset = AT(status),
	    .min = 200,
	    .max = 599,
	    .help = "2xx, 4xx or 5xx",
	    .flags = ABT_OPTION_REQUIRED },
	{ .name = "content_type",
	    .kind = ABT_ENUM,
	    .offset = AT(content_type),
	    .names = types,
	    .preset = "text/plain",
	    .help = "one of the five types that an ALB knows" },
	{ .name = "body",
	    .kind = ABT_STRING,
	    .offset = AT(body),
	    .help = "at most 1,024 bytes" },
	ABT_OPTIONS_END,
};

/* Which keywords which part may hold (alb.md 6.3). */
static bool
keyword_allowed(const char *part, struct abt_bytes keyword)
{
	static const char *const table[][2] = {
		{ "host", "host" },
		{ "port", "port" },
		{ "path", "host" },
		{ "path", "port" },
		{ "path", "path" },
		{ "query", "protocol" },
		{ "query", "host" },
		{ "query", "port" },
		{ "query", "path" },
		{ "query", "query" },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i][0], part) == 0 &&
		    abt_bytes_equal(keyword, abt_bytes_text(table[i][1])))
			return true;
	return false;
}

static void
check_part(struct abt_source *source, const struct abt_json *value,
    const char *name, struct abt_bytes text)
{
	const struct abt_json *at = abt_json_get(value, name);
	struct abt_bytes rest = text, keyword;

	if (at == NULL)
		return; /* the preset */
	if (text.n > PART_MAX)
		abt_complain(source, at,
		    "\"%s\" has %zu bytes, an ALB takes %d", name, text.n,
		    PART_MAX);
	for (;;) {
		size_t n = abt_bytes_search(rest, ABT_BYTES("#{"));

		if (n == rest.n)
			return;
		rest = abt_bytes(rest.p + n + 2, rest.n - n - 2);
		n = abt_bytes_find(rest, '}');
		keyword = abt_bytes(rest.p, n);
		if (n == rest.n || !keyword_allowed(name, keyword)) {
			abt_complain(source, at,
			    "\"%s\" cannot hold \"#{%.*s%s\"; keywords are "
			    "#{protocol}, #{host}, #{port}, #{path} and "
			    "#{query}, each where an ALB takes it",
			    name, ABT_FMT(keyword), n < rest.n ? "}" : "");
			return;
		}
		rest = abt_bytes(rest.p + n + 1, rest.n - n - 1);
	}
}

static void
check_port(struct abt_source *source, const struct abt_json *value,
    struct abt_bytes port)
{
	uint64_t number;

	if (abt_bytes_equal(port, ABT_BYTES("#{port}")))
		return;
	if (!abt_bytes_number(port, 10, 65535, &number) || number == 0)
		abt_complain(source, abt_json_get(value, "port"),
		    "\"port\" must be \"1\" to \"65535\" or \"#{port}\", not "
		    "\"%.*s\"",
		    ABT_FMT(port));
}

static void
check_redirect(struct abt_source *source, const struct abt_json *value,
    const struct redirect_options *options)
{
	check_part(source, value, "host", options->host);
	check_part(source, value, "port", options->port);
	check_part(source, value, "path", options->path);
	check_part(source, value, "query", options->query);
	check_port(source, value, options->port);
	if (options->host.n == 0)
		abt_complain(source, abt_json_get(value, "host"),
		    "\"host\" is empty; leave it out to keep the request's");
	if (options->path.n == 0 || options->path.p[0] != '/')
		abt_complain(source, abt_json_get(value, "path"),
		    "\"path\" must begin with a slash");
	if (options->query.n > 0 && options->query.p[0] == '?')
		abt_complain(source, abt_json_get(value, "query"),
		    "\"query\" is written without its question mark");
	if (options->protocol == 0 &&
	    abt_bytes_equal(options->host, ABT_BYTES("#{host}")) &&
	    abt_bytes_equal(options->port, ABT_BYTES("#{port}")) &&
	    abt_bytes_equal(options->path, ABT_BYTES("/#{path}")))
		abt_complain(source, value,
		    "the redirect leads back to where it came from: change "
		    "protocol, host, port or path");
}

int
abt_redirect_read(struct abt_source *source, const struct abt_json *value,
    struct abt_route *route)
{
	struct redirect_options options = { 0 };
	unsigned before = source->errors;

	if (abt_schema_read(
		source, value, abt_redirect_option_rows, NULL, &options) != 0)
		return -1;
	check_redirect(source, value, &options);
	route->action = ABT_REDIRECT;
	route->redirect = (struct abt_redirect){
		.status = options.status % 2 == 0 ? 301 : 302,
		.protocol = abt_bytes_text(protocols[options.protocol]),
		.host = options.host,
		.port = options.port,
		.path = options.path,
		.query = options.query,
	};
	return source->errors == before ? 0 : -1;
}

int
abt_fixed_read(struct abt_source *source, const struct abt_json *value,
    bool limits_off, struct abt_route *route)
{
	struct fixed_options options = { 0 };
	unsigned before = source->errors;

	if (abt_schema_read(
		source, value, abt_fixed_option_rows, NULL, &options) != 0)
		return -1;
	if (options.status / 100 == 3)
		abt_complain(source, abt_json_get(value, "status"),
		    "\"status\" must be 2xx, 4xx or 5xx; for a 3xx write "
		    "\"redirect\"");
	if (options.body.n > BODY_MAX && !limits_off)
		abt_complain(source, abt_json_get(value, "body"),
		    "\"body\" has %zu bytes, an ALB takes %d", options.body.n,
		    BODY_MAX);
	route->action = ABT_FIXED_RESPONSE;
	route->fixed = (struct abt_fixed_response){
		.status = (int)options.status,
		.body = options.body,
	};
	if (abt_json_get(value, "content_type") != NULL)
		route->fixed.content_type =
		    abt_bytes_text(types[options.content_type]);
	return source->errors == before ? 0 : -1;
}
