/*
 * runtime_command.h - which program runs a handler
 */
#ifndef ABT_FUNCTION_RUNTIME_COMMAND_H
#define ABT_FUNCTION_RUNTIME_COMMAND_H

#include "albatross/option.h"

enum abt_runtime_kind {
	ABT_RUNTIME_AUTO,
	ABT_RUNTIME_PYTHON,
	ABT_RUNTIME_NODE,
};

extern const char *const abt_runtime_names[]; /* "auto", ... NULL */

struct abt_runtime_program {
	char **argv;        /* NULL: there is no bootstrap (R2.12) */
	const char *client; /* for people: "aws-lambda-ric", ... */
	bool polls;         /* a known client of the Runtime API */
};

/*
 * The program for |handler| (may be empty: the folder's bootstrap) of the
 * absolute folder |root|; all memory from |arena|.  Looks at files, runs
 * nothing.  0, or -1 with a sentence in |why| that lists what was found.
 */
int abt_runtime_choose(struct abt_bytes root, struct abt_bytes handler,
    enum abt_runtime_kind kind, struct abt_arena *arena,
    struct abt_runtime_program *program, char *why, size_t size);

#endif
