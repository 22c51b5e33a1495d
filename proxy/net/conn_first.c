/*
 * conn_first.c - the first bytes of a connection: PROXY line, ClientHello
 *
 * They are read before anybody knows what they are; what stands behind them
 * goes on to TLS or to the codec.
 */
#include "net/conn.h"

#include "base/log.h"
#include "net/proxy_line.h"

#define TLS_HANDSHAKE 0x16
#define COMPLAINT_MS  1000

static void
open_codec(struct abt_conn *conn, struct abt_bytes in)
{
	conn->stage = ABT_CONN_OPEN;
	conn->codec = &abt_h1_server; /* h2: by ALPN, here */
	conn->stamp_ms = abt_conn_now_ms(conn);
	if (in.n > 0)
		conn->codec->feed(conn, in);
	else
		abt_conn_drop_saved(conn);
}

void
abt_conn_shake_hands(struct abt_conn *conn)
{
	bool wants_write;
	int rc = abt_tls_conn_handshake(conn->tls, &wants_write);

	if (rc == ABT_AGAIN) {
		abt_conn_watch(conn, wants_write ? EV_WRITE : EV_READ);
		return;
	}
	if (rc != 0) {
		abt_conn_close(conn);
		return;
	}
	abt_conn_watch(conn, EV_READ);
	open_codec(conn, abt_bytes(NULL, 0));
	/* The request often comes in one piece with the client's Finished. */
	if (!conn->closed && abt_tls_conn_pending(conn->tls))
		conn->codec->readable(conn);
}

static void
begin_tls(struct abt_conn *conn, struct abt_bytes in)
{
	if ((unsigned char)in.p[0] != TLS_HANDSHAKE) {
		if (!abt_char_is(in.p[0], ABT_CHAR_ALPHA)) {
			abt_conn_close(conn);
			return;
		}
		conn->plain_on_tls = true;
		open_codec(conn, in);
		return;
	}
	conn->tls = abt_tls_conn_new(
	    conn->listener->options.tls, event_get_fd(&conn->event), in);
	abt_conn_drop_saved(conn);
	if (conn->tls == NULL) {
		abt_conn_close(conn);
		return;
	}
	conn->stage = ABT_CONN_HANDSHAKE;
	abt_conn_shake_hands(conn);
}

static void
complain(struct abt_conn *conn)
{
	struct abt_listener *listener = conn->listener;
	int64_t now = abt_conn_now_ms(conn);
	char ip[46];

	if (listener->complained_ms != 0 &&
	    now - listener->complained_ms < COMPLAINT_MS)
		return;
	listener->complained_ms = now;
	abt_endpoint_text(&conn->peer, ip);
	abt_warning("%s: %s: no PROXY line from %s",
	    abt_rules[ABT_RULE_NET_PROXY_LINE].name,
	    abt_rules[ABT_RULE_NET_PROXY_LINE].text,
	    *ip != '\0' ? ip : "a unix socket");
}

/* Move |in| behind the PROXY line.  1: done, 0: more needed, -1: closed. */
static int
read_line(struct abt_conn *conn, struct abt_bytes *in)
{
	struct abt_proxy_line line;
	ssize_t n = abt_proxy_line_read(*in, &line);

	if (n == 0 && abt_conn_keep(conn, *in) == 0)
		return 0;
	if (n <= 0) {
		complain(conn);
		abt_conn_close(conn);
		return -1;
	}
	if (line.known) {
		memcpy(conn->peer.ip, line.source, 16);
		memcpy(conn->local.ip, line.destination, 16);
		conn->peer.port = (uint16_t)line.source_port;
		conn->local.port = (uint16_t)line.destination_port;
		conn->peer.known = conn->local.known = true;
	}
	conn->wants_line = false;
	in->p += n;
	in->n -= (size_t)n;
	return 1;
}

void
abt_conn_read_first(struct abt_conn *conn)
{
	struct abt_bytes in;
	ssize_t n = abt_conn_fill(conn, &in);

	if (n == ABT_AGAIN)
		return;
	if (n <= 0) {
		abt_conn_close(conn);
		return;
	}
	if (conn->wants_line && read_line(conn, &in) != 1)
		return;
	if (conn->listener->options.tls == NULL)
		open_codec(conn, in);
	else if (in.n > 0)
		begin_tls(conn, in);
	else
		abt_conn_drop_saved(conn);
}
