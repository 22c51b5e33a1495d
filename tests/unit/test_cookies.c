/*
 * test_cookies.c - the cookies of format 2.0, every short Cookie header
 *
 * All texts of up to six characters of an alphabet of what matters, in one
 * header and cut into two, against a splitter that is written the other way
 * round: it walks characters and never looks for a semicolon.
 */
#include "albatross/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dialect/payload.h"

#define LENGTH 6

static const char alphabet[] = "a=; \"\t";

static const struct abt_payload_attributes attributes[2] = { {
    .cors = { .max_age = -1 },
} };

/* ["..."] of |values|, as the event has it. */
static size_t
expect(char *out, const char *const values[], int count)
{
	size_t at = 0;
	bool first = true;

	out[at++] = '[';
	for (int i = 0; i < count; i++) {
		char word[64];
		size_t n = 0;

		for (const char *p = values[i];; p++) {
			bool ends = *p == ';' || *p == '\0';

			if (!ends && (n > 0 || (*p != ' ' && *p != '\t')))
				word[n++] = *p;
			if (!ends)
				continue;
			while (n > 0 &&
			       (word[n - 1] == ' ' || word[n - 1] == '\t'))
				n--;
			if (n > 0) {
				if (!first)
					out[at++] = ',';
				first = false;
				out[at++] = '"';
				for (size_t k = 0; k < n; k++) {
					if (word[k] == '"')
						out[at++] = '\\';
					if (word[k] == '\t')
						out[at++] = '\\';
					out[at++] =
					    word[k] == '\t' ? 't' : word[k];
				}
				out[at++] = '"';
			}
			n = 0;
			if (*p == '\0')
				break;
		}
	}
	out[at++] = ']';
	return at;
}

static void
check(const char *dialect, const char *const values[], int count)
{
	static const struct abt_api api = { .stage =
						ABT_BYTES_INIT("$default") };
	struct abt_request request = { .method = ABT_BYTES("GET"),
		.path = ABT_BYTES("/"),
		.version = 11 };
	struct abt_front front = {
		.dialect = abt_dialect_find(abt_bytes_text(dialect)),
		.attributes = attributes,
		.api = &api,
	};
	struct abt_call call = { .request = &request, .front = &front };
	struct abt_arena arena;
	struct abt_report report;
	struct abt_json_error error;
	struct abt_json_out out;
	struct abt_buf buf;
	const struct abt_json *tree, *list;
	struct abt_buf again;
	char want[256];
	size_t n = expect(want, values, count);

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	call.arena = &arena;
	for (int i = 0; i < count; i++)
		abt_headers_add_id(&request.headers, &arena, ABT_FIELD_COOKIE,
		    ABT_BYTES("Cookie"), abt_bytes_text(values[i]));
	abt_buf_init(&buf, NULL, 65536);
	abt_json_out_init(&out, &buf);
	assert_int_equal(front.dialect->write_event(&call, &out, &report), 0);
	tree = abt_json_scan(abt_buf_bytes(&buf), 32, &arena, &error);
	list = abt_json_get(tree, "cookies");
	assert_non_null(list);
	abt_buf_init(&again, NULL, 65536);
	abt_json_out_init(&out, &again);
	abt_json_tree(&out, NULL, list);
	if (again.n != n || memcmp(again.p, want, n) != 0)
		fail_msg("%s: \"%s\": %.*s in place of %.*s", dialect,
		    values[0], (int)again.n, again.p, (int)n, want);
	abt_buf_end(&again);
	abt_buf_end(&buf);
	abt_arena_end(&arena);
}

/* The |number|-th text of |length| characters. */
static void
text_of(char *out, int length, long number)
{
	for (int i = 0; i < length; i++) {
		out[i] = alphabet[number % (long)(sizeof(alphabet) - 1)];
		number /= (long)(sizeof(alphabet) - 1);
	}
	out[length] = '\0';
}

static void
test_one_header(void **state)
{
	long count = 1;
	char text[LENGTH + 1];

	(void)state;
	for (int length = 1; length <= LENGTH; length++) {
		count *= (long)(sizeof(alphabet) - 1);
		for (long i = 0; i < count; i++) {
			const char *const values[] = { text };

			text_of(text, length, i);
			check("http-2.0", values, 1);
		}
	}
}

static void
test_two_headers(void **state)
{
	char all[LENGTH], a[LENGTH], b[LENGTH];

	(void)state;
	for (long i = 0; i < 6L * 6 * 6 * 6; i++) {
		text_of(all, 4, i);
		for (int cut = 1; cut < 4; cut++) {
			const char *const values[] = { a, b };

			memcpy(a, all, (size_t)cut);
			a[cut] = '\0';
			memcpy(b, all + cut, (size_t)(4 - cut) + 1);
			check("url", values, 2);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_header),
		cmocka_unit_test(test_two_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
