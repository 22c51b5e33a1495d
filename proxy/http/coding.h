/*
 * coding.h - content codings: gzip and deflate, whole bodies at once
 */
#ifndef ABT_HTTP_CODING_H
#define ABT_HTTP_CODING_H

#include "albatross/arena.h"

enum abt_coding {
	ABT_CODING_IDENTITY,
	ABT_CODING_GZIP,
	ABT_CODING_DEFLATE, /* zlib's format (RFC 9110 8.4.1.2) */
	ABT_CODING_OTHER,
};

enum abt_coding_result {
	ABT_CODING_DONE,
	ABT_CODING_BROKEN, /* the bytes are not of that coding */
	ABT_CODING_LARGE,  /* more than the ceiling */
	ABT_CODING_FAILED, /* out of memory: the arena is marked */
};

/* The one coding that a Content-Encoding names. */
enum abt_coding abt_coding_find(struct abt_bytes name);

/* What an Accept-Encoding wants most of gzip, deflate and identity; gzip among
 * equals (RFC 9110 12.5.3). */
enum abt_coding abt_coding_choose(struct abt_bytes accept);

/* |in| without its coding, |max| bytes at most, in |arena|. */
enum abt_coding_result abt_coding_decode(enum abt_coding coding,
    struct abt_bytes in, size_t max, struct abt_arena *arena,
    struct abt_bytes *out);

/* |in| with the coding (gzip or deflate). */
enum abt_coding_result abt_coding_encode(enum abt_coding coding,
    struct abt_bytes in, struct abt_arena *arena, struct abt_bytes *out);

#endif
