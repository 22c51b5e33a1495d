/*
 * proxy_line.h - PROXY protocol v1 and v2: a pure, incremental parser
 */
#ifndef ABT_NET_PROXY_LINE_H
#define ABT_NET_PROXY_LINE_H

#include <sys/types.h>

#include "albatross/bytes.h"

/* No valid header is longer: v2 with TLVs, 16 bytes of head and 65,535. */
#define ABT_PROXY_LINE_MAX (16 + 65535)

/* IPv4 stands as ::ffff:a.b.c.d. */
struct abt_proxy_line {
	bool known; /* false: LOCAL or UNKNOWN, the socket's addresses hold */
	unsigned char source[16], destination[16];
	unsigned source_port, destination_port;
};

/*
 * Read the header at the front of |in|.  Returns its length, 0 when more bytes
 * are needed, -1 when it is none or malformed.  TLVs of v2 are skipped.
 *
 * Source: haproxy doc/proxy-protocol.txt, 2.1 and 2.2.
 */
ssize_t abt_proxy_line_read(struct abt_bytes in, struct abt_proxy_line *line);

#endif
