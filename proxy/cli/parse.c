/*
 * parse.c - the command line by option rows
 *
 * Long flags as --name value or --name=value, short ones as -x value or
 * -xvalue; a switch takes a value only behind '='.  Operands may stand among
 * the flags. What follows "--" is left alone where a command takes a program,
 * and is operands elsewhere.
 */
#include <stdarg.h>

#include "cli/command.h"

#define MAX_NAMES 128

const char *
abt_flag_long(const char *flag)
{
	return flag[0] != '\0' && flag[1] == '|' ? flag + 2 : flag;
}

char
abt_flag_short(const char *flag)
{
	return flag[0] != '\0' && flag[1] == '|' ? flag[0] : '\0';
}

int
abt_cli_usage(const struct abt_cli *cli, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	if (cli->command != NULL)
		fprintf(stderr, "albatross %s: ", cli->command->name);
	else
		fputs("albatross: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return ABT_EXIT_USAGE;
}

int
abt_cli_no_memory(const struct abt_cli *cli)
{
	abt_cli_usage(cli, "out of memory");
	return ABT_EXIT_BROKEN;
}

int
abt_cli_flush(const struct abt_cli *cli, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	abt_cli_usage(cli, "could not write to standard output");
	return ABT_EXIT_BROKEN;
}

bool
abt_cli_given(const struct abt_cli *cli, const char *flag)
{
	for (size_t i = 0; i < cli->given_count; i++)
		if (strcmp(cli->given[i], flag) == 0)
			return true;
	return false;
}

static bool
flag_is(const struct abt_option *row, struct abt_bytes name, char letter)
{
	if (row->flag == NULL)
		return false;
	if (letter != '\0')
		return abt_flag_short(row->flag) == letter;
	return abt_bytes_equal(name, abt_bytes_text(abt_flag_long(row->flag)));
}

static const struct abt_option *
find_flag(const struct abt_option *rows, struct abt_bytes name, char letter)
{
	for (; rows != NULL && rows->kind != ABT_OPTION_END; rows++)
		if (flag_is(rows, name, letter))
			return rows;
	return NULL;
}

/* The first row of that flag among the command's and the dialects'. */
static const struct abt_option *
find_any(const struct abt_command *command, struct abt_bytes name, char letter)
{
	const struct abt_option *row;

	for (const struct abt_option_group *g = command->groups;
	     g != NULL && g->rows != NULL; g++)
		if ((row = find_flag(g->rows, name, letter)) != NULL)
			return row;
	for (size_t i = 0; command->attributes && abt_dialects[i] != NULL; i++)
		if ((row = find_flag(
			 abt_dialects[i]->attributes, name, letter)) != NULL)
			return row;
	return NULL;
}

struct names {
	const char *names[MAX_NAMES];
	size_t count;
};

static void
collect_name(void *context, const char *title, const struct abt_option *row)
{
	struct names *names = context;

	(void)title;
	if (names->count < MAX_NAMES)
		names->names[names->count++] = abt_flag_long(row->flag);
}

static int
unknown_flag(const struct abt_cli *cli, const char *word, struct abt_bytes name)
{
	struct names names = { .count = 0 };
	const char *nearest;

	abt_command_flags(cli->command, collect_name, &names);
	nearest = abt_schema_nearest(name, names.names, names.count);
	if (nearest != NULL)
		abt_cli_usage(cli, "unknown option %s, did you mean --%s?",
		    word, nearest);
	else
		abt_cli_usage(cli,
		    "unknown option %s; `albatross %s --help` lists them all",
		    word, cli->command->name);
	return -1;
}

/* Keep an attribute's flag until the dialect is known. */
static void
keep_attribute(
    struct abt_cli *cli, const struct abt_option *row, const char *value)
{
	struct abt_attribute *all =
	    abt_arena_array(&cli->arena, cli->attribute_count + 1, sizeof *all);

	if (all == NULL)
		return;
	if (cli->attribute_count > 0)
		memcpy(
		    all, cli->attributes, cli->attribute_count * sizeof *all);
	all[cli->attribute_count].name = row->name;
	all[cli->attribute_count].flag = abt_flag_long(row->flag);
	all[cli->attribute_count].value = value;
	cli->attributes = all;
	cli->attribute_count++;
}

/* Fill every group that has the flag of |row|. */
static int
take_value(struct abt_cli *cli, const struct abt_option *row, const char *value)
{
	struct abt_bytes name = abt_bytes_text(abt_flag_long(row->flag));
	bool own = false;
	char why[512];

	cli->given[cli->given_count++] = name.p;
	for (const struct abt_option_group *g = cli->command->groups;
	     g != NULL && g->rows != NULL; g++) {
		const struct abt_option *same = find_flag(g->rows, name, '\0');

		if (same == NULL)
			continue;
		own = true;
		if (abt_schema_text(&cli->source, same, value,
			(char *)cli->options + g->offset, why,
			sizeof why) != 0) {
			abt_cli_usage(cli, "--%s %s", name.p, why);
			return -1;
		}
	}
	if (!own)
		keep_attribute(cli, row, value);
	return 0;
}

static int
take_long(struct abt_cli *cli, char **argv, int argc, int *i)
{
	const char *word = argv[*i];
	struct abt_bytes name = abt_bytes_text(word + 2);
	size_t n = abt_bytes_find(name, '=');
	const char *value = n < name.n ? name.p + n + 1 : NULL;
	const struct abt_option *row;

	name.n = n;
	row = find_any(cli->command, name, '\0');
	if (row == NULL)
		return unknown_flag(cli, word, name);
	if (value == NULL && !abt_flag_takes(row))
		value = "true";
	if (value == NULL && *i + 1 < argc)
		value = argv[++*i];
	if (value == NULL) {
		abt_cli_usage(cli, "%s wants a value: %s %s", word, word,
		    row->argument != NULL ? row->argument : "VALUE");
		return -1;
	}
	return take_value(cli, row, value);
}

static int
take_short(struct abt_cli *cli, char **argv, int argc, int *i)
{
	const char *word = argv[*i];

	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct abt_option *row =
		    find_any(cli->command, ABT_BYTES(""), *p);
		const char *value = "true";

		if (row == NULL) {
			char letter[3] = { '-', *p, '\0' };

			return unknown_flag(cli, letter, ABT_BYTES(""));
		}
		if (!abt_flag_takes(row)) {
			if (take_value(cli, row, value) != 0)
				return -1;
			continue;
		}
		value = p[1] != '\0'    ? p + 1
			: *i + 1 < argc ? argv[++*i]
					: NULL;
		if (value == NULL) {
			abt_cli_usage(cli, "-%c wants a value: -%c %s", *p, *p,
			    row->argument != NULL ? row->argument : "VALUE");
			return -1;
		}
		return take_value(cli, row, value);
	}
	return 0;
}

