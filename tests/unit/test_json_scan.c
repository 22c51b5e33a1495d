/*
 * test_json_scan.c - the strict reader: what it takes, what it refuses and
 * where, and what it does without memory
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "albatross/json.h"
#include "lib/guard.h"

static struct abt_arena arena;

static int
begin(void **state)
{
	(void)state;
	abt_arena_init(&arena, NULL);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	abt_arena_end(&arena);
	return 0;
}

static struct abt_json *
scan(struct abt_bytes source)
{
	struct abt_json_error error = { "untouched", 0, 0, 0 };
	struct abt_json *root =
	    abt_json_scan(source, ABT_JSON_DEPTH, &arena, &error);

	if (root == NULL)
		print_message("%s at %zu\n", error.text, error.offset);
	return root;
}

static void
reads_every_kind(void **state)
{
	struct abt_json *root, *v;

	(void)state;
	root = scan(
	    ABT_BYTES(" {\"n\" : null,\"t\":true, \"f\":false,\n\"i\":-12, "
		      "\"x\":1.50e+3,\"s\":\"text\",\"a\":[1,[],{}],\"o\":{"
		      "\"k\":\"v\"}}\r\t"));
	assert_non_null(root);
	assert_int_equal(root->kind, ABT_JSON_OBJECT);
	assert_int_equal(root->count, 8);
	assert_int_equal(root->offset, 1);
	assert_null(root->next);
	v = root->first;
	assert_int_equal(v->kind, ABT_JSON_NULL);
	assert_int_equal(v->key_offset, 2);
	assert_int_equal(v->offset, 8);
	v = v->next;
	assert_int_equal(v->kind, ABT_JSON_TRUE);
	v = v->next;
	assert_int_equal(v->kind, ABT_JSON_FALSE);
	v = v->next;
	assert_int_equal(v->kind, ABT_JSON_NUMBER);
	assert_true(abt_bytes_equal(v->text, ABT_BYTES("-12")));
	v = v->next;
	assert_true(abt_bytes_equal(v->text, ABT_BYTES("1.50e+3")));
	v = v->next;
	assert_int_equal(v->kind, ABT_JSON_STRING);
	assert_true(abt_bytes_equal(v->text, ABT_BYTES("text")));
	v = v->next;
	assert_int_equal(v->kind, ABT_JSON_ARRAY);
	assert_int_equal(v->count, 3);
	assert_int_equal(v->first->next->kind, ABT_JSON_ARRAY);
	assert_int_equal(v->first->next->count, 0);
	assert_int_equal(v->last->kind, ABT_JSON_OBJECT);
	v = v->next;
	assert_int_equal(v->count, 1);
	assert_true(abt_bytes_equal(v->first->key, ABT_BYTES("k")));
	assert_null(v->next);
	assert_ptr_equal(v, root->last);
}

static void
roots_of_any_kind(void **state)
{
	(void)state;
	assert_int_equal(scan(ABT_BYTES("null"))->kind, ABT_JSON_NULL);
	assert_int_equal(scan(ABT_BYTES(" \"\" "))->kind, ABT_JSON_STRING);
	assert_int_equal(scan(ABT_BYTES("0"))->kind, ABT_JSON_NUMBER);
	assert_int_equal(scan(ABT_BYTES("-0.0E-0"))->kind, ABT_JSON_NUMBER);
	assert_int_equal(scan(ABT_BYTES("[]"))->kind, ABT_JSON_ARRAY);
}

static void
plain_strings_are_slices(void **state)
{
	const char *source = "[\"plain\",\"esc\\n\",\"\\u00e4\"]";
	struct abt_json *root = scan(abt_bytes_text(source));

	(void)state;
	assert_ptr_equal(root->first->text.p, source + 2);
	assert_true(
	    abt_bytes_equal(root->first->next->text, ABT_BYTES("esc\n")));
	assert_true(abt_bytes_equal(root->last->text, ABT_BYTES("\xc3\xa4")));
}

static void
escapes_are_decoded(void **state)
{
	struct abt_json *root = scan(
	    ABT_BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\\u007f\\u0080"
		      "\\u07ff\\u0800\\uFFFF\\ud800\\udc00\\uDBFF\\uDFFF\""));

	(void)state;
	assert_non_null(root);
	assert_true(abt_bytes_equal(root->text,
	    ABT_BYTES("\"\\/\b\f\n\r\t\0\x1f\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"
		      "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
}

struct refused {
	const char *source;
	size_t offset;
};

static void
refuses(const struct refused *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct abt_json_error error = { NULL, 0, 0, 0 };
		struct abt_bytes copy =
		    abt_guard_copy(abt_bytes_text(rows[i].source));

		if (abt_json_scan(copy, 64, &arena, &error) != NULL)
			fail_msg("%s was taken", rows[i].source);
		assert_non_null(error.text);
		if (error.offset != rows[i].offset)
			fail_msg("%s: %s at %zu, not %zu", rows[i].source,
			    error.text, error.offset, rows[i].offset);
		assert_int_equal(error.line, 1);
		assert_int_equal(error.column, error.offset + 1);
		assert_null(abt_json_scan(copy, 64, &arena, NULL));
		abt_guard_free(copy);
	}
}

static void
refuses_broken_grammar(void **state)
{
	static const struct refused rows[] = {
		{ "", 0 },
		{ "  ", 2 },
		{ "{", 1 },
		{ "[", 1 },
		{ "}", 0 },
		{ "[1", 2 },
		{ "[1,", 3 },
		{ "[1,]", 3 },
		{ "[,1]", 1 },
		{ "[1 2]", 3 },
		{ "[1}", 2 },
		{ "{]", 1 },
		{ "{\"a\"}", 4 },
		{ "{\"a\":}", 5 },
		{ "{\"a\":1,}", 7 },
		{ "{,}", 1 },
		{ "{a:1}", 1 },
		{ "{1:1}", 1 },
		{ "{\"a\" 1}", 5 },
		{ "{\"a\":1 \"b\":2}", 7 },
		{ "[]]", 2 },
		{ "1 2", 2 },
		{ "nul", 0 },
		{ "nulll", 4 },
		{ "True", 0 },
		{ "NaN", 0 },
		{ "'a'", 0 },
		{ "// c\n1", 0 },
		{ "1/**/", 1 },
		{ "\xef\xbb\xbf"
		  "1",
		    0 },
		{ "[1,2", 4 },
		{ "{\"a\":[1,{\"b\":", 13 },
		{ "\f1", 0 },
		{ "undefined", 0 },
		{ "[1,,2]", 3 },
		{ "{\"a\":1;", 6 },
	};

	(void)state;
	refuses(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
refuses_broken_numbers(void **state)
{
	static const struct refused rows[] = {
		{ "-", 1 },
		{ "+1", 0 },
		{ "01", 0 },
		{ "-01", 1 },
		{ ".5", 0 },
		{ "1.", 2 },
		{ "1.e3", 2 },
		{ "1e", 2 },
		{ "1e+", 3 },
		{ "1e-x", 3 },
		{ "0x10", 1 },
		{ "1_0", 1 },
		{ "--1", 1 },
		{ "Infinity", 0 },
		{ "-Infinity", 1 },
		{ "1.5.5", 3 },
		{ "00", 0 },
	};

	(void)state;
	refuses(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
refuses_broken_strings(void **state)
{
	static const struct refused rows[] = {
		{ "\"", 0 },
		{ "[\"abc", 1 },
		{ "\"abc\\\"", 0 },
		{ "\"a\tb\"", 2 },
		{ "\"\n\"", 1 },
		{ "\"\x1f\"", 1 },
		{ "\"\\x41\"", 1 },
		{ "\"a\\\"", 0 },
		{ "\"\\", 0 },
		{ "\"\\u123\"", 1 },
		{ "\"\\u12g4\"", 1 },
		{ "\"\\U0041\"", 1 },
		{ "\"\\ud800\"", 1 },
		{ "\"\\ud800x\"", 1 },
		{ "\"\\ud800\\n\"", 1 },
		{ "\"\\ud800\\u0041\"", 1 },
		{ "\"\\udc00\\ud800\"", 1 },
		{ "\"ab\\udfff\"", 3 },
		{ "\"\\ud800\\ud800\\udc00\"", 1 },
		{ "\"\\0\"", 1 },
		{ "\"\\'\"", 1 },
		{ "\"\\\n\"", 2 },
		{ "\"\xff\"", 1 },
		{ "\"a\xc0\x80\"", 2 },
		{ "\"\xed\xa0\x80\"", 1 },
		{ "\"\xf4\x90\x80\x80\"", 1 },
		{ "\"\xc3\"", 1 },
		{ "\"\xe2\x82\"", 1 },
		{ "\"\\n\x80\"", 3 },
		{ "{\"\xff\":1}", 2 },
		{ "{\"\\ud800\":1}", 2 },
		{ "\xc3\xa4", 0 },
	};

	(void)state;
	refuses(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
depth_is_limited_where_told(void **state)
{
	char text[400];
	unsigned depth;

	(void)state;
	for (depth = 0; depth < 100; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		if (depth == 0)
			continue;
		assert_non_null(abt_json_scan(
		    abt_bytes(text, 2 * depth), depth, &arena, NULL));
		assert_null(abt_json_scan(
		    abt_bytes(text, 2 * depth), depth - 1, &arena, NULL));
	}
	assert_non_null(abt_json_scan(ABT_BYTES("1"), 0, &arena, NULL));
	/* Closed levels do not add up. */
	assert_non_null(
	    abt_json_scan(ABT_BYTES("[[],[],[],{},{}]"), 2, &arena, NULL));
}

static void
places_are_lines_and_columns(void **state)
{
	struct abt_json_error error;
	struct abt_bytes source = ABT_BYTES("{\n  \"a\": 1,\r\n  \"b\" 2\n}");
	unsigned line, column;

	(void)state;
	assert_null(abt_json_scan(source, 64, &arena, &error));
	assert_int_equal(error.offset, 19);
	assert_int_equal(error.line, 3);
	assert_int_equal(error.column, 7);
	abt_json_place(source, 0, &line, &column);
	assert_int_equal(line * 100 + column, 101);
	abt_json_place(source, 1000, &line, &column); /* clamped */
	assert_int_equal(line * 100 + column, 402);
}

/* One special thing at every place of strings of every length. */
static void
strings_of_every_length(void **state)
{
	static const struct {
		const char *written, *read;
	} things[] = {
		{ "", "" },
		{ "\\\"", "\"" },
		{ "\\\\", "\\" },
		{ "\\\\\\\\\\\"", "\\\\\"" },
		{ "\\u0041", "A" },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
	};
	char source[700], expected[700];
	size_t i, n, at;

	(void)state;
	for (i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		for (n = 0; n < 150; n++)
			for (at = 0; at <= n; at += n / 40 + 1) {
				struct abt_bytes copy, text;
				char *w = source, *e = expected;

				*w++ = '"';
				memset(w, 'a', n);
				memset(e, 'a', n);
				w += at, e += at;
				text = abt_bytes_text(things[i].written);
				memcpy(w, text.p, text.n);
				w += text.n;
				memset(w, 'b', n - at);
				w += n - at;
				*w++ = '"';
				text = abt_bytes_text(things[i].read);
				memcpy(e, text.p, text.n);
				e += text.n;
				memset(e, 'b', n - at);
				e += n - at;
				copy = abt_guard_copy(
				    abt_bytes(source, (size_t)(w - source)));
				text = scan(copy)->text;
				assert_int_equal(text.n, e - expected);
				assert_memory_equal(text.p, expected, text.n);
				abt_guard_free(copy);
				abt_arena_end(&arena);
			}
}

/* Text of nothing but escapes, by the plainest decoder. */
static void
dense_escapes(void **state)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	char source[3000], expected[3000];
	int round;

	(void)state;
	srand(3);
	for (round = 0; round < 5000; round++) {
		size_t n = (size_t)rand() % 400, i;
		int often = rand() % 8 + 1;
		char *w = source, *e = expected;
		struct abt_bytes copy, text;

		*w++ = '"';
		for (i = 0; i < n; i++) {
			int k = rand() % 8;

			if (rand() % often == 0) {
				*w++ = '\\';
				*w++ = letters[k];
				*e++ = meanings[k];
			} else {
				*w++ = *e++ = (char)('a' + k);
			}
		}
		*w++ = '"';
		copy = abt_guard_copy(abt_bytes(source, (size_t)(w - source)));
		text = scan(copy)->text;
		assert_int_equal(text.n, e - expected);
		assert_memory_equal(text.p, expected, text.n);
		abt_guard_free(copy);
		abt_arena_end(&arena);
	}
}

static const char sample[] =
    "{\"statusCode\":200,\"headers\":{\"a\":\"b\\u00e4\",\"x\":["
    "\"\\ud83d\\ude00\","
    "\"\xe2\x82\xac\"]},\"body\":\"{\\\"k\\\":[1,2,3],\\\"text\\\":\\\"some "
    "text "
    "that is longer than a block of sixty-four bytes, so that it is "
    "scanned by all of the ways there are\\\"}\",\"isBase64Encoded\":false}";

/* Every beginning of a text is refused, without a look behind its end. */
static void
every_prefix_is_refused(void **state)
{
	size_t n;

	(void)state;
	assert_non_null(scan(abt_bytes(sample, sizeof(sample) - 1)));
	for (n = 0; n < sizeof(sample) - 1; n++) {
		struct abt_bytes copy = abt_guard_copy(abt_bytes(sample, n));

		assert_null(abt_json_scan(copy, 64, &arena, NULL));
		abt_guard_free(copy);
	}
}

/* Any byte changed to any other never reads or writes out of bounds. */
static void
every_byte_changed(void **state)
{
	struct abt_bytes copy =
	    abt_guard_copy(abt_bytes(sample, sizeof(sample) - 1));
	char *p = (char *)(uintptr_t)copy.p;
	size_t i;
	int c;

	(void)state;
	for (i = 0; i < copy.n; i++) {
		char saved = p[i];

		for (c = 0; c < 256; c++) {
			p[i] = (char)c;
			abt_json_scan(copy, 64, &arena, NULL);
			abt_arena_end(&arena);
		}
		p[i] = saved;
	}
	abt_guard_free(copy);
}

static void
scan_without_memory(void *context)
{
	struct abt_json_error error = { "untouched", 0, 0, 0 };
	struct abt_json *root;

	abt_arena_end(&arena);
	root = abt_json_scan(abt_bytes_text(context), 64, &arena, &error);
	assert_int_equal(root == NULL, abt_sweep_struck());
	assert_int_equal(abt_arena_failed(&arena), abt_sweep_struck());
	if (root == NULL)
		assert_null(error.text);
}

static void
every_allocation_may_fail(void **state)
{
	static char large[40000];
	char *w = large;
	int i;

	(void)state;
	*w++ = '{';
	for (i = 0; i < 600; i++) {
		memcpy(w, "\"abc\":\"x\\n\",\"a\":[0],", 20);
		memcpy(w + 1,
		    (char[]){ (char)('a' + i % 26), (char)('a' + i / 26), 'z' },
		    3);
		w += 20;
	}
	memcpy(w, "\"end\":\"", 7);
	w += 7;
	memset(w, 'q', 8000);
	w += 8000;
	memcpy(w, "\\n\"}", 5);
	assert_true(abt_sweep(scan_without_memory, large) > 10);
}

/* Long strings are looked at in larger blocks: what is special is seen at each
 * place of them. */
static void
long_strings_with_one_odd_byte(void **state)
{
	static const char odd[] = "\x01\x1f\n\"\\\x80\xff\x7f ";
	static char text[700];
	struct abt_json_error error;
	size_t at, i;

	(void)state;
	for (at = 1; at < sizeof(text) - 1; at++)
		for (i = 0; i < sizeof(odd) - 1; i++) {
			const struct abt_json *json;

			memset(text, 'a', sizeof(text));
			text[0] = text[sizeof(text) - 1] = '"';
			text[at] = odd[i];
			json = abt_json_scan(
			    abt_bytes(text, sizeof(text)), 64, &arena, &error);
			if (odd[i] != ' ' && odd[i] != 0x7f) {
				assert_null(json);
				continue;
			}
			assert_non_null(json);
			assert_int_equal(json->text.n, sizeof(text) - 2);
		}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(reads_every_kind),
		TEST(roots_of_any_kind),
		TEST(plain_strings_are_slices),
		TEST(escapes_are_decoded),
		TEST(refuses_broken_grammar),
		TEST(refuses_broken_numbers),
		TEST(refuses_broken_strings),
		TEST(depth_is_limited_where_told),
		TEST(places_are_lines_and_columns),
		TEST(strings_of_every_length),
		TEST(long_strings_with_one_odd_byte),
		TEST(dense_escapes),
		TEST(every_prefix_is_refused),
		TEST(every_byte_changed),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
