/*
 * guard.c - bytes that end where memory ends, and memory that runs out
 */
#include "lib/guard.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "albatross/arena.h"

static size_t
page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of the readable pages for |n| bytes. */
static size_t
readable(size_t n)
{
	return n == 0 ? page() : (n + page() - 1) / page() * page();
}

struct abt_bytes
abt_guard_copy(struct abt_bytes b)
{
	size_t size = readable(b.n);
	char *base = mmap(NULL, size + page(), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p;

	if (base == MAP_FAILED || mprotect(base + size, page(), PROT_NONE) != 0)
		abort();
	p = base + size - b.n;
	if (b.n > 0)
		memcpy(p, b.p, b.n);
	return abt_bytes(p, b.n);
}

void
abt_guard_free(struct abt_bytes copy)
{
	size_t size = readable(copy.n);
	union {
		const char *in;
		char *out;
	} base = { copy.p + copy.n - size };

	if (munmap(base.out, size + page()) != 0)
		abort();
}

static unsigned long fails_at;

unsigned long
abt_sweep(void (*run)(void *context), void *context)
{
	for (fails_at = 1;; fails_at++) {
		unsigned long asked;

		abt_memory_fail_at(fails_at);
		run(context);
		asked = abt_memory_asked();
		abt_memory_fail_at(0);
		if (asked < fails_at)
			return asked;
	}
}

bool
abt_sweep_struck(void)
{
	return abt_memory_asked() >= fails_at;
}
