/*
 * cmd_serve.c - serve a function, or what a file describes
 *
 * Makes the setup and the options of the server; everything after that is
 * gateway/server.c's.
 */
#include "base/log.h"
#include "cli/input.h"
#include "cli/pretty.h"
#include "cli/serve.h"
#include "config/load.h"
#include "config/print_setup.h"
#include "gateway/server.h"

#include <unistd.h>

static const struct abt_option_group groups[] = {
	{ "Serving", abt_serve_option_rows,
	    offsetof(struct abt_serve_options, own) },
	{ "Function", abt_function_option_rows,
	    offsetof(struct abt_serve_options, function) },
	{ "CGI", abt_cgi_option_rows, offsetof(struct abt_serve_options, cgi) },
	{ "FastCGI", abt_fastcgi_option_rows,
	    offsetof(struct abt_serve_options, fastcgi) },
	{ "Server", abt_settings_rows,
	    offsetof(struct abt_serve_options, settings) },
	{ "Front", abt_front_option_rows,
	    offsetof(struct abt_serve_options, front) },
	{ NULL, NULL, 0 },
};

/* ---- a file ---- */

static size_t
size_of(const struct abt_option *row)
{
	switch (row->kind) {
	case ABT_BOOL:
		return sizeof(bool);
	case ABT_ENUM:
		return sizeof(int);
	case ABT_STRING:
	case ABT_PATH:
		return sizeof(struct abt_bytes);
	default:
		return sizeof(int64_t);
	}
}

/* What the command line says about the server goes before the file. */
static void
override(struct abt_cli *cli, struct abt_setup *setup)
{
	const struct abt_serve_options *options = cli->options;
	struct abt_settings settings;
	const char *from = (const char *)&options->settings;
	char *to = (char *)&settings;

	abt_settings_of(setup, &settings);
	for (const struct abt_option *row = abt_settings_rows;
	     row->kind != ABT_OPTION_END; row++)
		if (row->flag != NULL &&
		    abt_cli_given(cli, abt_flag_long(row->flag)))
			memcpy(
			    to + row->offset, from + row->offset, size_of(row));
	if (options->own.verbose)
		settings.log.level = ABT_LOG_DEBUG;
	abt_settings_apply(&settings, setup);
	if (options->own.watch)
		setup->watch = true;
}

struct abt_setup *
abt_serve_load(struct abt_cli *cli,
    void (*complain)(void *context, const char *sentence), void *context)
{
	const struct abt_serve_options *options = cli->options;
	struct abt_setup *setup =
	    abt_load_file(options->own.config.p, complain, context);

	if (setup != NULL)
		override(cli, setup);
	return setup;
}

/* With a file, a function of the command line has no place. */
static int
check_file_options(struct abt_cli *cli)
{
	static const char *const fine[] = { "config", "watch", "check",
		"print-config", "verbose" };

	if (cli->operand_count > 0 || cli->rest != NULL)
		return abt_cli_usage(cli,
		    "-c and \"%s\" are two things to serve; keep one",
		    cli->rest_count > 0      ? cli->rest[0]
		    : cli->operand_count > 0 ? cli->operands[0]
					     : "--");
	for (size_t i = 0; i < cli->given_count; i++) {
		const char *flag = cli->given[i];
		bool known = false;

		for (size_t j = 0; j < sizeof fine / sizeof fine[0]; j++)
			known |= strcmp(flag, fine[j]) == 0;
		for (const struct abt_option *row = abt_settings_rows;
		     row->kind != ABT_OPTION_END; row++)
			known |= row->flag != NULL &&
				 strcmp(flag, abt_flag_long(row->flag)) == 0;
		if (!known)
			return abt_cli_usage(cli,
			    "--%s is for a function on the command line; "
			    "write it in the file of -c",
			    flag);
	}
	return 0;
}

/* ---- running ---- */

