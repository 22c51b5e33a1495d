/*
 * cmd_check.c - a function's result becomes a verdict
 *
 * The dialect reads the result twice: once collecting everything it finds, once
 * as the server does, for what the client would see.
 */
#include "albatross.h"
#include "cli/facts.h"
#include "cli/front.h"
#include "cli/input.h"
#include "cli/verdict.h"
#include "http/h1_write.h"
#include "route/route.h"

#include <unistd.h>

#define RESULT_MAX ((size_t)64 << 20)

struct check_options {
	struct abt_front_options front;
	struct check_output {
		bool http;
		bool function_error;
		bool quiet;
		struct abt_bytes method;
	} output;
};

#define AT(member) offsetof(struct check_output, member)

static const struct abt_option output_rows[] = {
	{ .name = "http",
	    .kind = ABT_BOOL,
	    .offset = AT(http),
	    .flag = "http",
	    .help = "print the response as the client would get it, head and "
		    "body; the verdict goes to standard error" },
	{ .name = "quiet",
	    .kind = ABT_BOOL,
	    .offset = AT(quiet),
	    .flag = "q|quiet",
	    .help = "print no verdict, only set the exit status" },
	{ .name = "function_error",
	    .kind = ABT_BOOL,
	    .offset = AT(function_error),
	    .flag = "function-error",
	    .help = "the result is the error that a function reported" },
	{ .name = "method",
	    .kind = ABT_STRING,
	    .offset = AT(method),
	    .preset = "GET",
	    .flag = "method",
	    .argument = "METHOD",
	    .help = "the method of the request that is answered" },
	ABT_OPTIONS_END,
};

static const struct abt_option_group groups[] = {
	{ "Output", output_rows, offsetof(struct check_options, output) },
	{ "Front", abt_front_option_rows,
	    offsetof(struct check_options, front) },
	{ NULL, NULL, 0 },
};

/* The request that the result answers: GET / HTTP/1.1, Host: example.com. */
static void
make_request(struct abt_cli *cli, const struct check_options *options,
    struct abt_request *req)
{
	*req = (struct abt_request){
		.method = options->output.method,
		.target = ABT_BYTES("/"),
		.path = ABT_BYTES("/"),
		.version = 11,
		.keep_alive = true,
	};
	abt_headers_add_id(&req->headers, &cli->arena, ABT_FIELD_HOST,
	    ABT_BYTES("Host"), ABT_BYTES("example.com"));
}

static void
print_response(const struct check_options *options,
    const struct abt_response *res, struct abt_buf *head)
{
	bool bodiless =
	    abt_bytes_equal(options->output.method, ABT_BYTES("HEAD"));

	abt_h1_write_head(head, res, res->close ? "close" : "keep-alive");
	fwrite(head->p, 1, head->n, stdout);
	if (!bodiless)
		fwrite(res->body.p != NULL ? res->body.p : "", 1, res->body.n,
		    stdout);
}

static void
print_verdict(const struct check_options *options, const char *file,
    const struct abt_verdict *verdict, const struct abt_report *report)
{
	const struct abt_finding *last = report->last;

	if (options->output.quiet)
		return;
	abt_verdict_head(verdict, file, report);
	abt_verdict_findings(verdict, report);
	/* A break without memory for its finding, or a flagged result. */
	if (report->broken != NULL && last == NULL)
		abt_verdict_rule(verdict, report->broken, report->where,
		    report->detail, false);
}

/* Read the result as the server does, then collect all that is wrong. */
static int
judge(const struct check_options *options, struct abt_call *call,
    struct abt_verdict *verdict, struct abt_response *seen,
    struct abt_report *report, struct abt_json_error *error)
{
	struct abt_response ignored = { 0 };
	struct abt_report first;
	int rc;

	abt_report_init(&first, call->arena);
	rc = abt_response_from_result(call, verdict->source,
	    options->output.function_error, seen, &first);
	if (options->output.function_error) {
		*report = first;
		return rc;
	}
	verdict->root =
	    abt_json_scan(verdict->source, ABT_JSON_DEPTH, call->arena, error);
	if (verdict->root == NULL)
		verdict->error = error;
	report->collect = true;
	if (call->front->dialect->read_result(call, verdict->source,
		verdict->root, error, &ignored, report) != 0)
		rc = -1;
	return rc;
}

static int
check(struct abt_cli *cli, struct abt_call *call, const char *file)
{
	const struct check_options *options = cli->options;
	bool standard = strcmp(file, "-") == 0;
	FILE *out = options->output.http ? stderr : stdout;
	struct abt_verdict verdict = {
		.out = out,
		.color = abt_cli_color(fileno(out)),
		.file = standard ? "stdin" : file,
	};
	struct abt_response seen = { 0 };
	struct abt_json_error error = { 0 };
	struct abt_report report;
	struct abt_buf head;
	int rc;

	if (abt_cli_read(cli, file, RESULT_MAX, &verdict.source) != 0)
		return ABT_EXIT_USAGE;
	abt_report_init(&report, &cli->arena);
	rc = judge(options, call, &verdict, &seen, &report, &error);
	if (abt_arena_failed(&cli->arena)) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	verdict.response = &seen;
	print_verdict(options, standard ? "stdin" : file, &verdict, &report);
	if (options->output.http) {
		abt_buf_init(&head, NULL, SIZE_MAX / 2);
		print_response(options, &seen, &head);
		abt_buf_end(&head);
	}
	return rc == 0 ? ABT_EXIT_OK : ABT_EXIT_BROKEN;
}

static int
run(struct abt_cli *cli)
{
	const struct check_options *options = cli->options;
	struct abt_facts_options chance = { .peer = ABT_BYTES("127.0.0.1") };
	struct abt_front front = { 0 };
	struct abt_request request;
	struct abt_call call = { .front = &front, .request = &request };
	int rc, worst = 0;

	rc = abt_cli_front(cli, "check", &options->front, &front);
	if (rc == 0)
		rc = abt_cli_facts(cli, &chance, &call);
	if (rc != 0)
		return rc;
	make_request(cli, options, &request);
	if (cli->operand_count == 0)
		worst = check(cli, &call, "-");
	for (size_t i = 0; i < cli->operand_count; i++) {
		rc = check(cli, &call, cli->operands[i]);
		if (rc > worst)
			worst = rc;
	}
	return abt_cli_flush(cli, worst);
}

const struct abt_command abt_cmd_check = {
	.name = "check",
	.operands = "[OPTION...] [FILE...]",
	.summary = "say what is wrong with a function's result, and why",
	.about =
	    "Reads the JSON that a function returned from each FILE or "
	    "standard "
	    "input and says what the front makes of it: every rule that is "
	    "broken, where, what stands there, what the client would see and "
	    "how to mend it. The exit status is 0 when all are good, 1 when "
	    "one is broken, 2 when a file cannot be read.",
	.examples = "echo '{\"statusCode\": \"200\"}' | albatross check "
		    "--dialect alb\n"
		    "albatross check --dialect alb-multi --http result.json\n",
	.size = sizeof(struct check_options),
	.groups = groups,
	.attributes = true,
	.run = run,
};
