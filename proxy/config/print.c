/*
 * print.c - option rows the other way: what a struct holds, as configuration
 */
#include <stdio.h>

#include "config/schema.h"
#include "config/units.h"

static void
print_list(
    struct abt_json_out *out, const char *name, const struct abt_list *list)
{
	if (list->count == 0)
		return;
	abt_json_array(out, name);
	for (size_t i = 0; i < list->count; i++)
		abt_json_string(out, NULL, list->items[i]);
	abt_json_close(out);
}

static void
print_map(struct abt_json_out *out, const char *name, const struct abt_map *map,
    bool secret)
{
	if (map->count == 0)
		return;
	abt_json_object(out, name);
	for (size_t i = 0; i < map->count; i++)
		abt_json_string_at(out, map->pairs[i].name,
		    secret ? ABT_BYTES("(secret)") : map->pairs[i].value);
	abt_json_close(out);
}

static void
print_string(struct abt_json_out *out, const struct abt_option *row,
    struct abt_bytes value, bool secret)
{
	if (value.n > 0)
		abt_json_string(
		    out, row->name, secret ? ABT_BYTES("(secret)") : value);
}

static void
print_row(struct abt_json_out *out, const struct abt_option *row,
    const void *self, bool secrets)
{
	const void *at = (const char *)self + row->offset;
	bool secret = !secrets && (row->flags & ABT_OPTION_SECRET) != 0;
	const struct abt_json *tree;
	char text[32];

	switch (row->kind) {
	case ABT_BOOL:
		abt_json_bool(out, row->name, *(const bool *)at);
		break;
	case ABT_INT:
		abt_json_int(out, row->name, *(const int64_t *)at);
		break;
	case ABT_SIZE:
		abt_size_format(text, *(const int64_t *)at);
		abt_json_text(out, row->name, text);
		break;
	case ABT_DURATION:
		abt_duration_format(text, *(const int64_t *)at);
		abt_json_text(out, row->name, text);
		break;
	case ABT_STRING:
	case ABT_PATH:
		print_string(out, row, *(const struct abt_bytes *)at, secret);
		break;
	case ABT_ENUM:
		abt_json_text(out, row->name, row->names[*(const int *)at]);
		break;
	case ABT_LIST:
		print_list(out, row->name, at);
		break;
	case ABT_MAP:
		print_map(out, row->name, at, secret);
		break;
	case ABT_JSON:
		tree = *(const struct abt_json *const *)at;
		if (tree != NULL && !secret)
			abt_json_tree(out, row->name, tree);
		break;
	case ABT_TABLE:
		abt_json_object(out, row->name);
		abt_schema_print(out, row->table, at, secrets);
		abt_json_close(out);
		break;
	case ABT_OPTION_END:
		break;
	}
}

void
abt_schema_print(struct abt_json_out *out, const struct abt_option *rows,
    const void *self, bool secrets)
{
	for (; rows->kind != ABT_OPTION_END; rows++)
		print_row(out, rows, self, secrets);
}
