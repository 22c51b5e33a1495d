/*
 * command.h - what a command of the program is
 *
 * Commands are const entries of a table in main.c, one file each.  A command's
 * options are groups of rows (albatross/option.h), each filling one part of its
 * own struct; parsing, --help, the manual and the completions all come from
 * them.  In a row, .flag is the long name, with "x|" before it for a short one
 * ("c|config").  A flag that stands in several groups fills all of them.
 */
#ifndef ABT_CLI_COMMAND_H
#define ABT_CLI_COMMAND_H

#include <stdio.h>

#include "albatross/dialect.h"
#include "config/schema.h"

#define ABT_EXIT_OK     0
#define ABT_EXIT_BROKEN 1 /* refused, broken, could not be done */
#define ABT_EXIT_USAGE  2 /* the command line or a file of the operator */

struct abt_cli;

struct abt_option_group {
	const char *title;             /* heading of --help and the manual */
	const struct abt_option *rows; /* NULL ends the list of groups */
	size_t offset;                 /* of its struct in the command's */
};

struct abt_command {
	const char *name;
	const char *operands; /* "[OPTION...] [FILE...]" */
	const char *summary;  /* one line without full stop */
	const char *about;    /* paragraphs for --help and the manual */
	const char *examples; /* lines of shell, comments begin with '#' */
	size_t size;          /* of the struct of its options */
	const struct abt_option_group *groups;
	bool attributes; /* takes the flags of the dialects' attributes too */
	bool rest;       /* "--" hands all that follows to a program */
	bool hidden;
	int (*run)(struct abt_cli *cli); /* the exit status */
};

/* A flag of a dialect's attribute, kept until the dialect is known. */
struct abt_attribute {
	const char *name; /* AWS's own name */
	const char *flag; /* as the operator wrote it */
	const char *value;
};

/* One run of the program. */
struct abt_cli {
	const struct abt_command *const *commands; /* NULL-terminated */
	const struct abt_command *command;
	struct abt_arena arena;
	struct abt_source source; /* of what the command line says */
	void *options;            /* the command's struct, filled */
	const char **operands;
	size_t operand_count;
	char **rest; /* behind "--"; NULL: there was none */
	size_t rest_count;
	struct abt_attribute *attributes;
	size_t attribute_count;
	const char **given; /* names of the rows that were written */
	size_t given_count;
	bool help;
};

/* Fill |cli| by its command's rows from argv[2] on.  0, or -1 after saying what
 * is wrong. */
int abt_cli_parse(struct abt_cli *cli, int argc, char **argv);
/* Was the option with that long flag written? */
bool abt_cli_given(const struct abt_cli *cli, const char *flag);
/* "albatross NAME: sentence" on stderr; returns ABT_EXIT_USAGE. */
int abt_cli_usage(const struct abt_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int abt_cli_no_memory(const struct abt_cli *cli);
/* What was written to stdout is there: |status|, or 1 after complaining. */
int abt_cli_flush(const struct abt_cli *cli, int status);

/* The long name of a row's flag, and its short letter or '\0'. */
const char *abt_flag_long(const char *flag);
char abt_flag_short(const char *flag);
/* Does the flag need an argument? */
static inline bool
abt_flag_takes(const struct abt_option *row)
{
	return row->kind != ABT_BOOL;
}

/* Call |visit| for every row with a flag once, in the order of --help. */
void abt_command_flags(const struct abt_command *command,
    void (*visit)(
	void *context, const char *title, const struct abt_option *row),
    void *context);

const struct abt_command *abt_command_find(
    const struct abt_command *const *commands, const char *name);

/* What "help", --help and the hidden commands print. */
void abt_help_overview(FILE *out, const struct abt_command *const *commands);
void abt_help_command(FILE *out, const struct abt_command *command);
void abt_help_rules(FILE *out);
void abt_help_config(FILE *out);
int abt_man_print(
    FILE *out, const struct abt_command *const *commands, const char *page);
int abt_completion_print(
    FILE *out, const struct abt_command *const *commands, const char *shell);

extern const struct abt_command abt_cmd_serve;
extern const struct abt_command abt_cmd_event;
extern const struct abt_command abt_cmd_check;
extern const struct abt_command abt_cmd_bootstrap;
extern const struct abt_command abt_cmd_help;
extern const struct abt_command abt_cmd_man;
extern const struct abt_command abt_cmd_completion;

#endif
