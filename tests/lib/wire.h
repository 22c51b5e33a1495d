/*
 * wire.h - a response as a client reads it
 */
#ifndef ABT_TESTS_WIRE_H
#define ABT_TESTS_WIRE_H

#include "albatross/buf.h"
#include "albatross/http.h"
#include "albatross/option.h"

#define ABT_WIRE_FIELDS 4096 /* of a response, at most */

struct abt_wire {
	struct abt_buf bytes; /* the head as it was written */
	int status;
	struct abt_bytes reason, body;
	struct abt_pair fields[ABT_WIRE_FIELDS];
	size_t count;
};

/* Write |response| and read it back; |method| is the request's.  False when
 * what was written is no head.  The end is abt_buf_end(&wire->bytes). */
bool abt_wire_read(struct abt_wire *wire, const struct abt_response *response,
    struct abt_bytes method);

/* How many fields are |name|, and with |value| too (p == NULL: any). */
size_t abt_wire_count(
    const struct abt_wire *wire, struct abt_bytes name, struct abt_bytes value);

#endif
