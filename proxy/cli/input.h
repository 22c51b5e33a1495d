/*
 * input.h - whole files and standard input
 */
#ifndef ABT_CLI_INPUT_H
#define ABT_CLI_INPUT_H

#include "cli/command.h"

/* The whole of |file| ("-": standard input), at most |max| bytes, in
 * cli->arena.  0, or -1 after saying what is wrong. */
int abt_cli_read(struct abt_cli *cli, const char *file, size_t max,
    struct abt_bytes *content);

/* |fd| is a terminal and nobody asked for no colour. */
bool abt_cli_color(int fd);

#endif
