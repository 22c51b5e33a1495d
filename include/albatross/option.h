/*
 * option.h - one row per configuration key
 *
 * A module declares its keys as rows beside its struct.  From the same rows
 * come the configuration reader, the command line, --help, --print-config, the
 * manual pages and the shell completions.  A module never parses.
 */
#ifndef ALBATROSS_OPTION_H
#define ALBATROSS_OPTION_H

#include "albatross/json.h"

enum abt_option_kind {
	ABT_OPTION_END,
	ABT_BOOL, /* bool; JSON true/false, or "true"/"false" as AWS writes */
	ABT_INT,  /* int64_t, between min and max */
	ABT_SIZE, /* int64_t bytes: 1048576, "64 KiB", "10MB" (2^20) */
	ABT_DURATION, /* int64_t ms: "30s", "250ms", "5m"; a bare number is s */
	ABT_STRING,   /* struct abt_bytes */
	ABT_ENUM,     /* int: index into names (NULL-terminated) */
	ABT_LIST,  /* struct abt_list of strings; one string is a list of one */
	ABT_MAP,   /* struct abt_map of strings, in order */
	ABT_PATH,  /* struct abt_bytes; relative to the file that names it */
	ABT_JSON,  /* const struct abt_json *: any value, kept as a tree */
	ABT_TABLE, /* a struct of its own, by the rows at |table| */
};

struct abt_list {
	struct abt_bytes *items;
	size_t count;
};

struct abt_pair {
	struct abt_bytes name, value;
};

struct abt_map {
	struct abt_pair *pairs;
	size_t count;
};

struct abt_option {
	const char
	    *name; /* in the configuration; AWS's own name where it has one */
	enum abt_option_kind kind;
	size_t offset; /* in the module's struct */
	const char
	    *preset;      /* default, as written in a file; NULL: zero bytes */
	int64_t min, max; /* of numbers; both 0: no bounds beyond >= 0 */
	const char *const *names;       /* ABT_ENUM: NULL-terminated */
	const struct abt_option *table; /* ABT_TABLE */
	const char *flag;     /* on the command line without "--"; NULL: none */
	const char *argument; /* shown for the flag's argument: "KEY=VALUE" */
	const char *help;     /* one sentence, no full stop */
	unsigned flags;
};

#define ABT_OPTION_SECRET   0x1 /* never printed */
#define ABT_OPTION_REQUIRED 0x2
#define ABT_OPTION_HIDDEN   0x4 /* not in --help */

/* clang-format off */
#define ABT_OPTIONS_END { .name = NULL, .kind = ABT_OPTION_END }
/* clang-format on */

#endif
