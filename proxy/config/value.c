/*
 * value.c - one value by one option row
 *
 * Text and JSON meet here: a JSON string of a number, duration, size or enum is
 * read as the command line reads it, so AWS's "true" and "60" are welcome.
 * Whatever is wrong is told as a clause behind the option's name.
 */
#include "config/value.h"

#include <inttypes.h>
#include <stdio.h>

#include "config/units.h"

static void *
place(const struct abt_option *row, void *self)
{
	return (char *)self + row->offset;
}

static void
format_bound(const struct abt_option *row, int64_t value, char out[32])
{
	if (row->kind == ABT_DURATION)
		abt_duration_format(out, value);
	else if (row->kind == ABT_SIZE)
		abt_size_format(out, value);
	else
		snprintf(out, 32, "%" PRId64, value);
}

static int
within(const struct abt_option *row, int64_t value, char *why, size_t size)
{
	char low[32], high[32], got[32];

	if (row->min == 0 && row->max == 0)
		return 0;
	if (value >= row->min && value <= row->max)
		return 0;
	format_bound(row, row->min, low);
	format_bound(row, row->max, high);
	format_bound(row, value, got);
	snprintf(why, size, "must be from %s to %s, not %s", low, high, got);
	return -1;
}

static const char *
expected(enum abt_option_kind kind)
{
	switch (kind) {
	case ABT_BOOL:
		return "true or false";
	case ABT_INT:
		return "a whole number";
	case ABT_SIZE:
		return "a size like 1048576 or \"64 KiB\"";
	case ABT_DURATION:
		return "a duration like \"30s\", \"250ms\" or \"5m\"";
	case ABT_STRING:
		return "a string";
	case ABT_PATH:
		return "the path of a file, as a string";
	case ABT_ENUM:
		return "one of its names, as a string";
	case ABT_LIST:
		return "a list of strings";
	case ABT_MAP:
		return "an object of strings";
	case ABT_TABLE:
		return "an object";
	default:
		return "something else";
	}
}

static int
wrong(
    const struct abt_option *row, struct abt_bytes text, char *why, size_t size)
{
	if (text.n > 60)
		text.n = 60;
	snprintf(why, size, "must be %s, not \"%.*s\"", expected(row->kind),
	    ABT_FMT(text));
	return -1;
}

static int
put_bool(const struct abt_option *row, struct abt_bytes text, void *self,
    char *why, size_t size)
{
	bool *out = place(row, self);

	if (abt_bytes_equal(text, ABT_BYTES("true")))
		*out = true;
	else if (abt_bytes_equal(text, ABT_BYTES("false")))
		*out = false;
	else
		return wrong(row, text, why, size);
	return 0;
}

static int
put_number(const struct abt_option *row, struct abt_bytes text, void *self,
    char *why, size_t size)
{
	int64_t *out = place(row, self);
	uint64_t plain;
	int64_t value;
	bool good;

	if (row->kind == ABT_DURATION) {
		good = abt_duration_parse(text, &value);
	} else if (row->kind == ABT_SIZE) {
		good = abt_size_parse(text, &value);
	} else {
		bool negative = row->min < 0 && text.n > 1 && text.p[0] == '-';
		struct abt_bytes digits =
		    negative ? abt_bytes(text.p + 1, text.n - 1) : text;

		good = abt_bytes_number(digits, 10, INT64_MAX, &plain);
		value = good ? (int64_t)plain : 0;
		if (negative)
			value = -value;
	}
	if (!good)
		return wrong(row, text, why, size);
	if (within(row, value, why, size) != 0)
		return -1;
	*out = value;
	return 0;
}

static int
put_enum(const struct abt_option *row, struct abt_bytes text, void *self,
    char *why, size_t size)
{
	int *out = place(row, self);
	size_t count = 0, used;
	const char *nearest;

	for (; row->names[count] != NULL; count++)
		if (abt_bytes_equal(text, abt_bytes_text(row->names[count]))) {
			*out = (int)count;
			return 0;
		}
	if (text.n > 60)
		text.n = 60;
	snprintf(why, size, "must be ");
	for (size_t i = 0; i < count; i++) {
		used = strlen(why);
		snprintf(why + used, size - used, "%s\"%s\"",
		    i == 0           ? ""
		    : i + 1 == count ? " or "
				     : ", ",
		    row->names[i]);
	}
	used = strlen(why);
	snprintf(why + used, size - used, ", not \"%.*s\"", ABT_FMT(text));
	nearest = abt_schema_nearest(text, row->names, count);
	used = strlen(why);
	if (nearest != NULL)
		snprintf(
		    why + used, size - used, "; did you mean \"%s\"?", nearest);
	return -1;
}

