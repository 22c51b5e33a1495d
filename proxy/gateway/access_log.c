/*
 * access_log.c - one line for a finished call
 *
 * In ALB's own format (alb.md 7.1, one function per group of fields) or as a
 * JSON object.  Each loop fills its own buffer and writes it when it is full or
 * a second old.  Values that a client chose are escaped; a line is cut at 8 KiB
 * (threats.md 8).
 */
#include "gateway/access_log.h"

#include <stdio.h>

#include "albatross/dialect.h"
#include "base/clock.h"
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

static void
add_line(struct abt_gateway_loop *gateway, const char *line, size_t n)
{
	if (n > LINE_MAX)
		n = LINE_MAX;
	if (gateway->lines_size + n + 1 > LINES_SIZE)
		flush(gateway);
	memcpy(gateway->lines + gateway->lines_size, line, n);
	gateway->lines_size += n;
	gateway->lines[gateway->lines_size++] = '\n';
	if (!abt_timer_is_set(&gateway->flush))
		abt_timer_set(gateway->loop, &gateway->flush, FLUSH_MS);
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

/* Eight bytes that need no escape: 0x20 to 0x7e, no quote, no backslash. */
static inline bool
plain8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t quote = v ^ '"' * ones, slash = v ^ '\\' * ones;
	uint64_t odd =
	    (v - ' ' * ones) | (v + ones) | (quote - ones) | (slash - ones) | v;

	/* a borrow from a neighbour can only make a plain byte look odd */
	return (odd & high) == 0;
}

