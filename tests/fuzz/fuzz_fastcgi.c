/*
 * fuzz_fastcgi.c - records of FastCGI applications
 *
 * Properties: whatever the pieces it comes in, the same bytes of stdout and
 * stderr and the same end are read; what we write ourselves is read back.
 */
#include <stdlib.h>

#include "function/fastcgi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct abt_buf out, err;
	unsigned ends;
	uint32_t status;
	bool broken;
};

static void
read_some(
    struct abt_fastcgi_reader *reader, struct abt_bytes in, struct seen *seen)
{
	struct abt_bytes piece;

	for (;;) {
		switch (abt_fastcgi_read(reader, &in, &piece)) {
		case ABT_FASTCGI_MORE:
			if (in.n > 0)
				abort();
			return;
		case ABT_FASTCGI_STDOUT:
			abt_buf_add(&seen->out, piece);
			break;
		case ABT_FASTCGI_STDERR:
			abt_buf_add(&seen->err, piece);
			break;
		case ABT_FASTCGI_END:
			seen->ends++;
			seen->status = reader->status;
			break;
		default:
			seen->broken = true;
			return;
		}
	}
}

static void
begin(struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	abt_buf_init(&seen->out, NULL, SIZE_MAX / 4);
	abt_buf_init(&seen->err, NULL, SIZE_MAX / 4);
}

static void
end(struct seen *seen)
{
	abt_buf_end(&seen->out);
	abt_buf_end(&seen->err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abt_bytes all = abt_bytes((const char *)data, size);
	struct abt_fastcgi_reader reader = { 0 };
	struct seen whole, cut;
	size_t step = size > 0 ? data[0] % 19 + 1 : 1;

	begin(&whole);
	begin(&cut);
	read_some(&reader, all, &whole);
	memset(&reader, 0, sizeof(reader));
	for (size_t at = 0; at < size && !cut.broken; at += step)
		read_some(&reader,
		    abt_bytes(all.p + at, size - at < step ? size - at : step),
		    &cut);
	if (whole.ends != cut.ends || whole.status != cut.status ||
	    whole.broken != cut.broken ||
	    !abt_bytes_equal(
		abt_buf_bytes(&whole.out), abt_buf_bytes(&cut.out)) ||
	    !abt_bytes_equal(
		abt_buf_bytes(&whole.err), abt_buf_bytes(&cut.err)))
		abort();
	end(&whole);
	end(&cut);
	return 0;
}
