/*
 * json_write.c - key-first JSON writer into a buffer
 *
 * Commas, names and levels; the text inside strings is json_escape.c's.  UTF-8
 * is checked only where a byte over 0x7F was seen.  Members are committed
 * whole: a string that is refused leaves no trace.
 */
#include "albatross/json.h"

#include <assert.h>

#include "base/json_escape.h"

#define SHORT 128 /* name and value together */

/* ---- commas and names ---- */

void
abt_json_out_init(struct abt_json_out *out, struct abt_buf *buf)
{
	memset(out, 0, sizeof(*out));
	out->buf = buf;
}

bool
abt_json_out_failed(const struct abt_json_out *out)
{
	return out->bad_utf8 || out->buf->failed;
}

static inline bool
in_object(const struct abt_json_out *out)
{
	return out->depth > 0 && (out->objects >> (out->depth - 1) & 1) != 0;
}

static void
roll_back(struct abt_buf *buf, size_t n)
{
	buf->n = n;
	if (buf->failed)
		buf->size = n; /* a failed buffer has no room */
}

/* A name, and whose it is: ours needs no escape. */
struct name {
	struct abt_bytes text; /* p is NULL where there is no name */
	bool ours;
};

static inline struct name
ours(const char *key)
{
	return (struct name){ abt_bytes_text(key), true };
}

static inline struct name
data(struct abt_bytes key)
{
	return (struct name){ key.p != NULL ? key : ABT_BYTES(""), false };
}

/* Comma, name and string when nothing in them needs an escape, which is nearly
 * always so: the end, or NULL. */
static inline char *
copy_member(struct abt_json_out *out, struct name name, bool string,
    struct abt_bytes value, uint64_t *high)
{
	size_t want = name.text.n + value.n + ABT_ESCAPE_SLACK + 8;
	char *w;

	if (!abt_escape_has_room(out->buf, want))
		return NULL;
	w = out->buf->p + out->buf->n;
	*w = ',';
	w += out->comma;
	if (name.text.p != NULL) {
		*w++ = '"';
		w = name.ours ? abt_put(w, name.text)
			      : abt_escape_copy(w, name.text, high);
		if (w == NULL)
			return NULL;
		*w++ = '"';
		*w++ = ':';
	}
	if (!string)
		return w;
	*w++ = '"';
	w = abt_escape_copy(w, value, high);
	if (w != NULL)
		*w++ = '"';
	return w;
}

static void
escape_member(struct abt_json_out *out, struct name name, bool string,
    struct abt_bytes value, uint64_t *high)
{
	struct abt_buf *buf = out->buf;

	if (out->comma)
		abt_buf_char(buf, ',');
	if (name.text.p != NULL) {
		abt_buf_char(buf, '"');
		abt_json_escape(buf, name.text, high);
		abt_buf_add(buf, ABT_BYTES("\":"));
	}
	if (string) {
		abt_buf_char(buf, '"');
		abt_json_escape(buf, value, high);
		abt_buf_char(buf, '"');
	}
}

/*
 * Write comma and name, then the |value| as a string if |string|, all or
 * nothing.
 */
static inline void
put_member(struct abt_json_out *out, struct name name, bool string,
    struct abt_bytes value)
{
	struct abt_buf *buf = out->buf;
	size_t begin = buf->n;
	uint64_t high = 0;
	char *w = NULL;

	if (out->bad_utf8)
		return;
	assert((name.text.p != NULL) == in_object(out));
	assert(out->depth > 0 || !out->comma);
	if (name.text.n + value.n <= SHORT)
		w = copy_member(out, name, string, value, &high);
	if (w != NULL)
		buf->n = (size_t)(w - buf->p);
	else
		escape_member(out, name, string, value, &high);
	if (high != 0 && !(abt_utf8_valid(name.text) &&
			     (!string || abt_utf8_valid(value)))) {
		out->bad_utf8 = true;
		roll_back(buf, begin);
		return;
	}
	out->comma = true;
}

/* Comma, a name of ours and |text| of ours, which is no string. */
static inline void
put_raw(struct abt_json_out *out, const char *key, struct abt_bytes text)
{
	struct abt_bytes name = abt_bytes_text(key);
	char *w;

	if (out->bad_utf8)
		return;
	assert((name.p != NULL) == in_object(out));
	assert(out->depth > 0 || !out->comma);
	w = abt_buf_room(out->buf, name.n + text.n + 4);
	if (w == NULL)
		return;
	out->buf->n += out->comma + text.n;
	*w = ',';
	w += out->comma;
	if (name.p != NULL) {
		out->buf->n += name.n + 3;
		*w++ = '"';
		w = abt_put(w, name);
		*w++ = '"';
		*w++ = ':';
	}
	abt_put(w, text);
	out->comma = true;
}

