/*
 * fastcgi.c - FastCGI 1.0: an application that stays (php-fpm and others)
 *
 * A message backend like cgi.c, whose variables, paths and answers it shares;
 * what differs is who is asked: a socket, behind which an application waits
 * that somebody else started, or that we start and keep running.
 */
#include "function/fastcgi_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- invoking ---- */

/* The script of the path, or the one for all paths that name none. */
static int
find(const struct abt_fastcgi *fastcgi, const struct abt_call *call,
    struct abt_arena *arena, struct abt_cgi_place *place,
    struct abt_report *report)
{
	struct abt_bytes path, base = abt_cgi_front_part(call, &path), other;
	struct abt_report quiet;

	if (fastcgi->options.fallback.n == 0)
		return abt_cgi_find(
		    &fastcgi->site, base, path, arena, place, report);
	abt_report_init(&quiet, arena);
	if (abt_cgi_find(&fastcgi->site, base, path, arena, place, &quiet) == 0)
		return 0;
	if (quiet.broken == &abt_rules[ABT_RULE_CGI_PATH])
		return abt_break(report, ABT_RULE_CGI_PATH, path);
	other = abt_arena_printf(arena, "%.*s/%.*s",
	    ABT_FMT(fastcgi->site.prefix), ABT_FMT(fastcgi->options.fallback));
	return abt_cgi_find(&fastcgi->site, base, other, arena, place, report);
}

/* 0, or -1 with the rule. */
static int
ask(struct abt_fastcgi *fastcgi, struct abt_invocation *inv,
    struct abt_arena *arena, struct abt_report *report)
{
	const struct abt_call *call = inv->call;
	struct abt_cgi_place place;
	struct abt_cgi_world world = {
		.call = call,
		.place = &place,
		.document_root = fastcgi->site.document_root,
		/* an application that we start has them already */
		.extra = fastcgi->options.command.count == 0
			     ? &fastcgi->function->options.environment
			     : NULL,
		.forwarded = abt_cgi_forwarded_of(call->front),
		.pass_authorization = fastcgi->options.authorization,
		.has_body = call->request->framing != ABT_BODY_NONE,
		.length = call->request->length,
	};
	char **variables;

	if (find(fastcgi, call, arena, &place, report) != 0)
		return -1;
	variables = abt_cgi_environment(&world, arena, report);
	if (report->broken != NULL)
		return -1;
	if (variables == NULL || abt_arena_failed(arena))
		return abt_break(report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	abt_function_started(inv, -1);
	abt_fastcgi_ask(fastcgi, inv, variables);
	return 0;
}

static void
invoke(void *self, struct abt_invocation *inv)
{
	struct abt_fastcgi *fastcgi = self;
	struct abt_arena arena;
	struct abt_report report;

	abt_arena_init(&arena, fastcgi->function->home->pool);
	abt_report_init(&report, &arena);
	if (ask(fastcgi, inv, &arena, &report) != 0)
		abt_result_fail(inv, abt_rule_id(report.broken), NULL);
	abt_arena_end(&arena);
}

static void
cancel(void *self, struct abt_invocation *inv)
{
	(void)self;
	if (inv->instance != NULL)
		abt_fastcgi_link_drop(inv);
}

static void
resume(void *self, struct abt_invocation *inv)
{
	(void)self;
	if (inv->instance != NULL)
		abt_fastcgi_link_resume(inv);
}

static void
feed(void *self, struct abt_invocation *inv, struct abt_bytes data)
{
	(void)self;
	if (inv->instance != NULL)
		abt_fastcgi_link_feed(inv, data);
}

static void
stop(struct abt_invocation *inv, enum abt_rule_id rule)
{
	if (inv->instance == NULL)
		return;
	abt_fastcgi_link_drop(inv);
	abt_result_fail(inv, rule, NULL);
}

static void
feed_end(void *self, struct abt_invocation *inv, bool broken)
{
	(void)self;
	if (broken)
		stop(inv, ABT_RULE_H1_BODY_SHORT);
	else if (inv->instance != NULL)
		abt_fastcgi_link_feed_end(inv);
}

static void
abandon(void *self, struct abt_invocation *inv)
{
	(void)self;
	stop(inv, ABT_RULE_NET_CLIENT_GONE);
}

/* ---- opening and closing ---- */

static int
read_unix(struct abt_fastcgi *fastcgi, struct abt_bytes path)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&fastcgi->address;

