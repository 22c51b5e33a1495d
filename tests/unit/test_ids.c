/*
 * test_ids.c - the written forms of ids; chance
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/ids.h"

static void
written_forms(void **state)
{
	static const unsigned char bytes[16] = { 0x01, 0x23, 0x45, 0x67, 0x89,
		0xab, 0xcd, 0xef, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99,
		0x88 };
	char uuid[37], trace[36], hex[7];

	(void)state;
	abt_id_uuid(uuid, bytes);
	assert_string_equal(uuid, "01234567-89ab-4def-bfee-ddccbbaa9988");
	abt_id_trace(trace, 0x65536000, bytes);
	assert_string_equal(trace, "1-65536000-0123456789abcdefffeeddcc");
	abt_id_trace(trace, 0, bytes);
	assert_memory_equal(trace, "1-00000000-", 11);
	abt_id_hex(hex, bytes, 3);
	assert_string_equal(hex, "012345");
	abt_id_hex(hex, bytes, 0);
	assert_string_equal(hex, "");
}

static void
chance_does_not_repeat(void **state)
{
	unsigned char a[5000], b[5000];
	unsigned long counts[256] = { 0 };
	size_t i, round;

	(void)state;
	assert_int_equal(abt_random(a, 0), 0);
	for (round = 0; round < 100; round++) {
		assert_int_equal(abt_random(a, sizeof(a)), 0);
		assert_int_equal(abt_random(b, 16), 0);
		assert_int_not_equal(memcmp(a, b, 16), 0);
		for (i = 0; i < sizeof(a); i++)
			counts[a[i]]++;
	}
	/* 1953 expected of each; six standard deviations are 264. */
	for (i = 0; i < 256; i++)
		assert_in_range(counts[i], 1690, 2217);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_forms),
		cmocka_unit_test(chance_does_not_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
