/*
 * failure_log.c - one line in the log for each answer of our own: which rule,
 * where, what to do
 *
 * What a function or the machine did wrong is a warning; what a client did
 * wrong is news, and no more than LINES a second of it for each loop, so that
 * nobody fills the disk by asking badly.  A terminal has its own line for each
 * request and reads only what its owner can mend.
 */
#include "gateway/call_state.h"

#include "base/log.h"

#define LINES 20

/* Could the owner of this server mend it? */
static bool
is_ours(const struct abt_rule *rule)
{
	switch (rule->failure) {
	case ABT_NO_TARGET:
	case ABT_THROTTLED:
	case ABT_FUNCTION_ERROR:
	case ABT_TIMED_OUT:
	case ABT_BAD_RESULT:
	case ABT_RESULT_TOO_LARGE:
	case ABT_HOST_ERROR:
	case ABT_UNREACHABLE:
	case ABT_NO_MEMORY:
		return true;
	default:
		return false;
	}
}

/* At most LINES a second; what was left out is told afterwards. */
static bool
may_tell(struct abt_gateway_loop *gateway)
{
	int64_t second = abt_loop_now_us(gateway->loop) / 1000000;

	if (second != gateway->told_second) {
		if (gateway->told > LINES)
			abt_info("%u more requests were refused in that second",
			    gateway->told - LINES);
		gateway->told_second = second;
		gateway->told = 0;
	}
	return gateway->told++ < LINES;
}

void
abt_log_failure(struct abt_call_state *state, const struct abt_rule *rule)
{
	bool ours = is_ours(rule);
	struct abt_bytes where = state->where, detail = state->detail;

	if (!ours && (state->gateway->terminal || !may_tell(state->gateway)))
		return;
	abt_log(ours ? ABT_LOG_WARNING : ABT_LOG_INFO,
	    "%.*s: %d %s%s%.*s: %s%s%.*s", ABT_FMT(state->call.front->name),
	    state->x->response.status, rule->name, where.n > 0 ? " at " : "",
	    ABT_FMT(where), rule->text, detail.n > 0 ? ": " : "",
	    ABT_FMT(detail));
}

void
abt_log_cut(struct abt_call_state *state, const struct abt_rule *rule)
{
	struct abt_bytes detail = state->detail;

	if (abt_bytes_equal(detail, abt_bytes_text(rule->text)))
		detail.n = 0; /* it says the same */
	abt_warning("%.*s: %d, cut after %llu bytes: %s: %s%s%.*s",
	    ABT_FMT(state->call.front->name), state->x->response.status,
	    (unsigned long long)state->pieces.got, rule->name, rule->text,
	    detail.n > 0 ? ": " : "", ABT_FMT(detail));
}
