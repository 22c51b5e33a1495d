/*
 * headers.c - the ordered list of header fields
 *
 * Spelling and order stay as they came.  The names that our own code asks for
 * are recognised once, by length and a short comparison, and asked for by id.
 */
#include "albatross/http.h"

struct known {
	enum abt_field_id id;
	struct abt_bytes name;
};

static const struct known known_fields[] = {
#define FIELD(id, name) { ABT_FIELD_##id, ABT_BYTES_INIT(name) },
	ABT_KNOWN_FIELDS(FIELD)
#undef FIELD
};

#define KNOWN_LONGEST 17 /* "transfer-encoding" */

/* Indices of known_fields by length of name: at most four of a length. */
static const unsigned char by_length[KNOWN_LONGEST + 1][4] = {
#define AT(id) (ABT_FIELD_##id)
	[2] = { AT(TE) },
	[4] = { AT(HOST), AT(DATE) },
	[6] = { AT(ACCEPT), AT(COOKIE), AT(EXPECT), AT(ORIGIN) },
	[7] = { AT(UPGRADE), AT(TRAILER) },
	[10] = { AT(CONNECTION), AT(USER_AGENT), AT(KEEP_ALIVE) },
	[12] = { AT(CONTENT_TYPE) },
	[14] = { AT(CONTENT_LENGTH) },
	[15] = { AT(X_FORWARDED_FOR), AT(X_AMZN_TRACE_ID) },
	[16] = { AT(CONTENT_ENCODING), AT(PROXY_CONNECTION),
	    AT(X_FORWARDED_PORT) },
	[17] = { AT(TRANSFER_ENCODING), AT(X_FORWARDED_PROTO) },
#undef AT
};

enum abt_field_id
abt_field_find(struct abt_bytes name)
{
	const unsigned char *candidate;
	size_t i;

	if (name.n > KNOWN_LONGEST)
		return ABT_FIELD_OTHER;
	if (name.n == 6 && abt_lower(name.p[0]) == 's')
		return abt_bytes_equal_nocase(name, ABT_BYTES("server"))
			   ? ABT_FIELD_SERVER
			   : ABT_FIELD_OTHER;
	candidate = by_length[name.n];
	for (i = 0; i < 4 && candidate[i] != 0; i++) {
		const struct known *known = &known_fields[candidate[i] - 1];

		if (abt_lower(name.p[0]) == known->name.p[0] &&
		    abt_bytes_equal_nocase(name, known->name))
			return known->id;
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
