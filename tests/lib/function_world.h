/*
 * function_world.h - a loop, a guard and functions for tests of floor 5
 */
#ifndef TESTS_FUNCTION_WORLD_H
#define TESTS_FUNCTION_WORLD_H

#include "function/function.h"

/* Start guard and loop, once per program; the loop. */
struct abt_loop *fw_loop(void);
/* Run the loop until |*flag| is not 0, or for |ms|.  True: it is. */
bool fw_run(const int *flag, int ms);
/* Close all functions, end loop and guard. */
void fw_end(void);

/* A function with everything at its default but what |options| says; its folder
 * is |root| (NULL: /).  |words|: the command, NULL-terminated (may be NULL).
 * The log goes to the file that fw_log reads. */
struct abt_function *fw_function(const char *backend,
    const struct abt_function_options *options, const char *root,
    const char *handler, const char *const *words);
/* The same with a backend of one's own. */
struct abt_function *fw_custom(const struct abt_backend *backend,
    const struct abt_function_options *options, void *self);
void fw_close(struct abt_function *function);

/* An invocation that is lent out; |done| is set when it is back. */
struct flight {
	struct abt_invocation inv;
	char id[40];
	char payload[512]; /* its beginning, NUL-terminated */
	size_t size;
	int done;
};
void flight_start(
    struct flight *flight, struct abt_function *function, const char *event);
/* Start it and wait for it, |ms| at most. */
bool flight_run(struct flight *flight, struct abt_function *function,
    const char *event, int ms);

/* All that was logged so far, NUL-terminated; valid until the next call. */
const char *fw_log(void);

#endif
