/*
 * maps.h - shared pieces of events: sorted maps of single values and of lists
 */
#ifndef ABT_DIALECT_MAPS_H
#define ABT_DIALECT_MAPS_H

#include "albatross/http.h"
#include "albatross/json.h"

/* Names with values, in order of arrival until they are sorted. */
struct abt_entry {
	uint64_t prefix; /* first 8 bytes of name, for quick comparison */
	struct abt_bytes name, value;
	bool plain; /* nothing in them needs an escape in JSON */
};

struct abt_entries {
	struct abt_entry *items;
	size_t count, room;
};

void abt_entries_add(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value);

/* The same of what needs no escape in JSON, which nobody looks at again. */
void abt_entries_add_plain(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value);

/* A field under its name in lower case. */
void abt_entries_add_field(struct abt_entries *entries, struct abt_arena *arena,
    const struct abt_field *field);

/* By name in byte order; equal names keep their order. */
void abt_entries_sort(struct abt_entries *entries, struct abt_arena *arena);

/* Both take sorted entries.  {"name": "last value", ...} */
void abt_write_last(struct abt_json_out *out, const char *key,
    const struct abt_entries *entries);
/* {"name": ["value", ...], ...} */
void abt_write_lists(struct abt_json_out *out, const char *key,
    const struct abt_entries *entries);

/* {"name": "value,value", ...}: API Gateway's 2.0 (apigw.md H1.7, H2.1). */
void abt_write_joined(struct abt_json_out *out, const char *key,
    const struct abt_entries *entries, struct abt_arena *arena);

/* Split a raw query at "&" and the first "="; empty pieces are skipped, nothing
 * is decoded. */
void abt_entries_of_query(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes query);

/* The same with names and values decoded as forms are: "+" is a blank, broken
 * escapes stay, what is not UTF-8 is mended (apigw.md 1.4, H1.7). */
void abt_entries_of_form(struct abt_entries *entries, struct abt_arena *arena,
    struct abt_bytes query);

/* The name of |field| in lower case: static for names we know. */
struct abt_bytes abt_field_lower(
    const struct abt_field *field, struct abt_arena *arena);

/* Is |content_type| text for ALB and HTTP APIs: text slash anything and the
 * three application types (alb.md 1.6)? */
bool abt_media_is_text(struct abt_bytes content_type);

#endif
