/*
 * test_inverse.c - events become requests, responses become results
 *
 * Round trips of all cases are in tests/cases --round-trip; here are exact
 * texts, and events that nobody should trust.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "albatross/dialect.h"
#include "lib/guard.h"

static struct abt_arena arena;
static struct abt_origin origin;
static struct abt_request req;
static struct abt_report report;

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

static int
read_event(const char *text)
{
	struct abt_json_error error;
	const struct abt_json *tree =
	    abt_json_scan(abt_bytes_text(text), ABT_JSON_DEPTH, &arena, &error);

	assert_non_null(tree);
	abt_report_init(&report, &arena);
	return abt_request_from_event(tree, &arena, &origin, &req, &report);
}

static void
is(struct abt_bytes got, const char *expected)
{
	assert_int_equal(got.n, strlen(expected));
	assert_memory_equal(got.p, expected, got.n);
}

static const char *
header(const char *name)
{
	const struct abt_field *field =
	    abt_headers_named(&req.headers, abt_bytes_text(name));

	return field != NULL ? abt_arena_text(&arena, field->value) : NULL;
}

static void
refused(const char *text, enum abt_rule_id rule)
{
	assert_int_equal(read_event(text), -1);
	assert_ptr_equal(report.broken, &abt_rules[rule]);
}

#define ALB "\"requestContext\":{\"elb\":{\"targetGroupArn\":\"arn\"}},"
#define V2(x)                                                          \
	"{\"version\":\"2.0\",\"requestContext\":{" x "\"http\":{"     \
	"\"method\":\"GET\",\"path\":\"/\",\"protocol\":\"HTTP/1.0\"," \
	"\"sourceIp\":\"192.0.2.1\"},\"stage\":\"dev\","               \
	"\"timeEpoch\":1700000000123,\"requestId\":\"id-1\"},"

/* ---- events ---- */

static void
alb_events(void **state)
{
	(void)state;
	assert_int_equal(
	    read_event(
		"{" ALB "\"httpMethod\":\"POST\",\"path\":\"/a%20b\","
		"\"queryStringParameters\":{\"x\":\"1%2B\",\"y\":\"\"},"
		"\"headers\":{\"host\":\"h:81\",\"content-length\":\"99\","
		"\"transfer-encoding\":\"chunked\","
		"\"x-forwarded-for\":\"1.1.1.1, 192.0.2.9:5000\","
		"\"x-forwarded-port\":\"81\","
		"\"x-forwarded-proto\":\"https\",\"x-amzn-trace-id\":"
		"\"Root=1-65540000-012345678901234567890123\"},"
		"\"body\":\"aGk=\",\"isBase64Encoded\":true}"),
	    0);
	assert_string_equal(origin.dialect->name, "alb");
	assert_false(origin.multi_value);
	is(req.method, "POST");
	is(req.target, "/a%20b?x=1%2B&y=");
	is(req.body, "hi");
	is(origin.facts.peer_ip, "192.0.2.9");
	is(origin.host, "h:81");
	assert_true(origin.facts.tls);
	assert_int_equal(origin.facts.listener_port, 81);
	assert_int_equal(origin.facts.epoch_us, INT64_C(0x65540000) * 1000000);
	/* what would let a request be read as two */
	assert_string_equal(header("content-length"), "2");
	assert_null(header("transfer-encoding"));
	assert_int_equal(req.framing, ABT_BODY_LENGTH);
	assert_int_equal(req.length, 2);
}

static void
addresses(void **state)
{
	static const struct {
		const char *sent, *peer;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "::1, 2001:db8::2", "2001:db8::2" },
		{ "[2001:db8::2]:443", "2001:db8::2" },
		{ "a,b , 192.0.2.1:1", "192.0.2.1" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *event = abt_arena_printf(&arena,
		    "{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\","
		    "\"headers\":{\"x-forwarded-for\":\"%s\"}}",
		    rows[i].sent)
					.p;

		assert_int_equal(read_event(event), 0);
		is(origin.facts.peer_ip, rows[i].peer);
	}
}

static void
alb_lists(void **state)
{
	(void)state;
	assert_int_equal(
	    read_event("{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\","
		       "\"multiValueQueryStringParameters\":"
		       "{\"x\":[\"1\",\"2\"],\"y\":[]},"
		       "\"multiValueHeaders\":{\"a\":[\"b\",\"c\"]},"
		       "\"headers\":null,\"body\":\"\"}"),
	    0);
	assert_true(origin.multi_value);
	is(req.query, "x=1&x=2");
	assert_int_equal(req.headers.count, 2);
	is(req.headers.fields[1].value, "c");
	assert_int_equal(req.framing, ABT_BODY_NONE);
}

