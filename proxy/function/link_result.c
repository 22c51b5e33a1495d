/*
 * link_result.c - results in pieces, from the backend to the caller
 *
 * A backend that fills half of the window waits for resume, so with pieces of
 * at most the other half no more than the window is ever under way.  On the
 * caller's side of two loops the taker gets one piece at a time, which stays
 * where it is until it was eaten; done() waits for the last one.
 */
#include "function/link_private.h"

#define STEP (ABT_STREAM_WINDOW / 4) /* eaten bytes are told in such steps */

/* ---- results, on the home loop ---- */

static void
home_eaten(struct abt_stream_link *link, size_t n)
{
	link->out -= n < link->out ? n : link->out;
	if (!link->full || link->giving || link->out >= ABT_STREAM_PIECE)
		return;
	link->full = false;
	if (link->inv != NULL && abt_link_backend(link)->resume != NULL)
		abt_link_backend(link)->resume(
		    link->inv->function->self, link->inv);
}

static void
on_begin(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, begin_letter);

	(void)loop;
	if (!link->left)
		link->lent->taker->begin(link->lent);
	abt_link_release(link);
}

void
abt_link_type(struct abt_invocation *inv, struct abt_bytes type)
{
	inv->stream_type =
	    type.n > 0 ? abt_arena_copy(&inv->link->arena, type) : type;
}

void
abt_result_begin(struct abt_invocation *inv)
{
	struct abt_stream_link *link = inv->link;

	/* its source is the backend's and may go first */
	abt_link_type(inv, inv->stream_type);
	if (abt_arena_failed(&link->arena)) {
		link->failed = true;
		return;
	}
	link->begun = true;
	if (!link->near) {
		abt_link_send(link, link->owner, &link->begin_letter, on_begin);
		return;
	}
	if (link->left)
		return;
	link->giving = true;
	inv->taker->begin(inv);
	link->giving = false;
}

static void
tell_failure(struct abt_invocation *inv)
{
	if (inv->taker->failed != NULL && !inv->link->left)
		inv->taker->failed(inv);
}

static void
on_failed(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, fail_letter);

	(void)loop;
	tell_failure(link->lent);
	abt_link_release(link);
}

static void deliver(struct abt_stream_link *link);

static void
on_piece(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_piece *piece =
	    abt_container_of(letter, struct abt_piece, letter);
	struct abt_stream_link *link = piece->link;

	(void)loop;
	abt_pieces_add(&link->queue, piece);
	if (link->left)
		abt_pieces_drop(&link->queue);
	else
		deliver(link);
	abt_link_release(link);
}

/* Copied into a letter.  Without memory the rest is missing. */
static void
post_piece(struct abt_stream_link *link, struct abt_bytes data)
{
	struct abt_piece *piece = abt_piece_new(link, data);

	if (piece != NULL) {
		abt_link_send(link, link->owner, &piece->letter, on_piece);
		return;
	}
	link->failed = true;
	abt_link_send(link, link->owner, &link->fail_letter, on_failed);
}

bool
abt_result_piece(struct abt_invocation *inv, struct abt_bytes data)
{
	struct abt_stream_link *link = inv->link;

	if (data.n == 0 || link->failed || link->dropping)
		return !link->full;
	link->out += data.n;
	if (link->near) {
		link->giving = true;
		if (!link->left)
			inv->taker->piece(inv, data);
		link->giving = false;
	} else {
		post_piece(link, data);
	}
	if (link->failed)
		link->out = 0; /* nobody eats any more */
	/* Who has just left is told apart in a moment (on_abandon). */
	link->full =
	    link->out >= ABT_STREAM_PIECE || (link->near && link->left);
	return !link->full;
}

void
abt_link_finish(struct abt_invocation *inv)
{
	struct abt_stream_link *link = inv->link;

	if (link->failed && inv->rule == NULL)
		inv->rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
	link->inv = NULL;
	abt_pieces_drop(&link->held);
}

/* ---- results, on the caller's loop ---- */

static void
finish_done(struct abt_stream_link *link)
{
	struct abt_invocation *inv = link->lent;

	inv->done(inv);
	abt_link_release(link);
}

void
abt_link_done(struct abt_invocation *inv)
{
	struct abt_stream_link *link = inv->link;

	if (link->hand != NULL || link->queue.first != NULL)
		link->done_waits = true;
	else
		finish_done(link);
}

/* One piece after another, each as soon as the one before was eaten. */
static void
deliver(struct abt_stream_link *link)
{
	if (link->delivering)
		return;
	link->delivering = true;
	while (!link->left && link->hand == NULL &&
	       (link->hand = abt_pieces_take(&link->queue)) != NULL) {
		struct abt_piece *piece = link->hand;

		link->in_hand = piece->n;
		link->lent->taker->piece(
		    link->lent, abt_bytes(piece->data, piece->n));
	}
	link->delivering = false;
	if (link->done_waits && link->hand == NULL &&
	    link->queue.first == NULL) {
		link->done_waits = false;
		finish_done(link);
	}
}

static void
on_eaten(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, eaten.letter);

	(void)loop;
	home_eaten(link, abt_link_told(&link->eaten));
	abt_link_release(link);
}

void
abt_invocation_eaten(struct abt_invocation *inv, size_t n)
{
	struct abt_stream_link *link = inv->link;

	if (link->near) {
		home_eaten(link, n);
		return;
	}
	link->untold += n;
	if (link->untold >= STEP) {
		abt_link_tell(
		    link, &link->eaten, link->untold, link->home, on_eaten);
		link->untold = 0;
	}
	link->in_hand -= n < link->in_hand ? n : link->in_hand;
	if (link->in_hand > 0 || link->hand == NULL)
		return;
	abt_free(link->hand);
	link->hand = NULL;
	deliver(link);
}

/* ---- a caller that leaves ---- */

void
abt_link_left(struct abt_stream_link *link)
{
	home_eaten(link, link->out);
}

static void
on_left(struct abt_loop *loop, struct abt_mail *letter)
{
	struct abt_stream_link *link =
	    abt_container_of(letter, struct abt_stream_link, left_letter);

	(void)loop;
	abt_free(link->hand);
	link->hand = NULL;
	abt_pieces_drop(&link->queue);
	deliver(link); /* done() may have waited for them */
	abt_link_release(link);
}

/* By letter: the taker may still be reading the piece in hand. */
void
abt_link_leave(struct abt_stream_link *link)
{
	link->left = true;
	if (!link->near)
		abt_link_send(link, link->owner, &link->left_letter, on_left);
}
