/*
 * test_rest_template.c - references in templates and parameters of REST APIs
 */
#include "dialect/rest_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A call: GET /dev/pets/7?q=a+b&evil=%0d%0aX:1, with headers. */
struct world {
	struct abt_arena arena;
	struct abt_rest_attributes attributes;
	struct abt_pair variable, param;
	struct abt_api api;
	struct abt_front front;
	struct abt_field fields[2];
	struct abt_request request;
	struct abt_call call;
};

static void
begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	abt_arena_init(&w->arena, NULL);
	w->attributes.compress_from = ABT_REST_COMPRESS_OFF;
	w->variable = (struct abt_pair){ ABT_BYTES("v"), ABT_BYTES("one") };
	w->api.stage = ABT_BYTES("dev");
	w->api.stage_variables = (struct abt_map){ &w->variable, 1 };
	w->front.attributes = &w->attributes;
	w->front.api = &w->api;
	w->front.account = ABT_BYTES("123456789012");
	w->fields[0] = (struct abt_field){ .name = ABT_BYTES("Accept"),
		.value = ABT_BYTES("text/html;q=1, application/xml"),
		.id = ABT_FIELD_ACCEPT };
	w->fields[1] = (struct abt_field){ .name = ABT_BYTES("X-A"),
		.value = ABT_BYTES("head") };
	w->request.method = ABT_BYTES("GET");
	w->request.path = ABT_BYTES("/dev/pets/7");
	w->request.query = ABT_BYTES("q=a+b&evil=%0d%0aX:1&q=last");
	w->request.body = ABT_BYTES("body\xff");
	w->request.headers = (struct abt_headers){ w->fields, 2, 2 };
	w->param = (struct abt_pair){ ABT_BYTES("id"), ABT_BYTES("7") };
	w->call.request = &w->request;
	w->call.front = &w->front;
	w->call.arena = &w->arena;
	w->call.match.params = &w->param;
	w->call.match.param_count = 1;
	w->call.match.resource = ABT_BYTES("/pets/{id}");
}

static const struct abt_rest_error error = { "BAD_REQUEST_BODY", 400,
	{ "say \"no\"", 8 } };

static void
test_render(void **state)
{
	static const struct {
		const char *template, *want;
	} rows[] = {
		{ "", "" },
		{ "plain $ text $5 $$ 100%", "plain $ text $5 $$ 100%" },
		{ "$context.httpMethod ${context.stage}!", "GET dev!" },
		{ "$context.resourcePath.", "/pets/{id}." },
		{ "$context.path/x", "/dev/pets/7/x" },
		{ "[$context.nothing][$!context.nothing]", "[][]" },
		{ "$stageVariables.v-$stageVariables.w", "" },
		{ "$stageVariables.v $stageVariables.w.", "one ." },
		{ "$input.params('id') $input.params(\"q\")", "7 last" },
		{ "$input.params('X-A') $input.params('no')", "head " },
		{ "$input.params('id $input.params()", "$input.params('id "
						       "$input.params()" },
		{ "$input.body", "body\xef\xbf\xbd" },
		{ "$method.request.header.x-a", "head" },
		{ "$unknown.thing ${context.stage", "$unknown.thing "
						    "${context.stage" },
		{ "$context.error.messageString", "\"say \\\"no\\\"\"" },
		{ "$context.error.responseType", "BAD_REQUEST_BODY" },
		{ "#set($a = 1)\n  ## hm\n#if($a)\nx\n#end\n", "x\n" },
		{ "a # b", "a # b" },
		{ "$context.identity.userAgent|$context.accountId",
		    "|123456789012" },
	};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct abt_bytes got = abt_rest_render(
		    &w.call, &error, abt_bytes_text(rows[i].template));

		/* a hyphen is part of a name */
		if (!abt_bytes_equal(got, abt_bytes_text(rows[i].want)))
			fail_msg(
			    "%s became %.*s", rows[i].template, ABT_FMT(got));
	}
	abt_arena_end(&w.arena);
}

