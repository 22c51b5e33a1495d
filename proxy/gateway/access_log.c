/*
 * access_log.c - one line for a finished call
 *
 * In ALB's own format (alb.md 7.1, one function per group of fields) or as a
 * JSON object.  Each loop fills its own buffer and writes it when it is full or
 * a second old.  Values that a client chose are escaped; a line is cut at 8 KiB
 * (threats.md 8).
 */
#include "gateway/access_log.h"

#include <endian.h>

#include "albatross/dialect.h"
#include "base/clock.h"
#include "base/ids.h"
#include "gateway/call_state.h"
#include "gateway/context_log.h"
#include "route/route.h"

#define LINES_SIZE 65536
#define LINE_MAX   8192
#define FLUSH_MS   1000

/* ---- the loop's buffer ---- */

static void
flush(struct abt_gateway_loop *gateway)
{
	if (gateway->lines_size > 0 && gateway->log != NULL)
		abt_access_log_write(gateway->log,
		    abt_bytes(gateway->lines, gateway->lines_size));
	gateway->lines_size = 0;
}

static void
on_flush(struct abt_timer *timer)
{
	flush(abt_container_of(timer, struct abt_gateway_loop, flush));
}

/* A line of |n| bytes stands where the next one belongs. */
static void
end_line(struct abt_gateway_loop *gateway, size_t n)
{
	gateway->lines_size += n < LINE_MAX ? n : LINE_MAX;
	gateway->lines[gateway->lines_size++] = '\n';
	if (!abt_timer_is_set(&gateway->flush))
		abt_timer_set(gateway->loop, &gateway->flush, FLUSH_MS);
}

static void
add_line(struct abt_gateway_loop *gateway, const char *line, size_t n)
{
	if (n > LINE_MAX)
		n = LINE_MAX;
	if (gateway->lines_size + n + 1 > LINES_SIZE)
		flush(gateway);
	memcpy(gateway->lines + gateway->lines_size, line, n);
	end_line(gateway, n);
}

int
abt_gateway_attach(struct abt_loop *loop, struct abt_access_log *log,
    bool terminal, bool color)
{
	struct abt_gateway_loop *gateway = abt_calloc(1, sizeof(*gateway));

	if (gateway == NULL)
		return -1;
	gateway->lines = log != NULL ? abt_malloc(LINES_SIZE) : NULL;
	if (log != NULL && gateway->lines == NULL) {
		abt_free(gateway);
		return -1;
	}
	gateway->loop = loop;
	gateway->log = log;
	gateway->terminal = terminal;
	gateway->color = color;
	gateway->date_second = -1;
	abt_timer_init(&gateway->flush, on_flush);
	loop->gateway = gateway;
	return 0;
}

void
abt_gateway_detach(struct abt_loop *loop)
{
	struct abt_gateway_loop *gateway = loop->gateway;

	if (gateway == NULL)
		return;
	abt_timer_stop(&gateway->flush);
	flush(gateway);
	abt_free(gateway->lines);
	abt_free(gateway);
	loop->gateway = NULL;
}

/* ---- pieces of a line ---- */

/* |text| at |w|, of which there are four bytes for each; the end.  What is
 * longer than a line would be cut anyway. */
static char *
put_odd(char *w, struct abt_bytes text)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
			*w++ = (char)c;
			continue;
		}
		*w++ = '\\';
		*w++ = 'x';
		*w++ = hex[c >> 4];
		*w++ = hex[c & 15];
	}
	return w;
}

static size_t
cut(struct abt_bytes text)
{
	return text.n < LINE_MAX ? text.n : LINE_MAX;
}

/* Quotes, backslashes, control and non-ASCII bytes as \xNN. */
static inline char *
put_escaped(char *w, struct abt_bytes text)
{
	text.n = cut(text);
	return abt_bytes_plain(text) ? abt_put(w, text) : put_odd(w, text);
}

