/*
 * fastcgi_link.c - connections to a FastCGI application
 *
 * A link carries one request at a time and is kept for the next one.  An
 * application such as php-fpm gives a worker to every connection, busy or not:
 * no link is kept while another one still waits for the first byte of its
 * answer.  A kept link that the application has closed meanwhile is replaced,
 * as long as nothing of the body was fed to it.
 */
#include "function/fastcgi_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

#define FILE_PIECE 65536
#define OUT_MAX    ((size_t)4 << 20)

struct abt_fastcgi_link {
	struct abt_fastcgi_link *next, **prev;
	struct abt_fastcgi *fastcgi;
	int fd;
	struct event readable, writable;
	bool reading, writing;      /* which of them is watched */
	bool keeps;                 /* the application was asked to */
	bool heard;                 /* something of the answer came */
	bool fed;                   /* the body is complete */
	struct abt_invocation *inv; /* NULL: idle */
	struct abt_cgi_answer answer;
	struct abt_fastcgi_reader reader;
	struct abt_buf out;
	size_t out_at;
	size_t owed; /* bytes of the body in |out| */
	int file;    /* where the body is read from; -1: none */
	uint64_t file_at, file_size;
	char request_id[40];
};

static struct abt_loop *
loop_of(const struct abt_fastcgi_link *link)
{
	return link->fastcgi->function->home;
}

static void
watch(struct abt_fastcgi_link *link, bool on)
{
	if (link->reading == on)
		return;
	if (on ? event_add(&link->readable, NULL) == 0
	       : event_del(&link->readable) == 0)
		link->reading = on;
}

static void
watch_out(struct abt_fastcgi_link *link, bool on)
{
	if (link->writing == on)
		return;
	if (on ? event_add(&link->writable, NULL) == 0
	       : event_del(&link->writable) == 0)
		link->writing = on;
}

/* ---- the end ---- */

static void
heard(struct abt_fastcgi_link *link)
{
	if (!link->heard)
		link->fastcgi->waiting--;
	link->heard = true;
}

static struct abt_invocation *
take_invocation(struct abt_fastcgi_link *link)
{
	struct abt_invocation *inv = link->inv;

	heard(link);
	link->inv = NULL;
	if (inv != NULL)
		inv->instance = NULL;
	abt_cgi_answer_free(&link->answer);
	return inv;
}

static void
link_free(struct abt_fastcgi_link *link)
{
	watch(link, false);
	watch_out(link, false);
	close(link->fd);
	abt_buf_end(&link->out);
	*link->prev = link->next;
	if (link->next != NULL)
		link->next->prev = link->prev;
	abt_free(link);
}

static void
fail(struct abt_fastcgi_link *link, enum abt_rule_id rule, const char *text)
{
	struct abt_invocation *inv = take_invocation(link);

	link_free(link);
	if (inv != NULL)
		abt_result_fail(inv, rule, text);
}

/* The request is answered: keep the link, or end it. */
static void
finish(struct abt_fastcgi_link *link)
{
	struct abt_fastcgi *fastcgi = link->fastcgi;
	struct abt_invocation *inv;

	if (abt_cgi_answer_end(&link->answer, link->inv) != 0) {
		fail(link, link->answer.rule, NULL);
		return;
	}
	inv = take_invocation(link);
	if (link->keeps && link->fed && link->out.n == 0 && link->file < 0 &&
	    !fastcgi->closing && fastcgi->waiting == 0 &&
	    (int64_t)fastcgi->idle < fastcgi->options.kept) {
		fastcgi->idle++;
		watch(link, true); /* to see it end */
	} else {
		link_free(link);
	}
	abt_result_end(inv);
}

/* ---- sending ---- */

/* The next piece of a body that stands in a file. */
static int
fill(struct abt_fastcgi_link *link)
{
	char piece[FILE_PIECE];
	uint64_t left = link->file_size - link->file_at;
	ssize_t n = pread(link->file, piece,
	    left < sizeof(piece) ? (size_t)left : sizeof(piece),
	    (off_t)link->file_at);

	if (left > 0 && n <= 0)
		return -1;
	if (left > 0) {
		abt_fastcgi_stdin(&link->out, abt_bytes(piece, (size_t)n));
		link->file_at += (uint64_t)n;
	}
	if (link->file_at == link->file_size) {
		abt_fastcgi_stdin_end(&link->out);
		link->file = -1;
		link->fed = true;
	}
	return 0;
}

