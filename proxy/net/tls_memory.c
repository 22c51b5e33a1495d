/*
 * tls_memory.c - OpenSSL's record buffers, kept at hand
 *
 * Idle connections hold no buffers, so each record asks for two of some 17 KB
 * and gives them back; both ways through malloc take what a copy of the record
 * would.  A thread that has connections keeps a few of that size instead.  All
 * else is malloc's.
 */
#include "net/tls_private.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>

#define LEAST 16384 /* a record's data ... */
#define SIZE  18432 /* ... and all that may stand around it */
#define MOST  4

static _Thread_local struct {
	void *spare[MOST];
	int count;
	bool on;
} keep;

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size < LEAST || size > SIZE)
		return abt_malloc(size);
	return keep.count > 0 ? keep.spare[--keep.count] : abt_malloc(SIZE);
}

static void
give(void *p, const char *file, int line)
{
	size_t size;

	(void)file;
	(void)line;
	if (keep.on && p != NULL && keep.count < MOST) {
		size = malloc_usable_size(p);
		if (size >= SIZE && size < SIZE + 64) {
			keep.spare[keep.count++] = p;
			return;
		}
	}
	abt_free(p);
}

static void *
resize(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return abt_realloc(p, size);
}

void
abt_tls_own_memory(void)
{
	/* Refused when OpenSSL has memory already: then it keeps malloc. */
	CRYPTO_set_mem_functions(take, resize, give);
}

/* The thread ends. */
static void
drop(void *unused)
{
	(void)unused;
	keep.on = false;
	while (keep.count > 0)
		abt_free(keep.spare[--keep.count]);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static void
make_key(void)
{
	have_key = pthread_key_create(&key, drop) == 0;
}

void
abt_tls_keep_memory(void)
{
	if (keep.on)
		return;
	pthread_once(&once, make_key);
	keep.on = have_key && pthread_setspecific(key, &keep) == 0;
}
