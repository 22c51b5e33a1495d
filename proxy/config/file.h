/*
 * file.h - a whole file of the operator in memory
 */
#ifndef ABT_CONFIG_FILE_H
#define ABT_CONFIG_FILE_H

#include "albatross/arena.h"

/* At most |max| bytes of the regular |file| (or pipe) into |arena|.  0, or -1
 * with a sentence that names it in |why|. */
int abt_file_read(const char *file, size_t max, struct abt_arena *arena,
    struct abt_bytes *text, char *why, size_t size);
/* The rest of |fd|, which |name| is told for. */
int abt_fd_read(int fd, const char *name, size_t max, struct abt_arena *arena,
    struct abt_bytes *text, char *why, size_t size);

#endif
