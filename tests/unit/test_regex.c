/*
 * test_regex.c - regular expressions, held against PCRE
 */
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/regex.h"

static const char *const patterns[] = { "", "a", "abc", "a.c", "a*", "a+b",
	"^a", "a$", "^a$", "^$", "a|b", "ab|cd|", "(ab)+", "(?:ab)*c", "[abc]",
	"[^abc]", "[a-c0-9]+", "[a-]", "\\d+", "\\D", "\\w+\\s\\w+", "\\W",
	"\\bfoo\\b", "\\Boo", "a{2}", "a{2,}", "a{1,3}b", "a{,3}", "x{y",
	"(a*)*b", "(a|a)*b", "(a?){3}a{3}", "[\\d.]+", "[^\\s]+$", "\\.", "\\/",
	"\\x41", "\\u0041", "caf\xc3\xa9", "^.{4}$", "[\xc3\xa0-\xc3\xbf]",
	"^(4\\d{2}|5\\d{2})$", "^[A-Z]{2}-\\d{4}$", "a??b", "a*?b", "a++b",
	"^(?:(?:a|b)c)*$", "(|a)+", "^\\S+@\\S+\\.\\S+$", "\\t", "[\\b]" };
static const char *const texts[] = { "", "a", "b", "ab", "abc", "aab", "aaab",
	"aaaaaa", "cd", "foo", "foo bar", "xfoo", "a-b", "]", "-", "404", "504",
	"AB-1234", "caf\xc3\xa9", "1.2.3", "a.c", "a\nc", "x{y", "A", "a{,3}",
	"me@example.org", "acbc", "\t", "\b", "/" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
finds(struct abt_bytes pattern, struct abt_bytes text, bool whole)
{
	const struct abt_regex *regex;
	struct abt_arena arena;
	bool found;

	abt_arena_init(&arena, NULL);
	regex = abt_regex_compile(pattern, &arena);
	if (regex == NULL)
		fail_msg("%.*s is refused", ABT_FMT(pattern));
	found = abt_regex_search(regex, text, whole, &arena);
	abt_arena_end(&arena);
	return found;
}

/* Both of the same mind: JavaScript's "$", \u and "[]" are not PCRE's. */
static void
test_against_pcre(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++)
		for (size_t k = 0; k < COUNT(texts); k++) {
			struct abt_bytes pattern = abt_bytes_text(patterns[i]);
			struct abt_bytes text = abt_bytes_text(texts[k]);
			char pcre[80];
			size_t n = 0;

			if (abt_bytes_equal(pattern, ABT_BYTES("\\u0041")))
				pattern = ABT_BYTES("A");
			n = (size_t)snprintf(
			    pcre, sizeof(pcre), "(*UTF)%.*s", ABT_FMT(pattern));
			assert_true(n < sizeof(pcre));
			if (finds(abt_bytes_text(patterns[i]), text, false) !=
			    abt_regex_finds(abt_bytes(pcre, n), text))
				fail_msg("%s in %s: PCRE says otherwise",
				    patterns[i], texts[k]);
			n = (size_t)snprintf(pcre, sizeof(pcre),
			    "(*UTF)^(?:%.*s)\\z", ABT_FMT(pattern));
			assert_true(n < sizeof(pcre));
			if (finds(abt_bytes_text(patterns[i]), text, true) !=
			    abt_regex_finds(abt_bytes(pcre, n), text))
				fail_msg("%s is %s: PCRE says otherwise",
				    patterns[i], texts[k]);
		}
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "(", ")", "(a", "a)", "[", "[a", "*",
		"+a", "?", "\\", "a**b(", "(?=a)", "(?<n>a)", "\\1", "\\p{L}",
		"[z-a]", "a{3,2}", "\\x4", "\\u12", "a{1001}{", "(?!a)",
		"\\q" };
	struct abt_arena arena;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		abt_arena_init(&arena, NULL);
		if (abt_bytes_equal(
			abt_bytes_text(bad[i]), ABT_BYTES("a{1001}{")))
			assert_non_null(abt_regex_compile(
			    abt_bytes_text(bad[i]), &arena)); /* itself */
		else if (abt_regex_compile(abt_bytes_text(bad[i]), &arena) !=
			 NULL)
			fail_msg("%s is accepted", bad[i]);
		abt_arena_end(&arena);
	}
}

/* Patterns on which others take for ever, and those that grow too large. */
static void
test_bounded(void **state)
{
	static char text[20000], deep[400];
	struct abt_arena arena;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(
	    finds(ABT_BYTES("^(a+)+$b"), abt_bytes(text, sizeof(text)), false));
	assert_false(finds(
	    ABT_BYTES("(a|aa|a*)*c"), abt_bytes(text, sizeof(text)), false));
	/* given up where no way is left, not at the end */
	for (size_t i = 0; i < 20000; i++)
		assert_false(finds(ABT_BYTES("^[a-z]{1,9}$"),
		    abt_bytes(text, sizeof(text)), false));
	abt_arena_init(&arena, NULL);
	assert_null(
	    abt_regex_compile(ABT_BYTES("((a{1000}){1000}){1000}"), &arena));
	memset(deep, '(', sizeof(deep));
	assert_null(abt_regex_compile(abt_bytes(deep, sizeof(deep)), &arena));
	memset(text, '|', sizeof(text));
	assert_null(abt_regex_compile(abt_bytes(text, sizeof(text)), &arena));
	abt_arena_end(&arena);
}

static void
test_matches(void **state)
{
	(void)state;
	assert_true(abt_regex_matches(ABT_BYTES("4\\d{2}"), ABT_BYTES("404")));
	assert_false(abt_regex_matches(ABT_BYTES("4\\d"), ABT_BYTES("404")));
	assert_true(abt_regex_matches(ABT_BYTES("200"), ABT_BYTES("200")));
	assert_true(abt_regex_matches(ABT_BYTES("("), ABT_BYTES("(")));
	assert_false(abt_regex_matches(ABT_BYTES("("), ABT_BYTES("200")));
}

static void
test_no_memory(void **state)
{
	(void)state;
	for (unsigned long n = 1; n < 8; n++) {
		struct abt_arena arena;
		const struct abt_regex *regex;

		abt_arena_init(&arena, NULL);
		abt_memory_fail_at(n);
		regex = abt_regex_compile(ABT_BYTES("(a|b){900}"), &arena);
		if (regex != NULL)
			(void)abt_regex_search(
			    regex, ABT_BYTES("abab"), true, &arena);
		abt_memory_fail_at(0);
		abt_arena_end(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_pcre),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
