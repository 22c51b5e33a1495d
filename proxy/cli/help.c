/*
 * help.c - --help, the overview and the list of rules
 */
#include "albatross.h"
#include "cli/command.h"
#include "cli/verdict.h"

#define COLUMN 28

void
abt_command_flags(const struct abt_command *command,
    void (*visit)(
	void *context, const char *title, const struct abt_option *row),
    void *context)
{
	const struct abt_option_group *g;

	for (g = command->groups; g != NULL && g->rows != NULL; g++)
		for (const struct abt_option *row = g->rows;
		     row->kind != ABT_OPTION_END; row++) {
			const struct abt_option_group *b = command->groups;
			bool seen = false;

			if (row->flag == NULL)
				continue;
			/* A flag of several groups is told once. */
			for (; b != g && !seen; b++)
				for (const struct abt_option *r = b->rows;
				     r->kind != ABT_OPTION_END && !seen; r++)
					seen = r->flag != NULL &&
					       strcmp(r->flag, row->flag) == 0;
			if (!seen)
				visit(context, g->title, row);
		}
	for (size_t i = 0; command->attributes && abt_dialects[i] != NULL; i++)
		for (const struct abt_option *row = abt_dialects[i]->attributes;
		     row != NULL && row->kind != ABT_OPTION_END; row++)
			if (row->flag != NULL)
				visit(context, abt_dialects[i]->title, row);
}

const struct abt_command *
abt_command_find(const struct abt_command *const *commands, const char *name)
{
	for (; *commands != NULL; commands++)
		if (strcmp((*commands)->name, name) == 0)
			return *commands;
	return NULL;
}

/* What stands behind a flag: the names of a choice, or the row's own word. */
static void
flag_argument(const struct abt_option *row, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	if (!abt_flag_takes(row))
		return;
	for (size_t i = 0; row->kind == ABT_ENUM && row->names[i] != NULL;
	     i++) {
		snprintf(out + used, size - used, "%s%s", i > 0 ? "|" : "",
		    row->names[i]);
		used += strlen(out + used);
	}
	if (used == 0)
		snprintf(out, size, "%s",
		    row->argument != NULL ? row->argument : "VALUE");
}

struct listing {
	FILE *out;
	const char *title;
};

static void
print_flag(void *context, const char *title, const struct abt_option *row)
{
	struct listing *list = context;
	char left[192], help[512], argument[96];
	char letter = abt_flag_short(row->flag);

	if (list->title != title)
		fprintf(list->out, "\n%s:\n", title);
	list->title = title;
	flag_argument(row, argument, sizeof argument);
	snprintf(left, sizeof left, "  %c%c%s--%s%s%s",
	    letter != '\0' ? '-' : ' ', letter != '\0' ? letter : ' ',
	    letter != '\0' ? ", " : "  ", abt_flag_long(row->flag),
	    argument[0] != '\0' ? " " : "", argument);
	if (abt_flag_takes(row) && row->preset != NULL &&
	    row->preset[0] != '\0')
		snprintf(help, sizeof help, "%s (default %s)", row->help,
		    row->preset);
	else
		snprintf(help, sizeof help, "%s", row->help);
	if (strlen(left) + 2 > COLUMN) {
		fprintf(list->out, "%s\n", left);
		left[0] = '\0';
	}
	abt_print_folded(list->out, left, COLUMN, help);
}

void
abt_help_command(FILE *out, const struct abt_command *command)
{
	struct listing list = { .out = out };

	fprintf(out, "Usage: albatross %s %s\n\n", command->name,
	    command->operands);
	if (command->about != NULL)
		abt_print_folded(out, "", 0, command->about);
	abt_command_flags(command, print_flag, &list);
	if (command->examples != NULL)
		fprintf(out, "\nExamples:\n%s", command->examples);
}

void
abt_help_overview(FILE *out, const struct abt_command *const *commands)
{
	fputs("albatross " ABT_VERSION ", the AWS front doors on your machine: "
	      "HTTP in, the exact\nevent to your function, its result back as "
	      "HTTP.\n\nUsage: albatross COMMAND [OPTION...]\n\n",
	    out);
	for (; *commands != NULL; commands++)
		if (!(*commands)->hidden)
			fprintf(out, "  %-8s %s\n", (*commands)->name,
			    (*commands)->summary);
	fputs("\nTry: albatross serve app.handler\n"
	      "`albatross COMMAND --help` tells all about a command, "
	      "`albatross help config`\nabout the configuration file, "
	      "`albatross help rules` about every rule.\n",
	    out);
}

void
abt_help_rules(FILE *out)
{
	for (size_t i = 0; i < ABT_RULES; i++) {
		const struct abt_rule *rule = &abt_rules[i];

		fprintf(out, "%s\n", rule->name);
		abt_print_folded(out, "    what", 12, rule->text);
		abt_print_folded(out, "    cure", 12, rule->cure);
		abt_print_folded(out, "    source", 12, rule->source);
	}
}
