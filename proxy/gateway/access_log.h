/*
 * access_log.h - a file of finished calls, shared by all loops
 */
#ifndef ABT_GATEWAY_ACCESS_LOG_H
#define ABT_GATEWAY_ACCESS_LOG_H

#include "gateway/setup.h"

struct abt_access_log;

/* Open |file| for appending.  NULL with a sentence in |why|. */
struct abt_access_log *abt_access_log_open(
    const char *file, enum abt_log_format format, char *why, size_t size);
/* Open the file anew in its place (USR1, after a rotation).  0, or -1: the old
 * one stays. */
int abt_access_log_reopen(struct abt_access_log *log);
void abt_access_log_close(struct abt_access_log *log);
enum abt_log_format abt_access_log_format(const struct abt_access_log *log);
/* One write(2); a failure is counted and told at most once a minute, the lines
 * are dropped (threats.md S3). */
void abt_access_log_write(struct abt_access_log *log, struct abt_bytes lines);
/* Lines dropped so far. */
uint64_t abt_access_log_dropped(const struct abt_access_log *log);

#endif
