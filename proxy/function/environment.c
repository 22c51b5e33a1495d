/*
 * environment.c - what a function's process finds in its environment
 *
 * Made from nothing (R2.6): the variables of lambda.md 2.1, the user's, and of
 * ours only PATH and TMPDIR, which version managers and build tools need.  The
 * platform's variables win over the user's; LANG and its kind do not (R2.4).
 */
#include "function/function.h"

#include <stdio.h>
#include <stdlib.h>

/* Names that a user cannot set (R2.1); one that ends in * is a prefix. */
static const char *const reserved[] = {
	"_HANDLER",
	"_X_AMZN_TRACE_ID",
	"AWS_DEFAULT_REGION",
	"AWS_REGION",
	"AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_*",
	"AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY",
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API",
	"LAMBDA_TASK_ROOT",
	"LAMBDA_RUNTIME_DIR",
	"AWS_LAMBDA_MAX_CONCURRENCY",
	"AWS_LAMBDA_METADATA_*",
};

static const char *const credentials[] = {
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
};

#define USER_MAX 4096 /* bytes of the map as compact JSON (R2.3) */

static bool
is_reserved(struct abt_bytes name)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		struct abt_bytes row = abt_bytes_text(reserved[i]);

		if (row.p[row.n - 1] == '*') {
			row.n--;
			if (abt_bytes_starts(name, row))
				return true;
		} else if (abt_bytes_equal(name, row)) {
			return true;
		}
	}
	return false;
}

/* [a-zA-Z]([a-zA-Z0-9_])+ (R2.2) */
static bool
is_name(struct abt_bytes name)
{
	if (name.n < 2 || !abt_char_is(name.p[0], ABT_CHAR_ALPHA))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!abt_char_is(name.p[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) &&
		    name.p[i] != '_')
			return false;
	return true;
}

/* A repeated name counts once, with its last value. */
static bool
is_last(const struct abt_map *map, size_t at)
{
	for (size_t i = at + 1; i < map->count; i++)
		if (abt_bytes_equal(map->pairs[i].name, map->pairs[at].name))
			return false;
	return true;
}

static int
check_size(const struct abt_map *map, char *why, size_t size)
{
	struct abt_buf buf;
	struct abt_json_out out;
	int result = 0;

	abt_buf_init(&buf, NULL, 64 << 20);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	for (size_t i = 0; i < map->count; i++)
		if (is_last(map, i))
			abt_json_string_at(
			    &out, map->pairs[i].name, map->pairs[i].value);
	abt_json_close(&out);
	if (abt_json_out_failed(&out)) {
		snprintf(why, size, "%s",
		    out.bad_utf8 ? "the environment variables are not UTF-8"
				 : "memory ran out");
		result = -1;
	} else if (buf.n > USER_MAX) {
		snprintf(why, size,
		    "Lambda was unable to configure your environment variables "
		    "because the environment variables you have provided "
		    "exceeded the 4KB limit. String measured: %.*s",
		    ABT_FMT(abt_buf_bytes(&buf)));
		result = -1;
	}
	abt_buf_end(&buf);
	return result;
}

int
abt_function_check_environment(
    const struct abt_map *environment, char *why, size_t size)
{
	for (size_t i = 0; i < environment->count; i++) {
		struct abt_bytes name = environment->pairs[i].name;
		struct abt_bytes value = environment->pairs[i].value;

		if (is_reserved(name)) {
			snprintf(why, size,
			    "Lambda was unable to configure your environment "
			    "variables because the environment variables you "
			    "have provided contains reserved keys that are "
			    "currently not supported for modification. "
			    "Reserved keys used in this request: %.*s",
			    ABT_FMT(name));
			return -1;
		}
		if (!is_name(name) || abt_bytes_find(value, '\0') < value.n) {
			snprintf(why, size,
			    "the environment variable \"%.*s\" is not valid: "
			    "Member must satisfy regular expression pattern: "
			    "[a-zA-Z]([a-zA-Z0-9_])+",
			    ABT_FMT(name));
			return -1;
		}
	}
	return environment->count > 0 ? check_size(environment, why, size) : 0;
}

