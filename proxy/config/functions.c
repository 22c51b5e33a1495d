/*
 * functions.c - a function out of its options
 *
 * A function may outlive the setup that made it (reload), so everything it
 * keeps lies in an arena of its own.  Its content, the canonical JSON of all it
 * was made of, is what a reload compares.
 */
#include "config/functions.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config/dotenv.h"
#include "config/program.h"
#include "function/cgi.h"
#include "function/runtime.h"

#define CONTENT_MAX ((size_t)16 << 20)

int
abt_draft_begin(struct abt_source *source, struct abt_draft *draft,
    const struct abt_backend *backend)
{
	struct abt_source own = *source;
	int rc = 0;

	*draft = (struct abt_draft){ .backend = backend };
	abt_arena_init(&draft->arena, NULL);
	own.arena = &draft->arena;
	draft->self = abt_arena_zero(&draft->arena, backend->size + 1);
	if (draft->self == NULL) {
		abt_complain(source, NULL, "out of memory");
		rc = -1;
	} else if (abt_schema_presets(
		       &own, abt_function_option_rows, &draft->options) != 0 ||
		   abt_schema_presets(&own, backend->options, draft->self) !=
		       0) {
		source->errors = own.errors;
		rc = -1;
	}
	if (backend->timeout_ms > 0)
		draft->options.timeout_ms = backend->timeout_ms;
	if (rc != 0)
		abt_draft_end(draft);
	return rc;
}

void
abt_draft_end(struct abt_draft *draft)
{
	abt_arena_end(&draft->arena);
}

/* Where |name| stands in the function, or the function. */
static const struct abt_json *
member_of(const struct abt_json *at, const char *name)
{
	const struct abt_json *value = NULL;

	if (at != NULL && at->kind == ABT_JSON_OBJECT)
		value = abt_json_get(at, name);
	return value != NULL ? value : at;
}

/* The pairs of the file that "environment" does not set itself. */
static int
merge_env_file(struct abt_source *source, struct abt_draft *draft,
    const struct abt_json *at)
{
	struct abt_function_options *options = &draft->options;
	struct abt_map map = { 0 };
	const char *file;
	char why[512];

	if (options->env_file.n == 0)
		return 0;
	file = abt_arena_text(&draft->arena, options->env_file);
	if (file == NULL ||
	    abt_dotenv_read(file, &draft->arena, &map, why, sizeof why) != 0) {
		abt_complain(source, member_of(at, "env_file"), "%s",
		    file != NULL ? why : "out of memory");
		return -1;
	}
	for (size_t i = 0; i < options->environment.count; i++) {
		const struct abt_pair *pair = &options->environment.pairs[i];

		if (abt_map_set(&map, &draft->arena, pair->name, pair->value) !=
		    0)
			return -1;
	}
	options->environment = map;
	return 0;
}

/* The folder of the code, absolute: by "root", else where the file lies. */
static int
find_root(struct abt_source *source, struct abt_draft *draft,
    const struct abt_json *at)
{
	struct abt_bytes root = draft->options.root;
	char *path, *whole;
	struct stat st;

	if (root.n == 0)
		root = abt_bytes_text(
		    source->directory != NULL && source->directory[0] != '\0'
			? source->directory
			: ".");
	path = abt_arena_text(&draft->arena, root);
	if (path == NULL)
		return -1;
	whole = realpath(path, NULL);
	if (whole == NULL || stat(whole, &st) != 0) {
		abt_complain(source, member_of(at, "root"),
		    "the function's folder %s: %s", path, strerror(errno));
		free(whole);
		return -1;
	}
	draft->options.root =
	    abt_arena_copy(&draft->arena, abt_bytes_text(whole));
	if (!S_ISDIR(st.st_mode))
		abt_complain(
		    source, at, "the function's folder %s is no folder", path);
	free(whole);
	return S_ISDIR(st.st_mode) ? 0 : -1;
}

/* The list that a backend runs, or NULL. */
static const struct abt_list *
command_of(const struct abt_draft *draft)
{
	const struct abt_option *row = draft->backend->options;

	for (; row->kind != ABT_OPTION_END; row++)
		if (row->kind == ABT_LIST && strcmp(row->name, "command") == 0)
			return (const void *)((const char *)draft->self +
					      row->offset);
	return NULL;
}

/* The handler's file is looked for now, so that a missing one is told before
 * anything starts. */
