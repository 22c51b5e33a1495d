/*
 * load.c - the albatross file becomes a setup
 *
 * Functions first, then the fronts that lead to them, then the listeners that
 * lead to fronts.  A part that is wrong is told and left out, so that one run
 * tells everything; any error and there is no setup.  The text and its tree are
 * gone afterwards: all that is kept was copied.
 */
#include "config/load.h"

#include <stdio.h>

#include "config/api.h"
#include "config/file.h"
#include "config/front.h"
#include "config/functions.h"
#include "config/listeners.h"
#include "config/routes.h"
#include "config/settings.h"

#define FILE_MAX ((size_t)16 << 20)

struct loader {
	struct abt_source source;
	struct abt_setup *setup;
	struct abt_arena scratch; /* text and tree */
	const struct abt_json *root;
	struct abt_settings settings;
	struct abt_targets targets;
};

static const char *const parts[] = { "listeners", "fronts", "functions", NULL };

static char *
folder_of(struct abt_arena *arena, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash == NULL)
		return abt_arena_text(arena, ABT_BYTES("."));
	if (slash == file)
		return abt_arena_text(arena, ABT_BYTES("/"));
	return abt_arena_text(arena, abt_bytes(file, (size_t)(slash - file)));
}

static int
no_memory(struct loader *l)
{
	abt_complain(&l->source, NULL, "out of memory");
	return -1;
}

/* A sentence that has its place, or none. */
static int
complain_plain(struct loader *l, const char *sentence)
{
	const char *file = l->source.file;

	l->source.file = NULL;
	abt_complain(&l->source, NULL, "%s", sentence);
	l->source.file = file;
	return -1;
}

static int
parse(struct loader *l)
{
	struct abt_json_error error = { 0 };
	char why[1024];

	l->source.directory = folder_of(&l->setup->arena, l->source.file);
	l->root =
	    abt_json_read(l->source.text, ABT_JSON_DEPTH, &l->scratch, &error);
	if (l->root != NULL && l->source.directory != NULL)
		return 0;
	if (l->root != NULL || error.text == NULL)
		return no_memory(l);
	snprintf(why, sizeof why, "%.700s:%u:%u: %s", l->source.file,
	    error.line, error.column, error.text);
	return complain_plain(l, why);
}

/* The object |name| of the file, or NULL; complains about another kind. */
static const struct abt_json *
section(struct loader *l, const char *name)
{
	const struct abt_json *value = abt_json_get(l->root, name);

	if (value == NULL || value->kind == ABT_JSON_OBJECT) {
		if (value != NULL)
			abt_schema_unique(&l->source, value);
		return value;
	}
	abt_complain(&l->source, value,
	    "\"%s\" must be an object of names, but here is %s", name,
	    abt_json_kind_name(value->kind));
	return NULL;
}

static int
load_functions(struct loader *l)
{
	const struct abt_json *all = section(l, "functions");
	struct abt_setup *setup = l->setup;
	size_t count = all != NULL ? all->count : 0;

	l->targets.targets =
	    abt_arena_array(&setup->arena, count, sizeof *l->targets.targets);
	setup->functions = abt_arena_array(
	    &setup->arena, count, sizeof(struct abt_function *));
	if (abt_arena_failed(&setup->arena))
		return no_memory(l);
	for (const struct abt_json *v = all != NULL ? all->first : NULL;
	     v != NULL; v = v->next) {
		struct abt_target *target =
		    &l->targets.targets[l->targets.count];
		struct abt_function *function =
		    abt_function_read(&l->source, v, &target->target_group_arn);

		target->name = abt_arena_text(&setup->arena, v->key);
		target->function = function;
		if (target->name == NULL)
			return no_memory(l);
		l->targets.count++;
		if (function != NULL)
			setup->functions[setup->function_count++] = function;
	}
	return 0;
}

#define MISPLACED_MAX 32

/* The attribute that |key| means: its name, or its flag with '_' for '-'. */
static const struct abt_option *
meant_attribute(struct abt_bytes key)
{
	for (size_t i = 0; abt_dialects[i] != NULL; i++)
		for (const struct abt_option *row = abt_dialects[i]->attributes;
		     row != NULL && row->kind != ABT_OPTION_END; row++) {
			struct abt_bytes flag = abt_bytes_text(row->flag);
			size_t same = 0;

			if (abt_bytes_equal(key, abt_bytes_text(row->name)))
				return row;
			while (same < flag.n && same < key.n &&
			       (key.p[same] == flag.p[same] ||
				   (key.p[same] == '_' && flag.p[same] == '-')))
				same++;
			if (flag.n > 0 && same == flag.n && same == key.n)
				return row;
		}
	return NULL;
}

