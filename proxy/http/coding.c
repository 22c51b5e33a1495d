/*
 * coding.c - content codings: gzip and deflate, whole bodies at once
 *
 * zlib does the work.  Its state is allocated by our own allocators; what comes
 * out grows in chunks up to a ceiling, so that a small body which unpacks to
 * gigabytes costs no more than the ceiling.
 */
#include "http/coding.h"

#include <zlib.h>

#include "albatross/buf.h"

#define WINDOW     15
#define GZIP       16 /* added to the window: gzip's frame, not zlib's */
#define STEP       16384
#define LEVEL      6
#define LARGE      65536 /* from here on speed counts: a loop waits for it */
#define LEVEL_FAST 1
#define MEMORY     8
#define INPUT_STEP ((size_t)1 << 30) /* zlib counts in 32 bits */

static voidpf
take(voidpf context, uInt count, uInt size)
{
	(void)context;
	return abt_calloc(count, size);
}

static void
give(voidpf context, voidpf p)
{
	(void)context;
	abt_free(p);
}

enum abt_coding
abt_coding_find(struct abt_bytes name)
{
	if (abt_bytes_equal_nocase(name, ABT_BYTES("gzip")) ||
	    abt_bytes_equal_nocase(name, ABT_BYTES("x-gzip")))
		return ABT_CODING_GZIP;
	if (abt_bytes_equal_nocase(name, ABT_BYTES("deflate")))
		return ABT_CODING_DEFLATE;
	if (name.n == 0 || abt_bytes_equal_nocase(name, ABT_BYTES("identity")))
		return ABT_CODING_IDENTITY;
	return ABT_CODING_OTHER;
}

/* ---- Accept-Encoding ---- */

