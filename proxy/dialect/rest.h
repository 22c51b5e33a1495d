/*
 * rest.h - what the files of the REST API dialect share
 */
#ifndef ABT_DIALECT_REST_H
#define ABT_DIALECT_REST_H

#include "albatross/dialect.h"

#define ABT_REST_PAYLOAD_MAX  10485760 /* apigw.md 1.16 */
#define ABT_REST_COMPRESS_OFF (ABT_REST_PAYLOAD_MAX + 1)

/* How an integration gives its result (1.17); SAM's word is the last. */
enum abt_rest_transfer {
	ABT_REST_BUFFERED,
	ABT_REST_STREAM,
	ABT_REST_RESPONSE_STREAM,
};

/* Attributes of the API, by AWS's names. */
struct abt_rest_attributes {
	struct abt_list binary_types;             /* binaryMediaTypes */
	int64_t compress_from;                    /* minimumCompressionSize */
	const struct abt_json *gateway_responses; /* by type: 1.13 */
	int transfer_mode; /* enum abt_rest_transfer, of routes without one */
};

extern const struct abt_option abt_rest_attribute_rows[];

/* What a method has besides its integration: match.method, NULL: nothing. */
struct abt_rest_method {
	bool validate_parameters, validate_body;
	const struct abt_json *parameters; /* "method.request.header.X": true */
	const struct abt_json *models;     /* media type: JSON schema */
	const struct abt_json *templates;  /* of a mock: media type: text */
	const struct abt_json *responses;  /* of a mock: pattern: response */
	int transfer_mode; /* 0: the API's; else enum abt_rest_transfer + 1 */
};

static inline const struct abt_rest_attributes *
abt_rest(const struct abt_front *front)
{
	return front->attributes;
}

static inline bool
abt_rest_compresses(const struct abt_front *front)
{
	return abt_rest(front)->compress_from <= ABT_REST_PAYLOAD_MAX;
}

int abt_rest_write_event(
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report);
int abt_rest_read_result(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_response *response, struct abt_report *report);
/* The answer of a mock (R10). */
int abt_rest_write_action(const struct abt_call *call,
    struct abt_response *response, struct abt_report *report);
void abt_rest_write_failure(const struct abt_call *call,
    const struct abt_rule *rule, struct abt_response *response);

/* $context.error.responseType. */
const char *abt_rest_failure_reason(const struct abt_rule *rule);

/* Does |type| match an entry of binaryMediaTypes (R4.2, R4.4)?  |type| may have
 * parameters. */
bool abt_rest_is_binary(const struct abt_front *front, struct abt_bytes type);

/*
 * Make call->request's body what the function shall get: without its content
 * coding, when the API compresses (R4.6).  0, or -1 with the rule.
 */
int abt_rest_decode_body(struct abt_call *call, struct abt_report *report);

/* Does the request have what its method demands (1.14)?  0, or -1. */
int abt_rest_validate(const struct abt_call *call, struct abt_report *report);
/* The names of the required parameters that are missing: "a, b". */
void abt_rest_missing(const struct abt_call *call, struct abt_buf *names);

/* Compress |response| when the API and the client want it (1.12). */
void abt_rest_compress(
    const struct abt_call *call, struct abt_response *response);

/* Date, and the ids of the request (R8.1). */
void abt_rest_begin_response(
    const struct abt_call *call, struct abt_response *response);

#endif
