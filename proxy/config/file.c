/*
 * file.c - a whole file of the operator in memory
 */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "albatross/buf.h"

#define PIECE 16384

static int
read_all(int fd, struct abt_buf *buf)
{
	ssize_t got;

	do {
		char *room = abt_buf_room(buf, PIECE);

		if (room == NULL)
			return -1;
		got = read(fd, room, PIECE);
		if (got > 0)
			abt_buf_commit(buf, (size_t)got);
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got == 0 ? 0 : -1;
}

int
abt_fd_read(int fd, const char *name, size_t max, struct abt_arena *arena,
    struct abt_bytes *text, char *why, size_t size)
{
	struct abt_buf buf;
	struct abt_chunk *chunk;
	int rc;

	abt_buf_init(&buf, NULL, max + PIECE);
	errno = 0;
	rc = read_all(fd, &buf);
	if (rc != 0)
		snprintf(why, size, "cannot read %s: %s", name,
		    buf.overflowed ? "it is too large"
		    : buf.failed   ? "out of memory"
				   : strerror(errno));
	*text = abt_bytes("", 0);
	chunk = abt_buf_take(&buf);
	if (chunk != NULL) {
		*text = abt_bytes(chunk->data, chunk->used);
		abt_arena_adopt(arena, chunk);
	}
	return rc;
}

int
abt_file_read(const char *file, size_t max, struct abt_arena *arena,
    struct abt_bytes *text, char *why, size_t size)
{
	struct stat st;
	int fd, rc;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(
		    why, size, "cannot open %s: %s", file, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(why, size, "%s is a folder, not a file", file);
		close(fd);
		return -1;
	}
	rc = abt_fd_read(fd, file, max, arena, text, why, size);
	close(fd);
	return rc;
}
