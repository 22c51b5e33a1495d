/*
 * link_private.h - what the files of a link share: its life and letters
 * (link.c), results (link_result.c), request bodies (link_body.c)
 */
#ifndef ABT_FUNCTION_LINK_PRIVATE_H
#define ABT_FUNCTION_LINK_PRIVATE_H

#include <stdatomic.h>

#include "function/function.h"
#include "function/link.h"

/* Some bytes on their way to the other loop, or waiting where they came. */
struct abt_piece {
	struct abt_mail letter;
	struct abt_piece *next;
	struct abt_stream_link *link;
	size_t n;
	char data[];
};

struct abt_pieces {
	struct abt_piece *first, **last;
};

/* A count that the other loop is told; many additions make one letter. */
struct abt_link_count {
	struct abt_mail letter;
	_Atomic size_t n;
	_Atomic bool on_way;
};

struct abt_stream_link {
	_Atomic unsigned holders;
	struct abt_loop *home, *owner;
	bool near; /* they are the same */

	/* the home's */
	struct abt_invocation *inv; /* NULL: finished */
	bool started;               /* the backend has it */
	bool feeding;               /* held pieces are being fed */
	bool begun, failed;
	bool dropping;          /* the caller has left */
	bool giving;            /* inside a call to the taker: no resume */
	bool full;              /* the backend waits for resume */
	size_t out;             /* given, not eaten yet */
	struct abt_pieces held; /* fed before it started */
	bool ended, broken;     /* the end of what is fed */
	bool abandoned;
	struct abt_arena arena;
	struct abt_response response;

	/* the caller's */
	struct abt_invocation *lent;
	struct abt_pieces queue; /* wait for the one in hand */
	struct abt_piece *hand;
	size_t in_hand;  /* of it: not eaten yet */
	size_t untold;   /* eaten, the home does not know */
	bool delivering; /* the loop below, further up, goes on */
	bool done_waits;
	bool left; /* abandoned: what comes is dropped */
	bool feed_over;

	/* between them */
	struct abt_link_count eaten, took;
	struct abt_mail begin_letter, fail_letter, end_letter, abandon_letter;
	struct abt_mail left_letter; /* from the caller's loop to itself */
	bool end_broken;
};

/* The backend of an invocation that is not finished. */
static inline const struct abt_backend *
abt_link_backend(const struct abt_stream_link *link)
{
	return link->inv->function->backend;
}

void abt_link_hold(struct abt_stream_link *link);
void abt_link_release(struct abt_stream_link *link);

/* A copy of |data|; NULL: no memory. */
struct abt_piece *abt_piece_new(
    struct abt_stream_link *link, struct abt_bytes data);
void abt_pieces_add(struct abt_pieces *pieces, struct abt_piece *piece);
struct abt_piece *abt_pieces_take(struct abt_pieces *pieces);
void abt_pieces_drop(struct abt_pieces *pieces);

/* Send a letter of the link, which |deliver| lets go of. */
void abt_link_send(struct abt_stream_link *link, struct abt_loop *to,
    struct abt_mail *letter,
    void (*deliver)(struct abt_loop *, struct abt_mail *));
/* |n| more, for the loop |to|, whose |deliver| asks abt_link_told. */
void abt_link_tell(struct abt_stream_link *link, struct abt_link_count *count,
    size_t n, struct abt_loop *to,
    void (*deliver)(struct abt_loop *, struct abt_mail *));
/* Nothing more is given to the taker; what it has counts as eaten. */
void abt_link_leave(struct abt_stream_link *link);
/* The same, on the home loop: a backend that waits goes on. */
void abt_link_left(struct abt_stream_link *link);
size_t abt_link_told(struct abt_link_count *count);

#endif
