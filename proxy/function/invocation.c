/*
 * invocation.c - how a backend gives its result: abt_result_*
 *
 * The payload is a chunk of the home's pool and goes to the caller with the
 * letter.  Errors that we make ourselves have AWS's JSON, with the members in
 * the order in which AWS was seen to write them (lambda.md 2.4).
 */
#include "function/function.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define RESULT_ROOM 4096

static struct abt_pool *
pool_of(const struct abt_invocation *inv)
{
	struct abt_loop *loop = inv->function->home;

	if (loop == NULL)
		loop = inv->owner;
	return loop != NULL ? loop->pool : NULL;
}

void
abt_result_take(struct abt_invocation *inv, struct abt_chunk *payload)
{
	if (inv->result != NULL)
		abt_chunk_end(pool_of(inv), inv->result);
	inv->result = payload;
}

int
abt_result_data(struct abt_invocation *inv, struct abt_bytes data)
{
	struct abt_chunk *chunk = inv->result;
	size_t used = chunk != NULL ? chunk->used : 0;
	size_t room = used + data.n;

	if (chunk == NULL) {
		chunk = abt_chunk_new(
		    pool_of(inv), room > RESULT_ROOM ? room : RESULT_ROOM);
		if (chunk != NULL)
			chunk->used = 0;
	} else if (room > chunk->size) {
		chunk->used = used;
		chunk = abt_chunk_grow(pool_of(inv), chunk, room + room / 2);
	}
	if (chunk == NULL)
		return -1;
	if (data.n > 0)
		memcpy(chunk->data + used, data.p, data.n);
	chunk->used = room;
	inv->result = chunk;
	return 0;
}

void
abt_result_end(struct abt_invocation *inv)
{
	abt_function_finish(inv);
}

void
abt_result_error(struct abt_invocation *inv)
{
	inv->function_error = true;
	inv->rule = &abt_rules[ABT_RULE_FUNCTION_ERROR];
	abt_function_finish(inv);
}

static void
set_detail(struct abt_invocation *inv, const char *text)
{
	inv->detail = NULL;
	if (text == NULL || text[0] == '\0')
		return;
	snprintf(inv->text, sizeof(inv->text), "%s", text);
	inv->detail = inv->text;
}

void
abt_result_fail(
    struct abt_invocation *inv, enum abt_rule_id rule, const char *text)
{
	abt_result_take(inv, NULL);
	inv->rule = &abt_rules[rule];
	set_detail(inv, text);
	abt_function_finish(inv);
}

void
abt_result_broken(struct abt_invocation *inv, enum abt_rule_id rule,
    const char *error_type, const char *text)
{
	inv->function_error = true;
	inv->rule = &abt_rules[rule];
	snprintf(inv->error_type, sizeof(inv->error_type), "%s", error_type);
	set_detail(inv, text);
	abt_function_finish(inv);
}

void
abt_result_crash(struct abt_invocation *inv, enum abt_rule_id rule,
    const char *error_type, const char *message, const char *detail)
{
	struct abt_buf buf;
	struct abt_json_out out;
	char text[1024];
	int n = snprintf(text, sizeof(text), "RequestId: %s Error: %s",
	    inv->request_id, message);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	abt_buf_init(&buf, pool_of(inv), 65536);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_json_text(&out, "errorType", error_type);
	abt_json_string(&out, "errorMessage", abt_bytes(text, (size_t)n));
	abt_json_close(&out);
	if (!abt_json_out_failed(&out))
		abt_result_take(inv, abt_buf_take(&buf));
	abt_buf_end(&buf);
	if (rule == ABT_RULE_FUNCTION_EXIT && inv->started_us > 0) {
		abt_function_log(inv->function, inv->request_id, "%s", text);
		abt_function_log(
		    inv->function, inv->request_id, "%s", error_type);
	}
	abt_result_broken(inv, rule, error_type, detail);
}

/* Go's words, which AWS shows. */
static const char *
signal_text(int number)
{
	static const char *const texts[] = {
		[SIGHUP] = "hangup",
		[SIGINT] = "interrupt",
		[SIGQUIT] = "quit",
		[SIGILL] = "illegal instruction",
		[SIGTRAP] = "trace/breakpoint trap",
		[SIGABRT] = "aborted",
		[SIGBUS] = "bus error",
		[SIGFPE] = "floating point exception",
		[SIGKILL] = "killed",
		[SIGUSR1] = "user defined signal 1",
		[SIGSEGV] = "segmentation fault",
		[SIGUSR2] = "user defined signal 2",
		[SIGPIPE] = "broken pipe",
		[SIGALRM] = "alarm clock",
		[SIGTERM] = "terminated",
	};

	if (number > 0 && number < (int)(sizeof(texts) / sizeof(*texts)))
		return texts[number];
	return NULL;
}

void
abt_exit_text(int status, char *out, size_t size)
{
	const char *core = "";
	const char *name;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		snprintf(
		    out, size, "Runtime exited without providing a reason");
		return;
	}
	if (WIFEXITED(status)) {
		snprintf(out, size, "Runtime exited with error: exit status %d",
		    WEXITSTATUS(status));
		return;
	}
	if (WCOREDUMP(status))
		core = " (core dumped)";
	name = signal_text(WTERMSIG(status));
	if (name != NULL)
		snprintf(out, size, "Runtime exited with error: signal: %s%s",
		    name, core);
	else
		snprintf(out, size,
		    "Runtime exited with error: signal: signal %d%s",
		    WTERMSIG(status), core);
}
