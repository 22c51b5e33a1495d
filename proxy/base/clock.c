/*
 * clock.c - the only place that asks the time, and its ways of being written
 *
 * Both clocks are read through the vDSO.  Dates are the proleptic Gregorian
 * calendar in UTC, computed here because the C library's functions take locks
 * and look at the zone.
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

#define DAY      86400
#define LAST_SEC 253402300799 /* 9999-12-31T23:59:59Z */

static _Atomic int64_t stopped = -1;

static int64_t
now(clockid_t id)
{
	int64_t at = atomic_load_explicit(&stopped, memory_order_relaxed);
	struct timespec ts;

	if (at >= 0)
		return at;
	if (clock_gettime(id, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
abt_clock_monotonic_us(void)
{
	return now(CLOCK_MONOTONIC);
}

int64_t
abt_clock_epoch_us(void)
{
	return now(CLOCK_REALTIME);
}

void
abt_clock_stop_at(int64_t us)
{
	atomic_store_explicit(&stopped, us, memory_order_relaxed);
}

static int64_t
clamp(int64_t value, int64_t max)
{
	if (value < 0)
		return 0;
	return value > max ? max : value;
}

/*
 * Years are counted from March, so that the leap day is the last of its year
 * and the days before a month are (153 * month + 2) / 5.
 */
static void
civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468; /* since 0000-03-01 */
	int64_t era = z / 146097, of_era = z % 146097;
	int64_t years =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
	int64_t from_march = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
	*month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
	*year = (int)(era * 400 + years + (*month <= 2));
}

void
abt_date_civil(int64_t epoch_s, int *year, int *month, int *day)
{
	civil(clamp(epoch_s, LAST_SEC) / DAY, year, month, day);
}

/* |value| as |width| digits with leading zeros. */
static char *
put(char *out, int64_t value, int width)
{
	int i;

	for (i = width - 1; i >= 0; i--) {
		out[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return out + width;
}

static char *
put_time(char *out, int64_t seconds)
{
	out = put(out, seconds / 3600 % 24, 2);
	*out++ = ':';
	out = put(out, seconds / 60 % 60, 2);
	*out++ = ':';
	return put(out, seconds % 60, 2);
}

void
abt_date_imf(char out[ABT_DATE_SIZE], int64_t epoch_s)
{
	static const char days[] = "Thu, Fri, Sat, Sun, Mon, Tue, Wed, ";
	static const char months[] =
	    " Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
	int year, month, day;

	epoch_s = clamp(epoch_s, LAST_SEC);
	civil(epoch_s / DAY, &year, &month, &day);
	memcpy(out, days + epoch_s / DAY % 7 * 5, 5);
	out = put(out + 5, day, 2);
	memcpy(out, months + (month - 1) * 4, 5);
	out = put(out + 5, year, 4);
	*out++ = ' ';
	out = put_time(out, epoch_s);
	memcpy(out, " GMT", 5);
}

/* "2018-11-30T22:23:00."; each thread keeps the last one, because log lines of
 * one second are many. */
static char *
put_iso_second(char *out, int64_t seconds)
{
	static _Thread_local struct {
		int64_t seconds;
		char text[20];
	} last = { -1, "" };
	int year, month, day;
	char *w = last.text;

	if (seconds != last.seconds) {
		civil(seconds / DAY, &year, &month, &day);
		w = put(w, year, 4);
		*w++ = '-';
		w = put(w, month, 2);
		*w++ = '-';
		w = put(w, day, 2);
		*w++ = 'T';
		w = put_time(w, seconds);
		*w = '.';
		last.seconds = seconds;
	}
	memcpy(out, last.text, sizeof(last.text));
	return out + sizeof(last.text);
}

static void
put_iso(char *out, int64_t epoch_us, int64_t unit, int width)
{
	int64_t us = clamp(epoch_us, LAST_SEC * 1000000 + 999999);

	out = put_iso_second(out, us / 1000000);
	out = put(out, us % 1000000 / unit, width);
	*out++ = 'Z';
	*out = '\0';
}

void
abt_date_iso_us(char out[ABT_ISO_SIZE], int64_t epoch_us)
{
	put_iso(out, epoch_us, 1, 6);
}

void
abt_date_iso_ms(char out[ABT_ISO_SIZE], int64_t epoch_us)
{
	put_iso(out, epoch_us, 1000, 3);
}
