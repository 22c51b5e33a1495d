/*
 * framing.c - which body follows a head, and every way to be unclear about it
 *
 * Look-alikes of the framing headers take part in the classification, never in
 * the framing itself.  Where a deviation may run there is one reading, and the
 * connection ends after it: nothing behind it is ever read as a request.
 */
#include "http/framing.h"

#include "http/look_alike.h"

#define NAMES_CODING "transfer-encoding"
#define NAMES_LENGTH "content-length"

/* What the framing headers say, real ones and look-alikes. */
struct survey {
	size_t codings, lengths;
	bool real_coding, real_length;
	bool chunked;     /* a real Transfer-Encoding names it */
	bool unsupported; /* gzip and kin */
	bool unknown;     /* a coding nobody knows */
	bool has_length;  /* |length| of the first valid real Content-Length */
	uint64_t length;
	bool any_length; /* of a look-alike too */
	uint64_t first_length;
	bool severe, ambiguous;
};

static void
note(struct survey *s, struct abt_report *report, enum abt_rule_id rule,
    struct abt_bytes where)
{
	if (report != NULL)
		abt_deviate(report, rule, where);
	if (abt_rules[rule].tier == ABT_SEVERE)
		s->severe = true;
	else if (abt_rules[rule].tier == ABT_AMBIGUOUS)
		s->ambiguous = true;
}

static bool
is_coding(const struct abt_field *field)
{
	return field->id == ABT_FIELD_TRANSFER_ENCODING ||
	       (field->name.n >= sizeof(NAMES_CODING) - 1 &&
		   field->id == ABT_FIELD_OTHER &&
		   abt_may_look_alike(field->name) &&
		   abt_looks_like(field->name, ABT_BYTES(NAMES_CODING)));
}

static bool
is_length(const struct abt_field *field)
{
	return field->id == ABT_FIELD_CONTENT_LENGTH ||
	       (field->name.n >= sizeof(NAMES_LENGTH) - 1 &&
		   field->id == ABT_FIELD_OTHER &&
		   abt_may_look_alike(field->name) &&
		   abt_looks_like(field->name, ABT_BYTES(NAMES_LENGTH)));
}

static void
count_fields(const struct abt_request *req, struct survey *s)
{
	size_t i;

	for (i = 0; i < req->headers.count; i++) {
		const struct abt_field *field = &req->headers.fields[i];

		if (is_coding(field))
			s->codings++;
		else if (is_length(field))
			s->lengths++;
		else
			continue;
		if (field->id == ABT_FIELD_OTHER)
			s->ambiguous = true; /* a look-alike */
		s->real_coding |= field->id == ABT_FIELD_TRANSFER_ENCODING;
		s->real_length |= field->id == ABT_FIELD_CONTENT_LENGTH;
	}
}

/* ---- Transfer-Encoding ---- */

/* One list member: parameters cut, blanks trimmed. */
static void
survey_coding(struct survey *s, struct abt_bytes member, bool real,
    bool *last_chunked, struct abt_report *report)
{
	struct abt_bytes coding =
	    abt_bytes_trim(abt_bytes(member.p, abt_bytes_find(member, ';')));
	bool chunked = abt_bytes_equal_nocase(coding, ABT_BYTES("chunked"));

	if (chunked) {
		if (*last_chunked)
			note(s, report, ABT_RULE_H1_CHUNKED_TWICE, member);
		s->chunked |= real;
	} else if (abt_bytes_equal_nocase(coding, ABT_BYTES("gzip")) ||
		   abt_bytes_equal_nocase(coding, ABT_BYTES("deflate")) ||
		   abt_bytes_equal_nocase(coding, ABT_BYTES("compress"))) {
		s->unsupported |= real;
	} else if (!abt_bytes_equal_nocase(coding, ABT_BYTES("identity"))) {
		s->unknown |= real;
		note(s, report, ABT_RULE_H1_CODING_BAD, member);
	}
	*last_chunked = chunked;
}

static void
survey_codings(
    struct survey *s, const struct abt_request *req, struct abt_report *report)
{
	bool last_chunked = false;
	size_t i;

	for (i = 0; i < req->headers.count; i++) {
		const struct abt_field *field = &req->headers.fields[i];
		struct abt_bytes rest = field->value, member;

		if (!is_coding(field))
			continue;
		if (rest.n == 0)
			rest = ABT_BYTES("");
		while (abt_bytes_next(&rest, ',', &member))
			survey_coding(s, member,
			    field->id == ABT_FIELD_TRANSFER_ENCODING,
			    &last_chunked, report);
	}
}

/* ---- Content-Length ---- */

static bool
read_length(struct abt_bytes value, uint64_t *length)
{
	if (value.n == 0) { /* counts as 0 (alb.md 4.1) */
		*length = 0;
		return true;
	}
	return abt_bytes_number(value, 10, UINT64_MAX, length);
}

static void
survey_lengths(
    struct survey *s, const struct abt_request *req, struct abt_report *report)
{
	size_t i;

	for (i = 0; i < req->headers.count; i++) {
		const struct abt_field *field = &req->headers.fields[i];
		uint64_t length;

		if (!is_length(field))
			continue;
		if (!read_length(field->value, &length)) {
			note(s, report, ABT_RULE_H1_LENGTH_BAD, field->value);
			continue;
		}
		if (field->id == ABT_FIELD_CONTENT_LENGTH && !s->has_length) {
			s->has_length = true;
			s->length = length;
		}
		if (!s->any_length) {
			s->any_length = true;
			s->first_length = length;
		} else if (length != s->first_length) {
			note(s, report, ABT_RULE_H1_LENGTH_DIFFERS,
			    field->value);
		} else {
			note(s, report, ABT_RULE_H1_LENGTH_TWICE, field->value);
		}
	}
}

