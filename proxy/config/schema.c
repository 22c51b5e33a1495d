/*
 * schema.c - reads JSON by option tables: the only reader of configuration
 *
 * A module declares rows beside its struct and never parses; this walks an
 * object by the rows.  Every error of a file is told, each with its place and
 * what would be right, so that a file is mended in one go.
 */
#include "config/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/units.h"
#include "config/value.h"

#define SENTENCE  1024
#define MAX_NAMES 256

static void __attribute__((format(printf, 3, 0)))
complain_at(struct abt_source *source, const uint32_t *offset,
    const char *format, va_list ap)
{
	char sentence[SENTENCE];
	size_t n = 0;
	unsigned line, column;

	source->errors++;
	if (source->file != NULL && offset != NULL) {
		abt_json_place(source->text, *offset, &line, &column);
		snprintf(sentence, sizeof sentence,
		    "%.700s:%u:%u: ", source->file, line, column);
	} else if (source->file != NULL) {
		snprintf(sentence, sizeof sentence, "%.700s: ", source->file);
	} else {
		sentence[0] = '\0';
	}
	n = strlen(sentence);
	vsnprintf(sentence + n, sizeof sentence - n, format, ap);
	if (source->complain != NULL)
		source->complain(source->context, sentence);
}

void
abt_complain(struct abt_source *source, const struct abt_json *value,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain_at(source, value != NULL ? &value->offset : NULL, format, ap);
	va_end(ap);
}

void
abt_complain_key(struct abt_source *source, const struct abt_json *value,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain_at(
	    source, value != NULL ? &value->key_offset : NULL, format, ap);
	va_end(ap);
}

struct abt_bytes
abt_schema_path(struct abt_source *source, struct abt_bytes path)
{
	const char *directory = source->directory;

	if (path.n == 0 || path.p[0] == '/' || directory == NULL ||
	    directory[0] == '\0' || abt_bytes_equal(path, ABT_BYTES("-")))
		return abt_arena_copy(source->arena, path);
	return abt_arena_printf(
	    source->arena, "%s/%.*s", directory, ABT_FMT(path));
}

int
abt_list_add(
    struct abt_list *list, struct abt_arena *arena, struct abt_bytes item)
{
	struct abt_bytes *items =
	    abt_arena_array(arena, list->count + 1, sizeof *items);

	if (items == NULL)
		return -1;
	if (list->count > 0)
		memcpy(items, list->items, list->count * sizeof *items);
	items[list->count++] = item;
	list->items = items;
	return 0;
}

int
abt_map_set(struct abt_map *map, struct abt_arena *arena, struct abt_bytes name,
    struct abt_bytes value)
{
	struct abt_pair *pairs;

	for (size_t i = 0; i < map->count; i++)
		if (abt_bytes_equal(map->pairs[i].name, name)) {
			map->pairs[i].value = value;
			return 0;
		}
	pairs = abt_arena_array(arena, map->count + 1, sizeof *pairs);
	if (pairs == NULL)
		return -1;
	if (map->count > 0)
		memcpy(pairs, map->pairs, map->count * sizeof *pairs);
	pairs[map->count].name = name;
	pairs[map->count++].value = value;
	map->pairs = pairs;
	return 0;
}

const struct abt_bytes *
abt_map_get(const struct abt_map *map, struct abt_bytes name)
{
	for (size_t i = 0; i < map->count; i++)
		if (abt_bytes_equal(map->pairs[i].name, name))
			return &map->pairs[i].value;
	return NULL;
}

static int
preset(struct abt_source *source, const struct abt_option *row, void *self)
{
	char why[SENTENCE];

	if (row->kind == ABT_TABLE)
		return abt_schema_presets(
		    source, row->table, (char *)self + row->offset);
	if (row->preset == NULL)
		return 0;
	if (abt_value_text(source, row, abt_bytes_text(row->preset), self, why,
		sizeof why) == 0)
		return 0;
	abt_complain(source, NULL, "the preset of \"%s\" %s", row->name, why);
	return -1;
}

int
abt_schema_presets(
    struct abt_source *source, const struct abt_option *rows, void *self)
{
	int rc = 0;

	for (; rows->kind != ABT_OPTION_END; rows++)
		if (preset(source, rows, self) != 0)
			rc = -1;
	return rc;
}