static void
rest_events(void **state)
{
	(void)state;
	assert_int_equal(
	    read_event("{\"resource\":\"/{proxy+}\",\"path\":\"/a\","
		       "\"httpMethod\":\"GET\",\"multiValueHeaders\":null,"
		       "\"headers\":{\"A\":\"b\"},"
		       "\"multiValueQueryStringParameters\":"
		       "{\"q\":[\"a b&c=d+%\"],\"n=\":[\"\"]},"
		       "\"requestContext\":{\"path\":\"/dev/a\","
		       "\"stage\":\"dev\",\"requestTimeEpoch\":1,"
		       "\"identity\":{\"sourceIp\":\"192.0.2.3\"},"
		       "\"requestId\":\"r\"},\"body\":null}"),
	    0);
	assert_string_equal(origin.dialect->name, "rest");
	is(req.target, "/dev/a?q=a%20b%26c=d%2B%25&n%3D=");
	is(origin.prefix, "/dev");
	is(origin.stage, "dev");
	is(origin.facts.peer_ip, "192.0.2.3");
	assert_string_equal(origin.facts.request_id, "r");
	assert_int_equal(origin.facts.epoch_us, 1000);
	assert_string_equal(header("a"), "b");
}

static void
v2_events(void **state)
{
	(void)state;
	assert_int_equal(
	    read_event(V2("") "\"rawPath\":\"/dev/a b\\u00e4?%2\","
			      "\"rawQueryString\":\"x=%20&y\","
			      "\"cookies\":[\"a=1\",\"b=2\"],"
			      "\"headers\":{\"content-length\":\"0\"}}"),
	    0);
	assert_string_equal(origin.dialect->name, "http-2.0");
	is(req.target, "/dev/a%20b%C3%A4%3F%252?x=%20&y");
	is(origin.prefix, "/dev");
	assert_int_equal(req.version, 10);
	assert_string_equal(header("cookie"), "a=1; b=2");
	assert_string_equal(header("content-length"), "0");
	assert_int_equal(origin.facts.epoch_us, INT64_C(1700000000123000));
}

static void
url_events(void **state)
{
	(void)state;
	assert_int_equal(
	    read_event(V2(
		"\"accountId\":\"anonymous\",") "\"rawPath\":\"/"
						"a%20b\",\"rawQueryString\":"
						"\"\","
						"\"cookies\":[\"a=1\",\"b=2\"],"
						"\"headers\":{\"cookie\":\"a=1,"
						"b=2\"}}"),
	    0);
	assert_string_equal(origin.dialect->name, "url");
	is(req.target, "/a%20b");
	assert_null(req.query.p);
	assert_string_equal(header("cookie"), "a=1; b=2"); /* two lines */
	assert_int_equal(read_event(V2("\"domainName\":\"x.lambda-url.r.on."
				       "aws\",") "\"rawPath\":\"/"
						 "\",\"cookies\":[\"a=1\",\"b="
						 "2\"],"
						 "\"headers\":{\"cookie\":\"a="
						 "1;b=2\"}}"),
	    0);
	assert_string_equal(header("cookie"), "a=1;b=2"); /* one */
}

static void
nobody_s_events(void **state)
{
	(void)state;
	refused("[]", ABT_RULE_EVENT_UNKNOWN);
	refused("{}", ABT_RULE_EVENT_UNKNOWN);
	refused("{\"Records\":[{}]}", ABT_RULE_EVENT_UNKNOWN);
	/* an authorizer's, a WebSocket's */
	refused("{\"type\":\"REQUEST\",\"methodArn\":\"arn\",\"path\":\"/\","
		"\"httpMethod\":\"GET\",\"requestContext\":{}}",
	    ABT_RULE_EVENT_UNKNOWN);
	refused("{\"headers\":{},\"requestContext\":{\"connectionId\":\"c\"}}",
	    ABT_RULE_EVENT_UNKNOWN);
}

