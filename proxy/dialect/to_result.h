/*
 * to_result.h - a result out of a response: what all dialects share
 */
#ifndef ABT_DIALECT_TO_RESULT_H
#define ABT_DIALECT_TO_RESULT_H

#include "albatross/dialect.h"

/* The fields of a response that a function may set, by name: the items of one
 * name stand together, where the name first stood, under its first spelling. */
struct abt_to_result_fields {
	struct abt_to_result_field *items;
	size_t count;
};

struct abt_to_result_field {
	const struct abt_field *field;
	size_t group; /* how many items have this name; 0: not the first */
};

/* Both lists of |response| without what belongs to the connection: lengths,
 * codings, hop-by-hop fields. */
struct abt_to_result_fields abt_to_result_fields(
    const struct abt_response *response, struct abt_arena *arena);

/* "headers", one text for each name: values joined with ", ".  Set-Cookie is
 * left out, or with |cookies| given as names that differ in case. */
void abt_to_result_write_joined(const struct abt_to_result_fields *fields,
    bool cookies, struct abt_arena *arena, struct abt_json_out *out);

/* "multiValueHeaders"; |reversed|: last lines first. */
void abt_to_result_write_lists(const struct abt_to_result_fields *fields,
    bool reversed, struct abt_arena *arena, struct abt_json_out *out);

/* "cookies": the Set-Cookie lines, if there are any. */
void abt_to_result_write_cookies(const struct abt_to_result_fields *fields,
    struct abt_arena *arena, struct abt_json_out *out);

/* "body" and "isBase64Encoded": text where it is UTF-8. */
void abt_to_result_write_body(
    const struct abt_response *response, struct abt_json_out *out);

/* 0, or -1 when the memory of |origin| ran out. */
int abt_to_result_end(
    const struct abt_origin *origin, struct abt_report *report);

#endif
