/*
 * body_file.h - a request's body in a file without a name
 *
 * For bodies of unknown length whose receiver must know it.  All of them
 * together stay under a ceiling (threats.md 8).
 */
#ifndef ABT_GATEWAY_BODY_FILE_H
#define ABT_GATEWAY_BODY_FILE_H

#include "albatross/bytes.h"

struct abt_body_file {
	int fd; /* -1: none */
	uint64_t size;
	uint64_t all_max; /* of all files together, while this one grows */
};

/* |body_max|: how large it may become, which may raise the ceiling of all.  0,
 * or -1 (logged). */
int abt_body_file_open(struct abt_body_file *file, uint64_t body_max);
/* 0, or -1: the ceiling, the disk. */
int abt_body_file_add(struct abt_body_file *file, struct abt_bytes data);
/* It is whole: from now on it is read from the start, and never written. */
int abt_body_file_rewind(struct abt_body_file *file);
void abt_body_file_close(struct abt_body_file *file);

#endif