/* Whoever may invoke the function writes what he likes. */
static void
hostile_events(void **state)
{
	(void)state;
#define WITH(path, headers)                             \
	"{" ALB "\"httpMethod\":\"GET\",\"path\":" path \
	",\"headers\":{" headers "}}"
	refused(WITH("\"/\"", "\"a\":\"b\\r\\nx: y\""), ABT_RULE_EVENT_HEADER);
	refused(WITH("\"/\"", "\"a\":\"b\\u0000\""), ABT_RULE_EVENT_HEADER);
	refused(WITH("\"/\"", "\"a\\r\\nb\":\"c\""), ABT_RULE_EVENT_HEADER);
	refused(WITH("\"/\"", "\"a b\":\"c\""), ABT_RULE_EVENT_HEADER);
	refused(WITH("\"/\"", "\"\":\"c\""), ABT_RULE_EVENT_HEADER);
	refused(WITH("\"/\"", "\"a\":1"), ABT_RULE_EVENT_SHAPE);
	refused(WITH("\"/\"", "\"a\":[\"b\"]"), ABT_RULE_EVENT_SHAPE);
	refused(WITH("\"a\"", ""), ABT_RULE_EVENT_PATH);
	refused(WITH("\"\"", ""), ABT_RULE_EVENT_PATH);
	refused(WITH("null", ""), ABT_RULE_EVENT_PATH);
	assert_int_equal(
	    read_event(WITH("\"/a HTTP/1.1\\r\\nx: y\\u0000?z\"", "")), 0);
	is(req.target, "/a%20HTTP/1.1%0D%0Ax:%20y%00%3Fz");
	refused("{" ALB "\"httpMethod\":\"GET /\",\"path\":\"/\"}",
	    ABT_RULE_EVENT_METHOD);
	refused("{" ALB "\"path\":\"/\"}", ABT_RULE_EVENT_METHOD);
	refused("{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\","
		"\"body\":\"a*==\",\"isBase64Encoded\":true}",
	    ABT_RULE_EVENT_BASE64);
	refused("{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\",\"body\":{}}",
	    ABT_RULE_EVENT_SHAPE);
	refused("{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\","
		"\"isBase64Encoded\":\"yes\"}",
	    ABT_RULE_EVENT_SHAPE);
	refused("{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\","
		"\"multiValueHeaders\":{\"a\":\"b\"}}",
	    ABT_RULE_EVENT_SHAPE);
	refused("{" ALB "\"httpMethod\":\"GET\",\"path\":\"/\","
		"\"queryStringParameters\":[]}",
	    ABT_RULE_EVENT_SHAPE);
	refused(
	    V2("") "\"rawPath\":\"/\",\"cookies\":[1]}", ABT_RULE_EVENT_SHAPE);
	refused(V2("") "\"rawPath\":\"/\",\"cookies\":[\"a\\n\"]}",
	    ABT_RULE_EVENT_HEADER);
}

/* ---- results ---- */

static void
wrote(const char *dialect, bool multi, bool prelude,
    const struct abt_response *response, const char *expected)
{
	struct abt_json_out out;
	struct abt_buf buf;

	origin = (struct abt_origin){ .arena = &arena,
		.multi_value = multi,
		.dialect = abt_dialect_find(abt_bytes_text(dialect)) };
	abt_buf_init(&buf, NULL, 1 << 20);
	abt_json_out_init(&out, &buf);
	assert_int_equal(origin.dialect->write_result(
			     &origin, response, prelude, &out, &report),
	    0);
	assert_false(abt_json_out_failed(&out));
	is(abt_buf_bytes(&buf), expected);
	abt_buf_end(&buf);
}

static void
add(struct abt_response *response, const char *name, const char *value)
{
	abt_headers_add(&response->headers, &arena, abt_bytes_text(name),
	    abt_bytes_text(value));
}

static void
results(void **state)
{
	struct abt_response response = { .status = 201,
		.body = ABT_BYTES("hi") };

	(void)state;
	add(&response, "Vary", "a");
	add(&response, "Set-Cookie", "x=1");
	add(&response, "Connection", "close");
	add(&response, "Content-Length", "17");
	add(&response, "Transfer-Encoding", "chunked");
	add(&response, "vary", "b");
	add(&response, "set-cookie", "y=2");
	wrote("alb", false, false, &response,
	    "{\"statusCode\":201,\"statusDescription\":\"201 Created\","
	    "\"headers\":{\"Vary\":\"a, b\",\"set-cookie\":\"x=1\","
	    "\"Set-cookie\":\"y=2\"},\"body\":\"hi\","
	    "\"isBase64Encoded\":false}");
	wrote("alb", true, false, &response,
	    "{\"statusCode\":201,\"statusDescription\":\"201 Created\","
	    "\"multiValueHeaders\":{\"Vary\":[\"b\",\"a\"],"
	    "\"Set-Cookie\":[\"y=2\",\"x=1\"]},\"body\":\"hi\","
	    "\"isBase64Encoded\":false}");
	wrote("rest", false, false, &response,
	    "{\"statusCode\":201,\"multiValueHeaders\":{\"Vary\":[\"a\",\"b\"],"
	    "\"Set-Cookie\":[\"x=1\",\"y=2\"]},\"body\":\"hi\","
	    "\"isBase64Encoded\":false}");
	wrote("url", false, false, &response,
	    "{\"statusCode\":201,\"headers\":{\"Vary\":\"a, b\"},"
	    "\"cookies\":[\"x=1\",\"y=2\"],\"body\":\"hi\","
	    "\"isBase64Encoded\":false}");
	wrote("url", false, true, &response,
	    "{\"statusCode\":201,\"headers\":{\"Vary\":\"a, b\"},"
	    "\"cookies\":[\"x=1\",\"y=2\"]}");
}

