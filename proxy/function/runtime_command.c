/*
 * runtime_command.c - which program runs a handler
 *
 * A handler is a file that can be run (./bootstrap), or module and function as
 * AWS writes them.  Python: the last dot ends the module, whose dots and
 * slashes are folders.  Node: in the last part of the path, the first dot ends
 * the module.  AWS's own runtime client is taken where it is installed for the
 * function, else our own under share/.
 */
#include "function/runtime_command.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOUND_MAX 8

const char *const abt_runtime_names[] = { "auto", "python", "node", NULL };

struct search {
	struct abt_bytes root, handler;
	struct abt_arena *arena;
	char found[FOUND_MAX][256]; /* relative to the root */
	enum abt_runtime_kind kinds[FOUND_MAX];
	unsigned count;
	char looked_for[512];
};

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
is_program(const char *path)
{
	return is_file(path) && access(path, X_OK) == 0;
}

/* ---- where handlers are ---- */

static void
look(struct search *search, enum abt_runtime_kind kind, struct abt_bytes stem,
    const char *extension)
{
	char path[PATH_MAX];
	size_t n = strlen(search->looked_for);

	snprintf(search->looked_for + n, sizeof(search->looked_for) - n,
	    "%s%.*s%s", n > 0 ? ", " : "", ABT_FMT(stem), extension);
	snprintf(path, sizeof(path), "%.*s/%.*s%s", ABT_FMT(search->root),
	    ABT_FMT(stem), extension);
	if (!is_file(path) || search->count == FOUND_MAX)
		return;
	snprintf(search->found[search->count],
	    sizeof(search->found[search->count]), "%.*s%s", ABT_FMT(stem),
	    extension);
	search->kinds[search->count++] = kind;
}

static size_t
last_index(struct abt_bytes b, char c)
{
	size_t i = b.n;

	while (i > 0 && b.p[i - 1] != c)
		i--;
	return i > 0 ? i - 1 : b.n;
}

/* awslambdaric: the handler's last dot; dots of the module are folders. */
static void
look_for_python(struct search *search)
{
	size_t dot = last_index(search->handler, '.');
	struct abt_bytes module =
	    abt_arena_copy(search->arena, abt_bytes(search->handler.p, dot));
	char *p = (char *)(uintptr_t)module.p;

	if (dot == search->handler.n || dot == 0 || p == NULL)
		return;
	for (size_t i = 0; i < module.n; i++)
		if (p[i] == '.' && i > 0 && p[i - 1] != '.' && p[i - 1] != '/')
			p[i] = '/';
	look(search, ABT_RUNTIME_PYTHON, module, ".py");
	look(search, ABT_RUNTIME_PYTHON, module, "/__init__.py");
}

/* aws-lambda-ric: the first dot of the last part of the path. */
static void
look_for_node(struct search *search)
{
	size_t slash = last_index(search->handler, '/');
	size_t base = slash < search->handler.n ? slash + 1 : 0;
	size_t dot = base + abt_bytes_find(abt_bytes(search->handler.p + base,
					       search->handler.n - base),
				'.');
	struct abt_bytes module = abt_bytes(search->handler.p, dot);

	if (dot >= search->handler.n || dot == base)
		return;
	look(search, ABT_RUNTIME_NODE, module, ".js");
	look(search, ABT_RUNTIME_NODE, module, ".mjs");
	look(search, ABT_RUNTIME_NODE, module, ".cjs");
}

static int
none_found(const struct search *search, char *why, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/%.*s", ABT_FMT(search->root),
	    ABT_FMT(search->handler));
	if (is_file(path))
		snprintf(why, size,
		    "%.*s cannot be run: make it executable with chmod +x %s",
		    ABT_FMT(search->handler), path);
	else if (search->looked_for[0] == '\0')
		snprintf(why, size,
		    "\"%.*s\" is neither a program in %.*s nor a handler: "
		    "write file.function, as in app.handler",
		    ABT_FMT(search->handler), ABT_FMT(search->root));
	else
		snprintf(why, size,
		    "no file for the handler \"%.*s\" in %.*s: looked for %s",
		    ABT_FMT(search->handler), ABT_FMT(search->root),
		    search->looked_for);
	return -1;
}

