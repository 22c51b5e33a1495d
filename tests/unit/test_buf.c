/*
 * test_buf.c - growth, the ceiling, and failure that stays
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "albatross/buf.h"
#include "lib/guard.h"

static void
appends_in_order(void **state)
{
	struct abt_buf buf;
	char *p;

	(void)state;
	abt_buf_init(&buf, NULL, 1000000);
	assert_null(abt_buf_take(&buf));
	abt_buf_add(&buf, abt_bytes(NULL, 0));
	abt_buf_text(&buf, "one ");
	abt_buf_char(&buf, '2');
	abt_buf_number(&buf, 345);
	abt_buf_printf(&buf, " %s-%d", "x", -1);
	p = abt_buf_room(&buf, 3);
	memcpy(p, "end", 3);
	abt_buf_commit(&buf, 3);
	assert_int_equal(buf.n, 16);
	assert_memory_equal(abt_buf_bytes(&buf).p, "one 2345 x--1end", 16);
	abt_buf_end(&buf);
	assert_null(buf.p);
}

static void
grows_up_to_its_ceiling(void **state)
{
	struct abt_buf buf;
	size_t max, i;

	(void)state;
	for (max = 0; max < 20000; max += 1 + max / 2) {
		abt_buf_init(&buf, NULL, max);
		for (i = 0; i < max; i++)
			abt_buf_char(&buf, (char)i);
		assert_false(buf.failed);
		assert_int_equal(buf.n, max);
		abt_buf_char(&buf, 'x');
		assert_true(buf.failed && buf.overflowed);
		assert_int_equal(buf.n, max);
		for (i = 0; i < max; i++)
			assert_int_equal(buf.p[i], (char)i);
		abt_buf_add(&buf, abt_bytes(NULL, 0));
		assert_null(abt_buf_room(&buf, 0));
		assert_null(abt_buf_room(&buf, SIZE_MAX));
		abt_buf_printf(&buf, "x");
		assert_int_equal(buf.n, max);
		abt_buf_end(&buf);
	}
}

static void
what_does_not_fit_is_not_begun(void **state)
{
	struct abt_buf buf;

	(void)state;
	abt_buf_init(&buf, NULL, 10);
	abt_buf_text(&buf, "12345678");
	abt_buf_text(&buf, "abc");
	assert_true(buf.overflowed);
	abt_buf_text(&buf, "a"); /* would fit, comes too late */
	assert_int_equal(buf.n, 8);
	abt_buf_end(&buf);
}

static void
reserve_never_passes_the_ceiling(void **state)
{
	struct abt_buf buf;

	(void)state;
	abt_buf_init(&buf, NULL, 100);
	assert_int_equal(abt_buf_reserve(&buf, 1000), 100);
	abt_buf_text(&buf, "1234");
	assert_int_equal(abt_buf_reserve(&buf, 97), 96);
	assert_int_equal(abt_buf_reserve(&buf, SIZE_MAX), 96);
	assert_false(buf.failed);
	abt_memory_fail_at(1);
	assert_int_equal(abt_buf_reserve(&buf, 96), 96); /* has it already */
	abt_memory_fail_at(0);
	abt_buf_end(&buf);
	abt_buf_init(&buf, NULL, 0);
	assert_int_equal(abt_buf_reserve(&buf, 0), 0);
	assert_false(buf.failed);
	abt_buf_end(&buf);
}

static void
long_text_is_formatted_whole(void **state)
{
	struct abt_buf buf;
	char text[3000];

	(void)state;
	memset(text, 'z', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	abt_buf_init(&buf, NULL, 3000);
	abt_buf_printf(&buf, "%s.", text); /* exactly to the ceiling */
	assert_false(buf.failed);
	assert_int_equal(buf.n, 3000);
	assert_int_equal(buf.p[2999], '.');
	abt_buf_end(&buf);
}

static void
a_chunk_is_taken_out(void **state)
{
	struct abt_pool *pool = abt_pool_new(1 << 20);
	struct abt_buf buf;
	struct abt_chunk *chunk;

	(void)state;
	abt_buf_init(&buf, pool, 1 << 20);
	abt_buf_text(&buf, "hello");
	chunk = abt_buf_take(&buf);
	assert_int_equal(chunk->used, 5);
	assert_memory_equal(chunk->data, "hello", 5);
	assert_null(buf.p);
	assert_int_equal(buf.n, 0);
	abt_buf_text(&buf, "again");
	assert_int_equal(buf.n, 5);
	abt_buf_end(&buf);
	abt_chunk_end(pool, chunk);
	abt_pool_free(pool);
}

static void
use_buf(void *context)
{
	struct abt_buf buf;
	int i;

	(void)context;
	abt_buf_init(&buf, NULL, 1 << 20);
	for (i = 0; i < 40; i++)
		abt_buf_printf(&buf, "%*d", 200 + i * 10, i);
	assert_int_equal(buf.failed, abt_sweep_struck());
	assert_false(buf.overflowed);
	abt_buf_end(&buf);
}

static void
every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(abt_sweep(use_buf, NULL) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_in_order),
		cmocka_unit_test(grows_up_to_its_ceiling),
		cmocka_unit_test(what_does_not_fit_is_not_begun),
		cmocka_unit_test(reserve_never_passes_the_ceiling),
		cmocka_unit_test(long_text_is_formatted_whole),
		cmocka_unit_test(a_chunk_is_taken_out),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
