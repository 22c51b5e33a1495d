/*
 * ids.h - ids formatted from bytes that are given; abt_random is the only place
 * that asks for chance
 */
#ifndef ABT_BASE_IDS_H
#define ABT_BASE_IDS_H

#include "albatross/bytes.h"

/* UUID v4, lower case, 36 bytes and NUL, from 16 bytes. */
void abt_id_uuid(char out[37], const unsigned char random[16]);
/* "1-65536000-0123456789abcdef01234567", 35 bytes and NUL, from 12 bytes. */
void abt_id_trace(
    char out[36], int64_t seconds, const unsigned char random[12]);
/* API Gateway's extended request id: 15 of [A-Za-z0-9_-], "=" and NUL, from 12
 * bytes. */
void abt_id_extended(char out[17], const unsigned char random[12]);
void abt_id_hex(char *out, const unsigned char *bytes, size_t n); /* + NUL */

/* |n| random bytes of the kernel, from a stock per thread.  0, or -1: the
 * kernel has none to give (which does not happen after the first success). */
int abt_random(unsigned char *out, size_t n);

#endif
