/*
 * spelled.h - header maps under the client's own spelling (apigw.md 1.5)
 */
#ifndef ABT_DIALECT_SPELLED_H
#define ABT_DIALECT_SPELLED_H

#include "albatross/http.h"
#include "albatross/json.h"

/*
 * Fields for two maps, headers and multiValueHeaders.  Spellings that differ in
 * case only are one name, under the first of them (R3.10).
 */
struct abt_spelled {
	struct abt_spelled_item *items; /* see spelled.c */
	size_t count, room;
};

/* |field| must live until the maps are written. */
void abt_spelled_add(struct abt_spelled *spelled, struct abt_arena *arena,
    const struct abt_field *field);
/* A field of ours. */
void abt_spelled_add_ours(struct abt_spelled *spelled, struct abt_arena *arena,
    enum abt_field_id id, struct abt_bytes name, struct abt_bytes value);

/* "headers" with the last value of each name, and "multiValueHeaders" with all,
 * in order of arrival; names sorted without case.  |mend|: what is not UTF-8 is
 * mended, else it spoils |out|. */
void abt_spelled_write(struct abt_spelled *spelled, struct abt_arena *arena,
    bool mend, struct abt_json_out *out);

#endif
