/*
 * rule.c - the table of rules, lookup by name, filling a report
 *
 * A finding that finds no memory is not recorded, but what it means (the call
 * is broken, the client deviated) is kept in the report itself.
 */
#include "albatross/rule.h"

const struct abt_rule abt_rules[ABT_RULES] = {
#define RULE(id, name, tier, failure, reason, text, cure, source) \
	[ABT_RULE_##id] = { name, tier, failure, reason, text, cure, source },
#include "albatross/rules.def"
#undef RULE
};

const struct abt_rule *
abt_rule_find(struct abt_bytes name)
{
	size_t i;

	for (i = 0; i < ABT_RULES; i++)
		if (abt_bytes_equal(abt_bytes_text(abt_rules[i].name), name))
			return &abt_rules[i];
	return NULL;
}

const char *
abt_tier_name(enum abt_tier tier)
{
	static const char *const names[] = {
		[ABT_COMPLIANT] = "Compliant",
		[ABT_ACCEPTABLE] = "Acceptable",
		[ABT_AMBIGUOUS] = "Ambiguous",
		[ABT_SEVERE] = "Severe",
	};

	return names[tier];
}

void
abt_report_init(struct abt_report *report, struct abt_arena *arena)
{
	memset(report, 0, sizeof(*report));
	report->arena = arena;
}

static void
record(struct abt_report *report, const struct abt_rule *rule,
    struct abt_bytes where, struct abt_bytes detail, bool note)
{
	struct abt_finding *finding;

	if (note && report->quiet_notes)
		return;
	finding = abt_arena_zero(report->arena, sizeof(*finding));
	if (finding == NULL)
		return;
	finding->rule = rule;
	finding->where = where;
	finding->detail = detail;
	finding->note = note;
	if (report->last != NULL)
		report->last->next = finding;
	else
		report->first = finding;
	report->last = finding;
}

int
abt_break_detail(struct abt_report *report, enum abt_rule_id rule,
    struct abt_bytes where, struct abt_bytes detail)
{
	const struct abt_rule *broken = &abt_rules[rule];

	if (report->broken == NULL) {
		report->broken = broken;
		report->where = where;
		report->detail = detail;
	}
	record(report, broken, where, detail, false);
	return report->collect ? 0 : -1;
}

int
abt_break(
    struct abt_report *report, enum abt_rule_id rule, struct abt_bytes where)
{
	return abt_break_detail(report, rule, where, abt_bytes(NULL, 0));
}

void
abt_note(
    struct abt_report *report, enum abt_rule_id rule, struct abt_bytes where)
{
	record(report, &abt_rules[rule], where, abt_bytes(NULL, 0), true);
}

void
abt_deviate(
    struct abt_report *report, enum abt_rule_id rule, struct abt_bytes where)
{
	/* Among equals the first one found counts (alb.md 4.1). */
	if (abt_rules[rule].tier > abt_report_tier(report))
		report->deviation = &abt_rules[rule];
	abt_note(report, rule, where);
}
