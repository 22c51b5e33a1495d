/*
 * rule.h - every rule we can name, and the report of one call
 *
 * A rule is one row of rules.def.  A rule broken by a client, a function or the
 * operator is data with a name: it goes into a report, the log, a metric, a
 * verdict.  Every response that we make ourselves names its rule.
 */
#ifndef ALBATROSS_RULE_H
#define ALBATROSS_RULE_H

#include "albatross/arena.h"

/* Deviations of clients, as AWS classifies them (alb.md 4.1); rising. */
enum abt_tier {
	ABT_COMPLIANT,
	ABT_ACCEPTABLE,
	ABT_AMBIGUOUS,
	ABT_SEVERE,
};

/* The neutral kinds of failure; a dialect turns each into its own status. */
enum abt_failure {
	ABT_NO_FAILURE,     /* a note, or a deviation that may be let through */
	ABT_BAD_REQUEST,    /* 400 */
	ABT_METHOD_REFUSED, /* 405 */
	ABT_TIMEOUT_REQUEST,    /* 408: the client stalls */
	ABT_BODY_TOO_LARGE,     /* 413 */
	ABT_URI_TOO_LONG,       /* 414 */
	ABT_HEADERS_TOO_LARGE,  /* 431; ALB 400 */
	ABT_EXPECTATION_FAILED, /* 417 */
	ABT_CODING_UNKNOWN,     /* 501 */
	ABT_VERSION_REFUSED,    /* 505 */
	ABT_FORWARDED_TOO_LONG, /* ALB 463 */
	ABT_REDIRECT_TOO_LONG,  /* ALB 507 */
	ABT_NO_ROUTE,           /* 404; ALB has none */
	ABT_NO_TARGET,          /* 503: nothing registered */
	ABT_THROTTLED,          /* 429; ALB 502 */
	ABT_FUNCTION_ERROR,     /* the function said it failed, or died */
	ABT_TIMED_OUT,          /* the function's deadline passed */
	ABT_BAD_RESULT,         /* the result breaks the dialect's contract */
	ABT_RESULT_TOO_LARGE,
	ABT_HOST_ERROR,  /* we could not: 502 or 500 */
	ABT_UNREACHABLE, /* 504: could not connect in time */
	ABT_NO_MEMORY,   /* 503 */
	ABT_FORBIDDEN,   /* 403: no stage or host of ours */
	ABT_MEDIA_TYPE,  /* 415 */
	ABT_SETUP_ERROR, /* 500: the operator's configuration cannot work */
	ABT_INTEGRATION_TIMED_OUT, /* the front's own deadline passed */
	ABT_CLIENT_GONE,           /* nothing is sent; logged as 460 */
	ABT_FAILURES,              /* how many there are */
};

enum abt_rule_id {
#define RULE(id, name, tier, failure, reason, text, cure, source) ABT_RULE_##id,
#include "albatross/rules.def"
#undef RULE
	ABT_RULES,
	ABT_NO_RULE = ABT_RULES,
};

struct abt_rule {
	const char *name; /* "alb/result/status-code" */
	enum abt_tier tier;
	enum abt_failure failure;
	const char *reason; /* AWS's own word: "BadContentLength", or NULL */
	const char *text;   /* what went wrong, a clause without full stop */
	const char *cure;   /* how to mend it, a sentence */
	const char *source; /* where the rule is written */
};

extern const struct abt_rule abt_rules[ABT_RULES];

/* The rule of that name, or NULL. */
const struct abt_rule *abt_rule_find(struct abt_bytes name);
static inline enum abt_rule_id
abt_rule_id(const struct abt_rule *rule)
{
	return (enum abt_rule_id)(rule - abt_rules);
}
const char *abt_tier_name(enum abt_tier tier); /* "Acceptable" ... */

/* One thing found. */
struct abt_finding {
	struct abt_finding *next;
	const struct abt_rule *rule;
	struct abt_bytes where;  /* JSON pointer, header name, or empty */
	struct abt_bytes detail; /* free text, may be empty */
	uint32_t offset;         /* in the source, where known */
	bool note;               /* silently dropped or changed, not broken */
};

/*
 * What one call found.  |broken| is the first rule that ended it.  With
 * |collect| set (albatross check) the reading goes on after a break.
 * |deviation| is the reason of the client's highest tier: among equals the
 * first found (alb.md 4.1).
 */
struct abt_report {
	struct abt_arena *arena;
	struct abt_finding *first, *last;
	const struct abt_rule *broken;
	const struct abt_rule *deviation;
	struct abt_bytes where;  /* of |broken| */
	struct abt_bytes detail; /* of |broken| */
	bool collect;
	bool quiet_notes; /* the hot path: do not record notes */
};

void abt_report_init(struct abt_report *report, struct abt_arena *arena);

/*
 * The rule is broken at |where|.  Returns -1, or 0 when the report collects
 * (the caller then goes on with a safe value).  |where| and |detail| must live
 * as long as the report (or be static); when memory is out the break still
 * counts.
 */
int abt_break(
    struct abt_report *report, enum abt_rule_id rule, struct abt_bytes where);
int abt_break_detail(struct abt_report *report, enum abt_rule_id rule,
    struct abt_bytes where, struct abt_bytes detail);
/* Something was dropped or changed without breaking anything. */
void abt_note(
    struct abt_report *report, enum abt_rule_id rule, struct abt_bytes where);
/* A client's deviation; never breaks by itself (abt_judge decides). */
void abt_deviate(
    struct abt_report *report, enum abt_rule_id rule, struct abt_bytes where);

static inline enum abt_tier
abt_report_tier(const struct abt_report *report)
{
	return report->deviation != NULL ? report->deviation->tier
					 : ABT_COMPLIANT;
}

#endif
