/*
 * from_event.h - a request out of an event: what all dialects share
 */
#ifndef ABT_DIALECT_FROM_EVENT_H
#define ABT_DIALECT_FROM_EVENT_H

#include "albatross/dialect.h"

/* An event while it is read. */
struct abt_event_reader {
	const struct abt_json *event;
	struct abt_arena *arena;
	struct abt_origin *origin;
	struct abt_request *request;
	struct abt_report *report;
	bool has_length; /* the event had a Content-Length */
};

struct abt_event_reader abt_event_reader(const struct abt_json *event,
    struct abt_origin *origin, struct abt_request *request,
    struct abt_report *report);

/* The member |name| of |object| (NULL: none) if it is a string, else empty. */
struct abt_bytes abt_event_text(
    const struct abt_json *object, const char *name);

/* The map of |event| that counts: that of |lists|, or the other where it has
 * nothing, as in events that a program wrote anew.  |*is_lists| tells. */
const struct abt_json *abt_event_map(const struct abt_json *event,
    const char *lists, const char *single, bool *is_lists);

/* The member |name| is not what it should be. */
int abt_event_bad(struct abt_event_reader *r, const char *name);

/* request->method from |name|. */
int abt_event_method(struct abt_event_reader *r, const struct abt_json *object,
    const char *name);

/* Fields of "headers" (a text each) or "multiValueHeaders" (lists); absent and
 * null are none.  0 or -1. */
int abt_event_headers(
    struct abt_event_reader *r, const struct abt_json *map, bool lists);
int abt_event_field(
    struct abt_event_reader *r, struct abt_bytes name, struct abt_bytes value);

/* A query of "queryStringParameters" or "multiValueQueryStringParameters".
 * |decoded|: names and values are, so they are escaped again. */
int abt_event_query(struct abt_event_reader *r, const struct abt_json *map,
    bool lists, bool decoded, struct abt_bytes *query);

/* Path, query and target of the request.  |decoded|: the path is. */
int abt_event_target(struct abt_event_reader *r, struct abt_bytes path,
    struct abt_bytes query, bool decoded);

/* What requestContext tells of the call: address, id, stage.  |peer| is the
 * text of an address, |epoch| a number of milliseconds or NULL. */
void abt_event_context(struct abt_event_reader *r,
    const struct abt_json *context, struct abt_bytes peer,
    const struct abt_json *epoch);

/* origin->prefix of a front whose paths begin with "/stage". */
void abt_event_stage_prefix(struct abt_event_reader *r);

/* "body" and "isBase64Encoded". */
int abt_event_body(struct abt_event_reader *r);

/* What the headers tell of host, port and scheme; the framing.  Call it last.
 */
int abt_event_end(struct abt_event_reader *r);

#endif
