/*
 * mail.h - letters between loops without locks
 *
 * A letter is a struct inside the thing sent, so sending never allocates and
 * never fails.  It belongs to the receiver until its deliver() runs there.
 */
#ifndef ABT_NET_MAIL_H
#define ABT_NET_MAIL_H

#include "albatross/backend.h"

/* Put |letter| into the box of |to| and wake it when the box was empty.  May be
 * called from any thread. */
void abt_mail_send(struct abt_loop *to, struct abt_mail *letter);

/* Take everything out of the loop's own box and deliver it, oldest first.
 * Called by the loop itself when its bell rings. */
void abt_mail_deliver(struct abt_loop *loop);

#endif