static void
complain_at_start(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

static void
complain_at_reload(void *context, const char *sentence)
{
	(void)context;
	abt_error("%s", sentence);
}

static void
set_log(const struct abt_setup *setup)
{
	abt_log_set_level((enum abt_log_level)setup->log_level);
	abt_log_set_json(setup->log_json);
}

static struct abt_setup *
reload(void *context)
{
	struct abt_cli *cli = context;
	struct abt_setup *setup = abt_serve_load(cli, complain_at_reload, NULL);

	if (setup != NULL)
		set_log(setup);
	return setup;
}

static bool
is_loopback(struct abt_bytes address)
{
	return abt_bytes_starts(address, ABT_BYTES("127.")) ||
	       abt_bytes_starts(address, ABT_BYTES("localhost:")) ||
	       abt_bytes_starts(address, ABT_BYTES("[::1]")) ||
	       abt_bytes_starts(address, ABT_BYTES("unix:"));
}

/* Explanations show what the function said: not for strangers (R7). */
static void
warn_explain(const struct abt_setup *setup)
{
	for (size_t i = 0; setup->explain && i < setup->listener_count; i++)
		if (!is_loopback(setup->listeners[i].address))
			abt_warning("%.*s can be reached from other machines, "
				    "and \"explain\" shows them the function's "
				    "errors",
			    ABT_FMT(setup->listeners[i].address));
}

/* Who forgets the stage gets a 403 that does not say so, as on AWS. */
static void
tell_stages(const struct abt_setup *setup)
{
	for (size_t i = 0; i < setup->front_count; i++) {
		const struct abt_api *api = setup->fronts[i].api;

		if (api != NULL && api->stage_in_path)
			abt_info("the paths of %.*s begin with its stage: "
				 "/%.*s/...",
			    ABT_FMT(setup->fronts[i].name),
			    ABT_FMT(api->stage));
	}
}

static int
serve(struct abt_cli *cli, struct abt_setup *setup)
{
	const struct abt_serve_options *options = cli->options;
	struct abt_server_options server = {
		.terminal = isatty(STDERR_FILENO) == 1,
		.color = abt_cli_color(STDERR_FILENO),
		.ready_fd = STDOUT_FILENO,
	};

	server.hangup_drains = server.terminal;
	if (options->own.config.n > 0) {
		server.reload = reload;
		server.context = cli;
	}
	abt_log_set_color(server.color);
	abt_log_set_time(!server.terminal || setup->log_json);
	warn_explain(setup);
	tell_stages(setup);
	return abt_serve(setup, &server);
}

static int
print_config(struct abt_cli *cli, const struct abt_setup *setup)
{
	struct abt_json_out out;
	struct abt_buf buf, pretty;
	bool failed;

	abt_buf_init(&buf, NULL, SIZE_MAX / 4);
	abt_buf_init(&pretty, NULL, SIZE_MAX / 4);
	abt_json_out_init(&out, &buf);
	abt_setup_print(&out, setup);
	abt_json_pretty(&pretty, abt_buf_bytes(&buf));
	failed = abt_json_out_failed(&out) || pretty.failed;
	if (!failed)
		fwrite(pretty.p, 1, pretty.n, stdout);
	abt_buf_end(&buf);
	abt_buf_end(&pretty);
	if (failed) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	return abt_cli_flush(cli, ABT_EXIT_OK);
}

static struct abt_setup *
make_setup(struct abt_cli *cli, int *status)
{
	const struct abt_serve_options *options = cli->options;
	struct abt_setup *setup;

	if (options->own.config.n == 0) {
		setup = abt_serve_setup(cli, status);
		if (setup != NULL && options->own.verbose)
			setup->log_level = ABT_LOG_DEBUG;
		return setup;
	}
	*status = check_file_options(cli);
	if (*status != 0)
		return NULL;
	setup = abt_serve_load(cli, complain_at_start, NULL);
	*status = ABT_EXIT_USAGE;
	return setup;
}

static int
run(struct abt_cli *cli)
{
	const struct abt_serve_options *options = cli->options;
	struct abt_setup *setup;
	int status;

	setup = make_setup(cli, &status);
	if (setup == NULL)
		return status;
	set_log(setup);
	status = abt_serve_check(cli, setup);
	if (status == 0 && options->own.print_config)
		status = print_config(cli, setup);
	else if (status == 0 && options->own.check)
		puts("all of this can be served");
	else if (status == 0)
		return serve(cli, setup);
	abt_setup_free(setup);
	return status;
}

const struct abt_command abt_cmd_serve = {
	.name = "serve",
	.operands = "[OPTION...] TARGET | -- PROGRAM [ARGUMENT...] | -c FILE",
	.summary = "serve a function behind a front door of AWS",
	.about =
	    "TARGET is a handler as AWS writes it (app.handler, looked up as "
	    "app.py, app.mjs, app.js or app.cjs) or an executable that polls "
	    "the Lambda Runtime API (./bootstrap). Behind -- stands any "
	    "program that polls the Runtime API, or with --command a filter "
	    "that reads an event and writes a result. In place of TARGET, "
	    "--cgi "
	    "names a CGI program that serves every path, or a folder of them. "
	    "Standard output carries one line \"listening URL\" for each "
	    "address and then \"ready\"; "
	    "everything else goes to standard error.",
	.examples =
	    "albatross serve app.handler\n"
	    "albatross serve --dialect http-2.0 --route 'GET /pets/{id}' "
	    "app.handler\n"
	    "albatross serve --tls --watch --env TABLE=books index.handler\n"
	    "albatross serve --port 0 -- ./target/debug/my-function\n"
	    "albatross serve --command -- jq -c '{statusCode: 200, body: "
	    ".path}'\n"
	    "albatross serve --cgi ./cgi-bin\n"
	    "albatross serve --cgi /usr/lib/git-core/git-http-backend "
	    "--env-file git.env\n"
	    "albatross serve --fastcgi unix:/run/php/php-fpm.sock --root "
	    "./public\n"
	    "albatross serve -c albatross.json\n",
	.size = sizeof(struct abt_serve_options),
	.groups = groups,
	.attributes = true,
	.rest = true,
	.run = run,
};
