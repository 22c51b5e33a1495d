/*
 * guard_tree.c - finds and kills the descendants of a process
 *
 * Part of the guard: static memory and plain system calls only, because the
 * guard may be forked from a process with threads.  The kernel lists the
 * children of each thread in /proc/PID/task/TID/children; where /proc is
 * missing, only process groups can be killed.
 *
 * A tree is stopped before it is killed.  A stopped process cannot fork, so
 * walking a second time finds who was born during the first.
 */
#include "function/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "albatross/bytes.h"

#define TREE_MAX 4096

/* "/proc/PID/" + |rest| into |out|; returns where |rest| was put. */
static char *
proc_path(char *out, pid_t pid, const char *rest)
{
	char *at = out;

	memcpy(at, "/proc/", 6);
	at += 6;
	at += abt_format_number(at, (uint64_t)pid);
	*at++ = '/';
	memcpy(at, rest, strlen(rest) + 1);
	return at;
}

/* Is /proc there, and that of our own PID namespace?  In another's our numbers
 * would mean strangers. */
static bool
proc_is_ours(void)
{
	static int known; /* 1: yes, -1: no */
	char link[32], own[32];
	ssize_t n;
	size_t length;

	if (known == 0) {
		n = readlink("/proc/self", link, sizeof(link));
		length = abt_format_number(own, (uint64_t)getpid());
		known = n == (ssize_t)length && memcmp(link, own, length) == 0
			    ? 1
			    : -1;
	}
	return known == 1;
}

/* Read the file |path| whole, or as much as fits; -1: it is not there. */
static ssize_t
read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -1;
	while (n < size && (got = read(fd, out + n, size - n)) > 0)
		n += (size_t)got;
	close(fd);
	return (ssize_t)n;
}

static unsigned
read_numbers(const char *p, size_t n, pid_t *list, unsigned max)
{
	unsigned count = 0;
	size_t i = 0;

	while (i < n && count < max) {
		pid_t value = 0;

		while (i < n && (p[i] < '0' || p[i] > '9'))
			i++;
		if (i == n)
			break;
		for (; i < n && p[i] >= '0' && p[i] <= '9'; i++)
			value = value * 10 + (p[i] - '0');
		list[count++] = value;
	}
	return count;
}

/* The children that thread |tid| (its digits) of |pid| has forked. */
static unsigned
thread_children(pid_t pid, const char *tid, pid_t *list, unsigned max)
{
	static char text[65536];
	char path[80];
	char *at = proc_path(path, pid, "task/") + 5;
	size_t length = strlen(tid);
	ssize_t n;

	if (length > 20)
		return 0;
	memcpy(at, tid, length);
	memcpy(at + length, "/children", 10);
	n = read_file(path, text, sizeof(text));
	return n <= 0 ? 0 : read_numbers(text, (size_t)n, list, max);
}

int
abt_guard_open_own(void)
{
	char path[80], *at = proc_path(path, getpid(), "task/");

	if (!proc_is_ours())
		return -1;
	at += 5;
	at += abt_format_number(at, (uint64_t)getpid());
	memcpy(at, "/children", 10);
	return open(path, O_RDONLY | O_CLOEXEC);
}

unsigned
abt_guard_own(int fd, pid_t *list, unsigned max)
{
	static char text[131072];
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return abt_guard_children(getpid(), list, max);
	while (n < sizeof(text) &&
	       (got = pread(fd, text + n, sizeof(text) - n, (off_t)n)) > 0)
		n += (size_t)got;
	return read_numbers(text, n, list, max);
}

struct kernel_dirent {
	uint64_t ino;
	int64_t off;
	unsigned short length;
	unsigned char type;
	char name[];
};

unsigned
abt_guard_children(pid_t pid, pid_t *list, unsigned max)
{
	static char entries[16384] __attribute__((aligned(8)));
	char path[80];
	unsigned count = 0;
	long n;
	int fd;

	if (!proc_is_ours())
		return 0;
	proc_path(path, pid, "task");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (
	    (n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < n && count < max;) {
			const struct kernel_dirent *entry =
			    (const void *)(entries + at);

			if (entry->name[0] != '.')
				count += thread_children(pid, entry->name,
				    list + count, max - count);
			at += entry->length;
		}
	}
	close(fd);
	return count;
}

static bool
is_listed(const pid_t *list, unsigned count, pid_t pid)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i] == pid)
			return true;
	return false;
}

/* Stop every child of |parent| that is not in |list| yet and add it. */
static unsigned
stop_children(pid_t parent, pid_t *list, unsigned count)
{
	static pid_t found[TREE_MAX];
	unsigned n = abt_guard_children(parent, found, TREE_MAX);

	for (unsigned i = 0; i < n && count < TREE_MAX; i++) {
		if (is_listed(list, count, found[i]))
			continue;
		kill(found[i], SIGSTOP);
		list[count++] = found[i];
	}
	return count;
}

void
abt_guard_kill_tree(pid_t root)
{
	static pid_t tree[TREE_MAX];
	unsigned count = 1, before;

	kill(root, SIGSTOP);
	tree[0] = root;
	for (int round = 0; round < 4; round++) {
		before = count;
		for (unsigned i = 0; i < count; i++)
			count = stop_children(tree[i], tree, count);
		if (count == before)
			break;
	}
	for (unsigned i = count; i-- > 0;)
		kill(tree[i], SIGKILL);
}

int
abt_guard_marker(pid_t pid, const char *name, char *out, size_t size)
{
	static char text[131072];
	char path[80];
	size_t length = strlen(name);
	ssize_t n;

	proc_path(path, pid, "environ");
	n = read_file(path, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	for (char *at = text; at < text + n; at += strlen(at) + 1) {
		size_t line = strlen(at);

		if (strncmp(at, name, length) == 0 && line < size) {
			memcpy(out, at, line + 1);
			return 1;
		}
	}
	return 0;
}

uint64_t
abt_guard_started_at(pid_t pid)
{
	char path[80], text[1024], *at;
	ssize_t n;
	uint64_t value = 0;

	proc_path(path, pid, "stat");
	n = read_file(path, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strrchr(text, ')'); /* the name may hold anything */
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	for (; at != NULL && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}
