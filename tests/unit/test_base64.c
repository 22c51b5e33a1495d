/*
 * test_base64.c - every form of the codec against the plainest one
 */
#include "base/base64.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/guard.h"

#define MOST 300

static void
vectors_of_the_rfc(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct abt_bytes text = abt_bytes_text(rows[i][0]);
		struct abt_bytes code = abt_bytes_text(rows[i][1]);

		assert_int_equal(abt_base64_length(text.n), code.n);
		abt_base64_encode(out, text);
		assert_memory_equal(out, code.p, code.n);
		assert_int_equal(abt_base64_decode(out, code), text.n);
		assert_memory_equal(out, text.p, text.n);
	}
}

static void
what_is_refused(void **state)
{
	static const char *const bad[] = {
		"A",
		"AA",
		"AAA",
		"AAAAA",
		"====",
		"A===",
		"=AAA",
		"AA=A",
		"AAA=AAAA",
		"AA==AAAA",
		"AAAA====",
		"AAA\n",
		"AA A",
		"AA-_",
		"AAAA\r\n\r\n",
		"AAAAAAA\x80",
		"AAA\x2e",
		"AA=",
		"AAAA=",
		"Zm9v Zm9",
		"{AAA",
		"@AAA",
		"AAA[",
		"A`AA",
		"A:AA",
	};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    abt_base64_decode(out, abt_bytes_text(bad[i])), -1);
	/* Bits behind the end are not demanded to be zero. */
	assert_int_equal(abt_base64_decode(out, ABT_BYTES("Zh==")), 1);
	assert_int_equal(out[0], 'f');
	assert_int_equal(abt_base64_decode(out, abt_bytes(NULL, 0)), 0);
}

/* Encode and decode between guard pages, in every length. */
static void
there_and_back(void **state)
{
	unsigned char in[MOST];
	char expected[MOST * 2];
	size_t n, i;

	(void)state;
	srand(1);
	for (n = 0; n < MOST; n++) {
		struct abt_bytes guarded, code;
		char *out;

		for (i = 0; i < n; i++)
			in[i] = (unsigned char)rand();
		guarded = abt_guard_copy(abt_bytes((char *)in, n));
		encode_plain(expected, in, n);
		i = abt_base64_length(n);
		out = malloc(i + 1);
		out[i] = 'x';
		abt_base64_encode(out, guarded);
		assert_memory_equal(out, expected, i);
		assert_int_equal(out[i], 'x');
		code = abt_guard_copy(abt_bytes(out, i));
		free(out);
		out = malloc(i / 4 * 3 + 1);
		out[i / 4 * 3] = 'x';
		assert_int_equal(abt_base64_decode(out, code), n);
		assert_memory_equal(out, in, n);
		assert_int_equal(out[i / 4 * 3], 'x');
		free(out);
		abt_guard_free(code);
		abt_guard_free(guarded);
	}
}

static void
decodes_in_place(void **state)
{
	char text[MOST], code[MOST * 2];
	size_t n, i;

	(void)state;
	for (n = 1; n < MOST; n++) {
		for (i = 0; i < n; i++)
			text[i] = (char)rand();
		abt_base64_encode(code, abt_bytes(text, n));
		assert_int_equal(abt_base64_decode(code,
				     abt_bytes(code, abt_base64_length(n))),
		    n);
		assert_memory_equal(code, text, n);
	}
}

typedef size_t blocks(char *out, const unsigned char *in, size_t n);

/* Whatever blocks a form takes, it must do as the plain form does. */
static void
compare_encoder(blocks *form)
{
	unsigned char in[256];
	char out[512], expected[512];
	size_t n, i, done;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 167 + 13);
	for (n = 28; n <= sizeof(in); n++) {
		done = form(out, in, n);
		assert_true(done > 0 && done <= n && done % 3 == 0);
		encode_plain(expected, in, done);
		assert_memory_equal(out, expected, done / 3 * 4);
	}
}

/* Every byte in every place of a block. */
static void
compare_decoder(blocks *form)
{
	unsigned char in[96];
	char out[96], expected[96];
	size_t at;
	int c;

	for (at = 0; at < 64; at++)
		for (c = 0; c < 256; c++) {
			size_t done, i;

			for (i = 0; i < sizeof(in); i++)
				in[i] = (unsigned char)alphabet[(i * 7) % 64];
			in[at] = (unsigned char)c;
			done = form(out, in, sizeof(in));
			assert_int_equal(done % 4, 0);
			if (values[c] == BAD)
				assert_true(done <= at);
			else
				assert_true(done >= 64);
			if (done == 0)
				continue;
			assert_int_equal(
			    decode_plain(expected, in, done), done / 4 * 3);
			assert_memory_equal(out, expected, done / 4 * 3);
		}
}

static void
all_forms_agree(void **state)
{
	(void)state;
#if HAVE_X86
	if (__builtin_cpu_supports("ssse3")) {
		compare_encoder(encode_ssse3);
		compare_decoder(decode_ssse3);
	}
	if (__builtin_cpu_supports("avx2")) {
		compare_encoder(encode_avx2);
		compare_decoder(decode_avx2);
	}
#else
	(void)compare_encoder;
	(void)compare_decoder;
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_rfc),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(decodes_in_place),
		cmocka_unit_test(all_forms_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