/* What was written last opens an object or an array. */
static inline void
go_down(struct abt_json_out *out, bool object)
{
	if (out->bad_utf8)
		return;
	assert(out->depth < 64);
	out->objects &= ~((uint64_t)1 << out->depth);
	out->objects |= (uint64_t)object << out->depth;
	out->depth++;
	out->comma = false;
}

static void
open_at(struct abt_json_out *out, struct abt_bytes key, bool object)
{
	put_member(out, data(key), false, abt_bytes(NULL, 0));
	if (!out->bad_utf8)
		abt_buf_char(out->buf, object ? '{' : '[');
	go_down(out, object);
}

/* ---- the public names ---- */

void
abt_json_object(struct abt_json_out *out, const char *key)
{
	put_raw(out, key, ABT_BYTES("{"));
	go_down(out, true);
}

void
abt_json_array(struct abt_json_out *out, const char *key)
{
	put_raw(out, key, ABT_BYTES("["));
	go_down(out, false);
}

void
abt_json_object_at(struct abt_json_out *out, struct abt_bytes key)
{
	open_at(out, key, true);
}

void
abt_json_plain_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value)
{
	char *w;

	if (out->bad_utf8)
		return;
	assert(in_object(out));
	w = abt_buf_room(out->buf, key.n + value.n + 6); /* ,"":"" */
	if (w == NULL)
		return;
	out->buf->n += key.n + value.n + 5 + out->comma;
	*w = ',';
	w += out->comma;
	*w++ = '"';
	w = abt_put(w, key);
	w = abt_put(w, ABT_BYTES("\":\""));
	w = abt_put(w, value);
	*w = '"';
	out->comma = true;
}

void
abt_json_plain_list_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value)
{
	char *w;

	if (out->bad_utf8)
		return;
	assert(in_object(out));
	w = abt_buf_room(out->buf, key.n + value.n + 8); /* ,"":[""] */
	if (w == NULL)
		return;
	out->buf->n += key.n + value.n + 7 + out->comma;
	*w = ',';
	w += out->comma;
	*w++ = '"';
	w = abt_put(w, key);
	w = abt_put(w, ABT_BYTES("\":[\""));
	w = abt_put(w, value);
	abt_put(w, ABT_BYTES("\"]"));
	out->comma = true;
}

void
abt_json_array_at(struct abt_json_out *out, struct abt_bytes key)
{
	open_at(out, key, false);
}

void
abt_json_close(struct abt_json_out *out)
{
	if (out->bad_utf8)
		return; /* openings are not counted any more */
	assert(out->depth > 0);
	abt_buf_char(out->buf, in_object(out) ? '}' : ']');
	out->depth--;
	out->comma = true;
}

void
abt_json_string(
    struct abt_json_out *out, const char *key, struct abt_bytes value)
{
	put_member(out, ours(key), true, value);
}

void
abt_json_string_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value)
{
	put_member(out, data(key), true, value);
}

void
abt_json_text(struct abt_json_out *out, const char *key, const char *value)
{
	put_member(out, ours(key), true, abt_bytes_text(value));
}

void
abt_json_int(struct abt_json_out *out, const char *key, int64_t value)
{
	char text[21];
	uint64_t size = (uint64_t)value;
	size_t n = 0;

	if (value < 0) {
		text[n++] = '-';
		size = 0 - size;
	}
	n += abt_format_number(text + n, size);
	put_raw(out, key, abt_bytes(text, n));
}

void
abt_json_bool(struct abt_json_out *out, const char *key, bool value)
{
	put_raw(out, key, value ? ABT_BYTES("true") : ABT_BYTES("false"));
}

void
abt_json_null(struct abt_json_out *out, const char *key)
{
	put_raw(out, key, ABT_BYTES("null"));
}

void
abt_json_members(struct abt_json_out *out, struct abt_bytes members)
{
	if (out->bad_utf8)
		return;
	assert(in_object(out));
	if (out->comma)
		abt_buf_char(out->buf, ',');
	abt_buf_add(out->buf, members);
	out->comma = true;
}

/* |pieces| when no text among them needs an escape, which is nearly always so:
 * the end, or NULL. */
