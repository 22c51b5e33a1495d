/*
 * cgi_environment.c - what a CGI program finds in its environment
 *
 * Made from nothing (threats.md P2): the meta-variables of RFC 3875 4.1 with
 * the extensions that all servers set, the request's headers as HTTP_*, the
 * front's facts and what the operator configured, which wins.  A header whose
 * name has other characters than letters, digits and "-" is left out, so no two
 * names meet in one variable but those that are one header.
 */
#include "function/cgi.h"

#include "albatross.h"
#include "http/forwarded.h"

#define ONE_MAX 65536  /* threats.md P3 */
#define ALL_MAX 262144 /* of all together */

struct block {
	struct abt_arena *arena;
	const struct abt_map *extra;
	char **lines;
	size_t count, room;
	size_t bytes;
	bool too_large;
};

static char *
put(char *at, struct abt_bytes b)
{
	if (b.n > 0)
		memcpy(at, b.p, b.n);
	return at + b.n;
}

static void
add_line(struct block *block, struct abt_bytes name, struct abt_bytes value)
{
	size_t n = name.n + value.n + 2;
	char *line, *at;

	if (n > ONE_MAX || block->bytes + n > ALL_MAX) {
		block->too_large = true;
		return;
	}
	line = abt_arena_alloc(block->arena, n);
	if (line == NULL || block->count == block->room)
		return;
	at = put(line, name);
	*at++ = '=';
	at = put(at, value);
	*at = '\0';
	block->bytes += n;
	block->lines[block->count++] = line;
}

static bool
is_extra(const struct block *block, struct abt_bytes name)
{
	for (size_t i = 0; block->extra != NULL && i < block->extra->count; i++)
		if (abt_bytes_equal(block->extra->pairs[i].name, name))
			return true;
	return false;
}

static void
set(struct block *block, struct abt_bytes name, struct abt_bytes value)
{
	if (!is_extra(block, name))
		add_line(block, name, value);
}

#define SET(name, value) set(block, ABT_BYTES(name), value)

static void
set_number(struct block *block, struct abt_bytes name, uint64_t value)
{
	char text[20];

	set(block, name, abt_bytes(text, abt_format_number(text, value)));
}

/* ---- the host's name ---- */

/* A name or an address of RFC 3986 3.2.2, of the bytes that those may have. */
static bool
is_host(struct abt_bytes host)
{
	bool bracketed =
	    host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

	for (size_t i = bracketed ? 1 : 0; i + bracketed < host.n; i++) {
		char c = host.p[i];

		if (bracketed
			? !abt_char_is(c, ABT_CHAR_HEX) && c != ':' && c != '.'
			: !abt_char_is(c, ABT_CHAR_UNRESERVED))
			return false;
	}
	return host.n > 0;
}

/* |host| without its port. */
static struct abt_bytes
without_port(struct abt_bytes host)
{
	size_t i = host.n;

	while (i > 0 && abt_char_is(host.p[i - 1], ABT_CHAR_DIGIT))
		i--;
	return i > 0 && host.p[i - 1] == ':' ? abt_bytes(host.p, i - 1) : host;
}

static struct abt_bytes
server_name(const struct abt_call *call, struct abt_arena *arena)
{
	const struct abt_request *req = call->request;
	const struct abt_field *field =
	    abt_headers_first(&req->headers, ABT_FIELD_HOST);
	struct abt_bytes host = req->authority;
	char *lower;

	if (host.n == 0 && field != NULL)
		host = field->value;
	host = without_port(host);
	if (!is_host(host))
		host = call->front != NULL ? call->front->dns_name
					   : abt_bytes(NULL, 0);
	if (host.n == 0)
		return ABT_BYTES("localhost");
	lower = abt_arena_alloc(arena, host.n);
	if (lower == NULL)
		return abt_bytes(NULL, 0);
	abt_bytes_lower(lower, host);
	return abt_bytes(lower, host.n);
}

/* ---- meta-variables ---- */

static struct abt_bytes
protocol(const struct abt_request *req)
{
	switch (req->version) {
	case 9:
		return ABT_BYTES("HTTP/0.9");
	case 10:
		return ABT_BYTES("HTTP/1.0");
	case 20:
		return ABT_BYTES("HTTP/2.0");
	default:
		return ABT_BYTES("HTTP/1.1");
	}
}

static struct abt_bytes
request_uri(const struct abt_request *req, struct abt_arena *arena)
{
	if (req->scheme.n == 0) /* as received */
		return req->target;
	if (req->query.p == NULL)
		return req->path;
	return abt_arena_printf(
	    arena, "%.*s?%.*s", ABT_FMT(req->path), ABT_FMT(req->query));
}

