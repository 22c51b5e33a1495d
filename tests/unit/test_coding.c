/*
 * test_coding.c - gzip and deflate there and back
 */
#include "http/coding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const enum abt_coding codings[] = { ABT_CODING_GZIP,
	ABT_CODING_DEFLATE };

static void
there_and_back(struct abt_bytes in, enum abt_coding coding)
{
	struct abt_bytes packed, out;
	struct abt_arena arena;

	abt_arena_init(&arena, NULL);
	assert_int_equal(
	    abt_coding_encode(coding, in, &arena, &packed), ABT_CODING_DONE);
	assert_int_equal(abt_coding_decode(coding, packed, in.n, &arena, &out),
	    ABT_CODING_DONE);
	assert_true(abt_bytes_equal(in, out));
	if (in.n > 0)
		assert_int_equal(
		    abt_coding_decode(coding, packed, in.n - 1, &arena, &out),
		    ABT_CODING_LARGE);
	for (size_t n = 0; n < packed.n; n += packed.n / 7 + 1)
		assert_int_equal(
		    abt_coding_decode(
			coding, abt_bytes(packed.p, n), in.n + 1, &arena, &out),
		    ABT_CODING_BROKEN);
	abt_arena_end(&arena);
}

static void
test_there_and_back(void **state)
{
	static char text[300000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * i % 251);
	for (size_t i = 0; i < 2; i++) {
		there_and_back(ABT_BYTES(""), codings[i]);
		there_and_back(ABT_BYTES("hello"), codings[i]);
		there_and_back(abt_bytes(text, 16384), codings[i]);
		there_and_back(abt_bytes(text, sizeof(text)), codings[i]);
	}
}

/* 100 MB out of less than one cost no more than the ceiling. */
static void
test_bomb(void **state)
{
	size_t n = 100000000;
	char *zeros = calloc(n, 1);
	struct abt_bytes packed, out;
	struct abt_arena arena;

	(void)state;
	assert_non_null(zeros);
	abt_arena_init(&arena, NULL);
	assert_int_equal(abt_coding_encode(ABT_CODING_GZIP, abt_bytes(zeros, n),
			     &arena, &packed),
	    ABT_CODING_DONE);
	free(zeros);
	assert_true(packed.n < 1000000);
	assert_int_equal(
	    abt_coding_decode(ABT_CODING_GZIP, packed, 1000000, &arena, &out),
	    ABT_CODING_LARGE);
	abt_arena_end(&arena);
}

static void
test_broken(void **state)
{
	struct abt_arena arena;
	struct abt_bytes out;

	(void)state;
	abt_arena_init(&arena, NULL);
	assert_int_equal(abt_coding_decode(ABT_CODING_GZIP, ABT_BYTES("zz"),
			     100, &arena, &out),
	    ABT_CODING_BROKEN);
	assert_int_equal(abt_coding_decode(ABT_CODING_OTHER, ABT_BYTES("zz"),
			     100, &arena, &out),
	    ABT_CODING_BROKEN);
	assert_false(abt_arena_failed(&arena));
	abt_arena_end(&arena);
}

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(abt_coding_find(ABT_BYTES("GZip")), ABT_CODING_GZIP);
	assert_int_equal(
	    abt_coding_find(ABT_BYTES("deflate")), ABT_CODING_DEFLATE);
	assert_int_equal(
	    abt_coding_find(ABT_BYTES("identity")), ABT_CODING_IDENTITY);
	assert_int_equal(abt_coding_find(ABT_BYTES("br")), ABT_CODING_OTHER);
	assert_int_equal(
	    abt_coding_find(ABT_BYTES("gzip, gzip")), ABT_CODING_OTHER);
}

static void
test_choice(void **state)
{
	static const struct {
		const char *accept;
		enum abt_coding want;
	} rows[] = {
		{ "", ABT_CODING_IDENTITY },
		{ "gzip", ABT_CODING_GZIP },
		{ "deflate", ABT_CODING_DEFLATE },
		{ "deflate, gzip", ABT_CODING_GZIP },
		{ "gzip;q=0.5, deflate", ABT_CODING_DEFLATE },
		{ "gzip ; q=0.5 , deflate;q=0.50", ABT_CODING_GZIP },
		{ "gzip;q=0", ABT_CODING_IDENTITY },
		{ "br", ABT_CODING_IDENTITY },
		{ "br, gzip;q=0.1", ABT_CODING_GZIP },
		{ "*", ABT_CODING_GZIP },
		{ "*;q=0", ABT_CODING_IDENTITY },
		{ "gzip;q=0, *", ABT_CODING_DEFLATE },
		{ "identity, gzip;q=0.5", ABT_CODING_IDENTITY },
		{ "identity", ABT_CODING_IDENTITY },
		{ "gzip;q=x", ABT_CODING_IDENTITY },
		{ "GZIP;Q=1.0", ABT_CODING_GZIP },
		{ ",,", ABT_CODING_IDENTITY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (abt_coding_choose(abt_bytes_text(rows[i].accept)) !=
		    rows[i].want)
			fail_msg("Accept-Encoding: %s", rows[i].accept);
}

static void
test_no_memory(void **state)
{
	(void)state;
	for (unsigned long n = 1; n < 8; n++) {
		struct abt_bytes packed, out;
		struct abt_arena arena;
		enum abt_coding_result rc;

		abt_arena_init(&arena, NULL);
		abt_memory_fail_at(n);
		rc = abt_coding_encode(
		    ABT_CODING_GZIP, ABT_BYTES("hello"), &arena, &packed);
		if (rc == ABT_CODING_DONE)
			rc = abt_coding_decode(
			    ABT_CODING_GZIP, packed, 100, &arena, &out);
		abt_memory_fail_at(0);
		assert_true(rc == ABT_CODING_DONE || rc == ABT_CODING_FAILED);
		assert_true(
		    abt_arena_failed(&arena) == (rc == ABT_CODING_FAILED));
		abt_arena_end(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
