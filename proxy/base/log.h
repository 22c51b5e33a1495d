/*
 * log.h - one line per message; never a body, never a secret
 *
 * Writes to stderr until told otherwise.  A message is at most 8 KiB and
 * is never torn apart by another thread's; control and non-UTF-8 bytes are
 * escaped as \xNN.  A write that fails is counted and dropped (threats.md S3).
 */
#ifndef ABT_BASE_LOG_H
#define ABT_BASE_LOG_H

#include "albatross/bytes.h"

enum abt_log_level {
	ABT_LOG_ERROR,
	ABT_LOG_WARNING,
	ABT_LOG_INFO,
	ABT_LOG_DEBUG,
};

void abt_log_set_level(enum abt_log_level level);
enum abt_log_level abt_log_level(void);
void abt_log_set_json(bool json);
void abt_log_set_color(bool color); /* a terminal without NO_COLOR */
/* Begin each line with the time (as at first) or not (a terminal). */
void abt_log_set_time(bool time);
/* Does a person read along: text without times? */
bool abt_log_is_read(void);
/* Write to |fd| from now on (it is not closed). */
void abt_log_set_fd(int fd);
uint64_t abt_log_dropped(void);

/* A thread that runs a loop may hold its lines back, up to 4 KB of them, until
 * abt_log_flush, which it owes them in some milliseconds.  Errors go out at
 * once, with all that was held before them. */
void abt_log_hold(bool on);
void abt_log_flush(void);
size_t abt_log_held(void); /* bytes that wait */

void abt_log(enum abt_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define abt_error(...)   abt_log(ABT_LOG_ERROR, __VA_ARGS__)
#define abt_warning(...) abt_log(ABT_LOG_WARNING, __VA_ARGS__)
#define abt_info(...)    abt_log(ABT_LOG_INFO, __VA_ARGS__)
/* Costs one comparison when off. */
#define abt_debug(...)                                       \
	do {                                                 \
		if (abt_log_level() >= ABT_LOG_DEBUG)        \
			abt_log(ABT_LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/* A line of a function's own output: "|name| |id| line".  Tabs stay. */
void abt_log_output(
    const char *function, const char *request_id, struct abt_bytes line);
/* A line of the platform about a function: START, END, REPORT.  On a terminal
 * (without times) it is shown at the level of debugging only. */
void abt_log_platform(
    const char *function, const char *request_id, struct abt_bytes line);
/* A line that is complete already (access line on a terminal); a newline is
 * added.  Escaped like the rest, but for SGR sequences when colour is on. */
void abt_log_line(struct abt_bytes line);

/* Escape |in| for a log line at |out| (|size| bytes); returns the length. */
size_t abt_log_escape(char *out, size_t size, struct abt_bytes in);

#endif
