/*
 * port_owner.h - who listens on a TCP port of this machine, for an error
 * message
 */
#ifndef ABT_NET_PORT_OWNER_H
#define ABT_NET_PORT_OWNER_H

#include <stddef.h>

/* "nginx (pid 123)", "another albatross (pid 123)", or "another program" when
 * it cannot be found out. */
void abt_port_owner(unsigned port, char *out, size_t size);

#endif
