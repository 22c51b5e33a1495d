/*
 * test_report_line.c - the REPORT line, byte for byte
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "function/function.h"

#define ID "3f1a8c52-0d6e-4a57-9f0b-6b1f2f9c7a10"

static void
check(const struct abt_report_line *line, const char *expected)
{
	char out[512];
	size_t n = abt_report_line(out, sizeof(out), line);

	assert_string_equal(out, expected);
	assert_int_equal(n, strlen(expected));
}

static void
test_cold(void **state)
{
	struct abt_report_line line = { .request_id = ID,
		.duration_us = 3006,
		.init_us = 110100,
		.memory_mb = 128,
		.max_used_mb = 36 };

	(void)state;
	check(&line,
	    "REPORT RequestId: " ID "\tDuration: 3.01 ms\tBilled Duration: 4 "
	    "ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: "
	    "110.10 ms\t\n");
	line.billed_includes_init = true;
	check(&line,
	    "REPORT RequestId: " ID "\tDuration: 3.01 ms\tBilled Duration: 114 "
	    "ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: "
	    "110.10 ms\t\n");
}

static void
test_warm(void **state)
{
	struct abt_report_line line = { .request_id = ID,
		.duration_us = 1000,
		.init_us = -1,
		.memory_mb = 256,
		.max_used_mb = 40,
		.billed_includes_init = true };

	(void)state;
	check(&line,
	    "REPORT RequestId: " ID "\tDuration: 1.00 ms\tBilled Duration: 1 "
	    "ms\tMemory Size: 256 MB\tMax Memory Used: 40 MB\t\n");
	line.duration_us = 0;
	check(&line,
	    "REPORT RequestId: " ID "\tDuration: 0.00 ms\tBilled Duration: 0 "
	    "ms\tMemory Size: 256 MB\tMax Memory Used: 40 MB\t\n");
	line.duration_us = 1001;
	line.error_type = "Runtime.ExitError";
	check(&line,
	    "REPORT RequestId: " ID "\tDuration: 1.00 ms\tBilled Duration: 2 "
	    "ms\tMemory Size: 256 MB\tMax Memory Used: 40 MB\tStatus: "
	    "error\tError Type: Runtime.ExitError\n");
}

static void
test_timeout(void **state)
{
	struct abt_report_line line = { .request_id = ID,
		.duration_us = 3040000,
		.init_us = -1,
		.memory_mb = 1024,
		.max_used_mb = 64,
		.timeout_ms = 3000,
		.timed_out = true };

	(void)state;
	check(&line,
	    "REPORT RequestId: " ID "\tDuration: 3000.00 ms\tBilled Duration: "
	    "3000 ms\tMemory Size: 1024 MB\tMax Memory Used: 64 MB\tStatus: "
	    "timeout\n");
}

static void
test_small_room(void **state)
{
	struct abt_report_line line = { .request_id = ID, .init_us = -1 };
	char out[30];

	(void)state;
	assert_int_equal(abt_report_line(out, sizeof(out), &line), 29);
	assert_int_equal(out[29], '\0');
	assert_int_equal(abt_report_line(out, 0, &line), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cold),
		cmocka_unit_test(test_warm),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_small_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
