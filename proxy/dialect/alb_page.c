/*
 * alb_page.c - what an ALB says by itself: error pages, redirects, fixed
 * responses (alb.md 2.2, 6.3)
 */
#include "dialect/alb.h"
#include "route/route.h"

#define LOCATION_MAX 8192 /* L14 */

#define PAGE(title)                                                     \
	"<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n" \
	"<center><h1>" title "</h1></center>\r\n</body>\r\n</html>\r\n"

struct page {
	int status;
	bool close; /* the connection ends after it */
	struct abt_bytes phrase, body;
};

/* Titles are nginx's, as ALB's are where they were seen. */
/* clang-format off */
static const struct page pages[] = {
#define ROW(status, close, phrase)                                             \
	{ status, close, ABT_BYTES_INIT(phrase), ABT_BYTES_INIT(PAGE(#status " " phrase)) }
#define NUMBER(status) { status, false, ABT_BYTES_INIT(""), ABT_BYTES_INIT(PAGE(#status)) }
	ROW(301, false, "Moved Permanently"),
	ROW(302, false, "Found"),
	ROW(400, true,  "Bad Request"),
	ROW(401, false, "Authorization Required"),
	ROW(403, false, "Forbidden"),
	ROW(405, false, "Not Allowed"),
	ROW(408, true,  "Request Time-out"),
	ROW(413, true,  "Request Entity Too Large"),
	ROW(414, true,  "Request-URI Too Large"),
	NUMBER(460),
	NUMBER(463),
	NUMBER(464),
	ROW(500, false, "Internal Server Error"),
	ROW(501, true,  "Not Implemented"),
	ROW(502, false, "Bad Gateway"),
	ROW(503, false, "Service Temporarily Unavailable"),
	ROW(504, false, "Gateway Time-out"),
	ROW(505, true,  "HTTP Version Not Supported"),
	ROW(507, false, "Insufficient Storage"),
	NUMBER(561),
};
/* clang-format on */

static const struct page *
find_page(int status)
{
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (pages[i].status == status)
			return &pages[i];
	return find_page(502);
}

struct abt_bytes
abt_alb_page(int status, struct abt_bytes *phrase)
{
	const struct page *page = find_page(status);

	*phrase = page->phrase;
	return page->body;
}

void
abt_alb_begin_response(const struct abt_call *call,
    struct abt_response *response, const struct abt_bytes *date)
{
	if (abt_alb(call->front)->server) /* R18 */
		abt_headers_add_id(&response->ours, call->arena,
		    ABT_FIELD_SERVER, ABT_BYTES("Server"),
		    ABT_BYTES("awselb/2.0"));
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), date != NULL ? *date : call->facts.date);
}

void
abt_alb_insert_headers(
    const struct abt_call *call, struct abt_response *response)
{
	static const char *const names[ABT_ALB_INSERTED] = {
		"Strict-Transport-Security",
		"Access-Control-Allow-Origin",
		"Access-Control-Allow-Methods",
		"Access-Control-Allow-Headers",
		"Access-Control-Allow-Credentials",
		"Access-Control-Expose-Headers",
		"Access-Control-Max-Age",
		"Content-Security-Policy",
		"X-Content-Type-Options",
		"X-Frame-Options",
	};
	const struct abt_alb_attributes *attributes = abt_alb(call->front);
	size_t i;

	for (i = 0; i < ABT_ALB_INSERTED; i++) {
		struct abt_bytes name = abt_bytes_text(names[i]);

		if (attributes->inserted[i].n == 0)
			continue;
		abt_headers_drop_named(&response->headers, name);
		abt_headers_add(&response->headers, call->arena, name,
		    attributes->inserted[i]);
	}
}

/* Status line, Server, Date and a page of ours. */
static void
begin_page(
    const struct abt_call *call, int status, struct abt_response *response)
{
	const struct page *page = find_page(status);

	memset(response, 0, sizeof(*response));
	response->status = page->status;
	response->reason = page->phrase;
	response->body = page->body;
	response->close = page->close;
	abt_alb_begin_response(call, response, NULL);
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_CONTENT_TYPE,
	    ABT_BYTES("Content-Type"), ABT_BYTES("text/html"));
}

static int
failure_status(const struct abt_call *call, const struct abt_rule *rule)
{
	static const int statuses[ABT_FAILURES] = {
		[ABT_BAD_REQUEST] = 400,
		[ABT_METHOD_REFUSED] = 405,
		[ABT_TIMEOUT_REQUEST] = 408,
		[ABT_BODY_TOO_LARGE] = 413,
		[ABT_URI_TOO_LONG] = 414,
		[ABT_HEADERS_TOO_LARGE] = 400, /* Q15 */
		[ABT_EXPECTATION_FAILED] = 400,
		[ABT_CODING_UNKNOWN] = 501,
		[ABT_VERSION_REFUSED] = 505,
		[ABT_FORWARDED_TOO_LONG] = 463,
		[ABT_REDIRECT_TOO_LONG] = 507,
		[ABT_NO_ROUTE] = 503,
		[ABT_NO_TARGET] = 503,
		[ABT_UNREACHABLE] = 504,
		[ABT_NO_MEMORY] = 503,
		[ABT_CLIENT_GONE] = 460,
	};

	if (rule == &abt_rules[ABT_RULE_ALB_NOT_UTF8])
		return (int)abt_alb(call->front)->not_utf8_status;
	/* everything that a function can do wrong is a 502 (2.1) */
	return statuses[rule->failure] != 0 ? statuses[rule->failure] : 502;
}

