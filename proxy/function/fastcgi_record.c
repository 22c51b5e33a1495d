/*
 * fastcgi_record.c - the record layer of FastCGI 1.0
 *
 * A record is 8 bytes of head (version, type, request id, length of content and
 * of padding), content and padding.  Ours have no padding and id 1.  What an
 * application sends of types that we do not know is skipped; another id or
 * version is the end of the conversation.
 */
#include "function/fastcgi.h"

#define VERSION     1
#define ID          1
#define RESPONDER   1
#define KEEP_CONN   1
#define CONTENT_MAX 65528 /* a multiple of 8 */

enum type {
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	STDERR = 7,
};

/* ---- writing ---- */

static void
put_head(char *at, enum type type, size_t n)
{
	at[0] = VERSION;
	at[1] = (char)type;
	at[2] = 0;
	at[3] = ID;
	at[4] = (char)(n >> 8);
	at[5] = (char)(n & 0xff);
	at[6] = at[7] = 0;
}

/* |data| as records; none at all when it is empty. */
static void
put_records(struct abt_buf *out, enum type type, struct abt_bytes data)
{
	while (data.n > 0) {
		size_t n = data.n < CONTENT_MAX ? data.n : CONTENT_MAX;
		char *at = abt_buf_room(out, n + 8);

		if (at == NULL)
			return;
		put_head(at, type, n);
		memcpy(at + 8, data.p, n);
		abt_buf_commit(out, n + 8);
		data.p += n;
		data.n -= n;
	}
}

static void
put_end(struct abt_buf *out, enum type type)
{
	char *at = abt_buf_room(out, 8);

	if (at == NULL)
		return;
	put_head(at, type, 0);
	abt_buf_commit(out, 8);
}

static void
put_length(struct abt_buf *buf, size_t n)
{
	if (n > 127) {
		abt_buf_char(buf, (char)(0x80 | n >> 24));
		abt_buf_char(buf, (char)(n >> 16 & 0xff));
		abt_buf_char(buf, (char)(n >> 8 & 0xff));
	}
	abt_buf_char(buf, (char)(n & 0xff));
}

void
abt_fastcgi_begin(struct abt_buf *out, char *const *variables, bool keep)
{
	struct abt_buf params;
	char *at = abt_buf_room(out, 16);

	if (at != NULL) {
		put_head(at, BEGIN_REQUEST, 8);
		memset(at + 8, 0, 8);
		at[9] = RESPONDER;
		at[10] = keep ? KEEP_CONN : 0;
		abt_buf_commit(out, 16);
	}
	abt_buf_init(&params, out->pool, (size_t)4 << 20);
	for (; *variables != NULL; variables++) {
		struct abt_bytes line = abt_bytes_text(*variables);
		size_t equals = abt_bytes_find(line, '=');

		if (equals == line.n)
			continue;
		put_length(&params, equals);
		put_length(&params, line.n - equals - 1);
		abt_buf_add(&params, abt_bytes(line.p, equals));
		abt_buf_add(&params,
		    abt_bytes(line.p + equals + 1, line.n - equals - 1));
	}
	if (params.failed)
		out->failed = true;
	put_records(out, PARAMS, abt_buf_bytes(&params));
	put_end(out, PARAMS);
	abt_buf_end(&params);
}

void
abt_fastcgi_stdin(struct abt_buf *out, struct abt_bytes data)
{
	put_records(out, STDIN, data);
}

void
abt_fastcgi_stdin_end(struct abt_buf *out)
{
	put_end(out, STDIN);
}

/* ---- reading ---- */

static struct abt_bytes
cut(struct abt_bytes *in, size_t n)
{
	struct abt_bytes piece = abt_bytes(in->p, n < in->n ? n : in->n);

	in->p += piece.n;
	in->n -= piece.n;
	return piece;
}

static enum abt_fastcgi_kind
broken(struct abt_fastcgi_reader *reader)
{
	reader->broken = true;
	return ABT_FASTCGI_BROKEN;
}

/* True: the head is whole. */
static bool
read_head(struct abt_fastcgi_reader *reader, struct abt_bytes *in)
{
	struct abt_bytes piece = cut(in, 8 - reader->have);

	if (piece.n > 0)
		memcpy(reader->head + reader->have, piece.p, piece.n);
	reader->have += (unsigned)piece.n;
	if (reader->have < 8)
		return false;
	reader->content = (size_t)reader->head[4] << 8 | reader->head[5];
	reader->padding = reader->head[6];
	reader->end_have = 0;
	return true;
}

static enum abt_fastcgi_kind
read_end(struct abt_fastcgi_reader *reader, struct abt_bytes piece)
{
	for (size_t i = 0; i < piece.n && reader->end_have < 8; i++)
		reader->end[reader->end_have++] = (unsigned char)piece.p[i];
	if (reader->content > 0)
		return ABT_FASTCGI_MORE;
	if (reader->end_have < 8)
		return broken(reader);
	reader->status = (uint32_t)reader->end[0] << 24 |
			 (uint32_t)reader->end[1] << 16 |
			 (uint32_t)reader->end[2] << 8 | reader->end[3];
	reader->refused = reader->end[4];
	return ABT_FASTCGI_END;
}

/* A piece of the record's content. */
static enum abt_fastcgi_kind
read_content(struct abt_fastcgi_reader *reader, struct abt_bytes *in,
    struct abt_bytes *piece)
{
	*piece = cut(in, reader->content);
	reader->content -= piece->n;
	switch (reader->head[1]) {
	case END_REQUEST:
		return read_end(reader, *piece);
	case STDOUT:
		return ABT_FASTCGI_STDOUT;
	case STDERR:
		return ABT_FASTCGI_STDERR;
	default:
		return ABT_FASTCGI_MORE;
	}
}

enum abt_fastcgi_kind
abt_fastcgi_read(struct abt_fastcgi_reader *reader, struct abt_bytes *in,
    struct abt_bytes *piece)
{
	while (!reader->broken) {
		enum abt_fastcgi_kind kind;

		if (reader->have < 8 && !read_head(reader, in))
			return ABT_FASTCGI_MORE;
		if (reader->head[0] != VERSION || reader->head[2] != 0 ||
		    reader->head[3] > ID ||
		    (reader->head[1] == END_REQUEST &&
			reader->content + reader->end_have < 8))
			return broken(reader);
		if (reader->content > 0) {
			if (in->n == 0)
				return ABT_FASTCGI_MORE;
			kind = read_content(reader, in, piece);
			if (kind == ABT_FASTCGI_MORE)
				continue;
			return kind;
		}
		reader->padding -= cut(in, reader->padding).n;
		if (reader->padding > 0)
			return ABT_FASTCGI_MORE;
		reader->have = 0; /* the next record */
	}
	return ABT_FASTCGI_BROKEN;
}