static char *
put_quoted(char *w, struct abt_bytes text)
{
	if (text.n == 0)
		return ABT_PUT(w, "\"-\"");
	*w++ = '"';
	w = put_escaped(w, text);
	*w++ = '"';
	return w;
}

/* Text of ours, or of what the head found to be plain. */
static inline char *
put_plain(char *w, struct abt_bytes text)
{
	text.n = cut(text);
	*w++ = '"';
	w = abt_put(w, text.n > 0 ? text : ABT_BYTES("-"));
	*w++ = '"';
	return w;
}

static inline char *
put_number(char *w, uint64_t value)
{
	return w + abt_format_number(w, value);
}

/* |us| as seconds in milliseconds, "1.234 ". */
static char *
put_seconds(char *w, int64_t us)
{
	uint64_t ms = (uint64_t)us / 1000;
	unsigned rest = (unsigned)(ms % 1000);

	if (us < 0)
		return ABT_PUT(w, "-1 ");
	if (ms < 1000)
		*w++ = '0';
	else
		w = put_number(w, ms / 1000);
	*w++ = '.';
	*w++ = (char)('0' + rest / 100);
	*w++ = (char)('0' + rest / 10 % 10);
	*w++ = (char)('0' + rest % 10);
	*w++ = ' ';
	return w;
}

/* ---- what both formats know ---- */

/* Request, target and response processing time in us; -1 where nothing was
 * dispatched (fields 6 to 8). */
struct times {
	int64_t request, target, response;
};

static struct times
times_of(const struct abt_call_state *state)
{
	const struct abt_exchange *x = state->x;
	const struct abt_invocation *inv = &state->inv;
	struct times times = { -1, -1, -1 };

	if (!state->invoked || inv->ended_us == 0)
		return times;
	times.request = inv->queued_us - x->begin_us;
	times.target = inv->ended_us - inv->queued_us;
	times.response = state->rule != NULL ? -1 : x->reply_us - inv->ended_us;
	if (state->pieces.open) /* its head went out as it came */
		times.response = 0;
	if (times.request < 0)
		times.request = 0;
	if (times.response < 0 && state->rule == NULL)
		times.response = 0;
	return times;
}

static int
status_of(const struct abt_call_state *state)
{
	return state->client_left || state->x->client_left
		   ? 460
		   : state->x->response.status;
}

/* Is there a request line to show? */
static bool
has_request(const struct abt_request *req)
{
	return req->method.n > 0 && req->path.n > 0;
}

/* "method scheme://host:port/uri version" of field 13, each piece through
 * |put|. */
static char *
put_request(char *w, const struct abt_call_state *state,
    char *(*text)(char *w, struct abt_bytes text))
{
	const struct abt_request *req = &state->x->request;
	bool whole = has_request(req);

	w = whole ? text(w, req->method) : ABT_PUT(w, "-");
	w = state->call.facts.tls ? ABT_PUT(w, " https://")
				  : ABT_PUT(w, " http://");
	w = text(w, abt_request_host(req));
	*w++ = ':';
	w = put_number(w, state->call.facts.listener_port);
	if (!whole)
		return ABT_PUT(w, "- -");
	w = text(w, req->path);
	if (req->query.p != NULL)
		*w++ = '?';
	w = text(w, req->query);
	w = ABT_PUT(w, " HTTP/1.1");
	w[-3] = (char)('0' + req->version / 10);
	w[-1] = (char)('0' + req->version % 10);
	return w;
}

static size_t
request_size(const struct abt_call_state *state)
{
	const struct abt_request *req = &state->x->request;

	return req->method.n + abt_request_host(req).n + req->path.n +
	       req->query.n + 64;
}

static char *
put_as_it_is(char *w, struct abt_bytes text)
{
	return abt_put(w, text);
}

static struct abt_bytes
request_text(const struct abt_call_state *state)
{
	char *text = abt_arena_alloc(&state->x->arena, request_size(state));

	if (text == NULL)
		return abt_bytes(NULL, 0);
	return abt_bytes(
	    text, (size_t)(put_request(text, state, put_as_it_is) - text));
}

