/*
 * dialect.c - the list of dialects; lookup by name, and by an event
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

const struct abt_dialect *
abt_dialect_of_event(const struct abt_json *event)
{
	size_t i;

	if (!abt_json_is(event, ABT_JSON_OBJECT))
		return NULL;
	for (i = 0; abt_dialects[i] != NULL; i++)
		if (abt_dialects[i]->recognise != NULL &&
		    abt_dialects[i]->recognise(event))
			return abt_dialects[i];
	return NULL;
}

int
abt_request_from_event(const struct abt_json *event, struct abt_arena *arena,
    struct abt_origin *origin, struct abt_request *request,
    struct abt_report *report)
{
	memset(origin, 0, sizeof(*origin));
	memset(request, 0, sizeof(*request));
	origin->arena = arena;
	origin->dialect = abt_dialect_of_event(event);
	if (origin->dialect == NULL) {
		abt_break(report, ABT_RULE_EVENT_UNKNOWN, ABT_BYTES(""));
		return -1;
	}
	if (origin->dialect->read_event(event, origin, request, report) != 0)
		return -1;
	if (abt_arena_failed(arena) && report->broken == NULL)
		(void)abt_break(report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	return report->broken != NULL ? -1 : 0;
}
