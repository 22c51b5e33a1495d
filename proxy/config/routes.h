/*
 * routes.h - listener rules as written become routes
 */
#ifndef ABT_CONFIG_ROUTES_H
#define ABT_CONFIG_ROUTES_H

#include "config/front.h"
#include "gateway/setup.h"
#include "route/route.h"

/* What a rule may lead to: the functions of the setup under their names. */
struct abt_target {
	const char *name;
	const void *function;              /* NULL: it has errors of its own */
	struct abt_bytes target_group_arn; /* of its own, or empty */
};

struct abt_targets {
	struct abt_target *targets;
	size_t count;
};

extern const struct abt_option abt_rule_option_rows[];
extern const struct abt_option abt_redirect_option_rows[];
extern const struct abt_option abt_fixed_option_rows[];

/* The function |name|; NULL after complaining, with the nearest name. */
const struct abt_target *abt_target_find(struct abt_source *source,
    const struct abt_targets *targets, const struct abt_json *at,
    struct abt_bytes name);

/*
 * Make front->routes from options->rules and options->function.  0, or -1 after
 * complaining about every rule that is wrong.
 */
int abt_routes_read(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_json *at,
    const struct abt_targets *targets, struct abt_front *front);

#endif
