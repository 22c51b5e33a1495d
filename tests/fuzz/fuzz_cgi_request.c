/*
 * fuzz_cgi_request.c - paths and environments of CGI programs
 *
 * The input is lines: the path, then headers.  Properties: a clean path begins
 * with a slash and has no empty and no dot segment; cleaning it again changes
 * nothing but what looks like an escape; no variable stands twice; nothing that
 * a client sends becomes HTTP_PROXY or a variable without HTTP_ in front.
 */
#include <stdlib.h>

#include "function/cgi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_clean(struct abt_bytes clean)
{
	struct abt_bytes rest = clean, piece;
	bool first = true;

	if (clean.n == 0 || clean.p[0] != '/' ||
	    abt_bytes_find(clean, '\0') < clean.n)
		abort();
	while (abt_bytes_next(&rest, '/', &piece)) {
		if (abt_bytes_equal(piece, ABT_BYTES("..")) ||
		    abt_bytes_equal(piece, ABT_BYTES(".")))
			abort();
		if (piece.n == 0 && !first && rest.p != NULL)
			abort();
		first = false;
	}
}

static struct abt_bytes
name_of(const char *line)
{
	struct abt_bytes text = abt_bytes_text(line);

	return abt_bytes(text.p, abt_bytes_find(text, '='));
}

static void
check_lines(char **lines)
{
	for (size_t i = 0; lines[i] != NULL; i++) {
		struct abt_bytes name = name_of(lines[i]);

		if (name.n == 0 ||
		    abt_bytes_equal(name, ABT_BYTES("HTTP_PROXY")) ||
		    abt_bytes_equal(name, ABT_BYTES("HTTP_AUTHORIZATION")))
			abort();
		for (size_t k = 0; k < i; k++)
			if (abt_bytes_equal(name, name_of(lines[k])))
				abort();
	}
}

static void
read_headers(
    struct abt_bytes text, struct abt_headers *headers, struct abt_arena *arena)
{
	struct abt_bytes line;

	while (abt_bytes_next(&text, '\n', &line)) {
		size_t colon = abt_bytes_find(line, ':');

		/* as the codec lets them through: never NUL */
		if (colon > 0 && colon < line.n &&
		    abt_bytes_find(line, '\0') == line.n)
			abt_headers_add(headers, arena,
			    abt_bytes(line.p, colon),
			    abt_bytes_trim(abt_bytes(
				line.p + colon + 1, line.n - colon - 1)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes text = abt_bytes((const char *)data, size), path;
	struct abt_request req = { .method = ABT_BYTES_INIT("GET") };
	struct abt_call call = { .request = &req };
	struct abt_cgi_site site = {
		.program = ABT_BYTES_INIT("/bin/true"),
		.prefix = ABT_BYTES_INIT("/p"),
		.fd = -1,
	};
	struct abt_cgi_place place;
	struct abt_cgi_world world = {
		.call = &call,
		.place = &place,
		.document_root = ABT_BYTES_INIT("/srv"),
	};
	struct abt_report report;
	struct abt_arena arena;
	struct abt_bytes clean;
	char **lines;

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	if (!abt_bytes_next(&text, '\n', &path))
		path = abt_bytes(NULL, 0);
	if (abt_cgi_clean(path, &arena, &clean) == 0)
		check_clean(clean);
	if (abt_cgi_find(
		&site, abt_bytes(NULL, 0), path, &arena, &place, &report) != 0)
		place = (struct abt_cgi_place){ 0 };
	read_headers(text, &req.headers, &arena);
	lines = abt_cgi_environment(&world, &arena, &report);
	if (lines != NULL)
		check_lines(lines);
	abt_arena_end(&arena);
	return 0;
}