static char *
copy_pieces(struct abt_json_out *out, const struct abt_bytes *pieces,
    size_t count, uint64_t *high)
{
	size_t i, want = ABT_ESCAPE_SLACK + 1;
	char *w;

	for (i = 0; i < count; i++)
		want += pieces[i].n;
	if (!abt_escape_has_room(out->buf, want))
		return NULL;
	w = out->buf->p + out->buf->n;
	*w = ',';
	w += out->comma;
	for (i = 0; i < count && w != NULL; i++)
		if (i % 2 == 0)
			w = abt_put(w, pieces[i]);
		else
			w = abt_escape_copy(w, pieces[i], high);
	return w;
}

void
abt_json_pieces(
    struct abt_json_out *out, const struct abt_bytes *pieces, size_t count)
{
	struct abt_buf *buf = out->buf;
	size_t i, begin = buf->n;
	uint64_t high = 0;
	char *w;

	if (out->bad_utf8)
		return;
	assert(in_object(out));
	w = copy_pieces(out, pieces, count, &high);
	if (w != NULL) {
		buf->n = (size_t)(w - buf->p);
	} else {
		if (out->comma)
			abt_buf_char(buf, ',');
		for (i = 0; i < count; i++)
			if (i % 2 == 0)
				abt_buf_add(buf, pieces[i]);
			else
				abt_json_escape(buf, pieces[i], &high);
	}
	for (i = 1; high != 0 && i < count; i += 2)
		if (!abt_utf8_valid(pieces[i])) {
			out->bad_utf8 = true;
			roll_back(buf, begin);
			return;
		}
	out->comma = true;
}

void
abt_json_raw(struct abt_json_out *out, const char *key, struct abt_bytes json)
{
	put_raw(out, key, json);
}

void
abt_json_base64(
    struct abt_json_out *out, const char *key, struct abt_bytes value)
{
	size_t n;
	char *w;

	put_raw(out, key, ABT_BYTES(""));
	if (out->bad_utf8)
		return;
	n = abt_base64_length(value.n);
	w = abt_buf_room(out->buf, n + 2);
	if (w == NULL)
		return;
	w[0] = '"';
	abt_base64_encode(w + 1, value);
	w[n + 1] = '"';
	abt_buf_commit(out->buf, n + 2);
}

/* ---- trees ---- */

static void put_value(struct abt_json_out *out, const struct abt_json *value);

static void
put_text(struct abt_json_out *out, struct abt_bytes text)
{
	uint64_t high = 0;

	abt_buf_char(out->buf, '"');
	abt_json_escape(out->buf, text, &high);
	abt_buf_char(out->buf, '"');
	if (high != 0 && !abt_utf8_valid(text))
		out->bad_utf8 = true;
}

/* The bit per depth is not used here: trees may nest as their reader allows. */
static void
put_members(struct abt_json_out *out, const struct abt_json *parent)
{
	bool object = parent->kind == ABT_JSON_OBJECT;
	const struct abt_json *child;

	abt_buf_char(out->buf, object ? '{' : '[');
	for (child = parent->first; child != NULL; child = child->next) {
		if (child != parent->first)
			abt_buf_char(out->buf, ',');
		if (object) {
			put_text(out, child->key);
			abt_buf_char(out->buf, ':');
		}
		put_value(out, child);
	}
	abt_buf_char(out->buf, object ? '}' : ']');
}

static void
put_value(struct abt_json_out *out, const struct abt_json *value)
{
	switch (value->kind) {
	case ABT_JSON_NULL:
		abt_buf_add(out->buf, ABT_BYTES("null"));
		break;
	case ABT_JSON_FALSE:
		abt_buf_add(out->buf, ABT_BYTES("false"));
		break;
	case ABT_JSON_TRUE:
		abt_buf_add(out->buf, ABT_BYTES("true"));
		break;
	case ABT_JSON_NUMBER:
		abt_buf_add(out->buf, value->text);
		break;
	case ABT_JSON_STRING:
		put_text(out, value->text);
		break;
	case ABT_JSON_ARRAY:
	case ABT_JSON_OBJECT:
		put_members(out, value);
		break;
	}
}

void
abt_json_tree(
    struct abt_json_out *out, const char *key, const struct abt_json *value)
{
	size_t begin = out->buf->n;

	put_raw(out, key, ABT_BYTES(""));
	if (out->bad_utf8)
		return;
	put_value(out, value);
	if (out->bad_utf8)
		roll_back(out->buf, begin);
}
