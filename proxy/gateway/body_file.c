/*
 * body_file.c - a request's body in a file without a name
 *
 * In $TMPDIR or /var/tmp, which is a disk where /tmp may be memory.  The kernel
 * removes it with its last descriptor, however the server ends.
 */
#include "gateway/body_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define ALL_MAX ((uint64_t)1 << 30)

static _Atomic uint64_t all_files;

/* Where O_TMPFILE is not there, a name that lives for a moment. */
static int
open_in(const char *folder)
{
	char path[512];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || snprintf(path, sizeof(path), "%s/albatross-XXXXXX",
			   folder) >= (int)sizeof(path))
		return fd;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

int
abt_body_file_open(struct abt_body_file *file, uint64_t body_max)
{
	const char *const folders[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

	file->fd = -1;
	file->size = 0;
	file->all_max = body_max > ALL_MAX ? body_max : ALL_MAX;
	for (size_t i = 0; i < 3 && file->fd < 0; i++)
		if (folders[i] != NULL && folders[i][0] == '/')
			file->fd = open_in(folders[i]);
	if (file->fd < 0)
		abt_error("no temporary file for a request's body: %s",
		    strerror(errno));
	return file->fd >= 0 ? 0 : -1;
}

static int
write_all(int fd, struct abt_bytes data)
{
	while (data.n > 0) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			abt_error("a request's body cannot be kept in a "
				  "temporary file: %s",
			    strerror(n < 0 ? errno : ENOSPC));
			return -1;
		}
		data.p += n;
		data.n -= (size_t)n;
	}
	return 0;
}

int
abt_body_file_add(struct abt_body_file *file, struct abt_bytes data)
{
	uint64_t before = atomic_fetch_add(&all_files, data.n);

	file->size += data.n;
	if (before + data.n <= file->all_max)
		return write_all(file->fd, data);
	abt_error("bodies in temporary files reach their ceiling");
	return -1;
}

int
abt_body_file_rewind(struct abt_body_file *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) /* no /proc: its reader could write, nobody else reads it */
		return lseek(file->fd, 0, SEEK_SET) == 0 ? 0 : -1;
	close(file->fd);
	file->fd = fd;
	return 0;
}

void
abt_body_file_close(struct abt_body_file *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	file->fd = -1;
	atomic_fetch_sub(&all_files, file->size);
	file->size = 0;
}
