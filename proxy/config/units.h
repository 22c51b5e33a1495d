/*
 * units.h - durations and sizes as people write them
 */
#ifndef ABT_CONFIG_UNITS_H
#define ABT_CONFIG_UNITS_H

#include "albatross/bytes.h"

/* "250ms", "30s", "5m", "1h", "1.5s"; a bare number is seconds.  Milliseconds
 * into |ms|; false when it is none of these or does not fit. */
bool abt_duration_parse(struct abt_bytes text, int64_t *ms);

/* "512", "64 KiB", "10MB", "1G"; every unit is a power of 1024. */
bool abt_size_parse(struct abt_bytes text, int64_t *bytes);

/* The same the other way, the shortest exact form; |out| has 32 bytes. */
void abt_duration_format(char out[32], int64_t ms);
void abt_size_format(char out[32], int64_t bytes);

#endif
