/*
 * test_load.c - the albatross file becomes a setup, or a list of errors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/load.h"
#include "config/print_setup.h"
#include "config/schema.h"
#include "route/api_routes.h"
#include "route/route.h"

/* A front and a function around the part that is tested. */
#define LISTENERS "\"listeners\": [{\"address\": \"127.0.0.1:0\"}],"
#define FUNCTION  "\"functions\": {\"api\": {\"command\": [\"cat\"]}}"
#define FRONT(members) \
	"{" LISTENERS "\"fronts\": {\"shop\": {" members "}}," FUNCTION "}"
#define RULES(rules) FRONT("\"rules\": [" rules "]")

static char said[8192];

static void
complain(void *context, const char *sentence)
{
	size_t n = strlen(said);

	(void)context;
	snprintf(said + n, sizeof said - n, "%s\n", sentence);
}

static struct abt_setup *
load(const char *text)
{
	said[0] = '\0';
	return abt_load_text("a.json", abt_bytes_text(text), complain, NULL);
}

static void
assert_text(struct abt_bytes got, const char *expected)
{
	char text[512];

	snprintf(text, sizeof text, "%.*s", ABT_FMT(got));
	assert_string_equal(text, expected);
}

/* Exactly the sentences |expected|, and no setup. */
static void
assert_refused(const char *text, const char *expected)
{
	assert_null(load(text));
	assert_string_equal(said, expected);
}

static void
a_whole_file_is_read(void **state)
{
	struct abt_setup *setup = load(
	    "// comments are fine\n"
	    "{ \"listeners\": [\n"
	    "  {\"address\": \"127.0.0.1:8080\", \"front\": \"shop\","
	    "   \"proxy_protocol\": [\"10.0.0.0/8\", \"::1\"]},\n"
	    "  {\"address\": \"[::1]:8443\", \"front\": \"shop\","
	    "   \"tls\": true}],\n"
	    "\"fronts\": {\"shop\": {\"dialect\": \"alb\",\n"
	    "  \"attributes\": {\n"
	    "    \"routing.http.desync_mitigation_mode\": \"strictest\",\n"
	    "    \"idle_timeout.timeout_seconds\": \"30\"},\n"
	    "  \"rules\": [\n"
	    "    {\"path\": \"/api/*\", \"function\": \"api\"},\n"
	    "    {\"function\": \"pages\"},\n"
	    "    {\"host\": [\"old.example.com\"],\n"
	    "     \"redirect\": {\"status\": 301,\n"
	    "       \"host\": \"www.example.com\"}},\n"
	    "    {\"path\": [\"/health\"], \"priority\": 1000,\n"
	    "     \"fixed_response\": {\"status\": 200, \"body\": \"ok\"}}\n"
	    "  ]}},\n"
	    "\"functions\": {\n"
	    "  \"api\": {\"command\": [\"cat\"], \"timeout\": \"30s\",\n"
	    "    \"concurrency\": 4, \"environment\": {\"TABLE\": \"x\"}},\n"
	    "  \"pages\": {\"command\": {\"command\": \"tac\"},\n"
	    "    \"target_group_arn\": \"arn:pages\"}},\n"
	    "\"explain\": true, \"loops\": 2, \"drain\": \"5s\",\n"
	    "\"access_log\": \"logs/access\",\n"
	    "\"log\": {\"level\": \"debug\", \"format\": \"json\"}}");
	const struct abt_route *routes;

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(setup);
	assert_int_equal(setup->listener_count, 2);
	assert_text(setup->listeners[0].address, "127.0.0.1:8080");
	assert_int_equal(setup->listeners[0].proxy_source_count, 2);
	assert_true(setup->listeners[1].tls);
	assert_int_equal(setup->listeners[1].certificate_count, 0);
	assert_ptr_equal(setup->listeners[1].front, setup->fronts);
	assert_int_equal(setup->fronts[0].policy.mode, ABT_STRICTEST);
	assert_int_equal(setup->fronts[0].policy.keep_alive_ms, 30000);
	assert_true(setup->fronts[0].explain);
	assert_text(setup->fronts[0].dns_name,
	    "shop-123456789.us-east-1.elb.amazonaws.com");
	assert_int_equal(setup->fronts[0].routes->count, 4);
	routes = setup->fronts[0].routes->routes;
	assert_int_equal(routes[0].priority, 1);
	assert_text(routes[0].paths[0], "/api/*");
	assert_ptr_equal(routes[0].function, setup->functions[0]);
	assert_true(abt_bytes_starts(routes[0].target_group_arn,
	    ABT_BYTES("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
		      "targetgroup/api/")));
	assert_int_equal(routes[1].priority, 2);
	assert_int_equal(routes[1].action, ABT_REDIRECT);
	assert_int_equal(routes[1].redirect.status, 301);
	assert_text(routes[1].redirect.path, "/#{path}");
	assert_int_equal(routes[2].priority, 1000);
	assert_text(routes[2].fixed.body, "ok");
	assert_int_equal(routes[3].priority, 0);
	assert_text(routes[3].target_group_arn, "arn:pages");
	assert_int_equal(setup->functions[0]->options.timeout_ms, 30000);
	assert_int_equal(setup->functions[0]->options.concurrency, 4);
	assert_int_equal(setup->loops, 2);
	assert_int_equal(setup->drain_ms, 5000);
	assert_text(setup->access_log, "./logs/access");
	assert_int_equal(setup->log_level, ABT_LOG_DEBUG);
	assert_true(setup->log_json);
	abt_setup_free(setup);
}

