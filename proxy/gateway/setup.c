/*
 * setup.c - the plain struct that configuration becomes; its beginning and end
 */
#include "gateway/setup.h"

#include "base/log.h"

struct abt_setup *
abt_setup_new(void)
{
	struct abt_setup *setup = abt_calloc(1, sizeof *setup);

	if (setup == NULL)
		return NULL;
	abt_arena_init(&setup->arena, NULL);
	setup->drain_ms = 30 * 1000;
	setup->memory_max = (int64_t)256 << 20;
	setup->log_level = ABT_LOG_INFO;
	return setup;
}

void
abt_setup_free(struct abt_setup *setup)
{
	if (setup == NULL)
		return;
	for (size_t i = 0; i < setup->function_count; i++)
		if (setup->functions[i] != NULL)
			abt_function_free(setup->functions[i]);
	abt_arena_end(&setup->arena);
	abt_free(setup);
}

struct abt_function *
abt_setup_function(const struct abt_setup *setup, struct abt_bytes name)
{
	for (size_t i = 0; i < setup->function_count; i++) {
		struct abt_function *function = setup->functions[i];

		if (function != NULL &&
		    abt_bytes_equal(name, abt_bytes_text(function->name)))
			return function;
	}
	return NULL;
}

bool
abt_setup_takes_messages(const struct abt_setup *setup)
{
	for (size_t i = 0; i < setup->function_count; i++)
		if (setup->functions[i] != NULL &&
		    setup->functions[i]->backend->takes == ABT_MESSAGES)
			return true;
	return false;
}