static int
take_word(struct abt_cli *cli, char **argv, int argc, int *i)
{
	const char *word = argv[*i];

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		cli->help = true;
		return 0;
	}
	if (word[0] == '-' && word[1] == '-')
		return take_long(cli, argv, argc, i);
	if (word[0] == '-' && word[1] != '\0')
		return take_short(cli, argv, argc, i);
	cli->operands[cli->operand_count++] = word;
	return 0;
}

/* Letters of one word each give one name: room for every byte of argv. */
static size_t
given_room(int argc, char **argv)
{
	size_t room = 1;

	for (int i = 2; i < argc; i++)
		room += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i])
							       : 1;
	return room;
}

static int
prepare(struct abt_cli *cli, int argc, char **argv)
{
	size_t words = (size_t)argc;

	cli->operand_count = cli->given_count = cli->attribute_count = 0;
	cli->rest = NULL;
	cli->rest_count = 0;
	cli->help = false;
	cli->options = abt_arena_zero(&cli->arena, cli->command->size + 1);
	cli->operands =
	    abt_arena_array(&cli->arena, words, sizeof *cli->operands);
	cli->given = abt_arena_array(
	    &cli->arena, given_room(argc, argv), sizeof *cli->given);
	if (abt_arena_failed(&cli->arena))
		return -1;
	for (const struct abt_option_group *g = cli->command->groups;
	     g != NULL && g->rows != NULL; g++)
		if (abt_schema_presets(&cli->source, g->rows,
			(char *)cli->options + g->offset) != 0)
			return -1;
	return 0;
}

int
abt_cli_parse(struct abt_cli *cli, int argc, char **argv)
{
	if (prepare(cli, argc, argv) != 0) {
		abt_cli_no_memory(cli);
		return -1;
	}
	for (int i = 2; i < argc && !cli->help; i++) {
		if (strcmp(argv[i], "--") == 0 && cli->command->rest) {
			cli->rest = argv + i + 1;
			cli->rest_count = (size_t)(argc - i - 1);
			break;
		}
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				cli->operands[cli->operand_count++] = argv[i];
			break;
		}
		if (take_word(cli, argv, argc, &i) != 0)
			return -1;
	}
	if (abt_arena_failed(&cli->arena)) {
		abt_cli_no_memory(cli);
		return -1;
	}
	return 0;
}