static const char *
action_of(const struct abt_call_state *state)
{
	if (state->call.match.route == NULL)
		return "";
	switch (state->call.match.action) {
	case ABT_REDIRECT:
		return "redirect";
	case ABT_FIXED_RESPONSE:
		return "fixed-response";
	default:
		return state->event.n > 0 ? "forward" : "";
	}
}

static struct abt_bytes
redirect_of(const struct abt_call_state *state)
{
	const struct abt_field *location;

	if (state->call.match.route == NULL ||
	    state->call.match.action != ABT_REDIRECT)
		return abt_bytes(NULL, 0);
	location = abt_headers_named(
	    &state->x->response.headers, ABT_BYTES("location"));
	return location != NULL ? location->value : abt_bytes(NULL, 0);
}

static const char *
reason_of(const struct abt_call_state *state)
{
	const char *reason = NULL;

	if (state->rule != NULL &&
	    state->call.front->dialect->failure_reason != NULL)
		reason =
		    state->call.front->dialect->failure_reason(state->rule);
	return reason;
}

static struct abt_bytes
user_agent_of(const struct abt_call_state *state)
{
	const struct abt_field *agent =
	    abt_headers_last(&state->x->request.headers, ABT_FIELD_USER_AGENT);

	return agent != NULL ? agent->value : abt_bytes(NULL, 0);
}

/* ---- ALB's format ---- */

/* What a line takes at most. */
static size_t
alb_size(const struct abt_call_state *state)
{
	const struct abt_facts *facts = &state->call.facts;
	struct abt_bytes redirect = redirect_of(state);

	return 4 * (request_size(state) + cut(user_agent_of(state)) +
		       cut(state->call.trace_id) + cut(redirect) +
		       cut(facts->sni)) +
	       state->call.front->name.n + facts->peer_ip.n +
	       facts->tls_cipher.n + facts->tls_version.n +
	       state->call.match.target_group_arn.n + 1024;
}

static char *
put_alb_ends(char *w, const struct abt_call_state *state)
{
	const struct abt_facts *facts = &state->call.facts;
	bool v6 = abt_bytes_find(facts->peer_ip, ':') < facts->peer_ip.n;
	uint64_t id = htobe64(state->call.front->id);
	unsigned char bytes[sizeof(id)];

	w = facts->tls ? ABT_PUT(w, "https ") : ABT_PUT(w, "http ");
	abt_date_iso_us(w, state->replied_epoch_us);
	w = ABT_PUT(w + ABT_ISO_SIZE - 1, " app/");
	w = abt_put(w, state->call.front->name);
	*w++ = '/';
	memcpy(bytes, &id, sizeof(id));
	abt_id_hex(w, bytes, sizeof(bytes));
	w += 2 * sizeof(bytes);
	w = v6 ? ABT_PUT(w, " [") : ABT_PUT(w, " ");
	w = abt_put(w, facts->peer_ip);
	w = v6 ? ABT_PUT(w, "]:") : ABT_PUT(w, ":");
	w = put_number(w, facts->peer_port);
	return ABT_PUT(w, " - ");
}

static char *
put_alb_numbers(char *w, const struct abt_call_state *state)
{
	struct times times = times_of(state);
	const struct abt_exchange *x = state->x;
	int status = status_of(state);

	w = put_seconds(w, times.request);
	w = put_seconds(w, times.target);
	w = put_seconds(w, times.response);
	w = put_number(w, status > 0 ? (unsigned)status : 0);
	*w++ = ' ';
	if (state->target_status > 0)
		w = put_number(w, (unsigned)state->target_status);
	else
		*w++ = '-';
	*w++ = ' ';
	w = put_number(w, x->received);
	*w++ = ' ';
	w = put_number(w, x->sent);
	*w++ = ' ';
	return w;
}

