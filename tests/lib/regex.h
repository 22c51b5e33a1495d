/*
 * regex.h - PCRE, as the case tables use it
 */
#ifndef ABT_TESTS_REGEX_H
#define ABT_TESTS_REGEX_H

#include "albatross/bytes.h"

/* |pattern| is found somewhere in |text| (false too when it is no pattern). */
bool abt_regex_finds(struct abt_bytes pattern, struct abt_bytes text);

#endif
