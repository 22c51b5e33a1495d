/*
 * fuzz_cgi_response.c - heads of CGI programs
 *
 * Properties: the end of the head is the same however the output is cut; what
 * is let through has no byte that could end a line of ours, no framing header,
 * and a status that is a final one.
 */
#include <stdlib.h>

#include "function/cgi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(struct abt_bytes text)
{
	if (!abt_bytes_all(text, ABT_CHAR_FIELD))
		abort();
}

static void
check(const struct abt_response *response, bool local)
{
	if (response->status < 200 || response->status > 999)
		abort();
	if (local && response->status != 302)
		abort();
	check_line(response->reason);
	if (response->headers.count > ABT_CGI_FIELDS_MAX)
		abort();
	for (size_t i = 0; i < response->headers.count; i++) {
		const struct abt_field *field = &response->headers.fields[i];

		if (field->name.n == 0 || field->value.n == 0 ||
		    !abt_bytes_all(field->name, ABT_CHAR_TOKEN))
			abort();
		check_line(field->value);
		if (field->id == ABT_FIELD_CONTENT_LENGTH ||
		    field->id == ABT_FIELD_TRANSFER_ENCODING ||
		    field->id == ABT_FIELD_CONNECTION)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes all = abt_bytes((const char *)data, size);
	size_t end = abt_cgi_head_end(all, 0), cut = size / 2;
	struct abt_response response;
	struct abt_report report;
	struct abt_arena arena;
	bool local;

	if (abt_cgi_head_end(abt_bytes(all.p, cut), 0) == 0 &&
	    abt_cgi_head_end(all, cut) != end)
		abort();
	if (end == 0)
		return 0;
	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	if (abt_cgi_head_read(
		abt_bytes(all.p, end), &arena, &response, &local, &report) == 0)
		check(&response, local);
	else if (report.broken == NULL)
		abort();
	abt_arena_end(&arena);
	return 0;
}
