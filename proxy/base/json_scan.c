/*
 * json_scan.c - strict one-pass JSON reader for what functions write (RFC 8259)
 *
 * Not recursive: while a container is open its |next| holds the one around it,
 * so depth costs no stack.  Strings are json_string.c's.  Nothing behind the
 * source is ever touched.
 */
#include "base/json_string.h"
#include "base/json_tree.h"

struct scan {
	const char *begin, *at, *end;
	struct abt_arena *arena;
	unsigned depth, depth_max;
	const char *wrong; /* what is wrong at |at|; NULL: out of memory */
};

static int
fail(struct scan *s, const char *wrong, const char *at)
{
	s->wrong = wrong;
	s->at = at;
	return -1;
}

static int
read_string(struct scan *s, struct abt_bytes *text)
{
	return abt_json_string_scan(&s->at, s->end, s->arena, text, &s->wrong);
}

/* ---- values ---- */

static inline void
skip_blanks(struct scan *s)
{
	const char *p = s->at;

	while (
	    p < s->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	s->at = p;
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && abt_char_is(*p, ABT_CHAR_DIGIT))
		p++;
	return p;
}

static int
read_number(struct scan *s, struct abt_bytes *text)
{
	const char *p = s->at, *end = s->end, *digits;

	if (*p == '-')
		p++;
	digits = p;
	p = skip_digits(p, end);
	if (p == digits)
		return fail(s, "a digit was expected", p);
	if (*digits == '0' && p - digits > 1)
		return fail(s, "a number with a leading zero", digits);
	if (p < end && *p == '.') {
		digits = ++p;
		p = skip_digits(p, end);
		if (p == digits)
			return fail(s, "a digit was expected", p);
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits = p;
		p = skip_digits(p, end);
		if (p == digits)
			return fail(s, "a digit was expected", p);
	}
	*text = abt_bytes(s->at, (size_t)(p - s->at));
	s->at = p;
	return 0;
}

static int
read_word(struct scan *s, struct abt_bytes word)
{
	if ((size_t)(s->end - s->at) < word.n ||
	    memcmp(s->at, word.p, word.n) != 0)
		return fail(s, "a value was expected", s->at);
	s->at += word.n;
	return 0;
}

/* Fill |value| from what stands at |s->at|; of a container only the opening. */
static int
read_value(struct scan *s, struct abt_json *value)
{
	switch (*s->at) {
	case '"':
		value->kind = ABT_JSON_STRING;
		return read_string(s, &value->text);
	case '{':
	case '[':
		value->kind = *s->at == '{' ? ABT_JSON_OBJECT : ABT_JSON_ARRAY;
		if (s->depth++ >= s->depth_max)
			return fail(s, "too many levels", s->at);
		s->at++;
		return 0;
	case 't':
		value->kind = ABT_JSON_TRUE;
		return read_word(s, ABT_BYTES("true"));
	case 'f':
		value->kind = ABT_JSON_FALSE;
		return read_word(s, ABT_BYTES("false"));
	case 'n':
		value->kind = ABT_JSON_NULL;
		return read_word(s, ABT_BYTES("null"));
	default:
		if (*s->at != '-' && !abt_char_is(*s->at, ABT_CHAR_DIGIT))
			return fail(s, "a value was expected", s->at);
		value->kind = ABT_JSON_NUMBER;
		return read_number(s, &value->text);
	}
}

/* A value, with its name in an object; linked into |parent|. */
static struct abt_json *
read_member(struct scan *s, struct abt_json *parent)
{
	struct abt_json *value = abt_arena_alloc(s->arena, sizeof(*value));

	if (value == NULL) {
		fail(s, NULL, s->at);
		return NULL;
	}
	*value = (struct abt_json){ .count = 0 };
	skip_blanks(s);
	if (parent != NULL && parent->kind == ABT_JSON_OBJECT) {
		value->key_offset = (uint32_t)(s->at - s->begin);
		if (s->at == s->end || *s->at != '"') {
			fail(s, "a name in quotes was expected", s->at);
			return NULL;
		}
		if (read_string(s, &value->key) != 0)
			return NULL;
		skip_blanks(s);
		if (s->at == s->end || *s->at != ':') {
			fail(s, "a colon was expected", s->at);
			return NULL;
		}
		s->at++;
		skip_blanks(s);
	}
	if (s->at == s->end) {
		fail(s, "a value was expected", s->at);
		return NULL;
	}
	value->offset = (uint32_t)(s->at - s->begin);
	if (read_value(s, value) != 0)
		return NULL;
	if (parent != NULL)
		abt_json_append(parent, value);
	return value;
}

/*
 * Behind a value, or behind the opening of |*parent|: close what closes here.
 * Returns 1 when another member follows, 0 at the end of the text, -1.
 */
static int
close_levels(struct scan *s, struct abt_json **parent, bool opened)
{
	for (;; opened = false) {
		struct abt_json *inner = *parent;
		bool object;

		skip_blanks(s);
		if (inner == NULL) {
			if (s->at == s->end)
				return 0;
			return fail(s, "something behind the value", s->at);
		}
		object = inner->kind == ABT_JSON_OBJECT;
		if (s->at < s->end && *s->at == (object ? '}' : ']')) {
			s->at++;
			s->depth--;
			*parent = inner->next;
			inner->next = NULL;
			if (object && inner->count > 1 &&
			    abt_json_shadow(inner, s->arena) != 0)
				return fail(s, NULL, s->at);
			continue;
		}
		if (opened)
			return 1;
		if (s->at < s->end && *s->at == ',') {
			s->at++;
			return 1;
		}
		return fail(s,
		    object ? "a comma or } was expected"
			   : "a comma or ] was expected",
		    s->at);
	}
}

static struct abt_json *
read_all(struct scan *s)
{
	struct abt_json *root = NULL, *parent = NULL;
	int more;

	do {
		struct abt_json *value = read_member(s, parent);
		bool opened;

		if (value == NULL)
			return NULL;
		if (root == NULL)
			root = value;
		opened = value->kind >= ABT_JSON_ARRAY;
		if (opened) {
			value->next = parent; /* until it is closed */
			parent = value;
		}
		more = close_levels(s, &parent, opened);
	} while (more > 0);
	return more == 0 ? root : NULL;
}

struct abt_json *
abt_json_scan(struct abt_bytes source, unsigned depth, struct abt_arena *arena,
    struct abt_json_error *error)
{
	struct scan s = { .arena = arena, .depth_max = depth };
	struct abt_json *root;

	if (source.n == 0)
		source.p = "";
	if (source.n > UINT32_MAX) {
		abt_json_fail(error, abt_bytes("", 0), "over 4 GiB", 0);
		return NULL;
	}
	s.begin = s.at = source.p;
	s.end = source.p + source.n;
	root = read_all(&s);
	if (root == NULL)
		abt_json_fail(error, source, s.wrong, (size_t)(s.at - s.begin));
	return root;
}
