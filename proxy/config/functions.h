/*
 * functions.h - a function out of its options
 */
#ifndef ABT_CONFIG_FUNCTIONS_H
#define ABT_CONFIG_FUNCTIONS_H

#include "config/schema.h"
#include "function/function.h"

/* A function on its way: options and backend filled, slices in |arena|. */
struct abt_draft {
	struct abt_function_options options;
	const struct abt_backend *backend;
	void *self; /* of the backend */
	struct abt_arena arena;
};

/* Begin with the presets of all rows.  0, or -1 after complaining; the draft
 * then needs no end. */
int abt_draft_begin(struct abt_source *source, struct abt_draft *draft,
    const struct abt_backend *backend);
void abt_draft_end(struct abt_draft *draft);

/*
 * Read the environment file, check the environment and the folder, and make the
 * function.  The draft is used up either way.  NULL after complaining; |at| is
 * the function in the file, or NULL.
 */
struct abt_function *abt_draft_finish(struct abt_source *source,
    struct abt_draft *draft, const char *name, const struct abt_json *at);

/* One member of "functions".  Its own target group, if it names one, comes back
 * in |arn|, in the source's arena.  NULL after complaining. */
struct abt_function *abt_function_read(struct abt_source *source,
    const struct abt_json *value, struct abt_bytes *arn);

#endif
