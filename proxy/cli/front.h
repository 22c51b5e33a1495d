/*
 * front.h - the front that the command line describes
 */
#ifndef ABT_CLI_FRONT_H
#define ABT_CLI_FRONT_H

#include "cli/command.h"
#include "config/front.h"

/*
 * Fill |front| from |options| and the attribute flags, in cli->arena.  0, or
 * the exit status after saying what is wrong.
 */
int abt_cli_front(struct abt_cli *cli, const char *name,
    const struct abt_front_options *options, struct abt_front *front);

#endif