static void
set_program(struct block *block, const struct abt_cgi_world *world)
{
	const struct abt_cgi_place *place = world->place;

	SET("SCRIPT_NAME", place->script_name);
	SET("SCRIPT_FILENAME", place->file);
	SET("DOCUMENT_ROOT", world->document_root);
	if (place->path_info.p == NULL)
		return;
	SET("PATH_INFO", place->path_info);
	SET("PATH_TRANSLATED",
	    abt_arena_printf(block->arena, "%.*s%.*s",
		ABT_FMT(world->document_root), ABT_FMT(place->path_info)));
}

static void
set_request(struct block *block, const struct abt_cgi_world *world)
{
	const struct abt_request *req = world->call->request;
	const struct abt_field *type =
	    abt_headers_last(&req->headers, ABT_FIELD_CONTENT_TYPE);

	SET("GATEWAY_INTERFACE", ABT_BYTES("CGI/1.1"));
	SET("SERVER_SOFTWARE", ABT_BYTES("albatross/" ABT_VERSION));
	SET("SERVER_PROTOCOL", protocol(req));
	SET("SERVER_NAME", server_name(world->call, block->arena));
	SET("REQUEST_METHOD", req->method);
	SET("REQUEST_URI", request_uri(req, block->arena));
	SET("QUERY_STRING", req->query);
	SET("REDIRECT_STATUS", ABT_BYTES("200")); /* php-cgi asks for it */
	if (world->has_body)
		set_number(block, ABT_BYTES("CONTENT_LENGTH"), world->length);
	if (type != NULL)
		SET("CONTENT_TYPE", type->value);
}

static void
set_facts(struct block *block, const struct abt_facts *facts)
{
	SET("REMOTE_ADDR", facts->peer_ip);
	if (facts->peer_port != 0)
		set_number(block, ABT_BYTES("REMOTE_PORT"), facts->peer_port);
	if (facts->listener_ip.n > 0)
		SET("SERVER_ADDR", facts->listener_ip);
	set_number(block, ABT_BYTES("SERVER_PORT"), facts->listener_port);
	SET("REQUEST_SCHEME",
	    facts->tls ? ABT_BYTES("https") : ABT_BYTES("http"));
	if (!facts->tls)
		return;
	SET("HTTPS", ABT_BYTES("on"));
	if (facts->tls_version.n > 0)
		SET("SSL_PROTOCOL", facts->tls_version);
	if (facts->tls_cipher.n > 0)
		SET("SSL_CIPHER", facts->tls_cipher);
	if (facts->sni.n > 0)
		SET("SSL_TLS_SNI", facts->sni);
}

/* ---- headers ---- */

/* "name" in a Connection header: for this connection only (threats.md H12). */
static bool
is_named_by_connection(
    const struct abt_headers *headers, const struct abt_field *field)
{
	if (field->id == ABT_FIELD_HOST ||
	    field->id == ABT_FIELD_X_FORWARDED_FOR ||
	    field->id == ABT_FIELD_X_FORWARDED_PROTO ||
	    field->id == ABT_FIELD_X_FORWARDED_PORT)
		return false;
	for (size_t i = 0; i < headers->count; i++) {
		struct abt_bytes rest = headers->fields[i].value, piece;

		if (headers->fields[i].id != ABT_FIELD_CONNECTION)
			continue;
		while (abt_bytes_next(&rest, ',', &piece))
			if (abt_bytes_equal_nocase(
				abt_bytes_trim(piece), field->name))
				return true;
	}
	return false;
}

static bool
is_one_of(struct abt_bytes name, struct abt_bytes a, struct abt_bytes b)
{
	return abt_bytes_equal_nocase(name, a) ||
	       abt_bytes_equal_nocase(name, b);
}

/* R10.12 */
static bool
is_passed(const struct abt_cgi_world *world, const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_CONTENT_LENGTH:
	case ABT_FIELD_CONTENT_TYPE: /* variables of their own */
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_PROXY_CONNECTION:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_UPGRADE:
	case ABT_FIELD_X_FORWARDED_PORT:
	case ABT_FIELD_X_FORWARDED_PROTO:
	case ABT_FIELD_X_AMZN_TRACE_ID: /* the front's facts */
		return false;
	case ABT_FIELD_X_FORWARDED_FOR:
		return world->forwarded == ABT_CGI_PRESERVE;
	case ABT_FIELD_OTHER:
		break;
	default:
		return true;
	}
	for (size_t i = 0; i < field->name.n; i++)
		if (!abt_char_is(
			field->name.p[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) &&
		    field->name.p[i] != '-')
			return false;
	/* a client would choose the program's proxy ("httpoxy") */
	if (abt_bytes_equal_nocase(field->name, ABT_BYTES("proxy")))
		return false;
	return world->pass_authorization ||
	       !is_one_of(field->name, ABT_BYTES("authorization"),
		   ABT_BYTES("proxy-authorization"));
}