static void
bytes_in_results(void **state)
{
	struct abt_response response = { .status = 299,
		.body = ABT_BYTES("\xff\x01") };

	(void)state;
	add(&response, "X-Name", "J\xfcrgen");
	wrote("alb", false, false, &response,
	    "{\"statusCode\":299,\"headers\":{\"X-Name\":\"J\xc3\xbcrgen\"},"
	    "\"body\":\"/wE=\",\"isBase64Encoded\":true}");
}

/* 600 cookies are more than a name has spellings. */
static void
many_cookies(void **state)
{
	struct abt_response response = { .status = 200 };
	const struct abt_json *tree, *map, *m;
	struct abt_json_out out;
	struct abt_report own;
	struct abt_buf buf;
	unsigned shadowed = 0;

	(void)state;
	for (unsigned i = 0; i < 600; i++)
		add(&response, "Set-Cookie", "a=b");
	origin = (struct abt_origin){ .arena = &arena,
		.dialect = abt_dialect_find(ABT_BYTES("alb")) };
	abt_report_init(&own, &arena);
	abt_buf_init(&buf, NULL, 1 << 20);
	abt_json_out_init(&out, &buf);
	assert_int_equal(
	    origin.dialect->write_result(&origin, &response, false, &out, &own),
	    0);
	tree = abt_json_scan(abt_buf_bytes(&buf), ABT_JSON_DEPTH, &arena, NULL);
	assert_non_null(tree);
	map = abt_json_get(tree, "headers");
	assert_int_equal(map->count, 512);
	for (m = map->first; m != NULL; m = m->next) {
		shadowed += abt_json_is_shadowed(m);
		assert_true(
		    abt_bytes_equal_nocase(m->key, ABT_BYTES("set-cookie")));
	}
	assert_int_equal(shadowed, 0);
	abt_buf_end(&buf);
}

/* Every allocation fails once: all is as it was, or memory ran out. */
static void
there_and_back_without_memory(void *context)
{
	static const char *const event = V2(
	    "\"accountId\":\"anonymous\",") "\"rawPath\":\"/a b\","
					    "\"rawQueryString\":\"a "
					    "b\",\"cookies\":[\"a=1\",\"b=2\"],"
					    "\"headers\":{\"a\":\"b\","
					    "\"cookie\":\"x\"},\"body\":\"aGk="
					    "\","
					    "\"isBase64Encoded\":true}";
	struct abt_response response = { .status = 200 };
	const struct abt_json *tree;
	struct abt_json_out out;
	struct abt_arena own;
	struct abt_buf buf;
	int rc = -1;

	(void)context;
	abt_arena_init(&own, NULL);
	abt_report_init(&report, &own);
	tree = abt_json_scan(abt_bytes_text(event), ABT_JSON_DEPTH, &own, NULL);
	if (tree != NULL)
		rc = abt_request_from_event(tree, &own, &origin, &req, &report);
	if (rc != 0) {
		assert_true(abt_arena_failed(&own));
		abt_arena_end(&own);
		return;
	}
	is(req.target, "/a%20b?a%20b");
	assert_int_equal(req.headers.count, 3);
	abt_headers_add(
	    &response.headers, &own, ABT_BYTES("A"), ABT_BYTES("J\xfcrgen"));
	abt_headers_add(
	    &response.headers, &own, ABT_BYTES("a"), ABT_BYTES("b"));
	abt_buf_init(&buf, NULL, 1 << 20);
	abt_json_out_init(&out, &buf);
	rc = origin.dialect->write_result(
	    &origin, &response, false, &out, &report);
	if (rc != 0)
		assert_ptr_equal(
		    report.broken, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
	else if (!abt_json_out_failed(&out))
		is(abt_buf_bytes(&buf),
		    "{\"statusCode\":200,\"headers\":{\"A\":\"J\xc3\xbcrgen, "
		    "b\"},\"body\":\"\",\"isBase64Encoded\":false}");
	abt_buf_end(&buf);
	abt_arena_end(&own);
}

static void
every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(abt_sweep(there_and_back_without_memory, NULL) > 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(alb_events),
		TEST(addresses),
		TEST(alb_lists),
		TEST(rest_events),
		TEST(v2_events),
		TEST(url_events),
		TEST(nobody_s_events),
		TEST(hostile_events),
		TEST(results),
		TEST(bytes_in_results),
		TEST(many_cookies),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
