/*
 * json_string.h - one JSON string
 */
#ifndef ABT_BASE_JSON_STRING_H
#define ABT_BASE_JSON_STRING_H

#include "albatross/arena.h"

/*
 * Read the string whose first quote is at |*at| and move behind its last one.
 * |text| is a slice of the source where nothing is escaped, else decoded into
 * |arena|.  0, or -1: |*wrong| says what is wrong (NULL: out of memory) at
 * |*at|.
 */
int abt_json_string_scan(const char **at, const char *end,
    struct abt_arena *arena, struct abt_bytes *text, const char **wrong);

#endif