	if (path.n == 0 || path.n >= sizeof(address->sun_path))
		return -1;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path.p, path.n);
	fastcgi->address_size = sizeof(*address);
	return 0;
}

/* "host:port", "[::1]:port"; asked once. */
static int
read_inet(struct abt_fastcgi *fastcgi, struct abt_bytes text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char host[256];
	const char *port;
	size_t n = text.n;

	while (n > 0 && text.p[n - 1] != ':')
		n--;
	if (n < 2 || n > sizeof(host) || n == text.n)
		return -1;
	port = text.p + n;
	if (text.p[0] == '[' && text.p[n - 2] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)n - 3, text.p + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)n - 1, text.p);
	if (getaddrinfo(host, port, &hints, &found) != 0 || found == NULL)
		return -1;
	memcpy(&fastcgi->address, found->ai_addr, found->ai_addrlen);
	fastcgi->address_size = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* Where scripts stand: the function's folder, by the ends of their names. */
static int
open_site(struct abt_fastcgi *fastcgi, char *why, size_t size)
{
	struct abt_cgi_site *site = &fastcgi->site;
	struct abt_function *function = fastcgi->function;
	static struct abt_bytes php = ABT_BYTES_INIT(".php");
	static struct abt_bytes index = ABT_BYTES_INIT("index.php");
	struct abt_list ends = fastcgi->options.ends;

	if (ends.count == 0)
		ends = (struct abt_list){ &php, 1 };
	site->prefix = fastcgi->options.prefix;
	site->folder = function->options.root;
	site->index = fastcgi->options.index;
	if (site->index.count == 0)
		site->index = (struct abt_list){ &index, 1 };
	site->document_root = fastcgi->options.document_root.n > 0
				  ? fastcgi->options.document_root
				  : site->folder;
	site->interpreters.pairs = abt_arena_array(
	    &function->arena, ends.count, sizeof(struct abt_pair));
	for (size_t i = 0; site->interpreters.pairs != NULL && i < ends.count;
	     i++)
		site->interpreters.pairs[i] =
		    (struct abt_pair){ ends.items[i], ABT_BYTES("fastcgi") };
	site->interpreters.count = ends.count;
	site->only_interpreted = true;
	site->fd = open(site->folder.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (site->fd >= 0 && site->interpreters.pairs != NULL)
		return 0;
	snprintf(why, size, "function %s: %s: %s", function->name,
	    site->folder.p, strerror(errno));
	return -1;
}

static int
open_address(struct abt_fastcgi *fastcgi, char *why, size_t size)
{
	struct abt_bytes socket = fastcgi->options.socket;
	int rc;

	if (fastcgi->options.command.count > 0)
		return abt_fastcgi_application_open(fastcgi, why, size);
	if (abt_bytes_starts(socket, ABT_BYTES("unix:")))
		rc = read_unix(fastcgi, abt_bytes(socket.p + 5, socket.n - 5));
	else
		rc = read_inet(fastcgi, socket);
	if (rc != 0)
		snprintf(why, size,
		    "function %s: \"%.*s\" is no address: write \"unix:/path\" "
		    "or \"host:port\"",
		    fastcgi->function->name, ABT_FMT(socket));
	return rc;
}

static int
open_fastcgi(void *self, struct abt_function *function, char *why, size_t size)
{
	struct abt_fastcgi *fastcgi = self;

	fastcgi->function = function;
	fastcgi->application.listening = fastcgi->application.path = -1;
	function->body_max = (uint64_t)fastcgi->options.body_max;
	if ((fastcgi->options.socket.n > 0) ==
	    (fastcgi->options.command.count > 0)) {
		snprintf(why, size,
		    "function %s: name the \"socket\" of an application, or a "
		    "\"command\" that is one",
		    function->name);
		return -1;
	}
	if (open_site(fastcgi, why, size) != 0)
		return -1;
	fastcgi->buffer = abt_malloc(ABT_STREAM_PIECE);
	if (fastcgi->buffer == NULL) {
		snprintf(why, size, "memory ran out");
		return -1;
	}
	if (open_address(fastcgi, why, size) == 0)
		return 0;
	close(fastcgi->site.fd);
	abt_free(fastcgi->buffer);
	return -1;
}

void
abt_fastcgi_ended(struct abt_fastcgi *fastcgi)
{
	if (fastcgi->site.fd >= 0)
		close(fastcgi->site.fd);
	fastcgi->site.fd = -1;
	abt_free(fastcgi->buffer);
	fastcgi->buffer = NULL;
	abt_function_closed(fastcgi->function);
}

static void
close_fastcgi(void *self)
{
	struct abt_fastcgi *fastcgi = self;

	fastcgi->closing = true;
	abt_fastcgi_links_close(fastcgi);
	abt_fastcgi_application_close(fastcgi);
}

#define AT(member) offsetof(struct abt_fastcgi_options, member)
/* clang-format off */
const struct abt_option abt_fastcgi_option_rows[] = {
	{ .name = "socket", .kind = ABT_STRING, .offset = AT(socket),
	  .flag = "fastcgi", .argument = "ADDRESS",
	  .help = "where a FastCGI application listens, unix:/path or host:port; its scripts are below the function's folder (--root)" },
	{ .name = "command", .kind = ABT_LIST, .offset = AT(command),
	  .help = "an application that is started and kept running, with a listening socket as its standard input" },
	{ .name = "prefix", .kind = ABT_STRING, .offset = AT(prefix),
	  .help = "the part of the path that stands for the folder" },
	{ .name = "document_root", .kind = ABT_PATH, .offset = AT(document_root),
	  .help = "DOCUMENT_ROOT, and what PATH_TRANSLATED begins with; by default the folder" },
	{ .name = "ends", .kind = ABT_LIST, .offset = AT(ends),
	  .help = "how names of scripts end; by default .php" },
	{ .name = "index", .kind = ABT_LIST, .offset = AT(index),
	  .help = "names of scripts that stand for a folder; by default index.php" },
	{ .name = "fallback", .kind = ABT_STRING, .offset = AT(fallback),
	  .flag = "fastcgi-fallback", .argument = "SCRIPT",
	  .help = "the script for paths that are none, such as index.php" },
	{ .name = "authorization", .kind = ABT_BOOL, .offset = AT(authorization),
	  .help = "pass Authorization and Proxy-Authorization on" },
	{ .name = "body_max", .kind = ABT_SIZE, .offset = AT(body_max),
	  .preset = "64MB",
	  .help = "larger request bodies are refused with 413; 0 sets no limit" },
	{ .name = "output_max", .kind = ABT_SIZE, .offset = AT(output_max),
	  .preset = "16GB",
	  .help = "an answer that is larger is cut; 0 sets no limit" },
	{ .name = "kept", .kind = ABT_INT, .offset = AT(kept), .preset = "4",
	  .max = 1000,
	  .help = "connections that are kept for the next request; php-fpm gives a worker to each" },
	ABT_OPTIONS_END,
};
/* clang-format on */

const struct abt_backend abt_backend_fastcgi = {
	.name = "fastcgi",
	.title = "a FastCGI application",
	.takes = ABT_MESSAGES,
	.size = sizeof(struct abt_fastcgi),
	.options = abt_fastcgi_option_rows,
	.main_option = "socket",
	.counted = true,
	.timeout_ms = 300000,
	.open = open_fastcgi,
	.invoke = invoke,
	.cancel = cancel,
	.resume = resume,
	.feed = feed,
	.feed_end = feed_end,
	.abandon = abandon,
	.close = close_fastcgi,
};
