/*
 * fastcgi.h - the record layer of FastCGI 1.0, as a web server needs it
 *
 * A connection carries one request at a time (id 1).  Writing appends records
 * to a buffer; reading is a small state struct that is fed with whatever came.
 */
#ifndef ABT_FUNCTION_FASTCGI_H
#define ABT_FUNCTION_FASTCGI_H

#include "albatross/buf.h"

/* ---- writing ---- */

/* BEGIN_REQUEST (responder, the connection is kept with |keep|) and the
 * parameters "NAME=value" of |variables|. */
void abt_fastcgi_begin(struct abt_buf *out, char *const *variables, bool keep);
/* Bytes of the request's body; none: its end. */
void abt_fastcgi_stdin(struct abt_buf *out, struct abt_bytes data);
void abt_fastcgi_stdin_end(struct abt_buf *out);

/* ---- reading ---- */

enum abt_fastcgi_kind {
	ABT_FASTCGI_MORE, /* nothing more in what was given */
	ABT_FASTCGI_STDOUT,
	ABT_FASTCGI_STDERR,
	ABT_FASTCGI_END,    /* of the request: |status|, |refused| */
	ABT_FASTCGI_BROKEN, /* this is no FastCGI */
};

struct abt_fastcgi_reader {
	unsigned char head[8];
	unsigned have; /* bytes of the record's head */
	size_t content, padding;
	unsigned char end[8]; /* of END_REQUEST */
	unsigned end_have;
	uint32_t status;  /* the program's exit status */
	unsigned refused; /* protocol status: 0 is complete */
	bool broken;
};

/* The next piece of |in|, which moves behind it; for STDOUT and STDERR
 * |piece| is a slice of |in|. */
enum abt_fastcgi_kind abt_fastcgi_read(struct abt_fastcgi_reader *reader,
    struct abt_bytes *in, struct abt_bytes *piece);

#endif
