/*
 * spelled.c - header maps under the client's own spelling (apigw.md 1.5)
 *
 * The entries are sorted by lower-case names; the value of an entry is not
 * text but the bytes of its field's address, so that one sort, that of the
 * other maps, serves here too.
 */
#include "dialect/spelled.h"

#include "base/utf8_mend.h"

void
abt_spelled_add(struct abt_spelled *spelled, struct abt_arena *arena,
    const struct abt_field *field)
{
	abt_entries_add(&spelled->entries, arena, abt_field_lower(field, arena),
	    abt_bytes((const char *)field, sizeof(*field)));
}

void
abt_spelled_add_ours(struct abt_spelled *spelled, struct abt_arena *arena,
    enum abt_field_id id, struct abt_bytes name, struct abt_bytes value)
{
	struct abt_field *field = abt_arena_alloc(arena, sizeof(*field));

	if (field == NULL)
		return; /* the arena remembers */
	*field = (struct abt_field){ .name = name, .value = value, .id = id };
	abt_spelled_add(spelled, arena, field);
}

static const struct abt_field *
field_of(const struct abt_entry *entry)
{
	return (const struct abt_field *)(const void *)entry->value.p;
}

static bool
same_name(const struct abt_entry *a, const struct abt_entry *b)
{
	return a->prefix == b->prefix && abt_bytes_equal(a->name, b->name);
}

/* Behind the last entry that has the name of entry |i|. */
static size_t
group_end(const struct abt_entries *entries, size_t i)
{
	size_t end = i + 1;

	while (end < entries->count &&
	       same_name(&entries->items[i], &entries->items[end]))
		end++;
	return end;
}

void
abt_spelled_write(struct abt_spelled *spelled, struct abt_arena *arena,
    struct abt_json_out *out)
{
	const struct abt_entries *entries = &spelled->entries;
	const struct abt_entry *items;
	size_t i, end;

	abt_entries_sort(&spelled->entries, arena);
	items = entries->items;
	abt_json_object(out, "headers");
	for (i = 0; i < entries->count; i = end) {
		end = group_end(entries, i);
		abt_json_string_at(out,
		    abt_utf8_mend(field_of(&items[i])->name, arena),
		    abt_utf8_mend(field_of(&items[end - 1])->value, arena));
	}
	abt_json_close(out);
	abt_json_object(out, "multiValueHeaders");
	for (i = 0; i < entries->count; i = end) {
		end = group_end(entries, i);
		abt_json_array_at(
		    out, abt_utf8_mend(field_of(&items[i])->name, arena));
		for (size_t k = i; k < end; k++)
			abt_json_string(out, NULL,
			    abt_utf8_mend(field_of(&items[k])->value, arena));
		abt_json_close(out);
	}
	abt_json_close(out);
}