int
abt_schema_value(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self)
{
	const struct abt_json *at = value;
	char why[SENTENCE / 2] = "";

	if (row->kind == ABT_TABLE && value->kind == ABT_JSON_OBJECT)
		return abt_schema_read(source, value, row->table, NULL,
		    (char *)self + row->offset);
	if (abt_value_json(source, row, value, self, &at, why, sizeof why) == 0)
		return 0;
	abt_complain(source, at, "\"%s\" %s", row->name, why);
	return -1;
}

int
abt_schema_text(struct abt_source *source, const struct abt_option *row,
    const char *text, void *self, char *why, size_t size)
{
	return abt_value_text(
	    source, row, abt_bytes_text(text), self, why, size);
}

static const struct abt_option *
find_row(const struct abt_option *rows, struct abt_bytes key)
{
	for (; rows->kind != ABT_OPTION_END; rows++)
		if (abt_bytes_equal(key, abt_bytes_text(rows->name)))
			return rows;
	return NULL;
}

static bool
listed(const char *const *names, struct abt_bytes key)
{
	for (; names != NULL && *names != NULL; names++)
		if (abt_bytes_equal(key, abt_bytes_text(*names)))
			return true;
	return false;
}

static void
unknown_key(struct abt_source *source, const struct abt_json *member,
    const struct abt_option *rows, const char *const *others)
{
	const char *names[MAX_NAMES], *nearest;
	struct abt_bytes key = member->key;
	size_t count = 0;

	for (; rows->kind != ABT_OPTION_END && count < MAX_NAMES; rows++)
		if ((rows->flags & ABT_OPTION_HIDDEN) == 0)
			names[count++] = rows->name;
	for (; others != NULL && *others != NULL && count < MAX_NAMES; others++)
		names[count++] = *others;
	nearest = abt_schema_nearest(key, names, count);
	if (key.n > 80)
		key.n = 80;
	if (nearest != NULL)
		abt_complain_key(source, member,
		    "unknown key \"%.*s\", did you mean \"%s\"?", ABT_FMT(key),
		    nearest);
	else
		abt_complain_key(source, member,
		    "unknown key \"%.*s\"; the manual is "
		    "`albatross help config`",
		    ABT_FMT(key));
}

/* The member of the same name before |member|, or NULL. */
static const struct abt_json *
earlier(const struct abt_json *object, const struct abt_json *member)
{
	for (const struct abt_json *m = object->first; m != member; m = m->next)
		if (abt_bytes_equal(m->key, member->key))
			return m;
	return NULL;
}

int
abt_schema_unique(struct abt_source *source, const struct abt_json *object)
{
	int rc = 0;

	for (const struct abt_json *m = object->first; m != NULL; m = m->next) {
		const struct abt_json *first = earlier(object, m);
		unsigned line, column;

		if (first == NULL)
			continue;
		abt_json_place(source->text, first->key_offset, &line, &column);
		abt_complain_key(source, m,
		    "\"%.*s\" stands twice, first on line %u; keep one",
		    ABT_FMT(m->key), line);
		rc = -1;
	}
	return rc;
}

static int
check_required(struct abt_source *source, const struct abt_json *object,
    const struct abt_option *rows)
{
	int rc = 0;

	for (; rows->kind != ABT_OPTION_END; rows++)
		if ((rows->flags & ABT_OPTION_REQUIRED) != 0 &&
		    abt_json_get(object, rows->name) == NULL) {
			abt_complain(source, object, "\"%s\" is missing: %s",
			    rows->name, rows->help);
			rc = -1;
		}
	return rc;
}

int
abt_schema_read(struct abt_source *source, const struct abt_json *object,
    const struct abt_option *rows, const char *const *others, void *self)
{
	int rc = abt_schema_presets(source, rows, self);

	if (object->kind != ABT_JSON_OBJECT) {
		abt_complain(source, object, "here must be an object, not %s",
		    abt_json_kind_name(object->kind));
		return -1;
	}
	if (abt_schema_unique(source, object) != 0)
		rc = -1;
	for (const struct abt_json *m = object->first; m != NULL; m = m->next) {
		const struct abt_option *row = find_row(rows, m->key);

		if (row != NULL) {
			if (abt_schema_value(source, row, m, self) != 0)
				rc = -1;
		} else if (!listed(others, m->key)) {
			unknown_key(source, m, rows, others);
			rc = -1;
		}
	}
	if (check_required(source, object, rows) != 0)
		rc = -1;
	return rc;
}
