/*
 * bootstrap_cgi.c - CGI programs answer the events of the bootstrap
 *
 * A process for each request (RFC 3875): the body of the event on its stdin,
 * the answer on its stdout, both at once; what it says on stderr goes to the
 * log of the function.  The pieces of CGI are those of the backend
 * (function/cgi.h).
 */
#include "bootstrap/bootstrap_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "function/cgi.h"

#define REDIRECTS_MAX 5
#define READ_SIZE     65536

struct cgi {
	struct abt_bootstrap *b;
	struct abt_cgi_site site;
	struct abt_arena arena; /* of the site */
	struct abt_child child;
	struct event readable, writable;
	bool reading, writing; /* their events are set */
	struct abt_bytes left; /* of the body */
	struct abt_buf head;   /* of the answer, until it is whole */
	size_t seen;
	bool has_head, local;
	uint64_t length; /* of its body, if it says so */
	unsigned redirects;
	char buffer[READ_SIZE];
};

static void run(struct cgi *cgi);

/* ---- the process ---- */

static void
close_in(struct cgi *cgi)
{
	if (cgi->writing)
		event_del(&cgi->writable);
	cgi->writing = false;
	if (cgi->child.in >= 0)
		close(cgi->child.in);
	cgi->child.in = -1;
}

static void
close_out(struct cgi *cgi)
{
	if (cgi->reading)
		event_del(&cgi->readable);
	cgi->reading = false;
	if (cgi->child.out >= 0)
		close(cgi->child.out);
	cgi->child.out = -1;
}

/* It may go on for a while; nobody listens. */
static void
let_go(struct cgi *cgi)
{
	close_in(cgi);
	close_out(cgi);
	abt_buf_end(&cgi->head);
	cgi->child.pid = 0;
}

static void
stop(struct abt_bootstrap *b)
{
	struct cgi *cgi = b->state;

	abt_child_kill(cgi->child.pid, SIGKILL);
	let_go(cgi);
}

static void
give_up(struct cgi *cgi, const char *what)
{
	struct abt_bootstrap *b = cgi->b;

	stop(b);
	abt_answer_fail(b, "Runtime.ExitError", "the program %s", what);
}

/* ---- stdin ---- */

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct cgi *cgi = arg;
	ssize_t n;

	(void)fd;
	(void)what;
	while (cgi->left.n > 0) {
		n = write(cgi->child.in, cgi->left.p, cgi->left.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break; /* it does not want it: its right */
		cgi->left.p += n;
		cgi->left.n -= (size_t)n;
	}
	close_in(cgi);
}

/* ---- an answer without a program ---- */

static void
answer_plainly(struct abt_bootstrap *b, int status, const char *text)
{
	b->response.status = status;
	abt_headers_add(&b->response.headers, &b->arena,
	    ABT_BYTES("Content-Type"), ABT_BYTES("text/plain"));
	abt_answer_begin(b);
	abt_answer_piece(b, abt_bytes_text(text));
	abt_answer_end(b);
}

static void
refuse(struct abt_bootstrap *b)
{
	const struct abt_rule *rule = b->report.broken;

	if (rule == NULL)
		abt_answer_fail(b, "Runtime.ExitError", "out of memory");
	else if (rule == &abt_rules[ABT_RULE_CGI_NOT_FOUND])
		answer_plainly(b, 404, "404 Not Found\n");
	else if (rule == &abt_rules[ABT_RULE_CGI_FORBIDDEN])
		answer_plainly(b, 403, "403 Forbidden\n");
	else if (rule == &abt_rules[ABT_RULE_CGI_PATH])
		answer_plainly(b, 400, "400 Bad Request\n");
	else
		abt_answer_fail(b, "Runtime.ExitError", "%s", rule->text);
}

/* ---- stdout ---- */

