/*
 * spelled.c - header maps under the client's own spelling (apigw.md 1.5)
 *
 * Fields are sorted by their lower-case names without making these: eight
 * letters of each are at hand as a number, the others are looked at where two
 * fields agree in those.
 */
#include "dialect/spelled.h"

#include <endian.h>

#include "base/utf8_mend.h"

#define INSERTION_MAX 32 /* beyond it a merge sort: no quadratic heads */

struct abt_spelled_item {
	uint64_t prefix; /* first 8 letters, lower case */
	const struct abt_field *field;
	size_t group; /* how many items have this name; of the first of them */
};

static uint64_t
prefix_of(struct abt_bytes name)
{
	uint64_t letters = 0;

	if (name.n >= sizeof(letters))
		memcpy(&letters, name.p, sizeof(letters));
	else if (name.n > 0)
		memcpy(&letters, name.p, name.n);
	return be64toh(abt_lower8(letters));
}

void
abt_spelled_add(struct abt_spelled *spelled, struct abt_arena *arena,
    const struct abt_field *field)
{
	if (spelled->count == spelled->room) {
		size_t room = spelled->room == 0 ? 24 : spelled->room * 2;
		struct abt_spelled_item *items =
		    abt_arena_alloc(arena, room * sizeof(*items));

		if (items == NULL)
			return; /* the arena remembers */
		if (spelled->count > 0)
			memcpy(items, spelled->items,
			    spelled->count * sizeof(*items));
		spelled->items = items;
		spelled->room = room;
	}
	spelled->items[spelled->count++] =
	    (struct abt_spelled_item){ .prefix = prefix_of(field->name),
		    .field = field };
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

/* ---- order ---- */

/* As memcmp of the lower-case names, which agree in their first eight bytes. */
static int
compare_rest(struct abt_bytes a, struct abt_bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 8; i < n; i++) {
		unsigned char x = (unsigned char)abt_lower(a.p[i]);
		unsigned char y = (unsigned char)abt_lower(b.p[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static inline bool
is_after(const struct abt_spelled_item *a, const struct abt_spelled_item *b)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return compare_rest(a->field->name, b->field->name) > 0;
}

static void
insertion_sort(struct abt_spelled_item *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct abt_spelled_item item = items[i];
		size_t j = i;

		for (; j > 0 && is_after(&items[j - 1], &item); j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static void
merge(const struct abt_spelled_item *from, struct abt_spelled_item *to,
    size_t begin, size_t middle, size_t end)
{
	size_t left = begin, right = middle;

	for (size_t at = begin; at < end; at++)
		if (left < middle &&
		    (right == end || !is_after(&from[left], &from[right])))
			to[at] = from[left++];
		else
			to[at] = from[right++];
}

static void
merge_sort(struct abt_spelled *spelled, struct abt_arena *arena)
{
	size_t n = spelled->count;
	struct abt_spelled_item *from = spelled->items, *swap;
	struct abt_spelled_item *to = abt_arena_alloc(arena, n * sizeof(*to));

	if (to == NULL)
		return; /* the arena remembers */
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t i = 0; i < n; i += 2 * width) {
			size_t middle = i + width < n ? i + width : n;
			size_t end = i + 2 * width < n ? i + 2 * width : n;

			merge(from, to, i, middle, end);
		}
		swap = from;
		from = to;
		to = swap;
	}
	spelled->items = from;
	spelled->room = n;
}

/* Count the items of each name. */
static void
find_groups(struct abt_spelled *spelled)
{
	size_t i, end;

	for (i = 0; i < spelled->count; i = end) {
		for (end = i + 1; end < spelled->count; end++)
			if (is_after(&spelled->items[end], &spelled->items[i]))
				break;
		spelled->items[i].group = end - i;
	}
}

/* ---- writing ---- */

static struct abt_bytes
text(struct abt_bytes b, bool mend, struct abt_arena *arena)
{
	return mend ? abt_utf8_mend(b, arena) : b;
}

static void
write_last(const struct abt_spelled *spelled, struct abt_arena *arena,
    bool mend, struct abt_json_out *out)
{
	const struct abt_spelled_item *item = spelled->items;
	const struct abt_spelled_item *end = item + spelled->count;

	abt_json_object(out, "headers");
	for (; item < end; item += item->group) {
		const struct abt_field *first = item->field;
		const struct abt_field *last = item[item->group - 1].field;

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
	const struct abt_spelled_item *item = spelled->items;
	const struct abt_spelled_item *end = item + spelled->count;

	abt_json_object(out, "multiValueHeaders");
	for (; item < end; item += item->group) {
		const struct abt_field *first = item->field;

		if (item->group == 1 && first->plain) {
			abt_json_plain_list_at(out, first->name, first->value);
			continue;
		}
		abt_json_array_at(out, text(first->name, mend, arena));
		for (size_t k = 0; k < item->group; k++)
			abt_json_string(
			    out, NULL, text(item[k].field->value, mend, arena));
		abt_json_close(out);
	}
	abt_json_close(out);
}

void
abt_spelled_write(struct abt_spelled *spelled, struct abt_arena *arena,
    bool mend, struct abt_json_out *out)
{
	if (spelled->count <= INSERTION_MAX)
		insertion_sort(spelled->items, spelled->count);
	else
		merge_sort(spelled, arena);
	find_groups(spelled);
	write_last(spelled, arena, mend, out);
	write_lists(spelled, arena, mend, out);
}
