/*
 * proxy_line.c - PROXY protocol v1 and v2
 *
 * Strict, because whoever is allowed to speak it decides who the client is: a
 * byte that does not fit ends the connection.
 */
#include "net/proxy_line.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define V1_MAX  107 /* "PROXY UNKNOWN" and two IPv6 addresses, CR LF too */
#define V2_HEAD 16

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* ---- version 1: text ---- */

static bool
read_address(struct abt_bytes text, int family, unsigned char out[16])
{
	char copy[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strlen(copy) != text.n)
		return false;
	if (family == AF_INET6)
		return inet_pton(AF_INET6, copy, out) == 1;
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	return inet_pton(AF_INET, copy, out + 12) == 1;
}

static bool
read_port(struct abt_bytes text, unsigned *port)
{
	uint64_t value;

	if (text.n > 5 || (text.n > 1 && text.p[0] == '0') ||
	    !abt_bytes_number(text, 10, 65535, &value))
		return false;
	*port = (unsigned)value;
	return true;
}

/* "TCP4 1.2.3.4 5.6.7.8 111 222", single spaces. */
static bool
read_v1_fields(struct abt_bytes text, struct abt_proxy_line *line)
{
	struct abt_bytes field[5], rest = text, more;
	int family, i;

	for (i = 0; i < 5; i++)
		if (!abt_bytes_next(&rest, ' ', &field[i]))
			return false;
	if (abt_bytes_next(&rest, ' ', &more))
		return false;
	if (abt_bytes_equal(field[0], ABT_BYTES("TCP4")))
		family = AF_INET;
	else if (abt_bytes_equal(field[0], ABT_BYTES("TCP6")))
		family = AF_INET6;
	else
		return false;
	line->known = true;
	return read_address(field[1], family, line->source) &&
	       read_address(field[2], family, line->destination) &&
	       read_port(field[3], &line->source_port) &&
	       read_port(field[4], &line->destination_port);
}

static ssize_t
read_v1(struct abt_bytes in, struct abt_proxy_line *line)
{
	size_t end = abt_bytes_find(in, '\n');
	struct abt_bytes text;

	if (end == in.n)
		return in.n >= V1_MAX ? -1 : 0;
	if (end + 1 > V1_MAX || in.p[end - 1] != '\r')
		return -1;
	text = abt_bytes(in.p + 6, end - 1 - 6); /* behind "PROXY " */
	if (abt_bytes_equal(text, ABT_BYTES("UNKNOWN")) ||
	    abt_bytes_starts(text, ABT_BYTES("UNKNOWN ")))
		return (ssize_t)(end + 1);
	return read_v1_fields(text, line) ? (ssize_t)(end + 1) : -1;
}

/* ---- version 2: binary ---- */

static unsigned
big_endian(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void
map_v4(unsigned char out[16], const unsigned char *in)
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, in, 4);
}

/* The address block of |n| bytes at |p|. */
static bool
read_v2_addresses(unsigned family, const unsigned char *p, size_t n,
    struct abt_proxy_line *line)
{
	switch (family) {
	case 0x11: /* TCP over IPv4 */
		if (n < 12)
			return false;
		map_v4(line->source, p);
		map_v4(line->destination, p + 4);
		p += 8;
		break;
	case 0x21: /* TCP over IPv6 */
		if (n < 36)
			return false;
		memcpy(line->source, p, 16);
		memcpy(line->destination, p + 16, 16);
		p += 32;
		break;
	case 0x00: /* unspecified: the socket's addresses hold */
	case 0x31: /* unix stream: there is no address to tell */
		return true;
	default: /* datagrams make no sense here */
		return false;
	}
	line->source_port = big_endian(p);
	line->destination_port = big_endian(p + 2);
	line->known = true;
	return true;
}

static ssize_t
read_v2(struct abt_bytes in, struct abt_proxy_line *line)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t n;

	if (in.n < V2_HEAD)
		return 0;
	if (p[12] != 0x20 && p[12] != 0x21) /* version 2: LOCAL, PROXY */
		return -1;
	n = big_endian(p + 14);
	if (in.n - V2_HEAD < n)
		return 0;
	if (p[12] == 0x21 && !read_v2_addresses(p[13], p + V2_HEAD, n, line))
		return -1;
	return (ssize_t)(V2_HEAD + n);
}

/* Do |in| and |literal| agree as far as both reach? */
static bool
may_be(struct abt_bytes in, struct abt_bytes literal)
{
	size_t n = in.n < literal.n ? in.n : literal.n;

	return n == 0 || memcmp(in.p, literal.p, n) == 0;
}

ssize_t
abt_proxy_line_read(struct abt_bytes in, struct abt_proxy_line *line)
{
	struct abt_bytes v1 = ABT_BYTES("PROXY "),
			 v2 = abt_bytes(v2_signature, sizeof(v2_signature));

	memset(line, 0, sizeof(*line));
	if (may_be(in, v1))
		return in.n < v1.n ? 0 : read_v1(in, line);
	if (may_be(in, v2))
		return in.n < v2.n ? 0 : read_v2(in, line);
	return -1;
}
