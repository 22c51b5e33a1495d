/*
 * cases.c - the pure case runner: cases FILE ...
 *
 * Runs every counted case of the files through the translation as libalbatross
 * does it: no socket, no process, no clock.  Prints the ids that fail with what
 * was expected and what came, then "N passed, N failed".
 *
 *   --areas "alb ..."   count only these (default: every case)
 *   --sweep             each case with every allocation failing in turn
 *   --round-trip        each case there and back, in place of what it expects
 *   --no-process        leave the Runtime API to tests/live/runtime_cases.py
 *
 * Most Runtime API cases need a process and a socket; here only those that
 * format a log line are run, the others count as failed, as do all cases of
 * areas that are not built.
 */
#include <stdio.h>

#include "lib/alb_case.h"
#include "lib/api_case.h"
#include "lib/report_case.h"

struct tally {
	unsigned passed, failed;
	const char *areas;
	bool sweep, no_process, round_trip;
};

static void
run_case(const struct abt_json *c, const struct tally *tally,
    struct abt_fault *fault)
{
	struct abt_bytes area = abt_case_area(c);
	const struct abt_json *when = abt_json_get(c, "when");

	if (abt_alb_case_is_area(area)) {
		if (tally->round_trip)
			abt_alb_case_round_trip(c, fault);
		else if (tally->sweep)
			abt_alb_case_sweep(c, fault);
		else
			abt_alb_case_run(c, fault);
	} else if (abt_api_case_is_area(area)) {
		if (tally->round_trip)
			abt_api_case_round_trip(c, fault);
		else if (tally->sweep)
			abt_api_case_sweep(c, fault);
		else
			abt_api_case_run(c, fault);
	} else if (abt_bytes_equal(area, ABT_BYTES("runtime-api")) &&
		   abt_json_is(when, ABT_JSON_OBJECT) &&
		   abt_json_get(when, "log") != NULL) {
		abt_report_case_run(c, fault);
	} else if (abt_bytes_equal(area, ABT_BYTES("runtime-api"))) {
		abt_fault_add(fault, "needs a process: make cases drives one");
	} else {
		abt_fault_add(
		    fault, "cases of area %.*s are not built", ABT_FMT(area));
	}
}

static bool
counts(const struct tally *tally, struct abt_bytes area)
{
	if (tally->no_process &&
	    (abt_bytes_equal(area, ABT_BYTES("runtime-api")) ||
		abt_bytes_equal(area, ABT_BYTES("cgi"))))
		return false;
	return abt_case_counts(tally->areas, area);
}

static void
run_line(struct tally *tally, const char *file, unsigned number,
    struct abt_bytes line)
{
	struct abt_arena arena;
	struct abt_json_error error;
	const struct abt_json *c, *id;
	struct abt_fault fault;

	abt_arena_init(&arena, NULL);
	abt_fault_init(&fault);
	c = abt_json_read(line, ABT_JSON_DEPTH, &arena, &error);
	if (!abt_json_is(c, ABT_JSON_OBJECT)) {
		abt_fault_add(&fault, "no JSON object: %s",
		    c == NULL && error.text != NULL ? error.text : "");
	} else if (!counts(tally, abt_case_area(c))) {
		abt_fault_end(&fault);
		abt_arena_end(&arena);
		return;
	} else {
		run_case(c, tally, &fault);
	}
	id = c != NULL ? abt_json_get(c, "id") : NULL;
	if (abt_fault_is_empty(&fault)) {
		tally->passed++;
	} else {
		tally->failed++;
		(void)printf("not ok %.*s (%s:%u)\n%.*s",
		    ABT_FMT(abt_json_is(id, ABT_JSON_STRING) ? id->text
							     : ABT_BYTES("?")),
		    file, number, ABT_FMT(abt_buf_bytes(&fault.text)));
	}
	abt_fault_end(&fault);
	abt_arena_end(&arena);
}

static bool
run_file(struct tally *tally, const char *file)
{
	struct abt_arena arena;
	struct abt_bytes text, line;
	unsigned number = 0;
	bool good;

	abt_arena_init(&arena, NULL);
	good = abt_case_slurp(file, &arena, &text);
	while (good && abt_bytes_next(&text, '\n', &line)) {
		number++;
		if (abt_bytes_trim(line).n > 0 &&
		    !abt_bytes_equal(line, ABT_BYTES("\r")))
			run_line(tally, file, number, line);
	}
	abt_arena_end(&arena);
	return good;
}

int
main(int argc, char **argv)
{
	struct tally tally = { 0 };
	bool good = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--sweep") == 0)
			tally.sweep = true;
		else if (strcmp(argv[i], "--round-trip") == 0)
			tally.round_trip = true;
		else if (strcmp(argv[i], "--no-process") == 0)
			tally.no_process = true;
		else if (strcmp(argv[i], "--areas") == 0 && i + 1 < argc)
			tally.areas = argv[++i];
		else
			good &= run_file(&tally, argv[i]);
	}
	(void)printf("%u passed, %u failed\n", tally.passed,
	    tally.failed + (good ? 0 : 1));
	return good && tally.failed == 0 ? 0 : 1;
}
