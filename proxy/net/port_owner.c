/*
 * port_owner.c - who listens on a TCP port of this machine
 *
 * The kernel's table names the socket's inode; the process that has it open is
 * found by its descriptors.  Those of other users cannot be read, nor those of
 * an albatross (it cannot be dumped): then the answer is vague.  Used once,
 * before the server gives up.
 */
#include "net/port_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "albatross/bytes.h"

#define LISTEN_STATE 0x0a

/* A field of hex or decimal digits, behind blanks; |at| moves behind it. */
static unsigned long
number(char **at, int base)
{
	return strtoul(*at, at, base);
}

/* "  0: 0100007F:1F90 00000000:0000 0A ... inode": the inode if it listens on
 * |port|, else 0. */
static unsigned long
inode_of_line(char *line, unsigned port)
{
	char *at = strchr(line, ':');
	int i;

	if (at == NULL || (at = strchr(at + 1, ':')) == NULL)
		return 0;
	at++;
	if (number(&at, 16) != port)
		return 0;
	if ((at = strchr(at, ':')) == NULL)
		return 0;
	at++;
	number(&at, 16);
	if (number(&at, 16) != LISTEN_STATE)
		return 0;
	/* tx:rx, tr:when, retransmits, uid, timeout, inode */
	for (i = 0; i < 5; i++) {
		while (*at == ' ')
			at++;
		while (*at != '\0' && *at != ' ')
			at++;
	}
	return number(&at, 10);
}

static unsigned long
find_inode(const char *table, unsigned port)
{
	FILE *file = fopen(table, "re");
	unsigned long inode = 0;
	char line[512];

	if (file == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof(line), file) != NULL)
		inode = inode_of_line(line, port);
	fclose(file);
	return inode;
}

/* Does process |pid| have the socket open?  -1: it may not be looked into. */
static int
has_socket(const char *pid, const char *wanted)
{
	char path[300], link[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while (!found && (entry = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(
		    dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	closedir(dir);
	return found;
}

static void
read_name(const char *pid, char name[32])
{
	char path[300];
	FILE *file;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(name, 32, file) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

/* Say who process |pid| is; true when there is no more to find. */
static bool
tell(const char *pid, int has, char *out, size_t size)
{
	char name[32];
	bool ours;

	if (has == 0)
		return false;
	read_name(pid, name);
	ours = strcmp(name, "albatross") == 0;
	if (has > 0)
		snprintf(out, size, "%s%s (pid %s)", ours ? "another " : "",
		    *name != '\0' ? name : "a program", pid);
	else if (ours)
		snprintf(
		    out, size, "another albatross, it seems (pid %s)", pid);
	return has > 0;
}

void
abt_port_owner(unsigned port, char *out, size_t size)
{
	unsigned long inode = find_inode("/proc/net/tcp", port);
	char wanted[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(out, size, "another program");
	if (inode == 0)
		inode = find_inode("/proc/net/tcp6", port);
	if (inode == 0 || (dir = opendir("/proc")) == NULL)
		return;
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	while ((entry = readdir(dir)) != NULL) {
		const char *pid = entry->d_name;

		if (pid[0] >= '1' && pid[0] <= '9' &&
		    tell(pid, has_socket(pid, wanted), out, size))
			break;
	}
	closedir(dir);
}
