/*
 * access_file.c - the file of finished calls
 *
 * One descriptor for all loops, opened for appending: each batch is one
 * write(2), so lines of different loops never mix.  Reopening puts the new file
 * under the same descriptor.
 */
#include "gateway/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define COMPLAIN_EVERY_US 60000000

struct abt_access_log {
	char *file;
	int fd;
	enum abt_log_format format;
	atomic_uint_fast64_t dropped;
	atomic_int_fast64_t complained_us;
};

static int
open_file(const char *file)
{
	return open(
	    file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

struct abt_access_log *
abt_access_log_open(
    const char *file, enum abt_log_format format, char *why, size_t size)
{
	struct abt_access_log *log = abt_calloc(1, sizeof(*log));

	if (log == NULL) {
		snprintf(why, size, "memory ran out");
		return NULL;
	}
	log->format = format;
	log->file = abt_strdup(file);
	log->fd = log->file != NULL ? open_file(file) : -1;
	if (log->fd >= 0)
		return log;
	snprintf(why, size, "cannot write the access log %s: %s", file,
	    strerror(errno));
	abt_free(log->file);
	abt_free(log);
	return NULL;
}

int
abt_access_log_reopen(struct abt_access_log *log)
{
	int fd = open_file(log->file);

	if (fd < 0 || dup3(fd, log->fd, O_CLOEXEC) < 0) {
		abt_error("cannot reopen the access log %s: %s", log->file,
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

void
abt_access_log_close(struct abt_access_log *log)
{
	if (log == NULL)
		return;
	close(log->fd);
	abt_free(log->file);
	abt_free(log);
}

enum abt_log_format
abt_access_log_format(const struct abt_access_log *log)
{
	return log->format;
}

/* Several loops may fail at once; one of them speaks. */
static void
complain(struct abt_access_log *log, int error)
{
	int64_t now = abt_clock_monotonic_us();
	int64_t last = atomic_load(&log->complained_us);

	if (last != 0 && now - last < COMPLAIN_EVERY_US)
		return;
	if (atomic_compare_exchange_strong(&log->complained_us, &last, now))
		abt_error("access log %s: %s; lines are dropped", log->file,
		    strerror(error));
}

void
abt_access_log_write(struct abt_access_log *log, struct abt_bytes lines)
{
	ssize_t n = write(log->fd, lines.p, lines.n);
	size_t i;

	if (n == (ssize_t)lines.n)
		return;
	complain(log, n < 0 ? errno : ENOSPC);
	for (i = n > 0 ? (size_t)n : 0; i < lines.n; i++)
		if (lines.p[i] == '\n')
			atomic_fetch_add(&log->dropped, 1);
}

uint64_t
abt_access_log_dropped(const struct abt_access_log *log)
{
	return atomic_load(&log->dropped);
}
