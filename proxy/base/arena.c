/*
 * arena.c - bump allocator in 16 KB blocks, recycled per loop; chunks; the
 * memory hook
 *
 * An arena takes blocks from its pool and gives them back whole.  A pool keeps
 * spare blocks in one list and spare chunks in lists by size class, four
 * classes to each doubling, because mapping fresh pages for a large body costs
 * more than copying it.  Under ASan everything spare is poisoned, and an arena
 * opens only what was asked for: its |end| is then always |at|, so that the
 * inline part of abt_arena_alloc comes here every time.
 */
#include "albatross/arena.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n)   __asan_poison_memory_region((p), (n))
#define unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define HAVE_ASAN      0
#define poison(p, n)   ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

#define CLASS_SHIFT 12 /* the smallest chunk is 4 KB with its head */
#define CLASSES     96 /* 2^12 .. 2^36 */

struct abt_arena_block {
	struct abt_arena_block *next;
	char *end;
	char data[];
};

#define BLOCK_ROOM (ABT_ARENA_BLOCK - sizeof(struct abt_arena_block))

struct abt_pool {
	struct abt_arena_block *blocks;
	size_t block_count, block_max;
	struct abt_chunk *classes[CLASSES];
	size_t kept; /* bytes of spare chunks */
	size_t spare;
	unsigned hand; /* the class that gives way next */
};

/* ---- the hook ---- */

static _Thread_local unsigned long asked, fail_at;

/* Counts one allocation; true when it is the one to fail. */
static inline bool
refused(void)
{
	return ++asked == fail_at;
}

void
abt_memory_fail_at(unsigned long n)
{
	fail_at = n;
	asked = 0;
}

unsigned long
abt_memory_asked(void)
{
	return asked;
}

void *
abt_malloc(size_t size)
{
	return refused() ? NULL : malloc(size);
}

void *
abt_calloc(size_t count, size_t size)
{
	return refused() ? NULL : calloc(count, size);
}

void *
abt_realloc(void *p, size_t size)
{
	return refused() ? NULL : realloc(p, size);
}

void
abt_free(void *p)
{
	free(p);
}

char *
abt_strdup(const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = abt_malloc(n);

	return copy != NULL ? memcpy(copy, text, n) : NULL;
}

/* ---- chunks ---- */

/* The smallest class whose chunks hold |total| bytes; CLASSES: none does. */
static unsigned
class_of(size_t total)
{
	unsigned log, quarter;

	if (total <= (size_t)1 << CLASS_SHIFT)
		return 0;
	total--;
	log = 63u - (unsigned)__builtin_clzll(total);
	quarter = (unsigned)(total >> (log - 2)) & 3;
	log = (log - CLASS_SHIFT) * 4 + quarter + 1;
	return log < CLASSES ? log : CLASSES;
}

static size_t
class_size(unsigned class)
{
	return (size_t)(4 + class % 4) << (CLASS_SHIFT - 2 + class / 4);
}

static struct abt_chunk *
pool_take(struct abt_pool *pool, unsigned class)
{
	unsigned i;

	/* Up to half as large again is better than fresh pages. */
	for (i = class; i < CLASSES && i < class + 3; i++) {
		struct abt_chunk *chunk = pool->classes[i];

		if (chunk == NULL)
			continue;
		unpoison(chunk, class_size(i));
		pool->classes[i] = chunk->next;
		pool->kept -= class_size(i);
		return chunk;
	}
	return NULL;
}

/* Free spare chunks, a class at a time in turn, until |size| more fit. */
static void
pool_make_way(struct abt_pool *pool, size_t size)
{
	while (pool->kept > 0 && pool->kept + size > pool->spare) {
		struct abt_chunk *chunk;

		pool->hand = (pool->hand + 1) % CLASSES;
		if (pool->classes[pool->hand] == NULL)
			continue;
		chunk = pool_take(pool, pool->hand);
		abt_free(chunk);
	}
}

