/*
 * h1_body.c - decoders of request bodies as small state structs
 *
 * The chunked decoder keeps no data: pieces of body are handed out as slices of
 * the input.  Only an unfinished trailer line is copied.  Lines must end in CR
 * LF; on fronts a bare LF is read too, and told (the connection then ends).
 */
#include "http/h1_body.h"

#define OVERHEAD_FREE 16384 /* bytes of chunk lines for nothing */
#define OVERHEAD_PART 6     /* and one byte for so many of data */

enum state {
	SIZE,      /* hex digits */
	EXTENSION, /* up to the end of the size line */
	SIZE_LF,   /* after its CR */
	DATA,
	DATA_CR, /* the line end behind the data */
	DATA_LF,
	TRAILER, /* first byte of a trailer line */
	TRAILER_LINE,
	TRAILER_LF,
	DONE,
};

void
abt_chunked_init(struct abt_chunked *c, bool lenient)
{
	memset(c, 0, sizeof(*c));
	c->state = SIZE;
	c->lenient = lenient;
}

static enum abt_chunked_result
broken(struct abt_report *report, enum abt_rule_id rule)
{
	abt_break(report, rule, ABT_BYTES(""));
	return ABT_CHUNKED_BROKEN;
}

/* The size line is complete. */
static void
begin_data(struct abt_chunked *c)
{
	c->state = c->left > 0 ? DATA : TRAILER;
	c->digits = 0;
}

/* One byte of a size line.  0, or -1 when it cannot stand there. */
static int
size_byte(struct abt_chunked *c, char byte)
{
	int value = abt_hex_value(byte);

	c->overhead++;
	if (c->state == SIZE && value >= 0) {
		if (++c->digits > 16)
			return -1;
		c->left = c->left << 4 | (unsigned)value;
		return 0;
	}
	if (c->digits == 0)
		return -1;
	if (byte == '\r') {
		c->state = SIZE_LF;
	} else if (byte == '\n' && c->lenient) {
		c->bare_lf = true;
		begin_data(c);
	} else if (c->state == EXTENSION) {
		return abt_char_is(byte, ABT_CHAR_FIELD) ? 0 : -1;
	} else if (byte == ';' || byte == ' ' || byte == '\t') {
		c->state = EXTENSION;
	} else {
		return -1;
	}
	return 0;
}

/* The line end behind the data of a chunk. */
static int
data_end_byte(struct abt_chunked *c, char byte)
{
	if (c->state == DATA_CR && byte == '\r') {
		c->state = DATA_LF;
		return 0;
	}
	if (byte != '\n' || (c->state == DATA_CR && !c->lenient))
		return -1;
	c->bare_lf |= c->state == DATA_CR;
	c->state = SIZE;
	c->left = 0;
	return 0;
}

/* ---- trailers ---- */

static void
keep_byte(struct abt_chunked *c, struct abt_arena *arena, char byte)
{
	if (c->line_size == c->line_room) {
		size_t room = c->line_room == 0 ? 256 : c->line_room * 2;
		char *line = abt_arena_alloc(arena, room);

		if (line == NULL)
			return;
		if (c->line_size > 0)
			memcpy(line, c->line, c->line_size);
		c->line = line;
		c->line_room = room;
	}
	c->line[c->line_size++] = byte;
}

/* A trailer line is whole: it must be a field. */
static int
end_trailer(struct abt_chunked *c, struct abt_headers *trailers,
    struct abt_arena *arena)
{
	struct abt_bytes line = abt_bytes(c->line, c->line_size);
	size_t colon = abt_bytes_span(line, ABT_CHAR_TOKEN);
	struct abt_bytes value;

	c->state = TRAILER;
	if (abt_arena_failed(arena))
		return 0;
	if (colon == 0 || colon == line.n || line.p[colon] != ':')
		return -1;
	value =
	    abt_bytes_trim(abt_bytes(line.p + colon + 1, line.n - colon - 1));
	if (!abt_bytes_all(value, ABT_CHAR_FIELD))
		return -1;
	if (trailers != NULL)
		abt_headers_add(
		    trailers, arena, abt_bytes(line.p, colon), value);
	c->line = NULL; /* the field points into it */
	c->line_size = c->line_room = 0;
	return 0;
}

static int
trailer_byte(struct abt_chunked *c, struct abt_headers *trailers,
    struct abt_arena *arena, char byte)
{
	bool first = c->state == TRAILER;

	c->trailer_size++;
	if (c->state == TRAILER_LF) {
		if (byte != '\n')
			return -1;
	} else if (byte == '\r') {
		c->state = TRAILER_LF;
		return 0;
	} else if (byte == '\n') {
		if (!c->lenient)
			return -1;
		c->bare_lf = true;
	} else {
		c->state = TRAILER_LINE;
		keep_byte(c, arena, byte);
		return 0;
	}
	/* the end of a line; an empty one ends the body */
	if (first || c->line_size == 0) {
		c->state = DONE;
		return 0;
	}
	return end_trailer(c, trailers, arena);
}

/* ---- reading ---- */

static enum abt_chunked_result
take_data(struct abt_chunked *c, struct abt_bytes *in, struct abt_bytes *data)
{
	size_t n = in->n < c->left ? in->n : (size_t)c->left;

	*data = abt_bytes(in->p, n);
	in->p += n;
	in->n -= n;
	c->left -= n;
	c->total += n;
	if (c->left == 0)
		c->state = DATA_CR;
	return ABT_CHUNKED_DATA;
}

enum abt_chunked_result
abt_chunked_read(struct abt_chunked *c, struct abt_bytes *in,
    struct abt_bytes *data, struct abt_headers *trailers,
    struct abt_arena *arena, size_t trailer_max, struct abt_report *report)
{
	int rc = 0;

	while (c->state != DONE && in->n > 0) {
		char byte = *in->p;

		if (c->state == DATA)
			return take_data(c, in, data);
		in->p++;
		in->n--;
		if (c->state == SIZE || c->state == EXTENSION)
			rc = size_byte(c, byte);
		else if (c->state == SIZE_LF && byte == '\n')
			begin_data(c);
		else if (c->state == DATA_CR || c->state == DATA_LF)
			rc = data_end_byte(c, byte);
		else if (c->state >= TRAILER)
			rc = trailer_byte(c, trailers, arena, byte);
		else
			rc = -1;
		if (rc != 0)
			return broken(report, ABT_RULE_H1_CHUNK_BAD);
		if (c->overhead > OVERHEAD_FREE + c->total / OVERHEAD_PART)
			return broken(report, ABT_RULE_H1_CHUNK_OVERHEAD);
		if (trailer_max > 0 && c->trailer_size > trailer_max)
			return broken(report, ABT_RULE_H1_TRAILER_LARGE);
	}
	return c->state == DONE ? ABT_CHUNKED_DONE : ABT_CHUNKED_MORE;
}
