/*
 * verdict.h - a report shown to a person
 *
 * 80 columns, colour only where asked, every byte that came from outside
 * escaped.
 */
#ifndef ABT_CLI_VERDICT_H
#define ABT_CLI_VERDICT_H

#include <stdio.h>

#include "albatross/http.h"
#include "albatross/json.h"

struct abt_verdict {
	FILE *out;
	bool color;
	const char *file;                    /* named in places; NULL: none */
	struct abt_bytes source;             /* what was read */
	const struct abt_json *root;         /* its tree, or NULL */
	const struct abt_json_error *error;  /* why there is no tree, or NULL */
	const struct abt_response *response; /* what the client sees, or NULL */
};

/* One line: "|name|: broken, the client gets 502 Bad Gateway". */
void abt_verdict_head(const struct abt_verdict *verdict, const char *name,
    const struct abt_report *report);
/* Every finding with rule, place, what stands there, cure and source. */
void abt_verdict_findings(
    const struct abt_verdict *verdict, const struct abt_report *report);
/* "|before| 502 Bad Gateway". */
void abt_verdict_client(const struct abt_verdict *verdict, const char *before,
    const struct abt_response *response);
/* One rule in the same form. */
void abt_verdict_rule(const struct abt_verdict *verdict,
    const struct abt_rule *rule, struct abt_bytes where,
    struct abt_bytes detail, bool note);

/* |text| folded at 80 columns behind |indent| blanks, the first line begun with
 * |label|; a newline at the end. */
void abt_print_folded(
    FILE *out, const char *label, unsigned indent, const char *text);

/* The value at a JSON pointer, or NULL. */
const struct abt_json *abt_json_follow(
    const struct abt_json *root, struct abt_bytes pointer);

#endif