void
abt_alb_write_failure(const struct abt_call *call, const struct abt_rule *rule,
    struct abt_response *response)
{
	static struct abt_field without_memory[] = {
		{ ABT_BYTES_INIT("Server"), ABT_BYTES_INIT("awselb/2.0"),
		    ABT_FIELD_SERVER, false },
		{ ABT_BYTES_INIT("Content-Type"), ABT_BYTES_INIT("text/html"),
		    ABT_FIELD_CONTENT_TYPE, false },
	};
	int status = failure_status(call, rule);

	begin_page(call, status, response);
	if (!abt_arena_failed(call->arena))
		abt_alb_insert_headers(call, response);
	if (abt_arena_failed(call->arena)) {
		memset(&response->headers, 0, sizeof(response->headers));
		response->ours = (struct abt_headers){ without_memory, 2, 2 };
	}
	response->rule = rule;
}

/* ---- redirect ---- */

struct keyword {
	struct abt_bytes name, value;
};

/* |template| with "#{name}" replaced. */
static struct abt_bytes
expand(struct abt_bytes template, const struct keyword *keywords,
    struct abt_buf *buf)
{
	size_t begin = buf->n, i = 0, k;

	while (i < template.n) {
		struct abt_bytes rest =
		    abt_bytes(template.p + i, template.n - i);

		for (k = 0; keywords[k].name.p != NULL; k++)
			if (abt_bytes_starts(rest, keywords[k].name))
				break;
		if (keywords[k].name.p != NULL) {
			abt_buf_add(buf, keywords[k].value);
			i += keywords[k].name.n;
		} else {
			abt_buf_char(buf, rest.p[0]);
			i++;
		}
	}
	return abt_bytes(buf->p + begin, buf->n - begin);
}

static void
write_location(const struct abt_call *call, const struct abt_redirect *to,
    const char *port, struct abt_buf *buf)
{
	const struct abt_request *req = call->request;
	struct abt_bytes host = abt_request_host(req), path = req->path, query;
	struct keyword keywords[] = {
		{ ABT_BYTES_INIT("#{protocol}"),
		    call->facts.tls ? ABT_BYTES("https") : ABT_BYTES("http") },
		{ ABT_BYTES_INIT("#{host}"),
		    host.n > 0 ? host : call->front->dns_name },
		{ ABT_BYTES_INIT("#{port}"), abt_bytes_text(port) },
		{ ABT_BYTES_INIT("#{path}"),
		    abt_bytes(path.p + 1, path.n - 1) },
		{ ABT_BYTES_INIT("#{query}"), req->query },
		{ { NULL, 0 }, { NULL, 0 } },
	};
	struct abt_bytes protocol = to->protocol;
	size_t before;

	if (abt_bytes_equal_nocase(protocol, ABT_BYTES("HTTPS")))
		protocol = ABT_BYTES("https");
	else if (abt_bytes_equal_nocase(protocol, ABT_BYTES("HTTP")))
		protocol = ABT_BYTES("http");
	expand(protocol, keywords, buf);
	abt_buf_text(buf, "://");
	expand(to->host, keywords, buf);
	abt_buf_char(buf, ':');
	expand(to->port, keywords, buf);
	expand(to->path, keywords, buf);
	before = buf->n;
	abt_buf_char(buf, '?');
	query = expand(to->query, keywords, buf);
	if (query.n == 0 && !buf->failed)
		buf->n = before; /* no "?" without a query */
}

static int
write_redirect(const struct abt_call *call, struct abt_response *response,
    struct abt_report *report)
{
	const struct abt_redirect *to = &call->match.route->redirect;
	struct abt_buf buf;
	char port[24];
	int rc = 0;

	port[abt_format_number(port, call->facts.listener_port)] = '\0';
	abt_buf_init(&buf, NULL, LOCATION_MAX);
	write_location(call, to, port, &buf);
	if (buf.overflowed)
		rc = abt_break(
		    report, ABT_RULE_ALB_REDIRECT_LONG, ABT_BYTES(""));
	else if (buf.failed)
		rc = abt_break(report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	if (rc == 0) {
		begin_page(call, to->status, response);
		abt_headers_add(&response->headers, call->arena,
		    ABT_BYTES("Location"),
		    abt_arena_copy(call->arena, abt_buf_bytes(&buf)));
		abt_alb_insert_headers(call, response);
	}
	abt_buf_end(&buf);
	return rc;
}

static int
write_fixed(const struct abt_call *call, struct abt_response *response)
{
	const struct abt_fixed_response *fixed = &call->match.route->fixed;
	struct abt_bytes type = fixed->content_type;

	memset(response, 0, sizeof(*response));
	response->status = fixed->status;
	response->body = fixed->body;
	abt_alb_begin_response(call, response, NULL);
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_CONTENT_TYPE,
	    ABT_BYTES("Content-Type"),
	    abt_arena_printf(call->arena, "%.*s; charset=utf-8",
		ABT_FMT(type.n > 0 ? type : ABT_BYTES("text/plain"))));
	abt_alb_insert_headers(call, response);
	if (response->status == 204) {
		response->body.n = 0;
		response->no_content_length = true;
	}
	return 0;
}

int
abt_alb_write_action(const struct abt_call *call, struct abt_response *response,
    struct abt_report *report)
{
	if (call->match.action == ABT_REDIRECT)
		return write_redirect(call, response, report);
	return write_fixed(call, response);
}
