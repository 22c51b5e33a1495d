/*
 * cgi.c - CGI/1.1: a program for each request (RFC 3875; lambda.md 10)
 *
 * A message backend: it takes the request itself and gives a response, in
 * pieces both ways, so neither has a size that must fit into memory.  Here are
 * its options and what the function asks of it; a program at work is a job
 * (cgi_job.c).
 */
#include "function/cgi_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- invoking ---- */

static int
find(const struct abt_cgi *cgi, const struct abt_call *call,
    struct abt_arena *arena, struct abt_cgi_place *place,
    struct abt_report *report)
{
	struct abt_bytes path, base = abt_cgi_front_part(call, &path);

	return abt_cgi_find(&cgi->site, base, path, arena, place, report);
}

static bool
has_body(const struct abt_request *req)
{
	return req->framing != ABT_BODY_NONE;
}

/* Find the program, make its environment, start it.  0, or -1 with the rule. */
static int
start(struct abt_cgi *cgi, struct abt_invocation *inv, struct abt_arena *arena,
    struct abt_report *report)
{
	const struct abt_call *call = inv->call;
	const char *path = getenv("PATH");
	struct abt_cgi_place place;
	struct abt_cgi_world world = {
		.call = call,
		.place = &place,
		.document_root = cgi->site.document_root,
		.extra = &cgi->function->options.environment,
		.path = path != NULL
			    ? abt_bytes_text(path)
			    : ABT_BYTES("/usr/local/bin:/usr/bin:/bin"),
		.forwarded = abt_cgi_forwarded_of(call->front),
		.pass_authorization = cgi->options.authorization,
		.has_body = has_body(call->request),
		.length = call->request->length,
	};
	char **envp;

