/*
 * report_case.h - cases of lambda.md 12 that format a log line
 */
#ifndef ABT_TESTS_REPORT_CASE_H
#define ABT_TESTS_REPORT_CASE_H

#include "lib/case_file.h"

void abt_report_case_run(const struct abt_json *c, struct abt_fault *fault);

#endif
