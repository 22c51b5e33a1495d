/*
 * input.c - whole files and standard input
 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int
read_all(struct abt_cli *cli, const char *name, int fd, struct abt_buf *buf)
{
	ssize_t got;

	do {
		char *room = abt_buf_room(buf, 65536);

		if (room == NULL) {
			if (buf->overflowed)
				abt_cli_usage(cli, "%s is too large", name);
			else
				abt_cli_no_memory(cli);
			return -1;
		}
		got = read(fd, room, 65536);
		if (got > 0)
			abt_buf_commit(buf, (size_t)got);
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got == 0)
		return 0;
	abt_cli_usage(cli, "cannot read %s: %s", name, strerror(errno));
	return -1;
}

int
abt_cli_read(struct abt_cli *cli, const char *file, size_t max,
    struct abt_bytes *content)
{
	bool standard = strcmp(file, "-") == 0;
	const char *name = standard ? "standard input" : file;
	int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	struct abt_buf buf;
	struct abt_chunk *chunk;
	int rc;

	if (fd < 0) {
		abt_cli_usage(cli, "cannot open %s: %s", file, strerror(errno));
		return -1;
	}
	abt_buf_init(&buf, NULL, max + 65536);
	rc = read_all(cli, name, fd, &buf);
	if (!standard)
		close(fd);
	*content = abt_bytes("", 0);
	chunk = abt_buf_take(&buf);
	if (chunk != NULL) {
		*content = abt_bytes(chunk->data, chunk->used);
		abt_arena_adopt(&cli->arena, chunk);
	}
	return rc;
}

bool
abt_cli_color(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no != NULL && no[0] != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}
