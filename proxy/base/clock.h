/*
 * clock.h - the only place that asks the time
 */
#ifndef ABT_BASE_CLOCK_H
#define ABT_BASE_CLOCK_H

#include "albatross/bytes.h"

int64_t abt_clock_monotonic_us(void);
int64_t abt_clock_epoch_us(void);
/* For tests: both clocks stand at |us| until told otherwise; negative: they run
 * again. */
void abt_clock_stop_at(int64_t us);

/* Times before 1970 or after the year 9999 are shown as that end. */
/* "Tue, 15 Nov 1994 08:12:31 GMT" of that second; 29 bytes and NUL at |out|. */
#define ABT_DATE_SIZE 30
void abt_date_imf(char out[ABT_DATE_SIZE], int64_t epoch_s);
/* "2018-11-30T22:23:00.186641Z" (27 bytes and NUL). */
#define ABT_ISO_SIZE 28
void abt_date_iso_us(char out[ABT_ISO_SIZE], int64_t epoch_us);
/* "2018-11-30T22:23:00.186Z" (24 bytes and NUL). */
void abt_date_iso_ms(char out[ABT_ISO_SIZE], int64_t epoch_us);
/* Civil date of a day for log stream names: year, month 1-12, day. */
void abt_date_civil(int64_t epoch_s, int *year, int *month, int *day);

#endif
