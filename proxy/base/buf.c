/*
 * buf.c - growing buffer with a ceiling
 *
 * The bytes are one chunk of the pool.  Growth at least doubles, so appending n
 * bytes costs O(n); the ceiling is checked before any memory is asked for.
 */
#include "albatross/buf.h"

#include <stdio.h>

#define FIRST 1024

void
abt_buf_init(struct abt_buf *buf, struct abt_pool *pool, size_t max)
{
	memset(buf, 0, sizeof(*buf));
	buf->pool = pool;
	buf->max = max;
}

void
abt_buf_end(struct abt_buf *buf)
{
	abt_chunk_end(buf->pool, buf->chunk);
	abt_buf_init(buf, buf->pool, buf->max);
}

static char *
fail(struct abt_buf *buf, bool overflowed)
{
	buf->failed = true;
	buf->overflowed = overflowed;
	buf->size = buf->n; /* no room: the inline parts come here */
	return NULL;
}

/* Have |want| bytes in all, which is at most |max|.  0 or -1. */
static int
grow(struct abt_buf *buf, size_t want)
{
	struct abt_chunk *chunk;
	size_t least = buf->size < buf->max / 2 ? buf->size * 2 : buf->max;

	if (least < FIRST)
		least = buf->max < FIRST ? buf->max : FIRST;
	if (want < least)
		want = least;
	if (buf->chunk == NULL) {
		chunk = abt_chunk_new(buf->pool, want);
	} else {
		buf->chunk->used = buf->n;
		chunk = abt_chunk_grow(buf->pool, buf->chunk, want);
	}
	if (chunk == NULL) {
		fail(buf, false);
		return -1;
	}
	buf->chunk = chunk;
	buf->p = chunk->data;
	buf->size = chunk->size < buf->max ? chunk->size : buf->max;
	return 0;
}

char *
abt_buf_room_slow(struct abt_buf *buf, size_t n)
{
	if (buf->failed)
		return NULL;
	if (n > buf->max - buf->n)
		return fail(buf, true);
	if (buf->chunk == NULL || n > buf->size - buf->n)
		if (grow(buf, buf->n + n) != 0)
			return NULL;
	return buf->p + buf->n;
}

size_t
abt_buf_reserve(struct abt_buf *buf, size_t n)
{
	if (buf->failed)
		return 0;
	if (n > buf->max - buf->n)
		n = buf->max - buf->n;
	if (n > buf->size - buf->n && grow(buf, buf->n + n) != 0)
		return 0;
	return buf->size - buf->n;
}

void
abt_buf_add(struct abt_buf *buf, struct abt_bytes b)
{
	char *p;

	if (b.n == 0 || (p = abt_buf_room(buf, b.n)) == NULL)
		return;
	memcpy(p, b.p, b.n);
	buf->n += b.n;
}

void
abt_buf_text(struct abt_buf *buf, const char *text)
{
	abt_buf_add(buf, abt_bytes_text(text));
}

void
abt_buf_number(struct abt_buf *buf, uint64_t value)
{
	char digits[20];

	abt_buf_add(buf, abt_bytes(digits, abt_format_number(digits, value)));
}

void
abt_buf_printf(struct abt_buf *buf, const char *format, ...)
{
	char small[256], *p;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(small, sizeof(small), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		abt_buf_add(buf, abt_bytes(small, (size_t)n));
		return;
	}
	/* vsnprintf ends with a NUL, which must not count for the ceiling. */
	p = abt_malloc((size_t)n + 1);
	if (p == NULL) {
		fail(buf, false);
		return;
	}
	va_start(ap, format);
	vsnprintf(p, (size_t)n + 1, format, ap);
	va_end(ap);
	abt_buf_add(buf, abt_bytes(p, (size_t)n));
	abt_free(p);
}

struct abt_chunk *
abt_buf_take(struct abt_buf *buf)
{
	struct abt_chunk *chunk = buf->chunk;

	if (chunk != NULL)
		chunk->used = buf->n;
	abt_buf_init(buf, buf->pool, buf->max);
	return chunk;
}