/* The same path of this server, asked anew (RFC 3875 6.2.2). */
static void
redirect(struct cgi *cgi)
{
	struct abt_bootstrap *b = cgi->b;
	struct abt_request *req = &b->request;
	const struct abt_field *to =
	    abt_headers_named(&b->response.headers, ABT_BYTES("Location"));
	size_t end;

	let_go(cgi);
	if (to == NULL || ++cgi->redirects > REDIRECTS_MAX) {
		abt_answer_fail(b, "Runtime.ExitError",
		    "the program redirects without end");
		return;
	}
	if (!abt_bytes_equal(req->method, ABT_BYTES("HEAD")))
		req->method = ABT_BYTES("GET");
	req->target = to->value;
	end = abt_bytes_find(to->value, '?');
	req->path = abt_bytes(to->value.p, end);
	req->query = abt_bytes(NULL, 0);
	if (end < to->value.n)
		req->query =
		    abt_bytes(to->value.p + end + 1, to->value.n - end - 1);
	req->framing = ABT_BODY_NONE;
	req->length = 0;
	req->body = abt_bytes(NULL, 0);
	abt_headers_drop(&req->headers, ABT_FIELD_CONTENT_LENGTH);
	abt_headers_drop(&req->headers, ABT_FIELD_CONTENT_TYPE);
	memset(&b->response, 0, sizeof(b->response));
	run(cgi);
}

/* True: it is read, and |rest| stands behind it. */
static bool
read_head(struct cgi *cgi, struct abt_bytes *rest)
{
	struct abt_bootstrap *b = cgi->b;
	struct abt_bytes all, head;
	size_t end;

	abt_buf_add(&cgi->head, *rest);
	all = abt_buf_bytes(&cgi->head);
	end = abt_cgi_head_end(all, cgi->seen);
	cgi->seen = all.n;
	if (end == 0 && !cgi->head.failed)
		return false;
	head = abt_arena_copy(&b->arena, abt_bytes(all.p, end));
	if (end == 0 || head.p == NULL) {
		give_up(cgi, "answered with a head that is too large");
		return false;
	}
	if (abt_cgi_head_read(
		head, &b->arena, &b->response, &cgi->local, &b->report) != 0) {
		give_up(cgi, b->report.broken != NULL
				 ? b->report.broken->text
				 : "answered with more than memory holds");
		return false;
	}
	cgi->has_head = true;
	cgi->length = b->response.has_length ? b->response.length : UINT64_MAX;
	*rest = abt_bytes(all.p + end, all.n - end);
	return true;
}

/* |data| of its output.  False: it is over. */
static bool
take(struct cgi *cgi, struct abt_bytes data)
{
	struct abt_bootstrap *b = cgi->b;

	if (!cgi->has_head) {
		if (!read_head(cgi, &data))
			return b->working;
		if (cgi->local)
			return true;
		abt_answer_begin(b);
	}
	if (!b->working)
		return false;
	if (cgi->local)
		return true;
	if (data.n > cgi->length)
		data.n = (size_t)cgi->length;
	if (cgi->length != UINT64_MAX)
		cgi->length -= data.n;
	if (data.n > 0 && abt_answer_piece(b, data) > 0) {
		event_del(&cgi->readable);
		cgi->reading = false;
	}
	return b->working;
}

