/*
 * h1_head.c - one request head in, slices out
 *
 * A pure parser: it notes each deviation by its rule and reads it in the one
 * way that the rule describes.  Two passes: the first cuts lines and fields,
 * the second runs only when a field was odd, because AWS names the first
 * reason in its own order (alb.md 4.1): raw parsing, then headers, then
 * framing, then the request line (req->odd, noted by framing.c).
 */
#include "http/h1_head.h"

#include "http/look_alike.h"
#include "http/target.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define EMPTY_LINES_MAX   2 /* before the request line (RFC 9112 2.2) */
#define METHOD_MAX_STRICT 32

/* ---- where the head ends ---- */

/* Length of an empty line at the front of |in|, or 0. */
static size_t
empty_line(struct abt_bytes in)
{
	if (in.n >= 1 && in.p[0] == '\n')
		return 1;
	if (in.n >= 2 && in.p[0] == '\r' && in.p[1] == '\n')
		return 2;
	return 0;
}

static size_t
skip_empty_lines(struct abt_bytes in)
{
	size_t at = 0, n, lines;

	for (lines = 0; lines < EMPTY_LINES_MAX; lines++) {
		n = empty_line(abt_bytes(in.p + at, in.n - at));
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

#if defined(__SSE2__)

#define BLOCK 16

static inline __m128i
load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline unsigned
equal(__m128i v, char c)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

/* The blank line among the whole blocks at |*at|: its end, or NULL with |*at|
 * where the last bytes begin. */
static const char *
blank_line(const char **at, const char *end)
{
	for (; end - *at >= BLOCK; *at += BLOCK) {
		unsigned ends = equal(load(*at), '\n');

		for (; ends != 0; ends &= ends - 1) {
			const char *next = *at + __builtin_ctz(ends) + 1;
			size_t n =
			    empty_line(abt_bytes(next, (size_t)(end - next)));

			if (n > 0)
				return next + n;
		}
	}
	return NULL;
}

#else

static const char *
blank_line(const char **at, const char *end)
{
	(void)at, (void)end;
	return NULL;
}

#endif

size_t
abt_h1_head_end(struct abt_bytes in, size_t seen)
{
	size_t start = skip_empty_lines(in), n;
	const char *at, *end = in.p + in.n, *found;

	n = empty_line(abt_bytes(in.p + start, in.n - start));
	if (n > 0)
		return start + n; /* one empty line too many: refused later */
	/* The last three bytes seen may be the beginning of the end. */
	seen = seen > 3 ? seen - 3 : 0;
	at = in.p + (seen > start ? seen : start);
	found = blank_line(&at, end);
	if (found != NULL)
		return (size_t)(found - in.p);
	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		n = empty_line(abt_bytes(at, (size_t)(end - at)));
		if (n > 0)
			return (size_t)(at - in.p) + n;
	}
	return 0;
}

int
abt_h1_head_partial(struct abt_bytes in, const struct abt_policy *policy,
    struct abt_report *report)
{
	size_t start = skip_empty_lines(in);
	struct abt_bytes rest = abt_bytes(in.p + start, in.n - start);
	const char *line_end = memchr(rest.p, '\n', rest.n), *last;

	if (line_end == NULL) {
		if (policy->line_max > 0 && rest.n > policy->line_max + 1)
			return abt_break(
			    report, ABT_RULE_H1_LINE_LONG, ABT_BYTES(""));
		return 0;
	}
	if (policy->line_max > 0 &&
	    (size_t)(line_end - rest.p) > policy->line_max + 1)
		return abt_break(report, ABT_RULE_H1_LINE_LONG, ABT_BYTES(""));
	rest.n -= (size_t)(line_end + 1 - rest.p);
	rest.p = line_end + 1;
	if (policy->head_max > 0 && rest.n > policy->head_max)
		return abt_break(report, ABT_RULE_H1_HEAD_LARGE, ABT_BYTES(""));
	last = rest.n > 0 ? memrchr(rest.p, '\n', rest.n) : NULL;
	last = last != NULL ? last + 1 : rest.p;
	if (policy->field_max > 0 &&
	    (size_t)(rest.p + rest.n - last) > policy->field_max + 1)
		return abt_break(report, ABT_RULE_H1_FIELD_LONG, ABT_BYTES(""));
	return 0;
}

/* ---- lines ---- */

/* Take the next line off |rest|, without its end; notes a bare LF. */
static struct abt_bytes
take_line(struct abt_bytes *rest, struct abt_report *report)
{
	const char *lf = memchr(rest->p, '\n', rest->n);
	size_t n = lf != NULL ? (size_t)(lf - rest->p) : rest->n;
	struct abt_bytes line = abt_bytes(rest->p, n);

	rest->p += lf != NULL ? n + 1 : n;
	rest->n -= lf != NULL ? n + 1 : n;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	else
		abt_deviate(report, ABT_RULE_H1_BARE_LF, ABT_BYTES(""));
	return line;
}

/* ---- the request line ---- */

/* "HTTP/1.<digit>" of any spelling AWS knows -> req->version and odd bits. */
static int
read_version(struct abt_bytes version, struct abt_request *req,
    struct abt_report *report)
{
	struct abt_bytes trimmed = abt_bytes_trim(version);
	bool one;

	if (trimmed.n == 0 || abt_bytes_equal(trimmed, ABT_BYTES("HTTP/0.9"))) {
		req->version = 9;
		req->odd |= ABT_ODD_VERSION;
		return 0;
	}
	if (trimmed.n >= 6 && memcmp(trimmed.p, "HTTP/", 5) == 0 &&
	    trimmed.p[5] >= '2' && trimmed.p[5] <= '9')
		return abt_break(report, ABT_RULE_H1_VERSION_MAJOR, trimmed);
	one = trimmed.n == 8 &&
	      abt_bytes_starts(trimmed, ABT_BYTES("HTTP/1.")) &&
	      abt_char_is(trimmed.p[7], ABT_CHAR_DIGIT);
	if (!one) {
		req->version = 11;
		req->odd |= ABT_ODD_VERSION_BAD;
		return 0;
	}
	req->version = trimmed.p[7] == '0' ? 10 : 11;
	if (trimmed.n != version.n || trimmed.p[7] > '1')
		req->odd |= ABT_ODD_VERSION;
	return 0;
}

/*
 * Cut |line| at its first and its last space, as AWS does: what stands between
 * is the target.  Trailing bytes that are no token characters belong to the
 * version.  The version is empty when there is no second space.
 */
static void
cut_request_line(struct abt_bytes line, struct abt_bytes *method,
    struct abt_bytes *target, struct abt_bytes *version)
{
	size_t space = abt_bytes_find(line, ' ');
	struct abt_bytes rest;
	size_t i;

	*method = abt_bytes(line.p, space);
	*target = *version = abt_bytes(line.p + line.n, 0);
	if (space == line.n)
		return;
	rest = abt_bytes(line.p + space + 1, line.n - space - 1);
	for (i = rest.n; i > 0 && !abt_char_is(rest.p[i - 1], ABT_CHAR_TOKEN);)
		i--;
	while (i > 0 && rest.p[i - 1] != ' ')
		i--;
	if (i == 0) { /* one piece only: target, or a version without target */
		if (abt_bytes_starts(rest, ABT_BYTES("HTTP/1.")))
			*version = rest;
		else
			*target = rest;
		return;
	}
	*target = abt_bytes(rest.p, i - 1);
	*version = abt_bytes(rest.p + i, rest.n - i);
}

/* Blanks around the target end it; blanks inside it become %20 (E3.7). */
static int
clean_target(
    struct abt_request *req, struct abt_arena *arena, struct abt_report *report)
{
	struct abt_bytes target = req->target;
	size_t spaces = 0, i, at = 0;
	char *out;

	if ((req->odd & ABT_ODD_TARGET_SPACE) == 0)
		return 0;
	while (target.n > 0 && target.p[0] == ' ') {
		target.p++;
		target.n--;
	}
	while (target.n > 0 && target.p[target.n - 1] == ' ')
		target.n--;
	for (i = 0; i < target.n; i++)
		spaces += target.p[i] == ' ';
	req->target = target;
	if (abt_bytes_search(target, ABT_BYTES(" HTTP")) < target.n)
		return abt_break(report, ABT_RULE_H1_TARGET_HTTP, target);
	if (spaces == 0)
		return 0;
	out = abt_arena_alloc(arena, target.n + 2 * spaces);
	if (out == NULL)
		return 0; /* the arena remembers */
	for (i = 0; i < target.n; i++) {
		if (target.p[i] == ' ') {
			memcpy(out + at, "%20", 3);
			at += 3;
		} else {
			out[at++] = target.p[i];
		}
	}
	req->target = abt_bytes(out, at);
	return 0;
}

static int
check_target_bytes(struct abt_request *req, struct abt_report *report)
{
	size_t i;

	for (i = 0; i < req->target.n; i++) {
		unsigned char c = (unsigned char)req->target.p[i];

		if (c > ' ' && c != 0x7f)
			continue;
		if (c == 0 || c == '\r') /* LF cannot be here */
			return abt_break(
			    report, ABT_RULE_H1_TARGET_NUL, ABT_BYTES(""));
		req->odd |=
		    c == ' ' ? ABT_ODD_TARGET_SPACE : ABT_ODD_TARGET_CONTROL;
	}
	return 0;
}

static int
check_method(struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report)
{
	size_t i;

	if (req->method.n == 0)
		return abt_break(
		    report, ABT_RULE_H1_REQUEST_LINE, ABT_BYTES(""));
	if (policy->strict_h1 && req->method.n > METHOD_MAX_STRICT)
		return abt_break(report, ABT_RULE_H1_METHOD_LONG, req->method);
	for (i = 0; i < req->method.n; i++) {
		char c = req->method.p[i];

		if ((c >= 'A' && c <= 'Z') || c == '-' || c == '_')
			continue;
		/* classified for the log, refused in every mode (E2.2) */
		if (!abt_char_is(c, ABT_CHAR_TOKEN))
			abt_deviate(
			    report, ABT_RULE_H1_METHOD_BAD, req->method);
		return abt_break(
		    report, ABT_RULE_H1_METHOD_UNKNOWN, req->method);
	}
	return 0;
}

static int
read_request_line(struct abt_bytes line, const struct abt_policy *policy,
    struct abt_arena *arena, struct abt_request *req, struct abt_report *report)
{
	struct abt_bytes version;

	req->line_size = line.n;
	if (policy->line_max > 0 && line.n > policy->line_max)
		return abt_break(report, ABT_RULE_H1_LINE_LONG, ABT_BYTES(""));
	cut_request_line(line, &req->method, &req->target, &version);
	if (check_method(req, policy, report) != 0 ||
	    read_version(version, req, report) != 0)
		return -1;
	if (check_target_bytes(req, report) != 0 ||
	    clean_target(req, arena, report) != 0)
		return -1;
	if (req->target.n == 0) {
		abt_deviate(report, ABT_RULE_H1_URI_MISSING, line);
		return abt_break(report, ABT_RULE_H1_URI_MISSING, line);
	}
	return abt_target_read(req, !policy->any_path, report);
}

/* ---- fields ---- */

/* What pass one saw in some field; pass two looks closer. */
#define SEEN_NAME_ODD  0x1
#define SEEN_VALUE_ODD 0x2
#define SEEN_LONG_NAME 0x4 /* may look like a framing header */

static int
check_bad_bytes(
    struct abt_bytes name, struct abt_bytes value, struct abt_report *report)
{
	if (memchr(name.p, '\0', name.n) != NULL ||
	    memchr(value.p, '\0', value.n) != NULL) {
		abt_deviate(report, ABT_RULE_H1_FIELD_NUL, name);
		return abt_break(report, ABT_RULE_H1_FIELD_NUL, name);
	}
	if (memchr(name.p, '\r', name.n) != NULL ||
	    memchr(value.p, '\r', value.n) != NULL) {
		abt_deviate(report, ABT_RULE_H1_FIELD_NUL, name);
		return abt_break(report, ABT_RULE_H1_VALUE_CR, name);
	}
	return 0;
}

/* A line that begins with a blank.  Behind Content-Type it continues the value
 * (joined with one space); elsewhere it is a field of its own (alb.md P10). */
static bool
continue_content_type(
    struct abt_bytes line, struct abt_request *req, struct abt_arena *arena)
{
	struct abt_field *last =
	    req->headers.count > 0
		? &req->headers.fields[req->headers.count - 1]
		: NULL;

	if (last == NULL || last->id != ABT_FIELD_CONTENT_TYPE)
		return false;
	line = abt_bytes_trim(line);
	last->value = abt_arena_printf(
	    arena, "%.*s %.*s", ABT_FMT(last->value), ABT_FMT(line));
	last->plain = false; /* what was added may need an escape */
	return true;
}

/* A field whose line is odd in some way; |colon| is where its name ends. */
static int
read_odd_field(struct abt_bytes line, size_t colon, struct abt_arena *arena,
    struct abt_request *req, unsigned *seen, struct abt_report *report)
{
	bool folded = line.p[0] == ' ' || line.p[0] == '\t';
	struct abt_bytes name, value;

	if (folded && memchr(line.p, '\0', line.n) == NULL &&
	    continue_content_type(line, req, arena)) {
		*seen |= SEEN_VALUE_ODD; /* look at the whole of it */
		return 0;
	}
	if (colon == line.n || line.p[colon] != ':' || colon == 0) {
		*seen |= SEEN_NAME_ODD;
		colon = abt_bytes_find(line, ':');
	}
	name = abt_bytes(line.p, colon);
	value = abt_bytes_trim(
	    colon < line.n ? abt_bytes(line.p + colon + 1, line.n - colon - 1)
			   : abt_bytes(line.p + line.n, 0));
	if (folded)
		abt_deviate(report, ABT_RULE_H1_FOLDED, name);
	else if (colon == line.n)
		abt_deviate(report, ABT_RULE_H1_COLON_MISSING, name);
	if (!abt_bytes_all(value, ABT_CHAR_FIELD))
		*seen |= SEEN_VALUE_ODD;
	if (abt_may_look_alike(name))
		*seen |= SEEN_LONG_NAME;
	if (check_bad_bytes(name, value, report) != 0)
		return -1;
	abt_headers_add(&req->headers, arena, name, value);
	return 0;
}

/* A field line that is like nearly all of them. */
struct plain_line {
	struct abt_bytes name, value;
	size_t n;   /* of the line, without its end */
	bool plain; /* neither quote nor backslash in the value */
};

#if defined(__SSE2__)

/* The bytes of |v| that are neither letter nor digit nor hyphen. */
static inline unsigned
not_of_names(__m128i v)
{
	__m128i letter, digit;

	letter = _mm_sub_epi8(
	    _mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	letter =
	    _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
	digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
	digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
	letter = _mm_or_si128(letter, digit);
	letter = _mm_or_si128(letter, _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
	return ~(unsigned)_mm_movemask_epi8(letter) & 0xffff;
}

/* Where the name at |p| ends, of at most two blocks; 0: look closer. */
static inline size_t
plain_name(const char *p, const char *end)
{
	size_t n;
	unsigned stop;

	for (n = 0; n < 2 * BLOCK && (size_t)(end - p) - n >= BLOCK;
	     n += BLOCK) {
		stop = not_of_names(load(p + n));
		if (stop != 0) {
			n += (size_t)__builtin_ctz(stop);
			return p[n] == ':' ? n : 0;
		}
	}
	return 0;
}

/* Where the printable ASCII at |p| ends, which is before |end|, or NULL.  There
 * is a block before |end|. */
static inline const char *
plain_value(const char *p, const char *end, bool *plain)
{
	for (;; p += BLOCK) {
		/* the last block overlaps what was seen already */
		int over = end - p < BLOCK ? (int)(BLOCK - (end - p)) : 0;
		__m128i v;
		unsigned stop, odd;

		if (p >= end)
			return NULL;
		v = load(p - over);
		/* signed: bytes over 0x7F are below the blank too */
		stop = (unsigned)_mm_movemask_epi8(
			   _mm_cmplt_epi8(v, _mm_set1_epi8(' '))) |
		       equal(v, 0x7f);
		odd = (equal(v, '"') | equal(v, '\\')) >> over;
		stop >>= over;
		if (stop != 0) {
			unsigned at = (unsigned)__builtin_ctz(stop);

			*plain &= (odd & ((1u << at) - 1)) == 0;
			return p + at;
		}
		*plain &= odd == 0;
	}
}

/*
 * Look at the line at the front of |rest| once, sixteen bytes at a time.
 * False: it is odd somehow, or short and last, and is read as any other.
 */
static bool
cut_plain_line(struct abt_bytes rest, struct plain_line *line)
{
	const char *end = rest.p + rest.n, *begin, *stop;
	size_t n;

	if (rest.n < BLOCK || (n = plain_name(rest.p, end)) == 0)
		return false;
	line->name = abt_bytes(rest.p, n);
	line->plain = true;
	begin = rest.p + n + 1;
	while (begin < end && *begin == ' ')
		begin++;
	stop = plain_value(begin, end, &line->plain);
	if (stop == NULL || end - stop < 2 || stop[0] != '\r' ||
	    stop[1] != '\n')
		return false;
	line->n = (size_t)(stop - rest.p);
	while (stop > begin && stop[-1] == ' ')
		stop--;
	line->value = abt_bytes(begin, (size_t)(stop - begin));
	return true;
}

#else

static bool
cut_plain_line(struct abt_bytes rest, struct plain_line *line)
{
	(void)rest, (void)line;
	return false;
}

#endif

static void
add_field(struct abt_bytes name, struct abt_bytes value, bool plain,
    struct abt_arena *arena, struct abt_request *req, unsigned *seen)
{
	struct abt_headers *headers = &req->headers;
	size_t before = headers->count;
	enum abt_field_id id = abt_field_find(name);

	if (id == ABT_FIELD_OTHER && name.n >= 14 && abt_may_look_alike(name))
		*seen |= SEEN_LONG_NAME;
	abt_headers_add_id(headers, arena, id, name, value);
	if (headers->count > before)
		headers->fields[before].plain = plain;
}

/* Most others: a token, a colon, printable ASCII. */
static int
read_field(struct abt_bytes line, struct abt_arena *arena,
    struct abt_request *req, unsigned *seen, struct abt_report *report)
{
	struct abt_bytes name = { line.p, 0 }, value;
	size_t begin, end = line.n;
	bool plain;

	while (name.n < line.n && abt_char_is(line.p[name.n], ABT_CHAR_TOKEN))
		name.n++;
	if (name.n == 0 || name.n == line.n || line.p[name.n] != ':')
		return read_odd_field(line, name.n, arena, req, seen, report);
	begin = name.n + 1;
	while (begin < end && (line.p[begin] == ' ' || line.p[begin] == '\t'))
		begin++;
	while (
	    end > begin && (line.p[end - 1] == ' ' || line.p[end - 1] == '\t'))
		end--;
	value = abt_bytes(line.p + begin, end - begin);
	plain = abt_bytes_plain(value);
	if (!plain && !abt_bytes_all(value, ABT_CHAR_FIELD))
		return read_odd_field(line, name.n, arena, req, seen, report);
	add_field(name, value, plain, arena, req, seen);
	return 0;
}

/* Pass two: the tiers of headers, in their order.  Drops fields without name.
 */
static void
classify_fields(
    struct abt_request *req, unsigned seen, struct abt_report *report)
{
	struct abt_headers *headers = &req->headers;
	bool odd = (seen & (SEEN_NAME_ODD | SEEN_VALUE_ODD)) != 0;
	size_t i, kept = 0;

	for (i = 0; i < headers->count; i++) {
		struct abt_field *field = &headers->fields[i];
		struct abt_bytes trimmed = abt_bytes_trim(field->name);

		if (odd && (!abt_bytes_all(field->name, ABT_CHAR_TOKEN) ||
			       !abt_bytes_all(field->value, ABT_CHAR_FIELD)))
			abt_deviate(
			    report, ABT_RULE_H1_FIELD_CHARS, field->name);
		if (trimmed.n == 0) {
			abt_deviate(
			    report, ABT_RULE_H1_FIELD_NAME_EMPTY, field->name);
			continue;
		}
		if (field->id != ABT_FIELD_TRANSFER_ENCODING &&
		    field->id != ABT_FIELD_CONTENT_LENGTH &&
		    (abt_looks_like(
			 field->name, ABT_BYTES("transfer-encoding")) ||
			abt_looks_like(
			    field->name, ABT_BYTES("content-length"))))
			abt_deviate(
			    report, ABT_RULE_H1_FIELD_SUSPICIOUS, field->name);
		headers->fields[kept++] = *field;
	}
	headers->count = kept;
}

static int
read_fields(struct abt_bytes rest, const struct abt_policy *policy,
    struct abt_arena *arena, struct abt_request *req, struct abt_report *report)
{
	unsigned seen = 0;
	size_t count = 0;

	for (;;) {
		struct plain_line plain = { .plain = false };
		bool is_plain = cut_plain_line(rest, &plain);
		struct abt_bytes line = { rest.p, plain.n };

		if (is_plain) {
			rest.p += plain.n + 2;
			rest.n -= plain.n + 2;
		} else {
			line = take_line(&rest, report);
		}
		if (line.n == 0)
			break;
		if (policy->field_max > 0 && line.n > policy->field_max)
			return abt_break(report, ABT_RULE_H1_FIELD_LONG,
			    abt_bytes(line.p, abt_bytes_find(line, ':')));
		if (policy->fields_max > 0 && ++count > policy->fields_max)
			return abt_break(
			    report, ABT_RULE_H1_FIELDS_MANY, ABT_BYTES(""));
		if (is_plain)
			add_field(plain.name, plain.value, plain.plain, arena,
			    req, &seen);
		else if (read_field(line, arena, req, &seen, report) != 0)
			return -1;
	}
	if (seen != 0)
		classify_fields(req, seen, report);
	return 0;
}

/* ---- Host ---- */

/* nginx's view of a host: no slash, no blank or control byte, no "..". */
static bool
host_is_valid(struct abt_bytes host)
{
	bool dot = false;
	size_t i;

	for (i = 0; i < host.n; i++) {
		unsigned char c = (unsigned char)host.p[i];

		if ((abt_chars[c] & (ABT_CHAR_ALPHA | ABT_CHAR_DIGIT)) != 0) {
			dot = false;
			continue;
		}
		if (c <= ' ' || c == 0x7f || c == '/' || (c == '.' && dot))
			return false;
		dot = c == '.';
	}
	return true;
}

static int
check_host(const struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report)
{
	const struct abt_field *host =
	    abt_headers_first(&req->headers, ABT_FIELD_HOST);

	if (host == NULL || host->value.n == 0) {
		if (req->version >= 11)
			return abt_break(report, ABT_RULE_H1_HOST_MISSING,
			    ABT_BYTES("host"));
		return 0;
	}
	if (!host_is_valid(host->value) || !host_is_valid(req->authority) ||
	    (policy->strict_h1 &&
		host != abt_headers_last(&req->headers, ABT_FIELD_HOST)))
		return abt_break(report, ABT_RULE_H1_HOST_BAD, host->value);
	return 0;
}

int
abt_h1_head_read(struct abt_bytes in, const struct abt_policy *policy,
    struct abt_arena *arena, struct abt_request *req, struct abt_report *report)
{
	size_t start = skip_empty_lines(in);
	struct abt_bytes rest = abt_bytes(in.p + start, in.n - start);
	struct abt_bytes line;

	memset(req, 0, sizeof(*req));
	req->version = 11;
	req->head_size = in.n;
	line = take_line(&rest, report);
	if (read_request_line(line, policy, arena, req, report) != 0)
		return -1;
	if (policy->head_max > 0 && rest.n > policy->head_max)
		return abt_break(report, ABT_RULE_H1_HEAD_LARGE, ABT_BYTES(""));
	if (read_fields(rest, policy, arena, req, report) != 0)
		return -1;
	return check_host(req, policy, report);
}
