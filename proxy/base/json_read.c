/*
 * json_read.c - yajl builds the tree of what people write, with comments, and
 * says line and column
 *
 * Whole buffers only: yajl scans an unfinished string again from its start.
 * yajl tells neither where a token begins nor what was wrong by a code, and it
 * lets half surrogate pairs and half tokens at the end pass; so a small walk
 * over the tokens goes along with it, which finds places, spots those mistakes,
 * and cuts slices out of the source.  yajl does not check its allocations: its
 * memory comes from an arena of its own, and when that has none left we jump
 * out of it.
 */
#include <setjmp.h>

#include <yajl/yajl_parse.h>

#include "base/json_tree.h"

struct reader {
	struct abt_bytes source;
	struct abt_arena *arena;
	struct abt_arena scratch; /* yajl's memory */
	jmp_buf out_of_memory;
	yajl_handle yajl;
	size_t at; /* behind the last token */
	unsigned depth, depth_max;
	struct abt_json *root;
	struct abt_json *parent; /* its |next| is the one around it */
	struct abt_bytes key;
	size_t key_offset;
	const char *wrong; /* our own refusal, at |wrong_at| */
	size_t wrong_at;
};

/* ---- the walk ---- */

/* Behind the comment at |at|, or |at|: there is none, or it has no end. */
static size_t
skip_comment(struct abt_bytes b, size_t at)
{
	struct abt_bytes rest = abt_bytes(b.p + at, b.n - at);
	size_t n;

	if (abt_bytes_starts(rest, ABT_BYTES("//")))
		return at + abt_bytes_find(rest, '\n');
	if (!abt_bytes_starts(rest, ABT_BYTES("/*")))
		return at;
	rest = abt_bytes(rest.p + 2, rest.n - 2);
	n = abt_bytes_search(rest, ABT_BYTES("*/"));
	return n == rest.n ? at : at + 2 + n + 2;
}

/* Where the next token begins, or b.n. */
static size_t
token_begin(struct abt_bytes b, size_t at)
{
	while (at < b.n) {
		char c = b.p[at];
		size_t behind;

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
		    c == '\v' || c == '\f') {
			at++;
			continue;
		}
		behind = skip_comment(b, at);
		if (behind == at)
			break;
		at = behind;
	}
	return at;
}

/* Where the token that begins at |at| ends. */
static size_t
token_end(struct abt_bytes b, size_t at)
{
	if (at >= b.n)
		return b.n;
	if (b.p[at] == '"') {
		for (at++; at < b.n && b.p[at] != '"'; at++)
			if (b.p[at] == '\\' && at + 1 < b.n)
				at++;
		return at < b.n ? at + 1 : b.n;
	}
	if (memchr("{}[],:", b.p[at], 6) != NULL)
		return at + 1;
	while (at < b.n && memchr(" \t\r\n{}[],:\"/", b.p[at], 12) == NULL)
		at++;
	return at;
}

/* The next token that is no comma or colon: what yajl calls back for. */
static struct abt_bytes
next_value_token(struct reader *r, size_t *begin)
{
	size_t at = r->at, end;

	for (;;) {
		at = token_begin(r->source, at);
		if (at >= r->source.n ||
		    (r->source.p[at] != ',' && r->source.p[at] != ':'))
			break;
		at++;
	}
	end = token_end(r->source, at);
	r->at = end;
	*begin = at;
	return abt_bytes(r->source.p + at, end - at);
}

/* ---- callbacks ---- */

static int
refuse(struct reader *r, const char *wrong, size_t at)
{
	r->wrong = wrong;
	r->wrong_at = at;
	return 0; /* yajl_status_client_canceled */
}

static int
out_of_memory(struct reader *r)
{
	longjmp(r->out_of_memory, 1);
}

static int
add(struct reader *r, enum abt_json_kind kind, struct abt_bytes text,
    size_t begin)
{
	struct abt_json *value = abt_arena_zero(r->arena, sizeof(*value));

	if (value == NULL)
		return out_of_memory(r);
	value->kind = kind;
	value->offset = (uint32_t)begin;
	value->text = text;
	if (r->parent == NULL) {
		r->root = value;
	} else {
		if (r->parent->kind == ABT_JSON_OBJECT) {
			value->key = r->key;
			value->key_offset = (uint32_t)r->key_offset;
		}
		abt_json_append(r->parent, value);
	}
	if (kind < ABT_JSON_ARRAY)
		return 1;
	if (r->depth++ >= r->depth_max)
		return refuse(r, "too many levels", begin);
	value->next = r->parent;
	r->parent = value;
	return 1;
}

static int
on_null(void *context)
{
	struct reader *r = context;
	size_t begin;

	next_value_token(r, &begin);
	return add(r, ABT_JSON_NULL, abt_bytes(NULL, 0), begin);
}

static int
on_boolean(void *context, int value)
{
	struct reader *r = context;
	size_t begin;

	next_value_token(r, &begin);
	return add(r, value ? ABT_JSON_TRUE : ABT_JSON_FALSE,
	    abt_bytes(NULL, 0), begin);
}

