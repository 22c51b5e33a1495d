/*
 * test_utf8_mend.c - text out of bytes that are not all UTF-8
 */
#include "base/utf8_mend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FFFD "\xef\xbf\xbd"

static void
expect(struct abt_bytes in, struct abt_bytes want)
{
	struct abt_arena arena;
	struct abt_bytes got;

	abt_arena_init(&arena, NULL);
	got = abt_utf8_mend(in, &arena);
	if (!abt_bytes_equal(got, want))
		fail_msg("%.*s became %.*s", ABT_FMT(in), ABT_FMT(got));
	abt_arena_end(&arena);
}

#define EXPECT(in, want) expect(ABT_BYTES(in), ABT_BYTES(want))

static void
test_well(void **state)
{
	struct abt_bytes text = ABT_BYTES("caf\xc3\xa9 \xf0\x9f\x98\x80");
	struct abt_arena arena;

	(void)state;
	abt_arena_init(&arena, NULL);
	assert_ptr_equal(abt_utf8_mend(text, &arena).p, text.p);
	abt_arena_end(&arena);
	EXPECT("", "");
}

/* The examples of Unicode 3.9, tables 3-8 to 3-11. */
static void
test_broken(void **state)
{
	(void)state;
	EXPECT("\xff", FFFD);
	EXPECT("a\xffz", "a" FFFD "z");
	EXPECT("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41",
	    FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
	EXPECT("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41",
	    FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
	EXPECT("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42",
	    FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B");
	EXPECT("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", FFFD FFFD FFFD FFFD "A");
	EXPECT("\xe2\x82", FFFD);
	EXPECT("\xf0\x9f\x98", FFFD);
}

static void
test_every_pair_is_utf8(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 65536; i++) {
		char pair[3] = { (char)(i >> 8), (char)i, 'x' };
		struct abt_arena arena;
		struct abt_bytes got;

		abt_arena_init(&arena, NULL);
		got = abt_utf8_mend(abt_bytes(pair, 3), &arena);
		assert_true(abt_utf8_valid(got));
		assert_int_equal(got.p[got.n - 1], 'x');
		abt_arena_end(&arena);
	}
}

static void
test_no_memory(void **state)
{
	struct abt_arena arena;

	(void)state;
	abt_arena_init(&arena, NULL);
	abt_memory_fail_at(1);
	assert_int_equal(abt_utf8_mend(ABT_BYTES("\xff"), &arena).n, 0);
	abt_memory_fail_at(0);
	assert_true(abt_arena_failed(&arena));
	abt_arena_end(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_every_pair_is_utf8),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
