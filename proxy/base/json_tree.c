/*
 * json_tree.c - finding one's way in a tree, and what both readers share
 */
#include "base/json_tree.h"

/* ---- for people ---- */

void
abt_json_place(
    struct abt_bytes source, size_t offset, unsigned *line, unsigned *column)
{
	size_t i, begin = 0;
	unsigned lines = 1;

	if (offset > source.n)
		offset = source.n;
	for (i = 0; i < offset; i++) {
		if (source.p[i] != '\n')
			continue;
		lines++;
		begin = i + 1;
	}
	*line = lines;
	*column = (unsigned)(offset - begin) + 1;
}

void
abt_json_fail(struct abt_json_error *error, struct abt_bytes source,
    const char *text, size_t offset)
{
	if (error == NULL)
		return;
	error->text = text;
	error->offset = offset;
	abt_json_place(source, offset, &error->line, &error->column);
}

const char *
abt_json_kind_name(enum abt_json_kind kind)
{
	static const char *const names[] = {
		[ABT_JSON_NULL] = "null",
		[ABT_JSON_FALSE] = "false",
		[ABT_JSON_TRUE] = "true",
		[ABT_JSON_NUMBER] = "a number",
		[ABT_JSON_STRING] = "a string",
		[ABT_JSON_ARRAY] = "an array",
		[ABT_JSON_OBJECT] = "an object",
	};

	return names[kind];
}

/* ---- members ---- */

const struct abt_json *
abt_json_get_bytes(const struct abt_json *object, struct abt_bytes name)
{
	const struct abt_json *member;

	if (!abt_json_is(object, ABT_JSON_OBJECT))
		return NULL;
	for (member = object->first; member != NULL; member = member->next)
		if (!member->shadowed && abt_bytes_equal(member->key, name))
			return member;
	return NULL;
}

const struct abt_json *
abt_json_get(const struct abt_json *object, const char *name)
{
	return abt_json_get_bytes(object, abt_bytes_text(name));
}

const struct abt_json *
abt_json_at(const struct abt_json *array, size_t n)
{
	const struct abt_json *element;

	if (!abt_json_is(array, ABT_JSON_ARRAY) || n >= array->count)
		return NULL;
	element = array->first;
	while (n-- > 0)
		element = element->next;
	return element;
}

bool
abt_json_is_shadowed(const struct abt_json *member)
{
	return member->shadowed;
}

bool
abt_json_uint(const struct abt_json *value, uint64_t max, uint64_t *out)
{
	return abt_json_is(value, ABT_JSON_NUMBER) &&
	       abt_bytes_number(value->text, 10, max, out);
}

/* ---- repeated names ---- */

#define FEW 32

/* A bit for a name; equal names have equal bits. */
static inline uint64_t
name_bit(struct abt_bytes name)
{
	unsigned hash = (unsigned)name.n;

	if (name.n > 0)
		hash += 7u * (unsigned char)name.p[0] +
			13u * (unsigned char)name.p[name.n - 1] +
			5u * (unsigned char)name.p[name.n / 2];
	return (uint64_t)1 << (hash & 63);
}

/* Mark earlier ones of the name of |member|.  All of them: only the last of
 * them is not marked yet, and it stands before. */
static void
shadow_earlier(struct abt_json *object, const struct abt_json *member)
{
	struct abt_json *other;

	for (other = object->first; other != member; other = other->next)
		if (abt_bytes_equal(other->key, member->key))
			other->shadowed = true;
}

/* By name, and the first in the source first.  Merge sort of a list chained by
 * |sorted|, so that no order of members is slow. */
struct link {
	struct link *sorted;
	struct abt_json *member;
};

static bool
comes_first(const struct link *a, const struct link *b)
{
	return abt_bytes_compare(a->member->key, b->member->key) <= 0;
}

static struct link *
merge(struct link *a, struct link *b)
{
	struct link *first = NULL, **end = &first;

	while (a != NULL && b != NULL) {
		struct link **least = comes_first(a, b) ? &a : &b;

		*end = *least;
		end = &(*least)->sorted;
		*least = (*least)->sorted;
	}
	*end = a != NULL ? a : b;
	return first;
}

/* Runs of rising size 2^i stand in |runs| until they pair up. */
static struct link *
sort(struct link *links, size_t n)
{
	struct link *runs[33] = { NULL }, *all = NULL;
	size_t i, level;

	for (i = 0; i < n; i++) {
		struct link *run = &links[i];

		run->sorted = NULL;
		for (level = 0; runs[level] != NULL; level++) {
			run = merge(runs[level], run);
			runs[level] = NULL;
		}
		runs[level] = run;
	}
	for (level = 0; level < 33; level++)
		if (runs[level] != NULL)
			all = merge(runs[level], all);
	return all;
}

static int
shadow_many(struct abt_json *object, struct abt_arena *arena)
{
	struct abt_json *member;
	struct link *links, *at;
	size_t i = 0;

	links = abt_arena_array(arena, object->count, sizeof(*links));
	if (links == NULL)
		return -1;
	for (member = object->first; member != NULL; member = member->next)
		links[i++].member = member;
	for (at = sort(links, i); at->sorted != NULL; at = at->sorted)
		if (abt_bytes_equal(at->member->key, at->sorted->member->key))
			at->member->shadowed = true;
	return 0;
}

int
abt_json_shadow(struct abt_json *object, struct abt_arena *arena)
{
	struct abt_json *member;
	uint64_t seen = 0;

	for (member = object->first; member != NULL; member = member->next) {
		uint64_t bit = name_bit(member->key);

		if ((seen & bit) != 0) {
			if (object->count > FEW)
				return shadow_many(object, arena);
			shadow_earlier(object, member);
		}
		seen |= bit;
	}
	return 0;
}
