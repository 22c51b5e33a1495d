/*
 * serve_setup.c - the setup of a function on the command line
 *
 * The same structs that a file becomes.  Texts stay where the command line's
 * are: they live until the program ends, and nothing of this is reloaded.
 */
#include "cli/serve.h"

#include "cli/front.h"
#include "config/api.h"
#include "config/functions.h"
#include "config/listeners.h"
#include "config/program.h"
#include "function/runtime.h"
#include "route/route.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct abt_serve_options *
options_of(const struct abt_cli *cli)
{
	return cli->options;
}

/* ---- the function ---- */

static bool
name_byte(char c)
{
	return abt_char_is(c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) || c == '-' ||
	       c == '_';
}

/* "src/app.handler" and "./bootstrap" become "app" and "bootstrap". */
static char *
function_name(struct abt_cli *cli, const char *target)
{
	const char *base = strrchr(target, '/');
	struct abt_bytes text;
	char *name;

	text = abt_bytes_text(base != NULL ? base + 1 : target);
	if (abt_bytes_find(text, '.') > 0)
		text.n = abt_bytes_find(text, '.');
	if (text.n > 64)
		text.n = 64;
	name = abt_arena_text(&cli->arena, text);
	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (!name_byte(*p))
			*p = '-';
	if (name != NULL && name[0] == '\0')
		name = abt_arena_text(&cli->arena, ABT_BYTES("function"));
	return name;
}

static int
check_name(struct abt_cli *cli)
{
	struct abt_bytes name = options_of(cli)->own.name;

	for (size_t i = 0; i < name.n; i++)
		if (!name_byte(name.p[i]))
			return abt_cli_usage(cli,
			    "--name takes letters, digits, - and _, not "
			    "\"%.*s\"",
			    ABT_FMT(name));
	return 0;
}

/* The words behind "--" into the list that the backend runs. */
static int
set_command(struct abt_cli *cli, const struct abt_backend *backend, void *self)
{
	const struct abt_option *row = backend->options;
	struct abt_source source = cli->source;
	char why[256];

	while (row->kind != ABT_OPTION_END &&
	       (row->kind != ABT_LIST || strcmp(row->name, "command") != 0))
		row++;
	if (row->kind == ABT_OPTION_END)
		return abt_cli_usage(
		    cli, "the backend %s takes no program", backend->name);
	for (size_t i = 0; i < cli->rest_count; i++)
		if (abt_schema_text(
			&source, row, cli->rest[i], self, why, sizeof why) != 0)
			return abt_cli_usage(cli, "%s %s", cli->rest[i], why);
	return 0;
}

/* A handler is named from the function's folder on; an absolute one names that
 * folder too. */
static void
set_handler(const char *target, struct abt_function_options *options)
{
	const char *slash = strrchr(target, '/');

	options->handler = abt_bytes_text(target);
	if (target[0] != '/' || slash == target)
		return;
	options->root = abt_bytes(target, (size_t)(slash - target));
	options->handler = abt_bytes_text(slash + 1);
}

static int
fill_draft(struct abt_cli *cli, struct abt_draft *draft)
{
	const struct abt_serve_options *options = options_of(cli);

	int64_t timeout_ms = draft->options.timeout_ms;

	draft->options = options->function;
	if (!abt_cli_given(cli, "timeout")) /* the backend's */
		draft->options.timeout_ms = timeout_ms;
	if (options->cgi.program.n > 0) {
		memcpy(draft->self, &options->cgi, sizeof(options->cgi));
		return 0;
	}
	if (options->fastcgi.socket.n > 0) {
		memcpy(
		    draft->self, &options->fastcgi, sizeof(options->fastcgi));
		return 0;
	}
	if (options->own.handler.n > 0)
		draft->options.handler = options->own.handler;
	if (cli->rest != NULL)
		return set_command(cli, draft->backend, draft->self);
	set_handler(cli->operands[0], &draft->options);
	((struct abt_runtime *)draft->self)->kind = options->own.runtime;
	return 0;
}

/* A file where a handler or a program should stand. */
static int
check_file(struct abt_cli *cli, const char *target)
{
	static const char *const ends[] = { ".py", ".js", ".mjs", ".cjs",
		".ts" };
	struct abt_bytes text = abt_bytes_text(target);
	char why[1024], path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%.*s/%s",
	    ABT_FMT(options_of(cli)->function.root), target);
	if (stat(target[0] == '/' ? target : path, &st) != 0 ||
	    !S_ISREG(st.st_mode) || (st.st_mode & 0111) != 0)
		return 0;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (abt_bytes_ends(text, abt_bytes_text(ends[i])))
			return abt_cli_usage(cli,
			    "%s is a file: name the function in it too, as in "
			    "%.*s.handler",
			    target, (int)(text.n - strlen(ends[i])), target);
	if (strchr(target, '/') != NULL &&
	    abt_program_look(
		&options_of(cli)->function, text, why, sizeof why) != 0)
		return abt_cli_usage(cli, "%s", why);
	return 0;
}

