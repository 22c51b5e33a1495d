/*
 * backend.c - the list of ways to run functions
 */
#include "albatross/backend.h"

#define BACKEND(name) extern const struct abt_backend abt_backend_##name;
#include "function/backends.def"
#undef BACKEND

const struct abt_backend *const abt_backends[] = {
#define BACKEND(name) &abt_backend_##name,
#include "function/backends.def"
#undef BACKEND
	NULL,
};

const struct abt_backend *
abt_backend_find(struct abt_bytes name)
{
	for (size_t i = 0; abt_backends[i] != NULL; i++)
		if (abt_bytes_equal(
			name, abt_bytes_text(abt_backends[i]->name)))
			return abt_backends[i];
	return NULL;
}
