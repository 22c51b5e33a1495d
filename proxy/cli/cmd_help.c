/*
 * cmd_help.c - help, and the hidden commands that make manual and completions
 */
#include "cli/command.h"

static int
run_help(struct abt_cli *cli)
{
	const char *topic = cli->operand_count > 0 ? cli->operands[0] : NULL;
	const struct abt_command *command;

	if (topic == NULL) {
		abt_help_overview(stdout, cli->commands);
		return abt_cli_flush(cli, ABT_EXIT_OK);
	}
	if (strcmp(topic, "rules") == 0) {
		abt_help_rules(stdout);
		return abt_cli_flush(cli, ABT_EXIT_OK);
	}
	if (strcmp(topic, "config") == 0) {
		abt_help_config(stdout);
		return abt_cli_flush(cli, ABT_EXIT_OK);
	}
	command = abt_command_find(cli->commands, topic);
	if (command == NULL)
		return abt_cli_usage(cli,
		    "there is no topic \"%s\"; there are the commands, config "
		    "and rules",
		    topic);
	abt_help_command(stdout, command);
	return abt_cli_flush(cli, ABT_EXIT_OK);
}

static int
run_man(struct abt_cli *cli)
{
	const char *page = cli->operand_count > 0 ? cli->operands[0] : "";

	if (abt_man_print(stdout, cli->commands, page) != 0)
		return abt_cli_usage(cli,
		    "there is no page \"%s\"; there are conf and rules, and "
		    "the program's own without a name",
		    page);
	return abt_cli_flush(cli, ABT_EXIT_OK);
}

static int
run_completion(struct abt_cli *cli)
{
	const char *shell = cli->operand_count > 0 ? cli->operands[0] : "";

	if (abt_completion_print(stdout, cli->commands, shell) != 0)
		return abt_cli_usage(cli,
		    "there are completions for bash, zsh and fish, not for "
		    "\"%s\"",
		    shell);
	return abt_cli_flush(cli, ABT_EXIT_OK);
}

const struct abt_command abt_cmd_help = {
	.name = "help",
	.operands = "[COMMAND|config|rules]",
	.summary = "tell about a command, the configuration file or the rules",
	.run = run_help,
};

const struct abt_command abt_cmd_man = {
	.name = "_man",
	.operands = "[conf|rules]",
	.summary = "print a manual page",
	.hidden = true,
	.run = run_man,
};

const struct abt_command abt_cmd_completion = {
	.name = "_completion",
	.operands = "bash|zsh|fish",
	.summary = "print a completion script",
	.hidden = true,
	.run = run_completion,
};