/* "HTTP_FOO_BAR" of "Foo-Bar". */
static struct abt_bytes
variable_name(struct abt_bytes name, struct abt_arena *arena)
{
	char *out = abt_arena_alloc(arena, name.n + 5);

	if (out == NULL)
		return abt_bytes(NULL, 0);
	memcpy(out, "HTTP_", 5);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		out[i + 5] = c == '-'               ? '_'
			     : c >= 'a' && c <= 'z' ? (char)(c & ~0x20)
						    : c;
	}
	return abt_bytes(out, name.n + 5);
}

static bool
same_name(const struct abt_field *a, const struct abt_field *b)
{
	return a->id == b->id && (a->id != ABT_FIELD_OTHER ||
				     abt_bytes_equal_nocase(a->name, b->name));
}

/* All lines of the field at |first| joined in order (R10.13). */
static struct abt_bytes
join(struct block *block, const struct abt_headers *headers, size_t first)
{
	const struct abt_field *field = &headers->fields[first];
	const char *between = field->id == ABT_FIELD_COOKIE ? "; " : ", ";
	size_t n = field->value.n, i;
	char *out, *at;

	for (i = first + 1; i < headers->count; i++)
		if (same_name(&headers->fields[i], field))
			n += headers->fields[i].value.n + 2;
	if (n == field->value.n)
		return field->value;
	out = abt_arena_alloc(block->arena, n);
	if (out == NULL)
		return abt_bytes(NULL, 0);
	at = put(out, field->value);
	for (i = first + 1; i < headers->count; i++) {
		if (!same_name(&headers->fields[i], field))
			continue;
		at = put(at, abt_bytes(between, 2));
		at = put(at, headers->fields[i].value);
	}
	return abt_bytes(out, n);
}

static bool
came_before(const struct abt_headers *headers, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_name(&headers->fields[i], &headers->fields[at]))
			return true;
	return false;
}

static void
set_headers(struct block *block, const struct abt_cgi_world *world)
{
	const struct abt_headers *headers = &world->call->request->headers;

	for (size_t i = 0; i < headers->count; i++) {
		const struct abt_field *field = &headers->fields[i];

		if (is_passed(world, field) && !came_before(headers, i) &&
		    !is_named_by_connection(headers, field))
			set(block, variable_name(field->name, block->arena),
			    join(block, headers, i));
	}
}

/* What a load balancer would have added to the request. */
static void
set_forwarded(struct block *block, const struct abt_cgi_world *world)
{
	const struct abt_call *call = world->call;
	const struct abt_facts *facts = &call->facts;
	const struct abt_headers *headers = &call->request->headers;
	const struct abt_field *sent =
	    abt_headers_last(headers, ABT_FIELD_X_AMZN_TRACE_ID);
	struct abt_bytes trace = call->trace_id;

	if (world->forwarded == ABT_CGI_APPEND)
		SET("HTTP_X_FORWARDED_FOR",
		    abt_forwarded_for(headers, facts->peer_ip, block->arena));
	set_number(
	    block, ABT_BYTES("HTTP_X_FORWARDED_PORT"), facts->listener_port);
	SET("HTTP_X_FORWARDED_PROTO",
	    facts->tls ? ABT_BYTES("https") : ABT_BYTES("http"));
	if (trace.n == 0)
		trace = abt_trace_id(
		    sent != NULL ? sent->value : abt_bytes(NULL, 0),
		    facts->epoch_us / 1000000, facts->random, false,
		    block->arena);
	SET("HTTP_X_AMZN_TRACE_ID", trace);
}

/* A name that is given twice counts once, with its last value. */
static void
set_extra(struct block *block)
{
	const struct abt_map *extra = block->extra;
	size_t i, k;

	for (i = 0; extra != NULL && i < extra->count; i++) {
		for (k = i + 1; k < extra->count; k++)
			if (abt_bytes_equal(
				extra->pairs[i].name, extra->pairs[k].name))
				break;
		if (k == extra->count)
			add_line(
			    block, extra->pairs[i].name, extra->pairs[i].value);
	}
}

char **
abt_cgi_environment(const struct abt_cgi_world *world, struct abt_arena *arena,
    struct abt_report *report)
{
	struct block block = { .arena = arena, .extra = world->extra };

	block.room = 40 + world->call->request->headers.count +
		     (world->extra != NULL ? world->extra->count : 0);
	block.lines =
	    abt_arena_array(arena, block.room + 1, sizeof(*block.lines));
	if (block.lines == NULL)
		return NULL;
	set_extra(&block);
	set_program(&block, world);
	set_request(&block, world);
	set_facts(&block, &world->call->facts);
	set_forwarded(&block, world);
	set_headers(&block, world);
	if (world->path.n > 0)
		set(&block, ABT_BYTES("PATH"), world->path);
	if (block.too_large) {
		abt_break(report, ABT_RULE_CGI_ENVIRONMENT, ABT_BYTES(""));
		return NULL;
	}
	return abt_arena_failed(arena) ? NULL : block.lines;
}
