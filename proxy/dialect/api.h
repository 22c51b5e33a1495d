/*
 * api.h - what the dialects of API Gateway and function URLs share
 */
#ifndef ABT_DIALECT_API_H
#define ABT_DIALECT_API_H

#include "albatross/dialect.h"

/*
 * The limits and deadlines of these services into |front|->policy (apigw.md
 * 1.16, 2.15): |body_max| and |head_max| (all field lines) in bytes.
 */
void abt_api_policy(struct abt_front *front, size_t line_max, size_t head_max,
    uint64_t body_max);

/* What every API refuses by the head: CONNECT, and the Host of another API when
 * the operator told which id is ours. */
int abt_api_admit(const struct abt_call *call, struct abt_request *req,
    struct abt_report *report);

/* domainName: as configured, else the Host as received, else AWS's name. */
struct abt_bytes abt_api_domain(const struct abt_call *call);
/* domainPrefix: the first label of |domain|. */
struct abt_bytes abt_api_domain_prefix(struct abt_bytes domain);

/* "09/Apr/2015:12:34:56 +0000", 26 bytes and NUL. */
#define ABT_CLF_SIZE 27
void abt_api_clf_time(char out[ABT_CLF_SIZE], int64_t epoch_us);

/* The extended request id of the call, in its arena; empty when that has no
 * memory. */
struct abt_bytes abt_api_extended_id(const struct abt_call *call);

/* |head|, "clientCert":{...}, |tail| of a client that showed a certificate, in
 * the call's arena; |none| of any other. */
struct abt_bytes abt_api_client_cert(const struct abt_call *call,
    struct abt_bytes head, struct abt_bytes tail, struct abt_bytes none);

/* {"name": "value"} of the stage's variables. */
void abt_api_write_variables(
    struct abt_json_out *out, const struct abt_api *api);

/* {"name": "value"} of the path's parameters; decoded if |decode|. */
void abt_api_write_params(
    const struct abt_call *call, struct abt_json_out *out, bool decode);

/* The listener's port as text. */
struct abt_bytes abt_api_port(const struct abt_call *call);

/* The body rule of HTTP APIs and function URLs (apigw.md 2.5): true when the
 * body goes as base64. */
bool abt_api_body_is_base64(const struct abt_request *req);

/* The event is written: text that is no UTF-8, or more than Lambda takes. */
int abt_api_event_end(
    const struct abt_json_out *out, struct abt_report *report);

#endif
