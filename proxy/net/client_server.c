/*
 * client_server.c - outgoing HTTP/1.1: how servers are named, what is sent
 *
 * "http://host:port", "https://host", "unix:/path" to addresses, as far as
 * nobody must be asked for them; and an ask to bytes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "net/client_private.h"

#define SMALL_BODY 4096 /* goes along with the head */

/* ---- servers ---- */

static void
add_address(struct abt_client_target *target, const void *address, size_t size)
{
	struct abt_client_address *at =
	    &target->addresses[target->address_count++];

	memcpy(&at->at, address, size);
	at->size = (socklen_t)size;
}

/* Numbers need nobody to ask, and localhost is this machine (RFC 6761). */
static void
set_fixed(struct abt_client_target *target, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	bool local = strcmp(target->host, "localhost") == 0;

	if (inet_pton(
		AF_INET, local ? "127.0.0.1" : target->host, &v4.sin_addr) == 1)
		add_address(target, &v4, sizeof(v4));
	if (inet_pton(AF_INET6, local ? "::1" : target->host, &v6.sin6_addr) ==
	    1)
		add_address(target, &v6, sizeof(v6));
	target->fixed = target->address_count > 0;
}

static const char *
read_unix(struct abt_client_target *target, struct abt_bytes path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (path.n == 0 || path.n >= sizeof(un.sun_path))
		return "a path of a unix socket has 1 to 107 bytes";
	memcpy(un.sun_path, path.p, path.n);
	add_address(target, &un, sizeof(un));
	target->is_unix = target->fixed = true;
	snprintf(target->host_field, sizeof(target->host_field), "localhost");
	return NULL;
}

/* "host", "host:port", "[v6]:port"; a slash may end it. */
static const char *
read_place(struct abt_client_target *target, struct abt_bytes place)
{
	const char *wrong = "a server is written http://host:port";
	uint64_t port = target->secure ? 443 : 80;
	struct abt_bytes host, number = { 0 };
	bool six = place.n > 0 && place.p[0] == '[';
	size_t end;

	if (place.n > 0 && place.p[place.n - 1] == '/')
		place.n--;
	end = abt_bytes_find(place, six ? ']' : ':');
	host = abt_bytes(place.p + six, six && end > 0 ? end - 1 : end);
	if (six && end == place.n)
		return wrong;
	end += six;
	if (end < place.n) {
		number = abt_bytes(place.p + end + 1, place.n - end - 1);
		if (place.p[end] != ':' ||
		    !abt_bytes_number(number, 10, 65535, &port) || port == 0)
			return wrong;
	}
	if (host.n == 0 || host.n >= sizeof(target->host) ||
	    !abt_bytes_plain(host) || memchr(host.p, ' ', host.n) != NULL ||
	    memchr(host.p, '/', host.n) != NULL)
		return wrong;
	abt_bytes_lower(target->host, host);
	snprintf(target->port, sizeof(target->port), "%u", (unsigned)port);
	snprintf(target->host_field, sizeof(target->host_field), "%.*s",
	    ABT_FMT(place));
	set_fixed(target, (uint16_t)port);
	return NULL;
}

static const char *
read_server(struct abt_client_target *target)
{
	static const struct abt_bytes http = ABT_BYTES_INIT("http://"),
				      https = ABT_BYTES_INIT("https://"),
				      local = ABT_BYTES_INIT("unix:");
	struct abt_bytes name = abt_bytes_text(target->name);
	size_t skip;

	if (abt_bytes_starts(name, local)) {
		return read_unix(
		    target, abt_bytes(name.p + local.n, name.n - local.n));
	}
	target->secure = abt_bytes_starts_nocase(name, https);
	if (!target->secure && !abt_bytes_starts_nocase(name, http))
		return "a server is written http://host:port, https://host or "
		       "unix:/path";
	if (target->secure && (target->client->options.tls == NULL ||
				  target->client->options.context == NULL))
		return "https is not spoken here";
	skip = target->secure ? https.n : http.n;
	return read_place(target, abt_bytes(name.p + skip, name.n - skip));
}