/* Attributes that stand beside "attributes": told, and listed in |names|. */
static void
find_misplaced(struct loader *l, const struct abt_json *front,
    const char *names[MISPLACED_MAX + 1])
{
	size_t count = 0;

	for (const struct abt_json *m = front->first; m != NULL; m = m->next) {
		const struct abt_option *row = meant_attribute(m->key);

		if (row == NULL || count == MISPLACED_MAX)
			continue;
		abt_complain_key(&l->source, m,
		    "\"%.*s\" is an attribute, write \"attributes\": { "
		    "\"%s\": ... }",
		    ABT_FMT(m->key), row->name);
		names[count] = abt_arena_text(&l->scratch, m->key);
		count += names[count] != NULL;
	}
	names[count] = NULL;
}

static void
load_front(struct loader *l, const struct abt_json *value)
{
	struct abt_front *front = &l->setup->fronts[l->setup->front_count];
	struct abt_front_options options = { 0 };
	const char *misplaced[MISPLACED_MAX + 1];
	int rc;

	if (value->kind != ABT_JSON_OBJECT) {
		abt_complain(&l->source, value,
		    "front \"%.*s\" must be an object, but here is %s",
		    ABT_FMT(value->key), abt_json_kind_name(value->kind));
		return;
	}
	find_misplaced(l, value, misplaced);
	if (abt_schema_read(&l->source, value, abt_front_option_rows, misplaced,
		&options) != 0)
		return;
	if (abt_front_make(&l->source,
		abt_arena_copy(&l->setup->arena, value->key), &options, value,
		front) != 0)
		return;
	rc = front->api != NULL ? abt_api_routes_read(&l->source, &options,
				      value, &l->targets, front)
				: abt_routes_read(&l->source, &options, value,
				      &l->targets, front);
	if (rc != 0)
		return;
	abt_front_finish(front);
	l->setup->front_count++;
}

static int
load_fronts(struct loader *l)
{
	const struct abt_json *all = section(l, "fronts");

	l->setup->fronts = abt_arena_array(&l->setup->arena,
	    all != NULL ? all->count : 0, sizeof *l->setup->fronts);
	if (l->setup->fronts == NULL)
		return no_memory(l);
	if (all == NULL || all->count == 0)
		abt_complain(&l->source, all != NULL ? all : l->root,
		    "there is no front; write \"fronts\": { \"main\": { "
		    "\"dialect\": \"alb\", \"function\": \"...\" } }");
	for (const struct abt_json *v = all != NULL ? all->first : NULL;
	     v != NULL; v = v->next)
		load_front(l, v);
	return 0;
}

static int
load_parts(struct loader *l)
{
	if (abt_schema_read(&l->source, l->root, abt_settings_rows, parts,
		&l->settings) != 0 &&
	    l->root->kind != ABT_JSON_OBJECT)
		return -1;
	if (load_functions(l) != 0 || load_fronts(l) != 0)
		return -1;
	abt_listeners_read(&l->source, l->root, l->setup);
	return 0;
}

static struct abt_setup *
load(struct loader *l, const struct abt_bytes *text)
{
	const char *file = l->source.file;
	char why[1024];

	l->source.arena = &l->setup->arena;
	if (text != NULL)
		l->source.text = *text;
	if (text == NULL && abt_file_read(file, FILE_MAX, &l->scratch,
				&l->source.text, why, sizeof why) != 0)
		complain_plain(l, why);
	else if (parse(l) == 0 && load_parts(l) == 0) {
		l->setup->file =
		    abt_arena_copy(&l->setup->arena, abt_bytes_text(file));
		abt_settings_apply(&l->settings, l->setup);
	}
	if (l->source.errors == 0 && abt_arena_failed(&l->setup->arena))
		no_memory(l);
	if (l->source.errors == 0)
		return l->setup;
	abt_setup_free(l->setup);
	return NULL;
}

static struct abt_setup *
load_from(const char *file, const struct abt_bytes *text,
    void (*complain)(void *context, const char *sentence), void *context)
{
	struct loader l = {
		.source = { .file = file,
		    .complain = complain,
		    .context = context },
		.setup = abt_setup_new(),
	};
	struct abt_setup *setup;

	if (l.setup == NULL) {
		no_memory(&l);
		return NULL;
	}
	abt_arena_init(&l.scratch, NULL);
	setup = load(&l, text);
	abt_arena_end(&l.scratch);
	return setup;
}

struct abt_setup *
abt_load_text(const char *file, struct abt_bytes text,
    void (*complain)(void *context, const char *sentence), void *context)
{
	return load_from(file, &text, complain, context);
}

struct abt_setup *
abt_load_file(const char *file,
    void (*complain)(void *context, const char *sentence), void *context)
{
	return load_from(file, NULL, complain, context);
}
