/*
 * spelled.c - header maps under the client's own spelling (apigw.md 1.5)
 *
 * The entries are sorted by lower-case names; the value of an entry is not
 * text but the bytes of its field's address, so that one sort, that of the
 * other maps, serves here too.  The second map says nearly the same as the
 * first: what needed no escape there is copied from there.
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

static struct abt_bytes
text(struct abt_bytes b, bool mend, struct abt_arena *arena)
{
	return mend ? abt_utf8_mend(b, arena) : b;
}

/* Where a member of the first map stands in the buffer. */
struct place {
	size_t begin, end;
};

static void
write_last(const struct abt_spelled *spelled, struct place *places,
    struct abt_arena *arena, bool mend, struct abt_json_out *out)
{
	const struct abt_entry *items = spelled->entries.items;
	size_t i, end;

	abt_json_object(out, "headers");
	for (i = 0; i < spelled->entries.count; i = end) {
		const struct abt_field *first = field_of(&items[i]), *last;

		end = group_end(&spelled->entries, i);
		last = field_of(&items[end - 1]);
		places[i].begin = out->buf->n + out->comma;
		if (first->plain && last->plain)
			abt_json_plain_at(out, first->name, last->value);
		else
			abt_json_string_at(out, text(first->name, mend, arena),
			    text(last->value, mend, arena));
		places[i].end = out->buf->n;
	}
	abt_json_close(out);
}

/* The member at |place|, whose name takes |key| bytes, with its value as a list
 * of one. */
static void
copy_as_list(struct abt_json_out *out, const struct place *place, size_t key)
{
	size_t n = place->end - place->begin;
	char *w = abt_buf_room(out->buf, n + 3);
	const char *from;

	if (w == NULL)
		return;
	from = out->buf->p + place->begin;
	*w = ',';
	w += out->comma;
	memcpy(w, from, key);
	w[key] = '[';
	memcpy(w + key + 1, from + key, n - key);
	w[n + 1] = ']';
	abt_buf_commit(out->buf, n + 2 + out->comma);
	out->comma = true;
}

/* Did the field need no escape?  Then all its bytes but the quotes, the colon
 * and nothing else are in the member. */
static bool
is_plain(const struct abt_json_out *out, const struct place *place,
    const struct abt_field *field)
{
	return !out->bad_utf8 &&
	       place->end - place->begin ==
		   field->name.n + field->value.n + sizeof("\"\":\"\"") - 1;
}

static void
write_lists(const struct abt_spelled *spelled, const struct place *places,
    struct abt_arena *arena, bool mend, struct abt_json_out *out)
{
	const struct abt_entry *items = spelled->entries.items;
	size_t i, end;

	abt_json_object(out, "multiValueHeaders");
	for (i = 0; i < spelled->entries.count; i = end) {
		const struct abt_field *first = field_of(&items[i]);

		end = group_end(&spelled->entries, i);
		if (end == i + 1 && is_plain(out, &places[i], first)) {
			copy_as_list(out, &places[i], first->name.n + 3);
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
	struct place *places = abt_arena_alloc(
	    arena, (spelled->entries.count + 1) * sizeof(*places));

	if (places == NULL)
		return; /* the arena remembers */
	abt_entries_sort(&spelled->entries, arena);
	write_last(spelled, places, arena, mend, out);
	write_lists(spelled, places, arena, mend, out);
}
