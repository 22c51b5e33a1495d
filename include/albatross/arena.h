/*
 * arena.h - memory that lives as long as one exchange or one setup
 *
 * A bump allocator.  Nothing is freed but the whole.  Small pieces come from
 * 16 KB blocks; anything over ABT_ARENA_LARGE gets a chunk of its own, sized
 * for it.  Blocks and chunks come from a pool and go back to it; a pool belongs
 * to one loop (thread) and takes no lock.
 *
 * Failure is sticky: when memory runs out, abt_arena_alloc returns NULL and
 * marks the arena; every later call on it returns NULL too.  Callers that only
 * write through helpers need no checks; whoever owns the arena asks
 * abt_arena_failed at its named points.
 */
#ifndef ALBATROSS_ARENA_H
#define ALBATROSS_ARENA_H

#include <stdarg.h>

#include "albatross/bytes.h"

#define ABT_ARENA_BLOCK 16384
#define ABT_ARENA_LARGE 4096 /* from here on an allocation is a chunk */

struct abt_pool;  /* spare blocks and chunks of one loop */
struct abt_chunk; /* one large piece, see below */

struct abt_arena {
	struct abt_pool *pool; /* may be NULL: malloc and free directly */
	struct abt_arena_block *blocks;
	struct abt_chunk *chunks;
	char *at, *end;
	bool failed;
};

/* A pool keeps at most |spare| bytes of chunks; NULL when out of memory. */
struct abt_pool *abt_pool_new(size_t spare);
void abt_pool_free(struct abt_pool *);
/* Free all that is spare; what is lent stays.  For loops that fell idle. */
void abt_pool_trim(struct abt_pool *);

/* Make |arena| empty.  No memory is taken until the first allocation. */
void abt_arena_init(struct abt_arena *arena, struct abt_pool *pool);

/* Give everything back; the arena is as after abt_arena_init.  Under ASan the
 * memory is poisoned, so that a late reader is caught. */
void abt_arena_end(struct abt_arena *arena);

static inline bool
abt_arena_failed(const struct abt_arena *arena)
{
	return arena->failed;
}

/* Mark it as failed: for whoever runs out of memory on its behalf. */
void abt_arena_fail(struct abt_arena *arena);

/* |size| bytes aligned for anything, not zeroed.  NULL when out of memory (the
 * arena is marked).  A size of 0 gives a pointer that must not be read. */
static inline void *abt_arena_alloc(struct abt_arena *arena, size_t size);
void *abt_arena_zero(struct abt_arena *arena, size_t size); /* zeroed */

/* The rest of abt_arena_alloc: a new block, a chunk, failure. */
void *abt_arena_alloc_slow(struct abt_arena *arena, size_t size);

static inline void *
abt_arena_alloc(struct abt_arena *arena, size_t size)
{
	char *p = arena->at;
	size_t left = (size_t)(arena->end - p);

	/* 0 wraps and takes the slow way too; |left| is a multiple of 16. */
	if (size - 1 >= left || size >= ABT_ARENA_LARGE)
		return abt_arena_alloc_slow(arena, size);
	arena->at = p + ((size + 15) & ~(size_t)15);
	return p;
}

/* |count| * |size|, checked for overflow, zeroed. */
void *abt_arena_array(struct abt_arena *arena, size_t count, size_t size);

/* A copy; the copy is followed by a NUL that is not counted. */
struct abt_bytes abt_arena_copy(struct abt_arena *arena, struct abt_bytes b);
char *abt_arena_text(struct abt_arena *arena, struct abt_bytes b);

/* Formatted text as a slice (NUL behind it).  Empty when out of memory. */
struct abt_bytes abt_arena_printf(struct abt_arena *arena, const char *format,
    ...) __attribute__((format(printf, 2, 3)));
struct abt_bytes abt_arena_vprintf(struct abt_arena *arena, const char *format,
    va_list ap) __attribute__((format(printf, 2, 0)));

/*
 * A chunk: one large piece of memory that can be handed from hand to hand, also
 * between loops (the receiver's pool takes it in the end).  |size| is what was
 * asked for or a little more.
 */
struct abt_chunk {
	struct abt_chunk *next;
	size_t size;
	size_t used; /* for its owner's use; not touched by the pool */
	size_t pad_; /* keeps data aligned to 16 */
	char data[];
};

struct abt_chunk *abt_chunk_new(struct abt_pool *pool, size_t size);
/* Copies |used| bytes into a larger chunk and ends the old one.  NULL on
 * failure; the old one then still lives. */
struct abt_chunk *abt_chunk_grow(
    struct abt_pool *pool, struct abt_chunk *chunk, size_t size);
void abt_chunk_end(struct abt_pool *pool, struct abt_chunk *chunk);
/* Let |arena| own |chunk| from now on. */
void abt_arena_adopt(struct abt_arena *arena, struct abt_chunk *chunk);

/*
 * Test hook of all memory of ours: abt_malloc and friends are malloc, except
 * that the |n|-th call from now fails after abt_memory_fail_at(n) (1 = the next
 * one; 0 = none).  The counter is per thread.  Code outside base/ uses these
 * three too, never malloc itself, so that the failing-allocator sweep sees it.
 */
void *abt_malloc(size_t size);
void *abt_calloc(size_t count, size_t size);
void *abt_realloc(void *p, size_t size);
void abt_free(void *p);
char *abt_strdup(const char *text);
void abt_memory_fail_at(unsigned long n);
/* Starting is over: let go of free memory and of clean pages of the program
 * (base/settle.c).  Changes nothing but what is resident. */
void abt_memory_settle(void);
/* How many allocations were asked for since the last abt_memory_fail_at. */
unsigned long abt_memory_asked(void);

#endif
