/*
 * man.c - the manual pages, in man(7), from the tables
 *
 * albatross(1) from the commands, albatross.conf(5) from the option rows,
 * albatross-rules(7) from rules.def.
 */
#include "albatross.h"
#include "cli/command.h"
#include "cli/manual.h"

/* Text for troff: backslashes, hyphens and quotes as they are, no line that
 * begins with a control character. */
static void
put(FILE *out, const char *text)
{
	if (text[0] == '.' || text[0] == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++)
		switch (*text) {
		case '\\':
			fputs("\\e", out);
			break;
		case '-':
			fputs("\\-", out);
			break;
		case '"':
			fputs("\\(dq", out);
			break;
		case '\'':
			fputs("\\(aq", out);
			break;
		case '`':
			fputs("\\(ga", out);
			break;
		case '^':
			fputs("\\(ha", out);
			break;
		case '~':
			fputs("\\(ti", out);
			break;
		case '\n':
			fputc('\n', out);
			if (text[1] == '.' || text[1] == '\'')
				fputs("\\&", out);
			break;
		default:
			fputc(*text, out);
		}
}

static void
put_line(FILE *out, const char *macro, const char *text)
{
	fputs(macro, out);
	put(out, text);
	fputc('\n', out);
}

static void
put_heading(FILE *out, const char *macro, const char *text)
{
	fprintf(out, "%s \"", macro);
	put(out, text);
	fputs("\"\n", out);
}

static void
begin(FILE *out, const char *name, const char *section, const char *summary)
{
	fprintf(out, ".TH %s %s \"\" \"albatross " ABT_VERSION "\"\n", name,
	    section);
	/* Names are long: no blanks to fill the lines. */
	fputs(".ad l\n.nh\n.SH NAME\n", out);
	put(out, name);
	fputs(" \\- ", out);
	put_line(out, "", summary);
}

struct flags {
	FILE *out;
	const char *title;
};

static void
put_flag(void *context, const char *title, const struct abt_option *row)
{
	struct flags *flags = context;
	FILE *out = flags->out;
	char letter = abt_flag_short(row->flag), kind[256];

	if (flags->title != title) {
		fputs(".PP\n", out);
		put(out, title);
		fputs(":\n", out);
	}
	flags->title = title;
	fputs(".TP\n", out);
	if (letter != '\0')
		fprintf(out, "\\fB\\-%c\\fR, ", letter);
	fputs("\\fB\\-\\-", out);
	put(out, abt_flag_long(row->flag));
	fputs("\\fR", out);
	if (abt_flag_takes(row)) {
		fputs(" \\fI", out);
		put(out, row->argument != NULL ? row->argument : "VALUE");
		fputs("\\fR", out);
	}
	fputc('\n', out);
	put(out, row->help);
	if (abt_flag_takes(row) &&
	    abt_manual_kind(row, kind, sizeof kind) > 0) {
		fputs(" (", out);
		put(out, kind);
		fputc(')', out);
	}
	fputs(".\n", out);
}

static void
put_command(FILE *out, const struct abt_command *command)
{
	struct flags flags = { .out = out };

	fputs(".SS \"albatross ", out);
	put(out, command->name);
	fputc(' ', out);
	put(out, command->operands);
	fputs("\"\n", out);
	put_line(out, "",
	    command->about != NULL ? command->about : command->summary);
	abt_command_flags(command, put_flag, &flags);
	if (command->examples != NULL) {
		fputs(".PP\nExamples:\n.PP\n.nf\n", out);
		put(out, command->examples);
		fputs(".fi\n", out);
	}
}