static bool
takes_messages(const struct abt_serve_options *options)
{
	return options->cgi.program.n > 0 || options->fastcgi.socket.n > 0;
}

/* What to serve is said once, and in one way. */
static int
check_target(struct abt_cli *cli)
{
	const struct abt_serve_options *options = options_of(cli);

	if (cli->operand_count > 1)
		return abt_cli_usage(cli,
		    "one function at a time: what is \"%s\"? several need a "
		    "file, see `albatross help config`",
		    cli->operands[1]);
	if (cli->operand_count == 1 && cli->rest != NULL)
		return abt_cli_usage(cli,
		    "\"%s\" and the program behind -- are two functions; keep "
		    "one",
		    cli->operands[0]);
	if (cli->rest != NULL && cli->rest_count == 0)
		return abt_cli_usage(cli, "no program stands behind --");
	if (options->own.command && cli->rest == NULL)
		return abt_cli_usage(cli,
		    "--command wants a filter behind --: albatross serve "
		    "--command -- ./filter");
	if (options->cgi.program.n > 0 && options->fastcgi.socket.n > 0)
		return abt_cli_usage(
		    cli, "--cgi and --fastcgi are two functions; keep one");
	if (takes_messages(options) &&
	    (cli->operand_count > 0 || cli->rest != NULL))
		return abt_cli_usage(cli,
		    "--%s and \"%s\" are two functions; keep one",
		    options->cgi.program.n > 0 ? "cgi" : "fastcgi",
		    cli->rest != NULL ? cli->rest[0] : cli->operands[0]);
	if (cli->operand_count == 0 && cli->rest == NULL &&
	    !takes_messages(options))
		return abt_cli_usage(cli,
		    "what shall be served? app.handler, ./bootstrap, -- "
		    "PROGRAM, --cgi PATH or -c FILE; %s",
		    access("albatross.json", R_OK) == 0
			? "here is a file: albatross serve -c albatross.json"
			: "`albatross serve --help` has examples");
	if (cli->operand_count == 1 && check_file(cli, cli->operands[0]) != 0)
		return ABT_EXIT_USAGE;
	return check_name(cli);
}

/* What the function is named after. */
static const char *
target_of(const struct abt_cli *cli)
{
	const struct abt_serve_options *options = options_of(cli);

	if (options->cgi.program.n > 0)
		return options->cgi.program.p;
	if (options->fastcgi.socket.n > 0)
		return "fastcgi";
	return cli->rest != NULL ? cli->rest[0] : cli->operands[0];
}

static const char *
backend_of(const struct abt_serve_options *options)
{
	if (options->cgi.program.n > 0)
		return "cgi";
	if (options->fastcgi.socket.n > 0)
		return "fastcgi";
	return options->own.command ? "command" : "runtime";
}

static struct abt_function *
make_function(struct abt_cli *cli, int *status)
{
	const struct abt_serve_options *options = options_of(cli);
	const char *target = target_of(cli);
	const char *name = options->own.name.n > 0 ? options->own.name.p
						   : function_name(cli, target);
	struct abt_function *function;
	struct abt_draft draft;

	*status = ABT_EXIT_USAGE;
	if (abt_draft_begin(&cli->source, &draft,
		abt_backend_find(abt_bytes_text(backend_of(options)))) != 0)
		return NULL;
	*status = fill_draft(cli, &draft);
	if (*status != 0) {
		abt_draft_end(&draft);
		return NULL;
	}
	function = abt_draft_finish(&cli->source, &draft, name, NULL);
	if (function == NULL)
		*status = ABT_EXIT_USAGE;
	return function;
}

/* ---- front and listeners ---- */

static int
make_front(struct abt_cli *cli, struct abt_setup *setup)
{
	const struct abt_front_options *options = &options_of(cli)->front;
	struct abt_function *function = setup->functions[0];
	struct abt_routes *routes = abt_arena_zero(&cli->arena, sizeof *routes);
	struct abt_route *route = abt_arena_zero(&cli->arena, sizeof *route);
	int status;

	setup->fronts = abt_arena_zero(&setup->arena, sizeof *setup->fronts);
	if (routes == NULL || route == NULL || setup->fronts == NULL)
		return -1;
	status = abt_cli_front(cli, function->name, options, setup->fronts);
	setup->front_count = status == 0;
	if (status == 0 && setup->fronts[0].api != NULL)
		return abt_api_routes_make(
			   &cli->source, options, function, setup->fronts) == 0
			   ? 0
			   : ABT_EXIT_USAGE;
	if (status != 0)
		return status;
	route->action = ABT_FORWARD;
	route->function = function;
	route->target_group_arn = options->target_group_arn;
	if (route->target_group_arn.n == 0)
		route->target_group_arn =
		    abt_target_group_arn(&cli->arena, options->region,
			options->account, abt_bytes_text(function->name));
	routes->routes = route;
	routes->count = 1;
	setup->fronts[0].routes = routes;
	return 0;
}

