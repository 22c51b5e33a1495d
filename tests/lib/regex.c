/*
 * regex.c - PCRE, as the case tables use it
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lib/regex.h"

#include <pcre2.h>

bool
abt_regex_finds(struct abt_bytes pattern, struct abt_bytes text)
{
	int error;
	size_t offset;
	pcre2_match_data *match;
	bool found = false;
	pcre2_code *code = pcre2_compile(
	    (PCRE2_SPTR)pattern.p, pattern.n, 0, &error, &offset, NULL);

	if (code == NULL)
		return false;
	match = pcre2_match_data_create_from_pattern(code, NULL);
	if (match != NULL)
		found = pcre2_match(code,
			    (PCRE2_SPTR)(text.p != NULL ? text.p : ""), text.n,
			    0, 0, match, NULL) >= 0;
	pcre2_match_data_free(match);
	pcre2_code_free(code);
	return found;
}
