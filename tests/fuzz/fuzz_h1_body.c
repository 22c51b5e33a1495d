/*
 * fuzz_h1_body.c - chunked bodies: one piece against byte by byte
 */
#include <stdlib.h>

#include "http/h1_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum abt_chunked_result result;
	uint64_t total, hash;
	size_t trailers;
};

static void
hash_data(struct outcome *outcome, struct abt_bytes data)
{
	size_t i;

	for (i = 0; i < data.n; i++)
		outcome->hash = outcome->hash * 31 + (unsigned char)data.p[i];
	outcome->total += data.n;
}

/* Feed |in| in pieces of |step| bytes. */
static struct outcome
feed(struct abt_bytes in, size_t step, bool lenient)
{
	struct outcome outcome = { ABT_CHUNKED_MORE, 0, 0, 0 };
	struct abt_headers trailers = { 0 };
	struct abt_chunked chunked;
	struct abt_report report;
	struct abt_arena arena;
	struct abt_bytes data;
	size_t at = 0;

	abt_arena_init(&arena, NULL);
	abt_report_init(&report, &arena);
	abt_chunked_init(&chunked, lenient);
	while (at < in.n && outcome.result == ABT_CHUNKED_MORE) {
		size_t n = in.n - at < step ? in.n - at : step;
		struct abt_bytes piece = abt_bytes(in.p + at, n);

		at += n;
		do {
			outcome.result = abt_chunked_read(&chunked, &piece,
			    &data, &trailers, &arena, 1024, &report);
			if (outcome.result == ABT_CHUNKED_DATA)
				hash_data(&outcome, data);
		} while (outcome.result == ABT_CHUNKED_DATA);
	}
	outcome.trailers = trailers.count;
	abt_arena_end(&arena);
	return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes in = abt_bytes((const char *)data, size);
	int lenient;

	for (lenient = 0; lenient <= 1; lenient++) {
		struct outcome whole = feed(in, size > 0 ? size : 1, lenient);
		struct outcome bytes = feed(in, 1, lenient);

		if (whole.result != bytes.result ||
		    whole.total != bytes.total || whole.hash != bytes.hash ||
		    whole.trailers != bytes.trailers)
			abort();
	}
	return 0;
}
