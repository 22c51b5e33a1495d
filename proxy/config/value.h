/*
 * value.h - one value by one option row; what schema.c is made of
 */
#ifndef ABT_CONFIG_VALUE_H
#define ABT_CONFIG_VALUE_H

#include "config/schema.h"

/*
 * Put |text| into |self| as |row| says.  0, or -1 with what was expected in
 * |why|: a clause that goes behind the option's name ("must be ...").
 */
int abt_value_text(struct abt_source *source, const struct abt_option *row,
    struct abt_bytes text, void *self, char *why, size_t size);
/* The same for a JSON value; |at| is given the part that is wrong. */
int abt_value_json(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self, const struct abt_json **at,
    char *why, size_t size);

#endif
