/*
 * json.h - JSON (RFC 8259): reading into a tree in an arena, writing through a
 * writer that cannot produce invalid JSON
 *
 * Two readers make the same tree.  abt_json_scan is the strict one-pass reader
 * for what functions write.  abt_json_read (yajl) is for what people write:
 * configuration, cases, templates; it allows comments and tells line and
 * column.
 */
#ifndef ALBATROSS_JSON_H
#define ALBATROSS_JSON_H

#include "albatross/buf.h"

enum abt_json_kind {
	ABT_JSON_NULL,
	ABT_JSON_FALSE,
	ABT_JSON_TRUE,
	ABT_JSON_NUMBER,
	ABT_JSON_STRING,
	ABT_JSON_ARRAY,
	ABT_JSON_OBJECT,
};

/*
 * A value.  Members keep their order, duplicates too.  |text| is the decoded
 * string or the number as written; |key| is the decoded name where the value is
 * a member of an object.  Slices point into the source where nothing was
 * escaped, else into the arena, so the source must live as long as the tree.
 */
struct abt_json {
	enum abt_json_kind kind;
	uint32_t count;  /* of members or elements */
	uint32_t offset; /* in the source: of the value's first byte */
	uint32_t key_offset;
	struct abt_bytes key;
	struct abt_bytes text;
	struct abt_json *first; /* member or element */
	struct abt_json *last;
	struct abt_json *next; /* sibling */
	bool shadowed;         /* a later member has the same name */
};

struct abt_json_error {
	const char *text;      /* static: what is wrong, without place */
	size_t offset;         /* where */
	unsigned line, column; /* from 1; the column counts bytes */
};

#define ABT_JSON_DEPTH 64 /* containers inside each other, at most */

/*
 * Read |source| strictly: one value, blanks around it.  Refused: invalid UTF-8
 * anywhere, lone surrogate escapes, control bytes in strings, deeper nesting
 * than |depth|, anything after the value, sources over 4 GiB.  Returns the
 * root, or NULL with |error| filled (out of memory: error->text is NULL and the
 * arena is marked).  A NUL inside a string is data.
 */
struct abt_json *abt_json_scan(struct abt_bytes source, unsigned depth,
    struct abt_arena *arena, struct abt_json_error *error);

/* The same tree, with yajl: C and C++ comments allowed between tokens. */
struct abt_json *abt_json_read(struct abt_bytes source, unsigned depth,
    struct abt_arena *arena, struct abt_json_error *error);

/* Line and column of |offset| in |source|. */
void abt_json_place(
    struct abt_bytes source, size_t offset, unsigned *line, unsigned *column);

/* The last member |name| of an object (last wins), or NULL. */
const struct abt_json *abt_json_get(
    const struct abt_json *object, const char *name);
const struct abt_json *abt_json_get_bytes(
    const struct abt_json *object, struct abt_bytes name);
/* The n-th element from 0, or NULL. */
const struct abt_json *abt_json_at(const struct abt_json *array, size_t n);
/* True when a later member of |object| has the name of |member|. */
bool abt_json_is_shadowed(const struct abt_json *member);

/* An integer without sign, fraction or exponent, at most |max|. */
bool abt_json_uint(const struct abt_json *value, uint64_t max, uint64_t *out);

static inline bool
abt_json_is(const struct abt_json *value, enum abt_json_kind kind)
{
	return value != NULL && value->kind == kind;
}

static inline bool
abt_json_is_bool(const struct abt_json *value)
{
	return abt_json_is(value, ABT_JSON_TRUE) ||
	       abt_json_is(value, ABT_JSON_FALSE);
}

const char *abt_json_kind_name(enum abt_json_kind kind); /* "a number" ... */

/*
 * The writer.  Key first: inside an object every value takes the member's name,
 * inside an array (and for the root) the key is NULL.  A key that is a C string
 * is ours and needs no escape; keys that are data have functions of their own.
 * Opening nests; close
 * ends the innermost.  Text must be valid UTF-8: a string that is not marks the
 * writer (|bad_utf8|) and writes nothing more.  Failure of the buffer is
 * sticky; ask abt_json_out_failed at the end.  Misuse (a key in an array, one
 * close too many, deeper than 64) is an assertion.
 */
struct abt_json_out {
	struct abt_buf *buf;
	uint64_t objects; /* bit per depth: is it an object? */
	unsigned depth;
	bool comma; /* something stands before on this level */
	bool bad_utf8;
};

void abt_json_out_init(struct abt_json_out *out, struct abt_buf *buf);
bool abt_json_out_failed(const struct abt_json_out *out);

void abt_json_object(struct abt_json_out *out, const char *key);
void abt_json_array(struct abt_json_out *out, const char *key);
void abt_json_close(struct abt_json_out *out);
void abt_json_string(
    struct abt_json_out *out, const char *key, struct abt_bytes value);
void abt_json_text(
    struct abt_json_out *out, const char *key, const char *value);
void abt_json_int(struct abt_json_out *out, const char *key, int64_t value);
void abt_json_bool(struct abt_json_out *out, const char *key, bool value);
void abt_json_null(struct abt_json_out *out, const char *key);
/* |value| is base64-encoded into the string. */
void abt_json_base64(
    struct abt_json_out *out, const char *key, struct abt_bytes value);
/* Keys that are data (header names, query keys). */
void abt_json_string_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value);
/* The same where it is known that both are ASCII without quote, backslash and
 * control byte: nothing is looked at, the bytes are copied. */
void abt_json_plain_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value);
/* The same, the value as a list of one. */
void abt_json_plain_list_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value);
void abt_json_array_at(struct abt_json_out *out, struct abt_bytes key);
void abt_json_object_at(struct abt_json_out *out, struct abt_bytes key);
/* A tree, as compact JSON (numbers as they were written). */
void abt_json_tree(
    struct abt_json_out *out, const char *key, const struct abt_json *value);
/* |json| must be one valid value; it is copied as it is. */
void abt_json_raw(
    struct abt_json_out *out, const char *key, struct abt_bytes json);

/* |members| are members of the open object, written and escaped, with commas
 * between them: for those that never change. */
void abt_json_members(struct abt_json_out *out, struct abt_bytes members);

/*
 * Members of the open object in one go, for events that have the same ones
 * every time.  |pieces| of even index are JSON of ours, copied as they are;
 * those of odd index are texts, escaped, inside the quotes that the pieces
 * around them write:
 *   "\"id\":\"", id, "\",\"http\":{\"method\":\"", method, "\"}"
 */
void abt_json_pieces(
    struct abt_json_out *out, const struct abt_bytes *pieces, size_t count);

/*
 * One difference between two trees: where (a JSON pointer in the arena), and
 * what stands on either side (NULL: nothing).
 */
struct abt_json_diff {
	struct abt_json_diff *next;
	struct abt_bytes pointer;
	const struct abt_json *expected, *got;
};

#define ABT_JSON_SUBSET          0x1 /* members that |expected| lacks are free */
#define ABT_JSON_NUMBERS_AS_TEXT 0x2 /* 1 and 1.0 differ */

/* All differences, first ones first; NULL when equal.  Member order is free,
 * arrays are ordered, the last of duplicate members counts. */
struct abt_json_diff *abt_json_compare(const struct abt_json *expected,
    const struct abt_json *got, unsigned flags, struct abt_arena *arena);

/* |name| escaped as one JSON pointer step behind |pointer| (RFC 6901). */
struct abt_bytes abt_json_pointer(
    struct abt_arena *arena, struct abt_bytes pointer, struct abt_bytes name);

#endif
