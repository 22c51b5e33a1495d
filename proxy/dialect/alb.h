/*
 * alb.h - what the files of the ALB dialect share
 */
#ifndef ABT_DIALECT_ALB_H
#define ABT_DIALECT_ALB_H

#include "albatross/dialect.h"

enum abt_xff_mode {
	ABT_XFF_APPEND,
	ABT_XFF_PRESERVE,
	ABT_XFF_REMOVE,
};

#define ABT_ALB_RESULT_MAX 1048576 /* R11 */

/* Headers that listener attributes insert into every response (alb.md 2). */
#define ABT_ALB_INSERTED 10

/* Attributes of load balancer, listener and target group, by AWS's names. */
struct abt_alb_attributes {
	bool multi_value;
	bool preserve_host;
	bool drop_invalid;
	bool client_port;
	bool tls_headers;
	bool server;
	bool http2;
	int xff_mode;    /* enum abt_xff_mode */
	int desync_mode; /* enum abt_desync_mode */
	int64_t idle_s, keep_alive_s;
	struct abt_bytes inserted[ABT_ALB_INSERTED];
	struct abt_bytes tls_version_name, tls_cipher_name;
	/* what the specification calls a switch */
	bool drop_transfer_encoding; /* Q2 */
	int64_t not_utf8_status;     /* Q1 */
};

extern const struct abt_option abt_alb_attribute_rows[];

static inline const struct abt_alb_attributes *
abt_alb(const struct abt_front *front)
{
	return front->attributes;
}

int abt_alb_write_event(
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report);
int abt_alb_read_result(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_response *response, struct abt_report *report);
int abt_alb_write_action(const struct abt_call *call,
    struct abt_response *response, struct abt_report *report);
void abt_alb_write_failure(const struct abt_call *call,
    const struct abt_rule *rule, struct abt_response *response);

/* The other way round. */
bool abt_alb_recognise(const struct abt_json *event);
int abt_alb_read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report);
int abt_alb_write_result(const struct abt_origin *origin,
    const struct abt_response *response, bool prelude, struct abt_json_out *out,
    struct abt_report *report);

/* Server and Date, or the function's |date| in its place; |date| may be NULL.
 */
void abt_alb_begin_response(const struct abt_call *call,
    struct abt_response *response, const struct abt_bytes *date);
/* The headers that attributes insert, in place of the function's. */
void abt_alb_insert_headers(
    const struct abt_call *call, struct abt_response *response);
/* ALB's page for |status| (alb.md 2.2): phrase and body, static. */
struct abt_bytes abt_alb_page(int status, struct abt_bytes *phrase);

#endif
