/*
 * to_result.c - a result out of a response: what all dialects share
 *
 * The response is a program's, whose front is somebody else's: what a front
 * makes by itself is left out, the rest is said in the way that loses least.
 * Values that are not UTF-8 are taken for Latin-1, as old programs mean them.
 */
#include "dialect/to_result.h"

/* ---- the fields ---- */

static bool
is_of_connection(enum abt_field_id id)
{
	switch (id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_CONTENT_LENGTH:
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_PROXY_CONNECTION:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_UPGRADE:
		return true;
	default:
		return false;
	}
}

static void
collect(const struct abt_headers *headers, struct abt_to_result_fields *fields)
{
	for (size_t i = 0; i < headers->count; i++)
		if (!is_of_connection(headers->fields[i].id))
			fields->items[fields->count++].field =
			    &headers->fields[i];
}

/* Bring the items that have the name of item |i| behind it, in order. */
static void
gather(struct abt_to_result_fields *fields, size_t i)
{
	struct abt_to_result_field *items = fields->items;
	struct abt_bytes name = items[i].field->name;
	size_t end = i + 1;

	for (size_t k = end; k < fields->count; k++) {
		struct abt_to_result_field found = items[k];

		if (!abt_bytes_equal_nocase(found.field->name, name))
			continue;
		memmove(
		    &items[end + 1], &items[end], (k - end) * sizeof(*items));
		items[end++] = found;
	}
	items[i].group = end - i;
}

struct abt_to_result_fields
abt_to_result_fields(
    const struct abt_response *response, struct abt_arena *arena)
{
	struct abt_to_result_fields fields = { NULL, 0 };

	fields.items = abt_arena_array(arena,
	    response->ours.count + response->headers.count + 1,
	    sizeof(*fields.items));
	if (fields.items == NULL)
		return fields; /* the arena remembers */
	collect(&response->ours, &fields);
	collect(&response->headers, &fields);
	for (size_t i = 0; i < fields.count; i += fields.items[i].group)
		gather(&fields, i);
	return fields;
}

/* ---- text ---- */

/* |b| if it is UTF-8, else as Latin-1. */
static struct abt_bytes
text(struct abt_bytes b, struct abt_arena *arena)
{
	char *out, *w;

	if (abt_utf8_valid(b))
		return b;
	out = w = abt_arena_alloc(arena, 2 * b.n);
	if (out == NULL)
		return abt_bytes(NULL, 0); /* the arena remembers */
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if (c < 0x80) {
			*w++ = (char)c;
			continue;
		}
		*w++ = (char)(0xc0 | c >> 6);
		*w++ = (char)(0x80 | (c & 0x3f));
	}
	return abt_bytes(out, (size_t)(w - out));
}

static bool
is_cookie(const struct abt_field *field)
{
	return field->name.n == 10 &&
	       abt_bytes_equal_nocase(field->name, ABT_BYTES("set-cookie"));
}

/* The values of a group, as one line (RFC 9110 5.3). */
static struct abt_bytes
joined(const struct abt_to_result_field *items, struct abt_arena *arena)
{
	size_t size = 0;
	char *out, *w;

	if (items->group == 1)
		return text(items->field->value, arena);
	for (size_t i = 0; i < items->group; i++)
		size += items[i].field->value.n + 2;
	out = w = abt_arena_alloc(arena, size);
	if (out == NULL)
		return abt_bytes(NULL, 0); /* the arena remembers */
	for (size_t i = 0; i < items->group; i++) {
		struct abt_bytes value = items[i].field->value;

		if (i > 0) {
			*w++ = ',';
			*w++ = ' ';
		}
		if (value.n > 0)
			memcpy(w, value.p, value.n);
		w += value.n;
	}
	return text(abt_bytes(out, (size_t)(w - out)), arena);
}

/* ---- writing ---- */

/* Set-Cookie cannot be joined; but an object may have it under names that
 * differ in case, of which there are 512. */
static void
write_cookie_spellings(const struct abt_to_result_field *items,
    struct abt_arena *arena, struct abt_json_out *out)
{
	for (size_t i = 0; i < items->group && i < 512; i++) {
		char name[] = "set-cookie";
		size_t bits = i;

		for (size_t k = 0; bits != 0 && k < sizeof(name) - 1; k++)
			if (name[k] != '-') {
				if ((bits & 1) != 0)
					name[k] = (char)(name[k] & ~0x20);
				bits >>= 1;
			}
		abt_json_string_at(out, abt_bytes(name, sizeof(name) - 1),
		    text(items[i].field->value, arena));
	}
}

void
abt_to_result_write_joined(const struct abt_to_result_fields *fields,
    bool cookies, struct abt_arena *arena, struct abt_json_out *out)
{
	const struct abt_to_result_field *item = fields->items;

	abt_json_object(out, "headers");
	for (size_t i = 0; i < fields->count;
	     i += item->group, item += item->group) {
		if (!is_cookie(item->field))
			abt_json_string_at(out, text(item->field->name, arena),
			    joined(item, arena));
		else if (cookies)
			write_cookie_spellings(item, arena, out);
	}
	abt_json_close(out);
}

void
abt_to_result_write_lists(const struct abt_to_result_fields *fields,
    bool reversed, struct abt_arena *arena, struct abt_json_out *out)
{
	const struct abt_to_result_field *items = fields->items;

	abt_json_object(out, "multiValueHeaders");
	for (size_t i = 0; i < fields->count; i += items[i].group) {
		size_t n = items[i].group;

		abt_json_array_at(out, text(items[i].field->name, arena));
		for (size_t k = 0; k < n; k++)
			abt_json_string(out, NULL,
			    text(items[reversed ? i + n - 1 - k : i + k]
				     .field->value,
				arena));
		abt_json_close(out);
	}
	abt_json_close(out);
}

void
abt_to_result_write_cookies(const struct abt_to_result_fields *fields,
    struct abt_arena *arena, struct abt_json_out *out)
{
	const struct abt_to_result_field *items = fields->items;

	for (size_t i = 0; i < fields->count; i += items[i].group) {
		if (!is_cookie(items[i].field))
			continue;
		abt_json_array(out, "cookies");
		for (size_t k = 0; k < items[i].group; k++)
			abt_json_string(
			    out, NULL, text(items[i + k].field->value, arena));
		abt_json_close(out);
	}
}

void
abt_to_result_write_body(
    const struct abt_response *response, struct abt_json_out *out)
{
	bool base64 = !abt_utf8_valid(response->body);

	if (base64)
		abt_json_base64(out, "body", response->body);
	else
		abt_json_string(out, "body", response->body);
	abt_json_bool(out, "isBase64Encoded", base64);
}

int
abt_to_result_end(const struct abt_origin *origin, struct abt_report *report)
{
	if (!abt_arena_failed(origin->arena))
		return 0;
	(void)abt_break(report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	return -1;
}
