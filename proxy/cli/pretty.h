/*
 * pretty.h - JSON for reading
 */
#ifndef ABT_CLI_PRETTY_H
#define ABT_CLI_PRETTY_H

#include "albatross/buf.h"

/* Write the valid |json| into |out|, two blanks deeper for each level, and a
 * newline at the end. */
void abt_json_pretty(struct abt_buf *out, struct abt_bytes json);

#endif