struct abt_client_target *
abt_client_find_target(
    struct abt_client *client, const char *name, const char **why)
{
	struct abt_client_target *target;

	*why = NULL;
	for (target = client->targets; target != NULL; target = target->next)
		if (strcmp(target->name, name) == 0)
			return target;
	target = abt_calloc(1, sizeof(*target));
	if (target == NULL)
		return NULL;
	target->client = client;
	target->name = abt_strdup(name);
	if (target->name != NULL)
		*why = read_server(target);
	if (target->name == NULL || *why != NULL) {
		abt_free(target->name);
		abt_free(target);
		return NULL;
	}
	target->next = client->targets;
	client->targets = target;
	return target;
}

/* ---- the request ---- */

const char *
abt_ask_check(const struct abt_ask *ask)
{
	size_t i;

	if (ask->method.n == 0 || !abt_bytes_all(ask->method, ABT_CHAR_TOKEN))
		return "its method is no token";
	if (ask->target.n == 0 || !abt_bytes_all(ask->target, ABT_CHAR_FIELD) ||
	    memchr(ask->target.p, ' ', ask->target.n) != NULL ||
	    memchr(ask->target.p, '\t', ask->target.n) != NULL)
		return "its target has bytes that cannot stand there";
	if (!abt_bytes_all(ask->host, ABT_CHAR_FIELD))
		return "its host has bytes that cannot stand there";
	for (i = 0; i < ask->headers.count; i++) {
		const struct abt_field *field = &ask->headers.fields[i];

		if (field->name.n == 0 ||
		    !abt_bytes_all(field->name, ABT_CHAR_TOKEN) ||
		    !abt_bytes_all(field->value, ABT_CHAR_FIELD))
			return "one of its headers has bytes that cannot "
			       "stand there";
	}
	return NULL;
}

static void
write_field(struct abt_buf *out, struct abt_bytes name, struct abt_bytes value)
{
	abt_buf_add(out, name);
	abt_buf_add(out, ABT_BYTES(": "));
	abt_buf_add(out, value);
	abt_buf_add(out, ABT_BYTES("\r\n"));
}

static void
write_framing(const struct abt_ask *ask, struct abt_buf *out)
{
	uint64_t length = ask->body_follows ? ask->length : ask->body.n;
	char digits[24];

	if (ask->body_follows && !ask->has_length) {
		write_field(
		    out, ABT_BYTES("Transfer-Encoding"), ABT_BYTES("chunked"));
	} else if (length > 0 || ask->body_follows ||
		   abt_bytes_equal(ask->method, ABT_BYTES("POST")) ||
		   abt_bytes_equal(ask->method, ABT_BYTES("PUT")) ||
		   abt_bytes_equal(ask->method, ABT_BYTES("PATCH"))) {
		write_field(out, ABT_BYTES("Content-Length"),
		    abt_bytes(digits, abt_format_number(digits, length)));
	}
}

int
abt_ask_write_request(struct abt_ask *ask)
{
	struct abt_buf *out = &ask->out;
	size_t i;

	out->n = 0;
	ask->out_at = 0;
	abt_buf_add(out, ask->method);
	abt_buf_char(out, ' ');
	abt_buf_add(out, ask->target);
	abt_buf_add(out, ABT_BYTES(" HTTP/1.1\r\n"));
	write_field(out, ABT_BYTES("Host"),
	    ask->host.n > 0 ? ask->host : abt_bytes_text(ask->to->host_field));
	for (i = 0; i < ask->headers.count; i++)
		write_field(out, ask->headers.fields[i].name,
		    ask->headers.fields[i].value);
	write_framing(ask, out);
	abt_buf_add(out, ABT_BYTES("\r\n"));
	ask->body_left = ask->body_follows ? abt_bytes(NULL, 0) : ask->body;
	if (ask->body_left.n <= SMALL_BODY) {
		abt_buf_add(out, ask->body_left);
		ask->body_left.n = 0;
	}
	return out->failed ? -1 : 0;
}
