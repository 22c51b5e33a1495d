/*
 * h1_response.c - one response head in, slices out
 *
 * A pure parser (RFC 9112 4 to 6.3).  Lines end with CR LF, names are tokens,
 * values hold no control bytes, nothing is folded; a body has one length told
 * in one way.
 */
#include "http/h1_response.h"

#define DIGITS_MAX 18 /* of a length: no overflow */

/* ---- where it ends ---- */

size_t
abt_h1_response_end(struct abt_bytes in, size_t seen)
{
	size_t from = seen > 3 ? seen - 3 : 0;
	const char *end;

	if (in.n < from + 4)
		return 0;
	end = memmem(in.p + from, in.n - from, "\r\n\r\n", 4);
	return end != NULL ? (size_t)(end - in.p) + 4 : 0;
}

/* Take the next line off |rest|, without CR LF.  False: it has none, or a bare
 * CR or LF. */
static bool
take_line(struct abt_bytes *rest, struct abt_bytes *line)
{
	const char *lf = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = lf != NULL ? (size_t)(lf - rest->p) : 0;

	if (n == 0 || rest->p[n - 1] != '\r')
		return false;
	*line = abt_bytes(rest->p, n - 1);
	rest->p += n + 1;
	rest->n -= n + 1;
	return memchr(line->p, '\r', line->n) == NULL;
}

/* ---- the status line ---- */

static const char *
read_status_line(struct abt_bytes line, struct abt_response_head *head)
{
	uint64_t status;

	if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 ||
	    !abt_char_is(line.p[7], ABT_CHAR_DIGIT) || line.p[8] != ' ')
		return "speaks no HTTP/1.1";
	head->version = line.p[7] == '0' ? 10 : 11;
	if (!abt_bytes_number(abt_bytes(line.p + 9, 3), 10, 599, &status) ||
	    status < 100 || (line.n > 12 && line.p[12] != ' '))
		return "sent a status that is no number from 100 to 599";
	head->status = (int)status;
	if (line.n > 13)
		head->reason = abt_bytes(line.p + 13, line.n - 13);
	if (!abt_bytes_all(head->reason, ABT_CHAR_FIELD))
		return "sent control bytes in its status line";
	return NULL;
}

/* ---- fields ---- */

static const char *
read_field(struct abt_bytes line, struct abt_arena *arena,
    struct abt_response_head *head)
{
	size_t colon = abt_bytes_span(line, ABT_CHAR_TOKEN);
	struct abt_bytes value;

	if (colon == 0 || colon == line.n || line.p[colon] != ':')
		return "sent a header without a proper name";
	value =
	    abt_bytes_trim(abt_bytes(line.p + colon + 1, line.n - colon - 1));
	if (!abt_bytes_all(value, ABT_CHAR_FIELD))
		return "sent control bytes in a header";
	abt_headers_add(&head->headers, arena, abt_bytes(line.p, colon), value);
	return NULL;
}

/* ---- framing ---- */

/* Equal lengths may be repeated, in one line or in many (RFC 9112 6.3). */
static const char *
read_length(struct abt_bytes value, struct abt_response_head *head)
{
	struct abt_bytes member;
	uint64_t length;

	if (value.n == 0)
		return "sent an empty Content-Length";
	while (abt_bytes_next(&value, ',', &member)) {
		member = abt_bytes_trim(member);
		if (member.n > DIGITS_MAX ||
		    !abt_bytes_number(member, 10, INT64_MAX, &length))
			return "sent a Content-Length that is no number";
		if (head->has_length && head->length != length)
			return "sent two different Content-Lengths";
		head->has_length = true;
		head->length = length;
	}
	return NULL;
}

static void
read_connection(struct abt_bytes value, struct abt_response_head *head)
{
	struct abt_bytes member;

	while (abt_bytes_next(&value, ',', &member)) {
		member = abt_bytes_trim(member);
		if (abt_bytes_equal_nocase(member, ABT_BYTES("close")))
			head->keep_alive = false;
		else if (head->version == 10 && abt_bytes_equal_nocase(member,
						    ABT_BYTES("keep-alive")))
			head->keep_alive = true;
	}
}

static void
read_keep_alive(struct abt_bytes value, struct abt_response_head *head)
{
	struct abt_bytes member;
	uint64_t seconds;

	while (abt_bytes_next(&value, ',', &member)) {
		member = abt_bytes_trim(member);
		if (abt_bytes_starts_nocase(member, ABT_BYTES("timeout=")) &&
		    abt_bytes_number(abt_bytes(member.p + 8, member.n - 8), 10,
			INT32_MAX, &seconds))
			head->keep_seconds = (int)seconds;
	}
}

static const char *
decide(struct abt_response_head *head, bool to_head)
{
	const char *wrong = NULL;
	bool coded = false, closes = false;
	size_t i;

	head->keep_alive = head->version == 11;
	for (i = 0; i < head->headers.count && wrong == NULL; i++) {
		const struct abt_field *field = &head->headers.fields[i];

		if (field->id == ABT_FIELD_CONTENT_LENGTH)
			wrong = read_length(field->value, head);
		else if (field->id == ABT_FIELD_CONNECTION)
			read_connection(field->value, head);
		else if (field->id == ABT_FIELD_KEEP_ALIVE)
			read_keep_alive(field->value, head);
		if (field->id != ABT_FIELD_TRANSFER_ENCODING)
			continue;
		if (coded ||
		    !abt_bytes_equal_nocase(field->value, ABT_BYTES("chunked")))
			return "sent a Transfer-Encoding besides chunked";
		coded = true;
	}
	if (wrong != NULL)
		return wrong;
	if (coded && (head->has_length || head->version == 10))
		return "told the length of its body in two ways";
	if (to_head || head->status < 200 || head->status == 204 ||
	    head->status == 304)
		head->framing = ABT_RESPONSE_NO_BODY;
	else if (coded)
		head->framing = ABT_RESPONSE_CHUNKED;
	else if (head->has_length)
		head->framing = ABT_RESPONSE_LENGTH;
	else
		closes = true;
	if (closes) {
		head->framing = ABT_RESPONSE_TO_END;
		head->keep_alive = false;
	}
	return NULL;
}

const char *
abt_h1_response_read(struct abt_bytes in, bool to_head, struct abt_arena *arena,
    struct abt_response_head *head)
{
	struct abt_bytes rest = in, line;
	const char *wrong;

	memset(head, 0, sizeof(*head));
	head->keep_seconds = -1;
	if (!take_line(&rest, &line))
		return "speaks no HTTP/1.1";
	wrong = read_status_line(line, head);
	while (wrong == NULL) {
		if (!take_line(&rest, &line))
			return "sent a header with a bare CR or LF";
		if (line.n == 0)
			break;
		wrong = read_field(line, arena, head);
	}
	if (wrong == NULL && abt_arena_failed(arena))
		return "sent more headers than there is memory for";
	return wrong != NULL ? wrong : decide(head, to_head);
}