static int
on_number(void *context, const char *p, size_t n)
{
	struct reader *r = context;
	size_t begin;

	/* |p| may be a copy that ends with the callback; the token is not. */
	next_value_token(r, &begin);
	(void)p;
	r->at = begin + n;
	return add(
	    r, ABT_JSON_NUMBER, abt_bytes(r->source.p + begin, n), begin);
}

/* Value of the escape \uXXXX at |at|, which yajl has checked; -1: no such. */
static int
unit_at(struct abt_bytes raw, size_t at)
{
	uint64_t value;

	if (raw.n < 6 || at > raw.n - 6 || raw.p[at] != '\\' ||
	    raw.p[at + 1] != 'u' ||
	    !abt_bytes_number(abt_bytes(raw.p + at + 2, 4), 16, 0xffff, &value))
		return -1;
	return (int)value;
}

/* Where half of a surrogate pair is escaped, or raw.n. */
static size_t
find_half_pair(struct abt_bytes raw)
{
	size_t at = 0;

	while (at < raw.n) {
		int unit, low;

		if (raw.p[at] != '\\') {
			at++;
			continue;
		}
		unit = unit_at(raw, at);
		if (unit < 0xd800 || unit > 0xdfff) {
			at += 2;
			continue;
		}
		low = unit_at(raw, at + 6);
		if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
			return at;
		at += 12;
	}
	return raw.n;
}

/* |decoded| as yajl gives it becomes |text|.  1, or 0 with a refusal. */
static int
take_string(struct reader *r, struct abt_bytes decoded, struct abt_bytes *text,
    size_t *begin)
{
	struct abt_bytes raw = next_value_token(r, begin);
	size_t half;

	raw =
	    raw.n >= 2 ? abt_bytes(raw.p + 1, raw.n - 2) : abt_bytes(raw.p, 0);
	*text = raw;
	if (abt_bytes_find(raw, '\\') == raw.n)
		return 1;
	half = find_half_pair(raw);
	if (half < raw.n)
		return refuse(r, "half of a surrogate pair", *begin + 1 + half);
	*text = abt_arena_copy(r->arena, decoded);
	return text->p != NULL ? 1 : out_of_memory(r);
}

static int
on_string(void *context, const unsigned char *p, size_t n)
{
	struct reader *r = context;
	struct abt_bytes text;
	size_t begin;

	if (!take_string(r, abt_bytes((const char *)p, n), &text, &begin))
		return 0;
	return add(r, ABT_JSON_STRING, text, begin);
}

static int
on_key(void *context, const unsigned char *p, size_t n)
{
	struct reader *r = context;

	return take_string(
	    r, abt_bytes((const char *)p, n), &r->key, &r->key_offset);
}

static int
on_open_object(void *context)
{
	struct reader *r = context;
	size_t begin;

	next_value_token(r, &begin);
	return add(r, ABT_JSON_OBJECT, abt_bytes(NULL, 0), begin);
}

static int
on_open_array(void *context)
{
	struct reader *r = context;
	size_t begin;

	next_value_token(r, &begin);
	return add(r, ABT_JSON_ARRAY, abt_bytes(NULL, 0), begin);
}

static int
on_close(void *context)
{
	struct reader *r = context;
	struct abt_json *inner = r->parent;
	size_t begin;

	next_value_token(r, &begin);
	r->depth--;
	r->parent = inner->next;
	inner->next = NULL;
	if (inner->kind == ABT_JSON_OBJECT &&
	    abt_json_shadow(inner, r->arena) != 0)
		return out_of_memory(r);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_open_array,
	.yajl_end_array = on_close,
};

/* ---- yajl's memory ---- */

#define HEAD 16 /* before each piece stands its size */

static void *
yajl_take(void *context, size_t size)
{
	struct reader *r = context;
	char *p;

	if (size > PTRDIFF_MAX - HEAD)
		out_of_memory(r);
	p = abt_arena_alloc(&r->scratch, size + HEAD);
	if (p == NULL)
		out_of_memory(r);
	memcpy(p, &size, sizeof(size));
	return p + HEAD;
}

static void *
yajl_retake(void *context, void *old, size_t size)
{
	size_t had = 0;
	char *p = yajl_take(context, size);

	if (old != NULL) {
		memcpy(&had, (char *)old - HEAD, sizeof(had));
		memcpy(p, old, had < size ? had : size);
	}
	return p;
}

static void
yajl_give(void *context, void *p)
{
	(void)context;
	(void)p; /* with the arena */
}

/* ---- what went wrong ---- */

/* yajl has no codes, only these texts. */
static const struct {
	const char *theirs, *ours;
	bool whole_token; /* the mistake is the token, not a byte of it */
} errors[] = {
	{ "premature EOF", NULL, false },
	{ "invalid bytes in UTF8 string", "invalid UTF-8", false },
	{ "inside a string, '\\' occurs before", "an unknown escape", false },
	{ "invalid character inside string", "a control character in a string",
	    false },
	{ "invalid (non-hex) character", "\\u wants four hex digits", false },
	{ "invalid char in json text", "a value was expected", true },
	{ "invalid string in json text", "a value was expected", true },
	{ "malformed number, a digit is required", "a digit was expected",
	    false },
	{ "probable comment found", "comments are not allowed here", false },
	{ "unallowed token", "a value was expected", true },
	{ "object key and value must be separated", "a colon was expected",
	    true },
	{ "invalid object key", "a name in quotes was expected", true },
	{ "after array element", "a comma or ] was expected", true },
	{ "after key and value", "a comma or } was expected", true },
	{ "trailing garbage", "something behind the value", true },
	{ "integer overflow", "the number is too large", true },
};

