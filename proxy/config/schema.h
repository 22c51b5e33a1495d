/*
 * schema.h - reads JSON by option tables: the only reader of configuration
 */
#ifndef ABT_CONFIG_SCHEMA_H
#define ABT_CONFIG_SCHEMA_H

#include "albatross/option.h"

/* Where values come from and where complaints go. */
struct abt_source {
	const char *file;      /* as the operator wrote it; NULL: no file, a
				* complaint then names no place */
	struct abt_bytes text; /* the whole file */
	const char *directory; /* relative ABT_PATHs start here; NULL: as is */
	struct abt_arena *arena; /* values live here */
	void (*complain)(void *context, const char *sentence);
	void *context;
	unsigned errors;
};

/* Report "file:line:column: sentence" at |value| (or its key); a NULL |value|
 * means the file as a whole. */
void abt_complain(struct abt_source *source, const struct abt_json *value,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void abt_complain_key(struct abt_source *source, const struct abt_json *value,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Fill the presets of |rows| into |self|. */
int abt_schema_presets(
    struct abt_source *source, const struct abt_option *rows, void *self);
/*
 * Read |object| by |rows| into |self| (presets first).  A key that no row knows
 * and |others| (NULL-terminated names, may be NULL) does not list is an error
 * with the nearest known key.  0, or -1 after complaining.
 */
int abt_schema_read(struct abt_source *source, const struct abt_json *object,
    const struct abt_option *rows, const char *const *others, void *self);
/* Every key of |object| that stands twice is an error.  0, or -1. */
int abt_schema_unique(struct abt_source *source, const struct abt_json *object);
/* One value by one row, from a tree or from text of the command line.  Text
 * adds to what an ABT_LIST or ABT_MAP holds already. */
int abt_schema_value(struct abt_source *source, const struct abt_option *row,
    const struct abt_json *value, void *self);
int abt_schema_text(struct abt_source *source, const struct abt_option *row,
    const char *text, void *self, char *why, size_t size);
/* The nearest of |names| to |name| (edit distance at most a third), or NULL. */
const char *abt_schema_nearest(
    struct abt_bytes name, const char *const *names, size_t count);

/* |path| behind the source's directory when it is relative. */
struct abt_bytes abt_schema_path(
    struct abt_source *source, struct abt_bytes path);
/* Add a pair to |map|, or replace the one of that name. */
int abt_map_set(struct abt_map *map, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value);
/* The value of |name|, or NULL. */
const struct abt_bytes *abt_map_get(
    const struct abt_map *map, struct abt_bytes name);
int abt_list_add(
    struct abt_list *list, struct abt_arena *arena, struct abt_bytes item);

/* Write what |self| holds as members of the open object, each under its row's
 * name.  Empty strings, lists and maps are left out; what is secret is blanked
 * unless |secrets|. */
void abt_schema_print(struct abt_json_out *out, const struct abt_option *rows,
    const void *self, bool secrets);

#endif
