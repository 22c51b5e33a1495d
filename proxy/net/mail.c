/*
 * mail.c - letters between loops without locks
 *
 * The box is a stack: senders push with one compare-and-swap, the owner takes
 * everything with one exchange and turns it round, so letters of one sender
 * arrive in order.  Only the sender that finds the box empty rings the bell.
 */
#include "net/mail.h"

#include <sys/eventfd.h>

#include "net/loop.h"

void
abt_mail_send(struct abt_loop *to, struct abt_mail *letter)
{
	struct abt_mail *top =
	    atomic_load_explicit(&to->newest, memory_order_relaxed);

	do {
		letter->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&to->newest, &top,
	    letter, memory_order_release, memory_order_relaxed));
	/* Only a full counter could make this fail, and that rings as well. */
	if (top == NULL)
		(void)!eventfd_write(to->bell, 1);
}

/*
 * The bell is silenced before the box is emptied: a letter that arrives in
 * between rings again, which costs one idle wake-up and never loses a letter.
 */
void
abt_mail_deliver(struct abt_loop *loop)
{
	struct abt_mail *letter, *next, *oldest = NULL;
	eventfd_t rung;

	(void)!eventfd_read(loop->bell, &rung);
	letter =
	    atomic_exchange_explicit(&loop->newest, NULL, memory_order_acquire);
	for (; letter != NULL; letter = next) {
		next = letter->next;
		letter->next = oldest;
		oldest = letter;
	}
	for (letter = oldest; letter != NULL; letter = next) {
		next = letter->next; /* deliver() may reuse the letter */
		letter->deliver(loop, letter);
	}
}
