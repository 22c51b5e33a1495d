/*
 * address.c - parse an address and bind its sockets, one for each loop
 *
 * The first socket is bound without SO_REUSEPORT, so that a second server on
 * the port is told so; it gets the option before it listens, which is when
 * Linux forms the group, and the other loops' sockets join.  Of a unix socket
 * there is one, duplicated.
 */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/port_owner.h"

#define BACKLOG 4096

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

struct place {
	union any_address address;
	socklen_t size;
};

/* ---- parsing ---- */

static bool
parse_port(struct abt_bytes text, unsigned *port)
{
	uint64_t value;

	if (!abt_bytes_number(text, 10, 65535, &value))
		return false;
	*port = (unsigned)value;
	return true;
}

static bool
parse_host(struct abt_bytes host, struct place *place, unsigned port)
{
	char copy[INET6_ADDRSTRLEN];
	bool bracketed =
	    host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

	if (bracketed) {
		host.p++;
		host.n -= 2;
	}
	if (abt_bytes_equal(host, ABT_BYTES("localhost")))
		host = ABT_BYTES("127.0.0.1");
	else if (abt_bytes_equal(host, ABT_BYTES("*")))
		host = ABT_BYTES("0.0.0.0");
	if (host.n == 0 || host.n >= sizeof(copy))
		return false;
	memcpy(copy, host.p, host.n);
	copy[host.n] = '\0';
	memset(place, 0, sizeof(*place));
	if (!bracketed &&
	    inet_pton(AF_INET, copy, &place->address.v4.sin_addr)) {
		place->address.v4.sin_family = AF_INET;
		place->address.v4.sin_port = htons((uint16_t)port);
		place->size = sizeof(place->address.v4);
		return true;
	}
	if (!inet_pton(AF_INET6, copy, &place->address.v6.sin6_addr))
		return false;
	place->address.v6.sin6_family = AF_INET6;
	place->address.v6.sin6_port = htons((uint16_t)port);
	place->size = sizeof(place->address.v6);
	return true;
}

/* "host:port"; the last colon counts, so "::1:80" works as well. */
static int
parse_tcp(const char *text, struct place *place, char *why, size_t size)
{
	const char *colon = strrchr(text, ':');
	unsigned port;

	if (colon == NULL || !parse_port(abt_bytes_text(colon + 1), &port) ||
	    !parse_host(abt_bytes(text, (size_t)(colon - text)), place, port)) {
		snprintf(why, size,
		    "\"%s\" is no address; write 127.0.0.1:8080, [::1]:8080, "
		    "localhost:8080 or unix:/path",
		    text);
		return -1;
	}
	return 0;
}

static int
parse_unix(const char *path, struct place *place, char *why, size_t size)
{
	size_t n = strlen(path);

	memset(place, 0, sizeof(*place));
	if (n == 0 || n >= sizeof(place->address.un.sun_path)) {
		snprintf(why, size,
		    "the path of unix:%s must have 1 to %zu bytes", path,
		    sizeof(place->address.un.sun_path) - 1);
		return -1;
	}
	place->address.un.sun_family = AF_UNIX;
	memcpy(place->address.un.sun_path, path, n + 1);
	place->size = sizeof(place->address.un);
	return 0;
}

/* ---- binding ---- */

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* One TCP socket, bound and listening, or -1 with errno. */
static int
bind_tcp(const struct place *place, bool first, bool shared)
{
	int family = place->address.any.sa_family, fd = new_socket(family);
	int error;

	if (fd < 0)
		return -1;
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    (family != AF_INET6 ||
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 0) &&
	    (first || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0) &&
	    bind(fd, &place->address.any, place->size) == 0 &&
	    (!first || !shared ||
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0) &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
explain(const char *text, unsigned port, int error, char *why, size_t size)
{
	char owner[64];

	if (error == EADDRINUSE) {
		abt_port_owner(port, owner, sizeof(owner));
		snprintf(why, size,
		    "%s is in use by %s; choose another port with --port", text,
		    owner);
	} else if (error == EADDRNOTAVAIL) {
		snprintf(why, size,
		    "%s is no address of this machine; use 127.0.0.1 or "
		    "0.0.0.0",
		    text);
	} else if (error == EACCES && port > 0 && port < 1024) {
		snprintf(why, size,
		    "%s may not be bound: ports under 1024 need "
		    "CAP_NET_BIND_SERVICE; choose another port with --port",
		    text);
	} else {
		snprintf(
		    why, size, "%s cannot be bound: %s", text, strerror(error));
	}
}

static int
bind_all_tcp(struct abt_address *address, const char *text, struct place *place,
    unsigned loops, char *why, size_t size)
{
	unsigned asked = ntohs(place->address.v4.sin_port), i;

	for (i = 0; i < loops; i++) {
		address->fds[i] = bind_tcp(place, i == 0, loops > 1);
		if (address->fds[i] < 0) {
			explain(text, asked, errno, why, size);
			return -1;
		}
		/* Port 0 is a free one: the same for all loops. */
		if (i == 0 && getsockname(address->fds[0], &place->address.any,
				  &place->size) != 0) {
			snprintf(why, size, "%s: %s", text, strerror(errno));
			return -1;
		}
	}
	/* The port stands at the same place in both families. */
	address->port = ntohs(place->address.v4.sin_port);
	return 0;
}

static void
write_url_host(struct abt_address *address, const struct place *place)
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (place->address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &place->address.v4.sin_addr, ip, sizeof(ip));
		snprintf(address->url_host, sizeof(address->url_host), "%s:%u",
		    ip, address->port);
	} else {
		inet_ntop(
		    AF_INET6, &place->address.v6.sin6_addr, ip, sizeof(ip));
		snprintf(address->url_host, sizeof(address->url_host),
		    "[%s]:%u", ip, address->port);
	}
}

