/*
 * wire.c - a response as a client reads it
 *
 * Responses are judged as bytes, so the head writer is tested too.
 */
#include "lib/wire.h"

#include "http/h1_write.h"

static struct abt_bytes
next_line(struct abt_bytes *rest)
{
	size_t n = abt_bytes_search(*rest, ABT_BYTES("\r\n"));
	struct abt_bytes line = abt_bytes(rest->p, n);

	n = n + 2 < rest->n ? n + 2 : rest->n;
	rest->p += n;
	rest->n -= n;
	return line;
}

static bool
read_status(struct abt_wire *wire, struct abt_bytes line)
{
	uint64_t status = 0;

	if (!abt_bytes_starts(line, ABT_BYTES("HTTP/1.1 ")) || line.n < 13 ||
	    line.p[12] != ' ' ||
	    !abt_bytes_number(abt_bytes(line.p + 9, 3), 10, 999, &status))
		return false;
	wire->status = (int)status;
	wire->reason = abt_bytes(line.p + 13, line.n - 13);
	return true;
}

bool
abt_wire_read(struct abt_wire *wire, const struct abt_response *response,
    struct abt_bytes method)
{
	struct abt_bytes rest, line;

	abt_buf_init(&wire->bytes, NULL, (size_t)1 << 24);
	abt_h1_write_head(
	    &wire->bytes, response, response->close ? "close" : "keep-alive");
	rest = abt_buf_bytes(&wire->bytes);
	if (!read_status(wire, next_line(&rest)))
		return false;
	while (
	    (line = next_line(&rest)).n > 0 && wire->count < ABT_WIRE_FIELDS) {
		size_t colon = abt_bytes_find(line, ':');
		struct abt_pair *field = &wire->fields[wire->count++];

		if (colon == line.n)
			return false;
		field->name = abt_bytes(line.p, colon);
		field->value = abt_bytes_trim(
		    abt_bytes(line.p + colon + 1, line.n - colon - 1));
	}
	/* A head without a body keeps the body's length (alb.md R21). */
	wire->body = response->body;
	if (abt_bytes_equal(method, ABT_BYTES("HEAD")) || wire->status == 204 ||
	    wire->status == 304)
		wire->body = ABT_BYTES("");
	return rest.n == 0;
}

size_t
abt_wire_count(
    const struct abt_wire *wire, struct abt_bytes name, struct abt_bytes value)
{
	size_t n = 0;

	for (size_t i = 0; i < wire->count; i++)
		n += abt_bytes_equal_nocase(wire->fields[i].name, name) &&
		     (value.p == NULL ||
			 abt_bytes_equal(wire->fields[i].value, value));
	return n;
}
