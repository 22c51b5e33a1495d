/*
 * cmd_event.c - a raw HTTP/1.x request becomes the event a function would get
 *
 * Nothing is served: the pure floors are called as the server calls them, with
 * the facts of the command line.
 */
#include "albatross.h"
#include "cli/event_all.h"
#include "cli/facts.h"
#include "cli/front.h"
#include "cli/input.h"
#include "cli/pretty.h"
#include "cli/verdict.h"
#include "config/api.h"
#include "http/h1_head.h"
#include "route/route.h"

#include <unistd.h>

#define REQUEST_MAX ((size_t)64 << 20)

struct event_options {
	struct abt_front_options front;
	struct abt_facts_options facts;
	struct abt_event_output {
		bool pretty;
		bool all;
	} output;
};

static const struct abt_option output_rows[] = {
	{ .name = "pretty",
	    .kind = ABT_BOOL,
	    .offset = offsetof(struct abt_event_output, pretty),
	    .flag = "p|pretty",
	    .help = "print the event on many lines" },
	{ .name = "all",
	    .kind = ABT_BOOL,
	    .offset = offsetof(struct abt_event_output, all),
	    .flag = "a|all",
	    .help = "show what every kind of front makes of the request, and "
		    "mark what differs" },
	ABT_OPTIONS_END,
};

static const struct abt_option_group groups[] = {
	{ "Output", output_rows, offsetof(struct event_options, output) },
	{ "Front", abt_front_option_rows,
	    offsetof(struct event_options, front) },
	{ "Facts", abt_facts_option_rows,
	    offsetof(struct event_options, facts) },
	{ NULL, NULL, 0 },
};

/* A front with one rule: everything goes to one function. */
static int
make_front(struct abt_cli *cli, const struct event_options *options,
    struct abt_front *front)
{
	struct abt_routes *routes = abt_arena_zero(&cli->arena, sizeof *routes);
	struct abt_route *route = abt_arena_zero(&cli->arena, sizeof *route);
	int rc;

	if (routes == NULL || route == NULL) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	route->action = ABT_FORWARD;
	route->function = route; /* something: nothing is invoked */
	route->target_group_arn = options->front.target_group_arn;
	if (route->target_group_arn.n == 0)
		route->target_group_arn =
		    abt_target_group_arn(&cli->arena, options->front.region,
			options->front.account, ABT_BYTES("function"));
	routes->routes = route;
	routes->count = 1;
	rc = abt_cli_front(cli, "event", &options->front, front);
	if (rc == 0 && front->api != NULL &&
	    abt_api_routes_make(&cli->source, &options->front, route, front) !=
		0)
		return ABT_EXIT_USAGE;
	if (front->api == NULL)
		front->routes = routes;
	return rc;
}

static int
print_event(struct abt_cli *cli, const struct event_options *options,
    struct abt_bytes event)
{
	struct abt_buf buf;
	int status = ABT_EXIT_OK;

	if (!options->output.pretty) {
		fwrite(event.p, 1, event.n, stdout);
		fputc('\n', stdout);
		return abt_cli_flush(cli, ABT_EXIT_OK);
	}
	abt_buf_init(&buf, NULL, SIZE_MAX / 2);
	abt_json_pretty(&buf, event);
	if (buf.failed)
		status = ABT_EXIT_BROKEN;
	else
		fwrite(buf.p, 1, buf.n, stdout);
	abt_buf_end(&buf);
	if (status != ABT_EXIT_OK) {
		abt_cli_no_memory(cli);
		return status;
	}
	return abt_cli_flush(cli, ABT_EXIT_OK);
}

static int
print_refusal(const struct abt_response *res, const struct abt_report *report)
{
	struct abt_verdict verdict = {
		.out = stderr,
		.color = abt_cli_color(STDERR_FILENO),
	};

	abt_verdict_client(&verdict, "refused; the client gets", res);
	fputc('\n', stderr);
	if (report->broken != NULL)
		abt_verdict_rule(&verdict, report->broken, report->where,
		    report->detail, false);
	return ABT_EXIT_BROKEN;
}

