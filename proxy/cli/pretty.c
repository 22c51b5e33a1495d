/*
 * pretty.c - JSON for reading
 *
 * Works on the text of one valid value: only strings need care, everything else
 * is structure.  Tokens are copied as they are written.
 */
#include "cli/pretty.h"

static void
newline(struct abt_buf *out, unsigned depth)
{
	abt_buf_char(out, '\n');
	while (depth-- > 0)
		abt_buf_text(out, "  ");
}

/* Length of the string that begins at |json|, both quotes counted. */
static size_t
string_length(struct abt_bytes json)
{
	size_t i = 1;

	while (i < json.n && json.p[i] != '"')
		i += json.p[i] == '\\' ? 2 : 1;
	return i + 1 < json.n ? i + 1 : json.n;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t
skip_blanks(struct abt_bytes json, size_t i)
{
	while (i < json.n && is_blank(json.p[i]))
		i++;
	return i;
}

/* One byte of structure or of a bare word; returns the index behind it. */
static size_t
write_byte(
    struct abt_buf *out, struct abt_bytes json, size_t i, unsigned *depth)
{
	char c = json.p[i];
	size_t next = skip_blanks(json, i + 1);

	switch (c) {
	case '{':
	case '[':
		abt_buf_char(out, c);
		if (next < json.n && json.p[next] == c + 2) { /* its end */
			abt_buf_char(out, json.p[next]);
			return next + 1;
		}
		newline(out, ++*depth);
		return next;
	case '}':
	case ']':
		newline(out, *depth > 0 ? --*depth : 0);
		abt_buf_char(out, c);
		return next;
	case ',':
		abt_buf_char(out, c);
		newline(out, *depth);
		return next;
	case ':':
		abt_buf_text(out, ": ");
		return next;
	default:
		if (!is_blank(c))
			abt_buf_char(out, c);
		return i + 1;
	}
}

void
abt_json_pretty(struct abt_buf *out, struct abt_bytes json)
{
	unsigned depth = 0;
	size_t i = 0;

	while (i < json.n) {
		if (json.p[i] == '"') {
			size_t n =
			    string_length(abt_bytes(json.p + i, json.n - i));

			abt_buf_add(out, abt_bytes(json.p + i, n));
			i += n;
		} else {
			i = write_byte(out, json, i, &depth);
		}
	}
	abt_buf_char(out, '\n');
}
