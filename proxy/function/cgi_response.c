/*
 * cgi_response.c - what a CGI program's output begins with
 *
 * Lines end in LF or CR LF, mixed as programs write them; the first empty line
 * ends the head.  A status line of HTTP in front (NPH programs) is read like a
 * Status.  What would change the framing of our response is the server's and is
 * dropped or refused: a program cannot split a response in two.
 */
#include "function/cgi.h"

struct head {
	struct abt_arena *arena;
	struct abt_response *response;
	struct abt_report *report;
	struct abt_bytes location, type;
	size_t lines;
	bool has_status;
};

size_t
abt_cgi_head_end(struct abt_bytes data, size_t seen)
{
	size_t at = seen > 2 ? seen - 2 : 0;

	if (data.n > 0 && data.p[0] == '\n')
		return 1;
	if (data.n > 1 && data.p[0] == '\r' && data.p[1] == '\n')
		return 2;
	while (at < data.n) {
		const char *lf = memchr(data.p + at, '\n', data.n - at);

		if (lf == NULL)
			return 0;
		at = (size_t)(lf - data.p) + 1;
		if (at < data.n && data.p[at] == '\n')
			return at + 1;
		if (at + 1 < data.n && data.p[at] == '\r' &&
		    data.p[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

/* ---- status ---- */

/* "404 Not Found", "404". */
static int
read_status(struct head *head, struct abt_bytes text)
{
	uint64_t status = 0;

	if (text.n < 3 || (text.n > 3 && text.p[3] != ' ') ||
	    !abt_bytes_number(abt_bytes(text.p, 3), 10, 999, &status) ||
	    status < 200) /* an interim response is none */
		return abt_break(
		    head->report, ABT_RULE_CGI_STATUS, ABT_BYTES("Status"));
	head->response->status = (int)status;
	head->response->reason =
	    abt_bytes_trim(abt_bytes(text.p + 3, text.n - 3));
	if (head->response->reason.n == 0)
		head->response->reason.p = NULL; /* the standard one */
	head->has_status = true;
	return 0;
}

/* "HTTP/1.1 200 OK" (R10.38, R10.39). */
static int
read_status_line(struct head *head, struct abt_bytes line)
{
	size_t blank = abt_bytes_find(line, ' ');

	while (blank < line.n && line.p[blank] == ' ')
		blank++;
	return read_status(head, abt_bytes(line.p + blank, line.n - blank));
}

/* ---- fields ---- */

static int
read_length(struct head *head, struct abt_bytes value)
{
	struct abt_response *response = head->response;
	uint64_t length;

	if (!abt_bytes_number(value, 10, INT64_MAX, &length) ||
	    (response->has_length && response->length != length))
		return abt_break(head->report, ABT_RULE_CGI_LENGTH,
		    ABT_BYTES("Content-Length"));
	response->has_length = true;
	response->length = length;
	return 0;
}

/* A field whose last line counts. */
static void
replace(struct head *head, enum abt_field_id id, struct abt_bytes name,
    struct abt_bytes value)
{
	if (id == ABT_FIELD_CONTENT_TYPE)
		abt_headers_drop(&head->response->headers, id);
	else
		abt_headers_drop_named(&head->response->headers, name);
	abt_headers_add_id(
	    &head->response->headers, head->arena, id, name, value);
}

static int
read_other(struct head *head, struct abt_bytes name, struct abt_bytes value)
{
	if (abt_bytes_equal_nocase(name, ABT_BYTES("status")))
		return read_status(head, value);
	if (abt_bytes_equal_nocase(name, ABT_BYTES("location"))) {
		head->location = value;
		replace(head, ABT_FIELD_OTHER, name, value);
		return 0;
	}
	abt_headers_add_id(&head->response->headers, head->arena,
	    ABT_FIELD_OTHER, name, value);
	return 0;
}

static int
read_field(struct head *head, struct abt_bytes name, struct abt_bytes value)
{
	enum abt_field_id id = abt_field_find(name);

	if (value.n == 0) /* R10.46: not sent */
		return 0;
	switch (id) {
	case ABT_FIELD_CONTENT_LENGTH:
		return read_length(head, value);
	case ABT_FIELD_TRANSFER_ENCODING:
		return abt_break(head->report, ABT_RULE_CGI_CODING, name);
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_PROXY_CONNECTION:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_UPGRADE:
		return 0; /* R10.36 */
	case ABT_FIELD_CONTENT_TYPE:
		replace(head, id, name, value);
		return 0;
	case ABT_FIELD_OTHER:
		return read_other(head, name, value);
	default:
		abt_headers_add_id(
		    &head->response->headers, head->arena, id, name, value);
		return 0;
	}
}

static int
read_line(struct head *head, struct abt_bytes line)
{
	size_t colon = abt_bytes_find(line, ':');
	struct abt_bytes name = abt_bytes(line.p, colon);

	if (++head->lines > ABT_CGI_FIELDS_MAX)
		return abt_break(
		    head->report, ABT_RULE_CGI_HEAD_LARGE, ABT_BYTES(""));
	/* HTAB, SP, what is visible and what is not ASCII: never CR or NUL */
	if (!abt_bytes_all(line, ABT_CHAR_FIELD))
		return abt_break(
		    head->report, ABT_RULE_CGI_HEAD_CHARS, ABT_BYTES(""));
	if (head->lines == 1 && abt_bytes_starts(line, ABT_BYTES("HTTP/")))
		return read_status_line(head, line);
	if (colon == line.n || colon == 0 ||
	    !abt_bytes_all(name, ABT_CHAR_TOKEN))
		return abt_break(
		    head->report, ABT_RULE_CGI_HEAD_LINE, ABT_BYTES(""));
	return read_field(head, name,
	    abt_bytes_trim(abt_bytes(line.p + colon + 1, line.n - colon - 1)));
}

/* ---- the whole ---- */

/* "/path", but not "//host/path", which is another server's, nor "/path#part",
 * which only a client can find (RFC 3875 6.2.2 has no fragment). */
static bool
is_local(struct abt_bytes location)
{
	return location.n > 0 && location.p[0] == '/' &&
	       (location.n == 1 || location.p[1] != '/') &&
	       memchr(location.p, '#', location.n) == NULL;
}

int
abt_cgi_head_read(struct abt_bytes text, struct abt_arena *arena,
    struct abt_response *response, bool *local, struct abt_report *report)
{
	struct head head = {
		.arena = arena,
		.response = response,
		.report = report,
	};
	struct abt_bytes line;

	memset(response, 0, sizeof(*response));
	*local = false;
	if (text.n > ABT_CGI_HEAD_MAX)
		return abt_break(
		    report, ABT_RULE_CGI_HEAD_LARGE, ABT_BYTES(""));
	while (abt_bytes_next(&text, '\n', &line)) {
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			break;
		if (read_line(&head, line) != 0)
			return -1;
	}
	if (head.lines == 0)
		return abt_break(
		    report, ABT_RULE_CGI_HEAD_EMPTY, ABT_BYTES(""));
	if (!head.has_status)
		response->status = head.location.n > 0 ? 302 : 200;
	*local = !head.has_status && is_local(head.location);
	if (response->status == 204 || response->status == 304) {
		response->no_content_length = true;
		response->has_length = false;
	}
	return 0;
}
