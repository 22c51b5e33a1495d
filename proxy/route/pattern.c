/*
 * pattern.c - ALB wildcards, and the path and host as rules see them
 */
#include "route/route.h"

/*
 * "*" is any number of bytes, "?" exactly one; the pattern covers the whole
 * text.  One remembered star is enough: a later one makes earlier ones fixed.
 */
bool
abt_pattern_match(struct abt_bytes pattern, struct abt_bytes text, bool nocase)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' || pattern.p[p] == text.p[t] ||
			       (nocase && abt_lower(pattern.p[p]) ==
					      abt_lower(text.p[t])))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* Percent-decode |path| into |out|; its escapes are whole (target.c). */
static size_t
decode(char *out, struct abt_bytes path)
{
	size_t i, n = 0;

	for (i = 0; i < path.n; i++) {
		int high = -1, low = -1;

		if (path.p[i] == '%' && path.n - i > 2) {
			high = abt_hex_value(path.p[i + 1]);
			low = abt_hex_value(path.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = path.p[i];
		}
	}
	return n;
}

/* Back over the last segment of |out|; |n| is behind a slash. */
static size_t
drop_segment(const char *out, size_t n)
{
	if (n > 1)
		n--;
	while (n > 1 && out[n - 1] != '/')
		n--;
	return n;
}

struct abt_bytes
abt_path_normal(struct abt_bytes path, struct abt_arena *arena)
{
	char *out;
	size_t length, i = 0, n = 0;

	if (memchr(path.p, '%', path.n) == NULL &&
	    memchr(path.p, '.', path.n) == NULL &&
	    abt_bytes_search(path, ABT_BYTES("//")) == path.n)
		return path; /* normal as it is */
	out = abt_arena_alloc(arena, path.n + 1);
	if (out == NULL)
		return path;
	length = decode(out, path);
	/* in place: a segment moves to the left only */
	while (i < length) {
		size_t begin = i, size;

		while (i < length && out[i] != '/')
			i++;
		size = i - begin;
		i += i < length; /* the slash, if there is one */
		if (size == 0 && n > 0)
			continue; /* slashes are merged */
		if (size == 1 && out[begin] == '.')
			continue;
		if (size == 2 && out[begin] == '.' && out[begin + 1] == '.') {
			n = drop_segment(out, n);
			continue;
		}
		memmove(out + n, out + begin, size);
		n += size;
		if (begin + size < length)
			out[n++] = '/';
	}
	if (n == 0)
		out[n++] = '/';
	return abt_bytes(out, n);
}

struct abt_bytes
abt_request_host(const struct abt_request *req)
{
	const struct abt_field *field =
	    abt_headers_first(&req->headers, ABT_FIELD_HOST);
	struct abt_bytes host = req->authority;
	size_t colon;

	if (host.n == 0 && field != NULL)
		host = field->value;
	if (host.n > 0 && host.p[0] == '[') { /* an IPv6 literal */
		size_t end = abt_bytes_find(host, ']');

		return abt_bytes(host.p, end < host.n ? end + 1 : host.n);
	}
	colon = abt_bytes_find(host, ':');
	return abt_bytes(host.p, colon);
}
