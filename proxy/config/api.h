/*
 * api.h - what API fronts have besides: id, stage, routes
 */
#ifndef ABT_CONFIG_API_H
#define ABT_CONFIG_API_H

#include "config/routes.h"
#include "route/api_routes.h"

/*
 * Give an API's |front| its abt_api (without routes) and dns_name; nothing for
 * an ALB.  Keys that this kind of front does not have are complained about.
 * |at| is the front in the file, or NULL.  0, or -1 after complaining.
 */
int abt_api_make(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_json *at,
    struct abt_front *front);

/*
 * Its routes, of options->routes, options->route and options->function.  0, or
 * -1 after complaining about every route that is wrong.
 */
int abt_api_routes_read(struct abt_source *source,
    const struct abt_front_options *options, const struct abt_json *at,
    const struct abt_targets *targets, struct abt_front *front);

/* The same of the command line: options->route, or all there is when it is
 * empty, to one function. */
int abt_api_routes_make(struct abt_source *source,
    const struct abt_front_options *options, const void *function,
    struct abt_front *front);

/* The routes of |front| as "routes" of a file. */
void abt_api_print(struct abt_json_out *out, const struct abt_front *front);

#endif