/* Unquoted, and a blank. */
static char *
put_word(char *w, struct abt_bytes text)
{
	w = abt_put(w, text.n > 0 ? text : ABT_BYTES("-"));
	*w++ = ' ';
	return w;
}

/* Request, user agent, TLS, target group, trace, SNI (fields 13 to 20). */
static char *
put_alb_request(char *w, const struct abt_call_state *state)
{
	const struct abt_facts *facts = &state->call.facts;
	const struct abt_headers *headers = &state->x->request.headers;
	const struct abt_field *agent =
	    abt_headers_last(headers, ABT_FIELD_USER_AGENT);

	*w++ = '"';
	w = put_request(w, state, put_escaped);
	w = ABT_PUT(w, "\" ");
	if (agent != NULL && agent->plain)
		w = put_plain(w, agent->value);
	else
		w = put_quoted(w, user_agent_of(state));
	*w++ = ' ';
	w = put_word(w, facts->tls_cipher);
	w = put_word(w, facts->tls_version);
	w = put_word(w, state->call.match.target_group_arn);
	w = put_quoted(w, state->call.trace_id);
	*w++ = ' ';
	w = put_quoted(w, facts->sni);
	return ABT_PUT(w, " \"-\" ");
}

/* Rule priority, creation time, actions (fields 21 to 23). */
static char *
put_alb_rule(char *w, const struct abt_call_state *state)
{
	int priority = state->call.match.priority;

	if (state->call.match.route != NULL)
		w = put_number(w, priority > 0 ? (unsigned)priority : 0);
	else
		*w++ = '-';
	*w++ = ' ';
	abt_date_iso_us(w, state->call.facts.epoch_us);
	w += ABT_ISO_SIZE - 1;
	*w++ = ' ';
	w = put_plain(w, abt_bytes_text(action_of(state)));
	*w++ = ' ';
	w = put_quoted(w, redirect_of(state));
	*w++ = ' ';
	return put_plain(w, abt_bytes_text(reason_of(state)));
}

static char *
put_alb_class(char *w, const struct abt_call_state *state)
{
	const struct abt_rule *deviation = state->x->report.deviation;
	char id[49];

	w = ABT_PUT(w, " \"-\" \"-\" ");
	w = put_plain(
	    w, abt_bytes_text(
		   deviation != NULL ? abt_tier_name(deviation->tier) : NULL));
	*w++ = ' ';
	w = put_plain(
	    w, abt_bytes_text(deviation != NULL ? deviation->reason : NULL));
	abt_exchange_conn_id(state->x, id);
	w = ABT_PUT(w, " TID_");
	w = abt_put(w, abt_bytes(id, 32));
	return ABT_PUT(w, " \"-\" \"-\" \"-\"");
}

static char *
put_alb(char *w, const struct abt_call_state *state)
{
	w = put_alb_ends(w, state);
	w = put_alb_numbers(w, state);
	w = put_alb_request(w, state);
	w = put_alb_rule(w, state);
	return put_alb_class(w, state);
}

/* Straight into the loop's buffer, or, if it can be longer than that, through
 * one of its own. */
static void
add_alb_line(struct abt_gateway_loop *gateway, struct abt_call_state *state)
{
	size_t most = alb_size(state) + 1, n;
	struct abt_buf line;
	char *begin;

	if (most > LINES_SIZE) {
		abt_buf_init(&line, gateway->loop->pool, most);
		begin = abt_buf_room(&line, most);
		if (begin != NULL)
			add_line(gateway, begin,
			    (size_t)(put_alb(begin, state) - begin));
		abt_buf_end(&line);
		return;
	}
	if (gateway->lines_size + most > LINES_SIZE)
		flush(gateway);
	begin = gateway->lines + gateway->lines_size;
	n = (size_t)(put_alb(begin, state) - begin);
	end_line(gateway, n);
}

/* ---- JSON ---- */