/* "0.8" in thousandths; 0 when it is no weight. */
static unsigned
weight(struct abt_bytes text)
{
	unsigned value = 0, unit = 1000;
	size_t i;

	if (text.n == 0 || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1'))
		return 0;
	value = (unsigned)(text.p[0] - '0') * unit;
	if (text.n > 1 && text.p[1] != '.')
		return 0;
	for (i = 2; i < text.n; i++) {
		if (!abt_char_is(text.p[i], ABT_CHAR_DIGIT))
			return 0;
		unit /= 10;
		value += (unsigned)(text.p[i] - '0') * unit;
	}
	return value > 1000 ? 1000 : value;
}

/* Split "gzip;q=0.5" into name and weight. */
static unsigned
split_member(struct abt_bytes member, struct abt_bytes *name)
{
	struct abt_bytes rest = member, piece;
	unsigned q = 1000;

	(void)abt_bytes_next(&rest, ';', &piece);
	*name = abt_bytes_trim(piece);
	while (abt_bytes_next(&rest, ';', &piece)) {
		piece = abt_bytes_trim(piece);
		if (abt_bytes_starts_nocase(piece, ABT_BYTES("q=")))
			q = weight(abt_bytes_trim(
			    abt_bytes(piece.p + 2, piece.n - 2)));
	}
	return q;
}

enum abt_coding
abt_coding_choose(struct abt_bytes accept)
{
	static const enum abt_coding ours[] = { ABT_CODING_DEFLATE,
		ABT_CODING_GZIP };
	int named[ABT_CODING_OTHER] = { -1, -1, -1 }, any = 0, best_q;
	enum abt_coding best = ABT_CODING_IDENTITY;
	struct abt_bytes member, name;

	while (abt_bytes_next(&accept, ',', &member)) {
		int q = (int)split_member(member, &name);
		enum abt_coding coding = abt_coding_find(name);

		if (name.n > 0 && coding != ABT_CODING_OTHER)
			named[coding] = q;
		else if (abt_bytes_equal(name, ABT_BYTES("*")))
			any = q;
	}
	best_q =
	    named[ABT_CODING_IDENTITY] > 0 ? named[ABT_CODING_IDENTITY] : 0;
	for (size_t i = 0; i < 2; i++) {
		int q = named[ours[i]] >= 0 ? named[ours[i]] : any;

		if (q > 0 && q >= best_q) { /* the later of equals: gzip */
			best = ours[i];
			best_q = q;
		}
	}
	return best;
}

/* ---- the work ---- */

/* Turn |in| through |step| (inflate or deflate) into |out|. */
static int
pump(z_stream *z, struct abt_bytes in, struct abt_buf *out,
    int (*step)(z_stream *, int))
{
	int rc = Z_OK;

	z->next_in = (Bytef *)(uintptr_t)in.p;
	while (rc == Z_OK) {
		size_t room = abt_buf_reserve(out, STEP);

		if (z->avail_in == 0 && in.n > 0) {
			size_t n = in.n < INPUT_STEP ? in.n : INPUT_STEP;

			z->avail_in = (uInt)n;
			in.n -= n;
		}
		if (room == 0)
			return Z_BUF_ERROR;
		if (room > INPUT_STEP)
			room = INPUT_STEP;
		z->next_out = (Bytef *)(out->p + out->n);
		z->avail_out = (uInt)room;
		rc = step(z, in.n == 0 ? Z_FINISH : Z_NO_FLUSH);
		abt_buf_commit(out, room - z->avail_out);
		/* with Z_FINISH: more room is wanted, nothing else */
		if (rc == Z_BUF_ERROR && z->avail_out == 0)
			rc = Z_OK;
	}
	return rc;
}

static enum abt_coding_result
keep(struct abt_buf *buf, struct abt_arena *arena, struct abt_bytes *out)
{
	struct abt_chunk *chunk = abt_buf_take(buf);

	*out = abt_bytes("", 0);
	if (chunk != NULL) {
		*out = abt_bytes(chunk->data, chunk->used);
		abt_arena_adopt(arena, chunk);
	}
	return ABT_CODING_DONE;
}

static enum abt_coding_result
fail(struct abt_arena *arena)
{
	abt_arena_fail(arena);
	return ABT_CODING_FAILED;
}

enum abt_coding_result
abt_coding_decode(enum abt_coding coding, struct abt_bytes in, size_t max,
    struct abt_arena *arena, struct abt_bytes *out)
{
	enum abt_coding_result result = ABT_CODING_BROKEN;
	z_stream z = { .zalloc = take, .zfree = give };
	struct abt_buf buf;
	int rc;

	if (coding != ABT_CODING_GZIP && coding != ABT_CODING_DEFLATE)
		return ABT_CODING_BROKEN;
	rc = inflateInit2(
	    &z, coding == ABT_CODING_GZIP ? WINDOW + GZIP : WINDOW);
	if (rc != Z_OK)
		return fail(arena);
	abt_buf_init(&buf, arena->pool, max < SIZE_MAX ? max + 1 : max);
	rc = pump(&z, in, &buf, inflate);
	if (rc == Z_MEM_ERROR || (buf.failed && !buf.overflowed))
		result = fail(arena);
	else if (buf.n > max)
		result = ABT_CODING_LARGE;
	else if (rc == Z_STREAM_END && z.avail_in == 0)
		result = keep(&buf, arena, out);
	abt_buf_end(&buf);
	(void)inflateEnd(&z);
	return result;
}

enum abt_coding_result
abt_coding_encode(enum abt_coding coding, struct abt_bytes in,
    struct abt_arena *arena, struct abt_bytes *out)
{
	enum abt_coding_result result;
	z_stream z = { .zalloc = take, .zfree = give };
	struct abt_buf buf;
	int rc;

	rc = deflateInit2(&z, in.n < LARGE ? LEVEL : LEVEL_FAST, Z_DEFLATED,
	    coding == ABT_CODING_GZIP ? WINDOW + GZIP : WINDOW, MEMORY,
	    Z_DEFAULT_STRATEGY);
	if (rc != Z_OK)
		return fail(arena);
	abt_buf_init(&buf, arena->pool, SIZE_MAX / 2);
	rc = pump(&z, in, &buf, deflate);
	result = rc == Z_STREAM_END && !buf.failed ? keep(&buf, arena, out)
						   : fail(arena);
	abt_buf_end(&buf);
	(void)deflateEnd(&z);
	return result;
}
