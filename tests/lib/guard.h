/*
 * guard.h - bytes that end where memory ends, and memory that runs out
 */
#ifndef ABT_TESTS_LIB_GUARD_H
#define ABT_TESTS_LIB_GUARD_H

#include "albatross/bytes.h"

/* A copy of |b| whose last byte stands before a page that nobody may read: a
 * parser that looks behind its input ends the test.  Aborts without memory. */
struct abt_bytes abt_guard_copy(struct abt_bytes b);
void abt_guard_free(struct abt_bytes copy);

/*
 * Call |run| again and again, with the first, the second, the third allocation
 * failing, until one would fail that is never asked for.  Returns how many
 * allocations there are.
 */
unsigned long abt_sweep(void (*run)(void *context), void *context);
/* Within |run|: has the allocation been refused?  If not, demand success. */
bool abt_sweep_struck(void);

#endif