/* ---- unix sockets ---- */

/* Inode numbers are used again, so the time belongs to it. */
static int64_t
made_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Remove a socket that nobody answers on.  0: the path is free (or bind will
 * say why not), -1: somebody lives there. */
static int
remove_stale(const struct place *place)
{
	const char *path = place->address.un.sun_path;
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return 0;
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return 0;
	rc = connect(fd, &place->address.any, place->size);
	if (rc != 0 && errno == ECONNREFUSED) {
		unlink(path);
		close(fd);
		return 0;
	}
	close(fd);
	return -1;
}

static int
bind_unix(struct abt_address *address, const struct place *place,
    unsigned loops, char *why, size_t size)
{
	const char *path = place->address.un.sun_path;
	struct stat st;
	unsigned i;

	if (remove_stale(place) != 0) {
		snprintf(why, size,
		    "unix:%s is in use by another program; choose another path",
		    path);
		return -1;
	}
	address->fds[0] = new_socket(AF_UNIX);
	if (address->fds[0] < 0 ||
	    bind(address->fds[0], &place->address.any, place->size) != 0 ||
	    listen(address->fds[0], BACKLOG) != 0) {
		snprintf(why, size, "unix:%s cannot be bound: %s", path,
		    errno == EADDRINUSE ? "a file is there already"
					: strerror(errno));
		return -1;
	}
	if (lstat(path, &st) == 0) {
		address->inode = (uint64_t)st.st_ino;
		address->made_ns = made_ns(&st);
	}
	for (i = 1; i < loops; i++) {
		address->fds[i] = fcntl(address->fds[0], F_DUPFD_CLOEXEC, 0);
		if (address->fds[i] < 0) {
			snprintf(
			    why, size, "unix:%s: %s", path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* Only the file that we made: a successor may have put its own there. */
static void
unlink_ours(const struct abt_address *address)
{
	const char *path = address->text.p + strlen("unix:");
	struct stat st;

	if (address->inode != 0 && lstat(path, &st) == 0 &&
	    (uint64_t)st.st_ino == address->inode &&
	    made_ns(&st) == address->made_ns)
		unlink(path);
}

/* ---- both ---- */

static int
bind_text(struct abt_address *address, const char *text, unsigned loops,
    char *why, size_t size)
{
	struct place place;

	address->is_unix = strncmp(text, "unix:", 5) == 0;
	if (address->is_unix) {
		snprintf(
		    address->url_host, sizeof(address->url_host), "%s", text);
		if (parse_unix(text + 5, &place, why, size) != 0)
			return -1;
		return bind_unix(address, &place, loops, why, size);
	}
	if (parse_tcp(text, &place, why, size) != 0 ||
	    bind_all_tcp(address, text, &place, loops, why, size) != 0)
		return -1;
	write_url_host(address, &place);
	return 0;
}

int
abt_address_bind(struct abt_address *address, const char *text, unsigned loops,
    char *why, size_t size)
{
	char *copy = abt_strdup(text);
	unsigned i;

	memset(address, 0, sizeof(*address));
	address->fds = abt_calloc(loops, sizeof(int));
	if (copy == NULL || address->fds == NULL) {
		snprintf(why, size, "out of memory");
		abt_free(copy);
		abt_free(address->fds);
		memset(address, 0, sizeof(*address));
		return -1;
	}
	address->text = abt_bytes_text(copy);
	address->fd_count = loops;
	for (i = 0; i < loops; i++)
		address->fds[i] = -1;
	if (bind_text(address, text, loops, why, size) == 0)
		return 0;
	abt_address_close(address);
	return -1;
}

void
abt_address_close(struct abt_address *address)
{
	unsigned i;

	for (i = 0; i < address->fd_count; i++)
		if (address->fds[i] >= 0)
			close(address->fds[i]);
	if (address->is_unix)
		unlink_ours(address);
	abt_free(address->fds);
	abt_free((void *)(uintptr_t)address->text.p);
	memset(address, 0, sizeof(*address));
}

int
abt_loopback_bind(unsigned *port)
{
	struct place place;
	int fd;

	parse_host(ABT_BYTES("127.0.0.1"), &place, 0);
	fd = bind_tcp(&place, true, false);
	if (fd < 0)
		return -1;
	if (getsockname(fd, &place.address.any, &place.size) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(place.address.v4.sin_port);
	return fd;
}