static int
print_incomplete(
    struct abt_cli *cli, const struct abt_call *call, struct abt_bytes raw)
{
	size_t head = abt_h1_head_end(raw, 0);
	size_t body = head < raw.n ? raw.n - head : 0;

	if (raw.n == 0)
		abt_cli_usage(cli, "there is no request: the input is empty");
	else if (head == 0)
		abt_cli_usage(cli,
		    "the request is not complete: no empty line ends its head; "
		    "end it with CR LF CR LF");
	else if (call->request != NULL &&
		 call->request->framing == ABT_BODY_LENGTH)
		abt_cli_usage(cli,
		    "the request is not complete: %zu of the %llu bytes that "
		    "Content-Length announces are there",
		    body, (unsigned long long)call->request->length);
	else
		abt_cli_usage(cli,
		    "the request is not complete: its chunked body does not "
		    "end; write 0 CR LF CR LF behind it");
	return ABT_EXIT_BROKEN;
}

static int
read_request(struct abt_cli *cli, struct abt_bytes *raw)
{
	const char *file = cli->operand_count > 0 ? cli->operands[0] : "-";

	return abt_cli_read(cli, file, REQUEST_MAX, raw) == 0 ? 0
							      : ABT_EXIT_USAGE;
}

static int
run_all(struct abt_cli *cli, const struct event_options *options)
{
	struct abt_bytes raw;

	if (abt_cli_given(cli, "dialect"))
		return abt_cli_usage(
		    cli, "--all is every dialect, --dialect one of them");
	if (read_request(cli, &raw) != 0)
		return ABT_EXIT_USAGE;
	return abt_event_all(cli, &options->front, &options->facts, raw);
}

static int
run(struct abt_cli *cli)
{
	const struct event_options *options = cli->options;
	struct abt_call call = { 0 };
	struct abt_front front = { 0 };
	struct abt_response response = { 0 };
	struct abt_report report;
	struct abt_bytes raw, event;
	int rc;

	if (cli->operand_count > 1)
		return abt_cli_usage(cli,
		    "one request at a time: %s is one file too many",
		    cli->operands[1]);
	if (options->output.all)
		return run_all(cli, options);
	rc = make_front(cli, options, &front);
	if (rc == 0)
		rc = abt_cli_facts(cli, &options->facts, &call);
	if (rc == 0)
		rc = read_request(cli, &raw);
	if (rc != 0)
		return rc;
	call.front = &front;
	abt_report_init(&report, &cli->arena);
	rc = abt_event_from_request(&call, raw, &event, &response, &report);
	if (abt_arena_failed(&cli->arena)) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	if (rc == 0)
		return print_event(cli, options, event);
	if (rc == 1)
		return print_refusal(&response, &report);
	return print_incomplete(cli, &call, raw);
}

const struct abt_command abt_cmd_event = {
	.name = "event",
	.operands = "[OPTION...] [FILE]",
	.summary =
	    "turn a raw HTTP request into the event a function would get",
	.about =
	    "Reads one HTTP/1.x request from FILE or standard input, byte for "
	    "byte as a client sends it, and prints the JSON event that the "
	    "front would give to its function. When the front refuses the "
	    "request, the broken rule is named on standard error and the exit "
	    "status is 1.",
	.examples = "printf 'GET /p?a=1 HTTP/1.1\\r\\nHost: "
		    "example.com\\r\\n\\r\\n' |\n"
		    "    albatross event --dialect alb --pretty\n"
		    "albatross event --dialect alb-multi --peer 192.0.2.1:5000 "
		    "request.txt\n"
		    "albatross event --dialect http-2.0 --route 'GET "
		    "/pets/{id}' request.txt\n"
		    "albatross event --all request.txt\n",
	.size = sizeof(struct event_options),
	.groups = groups,
	.attributes = true,
	.run = run,
};
