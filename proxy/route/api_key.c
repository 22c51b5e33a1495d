/*
 * api_key.c - route keys as people write them: "GET /pets/{id}", "$default"
 *
 * The checks are the services' own (apigw.md R1.9, H8.1, H8.6, H8.7): a key
 * that AWS would not take is told here, where it can be mended.
 */
#include "route/api_routes.h"

#include <stdio.h>

#define ID_SIZE 6

static const char *const methods[] = { "ANY", "DELETE", "GET", "HEAD",
	"OPTIONS", "PATCH", "POST", "PUT", NULL };

static bool
is_method(struct abt_bytes text)
{
	for (size_t i = 0; methods[i] != NULL; i++)
		if (abt_bytes_equal(text, abt_bytes_text(methods[i])))
			return true;
	return false;
}

static bool
literal_byte(char c)
{
	return abt_char_is(c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) ||
	       (c != '\0' && strchr("_-.,:", c) != NULL);
}

/* A literal of a REST resource has few bytes (R1.9); an HTTP API takes any
 * visible one. */
static bool
check_literal(
    struct abt_bytes text, enum abt_routing routing, char *why, size_t size)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '{' || c == '}') {
			snprintf(why, size,
			    "has a parameter that is only part of a segment; "
			    "write \"/{name}/\"");
			return false;
		}
		if (routing == ABT_RESOURCE_TREE
			? literal_byte(c)
			: (unsigned char)c > ' ' && c != '?' && c != '#')
			continue;
		snprintf(why, size,
		    "has a byte that no path of a route takes%s",
		    routing == ABT_RESOURCE_TREE
			? ": letters, digits and _-.,: are allowed"
			: "");
		return false;
	}
	return true;
}

static bool
read_parameter(
    struct abt_bytes text, struct abt_segment *segment, char *why, size_t size)
{
	struct abt_bytes name = abt_bytes(text.p + 1, text.n - 2);

	segment->kind = ABT_SEGMENT_PARAMETER;
	if (name.n > 0 && name.p[name.n - 1] == '+') {
		segment->kind = ABT_SEGMENT_GREEDY;
		name.n--;
	}
	segment->text = name;
	for (size_t i = 0; i < name.n; i++)
		if (!literal_byte(name.p[i])) {
			snprintf(why, size,
			    "has a parameter whose name is more than letters, "
			    "digits and _-.,:");
			return false;
		}
	if (name.n == 0)
		snprintf(why, size, "has a parameter without a name");
	return name.n > 0;
}

static bool
read_segment(struct abt_bytes text, enum abt_routing routing,
    struct abt_segment *segment, char *why, size_t size)
{
	if (text.n == 0) {
		snprintf(why, size,
		    "has an empty segment: write single slashes, and none at "
		    "the end");
		return false;
	}
	if (text.n >= 2 && text.p[0] == '{' && text.p[text.n - 1] == '}')
		return read_parameter(text, segment, why, size);
	segment->kind = ABT_SEGMENT_LITERAL;
	segment->text = text;
	return check_literal(text, routing, why, size);
}

static bool
name_is_taken(const struct abt_api_route *route, struct abt_bytes name)
{
	for (size_t i = 0; i < route->segment_count; i++)
		if (route->segments[i].kind != ABT_SEGMENT_LITERAL &&
		    abt_bytes_equal(route->segments[i].text, name))
			return true;
	return false;
}

static int
read_path(struct abt_bytes path, enum abt_routing routing,
    struct abt_arena *arena, struct abt_api_route *route, char *why,
    size_t size)
{
	struct abt_bytes rest = abt_bytes(path.p + 1, path.n - 1), text;
	size_t room = 1;

	for (size_t i = 0; i < path.n; i++)
		room += path.p[i] == '/';
	route->segments =
	    abt_arena_array(arena, room, sizeof(struct abt_segment));
	if (route->segments == NULL) {
		snprintf(why, size, "finds no memory");
		return -1;
	}
	if (rest.n == 0)
		return 0;
	while (abt_bytes_next(&rest, '/', &text)) {
		struct abt_segment segment;

		if (!read_segment(text, routing, &segment, why, size))
			return -1;
		if (segment.kind == ABT_SEGMENT_GREEDY && rest.p != NULL) {
			snprintf(why, size,
			    "has \"{%.*s+}\" in the middle: it can only be the "
			    "last segment",
			    ABT_FMT(segment.text));
			return -1;
		}
		if (segment.kind != ABT_SEGMENT_LITERAL) {
			if (name_is_taken(route, segment.text)) {
				snprintf(why, size,
				    "has the parameter \"%.*s\" twice",
				    ABT_FMT(segment.text));
				return -1;
			}
			route->param_count++;
		}
		route->segments[route->segment_count++] = segment;
	}
	return 0;
}

/* Six of [a-z0-9], the same from run to run (apigw.md 0.2). */
static struct abt_bytes
make_id(struct abt_arena *arena, struct abt_bytes resource)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
	char *out = abt_arena_alloc(arena, ID_SIZE);

	if (out == NULL)
		return abt_bytes(NULL, 0);
	for (size_t i = 0; i < resource.n; i++)
		h = (h ^ (unsigned char)resource.p[i]) *
		    UINT64_C(1099511628211);
	for (size_t i = 0; i < ID_SIZE; i++, h /= 36)
		out[i] = digits[h % 36];
	return abt_bytes(out, ID_SIZE);
}

int
abt_api_route_parse(struct abt_bytes key, enum abt_routing routing,
    struct abt_arena *arena, struct abt_api_route *route, char *why,
    size_t size)
{
	size_t blank = abt_bytes_find(key, ' ');

	memset(route, 0, sizeof(*route));
	route->key = key;
	if (!abt_utf8_valid(key)) {
		snprintf(why, size, "is not UTF-8");
		return -1;
	}
	if (abt_bytes_equal(key, ABT_BYTES("$default"))) {
		route->resource = key;
		if (routing != ABT_RESOURCE_TREE)
			return 0;
		snprintf(why, size,
		    "is for HTTP APIs; write \"ANY /{proxy+}\" and \"ANY /\"");
		return -1;
	}
	route->method = abt_bytes(key.p, blank);
	if (blank == key.n || !is_method(route->method)) {
		snprintf(why, size,
		    "does not begin with a method and a blank: write \"GET "
		    "/path\"; methods are ANY, DELETE, GET, HEAD, OPTIONS, "
		    "PATCH, POST and PUT");
		return -1;
	}
	route->resource = abt_bytes(key.p + blank + 1, key.n - blank - 1);
	if (route->resource.n == 0 || route->resource.p[0] != '/') {
		snprintf(
		    why, size, "has a path that does not begin with \"/\"");
		return -1;
	}
	if (read_path(route->resource, routing, arena, route, why, size) != 0)
		return -1;
	route->resource_id = make_id(arena, route->resource);
	return 0;
}
