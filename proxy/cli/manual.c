/*
 * manual.c - the configuration file in sections, for help and the manual
 *
 * Everything is printed from the option rows; only what no row can say is
 * written here.
 */
#include "cli/manual.h"

#include <inttypes.h>
#include <stdio.h>

#include "albatross/backend.h"
#include "albatross/dialect.h"
#include "cli/command.h"
#include "cli/verdict.h"
#include "config/front.h"
#include "config/listeners.h"
#include "config/routes.h"
#include "config/settings.h"
#include "config/units.h"
#include "function/function.h"

static const struct abt_manual_section first_sections[] = {
	{ "The file",
	    "A configuration is one JSON object; comments as in C and C++ are "
	    "allowed. It has \"listeners\", \"fronts\" and \"functions\" and "
	    "the keys below. Unknown keys, wrong types and references to "
	    "nothing are errors, told with line and column before anything "
	    "starts. Relative paths begin where the file lies.",
	    abt_settings_rows },
	{ "listeners",
	    "A list of the addresses to accept connections on, each with:",
	    abt_listener_option_rows },
	{ "listeners: tls",
	    "Several certificates are chosen by the name that the client asks "
	    "for; the first one is the default. Each has:",
	    abt_certificate_option_rows },
	{ "fronts",
	    "An object: each member is a front door under a name of your own, "
	    "with:",
	    abt_front_option_rows },
	{ "fronts: rules",
	    "Rules are tried in the order of their priority; the first one "
	    "whose conditions all hold decides. A rule without conditions is "
	    "the default action; when there is none, the client gets 503. A "
	    "rule has one action: function, redirect or fixed_response.",
	    abt_rule_option_rows },
	{ "fronts: rules: redirect",
	    "The keywords #{protocol}, #{host}, #{port}, #{path} and #{query} "
	    "stand for the request's own.",
	    abt_redirect_option_rows },
	{ "fronts: rules: fixed_response", "", abt_fixed_option_rows },
};

static const struct abt_manual_section function_section = {
	"functions",
	"An object: each member is a function under its name. One key says how "
	"it runs, see below; \"handler\" alone runs it with the runtime client "
	"of its language. \"target_group_arn\" sets the target group's ARN in "
	"its events. And:",
	abt_function_option_rows,
};

void
abt_manual_sections(
    void (*visit)(void *context, const struct abt_manual_section *section),
    void *context)
{
	struct abt_manual_section section;
	char title[128], text[512];

	for (size_t i = 0; i < sizeof first_sections / sizeof first_sections[0];
	     i++)
		visit(context, &first_sections[i]);
	for (size_t i = 0; abt_dialects[i] != NULL; i++) {
		const struct abt_dialect *dialect = abt_dialects[i];

		snprintf(title, sizeof title, "fronts: attributes of %s",
		    dialect->name);
		snprintf(text, sizeof text,
		    "%s. The names are AWS's own; values may be written as "
		    "strings, as AWS does.",
		    dialect->title);
		section = (struct abt_manual_section){ title, text,
			dialect->attributes };
		visit(context, &section);
		if (dialect->method == NULL)
			continue;
		snprintf(
		    title, sizeof title, "fronts: routes of %s", dialect->name);
		section = (struct abt_manual_section){ title,
			"A route that is an object may have besides "
			"\"function\":",
			dialect->method };
		visit(context, &section);
	}
	visit(context, &function_section);
	for (size_t i = 0; abt_backends[i] != NULL; i++) {
		const struct abt_backend *backend = abt_backends[i];

		snprintf(title, sizeof title, "functions: %s", backend->name);
		if (backend->main_option != NULL)
			snprintf(text, sizeof text,
			    "%s. A bare string or list is its \"%s\".",
			    backend->title, backend->main_option);
		else
			snprintf(text, sizeof text, "%s.", backend->title);
		if (text[0] >= 'a' && text[0] <= 'z')
			text[0] = (char)(text[0] - 'a' + 'A');
		section = (struct abt_manual_section){ title, text,
			backend->options };
		visit(context, &section);
	}
}

static const char *
kind_name(enum abt_option_kind kind)
{
	switch (kind) {
	case ABT_BOOL:
		return "true or false";
	case ABT_INT:
		return "number";
	case ABT_SIZE:
		return "size";
	case ABT_DURATION:
		return "duration";
	case ABT_STRING:
		return "string";
	case ABT_ENUM:
		return "";
	case ABT_LIST:
		return "list of strings";
	case ABT_MAP:
		return "object of strings";
	case ABT_PATH:
		return "path";
	case ABT_TABLE:
		return "object";
	default:
		return "any";
	}
}

static size_t
add_bounds(const struct abt_option *row, char *out, size_t size)
{
	char low[32], high[32];

	if ((row->min == 0 && row->max == 0) || row->kind == ABT_STRING)
		return 0;
	if (row->kind == ABT_DURATION) {
		abt_duration_format(low, row->min);
		abt_duration_format(high, row->max);
	} else if (row->kind == ABT_SIZE) {
		abt_size_format(low, row->min);
		abt_size_format(high, row->max);
	} else {
		snprintf(low, sizeof low, "%" PRId64, row->min);
		snprintf(high, sizeof high, "%" PRId64, row->max);
	}
	snprintf(out, size, " from %s to %s", low, high);
	return strlen(out);
}

size_t
abt_manual_kind(const struct abt_option *row, char *out, size_t size)
{
	size_t used;

	snprintf(out, size, "%s",
	    row->kind == ABT_JSON && row->argument != NULL
		? row->argument
		: kind_name(row->kind));
	used = strlen(out);
	for (size_t i = 0; row->kind == ABT_ENUM && row->names[i] != NULL;
	     i++) {
		snprintf(out + used, size - used, "%s%s", i > 0 ? " | " : "",
		    row->names[i]);
		used += strlen(out + used);
	}
	used += add_bounds(row, out + used, size - used);
	if (row->preset != NULL && row->preset[0] != '\0')
		snprintf(out + used, size - used, "; default %s", row->preset);
	else if ((row->flags & ABT_OPTION_REQUIRED) != 0)
		snprintf(out + used, size - used, "; required");
	return strlen(out);
}

static void
print_rows(FILE *out, const struct abt_option *rows, const char *prefix)
{
	char name[160], kind[256];

	for (; rows != NULL && rows->kind != ABT_OPTION_END; rows++) {
		if ((rows->flags & ABT_OPTION_HIDDEN) != 0)
			continue;
		abt_manual_kind(rows, kind, sizeof kind);
		snprintf(name, sizeof name, "%s%s", prefix, rows->name);
		if (strlen(name) + strlen(kind) > 74)
			fprintf(out, "  %s\n      (%s)\n", name, kind);
		else
			fprintf(out, "  %s  (%s)\n", name, kind);
		abt_print_folded(out, "", 6, rows->help);
		if (rows->kind == ABT_TABLE && prefix[0] == '\0') {
			snprintf(name, sizeof name, "%s.", rows->name);
			print_rows(out, rows->table, name);
		}
	}
}

static void
print_section(void *context, const struct abt_manual_section *section)
{
	FILE *out = context;

	fprintf(out, "%s\n", section->title);
	if (section->text[0] != '\0')
		abt_print_folded(out, "", 2, section->text);
	print_rows(out, section->rows, "");
	fputc('\n', out);
}

void
abt_help_config(FILE *out)
{
	abt_manual_sections(print_section, out);
}
