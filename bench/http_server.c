/*
 * http_server.c - the bench's function as a plain HTTP/1.1 server
 *
 * What nginx and haproxy forward to when albatross runs runtime_client.c: the
 * same bytes of answer, the same number of processes, each on one epoll loop.
 * Keep-alive, Content-Length and chunked bodies, which are read and dropped.
 * It trusts what it reads: only a proxy of the bench may talk to it.
 *
 * http_server PORT PROCESSES CORE ANSWER-FILE [CONTENT-TYPE]
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNS_MAX 4096
#define READ_MAX  ((size_t)256 << 10)

/* Where a connection stands in its request. */
struct conn {
	char head[16384];
	size_t used;
	size_t body; /* bytes of the body still to come */
	int in_body, chunked;
	char last[5]; /* the last bytes of a chunked body */
};

static struct conn *conns[CONNS_MAX];
static char *answer;
static size_t answer_length;
static char buffer[READ_MAX];

static int
load_answer(const char *path, const char *type)
{
	char head[256];
	struct stat st;
	size_t head_length, got;
	FILE *file = fopen(path, "rb");
	int n;

	if (file == NULL || fstat(fileno(file), &st) != 0)
		return -1;
	n = snprintf(head, sizeof head,
	    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %lld\r\n"
	    "\r\n",
	    type, (long long)st.st_size);
	head_length = (size_t)n;
	answer_length = head_length + (size_t)st.st_size;
	answer = malloc(answer_length);
	if (answer == NULL)
		return -1;
	memcpy(answer, head, head_length);
	got = fread(answer + head_length, 1, (size_t)st.st_size, file);
	fclose(file);
	return got == (size_t)st.st_size ? 0 : -1;
}

/* All of it, waiting when the peer is slow: one request at a time, as a
 * function. */
static int
send_answer(int fd)
{
	size_t sent = 0;

	while (sent < answer_length) {
		ssize_t n =
		    send(fd, answer + sent, answer_length - sent, MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, 1000);
		} else {
			return -1;
		}
	}
	return 0;
}

static const char *
find_field(const char *head, size_t n, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i + length + 2 < n; i++)
		if (head[i] == '\n' &&
		    strncasecmp(head + i + 1, name, length) == 0)
			return head + i + 1 + length;
	return NULL;
}

/* 1: the head is whole, and what follows is known. */
static int
read_head(struct conn *c, size_t *head_length)
{
	const char *end = memmem(c->head, c->used, "\r\n\r\n", 4);
	const char *value;

	if (end == NULL)
		return 0;
	*head_length = (size_t)(end - c->head) + 4;
	value = find_field(c->head, *head_length, "content-length:");
	c->body = value != NULL ? strtoul(value, NULL, 10) : 0;
	c->chunked =
	    find_field(c->head, *head_length, "transfer-encoding:") != NULL;
	memset(c->last, 0, sizeof c->last);
	return 1;
}

/* Take |n| bytes of a body.  How many belonged to it. */
static size_t
eat_body(struct conn *c, const char *p, size_t n)
{
	size_t keep = n < sizeof c->last ? n : sizeof c->last;

	if (!c->chunked) {
		n = n < c->body ? n : c->body;
		c->body -= n;
		c->in_body = c->body > 0;
		return n;
	}
	memmove(c->last, c->last + keep, sizeof c->last - keep);
	memcpy(c->last + sizeof c->last - keep, p + n - keep, keep);
	c->in_body = memcmp(c->last, "0\r\n\r\n", 5) != 0;
	return n;
}

static int
take(int fd, struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		size_t m;

		if (!c->in_body) {
			size_t before = c->used, head_length;

			m = sizeof c->head - c->used;
			m = n < m ? n : m;
			memcpy(c->head + c->used, p, m);
			c->used += m;
			if (!read_head(c, &head_length))
				return m == n ? 0 : -1;
			m = head_length - before;
			c->used = 0;
			c->in_body = c->chunked || c->body > 0;
		} else {
			m = eat_body(c, p, n);
		}
		p += m;
		n -= m;
		if (!c->in_body && send_answer(fd) != 0)
			return -1;
	}
	return 0;
}

static void
serve(int fd)
{
	struct conn *c = conns[fd];
	ssize_t n = recv(fd, buffer, sizeof buffer, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || take(fd, c, buffer, (size_t)n) != 0) {
		free(c);
		conns[fd] = NULL;
		close(fd);
	}
}

static void
welcome(int listener, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (fd >= CONNS_MAX ||
	    (conns[fd] = calloc(1, sizeof *conns[fd])) == NULL) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	ev.data.fd = fd;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int
run(int listener)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct epoll_event got[64];
	int epoll = epoll_create1(0);

	ev.data.fd = listener;
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) != 0)
		return 1;
	for (;;) {
		int n = epoll_wait(epoll, got, 64, -1);

		for (int i = 0; i < n; i++) {
			if (got[i].data.fd == listener)
				welcome(listener, epoll);
			else
				serve(got[i].data.fd);
		}
	}
}

static int
listen_on(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	in.sin_port = htons((in_port_t)port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, (struct sockaddr *)&in, sizeof in) != 0 ||
	    listen(fd, 1024) != 0)
		return -1;
	return fd;
}

int
main(int argc, char **argv)
{
	cpu_set_t cores;
	long processes;
	int listener;

	if (argc < 5) {
		fprintf(stderr, "http_server PORT PROCESSES CORE ANSWER-FILE "
				"[CONTENT-TYPE]\n");
		return 2;
	}
	CPU_ZERO(&cores);
	CPU_SET((size_t)strtoul(argv[3], NULL, 10), &cores);
	sched_setaffinity(0, sizeof cores, &cores);
	processes = strtol(argv[2], NULL, 10);
	listener = listen_on((unsigned)strtoul(argv[1], NULL, 10));
	if (listener < 0 || load_answer(argv[4],
				argc > 5 ? argv[5] : "application/json") != 0) {
		perror("http_server");
		return 1;
	}
	for (long i = 0; i < processes; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			return run(listener);
		}
	}
	close(listener);
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}