/* Where the token begins that holds the byte before |end|; |before| is the byte
 * that the token in front of it begins with. */
static size_t
token_before(struct abt_bytes b, size_t end, char *before)
{
	size_t at = token_begin(b, 0);

	*before = '\0';
	while (at < b.n) {
		size_t behind = token_end(b, at), next;

		next = token_begin(b, behind > at ? behind : at + 1);
		if (next >= end || b.p[at] == '/')
			break; /* a comment without end has no token behind */
		*before = b.p[at];
		at = next;
	}
	return at < end ? at : end;
}

static bool
is_open_string(struct abt_bytes b, size_t at)
{
	if (at >= b.n || b.p[at] != '"')
		return false;
	for (at++; at < b.n && b.p[at] != '"'; at++)
		if (b.p[at] == '\\')
			at++;
	return at >= b.n;
}

/* The text ended: inside a string, told where that began, or between. */
static void
explain_end(struct reader *r, struct abt_json_error *error)
{
	char before;
	size_t at = token_before(r->source, r->source.n, &before);

	if (is_open_string(r->source, at))
		abt_json_fail(error, r->source, "a string without end", at);
	else if (at < r->source.n && r->source.p[at] == '/')
		abt_json_fail(error, r->source, "a comment without end", at);
	else
		abt_json_fail(
		    error, r->source, "the text ends too early", r->source.n);
}

static bool
in_object(const struct reader *r)
{
	return abt_json_is(r->parent, ABT_JSON_OBJECT);
}

static void
explain(struct reader *r, struct abt_json_error *error, bool at_end)
{
	const char *theirs, *ours = "not JSON";
	size_t at = at_end ? r->source.n : yajl_get_bytes_consumed(r->yajl);
	size_t i;
	char before;

	theirs = (const char *)yajl_get_error(r->yajl, 0, NULL, 0);
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (theirs == NULL || strstr(theirs, errors[i].theirs) == NULL)
			continue;
		if (i == 0) {
			explain_end(r, error);
			return;
		}
		ours = errors[i].ours;
		if (!errors[i].whole_token)
			break;
		at = token_before(r->source, at, &before);
		/* The most usual mistake of all. */
		if (before == '{' || (before == ',' && in_object(r)))
			ours = "a name in quotes was expected";
		break;
	}
	abt_json_fail(error, r->source, ours, at);
}

/* ---- all of it ---- */

/* yajl does not mind half a token behind the value. */
static int
check_rest(struct reader *r, struct abt_json_error *error)
{
	size_t at = token_begin(r->source, r->at);

	if (at == r->source.n)
		return 0;
	abt_json_fail(error, r->source, "something behind the value", at);
	return -1;
}

static int
run(struct reader *r, struct abt_json_error *error)
{
	yajl_alloc_funcs memory = { yajl_take, yajl_retake, yajl_give, r };
	const unsigned char *p = (const unsigned char *)r->source.p;
	yajl_status status;
	size_t valid = abt_utf8_span(r->source);
	bool at_end = false;

	if (valid < r->source.n) {
		/* yajl takes shorter forms and surrogates for granted. */
		abt_json_fail(error, r->source, "invalid UTF-8", valid);
		return -1;
	}
	if (setjmp(r->out_of_memory) != 0) {
		abt_arena_fail(r->arena);
		abt_json_fail(error, r->source, NULL, 0);
		return -1;
	}
	r->yajl = yajl_alloc(&callbacks, &memory, r);
	yajl_config(r->yajl, yajl_allow_comments, 1);
	status = yajl_parse(r->yajl, p, r->source.n);
	if (status == yajl_status_ok) {
		at_end = true;
		status = yajl_complete_parse(r->yajl);
	}
	if (status == yajl_status_ok)
		return check_rest(r, error);
	if (r->wrong != NULL)
		abt_json_fail(error, r->source, r->wrong, r->wrong_at);
	else
		explain(r, error, at_end);
	return -1;
}

struct abt_json *
abt_json_read(struct abt_bytes source, unsigned depth, struct abt_arena *arena,
    struct abt_json_error *error)
{
	struct reader r = {
		.source = source, .arena = arena, .depth_max = depth
	};
	int status;

	if (source.n == 0)
		r.source.p = "";
	if (source.n > UINT32_MAX) {
		abt_json_fail(error, abt_bytes("", 0), "over 4 GiB", 0);
		return NULL;
	}
	abt_arena_init(&r.scratch, arena->pool);
	status = run(&r, error);
	abt_arena_end(&r.scratch);
	return status == 0 ? r.root : NULL;
}