static struct abt_bytes
make_address(struct abt_cli *cli, struct abt_bytes host, int64_t port)
{
	if (abt_bytes_starts(host, ABT_BYTES("unix:")))
		return host;
	if (abt_bytes_find(host, ':') < host.n && host.p[0] != '[')
		return abt_arena_printf(
		    &cli->arena, "[%.*s]:%lld", ABT_FMT(host), (long long)port);
	return abt_arena_printf(
	    &cli->arena, "%.*s:%lld", ABT_FMT(host), (long long)port);
}

static struct abt_setup_listener *
add_listener(struct abt_cli *cli, struct abt_setup *setup, int64_t port)
{
	struct abt_setup_listener *listener =
	    &setup->listeners[setup->listener_count++];

	listener->address = make_address(cli, options_of(cli)->own.host, port);
	listener->front = setup->fronts;
	return listener;
}

static int
set_certificate(struct abt_cli *cli, struct abt_setup_listener *listener)
{
	const struct abt_serve_own *own = &options_of(cli)->own;

	listener->tls = true;
	if (own->cert.n == 0 && own->key.n == 0)
		return 0;
	listener->certificates =
	    abt_arena_zero(&cli->arena, sizeof *listener->certificates);
	if (listener->certificates == NULL)
		return -1;
	listener->certificates->certificate = own->cert.p;
	listener->certificates->key = own->key.p;
	listener->certificate_count = 1;
	return 0;
}

static int
check_tls(struct abt_cli *cli)
{
	const struct abt_serve_own *own = &options_of(cli)->own;
	bool is_unix = abt_bytes_starts(own->host, ABT_BYTES("unix:"));

	if ((own->cert.n > 0) != (own->key.n > 0))
		return abt_cli_usage(cli,
		    "--cert and --key go together: --%s "
		    "is missing",
		    own->cert.n > 0 ? "key" : "cert");
	if (abt_cli_given(cli, "tls-port") && is_unix)
		return abt_cli_usage(
		    cli, "--tls-port wants an address, not a unix socket");
	if (abt_cli_given(cli, "tls-port") && own->tls_port == own->port &&
	    own->port != 0)
		return abt_cli_usage(cli,
		    "--tls-port and --port are the same; for HTTPS alone "
		    "leave --tls-port out");
	return 0;
}

static int
make_listeners(struct abt_cli *cli, struct abt_setup *setup)
{
	const struct abt_serve_own *own = &options_of(cli)->own;
	bool both = abt_cli_given(cli, "tls-port");
	struct abt_setup_listener *listener;
	int status = check_tls(cli);

	if (status != 0)
		return status;
	setup->listeners =
	    abt_arena_array(&setup->arena, 2, sizeof *setup->listeners);
	if (setup->listeners == NULL)
		return -1;
	listener = add_listener(cli, setup, own->port);
	if (both)
		listener = add_listener(cli, setup, own->tls_port);
	if (!abt_address_looks_right(listener->address))
		return abt_cli_usage(cli,
		    "--host must be an address like 127.0.0.1, ::1 or "
		    "unix:/path, not \"%.*s\"",
		    ABT_FMT(own->host));
	if (own->tls || both || own->cert.n > 0)
		return set_certificate(cli, listener);
	return 0;
}

static int
fill_setup(struct abt_cli *cli, struct abt_setup *setup)
{
	const struct abt_serve_options *options = options_of(cli);
	int status = check_target(cli);

	if (status != 0)
		return status;
	setup->functions =
	    abt_arena_zero(&setup->arena, sizeof *setup->functions);
	if (setup->functions == NULL)
		return -1;
	setup->functions[0] = make_function(cli, &status);
	if (setup->functions[0] == NULL)
		return status;
	setup->function_count = 1;
	status = make_front(cli, setup);
	if (status == 0)
		status = make_listeners(cli, setup);
	if (status != 0)
		return status;
	abt_settings_apply(&options->settings, setup);
	setup->watch = options->own.watch;
	return abt_arena_failed(&cli->arena) ? -1 : 0;
}

struct abt_setup *
abt_serve_setup(struct abt_cli *cli, int *status)
{
	struct abt_setup *setup = abt_setup_new();

	*status = setup != NULL ? fill_setup(cli, setup) : -1;
	if (*status == 0)
		return setup;
	if (*status == -1) {
		abt_cli_no_memory(cli);
		*status = ABT_EXIT_BROKEN;
	}
	abt_setup_free(setup);
	return NULL;
}
