/*
 * function_make.c - makes a function from its options, opens and frees it
 */
#include "function/function_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/ids.h"

/* clang-format off */
static const struct abt_option queue_rows[] = {
	{ .name = "length", .kind = ABT_INT, .preset = "1000",
	  .offset = offsetof(struct abt_queue_options, length),
	  .max = 1000000,
	  .help = "how many events may wait for an environment; 0 refuses them at once" },
	{ .name = "wait", .kind = ABT_DURATION, .preset = "10s",
	  .offset = offsetof(struct abt_queue_options, wait_ms),
	  .max = 900000,
	  .help = "how long an event may wait for an environment" },
	ABT_OPTIONS_END,
};

#define AT(member) offsetof(struct abt_function_options, member)
const struct abt_option abt_function_option_rows[] = {
	{ .name = "timeout", .kind = ABT_DURATION, .offset = AT(timeout_ms),
	  .preset = "3s", .max = 900000, .flag = "timeout", .argument = "TIME",
	  .help = "how long the function may work on an event; 0 sets no limit and runs one environment (for debuggers)" },
	{ .name = "memory", .kind = ABT_INT, .offset = AT(memory_mb),
	  .preset = "128", .min = 128, .max = 32768, .flag = "memory",
	  .argument = "MB",
	  .help = "memory size in MB that the function is told; it is not enforced" },
	{ .name = "concurrency", .kind = ABT_INT, .offset = AT(concurrency),
	  .preset = "10", .min = 1, .max = 4000, .flag = "concurrency",
	  .argument = "N",
	  .help = "how many environments may run at once" },
	{ .name = "queue", .kind = ABT_TABLE, .offset = AT(queue),
	  .table = queue_rows,
	  .help = "events that wait while all environments are busy" },
	{ .name = "environment", .kind = ABT_MAP, .offset = AT(environment),
	  .flag = "env", .argument = "KEY=VALUE",
	  .help = "environment variables of the function",
	  .flags = ABT_OPTION_SECRET },
	{ .name = "env_file", .kind = ABT_PATH, .offset = AT(env_file),
	  .flag = "env-file", .argument = "FILE",
	  .help = "a file of KEY=VALUE lines with more environment variables" },
	{ .name = "region", .kind = ABT_STRING, .offset = AT(region),
	  .preset = "us-east-1", .flag = "region", .argument = "NAME",
	  .help = "the region in the function's ARN and environment" },
	{ .name = "account", .kind = ABT_STRING, .offset = AT(account),
	  .preset = "123456789012",
	  .help = "the account number in the function's ARN" },
	{ .name = "version", .kind = ABT_STRING, .offset = AT(version),
	  .preset = "$LATEST",
	  .help = "the function's version" },
	{ .name = "root", .kind = ABT_PATH, .offset = AT(root), .preset = ".",
	  .flag = "root", .argument = "FOLDER",
	  .help = "the function's folder: LAMBDA_TASK_ROOT and working directory" },
	{ .name = "handler", .kind = ABT_STRING, .offset = AT(handler),
	  .help = "the handler, as in app.handler" },
	{ .name = "credentials", .kind = ABT_BOOL, .offset = AT(credentials),
	  .flag = "credentials",
	  .help = "pass on the AWS credentials of our own environment" },
	ABT_OPTIONS_END,
};
#undef AT
/* clang-format on */

static int
set_texts(struct abt_function *function, const char *name)
{
	struct abt_function_options *options = &function->options;
	struct abt_bytes arn;

	if (options->region.n == 0)
		options->region = ABT_BYTES("us-east-1");
	if (options->account.n == 0)
		options->account = ABT_BYTES("123456789012");
	if (options->version.n == 0)
		options->version = ABT_BYTES("$LATEST");
	function->name = abt_arena_text(&function->arena, abt_bytes_text(name));
	arn = abt_arena_printf(&function->arena,
	    "arn:aws:lambda:%.*s:%.*s:function:%s", ABT_FMT(options->region),
	    ABT_FMT(options->account), name);
	function->arn = (char *)(uintptr_t)arn.p;
	return abt_arena_failed(&function->arena) ? -1 : 0;
}

struct abt_function *
abt_function_new(const char *name, const struct abt_function_options *options,
    const struct abt_backend *backend, void *self, struct abt_arena *arena)
{
	struct abt_function *function = abt_calloc(1, sizeof(*function));

	if (function == NULL)
		return NULL;
	function->options = *options;
	function->arena = *arena;
	function->backend = backend;
	function->self = self;
	function->queue_tail = &function->queue;
	function->running_tail = &function->running_list;
	abt_timer_init(&function->timer, abt_function_on_timer);
	if (set_texts(function, name) != 0) {
		*arena = function->arena; /* still the caller's */
		abt_free(function);
		return NULL;
	}
	memset(arena, 0, sizeof(*arena));
	return function;
}

/* The folder as an absolute name: processes of other folders ask for it. */
static int
resolve_root(struct abt_function *function, char *why, size_t size)
{
	struct abt_bytes *root = &function->options.root;
	const char *given =
	    root->n > 0 ? abt_arena_text(&function->arena, *root) : ".";
	char full[PATH_MAX];

	if (given == NULL || realpath(given, full) == NULL) {
		snprintf(why, size,
		    "the folder \"%s\" of function %s cannot be found",
		    given != NULL ? given : "", function->name);
		return -1;
	}
	*root = abt_arena_copy(&function->arena, abt_bytes_text(full));
	return abt_arena_failed(&function->arena) ? -1 : 0;
}

int
abt_function_open(struct abt_function *function, struct abt_loop *home,
    char *why, size_t size)
{
	function->home = function->backend->counted ? home : NULL;
	if (function->home != NULL && resolve_root(function, why, size) != 0)
		return -1;
	if (function->home != NULL &&
	    (function->backend->takes == ABT_MESSAGES
		    ? abt_function_check_variables(
			  &function->options.environment, why, size)
		    : abt_function_check_environment(
			  &function->options.environment, why, size)) != 0)
		return -1;
	if (function->backend->open == NULL)
		return 0;
	return function->backend->open(function->self, function, why, size);
}

void
abt_function_free(struct abt_function *function)
{
	struct abt_arena arena;

	if (function == NULL)
		return;
	arena = function->arena;
	abt_free(function->content);
	abt_free(function);
	abt_arena_end(&arena);
}

int
abt_function_log_stream(
    const struct abt_function *function, char *out, size_t size)
{
	unsigned char random[16];
	char hex[33];
	int year, month, day;

	if (abt_random(random, sizeof(random)) != 0)
		return -1;
	abt_id_hex(hex, random, sizeof(random));
	abt_date_civil(abt_clock_epoch_us() / 1000000, &year, &month, &day);
	snprintf(out, size, "%04d/%02d/%02d/[%.*s]%s", year, month, day,
	    ABT_FMT(function->options.version), hex);
	return 0;
}