/* Strings end up as C strings in places, so a NUL would cut them short. */
static int
check_text(struct abt_bytes text, char *why, size_t size)
{
	if (abt_bytes_find(text, '\0') == text.n)
		return 0;
	snprintf(why, size, "holds a NUL byte");
	return -1;
}

static int
no_memory(char *why, size_t size)
{
	snprintf(why, size, "could not be kept: out of memory");
	return -1;
}

static int
put_string(struct abt_source *source, const struct abt_option *row,
    struct abt_bytes text, void *self, char *why, size_t size)
{
	struct abt_bytes *out = place(row, self);

	if (check_text(text, why, size) != 0)
		return -1;
	if (row->max > 0 && text.n > (uint64_t)row->max) {
		snprintf(why, size,
		    "has %zu bytes, at most %" PRId64 " are taken", text.n,
		    row->max);
		return -1;
	}
	*out = row->kind == ABT_PATH ? abt_schema_path(source, text)
				     : abt_arena_copy(source->arena, text);
	return abt_arena_failed(source->arena) ? no_memory(why, size) : 0;
}

static int
put_item(struct abt_source *source, const struct abt_option *row,
    struct abt_bytes text, void *self, char *why, size_t size)
{
	struct abt_list *list = place(row, self);

	if (check_text(text, why, size) != 0)
		return -1;
	if (abt_list_add(
		list, source->arena, abt_arena_copy(source->arena, text)) != 0)
		return no_memory(why, size);
	return 0;
}

static int
put_pair(struct abt_source *source, const struct abt_option *row,
    struct abt_bytes text, void *self, char *why, size_t size)
{
	struct abt_map *map = place(row, self);
	size_t n = abt_bytes_find(text, '=');

	if (check_text(text, why, size) != 0)
		return -1;
	if (n == 0 || n == text.n) {
		snprintf(why, size, "must be written NAME=VALUE, not \"%.*s\"",
		    ABT_FMT(text));
		return -1;
	}
	text = abt_arena_copy(source->arena, text);
	if (abt_arena_failed(source->arena) ||
	    abt_map_set(map, source->arena, abt_bytes(text.p, n),
		abt_bytes(text.p + n + 1, text.n - n - 1)) != 0)
		return no_memory(why, size);
	return 0;
}

static int
put_tree(struct abt_source *source, const struct abt_option *row,
    struct abt_bytes text, void *self, char *why, size_t size)
{
	const struct abt_json **out = place(row, self);
	struct abt_json_error error = { 0 };

	text = abt_arena_copy(source->arena, text);
	*out = abt_json_scan(text, ABT_JSON_DEPTH, source->arena, &error);
	if (*out != NULL)
		return 0;
	if (error.text == NULL)
		return no_memory(why, size);
	snprintf(why, size, "must be JSON; at byte %zu: %s", error.offset + 1,
	    error.text);
	return -1;
}

int
abt_value_text(struct abt_source *source, const struct abt_option *row,
    struct abt_bytes text, void *self, char *why, size_t size)
{
	switch (row->kind) {
	case ABT_BOOL:
		return put_bool(row, text, self, why, size);
	case ABT_INT:
	case ABT_SIZE:
	case ABT_DURATION:
		return put_number(row, text, self, why, size);
	case ABT_ENUM:
		return put_enum(row, text, self, why, size);
	case ABT_STRING:
	case ABT_PATH:
		return put_string(source, row, text, self, why, size);
	case ABT_LIST:
		return put_item(source, row, text, self, why, size);
	case ABT_MAP:
		return put_pair(source, row, text, self, why, size);
	case ABT_JSON:
		return put_tree(source, row, text, self, why, size);
	default:
		snprintf(why, size, "can only be written in a file");
		return -1;
	}
}

static int
wrong_kind(const struct abt_option *row, const struct abt_json *value,
    char *why, size_t size)
{
	snprintf(why, size, "must be %s, but here is %s", expected(row->kind),
	    abt_json_kind_name(value->kind));
	return -1;
}