static void
over(struct cgi *cgi)
{
	struct abt_bootstrap *b = cgi->b;

	if (!cgi->has_head) {
		give_up(cgi, "ended without an answer");
	} else if (cgi->local) {
		redirect(cgi);
	} else if (cgi->length != UINT64_MAX && cgi->length > 0 &&
		   !abt_bytes_equal(b->request.method, ABT_BYTES("HEAD"))) {
		give_up(cgi, "answered with less than its Content-Length");
	} else {
		let_go(cgi);
		abt_answer_end(b);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct cgi *cgi = arg;
	ssize_t n = read(cgi->child.out, cgi->buffer, sizeof(cgi->buffer));

	(void)fd;
	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		take(cgi, abt_bytes(cgi->buffer, (size_t)n));
	else
		over(cgi);
}

static void
resume(struct abt_bootstrap *b)
{
	struct cgi *cgi = b->state;

	if (cgi->child.out < 0 || cgi->reading)
		return;
	cgi->reading = event_add(&cgi->readable, NULL) == 0;
	if (!cgi->reading)
		give_up(cgi, "cannot be read: out of memory");
}

/* ---- starting ---- */

/* Does the field at |last| only repeat those before it?  An ALB with lists adds
 * a line that has all that the client sent. */
static bool
repeats(const struct abt_headers *headers, size_t last)
{
	struct abt_bytes rest = headers->fields[last].value;
	size_t i;

	for (i = 0; i < last && rest.n > 0; i++) {
		struct abt_bytes value = headers->fields[i].value;

		if (headers->fields[i].id != ABT_FIELD_X_FORWARDED_FOR)
			continue;
		if (!abt_bytes_starts(rest, value))
			return false;
		rest = abt_bytes(rest.p + value.n, rest.n - value.n);
		while (rest.n > 0 && (rest.p[0] == ',' || rest.p[0] == ' '))
			rest = abt_bytes(rest.p + 1, rest.n - 1);
	}
	return rest.n == 0;
}

/* What the front added is made anew from the facts: take it off. */
static void
drop_forwarded(struct abt_bootstrap *b)
{
	struct abt_headers *headers = &b->request.headers;
	struct abt_bytes peer = b->origin.facts.peer_ip;
	size_t i, at;

	for (i = 0; i < headers->count; i++) {
		struct abt_field *field = &headers->fields[i];

		if (field->id != ABT_FIELD_X_FORWARDED_FOR || peer.n == 0 ||
		    !abt_bytes_ends(field->value, peer))
			continue;
		at = field->value.n - peer.n;
		while (at > 0 && (field->value.p[at - 1] == ' ' ||
				     field->value.p[at - 1] == ','))
			at--;
		field->value.n = at;
		if (at > 0 && repeats(headers, i))
			field->value.n = 0;
		if (at == 0)
			abt_headers_drop(headers, ABT_FIELD_X_FORWARDED_FOR);
		return;
	}
}

static bool
is_set(char *const *lines, size_t count, const char *line)
{
	size_t n = strcspn(line, "="), i;

	for (i = 0; i < count; i++)
		if (strncmp(lines[i], line, n) == 0 &&
		    (lines[i][n] == '=' || lines[i][n] == '\0'))
			return true;
	return false;
}

/* The function's own variables too (GIT_PROJECT_ROOT, credentials); none that
 * a client's header could pass for, nor where our events come from. */
static char **
with_ours(struct abt_bootstrap *b, char **lines)
{
	size_t count = 0, ours = 0, own, i;
	char **all;

	if (lines == NULL)
		return NULL;
	while (lines[count] != NULL)
		count++;
	while (environ[ours] != NULL)
		ours++;
	all = abt_arena_array(&b->arena, count + ours + 1, sizeof(*all));
	if (all == NULL)
		return NULL;
	memcpy(all, lines, count * sizeof(*all));
	own = count;
	for (i = 0; i < ours; i++)
		if (strncmp(environ[i], "HTTP_", 5) != 0 &&
		    strncmp(environ[i], "AWS_LAMBDA_RUNTIME_API=", 23) != 0 &&
		    !is_set(lines, count, environ[i]))
			all[own++] = environ[i];
	return all;
}

static char **
environment(struct cgi *cgi, const struct abt_cgi_place *place,
    const struct abt_call *call)
{
	struct abt_bootstrap *b = cgi->b;
	struct abt_cgi_world world = {
		.call = call,
		.place = place,
		.document_root = cgi->site.document_root,
		.path = abt_bytes_text(getenv("PATH")),
		.pass_authorization = b->options->authorization,
		.has_body = b->request.framing != ABT_BODY_NONE,
		.length = b->request.body.n,
	};

	return with_ours(b, abt_cgi_environment(&world, &b->arena, &b->report));
}

/* The folder of |file|, where programs expect to be. */
static const char *
folder_of(struct abt_bytes file, struct abt_arena *arena)
{
	while (file.n > 1 && file.p[file.n - 1] != '/')
		file.n--;
	return abt_arena_text(arena, file);
}

static void
watch(struct cgi *cgi)
{
	struct event_base *base = cgi->b->loop->base;

	event_assign(&cgi->readable, base, cgi->child.out, EV_READ | EV_PERSIST,
	    on_readable, cgi);
	event_assign(&cgi->writable, base, cgi->child.in, EV_WRITE | EV_PERSIST,
	    on_writable, cgi);
	cgi->left = cgi->b->request.body;
	cgi->reading = event_add(&cgi->readable, NULL) == 0;
	if (cgi->left.n > 0)
		cgi->writing = event_add(&cgi->writable, NULL) == 0;
	else
		close_in(cgi);
	if (!cgi->reading || (cgi->left.n > 0 && !cgi->writing))
		give_up(cgi, "cannot be watched: out of memory");
}

/* The raw bytes of the path that are the front's. */
static struct abt_bytes
front_part(const struct abt_bootstrap *b, struct abt_bytes *path)
{
	struct abt_bytes prefix = b->origin.prefix;

	*path = b->request.path;
	if (prefix.n == 0 || prefix.n >= path->n ||
	    !abt_bytes_starts(*path, prefix))
		return abt_bytes(NULL, 0);
	path->p += prefix.n;
	path->n -= prefix.n;
	return prefix;
}

static void
run(struct cgi *cgi)
{
	struct abt_bootstrap *b = cgi->b;
	struct abt_call call = { .request = &b->request,
		.facts = b->origin.facts,
		.arena = &b->arena };
	struct abt_cgi_place place;
	struct abt_bytes path, base = front_part(b, &path);
	char *argv[3] = { NULL, NULL, NULL }, **envp;

	cgi->has_head = cgi->local = false;
	cgi->seen = 0;
	abt_buf_init(&cgi->head, b->loop->pool, ABT_CGI_HEAD_MAX + READ_SIZE);
	if (abt_cgi_find(
		&cgi->site, base, path, &b->arena, &place, &b->report) != 0 ||
	    (envp = environment(cgi, &place, &call)) == NULL) {
		refuse(b);
		return;
	}
	argv[0] = abt_arena_text(&b->arena,
	    place.interpreter.n > 0 ? place.interpreter : place.file);
	if (place.interpreter.n > 0)
		argv[1] = abt_arena_text(&b->arena, place.file);
	if (abt_arena_failed(&b->arena))
		refuse(b);
	else if (abt_child_start(&cgi->child, argv, envp,
		     folder_of(place.file, &b->arena), true) == 0)
		watch(cgi);
	else
		abt_answer_fail(b, "Runtime.ExitError", "cannot start %s: %s",
		    argv[0], strerror(errno));
}

static void
start(struct abt_bootstrap *b)
{
	struct cgi *cgi = b->state;

	cgi->redirects = 0;
	drop_forwarded(b);
	run(cgi);
}

/* ---- life ---- */

/* 0, or -1: it is not there. */
static int
open_site(struct cgi *cgi, const struct abt_bootstrap_options *options)
{
	struct abt_cgi_site *site = &cgi->site;
	char *given = abt_arena_text(&cgi->arena, options->cgi), *real;
	struct abt_bytes path;
	struct stat st;

	site->fd = -1;
	real = given != NULL ? realpath(given, NULL) : NULL;
	if (real == NULL)
		return -1;
	path = abt_arena_copy(&cgi->arena, abt_bytes_text(real));
	free(real);
	if (path.p == NULL || stat(path.p, &st) != 0)
		return -1;
	site->document_root = options->document_root;
	site->prefix = options->prefix;
	site->interpreters = options->interpreters;
	site->index = options->index;
	if (!S_ISDIR(st.st_mode)) {
		site->program = path;
		if (site->document_root.n == 0)
			site->document_root =
			    abt_bytes_text(folder_of(path, &cgi->arena));
		return 0;
	}
	site->folder = path;
	if (site->document_root.n == 0)
		site->document_root = path;
	site->fd = open(path.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return site->fd >= 0 ? 0 : -1;
}

static void
open_cgi(struct abt_bootstrap *b)
{
	struct cgi *cgi = abt_calloc(1, sizeof(*cgi));

	if (cgi == NULL) {
		abt_bootstrap_broken(b, "Runtime.InitError", "out of memory");
		return;
	}
	b->state = cgi;
	cgi->b = b;
	cgi->child.in = cgi->child.out = -1;
	abt_arena_init(&cgi->arena, NULL);
	if (open_site(cgi, b->options) == 0)
		abt_bootstrap_ready(b);
	else
		abt_bootstrap_broken(b, "Runtime.InitError", "%.*s: %s",
		    ABT_FMT(b->options->cgi), strerror(errno));
}

/* Its output tells when it is over, not its end. */
static void
child(struct abt_bootstrap *b, pid_t pid, int status)
{
	char verdict[64];

	(void)b;
	abt_child_verdict(status, verdict, sizeof(verdict));
	if (status != 0)
		abt_warning("process %d: %s", (int)pid, verdict);
}

static void
close_cgi(struct abt_bootstrap *b)
{
	struct cgi *cgi = b->state;

	if (cgi == NULL)
		return;
	let_go(cgi);
	if (cgi->site.fd >= 0)
		close(cgi->site.fd);
	abt_arena_end(&cgi->arena);
	abt_free(cgi);
	b->state = NULL;
}

const struct abt_answerer abt_answerer_cgi = {
	.open = open_cgi,
	.start = start,
	.resume = resume,
	.stop = stop,
	.child = child,
	.close = close_cgi,
};
