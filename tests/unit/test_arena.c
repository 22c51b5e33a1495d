/*
 * test_arena.c - arenas, pools, chunks and the memory hook
 */
#include "base/arena.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/guard.h"

static void
pieces_are_aligned_and_apart(void **state)
{
	struct abt_arena arena;
	unsigned char *p[600];
	size_t i, j;

	(void)state;
	abt_arena_init(&arena, NULL);
	for (i = 0; i < 600; i++) {
		p[i] = abt_arena_alloc(&arena, i);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)(i & 0xff), i);
	}
	for (i = 0; i < 600; i++)
		for (j = 0; j < i; j++)
			assert_int_equal(p[i][j], i & 0xff);
	abt_arena_end(&arena);
	assert_null(arena.blocks);
}

static void
large_pieces_are_chunks(void **state)
{
	struct abt_arena arena;
	char *p;

	(void)state;
	abt_arena_init(&arena, NULL);
	p = abt_arena_alloc(&arena, ABT_ARENA_LARGE - 1);
	assert_non_null(p);
	assert_null(arena.chunks);
	p = abt_arena_alloc(&arena, ABT_ARENA_LARGE);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 16, 0);
	assert_non_null(arena.chunks);
	p = abt_arena_zero(&arena, 1 << 20);
	assert_int_equal(p[0] | p[(1 << 20) - 1], 0);
	abt_arena_end(&arena);
}

static void
impossible_sizes_fail_for_good(void **state)
{
	struct abt_arena arena;

	(void)state;
	abt_arena_init(&arena, NULL);
	assert_non_null(abt_arena_alloc(&arena, 1));
	assert_null(abt_arena_array(&arena, SIZE_MAX / 2, 3));
	assert_true(abt_arena_failed(&arena));
	assert_null(abt_arena_alloc(&arena, 1));
	assert_null(abt_arena_alloc(&arena, 0));
	assert_int_equal(abt_arena_printf(&arena, "x").n, 0);
	assert_null(abt_arena_copy(&arena, ABT_BYTES("x")).p);
	abt_arena_end(&arena);
	assert_false(abt_arena_failed(&arena));
	assert_null(abt_arena_alloc(&arena, SIZE_MAX));
	abt_arena_end(&arena);
	assert_null(abt_arena_alloc(&arena, SIZE_MAX - 20));
	abt_arena_end(&arena);
	assert_null(abt_chunk_new(NULL, SIZE_MAX));
}

static void
copies_end_in_nul(void **state)
{
	struct abt_arena arena;
	struct abt_bytes b;
	char text[1000];

	(void)state;
	abt_arena_init(&arena, NULL);
	b = abt_arena_copy(&arena, abt_bytes("a\0b", 3));
	assert_int_equal(b.n, 3);
	assert_memory_equal(b.p, "a\0b", 4);
	b = abt_arena_copy(&arena, abt_bytes(NULL, 0));
	assert_non_null(b.p);
	assert_int_equal(b.n, 0);
	b = abt_arena_printf(&arena, "%d-%s", 7, "x");
	assert_string_equal(b.p, "7-x");
	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	b = abt_arena_printf(&arena, "<%s>", text);
	assert_int_equal(b.n, 1001);
	assert_int_equal(strlen(b.p), 1001);
	abt_arena_end(&arena);
}

static void
classes_hold_what_they_say(void **state)
{
	size_t total;
	unsigned class;

	(void)state;
	for (class = 0; class + 1 < CLASSES; class ++) {
		size_t size = class_size(class);

		assert_int_equal(size % 16, 0);
		assert_int_equal(class_of(size), class);
		assert_int_equal(class_of(size + 1), class + 1);
		assert_true(class_size(class + 1) <= size + size / 4 + 1);
	}
	for (total = 1; total < 1 << 22; total += 977)
		assert_true(class_size(class_of(total)) >= total);
	assert_int_equal(class_of((size_t)1 << 40), CLASSES);
}

static void
pools_give_the_same_memory_again(void **state)
{
	struct abt_pool *pool = abt_pool_new(1 << 20);
	struct abt_arena arena;
	struct abt_chunk *chunk;
	void *block, *data;

	(void)state;
	abt_arena_init(&arena, pool);
	block = abt_arena_alloc(&arena, 10);
	data = abt_arena_alloc(&arena, 100000);
	abt_arena_end(&arena);
	assert_int_equal(pool->block_count, 1);
	assert_int_equal(pool->kept, class_size(class_of(100032)));
	assert_ptr_equal(abt_arena_alloc(&arena, 10), block);
	chunk = abt_chunk_new(pool, 90000); /* a smaller one fits too */
	assert_ptr_equal(chunk->data, data);
	assert_int_equal(chunk->used, 0);
	assert_int_equal(pool->kept, 0);
	abt_arena_adopt(&arena, chunk);
	abt_arena_end(&arena);
	abt_pool_trim(pool);
	assert_int_equal(pool->kept, 0);
	assert_int_equal(pool->block_count, 0);
	abt_pool_free(pool);
	abt_pool_free(NULL);
}