static void
put_program(FILE *out, const struct abt_command *const *commands)
{
	begin(out, "albatross", "1",
	    "the AWS front doors in front of functions on your machine");
	fputs(".SH SYNOPSIS\n", out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden)
			continue;
		fprintf(out, "%s\\fBalbatross %s\\fR ", i > 0 ? ".br\n" : "",
		    commands[i]->name);
		put_line(out, "", commands[i]->operands);
	}
	fputs(".SH DESCRIPTION\n", out);
	put_line(out, "",
	    "albatross turns HTTP requests into the exact events that an AWS "
	    "front door would give to a Lambda function, runs the function, "
	    "and turns its result into the response the front door would "
	    "send.");
	fputs(".SH COMMANDS\n", out);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			put_command(out, commands[i]);
	fputs(".SH SIGNALS\n", out);
	put_line(out, "",
	    "SIGTERM and SIGINT let running requests finish and end the "
	    "server; a second one ends it at once. SIGHUP reads configuration "
	    "and certificates again without dropping a request; when standard "
	    "error was a terminal at the start, it ends the server like "
	    "SIGTERM.");
	fputs(".SH \"EXIT STATUS\"\n", out);
	put_line(out, "",
	    "0 when all went well; 1 when a request is refused, a result is "
	    "broken or the server could not start; 2 when the command line or "
	    "a file of the operator is wrong.");
	fputs(".SH ENVIRONMENT\n", out);
	put_line(out, "",
	    "NO_COLOR turns colours off. XDG_STATE_HOME is where the "
	    "self-signed certificate is kept.");
	fputs(".SH \"SEE ALSO\"\n\\fBalbatross.conf\\fR(5), "
	      "\\fBalbatross\\-rules\\fR(7)\n",
	    out);
}

static void
put_rows(FILE *out, const struct abt_option *rows, const char *prefix)
{
	char text[256];

	for (; rows != NULL && rows->kind != ABT_OPTION_END; rows++) {
		if ((rows->flags & ABT_OPTION_HIDDEN) != 0)
			continue;
		fputs(".TP\n\\fB", out);
		put(out, prefix);
		put(out, rows->name);
		fputs("\\fR (", out);
		abt_manual_kind(rows, text, sizeof text);
		put(out, text);
		fputs(")\n", out);
		put(out, rows->help);
		fputs(".\n", out);
		if (rows->kind == ABT_TABLE && prefix[0] == '\0') {
			snprintf(text, sizeof text, "%s.", rows->name);
			put_rows(out, rows->table, text);
		}
	}
}

static void
put_section(void *context, const struct abt_manual_section *section)
{
	FILE *out = context;

	put_heading(out, ".SH", section->title);
	if (section->text[0] != '\0')
		put_line(out, "", section->text);
	put_rows(out, section->rows, "");
}

static void
put_rules(FILE *out)
{
	begin(out, "albatross-rules", "7",
	    "every rule that albatross names in logs and verdicts");
	fputs(".SH RULES\n", out);
	for (size_t i = 0; i < ABT_RULES; i++) {
		const struct abt_rule *rule = &abt_rules[i];

		fputs(".TP\n\\fB", out);
		put(out, rule->name);
		fputs("\\fR", out);
		if (rule->tier != ABT_COMPLIANT)
			fprintf(out, " (%s)", abt_tier_name(rule->tier));
		fputc('\n', out);
		put(out, rule->text);
		fputs(".\n", out);
		put_line(out, "", rule->cure);
		fputs("Source: ", out);
		put(out, rule->source);
		fputs(".\n", out);
		if (rule->reason != NULL) {
			fputs("AWS says ", out);
			put(out, rule->reason);
			fputs(".\n", out);
		}
	}
}

int
abt_man_print(
    FILE *out, const struct abt_command *const *commands, const char *page)
{
	if (page[0] == '\0') {
		put_program(out, commands);
	} else if (strcmp(page, "conf") == 0) {
		begin(out, "albatross.conf", "5",
		    "the configuration file of albatross");
		abt_manual_sections(put_section, out);
	} else if (strcmp(page, "rules") == 0) {
		put_rules(out);
	} else {
		return -1;
	}
	return 0;
}
