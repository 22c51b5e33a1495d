/*
 * event_all.h - one request through every door, side by side
 */
#ifndef ABT_CLI_EVENT_ALL_H
#define ABT_CLI_EVENT_ALL_H

#include "cli/facts.h"
#include "cli/front.h"

/* Print for each member of any event what each door makes of |raw|, marked
 * where they differ.  An exit status: broken when a door refuses. */
int abt_event_all(struct abt_cli *cli, const struct abt_front_options *options,
    const struct abt_facts_options *facts, struct abt_bytes raw);

#endif
