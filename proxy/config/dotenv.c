/*
 * dotenv.c - environment files: NAME=VALUE lines
 *
 * Blank lines and lines that begin with '#' are skipped, "export " before a
 * name too.  A bare value ends at the line's end or at " #" and is trimmed.
 * 'text' is taken as it is, "text" knows \n \r \t \" \\ \$; both may span
 * lines. Nothing is expanded: a '$' is a '$'.
 */
#include "config/dotenv.h"

#include <errno.h>
#include <stdio.h>

#include "config/file.h"
#include "config/schema.h"

struct reader {
	const char *at, *end;
	struct abt_arena *arena;
	const char *what; /* what is wrong, once something is */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
skip_blanks(struct reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

static bool
at_line_end(const struct reader *r)
{
	return r->at == r->end || *r->at == '\n' ||
	       (*r->at == '\r' && (r->at + 1 == r->end || r->at[1] == '\n'));
}

static void
skip_line(struct reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
	if (r->at < r->end)
		r->at++;
}

static struct abt_bytes
read_name(struct reader *r)
{
	struct abt_bytes rest = abt_bytes(r->at, (size_t)(r->end - r->at));
	const char *begin;

	if (abt_bytes_starts(rest, ABT_BYTES("export ")) ||
	    abt_bytes_starts(rest, ABT_BYTES("export\t"))) {
		r->at += strlen("export ");
		skip_blanks(r);
	}
	begin = r->at;
	while (r->at < r->end &&
	       (abt_char_is(*r->at, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) ||
		   *r->at == '_' || *r->at == '.' || *r->at == '-'))
		r->at++;
	return abt_bytes(begin, (size_t)(r->at - begin));
}

static struct abt_bytes
read_bare(struct reader *r)
{
	const char *begin = r->at, *end = r->at;

	while (!at_line_end(r)) {
		if (*r->at == '#' && (r->at == begin || is_blank(r->at[-1])))
			break;
		if (!is_blank(*r->at))
			end = r->at + 1;
		r->at++;
	}
	skip_line(r);
	return abt_arena_copy(
	    r->arena, abt_bytes(begin, (size_t)(end - begin)));
}

static char
unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Only what is listed above is an escape; other backslashes stay. */
static bool
is_escape(char c)
{
	return c == 'n' || c == 'r' || c == 't' || c == '"' || c == '\\' ||
	       c == '$';
}

static struct abt_bytes
read_quoted(struct reader *r, char quote)
{
	char *out = abt_arena_alloc(r->arena, (size_t)(r->end - r->at) + 1);
	size_t n = 0;

	r->at++;
	while (r->at < r->end && *r->at != quote) {
		char c = *r->at++;

		if (quote == '"' && c == '\\' && r->at < r->end &&
		    is_escape(*r->at))
			c = unescape(*r->at++);
		if (out != NULL)
			out[n++] = c;
	}
	if (r->at == r->end) {
		r->what = "a quote is not closed";
		return abt_bytes(NULL, 0);
	}
	r->at++;
	skip_blanks(r);
	if (!at_line_end(r) && *r->at != '#')
		r->what = "something stands behind the closing quote";
	skip_line(r);
	return abt_bytes(out, n);
}

static int
read_line(struct reader *r, struct abt_map *map)
{
	struct abt_bytes name, value;

	skip_blanks(r);
	if (at_line_end(r) || *r->at == '#') {
		skip_line(r);
		return 0;
	}
	name = abt_arena_copy(r->arena, read_name(r));
	skip_blanks(r);
	if (name.n == 0 || r->at == r->end || *r->at != '=') {
		r->what = "this is not NAME=VALUE";
		return -1;
	}
	r->at++;
	skip_blanks(r);
	if (!at_line_end(r) && (*r->at == '"' || *r->at == '\''))
		value = read_quoted(r, *r->at);
	else
		value = read_bare(r);
	if (r->what == NULL && abt_bytes_find(value, '\0') < value.n)
		r->what = "the value holds a NUL byte";
	if (r->what != NULL)
		return -1;
	return abt_map_set(map, r->arena, name, value);
}

int
abt_dotenv_parse(struct abt_bytes text, struct abt_arena *arena,
    struct abt_map *map, unsigned *line, const char **what)
{
	struct reader r = { .arena = arena };
	unsigned column;

	if (abt_bytes_starts(text, ABT_BYTES("\xef\xbb\xbf")))
		text = abt_bytes(text.p + 3, text.n - 3);
	r.at = text.p;
	r.end = text.p + text.n;
	while (r.at < r.end) {
		size_t begin = (size_t)(r.at - text.p);

		if (read_line(&r, map) == 0 && !abt_arena_failed(arena))
			continue;
		abt_json_place(text, begin, line, &column);
		*what = abt_arena_failed(arena) ? NULL : r.what;
		return -1;
	}
	return 0;
}

int
abt_dotenv_read(const char *file, struct abt_arena *arena, struct abt_map *map,
    char *why, size_t size)
{
	struct abt_bytes text;
	const char *what;
	unsigned line;

	if (abt_file_read(file, 1 << 20, arena, &text, why, size) != 0)
		return -1;
	if (abt_dotenv_parse(text, arena, map, &line, &what) == 0)
		return 0;
	snprintf(why, size, "%s:%u: %s", file, line,
	    what != NULL ? what : "out of memory");
	return -1;
}
