/*
 * link.c - pieces on their way between a function and its caller: life, letters
 *
 * Where both are on one loop a piece is handed on during the call, uncopied.
 * Between loops it travels as a letter that holds its bytes, copied once; what
 * was eaten is told back by a count, of which many additions make one letter.
 *
 * The link lives on the heap.  Its life is held by the invocation while that is
 * lent and by every letter under way, so a late letter finds the link, sees
 * that the invocation is finished, and goes away.
 */
#include "function/link_private.h"

#include "net/mail.h"

/* ---- life ---- */

void
abt_link_hold(struct abt_stream_link *link)
{
	atomic_fetch_add(&link->holders, 1);
}

void
abt_pieces_drop(struct abt_pieces *pieces)
{
	struct abt_piece *piece;

	while ((piece = pieces->first) != NULL) {
		pieces->first = piece->next;
		abt_free(piece);
	}
	pieces->last = &pieces->first;
}

void
abt_link_release(struct abt_stream_link *link)
{
	if (atomic_fetch_sub(&link->holders, 1) != 1)
		return;
	abt_pieces_drop(&link->held);
	abt_pieces_drop(&link->queue);
	abt_free(link->hand);
	abt_arena_end(&link->arena);
	abt_free(link);
}

int
abt_link_make(struct abt_invocation *inv, struct abt_loop *home)
{
	struct abt_stream_link *link = abt_calloc(1, sizeof(*link));

	if (link == NULL)
		return -1;
	link->holders = 1;
	link->owner = inv->owner;
	link->home = home != NULL ? home : inv->owner;
	link->near = link->home == link->owner;
	link->inv = link->lent = inv;
	link->held.last = &link->held.first;
	link->queue.last = &link->queue.first;
	abt_arena_init(&link->arena, NULL); /* whoever is last frees it */
	inv->link = link;
	return 0;
}

struct abt_response *
abt_link_response(struct abt_invocation *inv, struct abt_arena **arena)
{
	struct abt_stream_link *link = inv->link;

	inv->response = &link->response;
	*arena = &link->arena;
	return &link->response;
}

bool
abt_link_holds_pieces(const struct abt_invocation *inv)
{
	return !inv->link->near;
}

/* ---- letters ---- */

void
abt_link_send(struct abt_stream_link *link, struct abt_loop *to,
    struct abt_mail *letter,
    void (*deliver)(struct abt_loop *, struct abt_mail *))
{
	abt_link_hold(link); /* until it was delivered */
	letter->deliver = deliver;
	abt_mail_send(to, letter);
}

struct abt_piece *
abt_piece_new(struct abt_stream_link *link, struct abt_bytes data)
{
	struct abt_piece *piece = abt_malloc(sizeof(*piece) + data.n);

	if (piece == NULL)
		return NULL;
	piece->next = NULL;
	piece->link = link;
	piece->n = data.n;
	memcpy(piece->data, data.p, data.n);
	return piece;
}

void
abt_pieces_add(struct abt_pieces *pieces, struct abt_piece *piece)
{
	piece->next = NULL;
	*pieces->last = piece;
	pieces->last = &piece->next;
}

struct abt_piece *
abt_pieces_take(struct abt_pieces *pieces)
{
	struct abt_piece *piece = pieces->first;

	if (piece == NULL)
		return NULL;
	pieces->first = piece->next;
	if (pieces->first == NULL)
		pieces->last = &pieces->first;
	return piece;
}

void
abt_link_tell(struct abt_stream_link *link, struct abt_link_count *count,
    size_t n, struct abt_loop *to,
    void (*deliver)(struct abt_loop *, struct abt_mail *))
{
	atomic_fetch_add(&count->n, n);
	if (!atomic_exchange(&count->on_way, true))
		abt_link_send(link, to, &count->letter, deliver);
}

/* What was added since; the next addition sends the letter again. */
size_t
abt_link_told(struct abt_link_count *count)
{
	atomic_store(&count->on_way, false);
	return atomic_exchange(&count->n, 0);
}
