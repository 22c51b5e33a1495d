/*
 * facts.c - fills a call: ids, time, peer, TLS
 *
 * The only place of this floor that asks the clock and for chance; everything
 * below takes what it is given.
 */
#include "gateway/call_state.h"

#include "base/clock.h"
#include "base/ids.h"

#define TRACE_RANDOM 20 /* bytes of facts.random: trace id and parent */

static struct abt_bytes
copy_text(struct abt_arena *arena, const char *text)
{
	return abt_arena_copy(arena, abt_bytes_text(text));
}

void
abt_facts_fill(struct abt_call_state *state)
{
	struct abt_facts *facts = &state->call.facts;
	struct abt_exchange *x = state->x;
	unsigned char random[16 + sizeof(facts->random)] = { 0 };
	struct abt_peer peer;

	facts->epoch_us = abt_loop_epoch_us(x->loop);
	abt_exchange_peer(x, &peer);
	/* a unix socket has no address: the front's own machine */
	facts->peer_ip = peer.ip[0] != '\0' ? copy_text(&x->arena, peer.ip)
					    : ABT_BYTES("127.0.0.1");
	facts->peer_port = peer.port;
	facts->listener_ip = copy_text(&x->arena, peer.local_ip);
	facts->tls = x->secure;
	facts->listener_port = peer.local_port != 0 ? peer.local_port
			       : facts->tls         ? 443
						    : 80;
	if (facts->tls)
		abt_exchange_tls(
		    x, &facts->tls_version, &facts->tls_cipher, &facts->sni);
	/* chance is not free: an ALB needs no more than trace and parent */
	if (abt_random(random, state->call.front->api == NULL
				   ? 16 + TRACE_RANDOM
				   : sizeof(random)) != 0)
		memset(random, 0, sizeof(random));
	abt_id_uuid(facts->request_id, random);
	memcpy(facts->random, random + 16, sizeof(facts->random));
}

void
abt_facts_date(struct abt_call_state *state)
{
	struct abt_gateway_loop *gateway = state->gateway;
	int64_t second = abt_loop_epoch_us(state->x->loop) / 1000000;

	if (second != gateway->date_second) {
		abt_date_imf(gateway->date, second);
		gateway->date_second = second;
	}
	/* copied: a pipelined answer may wait longer than its second */
	state->call.facts.date = abt_arena_copy(
	    state->call.arena, abt_bytes(gateway->date, ABT_DATE_SIZE - 1));
}