static void
find_handler(struct abt_source *source, struct abt_draft *draft,
    const char *name, const struct abt_json *at)
{
	const struct abt_runtime *runtime = draft->self;
	struct abt_runtime_program program;
	struct abt_bytes handler;
	char why[1024];

	if (draft->backend != abt_backend_find(ABT_BYTES("runtime")))
		return;
	handler =
	    runtime->handler.n > 0 ? runtime->handler : draft->options.handler;
	if (abt_runtime_choose(draft->options.root, handler,
		(enum abt_runtime_kind)runtime->kind, &draft->arena, &program,
		why, sizeof why) != 0)
		abt_complain(source, member_of(at, "handler"),
		    "function \"%s\": %s", name, why);
}

/* As in "Runtime": "python3.12" of a template: a language, not a program. */
static bool
is_language(const struct abt_draft *draft, const struct abt_list *command)
{
	return draft->options.handler.n > 0 && command->count == 1 &&
	       (abt_bytes_starts(command->items[0], ABT_BYTES("python")) ||
		   abt_bytes_starts(command->items[0], ABT_BYTES("node")));
}

static void
find_code(struct abt_source *source, struct abt_draft *draft, const char *name,
    const struct abt_json *at)
{
	const struct abt_list *command = command_of(draft);
	char why[1024];

	if (draft->backend == abt_backend_find(ABT_BYTES("cgi"))) {
		if (abt_cgi_check(draft->self, why, sizeof why) != 0)
			abt_complain(source, member_of(at, "cgi"),
			    "function \"%s\": %s", name, why);
		return;
	}
	if (command == NULL || command->count == 0)
		find_handler(source, draft, name, at);
	else if (is_language(draft, command))
		abt_complain(source, member_of(at, draft->backend->name),
		    "function \"%s\": \"%s\" is the program that polls the "
		    "Runtime API; leave it out, the handler's file tells the "
		    "language",
		    name, draft->backend->name);
	else if (abt_program_look(
		     &draft->options, command->items[0], why, sizeof why) != 0)
		abt_complain(source, member_of(at, draft->backend->name),
		    "function \"%s\": %s", name, why);
}

/* Owned by the function, as abt_malloc gives it. */
static char *
make_content(struct abt_draft *draft)
{
	struct abt_json_out out;
	struct abt_buf buf;
	char *text = NULL;

	abt_buf_init(&buf, NULL, CONTENT_MAX);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_schema_print(&out, abt_function_option_rows, &draft->options, true);
	abt_json_object(&out, draft->backend->name);
	abt_schema_print(&out, draft->backend->options, draft->self, true);
	abt_json_close(&out);
	abt_json_close(&out);
	abt_buf_char(&buf, '\0');
	if (!abt_json_out_failed(&out))
		text = abt_strdup(buf.p); /* the NUL stands */
	abt_buf_end(&buf);
	return text;
}

struct abt_function *
abt_draft_finish(struct abt_source *source, struct abt_draft *draft,
    const char *name, const struct abt_json *at)
{
	struct abt_function *function = NULL;
	unsigned before = source->errors;
	char *content;
	char why[8192];

	merge_env_file(source, draft, at);
	if (find_root(source, draft, at) == 0)
		find_code(source, draft, name, at);
	if ((draft->backend->takes == ABT_MESSAGES
		    ? abt_function_check_variables
		    : abt_function_check_environment)(
		&draft->options.environment, why, sizeof why) != 0)
		abt_complain(source, member_of(at, "environment"),
		    "function \"%s\": %s", name, why);
	content = make_content(draft);
	if (source->errors == before && content != NULL &&
	    !abt_arena_failed(&draft->arena))
		function = abt_function_new(name, &draft->options,
		    draft->backend, draft->self, &draft->arena);
	if (function != NULL) {
		function->content = content;
		return function;
	}
	if (source->errors == before)
		abt_complain(source, at, "out of memory");
	abt_free(content);
	abt_draft_end(draft);
	return NULL;
}

/* A key that is nearly a backend's name; true after complaining. */
static bool
misspelt_backend(struct abt_source *source, const struct abt_json *value)
{
	const char *names[16];
	size_t n = 0;

	while (n < 16 && abt_backends[n] != NULL) {
		names[n] = abt_backends[n]->name;
		n++;
	}
	for (const struct abt_json *m = value->first; m != NULL; m = m->next) {
		const char *near = abt_schema_nearest(m->key, names, n);

		if (near == NULL)
			continue;
		abt_complain_key(source, m,
		    "unknown key \"%.*s\", did you mean \"%s\"?",
		    ABT_FMT(m->key), near);
		return true;
	}
	return false;
}