static int
several_found(const struct search *search, char *why, size_t size)
{
	char list[512] = "";

	for (unsigned i = 0; i < search->count; i++) {
		size_t n = strlen(list);

		snprintf(list + n, sizeof(list) - n, "%s%s", i > 0 ? ", " : "",
		    search->found[i]);
	}
	snprintf(why, size,
	    "several files fit the handler \"%.*s\" in %.*s: %s; choose with "
	    "--runtime python or --runtime node, or rename one",
	    ABT_FMT(search->handler), ABT_FMT(search->root), list);
	return -1;
}

/* 0: search->found[0] it is. */
static int
find_handler(
    struct search *search, enum abt_runtime_kind kind, char *why, size_t size)
{
	if (kind != ABT_RUNTIME_NODE)
		look_for_python(search);
	if (kind != ABT_RUNTIME_PYTHON)
		look_for_node(search);
	if (search->count == 0)
		return none_found(search, why, size);
	/* Told which runtime, take the first one, in AWS's order. */
	if (search->count > 1 && kind == ABT_RUNTIME_AUTO)
		return several_found(search, why, size);
	return 0;
}

/* ---- clients ---- */

/* The folder of our own clients: of the source tree, or installed. */
static const char *
own_client(struct abt_arena *arena, const char *file)
{
	static const char *const places[] = { "../share/runtime",
		"../share/albatross/runtime", "../../share/runtime" };
	char self[PATH_MAX], path[PATH_MAX + 64], full[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash != NULL && i < 3; i++) {
		snprintf(path, sizeof(path), "%.*s/%s/%s", (int)(slash - self),
		    self, places[i], file);
		if (is_file(path) && realpath(path, full) != NULL)
			return abt_arena_text(arena, abt_bytes_text(full));
	}
	snprintf(path, sizeof(path), "%s/runtime/%s", ABT_SHARE, file);
	return is_file(path) ? abt_arena_text(arena, abt_bytes_text(path))
			     : NULL;
}

/* The folder that holds |program| of PATH, or NULL. */
static const char *
folder_in_path(struct abt_arena *arena, const char *program)
{
	struct abt_bytes rest = abt_bytes_text(getenv("PATH")), folder;
	char path[PATH_MAX];

	while (abt_bytes_next(&rest, ':', &folder)) {
		if (folder.n == 0)
			continue;
		snprintf(
		    path, sizeof(path), "%.*s/%s", ABT_FMT(folder), program);
		if (is_program(path))
			return abt_arena_text(arena, folder);
	}
	return NULL;
}

/* bin/index.* of the package at |folder|/|below|, or NULL. */
static const char *
ric_entry(struct abt_arena *arena, struct abt_bytes folder, const char *below)
{
	static const char *const entries[] = { "index.mjs", "index.js" };
	char path[PATH_MAX];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%.*s/%s/aws-lambda-ric/bin/%s",
		    ABT_FMT(folder), below, entries[i]);
		if (is_file(path))
			return abt_arena_text(arena, abt_bytes_text(path));
	}
	return NULL;
}

/* As Node would resolve it from the function's folder, then globally. */
static const char *
find_ric(struct abt_arena *arena, struct abt_bytes root)
{
	const char *bin = folder_in_path(arena, "node");
	struct abt_bytes folder = root;
	const char *entry;

	for (;;) {
		entry = ric_entry(arena, folder, "node_modules");
		if (entry != NULL || folder.n == 0)
			break;
		folder.n = last_index(folder, '/');
	}
	if (entry == NULL && bin != NULL)
		entry = ric_entry(
		    arena, abt_bytes_text(bin), "../lib/node_modules");
	if (entry == NULL)
		entry = ric_entry(
		    arena, ABT_BYTES("/usr/local/lib"), "node_modules");
	return entry;
}

static int
set_argv(struct abt_runtime_program *program, struct abt_arena *arena,
    const char *const *words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	program->argv = abt_arena_array(arena, n + 1, sizeof(char *));
	for (size_t i = 0; program->argv != NULL && i < n; i++)
		program->argv[i] =
		    abt_arena_text(arena, abt_bytes_text(words[i]));
	return abt_arena_failed(arena) ? -1 : 0;
}