static const struct abt_json *
tree(struct world *w, const char *text)
{
	struct abt_json_error why;
	const struct abt_json *json = abt_json_scan(
	    abt_bytes_text(text), ABT_JSON_DEPTH, &w->arena, &why);

	assert_non_null(json);
	return json;
}

static const struct abt_bytes *
header(const struct abt_response *response, const char *name)
{
	const struct abt_field *field =
	    abt_headers_named(&response->headers, abt_bytes_text(name));

	return field != NULL ? &field->value : NULL;
}

static void
test_headers(void **state)
{
	struct abt_response response = { .status = 200 };
	struct world w;

	(void)state;
	begin(&w);
	abt_rest_set_headers(&w.call, &error,
	    tree(&w,
		"{\"p.A\":\"'it''s'\",\"p.B\":\"method.request.querystring.q\","
		"\"p.C\":\"method.request.querystring.evil\",\"p.D\":\"no\","
		"\"p.E f\":\"'1'\",\"q.F\":\"'1'\",\"p.G\":1,"
		"\"p.H\":\"method.request.path.id\"}"),
	    ABT_BYTES("p."), &response);
	assert_int_equal(response.headers.count, 3);
	assert_true(
	    abt_bytes_equal(*header(&response, "A"), ABT_BYTES("it''s")));
	assert_true(
	    abt_bytes_equal(*header(&response, "B"), ABT_BYTES("last")));
	assert_true(abt_bytes_equal(*header(&response, "H"), ABT_BYTES("7")));
	abt_arena_end(&w.arena);
}

static void
test_which(void **state)
{
	const struct abt_json *map;
	struct world w;

	(void)state;
	begin(&w);
	map = tree(&w, "{\"a/b\":1,\"application/json\":2,\"text/HTML\":3}");
	assert_true(abt_bytes_equal(
	    abt_rest_for_type(map, ABT_BYTES(""))->text, ABT_BYTES("2")));
	assert_true(abt_bytes_equal(
	    abt_rest_for_type(map, ABT_BYTES("A/b ;x"))->text, ABT_BYTES("1")));
	assert_null(abt_rest_for_type(map, ABT_BYTES("c/d")));
	assert_null(abt_rest_for_type(NULL, ABT_BYTES("c/d")));
	assert_true(abt_bytes_equal(
	    abt_rest_for_accept(&w.call, map)->text, ABT_BYTES("3")));
	map = tree(&w, "{\"a/b\":1}");
	assert_true(abt_bytes_equal(
	    abt_rest_for_accept(&w.call, map)->text, ABT_BYTES("1")));
	assert_null(abt_rest_for_accept(&w.call, tree(&w, "{}")));
	abt_arena_end(&w.arena);
}

static void
test_customise(void **state)
{
	struct abt_response response = { .status = 400 };
	struct world w;

	(void)state;
	begin(&w);
	assert_false(abt_rest_customise(&w.call, &error, &response));
	w.attributes.gateway_responses = tree(&w,
	    "{\"DEFAULT_4XX\":{\"statusCode\":\"418\",\"responseParameters\":{"
	    "\"gatewayresponse.header.X\":\"'1'\"}},\"DEFAULT_5XX\":{}}");
	assert_false(abt_rest_customise(&w.call, &error, &response));
	assert_int_equal(response.status, 418);
	assert_non_null(header(&response, "X"));
	w.attributes.gateway_responses = tree(&w,
	    "{\"DEFAULT_4XX\":{\"statusCode\":418},\"BAD_REQUEST_BODY\":{"
	    "\"responseTemplates\":{\"text/html\":"
	    "\"<p>$context.error.message\"}}}");
	memset(&response, 0, sizeof(response));
	response.status = 400;
	assert_true(abt_rest_customise(&w.call, &error, &response));
	assert_int_equal(response.status, 400);
	assert_true(abt_bytes_equal(response.body, ABT_BYTES("<p>say \"no\"")));
	assert_true(abt_bytes_equal(
	    abt_headers_first(&response.ours, ABT_FIELD_CONTENT_TYPE)->value,
	    ABT_BYTES("text/html")));
	abt_arena_end(&w.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_customise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
