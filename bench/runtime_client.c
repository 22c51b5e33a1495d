/*
 * runtime_client.c - the bench's function: polls the Runtime API
 *
 * As little as a runtime can do: one keep-alive connection, GET next, read the
 * event to its end, POST the same result each time.  What it costs runs on a
 * core of its own and is not counted.  RUNTIME_CORE and RUNTIME_ANSWER (a file)
 * come from the function's environment.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUFFER_MAX ((size_t)256 << 10)

static char buffer[BUFFER_MAX];
static char *answer;
static size_t answer_length;
static char host[64];

static int
load_answer(const char *path)
{
	struct stat st;
	FILE *file = fopen(path, "rb");
	size_t got;

	if (file == NULL || fstat(fileno(file), &st) != 0)
		return -1;
	answer_length = (size_t)st.st_size;
	answer = malloc(answer_length + 1);
	if (answer == NULL)
		return -1;
	got = fread(answer, 1, answer_length, file);
	fclose(file);
	return got == answer_length ? 0 : -1;
}

static int
connect_to(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strchr(address, ':');
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (colon == NULL || (size_t)(colon - address) >= sizeof host)
		return -1;
	memcpy(host, address, (size_t)(colon - address));
	in.sin_port = htons((in_port_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1 || fd < 0 ||
	    connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
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

/* One response to its end; the request id of an event goes into |id|. */
static int
read_response(int fd, char *id, size_t id_size)
{
	size_t used = 0, head, length, got;
	const char *end = NULL, *value;

	while (end == NULL) {
		ssize_t n = recv(fd, buffer + used, BUFFER_MAX - used, 0);

		if (n <= 0)
			return -1;
		used += (size_t)n;
		end = memmem(buffer, used, "\r\n\r\n", 4);
	}
	head = (size_t)(end - buffer) + 4;
	value = find_field(buffer, head, "content-length:");
	length = value != NULL ? strtoul(value, NULL, 10) : 0;
	if (id != NULL) {
		size_t n;

		value =
		    find_field(buffer, head, "lambda-runtime-aws-request-id:");
		if (value == NULL)
			return -1;
		value += strspn(value, " ");
		n = strcspn(value, "\r");
		if (n >= id_size)
			return -1;
		memcpy(id, value, n);
		id[n] = '\0';
	}
	got = used - head;
	while (got < length) {
		size_t want = length - got;
		ssize_t n =
		    recv(fd, buffer, want < BUFFER_MAX ? want : BUFFER_MAX, 0);

		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	return 0;
}

static int
post(int fd, const char *address, const char *id)
{
	char head[512];
	int n = snprintf(head, sizeof head,
	    "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\n"
	    "Host: %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    id, address, answer_length);
	struct iovec parts[2] = { { head, (size_t)n },
		{ answer, answer_length } };
	size_t left = (size_t)n + answer_length;
	struct iovec *at = parts;

	while (left > 0) {
		ssize_t sent = writev(fd, at, (int)(parts + 2 - at));

		if (sent <= 0)
			return -1;
		left -= (size_t)sent;
		while (left > 0 && (size_t)sent >= at->iov_len) {
			sent -= (ssize_t)at->iov_len;
			at++;
		}
		at->iov_base = (char *)at->iov_base + sent;
		at->iov_len -= (size_t)sent;
	}
	return read_response(fd, NULL, 0);
}

int
main(void)
{
	const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
	const char *path = getenv("RUNTIME_ANSWER");
	const char *core = getenv("RUNTIME_CORE");
	char next[256], id[128];
	cpu_set_t cores;
	int n, fd;

	if (address == NULL || path == NULL || load_answer(path) != 0)
		return 2;
	if (core != NULL) {
		CPU_ZERO(&cores);
		CPU_SET((size_t)strtoul(core, NULL, 10), &cores);
		sched_setaffinity(0, sizeof cores, &cores);
	}
	fd = connect_to(address);
	if (fd < 0)
		return 3;
	n = snprintf(next, sizeof next,
	    "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"
	    "Host: %s\r\n\r\n",
	    address);
	for (;;) {
		if (send(fd, next, (size_t)n, 0) != n ||
		    read_response(fd, id, sizeof id) != 0 ||
		    post(fd, address, id) != 0)
			return 4;
	}
}