static int
json_list(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self, const struct abt_json **at,
    char *why, size_t size)
{
	struct abt_list *list = place(row, self);

	*list = (struct abt_list){ 0 };
	if (value->kind == ABT_JSON_STRING)
		return put_item(source, row, value->text, self, why, size);
	if (value->kind != ABT_JSON_ARRAY)
		return wrong_kind(row, value, why, size);
	list->items =
	    abt_arena_array(source->arena, value->count, sizeof *list->items);
	if (abt_arena_failed(source->arena))
		return no_memory(why, size);
	for (const struct abt_json *v = value->first; v != NULL; v = v->next) {
		*at = v;
		if (v->kind != ABT_JSON_STRING)
			return wrong_kind(row, v, why, size);
		if (check_text(v->text, why, size) != 0)
			return -1;
		list->items[list->count++] =
		    abt_arena_copy(source->arena, v->text);
	}
	*at = value;
	return abt_arena_failed(source->arena) ? no_memory(why, size) : 0;
}

static int
json_map(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self, const struct abt_json **at,
    char *why, size_t size)
{
	struct abt_map *map = place(row, self);

	*map = (struct abt_map){ 0 };
	if (value->kind != ABT_JSON_OBJECT)
		return wrong_kind(row, value, why, size);
	map->pairs =
	    abt_arena_array(source->arena, value->count, sizeof *map->pairs);
	if (abt_arena_failed(source->arena))
		return no_memory(why, size);
	for (const struct abt_json *v = value->first; v != NULL; v = v->next) {
		struct abt_pair *pair = &map->pairs[map->count];

		*at = v;
		if (v->kind != ABT_JSON_STRING)
			return wrong_kind(row, v, why, size);
		if (abt_json_is_shadowed(v)) {
			snprintf(
			    why, size, "has \"%.*s\" twice", ABT_FMT(v->key));
			return -1;
		}
		if (check_text(v->key, why, size) != 0 ||
		    check_text(v->text, why, size) != 0)
			return -1;
		pair->name = abt_arena_copy(source->arena, v->key);
		pair->value = abt_arena_copy(source->arena, v->text);
		map->count++;
	}
	*at = value;
	return abt_arena_failed(source->arena) ? no_memory(why, size) : 0;
}

/* A copy that lives in |arena|, offsets kept; its depth is bounded by the
 * reader. */
static struct abt_json *
copy_tree(struct abt_arena *arena, const struct abt_json *value)
{
	struct abt_json *copy = abt_arena_alloc(arena, sizeof *copy);
	struct abt_json **end;

	if (copy == NULL)
		return NULL;
	*copy = *value;
	copy->key = abt_arena_copy(arena, value->key);
	copy->text = abt_arena_copy(arena, value->text);
	copy->first = copy->last = copy->next = NULL;
	end = &copy->first;
	for (const struct abt_json *v = value->first; v != NULL; v = v->next) {
		*end = copy_tree(arena, v);
		if (*end == NULL)
			return NULL;
		copy->last = *end;
		end = &(*end)->next;
	}
	return copy;
}

static int
json_tree(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self, char *why, size_t size)
{
	const struct abt_json **out = place(row, self);

	*out = copy_tree(source->arena, value);
	return abt_arena_failed(source->arena) ? no_memory(why, size) : 0;
}

static int
json_scalar(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self, char *why, size_t size)
{
	bool number = row->kind == ABT_INT || row->kind == ABT_SIZE ||
		      row->kind == ABT_DURATION;

	if (row->kind == ABT_BOOL && abt_json_is_bool(value)) {
		*(bool *)place(row, self) = value->kind == ABT_JSON_TRUE;
		return 0;
	}
	/* 301 may be the name of a choice. */
	if (value->kind == ABT_JSON_STRING ||
	    (value->kind == ABT_JSON_NUMBER &&
		(number || row->kind == ABT_ENUM)))
		return abt_value_text(
		    source, row, value->text, self, why, size);
	return wrong_kind(row, value, why, size);
}

int
abt_value_json(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self, const struct abt_json **at,
    char *why, size_t size)
{
	*at = value;
	switch (row->kind) {
	case ABT_LIST:
		return json_list(source, row, value, self, at, why, size);
	case ABT_MAP:
		return json_map(source, row, value, self, at, why, size);
	case ABT_JSON:
		return json_tree(source, row, value, self, why, size);
	case ABT_TABLE:
		return wrong_kind(row, value, why, size);
	default:
		return json_scalar(source, row, value, self, why, size);
	}
}
