/*
 * link_body.c - request bodies in pieces, from the caller to the backend
 *
 * What comes before the backend has the invocation (it waits for a place) is
 * held here.  What it took is told back; the caller keeps to the window.
 */
#include "function/link_private.h"

/* ---- request bodies, on the home loop ---- */

/* |piece| is NULL where |data| is the caller's own. */
static void
home_feed(struct abt_stream_link *link, struct abt_bytes data,
    struct abt_piece *piece)
{
	struct abt_invocation *inv = link->inv;

	if (inv != NULL && (!link->started || link->feeding)) {
		if (piece == NULL)
			piece = abt_piece_new(link, data);
		if (piece != NULL)
			abt_pieces_add(&link->held, piece);
		else
			link->broken = true;
		return;
	}
	if (inv != NULL && !link->broken &&
	    abt_link_backend(link)->feed != NULL)
		abt_link_backend(link)->feed(inv->function->self, inv, data);
	abt_free(piece);
}

static void
give_end(struct abt_stream_link *link)
{
	struct abt_invocation *inv = link->inv;

	if (inv != NULL && abt_link_backend(link)->feed_end != NULL)
		abt_link_backend(link)->feed_end(
		    inv->function->self, inv, link->broken);
}

static void
home_end(struct abt_stream_link *link, bool broken)
{
	link->ended = true;
	link->broken = link->broken || broken;
	if (link->started && !link->feeding)
		give_end(link);
}

static void
home_abandon(struct abt_stream_link *link)
{
	struct abt_invocation *inv = link->inv;

	link->dropping = true;
	if (inv == NULL || link->abandoned)
		return;
	if (abt_link_backend(link)->abandon == NULL) { /* it goes on */
		abt_link_left(link);
		return;
	}
	link->abandoned = true;
	if (link->started && !link->feeding)
		abt_link_backend(link)->abandon(inv->function->self, inv);
}

/* What came while it waited. */
static void
feed_held(struct abt_stream_link *link)
{
	struct abt_piece *piece;

	link->feeding = true;
	while ((piece = abt_pieces_take(&link->held)) != NULL) {
		struct abt_invocation *inv = link->inv;

		if (inv != NULL && !link->abandoned &&
		    abt_link_backend(link)->feed != NULL)
			abt_link_backend(link)->feed(inv->function->self, inv,
			    abt_bytes(piece->data, piece->n));
		abt_free(piece);
	}
	link->feeding = false;
	if (link->ended && !link->abandoned)
		give_end(link);
	if (link->abandoned && link->inv != NULL)
		abt_link_backend(link)->abandon(
		    link->inv->function->self, link->inv);
}

void
abt_link_start(struct abt_invocation *inv)
{
	struct abt_stream_link *link = inv->link;
	struct abt_function *function = inv->function;

	if (link->abandoned) { /* before it began: it never will */
		abt_result_fail(inv, ABT_RULE_NET_CLIENT_GONE, NULL);
		return;
	}
	abt_link_hold(link);
	function->backend->invoke(function->self, inv);
	link->started = true;
	feed_held(link);
	abt_link_release(link);
}

static void
on_took(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, took.letter);
	size_t n = abt_link_told(&link->took);

	(void)loop;
	link->lent->taker->body_eaten(link->lent, n);
	abt_link_release(link);
}

void
abt_invocation_took(struct abt_invocation *inv, size_t n)
{
	struct abt_stream_link *link = inv->link;

	if (link == NULL || inv->taker->body_eaten == NULL || n == 0)
		return;
	if (link->near)
		inv->taker->body_eaten(inv, n);
	else
		abt_link_tell(link, &link->took, n, link->owner, on_took);
}

/* ---- request bodies, on the caller's loop ---- */

static void
on_feed(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_piece *piece =
	    abt_container_of(letter, struct abt_piece, letter);
	struct abt_stream_link *link = piece->link;

	(void)loop;
	home_feed(link, abt_bytes(piece->data, piece->n), piece);
	abt_link_release(link);
}

void
abt_invocation_feed(struct abt_invocation *inv, struct abt_bytes data)
{
	struct abt_stream_link *link = inv->link;
	struct abt_piece *piece;

	if (link->feed_over || data.n == 0)
		return;
	if (link->near) {
		home_feed(link, data, NULL);
		return;
	}
	piece = abt_piece_new(link, data);
	if (piece != NULL)
		abt_link_send(link, link->home, &piece->letter, on_feed);
	else
		abt_invocation_feed_end(inv, true);
}

static void
on_feed_end(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, end_letter);

	(void)loop;
	home_end(link, link->end_broken);
	abt_link_release(link);
}

void
abt_invocation_feed_end(struct abt_invocation *inv, bool broken)
{
	struct abt_stream_link *link = inv->link;

	if (link->feed_over)
		return;
	link->feed_over = true;
	link->end_broken = broken;
	if (link->near)
		home_end(link, broken);
	else
		abt_link_send(link, link->home, &link->end_letter, on_feed_end);
}

static void
on_abandon(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, abandon_letter);

	(void)loop;
	home_abandon(link);
	abt_link_release(link);
}

/* By letter on one loop, too: the backend may be further up the stack. */
void
abt_invocation_abandon(struct abt_invocation *inv)
{
	struct abt_stream_link *link = inv->link;

	if (link->left)
		return;
	abt_link_leave(link);
	abt_link_send(link, link->home, &link->abandon_letter, on_abandon);
}
