/*
 * headers.c - the ordered list of header fields
 *
 * Spelling and order stay as they came.  The names that our own code asks for
 * are recognised once, by length and a short comparison, and asked for by id.
 */
#include "albatross/http.h"

/* In the order of their ids, which begin at 1. */
static const char *const known_fields[] = {
#define FIELD(id, name) name,
	ABT_KNOWN_FIELDS(FIELD)
#undef FIELD
};

#define KNOWN_LONGEST 25 /* "upgrade-insecure-requests" */
#define OF_A_LENGTH   6  /* at most */

/* Ids by length of name; one more 0 ends the longest row, too. */
static const unsigned char by_length[KNOWN_LONGEST + 1][OF_A_LENGTH + 1] = {
#define AT(id) (ABT_FIELD_##id)
	[2] = { AT(TE) },
	[4] = { AT(DATE), AT(HOST) },
	[6] = { AT(ACCEPT), AT(COOKIE), AT(EXPECT), AT(ORIGIN), AT(PRAGMA),
	    AT(SERVER) },
	[7] = { AT(REFERER), AT(TRAILER), AT(UPGRADE) },
	[10] = { AT(CONNECTION), AT(KEEP_ALIVE), AT(USER_AGENT) },
	[12] = { AT(CONTENT_TYPE) },
	[13] = { AT(CACHE_CONTROL), AT(IF_NONE_MATCH) },
	[14] = { AT(CONTENT_LENGTH), AT(SEC_FETCH_DEST), AT(SEC_FETCH_MODE),
	    AT(SEC_FETCH_SITE), AT(SEC_FETCH_USER) },
	[15] = { AT(ACCEPT_ENCODING), AT(ACCEPT_LANGUAGE), AT(X_AMZN_TRACE_ID),
	    AT(X_FORWARDED_FOR) },
	[16] = { AT(CONTENT_ENCODING), AT(PROXY_CONNECTION),
	    AT(X_FORWARDED_PORT) },
	[17] = { AT(IF_MODIFIED_SINCE), AT(TRANSFER_ENCODING),
	    AT(X_FORWARDED_PROTO) },
	[25] = { AT(UPGRADE_INSECURE_REQUESTS) },
#undef AT
};

static inline uint64_t
load(const char *p, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

/* The last eight bytes of |n|; all of less.  Names of one length differ there
 * more often than at their beginning. */
static inline uint64_t
tail(const char *p, size_t n)
{
	if (n >= 8)
		return load(p + n - 8, 8);
	if (n >= 4)
		return load(p, 4) << 32 | load(p + n - 4, 4);
	return n >= 2 ? load(p, 2) << 16 | load(p + n - 2, 2) : load(p, n);
}

/* Is |known|, in lower case, the same before its last eight bytes? */
static inline bool
begins_alike(const char *name, const char *known, size_t n)
{
	size_t i;

	for (i = 0; i + 8 < n; i += 8)
		if (abt_lower8(load(name + i, 8)) != load(known + i, 8))
			return false;
	return true;
}

enum abt_field_id
abt_field_find(struct abt_bytes name)
{
	const unsigned char *candidate;
	uint64_t last;

	if (name.n > KNOWN_LONGEST || by_length[name.n][0] == 0)
		return ABT_FIELD_OTHER;
	last = abt_lower8(tail(name.p, name.n));
	for (candidate = by_length[name.n]; *candidate != 0; candidate++) {
		const char *known = known_fields[*candidate - 1];

		if (tail(known, name.n) == last &&
		    begins_alike(name.p, known, name.n))
			return (enum abt_field_id) * candidate;
	}
	return ABT_FIELD_OTHER;
}

void
abt_headers_add_id(struct abt_headers *headers, struct abt_arena *arena,
    enum abt_field_id id, struct abt_bytes name, struct abt_bytes value)
{
	struct abt_field *field;

	if (headers->count == headers->room) {
		size_t room = headers->room == 0 ? 16 : headers->room * 2;
		struct abt_field *fields =
		    abt_arena_alloc(arena, room * sizeof(*fields));

		if (fields == NULL)
			return; /* the arena remembers */
		if (headers->count > 0)
			memcpy(fields, headers->fields,
			    headers->count * sizeof(*fields));
		headers->fields = fields;
		headers->room = room;
	}
	field = &headers->fields[headers->count++];
	field->name = name;
	field->value = value;
	field->id = id;
	field->plain = false;
}

void
abt_headers_add(struct abt_headers *headers, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value)
{
	abt_headers_add_id(headers, arena, abt_field_find(name), name, value);
}

const struct abt_field *
abt_headers_first(const struct abt_headers *headers, enum abt_field_id id)
{
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (headers->fields[i].id == id)
			return &headers->fields[i];
	return NULL;
}

const struct abt_field *
abt_headers_last(const struct abt_headers *headers, enum abt_field_id id)
{
	size_t i;

	for (i = headers->count; i > 0; i--)
		if (headers->fields[i - 1].id == id)
			return &headers->fields[i - 1];
	return NULL;
}

const struct abt_field *
abt_headers_named(const struct abt_headers *headers, struct abt_bytes name)
{
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (abt_bytes_equal_nocase(headers->fields[i].name, name))
			return &headers->fields[i];
	return NULL;
}

size_t
abt_headers_drop(struct abt_headers *headers, enum abt_field_id id)
{
	size_t i, kept = 0, dropped;

	for (i = 0; i < headers->count; i++)
		if (headers->fields[i].id != id)
			headers->fields[kept++] = headers->fields[i];
	dropped = headers->count - kept;
	headers->count = kept;
	return dropped;
}

size_t
abt_headers_drop_named(struct abt_headers *headers, struct abt_bytes name)
{
	size_t i, kept = 0, dropped;

	for (i = 0; i < headers->count; i++)
		if (!abt_bytes_equal_nocase(headers->fields[i].name, name))
			headers->fields[kept++] = headers->fields[i];
	dropped = headers->count - kept;
	headers->count = kept;
	return dropped;
}
