/*
 * dialect.c - the list of dialects; lookup by name
 */
#include "albatross/dialect.h"

#define DIALECT(name) extern const struct abt_dialect abt_dialect_##name;
#include "dialect/dialects.def"
#undef DIALECT

const struct abt_dialect *const abt_dialects[] = {
#define DIALECT(name) &abt_dialect_##name,
#include "dialect/dialects.def"
#undef DIALECT
	NULL,
};

const struct abt_dialect *
abt_dialect_find(struct abt_bytes name)
{
	size_t i;

	for (i = 0; abt_dialects[i] != NULL; i++)
		if (abt_bytes_equal(
			name, abt_bytes_text(abt_dialects[i]->name)))
			return abt_dialects[i];
	return NULL;
}
