/*
 * maps.c - shared pieces of events: sorted maps of single values and of lists
 */
#include "dialect/maps.h"

#include <endian.h>

#include "http/percent.h"

#define INSERTION_MAX 32 /* beyond it a merge sort: no quadratic heads */

/* The first eight bytes as a number that sorts as they do. */
static uint64_t
prefix_of(struct abt_bytes name)
{
	uint64_t prefix = 0;
	size_t i;

	if (name.n >= 8) {
		memcpy(&prefix, name.p, sizeof(prefix));
		return be64toh(prefix);
	}
	for (i = 0; i < name.n; i++)
		prefix |= (uint64_t)(unsigned char)name.p[i] << (56 - 8 * i);
	return prefix;
}

static struct abt_entry *
add(struct abt_entries *entries, struct abt_arena *arena, struct abt_bytes name,
    struct abt_bytes value)
{
	struct abt_entry *entry;

	if (entries->count == entries->room) {
		size_t room = entries->room == 0 ? 24 : entries->room * 2;
		struct abt_entry *items =
		    abt_arena_alloc(arena, room * sizeof(*items));

		if (items == NULL)
			return NULL; /* the arena remembers */
		if (entries->count > 0)
			memcpy(items, entries->items,
			    entries->count * sizeof(*items));
		entries->items = items;
		entries->room = room;
	}
	entry = &entries->items[entries->count++];
	entry->prefix = prefix_of(name);
	entry->name = name;
	entry->value = value;
	entry->plain = false;
	return entry;
}

void
abt_entries_add(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value)
{
	add(entries, arena, name, value);
}

void
abt_entries_add_plain(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value)
{
	struct abt_entry *entry = add(entries, arena, name, value);

	if (entry != NULL)
		entry->plain = true;
}

void
abt_entries_add_field(struct abt_entries *entries, struct abt_arena *arena,
    const struct abt_field *field)
{
	struct abt_entry *entry =
	    add(entries, arena, abt_field_lower(field, arena), field->value);

	if (entry != NULL)
		entry->plain = field->plain;
}

/* ---- order ---- */

static bool
is_after(const struct abt_entry *a, const struct abt_entry *b)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return abt_bytes_compare(a->name, b->name) > 0;
}

static void
insertion_sort(struct abt_entry *items, size_t count)
{
	size_t i, j;

	for (i = 1; i < count; i++) {
		struct abt_entry entry = items[i];

		for (j = i; j > 0 && is_after(&items[j - 1], &entry); j--)
			items[j] = items[j - 1];
		items[j] = entry;
	}
}

static void
merge(const struct abt_entry *from, struct abt_entry *to, size_t begin,
    size_t middle, size_t end)
{
	size_t left = begin, right = middle, at;

	for (at = begin; at < end; at++)
		if (left < middle &&
		    (right == end || !is_after(&from[left], &from[right])))
			to[at] = from[left++];
		else
			to[at] = from[right++];
}

void
abt_entries_sort(struct abt_entries *entries, struct abt_arena *arena)
{
	size_t n = entries->count, width, i;
	struct abt_entry *from = entries->items, *to, *swap;

	if (n <= INSERTION_MAX) {
		insertion_sort(entries->items, n);
		return;
	}
	to = abt_arena_alloc(arena, n * sizeof(*to));
	if (to == NULL)
		return;
	for (width = 1; width < n; width *= 2) {
		for (i = 0; i < n; i += 2 * width) {
			size_t middle = i + width < n ? i + width : n;
			size_t end = i + 2 * width < n ? i + 2 * width : n;

			merge(from, to, i, middle, end);
		}
		swap = from;
		from = to;
		to = swap;
	}
	entries->items = from;
	entries->room = n;
}

/* ---- writing ---- */

static bool
same_name(const struct abt_entry *a, const struct abt_entry *b)
{
	return a->prefix == b->prefix && abt_bytes_equal(a->name, b->name);
}

void
abt_write_last(struct abt_json_out *out, const char *key,
    const struct abt_entries *entries)
{
	size_t i;

	abt_json_object(out, key);
	for (i = 0; i < entries->count; i++) {
		const struct abt_entry *entry = &entries->items[i];

		if (i + 1 < entries->count && same_name(entry, entry + 1))
			continue;
		if (entry->plain)
			abt_json_plain_at(out, entry->name, entry->value);
		else
			abt_json_string_at(out, entry->name, entry->value);
	}
	abt_json_close(out);
}