/* 0: all of it is out, 1: the rest waits, -1: lost. */
static int
send_out(struct abt_fastcgi_link *link)
{
	for (;;) {
		ssize_t n;

		if (link->out_at == link->out.n) {
			link->out_at = link->out.n = 0;
			if (link->file < 0)
				return 0;
			if (fill(link) != 0)
				return -1;
		}
		n = send(link->fd, link->out.p + link->out_at,
		    link->out.n - link->out_at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return 1;
		if (n < 0)
			return -1;
		link->out_at += (size_t)n;
	}
}

/* Tell whoever feeds that there is room: the last thing to do, he may feed. */
static void
tell_took(struct abt_fastcgi_link *link)
{
	size_t n = link->owed;

	link->owed = 0;
	if (n > 0 && link->inv != NULL)
		abt_invocation_took(link->inv, n);
}

static void
flush(struct abt_fastcgi_link *link)
{
	int rc = link->out.failed ? -1 : send_out(link);

	if (rc < 0) { /* it wants no more, or is gone: reading tells */
		link->keeps = false;
		link->file = -1;
		link->out.n = link->out_at = 0;
		rc = 0;
	}
	watch_out(link, rc > 0);
	if (rc == 0)
		tell_took(link);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct abt_fastcgi_link *link = arg;
	socklen_t size = sizeof(int);
	char text[128];
	int error = 0;

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
	    error != 0 && !link->heard) {
		snprintf(text, sizeof(text), "connect: %s", strerror(error));
		fail(link, ABT_RULE_FASTCGI_UNREACHABLE, text);
		return;
	}
	flush(link);
}

/* ---- reading ---- */

/* stderr: lines, as they come. */
static void
log_lines(const struct abt_fastcgi_link *link, struct abt_bytes text)
{
	struct abt_bytes line;

	while (abt_bytes_next(&text, '\n', &line))
		if (line.n > 0)
			abt_log_output(link->fastcgi->function->name,
			    link->request_id, line);
}

/* One batch of records.  False: the link is gone. */
static bool
read_records(struct abt_fastcgi_link *link, struct abt_bytes in)
{
	struct abt_bytes piece;
	int rc;

	for (;;) {
		switch (abt_fastcgi_read(&link->reader, &in, &piece)) {
		case ABT_FASTCGI_MORE:
			return true;
		case ABT_FASTCGI_STDERR:
			log_lines(link, piece);
			break;
		case ABT_FASTCGI_STDOUT:
			rc = abt_cgi_answer_take(
			    &link->answer, link->inv, piece);
			if (rc < 0) {
				fail(link, link->answer.rule, NULL);
				return false;
			}
			if (rc == ABT_CGI_FULL)
				watch(link, false);
			break;
		case ABT_FASTCGI_END:
			if (link->reader.refused != 0)
				fail(link, ABT_RULE_FASTCGI_REFUSED, NULL);
			else
				finish(link);
			return false;
		default:
			fail(link, ABT_RULE_FASTCGI_BROKEN, NULL);
			return false;
		}
	}
}

static void
lost(struct abt_fastcgi_link *link)
{
	if (link->inv == NULL) {
		link->fastcgi->idle--;
		link_free(link);
		return;
	}
	fail(link, ABT_RULE_FASTCGI_LOST,
	    link->heard ? "in the middle of its answer" : "before it answered");
}

static void
read_link(struct abt_fastcgi_link *link)
{
	char *buffer = link->fastcgi->buffer;
	ssize_t n = recv(link->fd, buffer, ABT_STREAM_PIECE, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || link->inv == NULL) {
		lost(link);
		return;
	}
	heard(link);
	if (!read_records(link, abt_bytes(buffer, (size_t)n)))
		return;
	if (abt_cgi_answer_flush(&link->answer, link->inv) < 0)
		fail(link, link->answer.rule, NULL);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct abt_fastcgi_link *link = arg;
	struct abt_fastcgi *fastcgi = link->fastcgi;

	(void)fd;
	(void)what;
	if (fastcgi->reading) /* inside of another one: asked again */
		return;
	fastcgi->reading = true;
	read_link(link);
	fastcgi->reading = false;
}

/* ---- asking ---- */