static bool
is_get_or_head(const struct abt_request *req)
{
	return abt_bytes_equal(req->method, ABT_BYTES("GET")) ||
	       abt_bytes_equal(req->method, ABT_BYTES("HEAD"));
}

/* The checks in AWS's order, so that the first of a tier names the reason. */
static void
classify(
    struct survey *s, const struct abt_request *req, struct abt_report *report)
{
	struct survey ignored = *s;

	if (req->version <= 10 && s->codings > 0) {
		note(s, report, ABT_RULE_H1_CODING_UNDEFINED, ABT_BYTES(""));
	} else if (req->version < 10 && s->lengths > 0) {
		note(s, report, ABT_RULE_H1_LENGTH_UNDEFINED, ABT_BYTES(""));
	} else {
		survey_codings(s, req, report);
		survey_lengths(s, req, report);
		if (is_get_or_head(req) && s->codings > 0)
			note(s, report, ABT_RULE_H1_CODING_UNDEFINED,
			    ABT_BYTES(""));
		if (is_get_or_head(req) && s->any_length)
			note(s, report,
			    s->first_length == 0 ? ABT_RULE_H1_LENGTH_ZERO_GET
						 : ABT_RULE_H1_LENGTH_UNDEFINED,
			    ABT_BYTES(""));
		if (s->codings > 0 && s->any_length)
			note(s, report, ABT_RULE_H1_LENGTH_AND_CODING,
			    ABT_BYTES(""));
		return;
	}
	/* AWS looks no further, but the body must still be read one way. */
	survey_codings(&ignored, req, NULL);
	survey_lengths(&ignored, req, NULL);
	ignored.ambiguous = true;
	*s = ignored;
}

static void
note_request_line(const struct abt_request *req, struct abt_report *report)
{
	if (req->odd & ABT_ODD_VERSION)
		abt_deviate(report, ABT_RULE_H1_VERSION_ODD, ABT_BYTES(""));
	if (req->odd & ABT_ODD_VERSION_BAD)
		abt_deviate(report, ABT_RULE_H1_VERSION_BAD, ABT_BYTES(""));
	if (req->odd & ABT_ODD_TARGET_SPACE)
		abt_deviate(report, ABT_RULE_H1_TARGET_SPACE, req->target);
	if (req->odd & ABT_ODD_TARGET_CONTROL)
		abt_deviate(report, ABT_RULE_H1_TARGET_CONTROL, req->target);
}

/* ---- the reading ---- */

static void
choose(struct abt_request *req, const struct survey *s)
{
	/* Broken framing that runs in monitor mode: the first valid length. */
	if (s->chunked && !(s->severe && s->has_length)) {
		req->framing = ABT_BODY_CHUNKED;
		if (s->real_length) /* Transfer-Encoding governs (RFC 9112) */
			abt_headers_drop(
			    &req->headers, ABT_FIELD_CONTENT_LENGTH);
	} else if (s->has_length && s->length > 0) {
		req->framing = ABT_BODY_LENGTH;
		req->length = s->length;
	} else {
		req->framing = ABT_BODY_NONE;
	}
}

/* Does a Connection line name |option|? */
static bool
connection_has(const struct abt_request *req, struct abt_bytes option)
{
	size_t i;

	for (i = 0; i < req->headers.count; i++) {
		struct abt_bytes rest = req->headers.fields[i].value, member;

		if (req->headers.fields[i].id != ABT_FIELD_CONNECTION ||
		    rest.n < option.n)
			continue;
		while (abt_bytes_next(&rest, ',', &member))
			if (abt_bytes_equal_nocase(
				abt_bytes_trim(member), option))
				return true;
	}
	return false;
}

static int
read_expect(struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report)
{
	const struct abt_field *expect =
	    abt_headers_first(&req->headers, ABT_FIELD_EXPECT);

	if (expect == NULL || req->version < 11)
		return 0; /* an HTTP/1.0 client is sent no 1xx */
	req->expects_continue =
	    abt_bytes_equal_nocase(expect->value, ABT_BYTES("100-continue"));
	/* ALB has no 417: on a front other expectations mean nothing. */
	if (!req->expects_continue && policy->strict_h1)
		return abt_break(
		    report, ABT_RULE_H1_EXPECTATION, expect->value);
	return 0;
}

int
abt_framing_decide(struct abt_request *req, const struct abt_policy *policy,
    struct abt_report *report)
{
	struct survey s = { 0 };
	bool refused;

	req->keep_alive =
	    req->version >= 11
		? !connection_has(req, ABT_BYTES("close"))
		: req->version == 10 &&
		      connection_has(req, ABT_BYTES("keep-alive"));
	count_fields(req, &s);
	if (s.codings > 0 || s.lengths > 0)
		classify(&s, req, report);
	if (req->odd != 0)
		note_request_line(req, report);
	if (s.severe || s.ambiguous)
		req->keep_alive = false;
	choose(req, &s);
	/* A class that is refused anyway keeps its own answer, 400. */
	refused = abt_report_tier(report) == ABT_SEVERE &&
		  policy->mode != ABT_MONITOR;
	if ((s.unsupported || s.unknown) && !refused)
		return abt_break(report, ABT_RULE_H1_CODING_UNSUPPORTED,
		    ABT_BYTES(NAMES_CODING));
	return read_expect(req, policy, report);
}
