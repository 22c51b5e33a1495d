/*
 * test_rule.c - the table is sound; reports keep what was found
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "albatross/rule.h"

static struct abt_arena arena;
static struct abt_report report;

static int
begin(void **state)
{
	(void)state;
	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	abt_memory_fail_at(0);
	abt_arena_end(&arena);
	return 0;
}

static void
every_row_is_whole(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ABT_RULES; i++) {
		const struct abt_rule *rule = &abt_rules[i];
		struct abt_bytes name = abt_bytes_text(rule->name);

		if (abt_rule_find(name) != rule)
			fail_msg("%s stands twice", rule->name);
		assert_int_equal(abt_rule_id(rule), i);
		if (abt_bytes_find(name, '/') == name.n)
			fail_msg("%s has no section", rule->name);
		if (strlen(rule->text) == 0 || strlen(rule->source) == 0)
			fail_msg("%s has no text or source", rule->name);
		if (abt_bytes_ends(
			abt_bytes_text(rule->text), ABT_BYTES(".")) &&
		    !abt_bytes_ends(
			abt_bytes_text(rule->text), ABT_BYTES("...")))
			fail_msg("%s: text is a clause", rule->name);
		if (strlen(rule->cure) > 0 &&
		    rule->cure[strlen(rule->cure) - 1] != '.')
			fail_msg("%s: cure is a sentence", rule->name);
		assert_in_range(rule->failure, 0, ABT_FAILURES - 1);
		assert_in_range(rule->tier, ABT_COMPLIANT, ABT_SEVERE);
		if (rule->tier != ABT_COMPLIANT && rule->reason == NULL)
			fail_msg("%s: a deviation has a reason", rule->name);
	}
	assert_null(abt_rule_find(ABT_BYTES("no/such")));
	assert_null(abt_rule_find(abt_bytes(NULL, 0)));
}

static void
the_first_break_counts(void **state)
{
	(void)state;
	assert_int_equal(abt_break_detail(&report, ABT_RULE_H1_BARE_LF,
			     ABT_BYTES("here"), ABT_BYTES("why")),
	    -1);
	assert_int_equal(
	    abt_break(&report, ABT_RULE_H1_LENGTH_BAD, ABT_BYTES("there")), -1);
	assert_ptr_equal(report.broken, &abt_rules[ABT_RULE_H1_BARE_LF]);
	assert_true(abt_bytes_equal(report.where, ABT_BYTES("here")));
	assert_true(abt_bytes_equal(report.detail, ABT_BYTES("why")));
	assert_true(abt_bytes_equal(report.last->where, ABT_BYTES("there")));
	assert_ptr_equal(report.first->next, report.last);
	assert_false(report.first->note);
	assert_null(report.deviation);
}

static void
collecting_goes_on(void **state)
{
	(void)state;
	report.collect = true;
	assert_int_equal(
	    abt_break(&report, ABT_RULE_H1_BARE_LF, abt_bytes(NULL, 0)), 0);
	assert_non_null(report.broken);
}

static void
deviations_rise(void **state)
{
	(void)state;
	assert_int_equal(abt_report_tier(&report), ABT_COMPLIANT);
	abt_deviate(&report, ABT_RULE_H1_BARE_LF, ABT_BYTES("a"));
	assert_int_equal(abt_report_tier(&report), ABT_ACCEPTABLE);
	abt_deviate(&report, ABT_RULE_H1_FOLDED, ABT_BYTES("b"));
	abt_deviate(&report, ABT_RULE_H1_LENGTH_TWICE, ABT_BYTES("c"));
	assert_ptr_equal(report.deviation, &abt_rules[ABT_RULE_H1_FOLDED]);
	abt_deviate(&report, ABT_RULE_H1_BARE_LF, ABT_BYTES("d"));
	assert_ptr_equal(report.deviation, &abt_rules[ABT_RULE_H1_FOLDED]);
	assert_null(report.broken);
	assert_true(report.last->note);
	assert_string_equal(
	    abt_tier_name(abt_report_tier(&report)), "Ambiguous");
	assert_string_equal(abt_tier_name(ABT_COMPLIANT), "Compliant");
}

static void
notes_break_nothing(void **state)
{
	(void)state;
	abt_note(&report, ABT_RULE_H1_BARE_LF, ABT_BYTES("x"));
	assert_null(report.broken);
	assert_non_null(report.first);
	abt_report_init(&report, &arena);
	report.quiet_notes = true;
	abt_note(&report, ABT_RULE_H1_BARE_LF, ABT_BYTES("x"));
	abt_deviate(&report, ABT_RULE_H1_FOLDED, ABT_BYTES("x"));
	assert_null(report.first);
	assert_non_null(report.deviation);
}

static void
without_memory_a_break_still_counts(void **state)
{
	(void)state;
	abt_memory_fail_at(1);
	assert_int_equal(
	    abt_break(&report, ABT_RULE_H1_BARE_LF, ABT_BYTES("x")), -1);
	assert_non_null(report.broken);
	assert_null(report.first);
	abt_deviate(&report, ABT_RULE_H1_FOLDED, ABT_BYTES("x"));
	assert_non_null(report.deviation);
	assert_true(abt_arena_failed(&arena));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(every_row_is_whole),
		TEST(the_first_break_counts),
		TEST(collecting_goes_on),
		TEST(deviations_rise),
		TEST(notes_break_nothing),
		TEST(without_memory_a_break_still_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
