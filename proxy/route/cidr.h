/*
 * cidr.h - is this address in this range?
 */
#ifndef ABT_ROUTE_CIDR_H
#define ABT_ROUTE_CIDR_H

#include "albatross/bytes.h"

struct abt_cidr {
	unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;             /* of the 128 */
};

/* "10.0.0.0/8", "::1/128", "127.0.0.1" (one address).  False when it is none or
 * when bits behind the mask are set. */
bool abt_cidr_parse(struct abt_bytes text, struct abt_cidr *cidr);
/* |ip| as text. */
bool abt_cidr_holds(
    const struct abt_cidr *ranges, size_t count, const char *ip);

#endif
