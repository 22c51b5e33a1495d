/*
 * counting_memcpy.c - preloaded: how many bytes the process copies
 *
 * Counts copies of 512 bytes and more, by memcpy and memmove; the sum goes into
 * the file COPIED when the process ends.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAST 512

static atomic_ulong copied;

static void
forwards(unsigned char *to, const unsigned char *from, size_t n)
{
	while (n >= 8) {
		uint64_t word;

		__builtin_memcpy(&word, from, 8);
		__builtin_memcpy(to, &word, 8);
		to += 8;
		from += 8;
		n -= 8;
	}
	while (n-- > 0)
		*to++ = *from++;
}

__attribute__((visibility("default"))) void *
memcpy(void *restrict to, const void *restrict from, size_t n)
{
	if (n >= LEAST)
		atomic_fetch_add(&copied, n);
	forwards(to, from, n);
	return to;
}

__attribute__((visibility("default"))) void *
memmove(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (n >= LEAST)
		atomic_fetch_add(&copied, n);
	if (t <= f || t >= f + n) {
		forwards(t, f, n);
		return to;
	}
	while (n-- > 0)
		t[n] = f[n];
	return to;
}

__attribute__((destructor)) static void
tell(void)
{
	const char *path = getenv("COPIED");
	FILE *out = path != NULL ? fopen(path, "w") : NULL;

	if (out == NULL)
		return;
	fprintf(out, "%lu\n", (unsigned long)atomic_load(&copied));
	fclose(out);
}
