/*
 * case_file.h - files of cases: one JSON object a line
 *
 * What the three case tables have in common: which area a case belongs to,
 * which areas are counted, and where the complaints about one case are
 * collected.
 */
#ifndef ABT_TESTS_CASE_FILE_H
#define ABT_TESTS_CASE_FILE_H

#include "albatross/buf.h"
#include "albatross/json.h"

/* What is wrong with one case; empty: it passed. */
struct abt_fault {
	struct abt_buf text;
};

void abt_fault_init(struct abt_fault *fault);
void abt_fault_end(struct abt_fault *fault);
/* One complaint, a line of its own. */
void abt_fault_add(struct abt_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "what: expected A, got B", both shortened where they are long. */
void abt_fault_differs(struct abt_fault *fault, const char *what,
    struct abt_bytes expected, struct abt_bytes got);
/* The same of two values (NULL: nothing). */
void abt_fault_json(struct abt_fault *fault, const char *what,
    const struct abt_json *expected, const struct abt_json *got);
static inline bool
abt_fault_is_empty(const struct abt_fault *fault)
{
	return fault->text.n == 0;
}

/*
 * The area of a case: what "api" or "area" says; "alb" when it has neither.
 * Cases of the Extensions API (rules R3.x of runtime-api) are "extensions", API
 * cases that authorize callers "authorizer".
 */
struct abt_bytes abt_case_area(const struct abt_json *c);

/* Is |area| among the blank-separated |areas|?  NULL or "": every area is. */
bool abt_case_counts(const char *areas, struct abt_bytes area);

/* The whole of |file| in |arena|.  False after a message on stderr. */
bool abt_case_slurp(
    const char *file, struct abt_arena *arena, struct abt_bytes *text);

/*
 * A key of |object| that is not among |names| (NULL-terminated) is a fault.
 * True when all are known.
 */
bool abt_case_known(struct abt_fault *fault, const char *what,
    const struct abt_json *object, const char *const *names);

#endif
