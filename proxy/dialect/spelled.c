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
	*field = (struct abt_field){ .name = name,
		.value = value,
		.id = id,
		.plain = abt_bytes_plain(value) };
	abt_spelled_add(spelled, arena, field);
}

static const struct abt_field *
field_of(const struct abt_entry *entry)
{
	return (const struct abt_field *)(const void *)entry->value.p;
}

static inline bool
same_name(const struct abt_entry *a, const struct abt_entry *b)
{
	return a->prefix == b->prefix && abt_bytes_equal(a->name, b->name);
}

/* Behind the last entry that has the name of entry |i|. */
static inline size_t
group_end(const struct abt_entries *entries, size_t i)
{
	size_t end = i + 1;

	while (end < entries->count &&
	       same_name(&entries->items[i], &entries->items[end]))
		end++;
	return end;
}

static struct abt_bytes
text(struct abt_bytes b, bool mend, struct abt_arena *arena)
{
	return mend ? abt_utf8_mend(b, arena) : b;
}

static void
write_last(const struct abt_spelled *spelled, struct abt_arena *arena,
    bool mend, struct abt_json_out *out)
{
	const struct abt_entry *items = spelled->entries.items;
	size_t i, end;

	abt_json_object(out, "headers");
	for (i = 0; i < spelled->entries.count; i = end) {
		const struct abt_field *first = field_of(&items[i]), *last;

		end = group_end(&spelled->entries, i);
		last = field_of(&items[end - 1]);
		if (first->plain && last->plain)
			abt_json_plain_at(out, first->name, last->value);
		else
			abt_json_string_at(out, text(first->name, mend, arena),
			    text(last->value, mend, arena));
	}
	abt_json_close(out);
}

static void
write_lists(const struct abt_spelled *spelled, struct abt_arena *arena,
    bool mend, struct abt_json_out *out)
{
	const struct abt_entry *items = spelled->entries.items;
	size_t i, end;

	abt_json_object(out, "multiValueHeaders");
	for (i = 0; i < spelled->entries.count; i = end) {
		const struct abt_field *first = field_of(&items[i]);

		end = group_end(&spelled->entries, i);
		if (end == i + 1 && first->plain) {
			abt_json_plain_list_at(out, first->name, first->value);
			continue;
		}
		abt_json_array_at(out, text(first->name, mend, arena));
		for (size_t k = i; k < end; k++)
			abt_json_string(out, NULL,
			    text(field_of(&items[k])->value, mend, arena));
		abt_json_close(out);
	}
	abt_json_close(out);
}

void
abt_spelled_write(struct abt_spelled *spelled, struct abt_arena *arena,
    bool mend, struct abt_json_out *out)
{
	abt_entries_sort(&spelled->entries, arena);
	write_last(spelled, arena, mend, out);
	write_lists(spelled, arena, mend, out);
}