/* The member that names the backend; complains about none or several. */
static const struct abt_json *
find_backend(struct abt_source *source, const struct abt_json *value,
    const struct abt_backend **backend)
{
	const struct abt_json *found = NULL;

	*backend = NULL;
	for (const struct abt_json *m = value->first; m != NULL; m = m->next) {
		const struct abt_backend *b = abt_backend_find(m->key);

		if (b == NULL)
			continue;
		if (found != NULL && *backend != b) {
			abt_complain_key(source, m,
			    "a function runs in one way: keep \"%s\" or "
			    "\"%s\"",
			    (*backend)->name, b->name);
			*backend = NULL;
			return NULL;
		}
		found = m;
		*backend = b;
	}
	/* A handler alone says enough. */
	if (found == NULL && abt_json_get(value, "handler") != NULL)
		*backend = abt_backend_find(ABT_BYTES("runtime"));
	if (*backend == NULL && !misspelt_backend(source, value))
		abt_complain(source, value,
		    "function \"%.*s\" does not say how it runs: write "
		    "\"handler\": \"app.handler\", or \"runtime\", "
		    "\"command\", \"cgi\", \"fastcgi\" or \"mock\" with what "
		    "to run",
		    ABT_FMT(value->key));
	return found;
}

/* Is one of the object's keys a row's? */
static bool
knows_any(const struct abt_option *rows, const struct abt_json *object)
{
	for (const struct abt_json *m = object->first; m != NULL; m = m->next)
		for (const struct abt_option *row = rows;
		     row->kind != ABT_OPTION_END; row++)
			if (abt_bytes_equal(m->key, abt_bytes_text(row->name)))
				return true;
	return false;
}

static const struct abt_option *
main_row(const struct abt_backend *backend)
{
	const struct abt_option *row = backend->options;

	if (backend->main_option == NULL)
		return NULL;
	while (row->kind != ABT_OPTION_END &&
	       strcmp(row->name, backend->main_option) != 0)
		row++;
	return row->kind != ABT_OPTION_END ? row : NULL;
}

static int
read_backend(struct abt_source *source, const struct abt_json *value,
    const struct abt_backend *backend, void *self)
{
	const struct abt_option *row = main_row(backend);
	bool any = row != NULL && row->kind == ABT_JSON;

	if (value == NULL || value->kind == ABT_JSON_TRUE)
		return 0;
	/* "mock": { "statusCode": 200 } is the result itself. */
	if (value->kind == ABT_JSON_OBJECT &&
	    (!any || value->count == 0 || knows_any(backend->options, value)))
		return abt_schema_read(
		    source, value, backend->options, NULL, self);
	if (row != NULL)
		return abt_schema_value(source, row, value, self);
	abt_complain(source, value, "\"%s\" must be an object, but here is %s",
	    backend->name, abt_json_kind_name(value->kind));
	return -1;
}

static int
read_draft(struct abt_source *source, const struct abt_json *value,
    const struct abt_json *member, struct abt_draft *draft)
{
	static const char arn[] = "target_group_arn";
	const char *others[] = { arn, draft->backend->name, NULL };
	struct abt_source own = *source;
	int rc;

	own.arena = &draft->arena;
	rc = abt_schema_read(
	    &own, value, abt_function_option_rows, others, &draft->options);
	if (read_backend(&own, member, draft->backend, draft->self) != 0)
		rc = -1;
	source->errors = own.errors;
	return rc;
}

static int
read_arn(struct abt_source *source, const struct abt_json *value,
    struct abt_bytes *arn)
{
	static const struct abt_option row = { .name = "target_group_arn",
		.kind = ABT_STRING };
	const struct abt_json *at = abt_json_get(value, row.name);

	*arn = abt_bytes(NULL, 0);
	return at != NULL ? abt_schema_value(source, &row, at, arn) : 0;
}

struct abt_function *
abt_function_read(struct abt_source *source, const struct abt_json *value,
    struct abt_bytes *arn)
{
	const struct abt_backend *backend;
	const struct abt_json *member;
	struct abt_draft draft;
	char *name;

	*arn = abt_bytes(NULL, 0);
	if (value->kind != ABT_JSON_OBJECT) {
		abt_complain(source, value,
		    "function \"%.*s\" must be an object, but here is %s",
		    ABT_FMT(value->key), abt_json_kind_name(value->kind));
		return NULL;
	}
	member = find_backend(source, value, &backend);
	if (backend == NULL || abt_draft_begin(source, &draft, backend) != 0)
		return NULL;
	name = abt_arena_text(&draft.arena, value->key);
	if (read_draft(source, value, member, &draft) != 0 || name == NULL ||
	    read_arn(source, value, arn) != 0) {
		abt_draft_end(&draft);
		return NULL;
	}
	return abt_draft_finish(source, &draft, name, value);
}