/* |text| at |w|, of which there are four bytes for each; the end. */
static char *
put_escaped(char *w, struct abt_bytes text)
{
	static const char hex[] = "0123456789abcdef";
	const char *p = text.p, *end = text.p + text.n;

	while (p < end) {
		unsigned char c = (unsigned char)*p;
		uint64_t eight;

		if (end - p >= 8) {
			memcpy(&eight, p, 8);
			memcpy(w, &eight, 8);
			if (plain8(eight)) {
				p += 8;
				w += 8;
				continue;
			}
		}
		p++;
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

/* Quoted text: quotes, backslashes, control and non-ASCII bytes as \xNN.  What
 * is longer than a line would be cut anyway. */
static void
add_quoted(struct abt_buf *line, struct abt_bytes text)
{
	char *begin, *w;

	if (text.n == 0)
		text = ABT_BYTES("-");
	if (text.n > LINE_MAX)
		text.n = LINE_MAX;
	begin = w = abt_buf_room(line, 4 * text.n + 2);
	if (w == NULL)
		return;
	*w++ = '"';
	w = put_escaped(w, text);
	*w++ = '"';
	abt_buf_commit(line, (size_t)(w - begin));
}

/* 1234 as 1.234 */
static void
add_thousandths(struct abt_buf *line, uint64_t value)
{
	unsigned rest = (unsigned)(value % 1000);
	const char digits[4] = { '.', (char)('0' + rest / 100),
		(char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };

	abt_buf_number(line, value / 1000);
	abt_buf_add(line, abt_bytes(digits, sizeof(digits)));
}

static void
add_seconds(struct abt_buf *line, int64_t us)
{
	if (us < 0)
		abt_buf_text(line, "-1");
	else
		add_thousandths(line, (uint64_t)us / 1000);
}

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

static struct abt_bytes
scheme_of(const struct abt_call_state *state)
{
	return state->call.facts.tls ? ABT_BYTES("https") : ABT_BYTES("http");
}

static char *
put(char *w, struct abt_bytes b)
{
	if (b.n > 0)
		memcpy(w, b.p, b.n);
	return w + b.n;
}

/* scheme://host:port/uri of field 13. */
static struct abt_bytes
request_text(const struct abt_call_state *state)
{
	const struct abt_request *req = &state->x->request;
	const struct abt_facts *facts = &state->call.facts;
	struct abt_bytes host = abt_request_host(req);
	struct abt_bytes port, scheme = scheme_of(state);
	char digits[20], version[] = "HTTP/1.1", *text, *w;
	bool whole = req->method.n > 0 && req->path.n > 0;

	if (!whole)
		return abt_arena_printf(&state->x->arena, "- %.*s://%.*s:%u- -",
		    ABT_FMT(scheme), ABT_FMT(host), facts->listener_port);
	port =
	    abt_bytes(digits, abt_format_number(digits, facts->listener_port));
	version[5] = (char)('0' + req->version / 10);
	version[7] = (char)('0' + req->version % 10);
	w = text = abt_arena_alloc(&state->x->arena,
	    req->method.n + host.n + req->path.n + req->query.n + 64);
	if (text == NULL)
		return abt_bytes(NULL, 0);
	w = put(w, req->method);
	w = put(w, ABT_BYTES(" "));
	w = put(w, scheme);
	w = put(w, ABT_BYTES("://"));
	w = put(w, host);
	w = put(w, ABT_BYTES(":"));
	w = put(w, port);
	w = put(w, req->path);
	if (req->query.p != NULL)
		w = put(w, ABT_BYTES("?"));
	w = put(w, req->query);
	w = put(w, ABT_BYTES(" "));
	w = put(w, abt_bytes_text(version));
	return abt_bytes(text, (size_t)(w - text));
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

/* Sixteen digits. */
static void
add_hex(struct abt_buf *line, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";
	char hex[16];
	size_t i;

	for (i = 0; i < sizeof(hex); i++)
		hex[i] = digits[value >> (60 - 4 * i) & 15];
	abt_buf_add(line, abt_bytes(hex, sizeof(hex)));
}

/* A status or a priority; nothing of ours is below 0. */
static void
add_int(struct abt_buf *line, int value)
{
	abt_buf_number(line, value > 0 ? (unsigned)value : 0);
}

static void
add_alb_ends(struct abt_buf *line, const struct abt_call_state *state)
{
	const struct abt_facts *facts = &state->call.facts;
	bool v6 = abt_bytes_find(facts->peer_ip, ':') < facts->peer_ip.n;
	char time[ABT_ISO_SIZE];

	abt_date_iso_us(time, state->replied_epoch_us);
	abt_buf_add(line, scheme_of(state));
	abt_buf_char(line, ' ');
	abt_buf_text(line, time);
	abt_buf_add(line, ABT_BYTES(" app/"));
	abt_buf_add(line, state->call.front->name);
	abt_buf_char(line, '/');
	add_hex(line, state->call.front->id);
	abt_buf_add(line, v6 ? ABT_BYTES(" [") : ABT_BYTES(" "));
	abt_buf_add(line, facts->peer_ip);
	abt_buf_add(line, v6 ? ABT_BYTES("]:") : ABT_BYTES(":"));
	abt_buf_number(line, facts->peer_port);
	abt_buf_add(line, ABT_BYTES(" - "));
}

static void
add_alb_numbers(struct abt_buf *line, const struct abt_call_state *state)
{
	struct times times = times_of(state);
	const struct abt_exchange *x = state->x;

	add_seconds(line, times.request);
	abt_buf_char(line, ' ');
	add_seconds(line, times.target);
	abt_buf_char(line, ' ');
	add_seconds(line, times.response);
	abt_buf_char(line, ' ');
	add_int(line, status_of(state));
	abt_buf_char(line, ' ');
	if (state->target_status != 0)
		add_int(line, state->target_status);
	else
		abt_buf_char(line, '-');
	abt_buf_char(line, ' ');
	abt_buf_number(line, x->received);
	abt_buf_char(line, ' ');
	abt_buf_number(line, x->sent);
	abt_buf_char(line, ' ');
}

static void
add_text(struct abt_buf *line, struct abt_bytes text)
{
	if (text.n > 0)
		abt_buf_add(line, text);
	else
		abt_buf_char(line, '-');
	abt_buf_char(line, ' ');
}

/* Rule priority, creation time, actions (fields 21 to 23). */
static void
add_alb_rule(struct abt_buf *line, const struct abt_call_state *state)
{
	char created[ABT_ISO_SIZE];

	abt_date_iso_us(created, state->call.facts.epoch_us);
	if (state->call.match.route != NULL)
		add_int(line, state->call.match.priority);
	else
		abt_buf_char(line, '-');
	abt_buf_char(line, ' ');
	abt_buf_text(line, created);
	abt_buf_char(line, ' ');
	add_quoted(line, abt_bytes_text(action_of(state)));
	abt_buf_char(line, ' ');
	add_quoted(line, redirect_of(state));
	abt_buf_char(line, ' ');
	add_quoted(line, abt_bytes_text(reason_of(state)));
}

static void
add_alb_class(struct abt_buf *line, const struct abt_call_state *state)
{
	const struct abt_rule *deviation = state->x->report.deviation;
	char id[49];

	abt_buf_text(line, " \"-\" \"-\" ");
	add_quoted(line,
	    abt_bytes_text(
		deviation != NULL ? abt_tier_name(deviation->tier) : NULL));
	abt_buf_char(line, ' ');
	add_quoted(
	    line, abt_bytes_text(deviation != NULL ? deviation->reason : NULL));
	abt_exchange_conn_id(state->x, id);
	abt_buf_add(line, ABT_BYTES(" TID_"));
	abt_buf_add(line, abt_bytes(id, 32));
	abt_buf_add(line, ABT_BYTES(" \"-\" \"-\" \"-\""));
}

static void
write_alb(struct abt_buf *line, const struct abt_call_state *state)
{
	const struct abt_facts *facts = &state->call.facts;

	add_alb_ends(line, state);
	add_alb_numbers(line, state);
	add_quoted(line, request_text(state));
	abt_buf_char(line, ' ');
	add_quoted(line, user_agent_of(state));
	abt_buf_char(line, ' ');
	add_text(line, facts->tls_cipher);
	add_text(line, facts->tls_version);
	add_text(line, state->call.match.target_group_arn);
	add_quoted(line, state->call.trace_id);
	abt_buf_char(line, ' ');
	add_quoted(line, facts->sni);
	abt_buf_text(line, " \"-\" ");
	add_alb_rule(line, state);
	add_alb_class(line, state);
}

/* ---- JSON ---- */

/* A value that may not be UTF-8 is escaped first. */
static void
json_text(struct abt_json_out *out, const char *key, struct abt_bytes text,
    struct abt_arena *arena)
{
	struct abt_buf escaped;

	if (abt_utf8_valid(text)) {
		abt_json_string(out, key, text);
		return;
	}
	abt_buf_init(&escaped, arena->pool, LINE_MAX);
	add_quoted(&escaped, text);
	if (escaped.n >= 2)
		abt_json_string(
		    out, key, abt_bytes(escaped.p + 1, escaped.n - 2));
	abt_buf_end(&escaped);
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
	struct abt_buf line;

	/* room for the longest request line and user agent, four times
	 * escaped; the line itself is cut later */
	abt_buf_init(&line, gateway->loop->pool, 262144);
	abt_buf_room(&line, 1024);
	if (state->call.front->api != NULL &&
	    state->call.front->api->log_format.n > 0)
		abt_context_log_line(
		    &line, state, state->call.front->api->log_format);
	else if (abt_access_log_format(gateway->log) == ABT_ACCESS_JSON)
		write_json(&line, state);
	else
		write_alb(&line, state);
	if (!line.failed)
		add_line(gateway, line.p, line.n);
	abt_buf_end(&line);
}