static void
pools_keep_no_more_than_told(void **state)
{
	struct abt_pool *pool = abt_pool_new(1 << 20);
	struct abt_chunk *chunks[64];
	struct abt_arena arenas[64];
	size_t i;

	(void)state;
	for (i = 0; i < 64; i++)
		chunks[i] = abt_chunk_new(pool, 20000 + i * 2000);
	for (i = 0; i < 64; i++) {
		abt_chunk_end(pool, chunks[i]);
		assert_true(pool->kept <= 1 << 20);
		assert_true(pool->kept > 0);
	}
	chunks[0] = abt_chunk_new(pool, 2 << 20);
	abt_chunk_end(pool, chunks[0]); /* larger than all that may be kept */
	assert_true(pool->kept <= 1 << 20);
	for (i = 0; i < 64; i++) {
		abt_arena_init(&arenas[i], pool);
		abt_arena_alloc(&arenas[i], 1);
	}
	for (i = 0; i < 64; i++)
		abt_arena_end(&arenas[i]);
	assert_int_equal(pool->block_count, pool->block_max);
	abt_pool_free(pool);
}

static void
chunks_grow_with_their_bytes(void **state)
{
	struct abt_pool *pool = abt_pool_new(1 << 20);
	struct abt_chunk *chunk = abt_chunk_new(pool, 10), *larger;

	(void)state;
	assert_true(chunk->size >= 10);
	memcpy(chunk->data, "hello", 5);
	chunk->used = 5;
	assert_ptr_equal(abt_chunk_grow(pool, chunk, 20), chunk);
	larger = abt_chunk_grow(pool, chunk, 100000);
	assert_memory_equal(larger->data, "hello", 5);
	assert_int_equal(larger->used, 5);
	abt_memory_fail_at(1);
	assert_null(abt_chunk_grow(pool, larger, 1 << 20));
	abt_memory_fail_at(0);
	assert_memory_equal(larger->data, "hello", 5);
	abt_chunk_end(pool, larger);
	abt_chunk_end(pool, NULL);
	abt_pool_free(pool);
}

struct plan {
	struct abt_pool *pool;
};

static void
use_arena(void *context)
{
	struct plan *plan = context;
	struct abt_arena arena;
	bool all = true;
	int i;

	abt_arena_init(&arena, plan->pool);
	for (i = 0; i < 100; i++)
		all &= abt_arena_zero(&arena, (size_t)i * 97) != NULL;
	all &= abt_arena_text(&arena, ABT_BYTES("x")) != NULL;
	assert_int_equal(abt_arena_failed(&arena), abt_sweep_struck());
	assert_int_equal(all, !abt_sweep_struck());
	abt_arena_end(&arena);
}

/* A warm pool asks as often as none, so that sweeps mean the same. */
static void
every_allocation_may_fail(void **state)
{
	struct plan plan = { NULL };
	unsigned long cold, warm;

	(void)state;
	cold = abt_sweep(use_arena, &plan);
	assert_true(cold > 50);
	plan.pool = abt_pool_new(8 << 20);
	warm = abt_sweep(use_arena, &plan);
	assert_int_equal(cold, warm);
	assert_int_equal(abt_sweep(use_arena, &plan), cold);
	abt_pool_free(plan.pool);
	abt_memory_fail_at(1);
	assert_null(abt_pool_new(1));
	abt_memory_fail_at(2);
	plan.pool = abt_malloc(1);
	assert_non_null(plan.pool);
	assert_null(abt_strdup("x"));
	assert_int_equal(abt_memory_asked(), 2);
	abt_memory_fail_at(0);
	plan.pool = abt_realloc(plan.pool, 100);
	assert_non_null(plan.pool);
	abt_free(plan.pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(large_pieces_are_chunks),
		cmocka_unit_test(impossible_sizes_fail_for_good),
		cmocka_unit_test(copies_end_in_nul),
		cmocka_unit_test(classes_hold_what_they_say),
		cmocka_unit_test(pools_give_the_same_memory_again),
		cmocka_unit_test(pools_keep_no_more_than_told),
		cmocka_unit_test(chunks_grow_with_their_bytes),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
