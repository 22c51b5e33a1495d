/*
 * manual.h - the configuration file in sections, for help and the manual
 */
#ifndef ABT_CLI_MANUAL_H
#define ABT_CLI_MANUAL_H

#include "albatross/option.h"

/* One kind of object of the file. */
struct abt_manual_section {
	const char *title;
	const char *text;              /* a paragraph */
	const struct abt_option *rows; /* may be NULL */
};

/* Call |visit| for every section, those of dialects and backends too. */
void abt_manual_sections(
    void (*visit)(void *context, const struct abt_manual_section *section),
    void *context);

/* "a duration, 3s" and its kin: kind, choices, bounds, preset of a row. */
size_t abt_manual_kind(const struct abt_option *row, char *out, size_t size);

#endif