static void
shorthands_work(void **state)
{
	struct abt_setup *setup = load(FRONT("\"dialect\": \"alb-multi\","
					     "\"function\": \"api\""));
	struct abt_setup *again;

	(void)state;
	assert_string_equal(said, "");
	assert_int_equal(setup->fronts[0].routes->count, 1);
	assert_int_equal(setup->fronts[0].routes->routes[0].priority, 0);
	assert_ptr_equal(
	    abt_setup_function(setup, ABT_BYTES("api")), setup->functions[0]);
	assert_null(abt_setup_function(setup, ABT_BYTES("ap")));
	/* A front without anything forwards nowhere. */
	again = load(FRONT(""));
	assert_int_equal(again->fronts[0].routes->count, 0);
	/* The content tells whether a function changed. */
	assert_string_equal(
	    setup->functions[0]->content, again->functions[0]->content);
	abt_setup_free(again);
	abt_setup_free(setup);
	setup = load(RULES("{\"function\": null}"));
	assert_non_null(setup);
	assert_null(setup->fronts[0].routes->routes[0].function);
	abt_setup_free(setup);
}

static void
errors_tell_place_and_cure(void **state)
{
	static const struct {
		const char *json, *said;
	} table[] = {
		{ "{", "a.json:1:2: the text ends too early\n" },
		{ RULES("{\"function\": \"apy\"}"),
		    "a.json:1:87: there is no function \"apy\", did you mean "
		    "\"api\"?\n" },
		{ RULES("{\"function\": \"zebra\"}"),
		    "a.json:1:87: there is no function \"zebra\"; describe it "
		    "in \"functions\"\n" },
		{ RULES("{\"path\": [\"/a\"]}"),
		    "a.json:1:74: a rule has one action, this one has none: "
		    "write \"function\", \"redirect\" or "
		    "\"fixed_response\"\n" },
		{ RULES("{\"path\": \"api\", \"function\": \"api\"}"),
		    "a.json:1:83: \"api\" matches no path: paths begin with "
		    "\"/\"\n" },
		{ RULES("{\"path\": \"/a b\", \"function\": \"api\"}"),
		    "a.json:1:83: \"/a b\" has a byte that an ALB takes in no "
		    "\"path\" pattern: allowed are letters, digits and "
		    "_-.$/~\"'@:+&*?\n" },
		{ RULES("{\"path\": \"/******\", \"function\": \"api\"}"),
		    "a.json:1:74: the rule has 6 wildcards, an ALB takes 5\n" },
		{ RULES("{\"path\": [\"/a\",\"/b\",\"/c\",\"/d\"],"
			"\"function\": \"api\"}"),
		    "a.json:1:83: \"path\" has 4 values, an ALB takes 3 in a "
		    "condition; write another rule\n" },
		{ RULES("{\"host\": \"localhost\", \"function\": \"api\"}"),
		    "a.json:1:83: \"localhost\" is no host for an ALB: it "
		    "needs a dot, and only letters behind the last one; "
		    "\"limits\": \"off\" allows it\n" },
		{ RULES("{\"function\": \"api\"},{\"function\": \"api\"}"),
		    "a.json:1:94: a rule without conditions is the default "
		    "action, and there is one already\n" },
		{ RULES("{\"path\": \"/a\", \"function\": \"api\","
			"\"priority\": 2},"
			"{\"path\": \"/b\", \"function\": \"api\","
			"\"priority\": 2}"),
		    "a.json:1:167: priority 2 stands twice; each rule needs "
		    "its own\n" },
		{ RULES("{\"redirect\": {\"status\": 301}}"),
		    "a.json:1:87: the redirect leads back to where it came "
		    "from: change protocol, host, port or path\n" },
		{ RULES("{\"redirect\": {\"status\": 303}}"),
		    "a.json:1:98: \"status\" must be \"301\", \"302\", "
		    "\"HTTP_301\" or \"HTTP_302\", not \"303\"; did you mean "
		    "\"301\"?\n" },
		{ RULES("{\"redirect\": {\"status\": 301, \"host\": "
			"\"#{path}\"}}"),
		    "a.json:1:111: \"host\" cannot hold \"#{path}\"; keywords "
		    "are #{protocol}, #{host}, #{port}, #{path} and #{query}, "
		    "each where an ALB takes it\n" },
		{ RULES("{\"fixed_response\": {\"status\": 301}}"),
		    "a.json:1:104: \"status\" must be 2xx, 4xx or 5xx; for a "
		    "3xx write \"redirect\"\n" },
		{ FRONT("\"stage\": \"dev\", \"function\": \"api\""),
		    "a.json:1:64: a front of the dialect alb has no "
		    "\"stage\"\n" },
		{ FRONT("\"dialect\": \"http-2.0\", \"routes\": {\"GET pets\": "
			"\"api\"}"),
		    "a.json:1:98: the route \"GET pets\" has a path that does "
		    "not begin with \"/\"\n" },
		{ FRONT("\"dialect\": \"http-2.0\", \"routes\": {\"GET /\": "
			"\"apo\"}"),
		    "a.json:1:107: there is no function \"apo\", did you mean "
		    "\"api\"?\n" },
		{ FRONT("\"dialect\": \"url\", \"function\": \"api\", "
			"\"attributes\": {\"InvokeMode\": \"STREAM\"}"),
		    "a.json:1:130: \"InvokeMode\" must be \"BUFFERED\" or "
		    "\"RESPONSE_STREAM\", not \"STREAM\"\n" },
		{ FRONT("\"dialect\": \"http-1.0\", \"function\": \"api\", "
			"\"attributes\": {\"cors\": {\"AllowOrigins\": "
			"[\"*\"], \"AllowCredentials\": true}}"),
		    "a.json:1:120: \"AllowCredentials\" cannot stand with the "
		    "origin \"*\"; list the origins\n" },
		{ FRONT("\"account\": \"1\", \"function\": \"api\""),
		    "a.json:1:75: \"account\" must be 12 digits like "
		    "123456789012, not \"1\"\n" },
		{ FRONT("\"attributes\": {\"routing.http.desync\": 1}"),
		    "a.json:1:79: unknown key \"routing.http.desync\"; the "
		    "manual is `albatross help config`\n" },
		{ FRONT("\"multi_value_headers\": true"),
		    "a.json:1:64: \"multi_value_headers\" is an attribute, "
		    "write \"attributes\": { "
		    "\"lambda.multi_value_headers.enabled\": ... }\n" },
		{ "{" LISTENERS "\"fronts\": {\"shop\": {\"function\": "
		  "\"a\"}}, \"functions\": {\"a\": {\"command\": "
		  "[\"no-such-program\"]}}}",
		    "a.json:1:114: function \"a\": no folder of PATH has a "
		    "program no-such-program\n" },
		{ "{" LISTENERS "\"fronts\": {\"shop\": {\"function\": "
		  "\"a\"}}, \"functions\": {\"a\": {\"timeout\": 3}}}",
		    "a.json:1:102: function \"a\" does not say how it runs: "
		    "write \"handler\": \"app.handler\", or \"runtime\", "
		    "\"command\", \"cgi\", \"fastcgi\" or \"mock\" with what "
		    "to run\n" },
		{ "{" LISTENERS "\"fronts\": {\"shop\": {\"function\": "
		  "\"a\"}}, \"functions\": {\"a\": {\"command\": [\"x\"], "
		  "\"runtime\": [\"y\"]}}}",
		    "a.json:1:121: a function runs in one way: keep "
		    "\"command\" or \"runtime\"\n" },
		{ "{" LISTENERS "\"fronts\": {\"shop\": {\"function\": "
		  "\"a\"}}, \"functions\": {\"a\": {\"command\": [\"cat\"], "
		  "\"root\": \"nowhere\"}}}",
		    "a.json:1:131: the function's folder ./nowhere: No such "
		    "file or directory\n" },
		{ "{" LISTENERS "\"fronts\": {\"shop\": {\"function\": "
		  "\"a\"}}, \"functions\": {\"a\": {\"command\": [\"cat\"], "
		  "\"env_file\": \"no.env\"}}}",
		    "a.json:1:135: cannot open ./no.env: No such "
		    "file or directory\n" },
		{ "{\"listeners\": [{\"address\": \"8080\"}], \"fronts\": "
		  "{\"shop\": {}}}",
		    "a.json:1:28: \"8080\" is no address; write "
		    "\"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/path\"\n" },
		{ "{\"listeners\": [{\"address\": \"[::1]:1\", \"front\": "
		  "\"shot\"}], \"fronts\": {\"shop\": {}}}",
		    "a.json:1:48: there is no front \"shot\", did you mean "
		    "\"shop\"?\n" },
		{ "{\"listeners\": [{\"address\": \"[::1]:1\"}, "
		  "{\"address\": \"[::1]:1\"}], \"fronts\": {\"shop\": {}}}",
		    "a.json:1:52: two listeners have the address "
		    "\"[::1]:1\"\n" },
		{ "{\"listeners\": [{\"address\": \"[::1]:1\", "
		  "\"proxy_protocol\": [\"10.0.0.1/8\"]}], \"fronts\": "
		  "{\"shop\": {}}}",
		    "a.json:1:58: \"10.0.0.1/8\" is no range of addresses; "
		    "write \"10.0.0.0/8\" or \"::1/128\", without bits behind "
		    "the mask\n" },
		{ "{\"listeners\": [{\"address\": \"[::1]:1\", \"tls\": "
		  "{\"certificate\": \"no.pem\", \"key\": \"/no/key\"}}], "
		  "\"fronts\": {\"shop\": {}}}",
		    "a.json:1:62: cannot open ./no.pem: No such file or "
		    "directory\n"
		    "a.json:1:79: cannot open /no/key: No such file or "
		    "directory\n" },
		{ "{\"listener\": []}",
		    "a.json:1:2: unknown key \"listener\", did you mean "
		    "\"listeners\"?\n"
		    "a.json:1:1: there is no front; write \"fronts\": { "
		    "\"main\": { \"dialect\": \"alb\", \"function\": \"...\" } "
		    "}\n"
		    "a.json:1:1: \"listeners\" must be a list with at least "
		    "one: { \"address\": \"127.0.0.1:8080\" }\n" },
		{ "[]", "a.json:1:1: here must be an object, not an array\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		assert_refused(table[i].json, table[i].said);
}

/* The list grows with every dialect: its beginning is enough. */
static void
an_unknown_dialect_lists_the_known(void **state)
{
	const char *begin = "a.json:1:75: there is no dialect \"elb\"; there "
			    "are: alb, alb-multi, ";

	(void)state;
	assert_null(load(FRONT("\"dialect\": \"elb\", \"function\": \"api\"")));
	assert_memory_equal(said, begin, strlen(begin));
	assert_non_null(strstr(said, "http-2.0"));
}

static void
limits_can_be_off(void **state)
{
	struct abt_setup *setup = load(
	    FRONT("\"limits\": \"off\", \"rules\": [{\"host\": \"localhost\","
		  "\"path\": [\"/a b\",\"/b\",\"/c\",\"/d\"],"
		  "\"function\": \"api\"}]"));

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(setup);
	abt_setup_free(setup);
}

/* What is printed makes the same setup again. */
static const struct abt_api_route *
api_route(const struct abt_setup *setup, size_t i)
{
	return &setup->fronts[0].api->routes->routes[i];
}

static void
apis_have_routes(void **state)
{
	struct abt_setup *setup;

	(void)state;
	setup = load(FRONT("\"dialect\": \"http-2.0\", \"stage\": \"dev\", "
			   "\"api_id\": \"abcde12345\", \"routes\": {"
			   "\"$default\": \"api\", \"GET /pets/{id}\": "
			   "\"api\"}"));
	assert_non_null(setup);
	assert_int_equal(setup->fronts[0].api->routes->count, 2);
	assert_text(api_route(setup, 0)->key, "GET /pets/{id}");
	assert_text(setup->fronts[0].dns_name,
	    "abcde12345.execute-api.us-east-1.amazonaws.com");
	assert_true(setup->fronts[0].api->stage_in_path);
	assert_int_equal(setup->fronts[0].api->timeout_ms, 30000);
	abt_setup_free(setup);
	setup = load(FRONT("\"dialect\": \"url\", \"function\": \"api\""));
	assert_non_null(setup);
	assert_int_equal(setup->fronts[0].api->routes->count, 1);
	assert_int_equal(setup->fronts[0].api->api_id.n, 32);
	abt_setup_free(setup);
}

static void
printing_is_reading(void **state)
{
	struct abt_setup *setup =
	    load(RULES("{\"path\": \"/a*\", \"function\": \"api\"},"
		       "{\"redirect\": {\"status\": 302, \"port\": \"1\"}}"));
	struct abt_setup *again;
	struct abt_json_out out;
	struct abt_buf first, second;

	(void)state;
	assert_non_null(setup);
	abt_buf_init(&first, NULL, 1 << 20);
	abt_json_out_init(&out, &first);
	abt_setup_print(&out, setup);
	abt_buf_char(&first, '\0');
	again = load(first.p);
	assert_string_equal(said, "");
	assert_non_null(again);
	abt_buf_init(&second, NULL, 1 << 20);
	abt_json_out_init(&out, &second);
	abt_setup_print(&out, again);
	abt_buf_char(&second, '\0');
	assert_string_equal(first.p, second.p);
	abt_buf_end(&first);
	abt_buf_end(&second);
	abt_setup_free(setup);
	abt_setup_free(again);
}

static void
missing_files_are_named(void **state)
{
	(void)state;
	said[0] = '\0';
	assert_null(abt_load_file("/nowhere/a.json", complain, NULL));
	assert_string_equal(
	    said, "cannot open /nowhere/a.json: No such file or directory\n");
}

/* The n-th allocation fails, for every n: an error, never a crash. */
static void
memory_may_run_out(void **state)
{
	static const char text[] =
	    FRONT("\"rules\": [{\"path\": \"/a\", \"function\": \"api\"}]");
	struct abt_setup *setup = NULL;
	unsigned long n = 0;

	(void)state;
	while (setup == NULL && ++n < 1000) {
		said[0] = '\0';
		abt_memory_fail_at(n);
		setup = abt_load_text(
		    "a.json", abt_bytes_text(text), complain, NULL);
		abt_memory_fail_at(0);
		assert_int_equal(setup == NULL, said[0] != '\0');
	}
	assert_true(n > 2);
	assert_non_null(setup);
	abt_setup_free(setup);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(shorthands_work),
		cmocka_unit_test(errors_tell_place_and_cure),
		cmocka_unit_test(an_unknown_dialect_lists_the_known),
		cmocka_unit_test(limits_can_be_off),
		cmocka_unit_test(apis_have_routes),
		cmocka_unit_test(printing_is_reading),
		cmocka_unit_test(missing_files_are_named),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