void
abt_write_lists(struct abt_json_out *out, const char *key,
    const struct abt_entries *entries)
{
	size_t i;

	abt_json_object(out, key);
	for (i = 0; i < entries->count; i++) {
		const struct abt_entry *entry = &entries->items[i];

		bool first = i == 0 || !same_name(entry - 1, entry);
		bool last =
		    i + 1 == entries->count || !same_name(entry, entry + 1);

		if (first && last && entry->plain) {
			abt_json_plain_list_at(out, entry->name, entry->value);
			continue;
		}
		if (first)
			abt_json_array_at(out, entry->name);
		abt_json_string(out, NULL, entry->value);
		if (last)
			abt_json_close(out);
	}
	abt_json_close(out);
}

/* The values of the entries from |begin| to |end|, joined. */
static struct abt_bytes
join(const struct abt_entry *items, size_t begin, size_t end,
    struct abt_arena *arena)
{
	size_t i, n = 0, size = end - begin;
	char *out;

	if (size == 1)
		return items[begin].value;
	for (i = begin; i < end; i++)
		size += items[i].value.n;
	out = abt_arena_alloc(arena, size);
	if (out == NULL)
		return abt_bytes(NULL, 0); /* the arena remembers */
	for (i = begin; i < end; i++) {
		if (i > begin)
			out[n++] = ',';
		if (items[i].value.n > 0)
			memcpy(out + n, items[i].value.p, items[i].value.n);
		n += items[i].value.n;
	}
	return abt_bytes(out, n);
}

void
abt_write_joined(struct abt_json_out *out, const char *key,
    const struct abt_entries *entries, struct abt_arena *arena)
{
	const struct abt_entry *items = entries->items;
	size_t i, end;

	abt_json_object(out, key);
	for (i = 0; i < entries->count; i = end) {
		for (end = i + 1; end < entries->count; end++)
			if (!same_name(&items[i], &items[end]))
				break;
		if (end == i + 1 && items[i].plain)
			abt_json_plain_at(out, items[i].name, items[i].value);
		else
			abt_json_string_at(
			    out, items[i].name, join(items, i, end, arena));
	}
	abt_json_close(out);
}

/* ---- sources ---- */

void
abt_entries_of_query(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes query)
{
	struct abt_bytes rest = query, piece;
	bool plain = abt_bytes_plain(query);

	while (abt_bytes_next(&rest, '&', &piece)) {
		size_t equals = abt_bytes_find(piece, '=');
		struct abt_bytes value = { piece.p + piece.n, 0 };
		struct abt_entry *entry;

		if (piece.n == 0)
			continue; /* alb.md E4.5 */
		if (equals < piece.n)
			value = abt_bytes(
			    piece.p + equals + 1, piece.n - equals - 1);
		entry = add(entries, arena, abt_bytes(piece.p, equals), value);
		if (entry != NULL)
			entry->plain = plain;
	}
}

static bool
has_escapes(struct abt_bytes b)
{
	return b.n > 0 &&
	       (memchr(b.p, '%', b.n) != NULL || memchr(b.p, '+', b.n) != NULL);
}

void
abt_entries_of_form(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes query)
{
	bool escapes = has_escapes(query);
	size_t i = entries->count;

	abt_entries_of_query(entries, arena, query);
	for (; i < entries->count; i++) {
		struct abt_entry *entry = &entries->items[i];
		struct abt_bytes both = { entry->name.p,
			(size_t)(entry->value.p - entry->name.p) +
			    entry->value.n };

		if (entry->plain && !(escapes && has_escapes(both)))
			continue;
		entry->name = abt_percent_decode(entry->name, true, arena);
		entry->prefix = prefix_of(entry->name);
		entry->value = abt_percent_decode(entry->value, true, arena);
		entry->plain = abt_bytes_plain(entry->name) &&
			       abt_bytes_plain(entry->value);
	}
}

struct abt_bytes
abt_field_lower(const struct abt_field *field, struct abt_arena *arena)
{
	static const struct abt_bytes names[ABT_FIELDS] = {
#define FIELD(id, name) [ABT_FIELD_##id] = ABT_BYTES_INIT(name),
		ABT_KNOWN_FIELDS(FIELD)
#undef FIELD
	};
	struct abt_bytes name = field->name;
	char *lower;

	if (field->id != ABT_FIELD_OTHER)
		return names[field->id];
	lower = abt_arena_alloc(arena, name.n);
	if (lower == NULL)
		return name;
	abt_bytes_lower(lower, name);
	return abt_bytes(lower, name.n);
}

bool
abt_media_is_text(struct abt_bytes content_type)
{
	struct abt_bytes type = abt_bytes_trim(
	    abt_bytes(content_type.p, abt_bytes_find(content_type, ';')));

	return abt_bytes_starts_nocase(type, ABT_BYTES("text/")) ||
	       abt_bytes_equal_nocase(type, ABT_BYTES("application/json")) ||
	       abt_bytes_equal_nocase(
		   type, ABT_BYTES("application/javascript")) ||
	       abt_bytes_equal_nocase(type, ABT_BYTES("application/xml"));
}
