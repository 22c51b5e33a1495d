/*
 * front.h - a front door out of its options: dialect, attributes, names
 *
 * The same rows serve "fronts" of a file and the command line.
 */
#ifndef ABT_CONFIG_FRONT_H
#define ABT_CONFIG_FRONT_H

#include "albatross/dialect.h"
#include "config/schema.h"

struct abt_front_options {
	struct abt_bytes dialect; /* "alb", "alb-multi" ... */
	const struct abt_json *attributes;
	struct abt_map attribute; /* of the command line: NAME=VALUE */
	int limits;               /* index: aws, off */
	struct abt_bytes dns_name;
	struct abt_bytes region, account;
	struct abt_bytes target_group_arn;
	struct abt_bytes function; /* of the default action */
	const struct abt_json *rules;
	/* of APIs */
	const struct abt_json *routes;
	struct abt_list route; /* route keys to |function| */
	struct abt_bytes stage, base_path, api_id, domain_name, log_format;
	bool stage_in_path;
	struct abt_map stage_variables;
	int64_t integration_timeout_ms, stream_idle_ms;
};
extern const struct abt_option abt_front_option_rows[];
extern const struct abt_option abt_api_route_option_rows[];

/* The account and region that nothing else names. */
#define ABT_ACCOUNT "123456789012"
#define ABT_REGION  "us-east-1"

/*
 * Fill |front| (all but routes and explain) with slices in the source's arena;
 * the caller calls abt_front_finish once nothing more is set.  |at| is the
 * front in the file, or NULL.  0, or -1 after complaining.
 */
int abt_front_make(struct abt_source *source, struct abt_bytes name,
    const struct abt_front_options *options, const struct abt_json *at,
    struct abt_front *front);
/* Set one attribute by AWS's name.  0, or -1 with a clause in |why|. */
int abt_front_attribute(struct abt_source *source, struct abt_front *front,
    const char *name, const char *value, char *why, size_t size);
/* Make the policy of what is set. */
void abt_front_finish(struct abt_front *front);

/* The ARN of a function's target group: its 16 hex digits are a hash of the
 * name, so it stays the same from run to run. */
struct abt_bytes abt_target_group_arn(struct abt_arena *arena,
    struct abt_bytes region, struct abt_bytes account,
    struct abt_bytes function);

#endif
