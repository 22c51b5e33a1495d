/*
 * net_stream.c - a handler for net_world that answers in pieces
 */
#include "lib/net_stream.h"

struct stream stream;

uint64_t
stream_hash(uint64_t hash, struct abt_bytes b)
{
	size_t i;

	if (hash == 0)
		hash = 0xcbf29ce484222325u;
	for (i = 0; i < b.n; i++)
		hash = (hash ^ (unsigned char)b.p[i]) * 0x100000001b3u;
	return hash;
}

static bool
echoes(const struct abt_exchange *x)
{
	return abt_bytes_equal(x->request.path, ABT_BYTES("/echo"));
}

static void
let_go(struct abt_exchange *x, bool good)
{
	stream.x = NULL;
	if (x->streaming && good) {
		abt_exchange_finish(x);
	} else if (x->streaming) {
		abt_exchange_abort(x);
	} else {
		x->response.status = good ? 200 : 400;
		abt_exchange_reply(x);
	}
}

static int
on_head(struct abt_exchange *x)
{
	struct world *world = x->owner;

	world->heads++;
	if (x->report.broken != NULL) {
		let_go(x, false);
		return -1;
	}
	stream.x = x;
	if (echoes(x)) {
		x->response.status = 200;
		abt_exchange_begin(x, abt_bytes(NULL, 0));
	}
	x->paused = stream.pause_head;
	return 0;
}

static int
on_data(struct abt_exchange *x, struct abt_bytes data)
{
	stream.got += data.n;
	stream.hash = stream_hash(stream.hash, data);
	if (echoes(x)) {
		size_t waiting = abt_exchange_write(x, data);

		if (waiting > stream.waiting)
			stream.waiting = waiting;
		if (waiting == 0)
			return 0;
		stream.pauses++;
		return ABT_DATA_PAUSE;
	}
	stream.pauses += stream.pause;
	return stream.pause ? ABT_DATA_PAUSE : 0;
}

static void
on_ready(struct abt_exchange *x)
{
	struct world *world = x->owner;

	world->readies++;
	if (echoes(x))
		let_go(x, true);
}

static void
on_broken(struct abt_exchange *x)
{
	struct world *world = x->owner;

	world->broken++;
	if (echoes(x) || stream.reply_broken)
		let_go(x, false);
}

static void
on_gone(struct abt_exchange *x)
{
	struct world *world = x->owner;

	world->gone++;
	if (echoes(x))
		let_go(x, false);
}

static void
on_half_closed(struct abt_exchange *x)
{
	struct world *world = x->owner;

	world->half_closed++;
}

static void
on_drained(struct abt_exchange *x)
{
	stream.drained++;
	if (echoes(x))
		abt_exchange_resume(x);
}

static void
on_done(struct abt_exchange *x)
{
	struct world *world = x->owner;

	world->done++;
	world->left += x->client_left;
	world->rule = x->report.broken;
	world->received = x->received;
	world->sent = x->sent;
}

const struct abt_handler stream_handler = {
	.name = "stream",
	.on_head = on_head,
	.on_data = on_data,
	.on_ready = on_ready,
	.on_broken = on_broken,
	.on_gone = on_gone,
	.on_half_closed = on_half_closed,
	.on_drained = on_drained,
	.on_done = on_done,
};
