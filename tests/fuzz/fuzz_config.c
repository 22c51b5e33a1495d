/*
 * fuzz_config.c - configuration: a setup or a complaint, never neither
 */
#include <stdlib.h>

#include "config/dotenv.h"
#include "config/load.h"
#include "config/schema.h"
#include "config/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
complain(void *context, const char *sentence)
{
	unsigned *count = context;

	if (strlen(sentence) > 1023)
		abort();
	*count += 1;
}

static void
read_units(struct abt_bytes text)
{
	int64_t value;

	if (abt_duration_parse(text, &value) && value < 0)
		abort();
	if (abt_size_parse(text, &value) && value < 0)
		abort();
}

static void
read_dotenv(struct abt_bytes text)
{
	struct abt_arena arena;
	struct abt_map map = { 0 };
	const char *what = NULL;
	unsigned line = 0;

	abt_arena_init(&arena, NULL);
	if (abt_dotenv_parse(text, &arena, &map, &line, &what) != 0 &&
	    (line == 0 || what == NULL))
		abort();
	abt_arena_end(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes text = abt_bytes((const char *)data, size);
	unsigned complaints = 0;
	struct abt_setup *setup =
	    abt_load_text("fuzz.json", text, complain, &complaints);

	if ((setup == NULL) != (complaints > 0))
		abort();
	abt_setup_free(setup);
	read_units(text);
	read_dotenv(text);
	return 0;
}
