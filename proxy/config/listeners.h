/*
 * listeners.h - "listeners" of the file become listeners of the setup
 */
#ifndef ABT_CONFIG_LISTENERS_H
#define ABT_CONFIG_LISTENERS_H

#include "config/schema.h"
#include "gateway/setup.h"

extern const struct abt_option abt_listener_option_rows[];
extern const struct abt_option abt_certificate_option_rows[];

/* Fill setup->listeners from |root|'s member; the fronts stand already.  0, or
 * -1 after complaining. */
int abt_listeners_read(struct abt_source *source, const struct abt_json *root,
    struct abt_setup *setup);

/* "host:port", "[v6]:port" or "unix:/path": true when |text| looks like one. */
bool abt_address_looks_right(struct abt_bytes text);

#endif
