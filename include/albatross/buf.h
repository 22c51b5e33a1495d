/*
 * buf.h - bytes that grow up to a ceiling given at birth
 *
 * Sticky failure: an append that would pass the ceiling or finds no memory
 * appends nothing, marks the buffer and makes every later append a no-op; ask
 * once at the end.  |overflowed| tells the ceiling from the lack of memory.
 */
#ifndef ALBATROSS_BUF_H
#define ALBATROSS_BUF_H

#include "albatross/arena.h"

struct abt_buf {
	struct abt_pool *pool; /* where the chunk comes from; may be NULL */
	struct abt_chunk *chunk;
	char *p;     /* chunk->data, or NULL while empty */
	size_t n;    /* bytes in it */
	size_t size; /* room before the next growth */
	size_t max;
	bool failed;
	bool overflowed;
};

void abt_buf_init(struct abt_buf *buf, struct abt_pool *pool, size_t max);
void abt_buf_end(struct abt_buf *buf);

/* Room for |n| more bytes in one piece: where to write them, or NULL (failed).
 * Say what was written with abt_buf_commit. */
static inline char *abt_buf_room(struct abt_buf *buf, size_t n);
/* The rest of abt_buf_room: growth and failure. */
char *abt_buf_room_slow(struct abt_buf *buf, size_t n);
/* Try to have room for |n| more bytes, but never pass the ceiling: returns the
 * room there is, which may be less.  Fails only for lack of memory (0). */
size_t abt_buf_reserve(struct abt_buf *buf, size_t n);

static inline char *
abt_buf_room(struct abt_buf *buf, size_t n)
{
	/* A failed buffer has no room, and 0 wraps: both go the slow way. */
	if (n - 1 < buf->size - buf->n)
		return buf->p + buf->n;
	return abt_buf_room_slow(buf, n);
}

static inline void
abt_buf_commit(struct abt_buf *buf, size_t n)
{
	buf->n += n;
}

/* Copy |b| to |w|, which has room: the end.  In line, because most pieces of
 * text are shorter than a call of memcpy is worth; the last block overlaps the
 * one before it. */
static inline __attribute__((always_inline)) char *
abt_put(char *w, struct abt_bytes b)
{
	size_t n = b.n, i;

	if (n > 96) {
		memcpy(w, b.p, n);
	} else if (n >= 16) {
		for (i = 0; i < n - 16; i += 16)
			memcpy(w + i, b.p + i, 16);
		memcpy(w + n - 16, b.p + n - 16, 16);
	} else if (n >= 8) {
		memcpy(w, b.p, 8);
		memcpy(w + n - 8, b.p + n - 8, 8);
	} else if (n >= 4) {
		memcpy(w, b.p, 4);
		memcpy(w + n - 4, b.p + n - 4, 4);
	} else {
		for (i = 0; i < n; i++)
			w[i] = b.p[i];
	}
	return w + n;
}

/* The same of a string literal, whose length the compiler knows. */
#define ABT_PUT(w, literal) \
	((char *)memcpy(w, literal, sizeof(literal) - 1) + sizeof(literal) - 1)

void abt_buf_add(struct abt_buf *buf, struct abt_bytes b);
void abt_buf_text(struct abt_buf *buf, const char *text);
static inline void
abt_buf_char(struct abt_buf *buf, char c)
{
	char *p = abt_buf_room(buf, 1);

	if (p != NULL) {
		*p = c;
		buf->n++;
	}
}
void abt_buf_number(struct abt_buf *buf, uint64_t value);
void abt_buf_printf(struct abt_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is in it; valid until the next change. */
static inline struct abt_bytes
abt_buf_bytes(const struct abt_buf *buf)
{
	return abt_bytes(buf->p, buf->n);
}

/* Take the chunk out (chunk->used is set to the length); the buffer is then
 * empty.  NULL when nothing was ever written. */
struct abt_chunk *abt_buf_take(struct abt_buf *buf);

#endif
