/*
 * h1_write.c - a response head as HTTP/1.1 bytes
 *
 * The size is known before the first byte is written, so the buffer is asked
 * for room once.
 */
#include "http/h1_write.h"

#define LINE_EXTRA 4 /* ": " and CR LF */

static size_t
fields_size(const struct abt_headers *headers)
{
	size_t i, n = 0;

	for (i = 0; i < headers->count; i++)
		n += headers->fields[i].name.n + headers->fields[i].value.n +
		     LINE_EXTRA;
	return n;
}

static char *
put(char *at, struct abt_bytes b)
{
	if (b.n > 0)
		memcpy(at, b.p, b.n);
	return at + b.n;
}

static char *
put_fields(char *at, const struct abt_headers *headers)
{
	size_t i;

	for (i = 0; i < headers->count; i++) {
		at = put(at, headers->fields[i].name);
		*at++ = ':';
		*at++ = ' ';
		at = put(at, headers->fields[i].value);
		*at++ = '\r';
		*at++ = '\n';
	}
	return at;
}

static char *
put_status_line(char *at, const struct abt_response *res)
{
	int status = res->status;

	at = put(at, ABT_BYTES("HTTP/1.1 "));
	*at++ = (char)('0' + status / 100 % 10);
	*at++ = (char)('0' + status / 10 % 10);
	*at++ = (char)('0' + status % 10);
	*at++ = ' ';
	at = put(at, res->reason);
	return put(at, ABT_BYTES("\r\n"));
}

void
abt_h1_write_head(
    struct abt_buf *out, const struct abt_response *res, const char *connection)
{
	struct abt_bytes how = abt_bytes_text(connection);
	struct abt_response copy = *res;
	char *start, *at;

	if (copy.reason.p == NULL)
		copy.reason = abt_bytes_text(abt_status_phrase(res->status));
	start = abt_buf_room(out, copy.reason.n + fields_size(&res->ours) +
				      fields_size(&res->headers) + how.n + 128);
	if (start == NULL)
		return;
	at = put_status_line(start, &copy);
	at = put_fields(at, &res->ours);
	if (!res->no_content_length) {
		at = put(at, ABT_BYTES("Content-Length: "));
		at += abt_format_number(
		    at, res->has_length ? res->length : res->body.n);
		at = put(at, ABT_BYTES("\r\n"));
	}
	if (how.n > 0) {
		at = put(at, ABT_BYTES("Connection: "));
		at = put(at, how);
		at = put(at, ABT_BYTES("\r\n"));
	}
	at = put_fields(at, &res->headers);
	at = put(at, ABT_BYTES("\r\n"));
	abt_buf_commit(out, (size_t)(at - start));
}