int
abt_function_check_variables(
    const struct abt_map *environment, char *why, size_t size)
{
	for (size_t i = 0; i < environment->count; i++) {
		struct abt_bytes name = environment->pairs[i].name;
		struct abt_bytes value = environment->pairs[i].value;

		if (name.n > 0 && abt_bytes_find(name, '=') == name.n &&
		    abt_bytes_find(name, '\0') == name.n &&
		    abt_bytes_find(value, '\0') == value.n)
			continue;
		snprintf(why, size,
		    "\"%.*s\" cannot be an environment variable: a name has "
		    "no \"=\", and neither name nor value has NUL",
		    ABT_FMT(name));
		return -1;
	}
	return 0;
}

/* ---- the environment of one process ---- */

struct block {
	struct abt_arena *arena;
	char **lines;
	size_t count, room;
};

static bool
has(const struct block *block, struct abt_bytes name)
{
	for (size_t i = 0; i < block->count; i++)
		if (strncmp(block->lines[i], name.p, name.n) == 0 &&
		    block->lines[i][name.n] == '=')
			return true;
	return false;
}

/* The first one to set a name keeps it: go from the strongest source down. */
static void
set(struct block *block, struct abt_bytes name, struct abt_bytes value)
{
	struct abt_bytes line;

	if (block->count == block->room || has(block, name))
		return;
	line = abt_arena_printf(
	    block->arena, "%.*s=%.*s", ABT_FMT(name), ABT_FMT(value));
	if (line.p != NULL && !abt_arena_failed(block->arena))
		block->lines[block->count++] = (char *)(uintptr_t)line.p;
}

static void
set_text(struct block *block, const char *name, const char *value)
{
	if (value != NULL)
		set(block, abt_bytes_text(name), abt_bytes_text(value));
}

static void
set_platform(struct block *block, const struct abt_function *function,
    const char *runtime_api, const char *log_stream)
{
	const struct abt_function_options *options = &function->options;
	struct abt_bytes group =
	    abt_arena_printf(block->arena, "/aws/lambda/%s", function->name);
	struct abt_bytes memory = abt_arena_printf(
	    block->arena, "%lld", (long long)options->memory_mb);

	set(block, ABT_BYTES("_HANDLER"), options->handler);
	set_text(block, "AWS_LAMBDA_RUNTIME_API", runtime_api);
	set_text(block, "AWS_LAMBDA_FUNCTION_NAME", function->name);
	set(block, ABT_BYTES("AWS_LAMBDA_FUNCTION_VERSION"), options->version);
	set(block, ABT_BYTES("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), memory);
	set(block, ABT_BYTES("AWS_LAMBDA_LOG_GROUP_NAME"), group);
	set_text(block, "AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
	set_text(block, "AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
	set(block, ABT_BYTES("AWS_REGION"), options->region);
	set(block, ABT_BYTES("AWS_DEFAULT_REGION"), options->region);
	set(block, ABT_BYTES("LAMBDA_TASK_ROOT"), options->root);
	set_text(block, "LAMBDA_RUNTIME_DIR", "/var/runtime");
}

char **
abt_function_environment(const struct abt_function *function,
    const char *runtime_api, const char *log_stream, struct abt_arena *arena)
{
	const struct abt_function_options *options = &function->options;
	struct block block = { arena, NULL, 0, 32 };

	block.room += options->environment.count;
	block.lines =
	    abt_arena_array(arena, block.room + 1, sizeof(*block.lines));
	if (block.lines == NULL)
		return NULL;
	set_platform(&block, function, runtime_api, log_stream);
	for (size_t i = 0;
	     options->credentials && i < sizeof(credentials) / sizeof(char *);
	     i++)
		set_text(&block, credentials[i], getenv(credentials[i]));
	for (size_t i = options->environment.count; i-- > 0;)
		set(&block, options->environment.pairs[i].name,
		    options->environment.pairs[i].value);
	set_text(&block, "PATH", getenv("PATH"));
	set_text(&block, "PATH", "/usr/local/bin:/usr/bin:/bin");
	set_text(&block, "TMPDIR", getenv("TMPDIR"));
	set_text(&block, "LANG", "en_US.UTF-8");
	set_text(&block, "TZ", ":UTC");
	set_text(&block, "AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
	return abt_arena_failed(arena) ? NULL : block.lines;
}
