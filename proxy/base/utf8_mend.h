/*
 * utf8_mend.h - text out of bytes that are not all UTF-8
 */
#ifndef ABT_BASE_UTF8_MEND_H
#define ABT_BASE_UTF8_MEND_H

#include "albatross/arena.h"

/*
 * |b| itself when it is valid UTF-8, else a copy in |arena| with U+FFFD in
 * place of each piece that is not: one for every longest beginning of a
 * character, as browsers and Java do (Unicode 3.9, "maximal subparts").  Empty
 * when out of memory; the arena remembers.
 */
struct abt_bytes abt_utf8_mend(struct abt_bytes b, struct abt_arena *arena);

#endif