/* A value that may not be UTF-8 is escaped first. */
static void
json_text(struct abt_json_out *out, const char *key, struct abt_bytes text,
    struct abt_arena *arena)
{
	char *escaped;

	if (abt_utf8_valid(text)) {
		abt_json_string(out, key, text);
		return;
	}
	escaped = abt_arena_alloc(arena, 4 * cut(text) + 1);
	if (escaped != NULL)
		abt_json_string(out, key,
		    abt_bytes(escaped,
			(size_t)(put_escaped(escaped, text) - escaped)));
}

static void
json_ms(struct abt_json_out *out, const char *key, int64_t us,
    struct abt_arena *arena)
{
	if (us >= 0)
		abt_json_raw(out, key,
		    abt_arena_printf(arena, "%lld.%03lld",
			(long long)(us / 1000), (long long)(us % 1000)));
}

static void
json_outcome(struct abt_json_out *out, const struct abt_call_state *state)
{
	const struct abt_rule *deviation = state->x->report.deviation;

	if (state->rule != NULL)
		abt_json_text(out, "rule", state->rule->name);
	if (reason_of(state) != NULL)
		abt_json_text(out, "error_reason", reason_of(state));
	if (deviation != NULL) {
		abt_json_text(
		    out, "classification", abt_tier_name(deviation->tier));
		abt_json_text(out, "classification_reason", deviation->reason);
	}
	if (state->invoked)
		abt_json_text(out, "request_id", state->call.facts.request_id);
	if (state->call.trace_id.n > 0)
		json_text(
		    out, "trace_id", state->call.trace_id, &state->x->arena);
}

static void
write_json(struct abt_buf *line, const struct abt_call_state *state)
{
	const struct abt_facts *facts = &state->call.facts;
	struct times times = times_of(state);
	struct abt_exchange *x = state->x;
	char time[ABT_ISO_SIZE];
	struct abt_json_out out;

	abt_date_iso_us(time, state->replied_epoch_us);
	abt_json_out_init(&out, line);
	abt_json_object(&out, NULL);
	abt_json_text(&out, "time", time);
	abt_json_string(&out, "front", state->call.front->name);
	abt_json_string(&out, "client", facts->peer_ip);
	abt_json_int(&out, "client_port", facts->peer_port);
	json_text(&out, "request", request_text(state), &x->arena);
	abt_json_int(&out, "status", status_of(state));
	if (state->target_status != 0)
		abt_json_int(&out, "target_status", state->target_status);
	json_ms(&out, "request_ms", times.request, &x->arena);
	json_ms(&out, "target_ms", times.target, &x->arena);
	json_ms(&out, "total_ms", x->reply_us - x->begin_us, &x->arena);
	abt_json_int(&out, "received", (int64_t)x->received);
	abt_json_int(&out, "sent", (int64_t)x->sent);
	json_text(&out, "user_agent", user_agent_of(state), &x->arena);
	if (state->call.match.route != NULL)
		abt_json_int(&out, "priority", state->call.match.priority);
	json_outcome(&out, state);
	abt_json_close(&out);
}

void
abt_access_log_line(struct abt_call_state *state)
{
	struct abt_gateway_loop *gateway = state->gateway;
	const struct abt_api *api = state->call.front->api;
	struct abt_buf line;

	if ((api == NULL || api->log_format.n == 0) &&
	    abt_access_log_format(gateway->log) != ABT_ACCESS_JSON) {
		add_alb_line(gateway, state);
		return;
	}
	/* room for the longest request line and user agent; the line itself is
	 * cut later */
	abt_buf_init(&line, gateway->loop->pool, 262144);
	abt_buf_room(&line, 1024);
	if (api != NULL && api->log_format.n > 0)
		abt_context_log_line(&line, state, api->log_format);
	else
		write_json(&line, state);
	if (!line.failed)
		add_line(gateway, line.p, line.n);
	abt_buf_end(&line);
}