struct abt_chunk *
abt_chunk_new(struct abt_pool *pool, size_t size)
{
	struct abt_chunk *chunk = NULL;
	unsigned class;

	if (size > PTRDIFF_MAX / 2)
		return NULL;
	class = class_of(size + sizeof(*chunk));
	if (class == CLASSES)
		return NULL;
	if (pool != NULL && pool->kept > 0 &&
	    (chunk = pool_take(pool, class)) != NULL) {
		/* So that a sweep sees the same calls with a warm pool. */
		if (refused()) {
			abt_chunk_end(pool, chunk);
			return NULL;
		}
	} else {
		chunk = abt_malloc(class_size(class));
		if (chunk == NULL)
			return NULL;
		chunk->size = class_size(class) - sizeof(*chunk);
	}
	chunk->next = NULL;
	chunk->used = 0;
	return chunk;
}

struct abt_chunk *
abt_chunk_grow(struct abt_pool *pool, struct abt_chunk *chunk, size_t size)
{
	struct abt_chunk *larger;

	if (size <= chunk->size)
		return chunk;
	larger = abt_chunk_new(pool, size);
	if (larger == NULL)
		return NULL;
	memcpy(larger->data, chunk->data, chunk->used);
	larger->used = chunk->used;
	abt_chunk_end(pool, chunk);
	return larger;
}

void
abt_chunk_end(struct abt_pool *pool, struct abt_chunk *chunk)
{
	size_t size;
	unsigned class;

	if (chunk == NULL)
		return;
	size = chunk->size + sizeof(*chunk);
	if (pool == NULL || size > pool->spare) {
		abt_free(chunk);
		return;
	}
	if (pool->kept + size > pool->spare)
		pool_make_way(pool, size);
	class = class_of(size);
	chunk->next = pool->classes[class];
	pool->classes[class] = chunk;
	pool->kept += size;
	poison(chunk->data, chunk->size);
}

/* ---- pools ---- */

struct abt_pool *
abt_pool_new(size_t spare)
{
	struct abt_pool *pool = abt_calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->spare = spare;
	pool->block_max = 16 + spare / 4 / ABT_ARENA_BLOCK;
	return pool;
}

void
abt_pool_trim(struct abt_pool *pool)
{
	struct abt_arena_block *block;

	pool_make_way(pool, SIZE_MAX - pool->kept);
	while ((block = pool->blocks) != NULL) {
		unpoison(block, ABT_ARENA_BLOCK);
		pool->blocks = block->next;
		abt_free(block);
	}
	pool->block_count = 0;
}

void
abt_pool_free(struct abt_pool *pool)
{
	if (pool == NULL)
		return;
	abt_pool_trim(pool);
	abt_free(pool);
}

static struct abt_arena_block *
block_new(struct abt_pool *pool)
{
	struct abt_arena_block *block;

	if (pool == NULL || (block = pool->blocks) == NULL)
		return abt_malloc(ABT_ARENA_BLOCK);
	if (refused())
		return NULL;
	unpoison(block, sizeof(*block));
	pool->blocks = block->next;
	pool->block_count--;
	return block;
}

static void
block_end(struct abt_pool *pool, struct abt_arena_block *block)
{
	unpoison(block, ABT_ARENA_BLOCK);
	if (pool == NULL || pool->block_count >= pool->block_max) {
		abt_free(block);
		return;
	}
	block->next = pool->blocks;
	pool->blocks = block;
	pool->block_count++;
	/* the link stays readable: leak checks follow it */
	poison(block->data, BLOCK_ROOM);
}

/* ---- arenas ---- */

void
abt_arena_init(struct abt_arena *arena, struct abt_pool *pool)
{
	memset(arena, 0, sizeof(*arena));
	arena->pool = pool;
}

