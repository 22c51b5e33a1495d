/*
 * cmd_bootstrap.c - a CGI program or a web server as a Lambda function
 *
 * What the small static program does (bootstrap/main.c), as a command, so that
 * it can be tried where Lambda is not.
 */
#include "bootstrap/bootstrap.h"
#include "cli/command.h"

#include <stdlib.h>

#define AT(member) offsetof(struct abt_bootstrap_options, member)

static const struct abt_option rows[] = {
	{ .name = "cgi",
	    .kind = ABT_PATH,
	    .offset = AT(cgi),
	    .flag = "cgi",
	    .argument = "PROGRAM",
	    .help = "a CGI program, or a folder of them, answers" },
	{ .name = "prefix",
	    .kind = ABT_STRING,
	    .offset = AT(prefix),
	    .flag = "cgi-prefix",
	    .argument = "PATH",
	    .help = "the path before the programs: /cgi-bin" },
	{ .name = "http",
	    .kind = ABT_INT,
	    .offset = AT(port),
	    .preset = "0",
	    .max = 65535,
	    .flag = "http",
	    .argument = "PORT",
	    .help = "a web server answers: what follows -- is started with "
		    "PORT in its environment, and listens there" },
	{ .name = "document_root",
	    .kind = ABT_PATH,
	    .offset = AT(document_root),
	    .flag = "document-root",
	    .argument = "FOLDER",
	    .help = "DOCUMENT_ROOT of CGI programs; the program's folder when "
		    "left out" },
	{ .name = "interpreters",
	    .kind = ABT_MAP,
	    .offset = AT(interpreters),
	    .flag = "cgi-interpreter",
	    .argument = "END=PROGRAM",
	    .help = "the program that runs files of a folder whose names end "
		    "so: .php=/usr/bin/php-cgi" },
	{ .name = "index",
	    .kind = ABT_LIST,
	    .offset = AT(index),
	    .flag = "cgi-index",
	    .argument = "NAME",
	    .help = "a file that is run where the path is a folder" },
	{ .name = "authorization",
	    .kind = ABT_BOOL,
	    .offset = AT(authorization),
	    .flag = "cgi-authorization",
	    .help = "CGI programs see the Authorization header" },
	{ .name = "stream",
	    .kind = ABT_BOOL,
	    .offset = AT(stream),
	    .flag = "stream",
	    .help = "results go to Lambda while the program writes them; the "
		    "front must expect that (RESPONSE_STREAM)" },
	ABT_OPTIONS_END,
};

static const struct abt_option_group groups[] = {
	{ "Program", rows, 0 },
	{ NULL, NULL, 0 },
};

static int
run(struct abt_cli *cli)
{
	struct abt_bootstrap_options *options = cli->options;

	if (cli->operand_count > 0)
		return abt_cli_usage(
		    cli, "unexpected \"%s\"", cli->operands[0]);
	if ((options->port > 0) == (options->cgi.n > 0))
		return abt_cli_usage(
		    cli, "give either --cgi PROGRAM or --http PORT");
	if (cli->rest_count > 0 && options->port == 0)
		return abt_cli_usage(
		    cli, "what follows -- is for --http; --cgi has no command");
	options->api = getenv("AWS_LAMBDA_RUNTIME_API");
	if (options->api == NULL || *options->api == '\0')
		return abt_cli_usage(cli,
		    "AWS_LAMBDA_RUNTIME_API is not set: this is started by "
		    "Lambda, or by `albatross serve -- albatross bootstrap "
		    "...`");
	options->command = cli->rest_count > 0 ? cli->rest : NULL;
	return abt_bootstrap_run(options);
}

const struct abt_command abt_cmd_bootstrap = {
	.name = "bootstrap",
	.operands = "[OPTION...] [-- COMMAND...]",
	.summary = "have a CGI program or a web server answer Lambda events",
	.about =
	    "Takes events from the Runtime API, turns each back into the "
	    "request it was made of, lets the program answer, and gives the "
	    "answer as a result.  Events of an ALB, of REST and HTTP APIs and "
	    "of function URLs are understood, whichever comes.  CGI programs "
	    "find the variables of the function besides their own; a web "
	    "server is asked for what stands behind a stage, whose name it "
	    "finds in X-Forwarded-Prefix.\n"
	    "\n"
	    "On Lambda itself use the small static program that `make "
	    "bootstrap` builds: it stands in the zip as `bootstrap`, and takes "
	    "its options from the handler of the function's configuration.",
	.examples = "# gitweb on an ALB, as a Lambda function\n"
		    "albatross serve -- albatross bootstrap --cgi "
		    "/usr/share/gitweb/gitweb.cgi\n"
		    "# a web server\n"
		    "albatross serve -- albatross bootstrap --http 8000 -- "
		    "python3 -m http.server 8000\n",
	.size = sizeof(struct abt_bootstrap_options),
	.groups = groups,
	.rest = true,
	.run = run,
};
