/*
 * print_setup.h - a setup as the file that would make it
 */
#ifndef ABT_CONFIG_PRINT_SETUP_H
#define ABT_CONFIG_PRINT_SETUP_H

#include "albatross/json.h"
#include "gateway/setup.h"

/* Write all of |setup| as one JSON object, secrets blanked. */
void abt_setup_print(struct abt_json_out *out, const struct abt_setup *setup);

#endif
