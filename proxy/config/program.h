/*
 * program.h - is there a program of that name?
 */
#ifndef ABT_CONFIG_PROGRAM_H
#define ABT_CONFIG_PROGRAM_H

#include "function/function.h"

/* The program |name| as the function's process would find it: by |root| when
 * it has a slash, else in PATH.  0, or -1 with a sentence in |why|. */
int abt_program_look(const struct abt_function_options *options,
    struct abt_bytes name, char *why, size_t size);

#endif
