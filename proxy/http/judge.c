/*
 * judge.c - the tier of a deviation x the mode of a front
 */
#include "http/judge.h"

static int
refuse(struct abt_report *report, const struct abt_finding *finding)
{
	abt_break(report, abt_rule_id(finding->rule), finding->where);
	return -1;
}

/* Not a front: RFC 9112 grammar and one answer to everything else.  A GET that
 * says its length is zero is common and harmless. */
static int
judge_strictly(struct abt_report *report)
{
	const struct abt_finding *finding;

	for (finding = report->first; finding != NULL; finding = finding->next)
		if (finding->rule->tier != ABT_COMPLIANT &&
		    abt_rule_id(finding->rule) != ABT_RULE_H1_LENGTH_ZERO_GET)
			return refuse(report, finding);
	return 0;
}

int
abt_judge(struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report)
{
	static const enum abt_tier refused_from[] = {
		[ABT_MONITOR] = ABT_SEVERE + 1,
		[ABT_DEFENSIVE] = ABT_SEVERE,
		[ABT_STRICTEST] = ABT_ACCEPTABLE,
	};
	enum abt_tier tier = abt_report_tier(report);
	const struct abt_finding *finding;

	if (report->deviation == NULL)
		return 0;
	if (policy->strict_h1)
		return judge_strictly(report);
	if (tier < refused_from[policy->mode]) {
		if (tier == ABT_AMBIGUOUS && policy->mode == ABT_DEFENSIVE)
			req->keep_alive = false;
		return 0;
	}
	for (finding = report->first; finding != NULL; finding = finding->next)
		if (finding->rule == report->deviation)
			return refuse(report, finding);
	/* the finding itself found no memory */
	abt_break(report, abt_rule_id(report->deviation), ABT_BYTES(""));
	return -1;
}
