/*
 * load.h - the albatross file (JSON with comments) becomes a setup
 */
#ifndef ABT_CONFIG_LOAD_H
#define ABT_CONFIG_LOAD_H

#include "gateway/setup.h"

/* Read |file|.  NULL after complaining: one sentence "file:line:column: ..."
 * for each error, with the cure. */
struct abt_setup *abt_load_file(const char *file,
    void (*complain)(void *context, const char *sentence), void *context);

/* The same of |text|, which would stand in |file|: for tests and fuzzing. */
struct abt_setup *abt_load_text(const char *file, struct abt_bytes text,
    void (*complain)(void *context, const char *sentence), void *context);

#endif
