/*
 * forwarded.c - the headers a front adds: X-Forwarded-*, X-Amzn-Trace-Id
 */
#include "http/forwarded.h"

#include "base/ids.h"

size_t
abt_forwarded_count(const struct abt_headers *headers)
{
	size_t i, count = 0;

	for (i = 0; i < headers->count; i++) {
		struct abt_bytes rest = headers->fields[i].value, address;

		if (headers->fields[i].id != ABT_FIELD_X_FORWARDED_FOR)
			continue;
		while (abt_bytes_next(&rest, ',', &address))
			count += abt_bytes_trim(address).n > 0;
	}
	return count;
}

struct abt_bytes
abt_forwarded_for(const struct abt_headers *headers, struct abt_bytes peer,
    struct abt_arena *arena)
{
	struct abt_bytes joined = { NULL, 0 };
	size_t i;

	for (i = 0; i < headers->count; i++) {
		struct abt_bytes value = headers->fields[i].value;

		if (headers->fields[i].id != ABT_FIELD_X_FORWARDED_FOR ||
		    value.n == 0)
			continue;
		joined = joined.n == 0 ? value
				       : abt_arena_printf(arena, "%.*s, %.*s",
					     ABT_FMT(joined), ABT_FMT(value));
	}
	if (joined.n == 0)
		return peer;
	return abt_arena_printf(
	    arena, "%.*s, %.*s", ABT_FMT(joined), ABT_FMT(peer));
}

/* Where the value of the field |name| ("Root=") begins and ends in |sent|, a
 * list of "Key=value" joined with ";".  False when it has none. */
static bool
find_part(
    struct abt_bytes sent, struct abt_bytes name, size_t *begin, size_t *end)
{
	size_t at = 0;

	while (at < sent.n) {
		struct abt_bytes rest = abt_bytes(sent.p + at, sent.n - at);
		size_t length = abt_bytes_find(rest, ';');
		size_t blanks = 0;

		while (blanks < length && rest.p[blanks] == ' ')
			blanks++;
		if (abt_bytes_starts(
			abt_bytes(rest.p + blanks, length - blanks), name)) {
			*begin = at + blanks + name.n;
			*end = at + length;
			return true;
		}
		at += length + 1;
	}
	return false;
}

/* Nearly every request comes here. */
static struct abt_bytes
new_root(const char *id, struct abt_arena *arena)
{
	size_t n = strlen(id);
	char *out = abt_arena_alloc(arena, n + 5);

	if (out == NULL)
		return abt_bytes(NULL, 0);
	memcpy(out, "Root=", 5);
	memcpy(out + 5, id, n);
	return abt_bytes(out, n + 5);
}

struct abt_bytes
abt_trace_id(struct abt_bytes sent, int64_t seconds,
    const unsigned char *random, bool rewrite, struct abt_arena *arena)
{
	char id[36];
	size_t begin, end;

	abt_id_trace(id, seconds, random);
	if (sent.n == 0 || rewrite) /* E7.1, E7.5 */
		return new_root(id, arena);
	if (find_part(sent, ABT_BYTES("Self="), &begin, &end)) /* E7.3 */
		return abt_arena_printf(arena, "%.*s%s%.*s", (int)begin, sent.p,
		    id, (int)(sent.n - end), sent.p + end);
	if (find_part(sent, ABT_BYTES("Root="), &begin, &end)) /* E7.2 */
		return abt_arena_printf(
		    arena, "Self=%s;%.*s", id, ABT_FMT(sent));
	return abt_arena_printf(/* E7.4 */
	    arena, "Root=%s;%.*s", id, ABT_FMT(sent));
}
