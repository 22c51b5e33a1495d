/*
 * completion.c - completion scripts of shells, from the tables
 */
#include "cli/command.h"

struct context {
	FILE *out;
	const char *command;
};

/* |text| inside single quotes of a shell. */
static void
put_quoted(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
}

static void
put_word(void *context, const char *title, const struct abt_option *row)
{
	struct context *c = context;
	char letter = abt_flag_short(row->flag);

	(void)title;
	fprintf(c->out, " --%s", abt_flag_long(row->flag));
	if (letter != '\0')
		fprintf(c->out, " -%c", letter);
}

/* The names of a choice behind its flag. */
static void
put_bash_choice(void *context, const char *title, const struct abt_option *row)
{
	struct context *c = context;

	(void)title;
	if (row->kind != ABT_ENUM)
		return;
	fprintf(
	    c->out, "\t%s:--%s) words='", c->command, abt_flag_long(row->flag));
	for (size_t i = 0; row->names[i] != NULL; i++)
		fprintf(c->out, "%s%s", i > 0 ? " " : "", row->names[i]);
	fputs("' ;;\n", c->out);
}

static void
put_bash(FILE *out, const struct abt_command *const *commands)
{
	struct context c = { .out = out };

	fputs("# bash completion for albatross\n_albatross()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal words=\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W '--help --version",
	    out);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			fprintf(out, " %s", commands[i]->name);
	fputs("' -- \"$cur\"))\n\t\treturn\n\tfi\n"
	      "\tcase \"${COMP_WORDS[1]}:$prev\" in\n",
	    out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		c.command = commands[i]->name;
		if (!commands[i]->hidden)
			abt_command_flags(commands[i], put_bash_choice, &c);
	}
	fputs("\tesac\n\tif [ -z \"$words\" ]; then\n"
	      "\t\tcase \"$cur\" in -*) ;; *)\n"
	      "\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	      "\t\t\treturn ;;\n\t\tesac\n"
	      "\t\tcase \"${COMP_WORDS[1]}\" in\n",
	    out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden)
			continue;
		fprintf(out, "\t\t%s) words='--help", commands[i]->name);
		abt_command_flags(commands[i], put_word, &c);
		fputs("' ;;\n", out);
	}
	fputs("\t\tesac\n\tfi\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	      "complete -o filenames -F _albatross albatross\n",
	    out);
}

static void
put_zsh_value(FILE *out, const struct abt_option *row)
{
	fprintf(out, ":%s:", row->kind == ABT_PATH ? "file" : "value");
	if (row->kind == ABT_PATH) {
		fputs("_files", out);
	} else if (row->kind == ABT_ENUM) {
		fputc('(', out);
		for (size_t i = 0; row->names[i] != NULL; i++)
			fprintf(out, "%s%s", i > 0 ? " " : "", row->names[i]);
		fputc(')', out);
	}
}

static void
put_zsh_flag(void *context, const char *title, const struct abt_option *row)
{
	struct context *c = context;
	bool many = row->kind == ABT_MAP || row->kind == ABT_LIST;

	(void)title;
	fprintf(c->out, " \\\n\t\t'%s--%s%s[", many ? "*" : "",
	    abt_flag_long(row->flag), abt_flag_takes(row) ? "=" : "");
	for (const char *p = row->help; *p != '\0'; p++) {
		if (*p == '[' || *p == ']' || *p == ':')
			fputc('\\', c->out);
		if (*p == '\'')
			fputs("'\\''", c->out);
		else
			fputc(*p, c->out);
	}
	fputc(']', c->out);
	if (abt_flag_takes(row))
		put_zsh_value(c->out, row);
	fputc('\'', c->out);
}

static void
put_zsh(FILE *out, const struct abt_command *const *commands)
{
	struct context c = { .out = out };

	fputs("#compdef albatross\n_albatross()\n{\n"
	      "\tif (( CURRENT == 2 )); then\n\t\tlocal -a commands=(\n",
	    out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden)
			continue;
		fprintf(out, "\t\t\t'%s:", commands[i]->name);
		put_quoted(out, commands[i]->summary);
		fputs("'\n", out);
	}
	fputs("\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tlocal command=$words[2]\n"
	      "\twords=($words[1] $words[3,-1])\n\t(( CURRENT-- ))\n"
	      "\tcase $command in\n",
	    out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden)
			continue;
		fprintf(out, "\t%s)\n\t\t_arguments '--help[tell about it]'",
		    commands[i]->name);
		abt_command_flags(commands[i], put_zsh_flag, &c);
		fputs(" \\\n\t\t'*:file:_files' ;;\n", out);
	}
	fputs("\tesac\n}\n_albatross \"$@\"\n", out);
}

static void
put_fish_flag(void *context, const char *title, const struct abt_option *row)
{
	struct context *c = context;
	char letter = abt_flag_short(row->flag);

	(void)title;
	fprintf(c->out,
	    "complete -c albatross -n '__fish_seen_subcommand_from %s' -l %s",
	    c->command, abt_flag_long(row->flag));
	if (letter != '\0')
		fprintf(c->out, " -s %c", letter);
	if (abt_flag_takes(row))
		fputs(row->kind == ABT_PATH ? " -r -F" : " -x", c->out);
	if (row->kind == ABT_ENUM) {
		fputs(" -a '", c->out);
		for (size_t i = 0; row->names[i] != NULL; i++)
			fprintf(
			    c->out, "%s%s", i > 0 ? " " : "", row->names[i]);
		fputc('\'', c->out);
	}
	fputs(" -d '", c->out);
	for (const char *p = row->help; *p != '\0'; p++)
		fprintf(
		    c->out, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
	fputs("'\n", c->out);
}

static void
put_fish(FILE *out, const struct abt_command *const *commands)
{
	struct context c = { .out = out };

	fputs("# fish completion for albatross\n", out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden)
			continue;
		fprintf(out,
		    "complete -c albatross -n __fish_use_subcommand -f -a %s "
		    "-d '",
		    commands[i]->name);
		for (const char *p = commands[i]->summary; *p != '\0'; p++)
			fprintf(out, "%s%c",
			    *p == '\'' || *p == '\\' ? "\\" : "", *p);
		fputs("'\n", out);
		c.command = commands[i]->name;
		abt_command_flags(commands[i], put_fish_flag, &c);
	}
}

int
abt_completion_print(
    FILE *out, const struct abt_command *const *commands, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		put_bash(out, commands);
	else if (strcmp(shell, "zsh") == 0)
		put_zsh(out, commands);
	else if (strcmp(shell, "fish") == 0)
		put_fish(out, commands);
	else
		return -1;
	return 0;
}
