/*
 * main.c - the table of commands
 */
#include "albatross.h"
#include "cli/command.h"
#include "net/tls.h"

static const struct abt_command *const commands[] = {
	&abt_cmd_serve,
	&abt_cmd_event,
	&abt_cmd_check,
	&abt_cmd_bootstrap,
	&abt_cmd_help,
	&abt_cmd_man,
	&abt_cmd_completion,
	NULL,
};

static void
complain(void *context, const char *sentence)
{
	abt_cli_usage(context, "%s", sentence);
}

static int
unknown_command(struct abt_cli *cli, const char *name)
{
	const char *names[sizeof commands / sizeof commands[0]], *nearest;
	size_t count = 0;

	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			names[count++] = commands[i]->name;
	nearest = abt_schema_nearest(abt_bytes_text(name), names, count);
	if (nearest != NULL)
		return abt_cli_usage(cli,
		    "there is no command \"%s\", did you mean \"%s\"?", name,
		    nearest);
	return abt_cli_usage(cli,
	    "there is no command \"%s\"; to serve a function: albatross serve "
	    "%s",
	    name, name);
}

static int
run(struct abt_cli *cli, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		puts("albatross " ABT_VERSION);
		return abt_cli_flush(cli, ABT_EXIT_OK);
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		abt_help_overview(argc > 1 ? stdout : stderr, commands);
		return abt_cli_flush(
		    cli, argc > 1 ? ABT_EXIT_OK : ABT_EXIT_USAGE);
	}
	cli->command = abt_command_find(commands, name);
	if (cli->command == NULL)
		return unknown_command(cli, name);
	if (abt_cli_parse(cli, argc, argv) != 0)
		return ABT_EXIT_USAGE;
	if (cli->help) {
		abt_help_command(stdout, cli->command);
		return abt_cli_flush(cli, ABT_EXIT_OK);
	}
	return cli->command->run(cli);
}

int
main(int argc, char **argv)
{
	struct abt_cli cli = { .commands = commands };
	int status;

	abt_tls_own_memory();
	abt_arena_init(&cli.arena, NULL);
	cli.source.arena = &cli.arena;
	cli.source.complain = complain;
	cli.source.context = &cli;
	status = run(&cli, argc, argv);
	abt_arena_end(&cli.arena);
	return status;
}
