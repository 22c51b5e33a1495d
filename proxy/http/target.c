/*
 * target.c - the request target: its forms, path and query
 *
 * The checks are those of ALB's front end (alb.md E3.3), which behaves as nginx
 * does: escapes must be whole, %00 is refused, and dot segments, encoded or
 * not, may not climb above the root.  What passes stays raw.
 */
#include "http/target.h"

/* The scheme's length when |target| begins with "scheme://", else 0. */
static size_t
scheme_length(struct abt_bytes target)
{
	size_t i;

	if (target.n == 0 || !abt_char_is(target.p[0], ABT_CHAR_ALPHA))
		return 0;
	for (i = 1; i < target.n; i++) {
		char c = target.p[i];

		if (!abt_char_is(c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT) &&
		    c != '+' && c != '-' && c != '.')
			break;
	}
	if (target.n - i < 3 || memcmp(target.p + i, "://", 3) != 0)
		return 0;
	return i;
}

/* Take scheme and authority of an absolute-form target off |rest|. */
static int
read_absolute(struct abt_request *req, size_t scheme, struct abt_bytes *rest,
    struct abt_report *report)
{
	size_t end;

	req->scheme = abt_bytes(rest->p, scheme);
	rest->p += scheme + 3;
	rest->n -= scheme + 3;
	for (end = 0; end < rest->n; end++)
		if (rest->p[end] == '/' || rest->p[end] == '?')
			break;
	req->authority = abt_bytes(rest->p, end);
	rest->p += end;
	rest->n -= end;
	if (abt_bytes_find(req->authority, '@') < req->authority.n)
		return abt_break(
		    report, ABT_RULE_H1_TARGET_USERINFO, req->authority);
	if (req->authority.n == 0)
		return abt_break(report, ABT_RULE_H1_TARGET_FORM, req->target);
	return 0;
}

/* The next byte of |path| at |*i|, decoded once; the escapes are valid. */
static char
decoded_at(struct abt_bytes path, size_t *i)
{
	char c = path.p[(*i)++];

	if (c == '%') {
		c = (char)(abt_hex_value(path.p[*i]) << 4 |
			   abt_hex_value(path.p[*i + 1]));
		*i += 2;
	}
	return c;
}

/* Do dot segments lead above the root?  Empty segments do not count. */
static bool
climbs_above_root(struct abt_bytes path)
{
	size_t i = 0, depth = 0, length = 0, dots = 0;

	while (i <= path.n) {
		char c = '/'; /* the end ends a segment too */

		if (i < path.n)
			c = decoded_at(path, &i);
		else
			i++;
		if (c != '/') {
			length++;
			dots += c == '.';
			continue;
		}
		if (length == 2 && dots == 2) {
			if (depth == 0)
				return true;
			depth--;
		} else if (length > 0 && !(length == 1 && dots == 1)) {
			depth++;
		}
		length = dots = 0;
	}
	return false;
}

static int
check_path(struct abt_bytes path, struct abt_report *report)
{
	const char *at = path.p, *end = path.p + path.n;
	bool dots = false;

	while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
		int high = end - at > 2 ? abt_hex_value(at[1]) : -1;
		int low = end - at > 2 ? abt_hex_value(at[2]) : -1;

		if (high < 0 || low < 0)
			return abt_break(
			    report, ABT_RULE_H1_TARGET_ESCAPE, path);
		if (high == 0 && low == 0)
			return abt_break(
			    report, ABT_RULE_H1_TARGET_ESCAPED_NUL, path);
		dots = dots || (high == 2 && low == 0xe);
		at += 3;
	}
	/* Only a path with a dot can climb; most have none. */
	if ((dots || memchr(path.p, '.', path.n) != NULL) &&
	    climbs_above_root(path))
		return abt_break(report, ABT_RULE_H1_TARGET_ABOVE_ROOT, path);
	return 0;
}

int
abt_target_read(
    struct abt_request *req, bool strict_path, struct abt_report *report)
{
	struct abt_bytes rest = req->target;
	size_t scheme, question;

	if (rest.n == 0 || rest.p[0] != '/') {
		if (abt_bytes_equal(req->method, ABT_BYTES("CONNECT"))) {
			req->path = rest;
			return 0;
		}
		scheme = scheme_length(rest);
		if (scheme == 0)
			return abt_break(report, ABT_RULE_H1_TARGET_FORM, rest);
		if (read_absolute(req, scheme, &rest, report) != 0)
			return -1;
	}
	question = abt_bytes_find(rest, '?');
	req->path = abt_bytes(rest.p, question);
	if (question < rest.n)
		req->query =
		    abt_bytes(rest.p + question + 1, rest.n - question - 1);
	if (req->path.n == 0)
		req->path = ABT_BYTES("/");
	return strict_path ? check_path(req->path, report) : 0;
}
