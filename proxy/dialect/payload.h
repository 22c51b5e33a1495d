/*
 * payload.h - what HTTP APIs and function URLs share: events of format 2.0,
 * results, failures
 */
#ifndef ABT_DIALECT_PAYLOAD_H
#define ABT_DIALECT_PAYLOAD_H

#include "dialect/api.h"
#include "dialect/cors.h"
#include "dialect/maps.h"

/* In what the doors differ. */
struct abt_payload {
	bool url;         /* a function URL: apigw.md 3 */
	bool infers;      /* no statusCode: the result is the body */
	bool multi_value; /* multiValueHeaders, not cookies */
	bool title_case;  /* header names: X-Like-This (H7.7) */
	struct abt_bytes default_type; /* of an envelope */
};

/* Attributes of HTTP APIs; those of function URLs begin with the same. */
struct abt_payload_attributes {
	struct abt_cors cors;
};

static inline const struct abt_cors *
abt_payload_cors(const struct abt_call *call)
{
	const struct abt_payload_attributes *attributes =
	    call->front->attributes;

	return &attributes->cors;
}

/* An event of format 2.0. */
int abt_payload_write_event(const struct abt_payload *payload,
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report);

/* The other way round; |url|: of a function URL. */
bool abt_payload_recognise(const struct abt_json *event, bool url);
int abt_payload_read_event(const struct abt_json *event, bool url,
    struct abt_origin *origin, struct abt_request *request,
    struct abt_report *report);
int abt_payload_write_result(const struct abt_origin *origin,
    const struct abt_response *response, bool prelude, struct abt_json_out *out,
    struct abt_report *report);

/* A header that is not handed on (H2.7). */
static inline bool
abt_payload_is_hop_by_hop(const struct abt_field *field)
{
	switch (field->id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_EXPECT: /* the front has answered it */
	case ABT_FIELD_KEEP_ALIVE:
	case ABT_FIELD_PROXY_CONNECTION:
	case ABT_FIELD_TE:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_TRANSFER_ENCODING:
	case ABT_FIELD_UPGRADE:
		return true;
	case ABT_FIELD_OTHER:
		return field->name.n > 0 &&
		       abt_lower(field->name.p[0]) == 'p' &&
		       abt_bytes_starts_nocase(
			   field->name, ABT_BYTES("proxy-"));
	default:
		return false;
	}
}

int abt_payload_read_result(const struct abt_payload *payload,
    const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, struct abt_response *response,
    struct abt_report *report);

/* HTTP APIs: |status| and its JSON (apigw.md 2.10). */
void abt_http_api_write_failure(const struct abt_call *call,
    const struct abt_rule *rule, struct abt_response *response);
/* A preflight; Apigw-Requestid and CORS headers. */
int abt_http_api_answer(struct abt_call *call, struct abt_response *response,
    struct abt_report *report);
void abt_http_api_finish(
    const struct abt_call *call, struct abt_response *response);
int abt_http_api_check(const struct abt_front *front, char *why, size_t size);
void abt_http_api_make_policy(struct abt_front *front);
int abt_http_api_admit(const struct abt_call *call, struct abt_request *req,
    struct abt_report *report);
extern const struct abt_option abt_http_api_attribute_rows[];

/* |response| with Date and |body| of JSON, or without memory for headers the
 * bare minimum. */
void abt_payload_page(const struct abt_call *call, int status,
    struct abt_bytes body, struct abt_response *response);

#endif
