/*
 * case_file.c - files of cases: one JSON object a line
 */
#include "lib/case_file.h"

#include <stdarg.h>
#include <stdio.h>

#define FAULT_MAX 65536
#define SHOWN     400 /* bytes of a value that a complaint shows */

void
abt_fault_init(struct abt_fault *fault)
{
	abt_buf_init(&fault->text, NULL, FAULT_MAX);
}

void
abt_fault_end(struct abt_fault *fault)
{
	abt_buf_end(&fault->text);
}

void
abt_fault_add(struct abt_fault *fault, const char *format, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	abt_buf_text(&fault->text, "  ");
	abt_buf_text(&fault->text, line);
	abt_buf_char(&fault->text, '\n');
}

/* |b| as it can stand in a line of a terminal. */
static void
add_shown(struct abt_buf *out, struct abt_bytes b)
{
	size_t n = b.n < SHOWN ? b.n : SHOWN;
	bool text = abt_utf8_valid(b);

	/* Never half of a character. */
	while (text && n < b.n && ((unsigned char)b.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if (c == '\n')
			abt_buf_text(out, "\\n");
		else if (c == '\r')
			abt_buf_text(out, "\\r");
		else if (c == '\t')
			abt_buf_text(out, "\\t");
		else if (c < 0x20 || c == 0x7f || (c > 0x7f && !text))
			abt_buf_printf(out, "\\x%02x", c);
		else
			abt_buf_char(out, (char)c);
	}
	if (b.n > n)
		abt_buf_printf(out, "... (%zu bytes)", b.n);
}

void
abt_fault_differs(struct abt_fault *fault, const char *what,
    struct abt_bytes expected, struct abt_bytes got)
{
	struct abt_buf *out = &fault->text;

	abt_buf_printf(out, "  %.200s\n    expected: ", what);
	add_shown(out, expected);
	abt_buf_text(out, "\n    got:      ");
	add_shown(out, got);
	abt_buf_char(out, '\n');
}

/* A value as compact JSON in |buf|. */
static struct abt_bytes
as_text(struct abt_buf *buf, const struct abt_json *value)
{
	struct abt_json_out out;

	if (value == NULL)
		return ABT_BYTES("(nothing)");
	abt_buf_init(buf, NULL, SIZE_MAX / 4);
	abt_json_out_init(&out, buf);
	abt_json_tree(&out, NULL, value);
	return abt_buf_bytes(buf);
}

void
abt_fault_json(struct abt_fault *fault, const char *what,
    const struct abt_json *expected, const struct abt_json *got)
{
	struct abt_buf a, b;

	abt_buf_init(&a, NULL, 0);
	abt_buf_init(&b, NULL, 0);
	abt_fault_differs(fault, what, as_text(&a, expected), as_text(&b, got));
	abt_buf_end(&a);
	abt_buf_end(&b);
}

/* Does the case want what authorizes callers, keys of theirs among it? */
static bool
wants_authorizer(const struct abt_json *c)
{
	static const char *const keys[] = { "authorizer", "authorizationType",
		"apiKeyRequired", "apiKeys" };
	const struct abt_json *config = abt_json_get(c, "config");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (abt_json_is(config, ABT_JSON_OBJECT) &&
		    abt_json_get(config, keys[i]) != NULL)
			return true;
	return false;
}

struct abt_bytes
abt_case_area(const struct abt_json *c)
{
	const struct abt_json *area = abt_json_get(c, "area");
	const struct abt_json *rule = abt_json_get(c, "rule");

	if (!abt_json_is(area, ABT_JSON_STRING))
		area = abt_json_get(c, "api");
	if (!abt_json_is(area, ABT_JSON_STRING))
		return ABT_BYTES("alb");
	if (abt_bytes_equal(area->text, ABT_BYTES("runtime-api")) &&
	    abt_json_is(rule, ABT_JSON_STRING) &&
	    abt_bytes_starts(rule->text, ABT_BYTES("R3.")))
		return ABT_BYTES("extensions");
	if (wants_authorizer(c))
		return ABT_BYTES("authorizer");
	return area->text;
}

bool
abt_case_counts(const char *areas, struct abt_bytes area)
{
	struct abt_bytes rest = abt_bytes_text(areas), piece;
	bool any = false;

	while (abt_bytes_next(&rest, ' ', &piece)) {
		if (piece.n == 0)
			continue;
		any = true;
		if (abt_bytes_equal(piece, area))
			return true;
	}
	return !any;
}

bool
abt_case_slurp(
    const char *file, struct abt_arena *arena, struct abt_bytes *text)
{
	struct abt_buf buf;
	FILE *in = fopen(file, "rb");
	char *room;
	bool good;

	if (in == NULL) {
		perror(file);
		return false;
	}
	abt_buf_init(&buf, NULL, (size_t)1 << 30);
	while ((room = abt_buf_room(&buf, 65536)) != NULL) {
		size_t n = fread(room, 1, 65536, in);

		if (n == 0)
			break;
		abt_buf_commit(&buf, n);
	}
	good = !buf.failed && !ferror(in);
	(void)fclose(in);
	if (!good)
		(void)fprintf(stderr, "%s: cannot be read\n", file);
	else
		*text = abt_arena_copy(arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return good && !abt_arena_failed(arena);
}

bool
abt_case_known(struct abt_fault *fault, const char *what,
    const struct abt_json *object, const char *const *names)
{
	bool good = true;

	for (const struct abt_json *m = object->first; m != NULL; m = m->next) {
		const char *const *name = names;

		while (*name != NULL &&
		       !abt_bytes_equal(m->key, abt_bytes_text(*name)))
			name++;
		if (*name == NULL) {
			abt_fault_add(fault, "unknown key \"%.*s\" in %s",
			    ABT_FMT(m->key), what);
			good = false;
		}
	}
	return good;
}
