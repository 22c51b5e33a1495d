/*
 * test_clock.c - dates against the C library's, and a clock that stands
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"

static void
compare(int64_t s)
{
	char expected[64], date[ABT_DATE_SIZE], iso[ABT_ISO_SIZE];
	time_t t = (time_t)s;
	struct tm tm;
	int year, month, day;

	assert_non_null(gmtime_r(&t, &tm));
	assert_int_equal(
	    strftime(expected, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm), 29);
	abt_date_imf(date, s);
	assert_string_equal(date, expected);
	strftime(expected, 64, "%Y-%m-%dT%H:%M:%S.000123Z", &tm);
	abt_date_iso_us(iso, s * 1000000 + 123);
	assert_string_equal(iso, expected);
	strftime(expected, 64, "%Y-%m-%dT%H:%M:%S.999Z", &tm);
	abt_date_iso_ms(iso, s * 1000000 + 999999);
	assert_string_equal(iso, expected);
	abt_date_civil(s, &year, &month, &day);
	assert_int_equal(year, tm.tm_year + 1900);
	assert_int_equal(month, tm.tm_mon + 1);
	assert_int_equal(day, tm.tm_mday);
}

static void
dates_are_those_of_the_library(void **state)
{
	int64_t day;
	int i;

	(void)state;
	for (day = 0; day < 3000000 - 719163 + 60000; day += 1 + day / 50000)
		if (day * 86400 + 86399 <= 253402300799)
			compare(day * 86400 + 86399);
	srand(2);
	for (i = 0; i < 20000; i++)
		compare(((int64_t)rand() << 7) % 253402300800);
	compare(0);
	compare(253402300799);
}

static void
impossible_times_are_clamped(void **state)
{
	char date[ABT_DATE_SIZE], iso[ABT_ISO_SIZE];

	(void)state;
	abt_date_imf(date, -1);
	assert_string_equal(date, "Thu, 01 Jan 1970 00:00:00 GMT");
	abt_date_imf(date, INT64_MAX);
	assert_string_equal(date, "Fri, 31 Dec 9999 23:59:59 GMT");
	abt_date_iso_us(iso, INT64_MIN);
	assert_string_equal(iso, "1970-01-01T00:00:00.000000Z");
	abt_date_iso_us(iso, INT64_MAX);
	assert_string_equal(iso, "9999-12-31T23:59:59.999999Z");
}

static void
clocks_run_and_stand(void **state)
{
	int64_t a = abt_clock_monotonic_us(), b = abt_clock_monotonic_us();
	int64_t now = (int64_t)time(NULL);

	(void)state;
	assert_true(a > 0 && b >= a);
	assert_in_range(abt_clock_epoch_us() / 1000000, now, now + 2);
	abt_clock_stop_at(5000000);
	assert_int_equal(abt_clock_epoch_us(), 5000000);
	assert_int_equal(abt_clock_monotonic_us(), 5000000);
	abt_clock_stop_at(-1);
	assert_true(abt_clock_monotonic_us() >= b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_those_of_the_library),
		cmocka_unit_test(impossible_times_are_clamped),
		cmocka_unit_test(clocks_run_and_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
