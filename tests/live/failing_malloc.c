/*
 * failing_malloc.c - preloaded: memory that runs out now and then
 *
 * Off at first.  Signal 40 turns it on, and off again: while it is on, every
 * FAIL_EVERY-th allocation of the process fails, whoever asks for it.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static atomic_ulong asked, every;
static unsigned long every_when_on = 50;

static int
refused(void)
{
	unsigned long n = atomic_load(&every);

	if (n == 0 || atomic_fetch_add(&asked, 1) % n != n - 1)
		return 0;
	errno = ENOMEM;
	return 1;
}

__attribute__((visibility("default"))) void *
malloc(size_t size)
{
	return refused() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *
calloc(size_t count, size_t size)
{
	return refused() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *
realloc(void *p, size_t size)
{
	return refused() ? NULL : __libc_realloc(p, size);
}

static void
toggle(int number)
{
	(void)number;
	atomic_store(&every, atomic_load(&every) == 0 ? every_when_on : 0);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("FAIL_EVERY");
	struct sigaction action;

	if (text != NULL)
		every_when_on = strtoul(text, NULL, 10);
	memset(&action, 0, sizeof(action));
	action.sa_handler = toggle;
	action.sa_flags = SA_RESTART;
	sigaction(40, &action, NULL);
}