	if (find(cgi, call, arena, &place, report) != 0)
		return -1;
	envp = abt_cgi_environment(&world, arena, report);
	if (report->broken != NULL)
		return -1;
	if (envp == NULL || abt_arena_failed(arena))
		return abt_break(report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	abt_function_started(inv, -1);
	if (abt_cgi_job_start(cgi, inv, &place, envp) == 0)
		return 0;
	return abt_break_detail(report, ABT_RULE_CGI_NOT_STARTED, ABT_BYTES(""),
	    ABT_BYTES("out of memory, descriptors or processes"));
}

static void
invoke(void *self, struct abt_invocation *inv)
{
	struct abt_cgi *cgi = self;
	struct abt_arena arena;
	struct abt_report report;
	char text[200] = "";

	abt_arena_init(&arena, cgi->function->home->pool);
	abt_report_init(&report, &arena);
	if (start(cgi, inv, &arena, &report) == 0) {
		abt_arena_end(&arena);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", ABT_FMT(report.detail));
	abt_arena_end(&arena);
	abt_result_fail(inv, abt_rule_id(report.broken), text);
}

static void
cancel(void *self, struct abt_invocation *inv)
{
	struct abt_cgi_job *job = inv->instance;

	(void)self;
	if (job == NULL)
		return;
	abt_cgi_job_drop(job);
	abt_cgi_job_settle(job);
}

static void
resume(void *self, struct abt_invocation *inv)
{
	(void)self;
	if (inv->instance != NULL)
		abt_cgi_output_resume(inv->instance);
}

static void
feed(void *self, struct abt_invocation *inv, struct abt_bytes data)
{
	(void)self;
	if (inv->instance != NULL)
		abt_cgi_job_feed(inv->instance, data);
}

/* The caller knows why the body broke: here it only ends. */
static void
stop(struct abt_invocation *inv, enum abt_rule_id rule)
{
	struct abt_cgi_job *job = inv->instance;

	if (job == NULL)
		return;
	inv = abt_cgi_job_drop(job);
	if (inv != NULL)
		abt_result_fail(inv, rule, NULL);
	abt_cgi_job_settle(job);
}

static void
feed_end(void *self, struct abt_invocation *inv, bool broken)
{
	(void)self;
	if (broken)
		stop(inv, ABT_RULE_H1_BODY_SHORT);
	else if (inv->instance != NULL)
		abt_cgi_job_feed_end(inv->instance);
}

static void
abandon(void *self, struct abt_invocation *inv)
{
	(void)self;
	stop(inv, ABT_RULE_NET_CLIENT_GONE);
}

/* ---- opening and closing ---- */

/* The program, or the folder of them. */
static struct abt_bytes
path_of(const struct abt_cgi_options *options)
{
	return options->program.n > 0 ? options->program : options->folder;
}

/* |path| resolved into |full| (PATH_MAX bytes).  0, or -1 with a sentence. */
static int
resolve(struct abt_bytes path, char *full, char *why, size_t size)
{
	char given[PATH_MAX];

	snprintf(given, sizeof(given), "%.*s", ABT_FMT(path));
	if (path.n < sizeof(given) && realpath(given, full) != NULL)
		return 0;
	snprintf(why, size, "%s: %s", given, strerror(errno));
	return -1;
}

int
abt_cgi_check(const struct abt_cgi_options *options, char *why, size_t size)
{
	struct abt_bytes prefix = options->prefix;
	char full[PATH_MAX];
	struct stat st;
	bool folder;

	if ((options->program.n > 0) == (options->folder.n > 0)) {
		snprintf(why, size,
		    "\"cgi\" wants a \"program\" or a \"folder\" of them");
		return -1;
	}
	if (prefix.n > 0 && prefix.p[0] != '/') {
		snprintf(why, size, "the prefix \"%.*s\" must begin with \"/\"",
		    ABT_FMT(prefix));
		return -1;
	}
	if (resolve(path_of(options), full, why, size) != 0)
		return -1;
	if (stat(full, &st) != 0) {
		snprintf(why, size, "%s: %s", full, strerror(errno));
		return -1;
	}
	folder = S_ISDIR(st.st_mode);
	if (!folder && (options->folder.n > 0 || !S_ISREG(st.st_mode)))
		snprintf(why, size, "%s is no folder of programs", full);
	else if (!folder && access(full, X_OK) != 0)
		snprintf(why, size,
		    "%s cannot be run: make it executable with chmod +x", full);
	else
		return 0;
	return -1;
}

/* Keep |path|, resolved. */
static int
keep(struct abt_function *function, struct abt_bytes path,
    struct abt_bytes *kept, char *why, size_t size)
{
	char full[PATH_MAX];

	if (resolve(path, full, why, size) != 0)
		return -1;
	*kept = abt_arena_copy(&function->arena, abt_bytes_text(full));
	if (kept->p != NULL)
		return 0;
	snprintf(why, size, "memory ran out");
	return -1;
}

/* The folder that |file| stands in. */
static struct abt_bytes
parent_of(struct abt_bytes file)
{
	size_t n = file.n;

	while (n > 1 && file.p[n - 1] != '/')
		n--;
	return abt_bytes(file.p, n > 1 ? n - 1 : n);
}

/* A program, or a folder of them: what is at the path tells. */
static int
open_site(struct abt_cgi *cgi, char *why, size_t size)
{
	struct abt_cgi_site *site = &cgi->site;
	struct abt_bytes path, root = cgi->options.document_root;
	struct stat st;

	site->fd = -1;
	site->prefix = cgi->options.prefix;
	site->interpreters = cgi->options.interpreters;
	site->index = cgi->options.index;
	if (abt_cgi_check(&cgi->options, why, size) != 0 ||
	    keep(cgi->function, path_of(&cgi->options), &path, why, size) != 0)
		return -1;
	site->document_root = root; /* a name: nothing need be there */
	if (stat(path.p, &st) != 0 || !S_ISDIR(st.st_mode)) {
		site->program = path;
		if (root.n == 0)
			site->document_root = parent_of(path);
		return 0;
	}
	site->folder = path;
	if (root.n == 0)
		site->document_root = path;
	site->fd = open(path.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (site->fd >= 0)
		return 0;
	snprintf(why, size, "%s: %s", path.p, strerror(errno));
	return -1;
}

static int
open_cgi(void *self, struct abt_function *function, char *why, size_t size)
{
	struct abt_cgi *cgi = self;

	cgi->function = function;
	function->body_max = (uint64_t)cgi->options.body_max;
	if (open_site(cgi, why, size) != 0)
		return -1;
	cgi->buffer = abt_malloc(ABT_STREAM_PIECE);
	if (cgi->buffer != NULL)
		return 0;
	if (cgi->site.fd >= 0)
		close(cgi->site.fd);
	snprintf(why, size, "memory ran out");
	return -1;
}

void
abt_cgi_closed(struct abt_cgi *cgi)
{
	if (cgi->site.fd >= 0)
		close(cgi->site.fd);
	cgi->site.fd = -1;
	abt_cgi_errors_end(cgi);
	abt_free(cgi->buffer);
	cgi->buffer = NULL;
	abt_function_closed(cgi->function);
}

static void
close_cgi(void *self)
{
	struct abt_cgi *cgi = self;

	cgi->closing = true;
	if (cgi->jobs == NULL) {
		abt_cgi_closed(cgi);
		return;
	}
	for (struct abt_cgi_job *job = cgi->jobs; job != NULL; job = job->next)
		if (!job->ended)
			abt_process_end(job->process, ABT_CGI_GRACE_MS);
}

#define AT(member) offsetof(struct abt_cgi_options, member)
/* clang-format off */
const struct abt_option abt_cgi_option_rows[] = {
	{ .name = "program", .kind = ABT_PATH, .offset = AT(program),
	  .flag = "cgi", .argument = "PATH",
	  .help = "the program that serves every path, or a folder of programs" },
	{ .name = "folder", .kind = ABT_PATH, .offset = AT(folder),
	  .help = "a folder of programs: the first part of the path that is a file is run, the rest is its PATH_INFO" },
	{ .name = "prefix", .kind = ABT_STRING, .offset = AT(prefix),
	  .flag = "cgi-prefix", .argument = "PATH",
	  .help = "the part of the path that stands for the program or the folder, such as /cgi-bin" },
	{ .name = "document_root", .kind = ABT_PATH, .offset = AT(document_root),
	  .flag = "document-root", .argument = "FOLDER",
	  .help = "DOCUMENT_ROOT, and what PATH_TRANSLATED begins with; by default the folder" },
	{ .name = "interpreters", .kind = ABT_MAP, .offset = AT(interpreters),
	  .flag = "cgi-interpreter", .argument = "END=PROGRAM",
	  .help = "programs that run the files of a folder by the end of their names: { \".php\": \"/usr/bin/php-cgi\" }" },
	{ .name = "index", .kind = ABT_LIST, .offset = AT(index),
	  .flag = "cgi-index", .argument = "NAME",
	  .help = "names of files that are run where the path is a folder" },
	{ .name = "authorization", .kind = ABT_BOOL, .offset = AT(authorization),
	  .flag = "cgi-authorization",
	  .help = "pass Authorization and Proxy-Authorization on to CGI programs" },
	{ .name = "body_max", .kind = ABT_SIZE, .offset = AT(body_max),
	  .preset = "64MB", .flag = "body-max", .argument = "SIZE",
	  .help = "larger request bodies for CGI programs are refused with 413; 0 sets no limit" },
	{ .name = "output_max", .kind = ABT_SIZE, .offset = AT(output_max),
	  .preset = "16GB",
	  .help = "a program that prints more is ended; 0 sets no limit" },
	ABT_OPTIONS_END,
};
/* clang-format on */

const struct abt_backend abt_backend_cgi = {
	.name = "cgi",
	.title = "a CGI program for each request",
	.takes = ABT_MESSAGES,
	.size = sizeof(struct abt_cgi),
	.options = abt_cgi_option_rows,
	.main_option = "program",
	.counted = true,
	.timeout_ms = 300000,
	.open = open_cgi,
	.invoke = invoke,
	.cancel = cancel,
	.resume = resume,
	.feed = feed,
	.feed_end = feed_end,
	.abandon = abandon,
	.close = close_cgi,
};
