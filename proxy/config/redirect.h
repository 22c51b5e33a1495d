/*
 * redirect.h - the actions that invoke nothing: redirect, fixed response
 */
#ifndef ABT_CONFIG_REDIRECT_H
#define ABT_CONFIG_REDIRECT_H

#include "config/schema.h"
#include "route/route.h"

/* Fill |route|'s action from |value|.  0, or -1 after complaining. */
int abt_redirect_read(struct abt_source *source, const struct abt_json *value,
    struct abt_route *route);
int abt_fixed_read(struct abt_source *source, const struct abt_json *value,
    bool limits_off, struct abt_route *route);

#endif