void
abt_arena_end(struct abt_arena *arena)
{
	struct abt_arena_block *block = arena->blocks;
	struct abt_chunk *chunk = arena->chunks;

	while (block != NULL) {
		struct abt_arena_block *next = block->next;

		block_end(arena->pool, block);
		block = next;
	}
	while (chunk != NULL) {
		struct abt_chunk *next = chunk->next;

		abt_chunk_end(arena->pool, chunk);
		chunk = next;
	}
	abt_arena_init(arena, arena->pool);
}

void
abt_arena_fail(struct abt_arena *arena)
{
	arena->failed = true;
	arena->at = arena->end = NULL; /* the inline part finds no room */
}

static void *
fail(struct abt_arena *arena)
{
	abt_arena_fail(arena);
	return NULL;
}

void
abt_arena_adopt(struct abt_arena *arena, struct abt_chunk *chunk)
{
	chunk->next = arena->chunks;
	arena->chunks = chunk;
}

static void *
alloc_chunk(struct abt_arena *arena, size_t size)
{
	struct abt_chunk *chunk = abt_chunk_new(arena->pool, size);

	if (chunk == NULL)
		return fail(arena);
	abt_arena_adopt(arena, chunk);
	return chunk->data;
}

void *
abt_arena_alloc_slow(struct abt_arena *arena, size_t size)
{
	struct abt_arena_block *block = arena->blocks;
	size_t need;
	char *p;

	if (arena->failed)
		return NULL;
	if (size >= ABT_ARENA_LARGE)
		return alloc_chunk(arena, size);
	need = size == 0 ? 16 : (size + 15) & ~(size_t)15;
	if (block == NULL || (size_t)(block->end - arena->at) < need) {
		block = block_new(arena->pool);
		if (block == NULL)
			return fail(arena);
		block->next = arena->blocks;
		block->end = block->data + BLOCK_ROOM;
		arena->blocks = block;
		arena->at = block->data;
		poison(block->data, BLOCK_ROOM);
	}
	p = arena->at;
	arena->at = p + need;
	arena->end = HAVE_ASAN ? arena->at : block->end;
	unpoison(p, size);
	return p;
}

void *
abt_arena_zero(struct abt_arena *arena, size_t size)
{
	void *p = abt_arena_alloc(arena, size);

	return p != NULL ? memset(p, 0, size) : NULL;
}

void *
abt_arena_array(struct abt_arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > PTRDIFF_MAX / size)
		return fail(arena);
	return abt_arena_zero(arena, count * size);
}

struct abt_bytes
abt_arena_copy(struct abt_arena *arena, struct abt_bytes b)
{
	char *p = abt_arena_text(arena, b);

	return abt_bytes(p, p != NULL ? b.n : 0);
}

char *
abt_arena_text(struct abt_arena *arena, struct abt_bytes b)
{
	char *p = abt_arena_alloc(arena, b.n + 1);

	if (p == NULL)
		return NULL;
	if (b.n > 0)
		memcpy(p, b.p, b.n);
	p[b.n] = '\0';
	return p;
}

struct abt_bytes
abt_arena_vprintf(struct abt_arena *arena, const char *format, va_list ap)
{
	char small[256], *p;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), format, again);
	va_end(again);
	if (n < 0)
		return abt_bytes(NULL, 0);
	if ((size_t)n < sizeof(small))
		return abt_arena_copy(arena, abt_bytes(small, (size_t)n));
	p = abt_arena_alloc(arena, (size_t)n + 1);
	if (p == NULL || vsnprintf(p, (size_t)n + 1, format, ap) != n)
		return abt_bytes(NULL, 0);
	return abt_bytes(p, (size_t)n);
}

struct abt_bytes
abt_arena_printf(struct abt_arena *arena, const char *format, ...)
{
	struct abt_bytes b;
	va_list ap;

	va_start(ap, format);
	b = abt_arena_vprintf(arena, format, ap);
	va_end(ap);
	return b;
}
