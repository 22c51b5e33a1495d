/*
 * test_h1_body.c - chunked bodies, cut anywhere
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/h1_body.h"

struct decoded {
	enum abt_chunked_result result;
	char body[256];
	size_t size, trailers, left;
	const char *rule;
	bool bare_lf;
};

static struct decoded
decode(const char *text, size_t step, bool lenient)
{
	struct decoded d = { .result = ABT_CHUNKED_MORE };
	struct abt_headers trailers = { 0 };
	struct abt_chunked chunked;
	struct abt_report report;
	struct abt_arena arena;
	struct abt_bytes data;
	size_t n = strlen(text), at = 0;

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	abt_chunked_init(&chunked, lenient);
	while (at < n && d.result == ABT_CHUNKED_MORE) {
		size_t size = n - at < step ? n - at : step;
		struct abt_bytes in = abt_bytes(text + at, size);

		do {
			d.result = abt_chunked_read(&chunked, &in, &data,
			    &trailers, &arena, 64, &report);
			if (d.result == ABT_CHUNKED_DATA) {
				memcpy(d.body + d.size, data.p, data.n);
				d.size += data.n;
			}
		} while (d.result == ABT_CHUNKED_DATA);
		at += size - in.n;
	}
	d.trailers = trailers.count;
	d.left = n - at;
	d.bare_lf = chunked.bare_lf;
	d.rule = report.broken != NULL ? report.broken->name : NULL;
	abt_arena_end(&arena);
	return d;
}

static void
test_good_bodies_at_every_split(void **unused)
{
	static const struct {
		const char *text, *body;
		size_t trailers, left;
	} cases[] = {
		{ "0\r\n\r\n", "", 0, 0 },
		{ "3\r\nabc\r\n0\r\n\r\n", "abc", 0, 0 },
		{ "3\r\nabc\r\n0\r\n\r\nGET", "abc", 0, 3 },
		{ "3;x=\"y\"\r\nabc\r\n2 \r\nde\r\n000\r\n\r\n", "abcde", 0,
		    0 },
		{ "A\r\n0123456789\r\n0\r\nT: v\r\nU:\r\n\r\n", "0123456789", 2,
		    0 },
	};
	size_t i, step;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (step = 1; step <= strlen(cases[i].text); step++) {
			struct decoded d = decode(cases[i].text, step, false);

			assert_int_equal(d.result, ABT_CHUNKED_DONE);
			assert_int_equal(d.size, strlen(cases[i].body));
			assert_memory_equal(d.body, cases[i].body, d.size);
			assert_int_equal(d.trailers, cases[i].trailers);
			assert_int_equal(d.left, cases[i].left);
		}
}

static void
test_bad_bodies(void **unused)
{
	static const char *const cases[] = {
		"x\r\n",
		"\r\n",
		"-1\r\n",
		"+1\r\n",
		"0x1\r\n",
		"1\rx",
		"1\r\naX\r\n",
		"1\r\na\rX",
		"00000000000000001\r\na\r\n", /* 17 digits */
		"1;\x01\r\na\r\n",
		"0\r\nno colon\r\n\r\n",
		"0\r\nA B: c\r\n\r\n",
		"0\r\n: c\r\n\r\n",
		"0\r\nA: \x01\r\n\r\n",
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decoded d = decode(cases[i], 1, true);

		assert_int_equal(d.result, ABT_CHUNKED_BROKEN);
		assert_string_equal(d.rule, "h1/chunk-bad");
	}
}

static void
test_bare_lf(void **unused)
{
	struct decoded d = decode("1\na\n0\nT: v\n\n", 1, true);

	(void)unused;
	assert_int_equal(d.result, ABT_CHUNKED_DONE);
	assert_true(d.bare_lf);
	assert_int_equal(d.trailers, 1);
	assert_int_equal(decode("1\na\n", 1, false).result, ABT_CHUNKED_BROKEN);
}

static void
test_ceilings(void **unused)
{
	static char overhead[40000];
	size_t n = 0;
	struct decoded d;

	(void)unused;
	d = decode("0\r\nLong-Trailer: 0123456789012345678901234567890123456789"
		   "0123456789\r\n\r\n",
	    1, false);
	assert_string_equal(d.rule, "h1/trailer-large");
	overhead[n++] = '1';
	overhead[n++] = ';';
	memset(overhead + n, 'x', 30000);
	d = decode(overhead, 1000, false);
	assert_string_equal(d.rule, "h1/chunk-overhead");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_bodies_at_every_split),
		cmocka_unit_test(test_bad_bodies),
		cmocka_unit_test(test_bare_lf),
		cmocka_unit_test(test_ceilings),
	};

	return cmocka_run_group_tests_name("h1_body", tests, NULL, NULL);
}