static int
open_socket(const struct abt_fastcgi *fastcgi)
{
	int one = 1, family = fastcgi->address.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&fastcgi->address,
		fastcgi->address_size) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	one = errno;
	close(fd);
	errno = one;
	return -1;
}

static struct abt_fastcgi_link *
link_new(struct abt_fastcgi *fastcgi)
{
	struct abt_fastcgi_link *link = abt_calloc(1, sizeof(*link));
	struct event_base *base = fastcgi->function->home->base;

	if (link == NULL)
		return NULL;
	link->fastcgi = fastcgi;
	link->fd = open_socket(fastcgi);
	if (link->fd < 0) {
		abt_free(link);
		return NULL;
	}
	event_assign(&link->readable, base, link->fd, EV_READ | EV_PERSIST,
	    on_readable, link);
	event_assign(&link->writable, base, link->fd, EV_WRITE | EV_PERSIST,
	    on_writable, link);
	abt_buf_init(&link->out, fastcgi->function->home->pool, OUT_MAX);
	link->next = fastcgi->links;
	link->prev = &fastcgi->links;
	if (link->next != NULL)
		link->next->prev = &link->next;
	fastcgi->links = link;
	return link;
}

/* Has the application closed it, or said something unasked? */
static bool
is_alive(const struct abt_fastcgi_link *link)
{
	char byte;

	return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN;
}

/* A kept link, or a new one. */
static struct abt_fastcgi_link *
get_link(struct abt_fastcgi *fastcgi)
{
	struct abt_fastcgi_link *link = fastcgi->links, *next;

	for (; link != NULL && fastcgi->idle > 0; link = next) {
		next = link->next;
		if (link->inv != NULL)
			continue;
		fastcgi->idle--;
		if (is_alive(link))
			return link;
		link_free(link);
	}
	return link_new(fastcgi);
}

void
abt_fastcgi_ask(struct abt_fastcgi *fastcgi, struct abt_invocation *inv,
    char *const *variables)
{
	const struct abt_request *req = inv->call->request;
	struct abt_fastcgi_link *link = get_link(fastcgi);
	char text[128];

	if (link == NULL) {
		snprintf(text, sizeof(text), "connect: %s", strerror(errno));
		abt_result_fail(inv, ABT_RULE_FASTCGI_UNREACHABLE, text);
		return;
	}
	inv->instance = link;
	link->inv = inv;
	link->keeps = fastcgi->options.kept > 0;
	link->heard = link->fed = false;
	fastcgi->waiting++;
	link->owed = 0;
	link->file = -1;
	memset(&link->reader, 0, sizeof(link->reader));
	snprintf(
	    link->request_id, sizeof(link->request_id), "%s", inv->request_id);
	abt_cgi_answer_init(
	    &link->answer, loop_of(link)->pool, fastcgi->options.output_max);
	abt_fastcgi_begin(&link->out, variables, link->keeps);
	if (inv->body_file > 0) {
		link->file = inv->body_file;
		link->file_at = 0;
		link->file_size = req->length;
	} else if (!inv->body_follows) {
		abt_fastcgi_stdin(&link->out, req->body);
		abt_fastcgi_stdin_end(&link->out);
		link->fed = true;
	}
	watch(link, true);
	flush(link);
}

/* ---- what the function asks ---- */

void
abt_fastcgi_link_feed(struct abt_invocation *inv, struct abt_bytes data)
{
	struct abt_fastcgi_link *link = inv->instance;

	abt_fastcgi_stdin(&link->out, data);
	link->owed += data.n;
	if (!link->writing)
		flush(link);
}

void
abt_fastcgi_link_feed_end(struct abt_invocation *inv)
{
	struct abt_fastcgi_link *link = inv->instance;

	abt_fastcgi_stdin_end(&link->out);
	link->fed = true;
	if (!link->writing)
		flush(link);
}

void
abt_fastcgi_link_resume(struct abt_invocation *inv)
{
	watch(inv->instance, true);
}

void
abt_fastcgi_link_drop(struct abt_invocation *inv)
{
	struct abt_fastcgi_link *link = inv->instance;

	take_invocation(link);
	link_free(link); /* the application sees its connection end */
}

void
abt_fastcgi_links_close(struct abt_fastcgi *fastcgi)
{
	while (fastcgi->links != NULL)
		link_free(fastcgi->links);
	fastcgi->idle = 0;
}