static int
missing_client(const char *file, char *why, size_t size)
{
	snprintf(why, size,
	    "our runtime client %s is not installed under %s/runtime", file,
	    ABT_SHARE);
	return -1;
}

static int
use_python(struct search *search, const char *handler,
    struct abt_runtime_program *program, char *why, size_t size)
{
	static const char file[] = "python/albatross_runtime.py";
	const char *own = own_client(search->arena, file);
	const char *words[] = { "python3", NULL, NULL, NULL, NULL };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/awslambdaric/__main__.py",
	    ABT_FMT(search->root));
	program->polls = true;
	if (is_file(path)) { /* pip install -t . */
		words[1] = "-m";
		words[2] = "awslambdaric";
		words[3] = handler;
		program->client = "awslambdaric";
		return set_argv(program, search->arena, words);
	}
	if (own == NULL)
		return missing_client(file, why, size);
	words[1] = own; /* hands over to an awslambdaric that Python finds */
	words[2] = handler;
	program->client = "albatross_runtime.py";
	return set_argv(program, search->arena, words);
}

static int
use_node(struct search *search, const char *handler,
    struct abt_runtime_program *program, char *why, size_t size)
{
	static const char file[] = "node/albatross-runtime.mjs";
	const char *words[] = { "node", NULL, handler, NULL };

	program->polls = true;
	program->client = "aws-lambda-ric";
	words[1] = find_ric(search->arena, search->root);
	if (words[1] == NULL) {
		program->client = "albatross-runtime.mjs";
		words[1] = own_client(search->arena, file);
	}
	if (words[1] == NULL)
		return missing_client(file, why, size);
	return set_argv(program, search->arena, words);
}

/* ---- the choice ---- */

/* A handler that is a file which can be run. */
static bool
use_program(struct search *search, struct abt_bytes name,
    struct abt_runtime_program *program)
{
	const char *words[2] = { NULL, NULL };
	char path[PATH_MAX];

	if (name.n > 0 && name.p[0] == '/')
		snprintf(path, sizeof(path), "%.*s", ABT_FMT(name));
	else
		snprintf(path, sizeof(path), "%.*s/%.*s", ABT_FMT(search->root),
		    ABT_FMT(name));
	if (!is_program(path))
		return false;
	words[0] = path;
	program->client = "its own program";
	return set_argv(program, search->arena, words) == 0;
}

/* What is written as a path, or is a file, is not a handler's name. */
static bool
is_meant_as_path(const struct search *search)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/%.*s", ABT_FMT(search->root),
	    ABT_FMT(search->handler));
	return abt_bytes_starts(search->handler, ABT_BYTES("./")) ||
	       abt_bytes_starts(search->handler, ABT_BYTES("/")) ||
	       is_file(path);
}

int
abt_runtime_choose(struct abt_bytes root, struct abt_bytes handler,
    enum abt_runtime_kind kind, struct abt_arena *arena,
    struct abt_runtime_program *program, char *why, size_t size)
{
	struct search search = { .root = root, .arena = arena };
	const char *text;

	memset(program, 0, sizeof(*program));
	search.handler = handler;
	if (handler.n == 0) {
		use_program(&search, ABT_BYTES("bootstrap"), program);
		return 0; /* without one, each event says so (R2.12) */
	}
	if (kind == ABT_RUNTIME_AUTO && use_program(&search, handler, program))
		return 0;
	if (find_handler(&search, kind, why, size) != 0) {
		if (kind == ABT_RUNTIME_AUTO && search.count == 0 &&
		    !is_meant_as_path(&search) &&
		    use_program(&search, ABT_BYTES("bootstrap"), program))
			return 0; /* which reads _HANDLER itself */
		return -1;
	}
	text = abt_arena_text(arena, handler);
	if (text == NULL)
		return -1;
	if (search.kinds[0] == ABT_RUNTIME_PYTHON)
		return use_python(&search, text, program, why, size);
	return use_node(&search, text, program, why, size);
}
