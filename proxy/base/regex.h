/*
 * regex.h - regular expressions as JSON schemas and API Gateway use them
 */
#ifndef ABT_BASE_REGEX_H
#define ABT_BASE_REGEX_H

#include "albatross/arena.h"

struct abt_regex; /* compiled */

/*
 * Compile |pattern| into |arena|: characters, ., classes, \d \w \s and their
 * opposites, ^ $ \b \B, groups, |, * + ? {m,n}, lazy or not.  Neither back
 * references nor looking around.  NULL: not such a pattern, or out of memory.
 */
const struct abt_regex *abt_regex_compile(
    struct abt_bytes pattern, struct abt_arena *arena);

/*
 * Does it match somewhere in |text|, or |whole|: all of it?  Takes time in
 * proportion to the product of both lengths, whatever the pattern; |scratch| is
 * filled and can be thrown away.  False when out of memory.
 */
bool abt_regex_search(const struct abt_regex *regex, struct abt_bytes text,
    bool whole, struct abt_arena *scratch);

/* Compile and match the whole of |text|; a pattern that is none matches what
 * is equal to it. */
bool abt_regex_matches(struct abt_bytes pattern, struct abt_bytes text);

#endif
