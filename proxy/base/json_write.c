/*
 * json_write.c - key-first JSON writer into a buffer
 *
 * Escapes only what RFC 8259 demands.  Sixteen bytes that need nothing are
 * copied as they are.  Where a letter behind a backslash does, the bytes are
 * spread by a shuffle, if the processor has one; any others go through a table
 * that has the written form of every byte, eight bytes a store and no branch.
 * So text full of quotes costs little more than plain text.  UTF-8 is checked
 * only where a byte over 0x7F was seen.  Members are committed whole: a string
 * that is refused leaves no trace.
 */
#include "albatross/json.h"

#include <assert.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif

/* The written form of a byte and its length. */
struct written {
	char text[7];
	unsigned char n;
};

/* clang-format off */
#define P(c) { { (char)(c) }, 1 }
#define Q(c) P(c), P((c) + 1), P((c) + 2), P((c) + 3)
#define R(c) Q(c), Q((c) + 4), Q((c) + 8), Q((c) + 12)
#define E(c) { { '\\', c }, 2 }
#define U(a, b) { { '\\', 'u', '0', '0', a, b }, 6 }

static const struct written written[256] = {
	U('0', '0'), U('0', '1'), U('0', '2'), U('0', '3'),
	U('0', '4'), U('0', '5'), U('0', '6'), U('0', '7'),
	E('b'),      E('t'),      E('n'),      U('0', 'b'),
	E('f'),      E('r'),      U('0', 'e'), U('0', 'f'),
	U('1', '0'), U('1', '1'), U('1', '2'), U('1', '3'),
	U('1', '4'), U('1', '5'), U('1', '6'), U('1', '7'),
	U('1', '8'), U('1', '9'), U('1', 'a'), U('1', 'b'),
	U('1', 'c'), U('1', 'd'), U('1', 'e'), U('1', 'f'),
	P(0x20), P(0x21), E('"'), P(0x23), Q(0x24), Q(0x28), Q(0x2c),
	R(0x30), R(0x40),
	Q(0x50), Q(0x54), Q(0x58), E('\\'), P(0x5d), P(0x5e), P(0x5f),
	R(0x60), R(0x70),
	R(0x80), R(0x90), R(0xa0), R(0xb0), R(0xc0), R(0xd0), R(0xe0), R(0xf0),
};
#undef P
#undef Q
#undef R
#undef E
#undef U
/* clang-format on */

#define BLOCK 16
#define WORST 6  /* bytes written for one */
#define SLACK 16 /* what stores may touch behind the text */
#define SHORT 128

/* ---- escaping ---- */

/* Do these eight bytes need no escape?  |high| collects their high bits. */
static inline bool
plain8(const char *p, uint64_t *high)
{
	const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
	uint64_t v, quote, slash, control;

	memcpy(&v, p, sizeof(v));
	quote = v ^ ('"' * ones);
	slash = v ^ ('\\' * ones);
	control = (v - ' ' * ones) & ~v;
	quote = (quote - ones) & ~quote;
	slash = (slash - ones) & ~slash;
	*high |= v & tops;
	return ((quote | slash | control) & tops) == 0;
}

/* The same of sixteen; they are copied to |out| in any case. */
static inline bool
copy16(char *out, const char *p, uint64_t *high)
{
#if HAVE_X86
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i special = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));

	_mm_storeu_si128((__m128i *)(void *)out, v);
	special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	special = _mm_or_si128(
	    special, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
	*high |= (unsigned)_mm_movemask_epi8(v);
	return _mm_movemask_epi8(special) == 0;
#else
	bool first = plain8(p, high), second = plain8(p + 8, high);

	memcpy(out, p, 16);
	return first && second;
#endif
}

/* Through the table; returns the end.  Wants n * WORST + 2 bytes of room. */
static inline char *
put_table(char *w, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct written *form = &written[(unsigned char)p[i]];

		memcpy(w, form, sizeof(*form));
		w += form->n;
	}
	return w;
}

/* Fewer than sixteen bytes: two overlapping loads have all of them. */
static inline char *
put_rest(char *w, const char *p, size_t n, uint64_t *high)
{
	uint32_t a, b;
	char word[8];

	if (n >= 8) {
		bool first = plain8(p, high), second;

		second = plain8(p + n - 8, high);
		if (!first || !second)
			return put_table(w, p, n);
		memcpy(w, p, 8);
		memcpy(w + n - 8, p + n - 8, 8);
		return w + n;
	}
	if (n < 4) {
		size_t i;

		for (i = 0; i < n; i++) {
			*high |= (unsigned char)p[i] & 0x80;
			w = put_table(w, p + i, 1);
		}
		return w;
	}
	memcpy(&a, p, 4);
	memcpy(&b, p + n - 4, 4);
	memcpy(word, &a, 4);
	memcpy(word + 4, &b, 4);
	if (!plain8(word, high))
		return put_table(w, p, n);
	memcpy(w, &a, 4);
	memcpy(w + n - 4, &b, 4);
	return w + n;
}

/* Escape |b|; the end.  Wants b.n * WORST + SLACK bytes of room. */
static inline char *
put_short(char *w, struct abt_bytes b, uint64_t *high)
{
	const char *p = b.p;
	size_t n = b.n;

	for (; n >= BLOCK; n -= BLOCK, p += BLOCK)
		w = copy16(w, p, high) ? w + BLOCK : put_table(w, p, BLOCK);
	return n > 0 ? put_rest(w, p, n, high) : w;
}

/* ---- blocks of long text ---- */

struct cursor {
	const char *p, *end; /* source */
	char *w, *last; /* a block may be written from |last|, not behind */
	uint64_t high;
};

static void
put_blocks_plain(struct cursor *c)
{
	for (; c->end - c->p >= BLOCK && c->w <= c->last; c->p += BLOCK)
		c->w = copy16(c->w, c->p, &c->high)
			   ? c->w + BLOCK
			   : put_table(c->w, c->p, BLOCK);
}

#if HAVE_X86

/*
 * Where the bytes of eight go when those whose bit is set get a backslash
 * before them: a row of source bytes for each set of bits, number 8 being the
 * backslash.  What stands behind a row's end is overwritten by what follows.
 */
#define K0(i) i,
#define K1(i) 8, i,
#define ROW(a, b, c, d, e, f, g, h) \
	{ K##a(0) K##b(1) K##c(2) K##d(3) K##e(4) K##f(5) K##g(6) K##h(7) },
#define R1(...) ROW(0, __VA_ARGS__) ROW(1, __VA_ARGS__)
#define R2(...) R1(0, __VA_ARGS__) R1(1, __VA_ARGS__)
#define R3(...) R2(0, __VA_ARGS__) R2(1, __VA_ARGS__)
#define R4(...) R3(0, __VA_ARGS__) R3(1, __VA_ARGS__)
#define R5(...) R4(0, __VA_ARGS__) R4(1, __VA_ARGS__)
#define R6(...) R5(0, __VA_ARGS__) R5(1, __VA_ARGS__)
#define R7(...) R6(0, __VA_ARGS__) R6(1, __VA_ARGS__)

static const unsigned char spread[256][16] = { R7(0) R7(1) };

/* Letters of the short escapes \b \t \n \f \r by their last four bits. */
#define LETTERS 0, 0, 0, 0, 0, 0, 0, 0, 'b', 't', 'n', 0, 'f', 'r', 0, 0

__attribute__((target("ssse3,popcnt"))) static inline char *
put_spread(char *w, __m128i v, unsigned bits)
{
	const unsigned char *row = spread[bits];

	v = _mm_shuffle_epi8(
	    v, _mm_loadu_si128((const __m128i *)(const void *)row));
	_mm_storeu_si128((__m128i *)(void *)w, v);
	return w + 8 + __builtin_popcount(bits);
}

__attribute__((target("ssse3,popcnt"))) static void
put_blocks_ssse3(struct cursor *c)
{
	const __m128i letters = _mm_setr_epi8(LETTERS);
	const __m128i slashes = _mm_set1_epi8('\\');
	const char *p = c->p;
	char *w = c->w;

	for (; c->end - p >= BLOCK && w <= c->last; p += BLOCK) {
		__m128i v, special, control, letter, is_short;
		unsigned bits;

		v = _mm_loadu_si128((const __m128i *)(const void *)p);
		_mm_storeu_si128((__m128i *)(void *)w, v);
		control =
		    _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
		special = _mm_or_si128(_mm_cmpeq_epi8(v, slashes),
		    _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
		bits =
		    (unsigned)_mm_movemask_epi8(_mm_or_si128(special, control));
		c->high |= (unsigned)_mm_movemask_epi8(v);
		if (bits == 0) {
			w += BLOCK;
			continue;
		}
		/* From 16 on the sum has its high bit set and finds 0. */
		letter = _mm_shuffle_epi8(
		    letters, _mm_adds_epu8(v, _mm_set1_epi8(0x70)));
		is_short = _mm_cmpgt_epi8(letter, _mm_setzero_si128());
		if (_mm_movemask_epi8(_mm_andnot_si128(is_short, control)) !=
		    0) {
			w = put_table(w, p, BLOCK);
			continue;
		}
		v = _mm_or_si128(_mm_andnot_si128(is_short, v), letter);
		w = put_spread(w, _mm_unpacklo_epi64(v, slashes), bits & 255);
		w = put_spread(w, _mm_unpackhi_epi64(v, slashes), bits >> 8);
	}
	c->p = p;
	c->w = w;
}

static void
put_blocks(struct cursor *c)
{
	if (__builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt"))
		put_blocks_ssse3(c);
	else
		put_blocks_plain(c);
}

#else

static void
put_blocks(struct cursor *c)
{
	put_blocks_plain(c);
}

#endif

/* ---- any text ---- */

static inline bool
have_room(struct abt_buf *buf, size_t n)
{
	return n <= buf->size - buf->n || abt_buf_reserve(buf, n) >= n;
}

/* Near the ceiling: byte by byte, so that only what is too long fails. */
static void
put_exact(struct abt_buf *buf, struct abt_bytes b, uint64_t *high)
{
	size_t i;

	for (i = 0; i < b.n; i++) {
		const struct written *form = &written[(unsigned char)b.p[i]];
		char *w = abt_buf_room(buf, form->n);

		if (w == NULL)
			return;
		memcpy(w, form->text, form->n);
		abt_buf_commit(buf, form->n);
		*high |= (unsigned char)b.p[i] & 0x80;
	}
}

/* Escape |b| of any length into |buf|. */
static void
put_long(struct abt_buf *buf, struct abt_bytes b, uint64_t *high)
{
	const size_t block_room = BLOCK * WORST + SLACK;
	size_t room;

	while (b.n >= BLOCK) {
		struct cursor c = { b.p, b.p + b.n, NULL, NULL, 0 };

		room = abt_buf_reserve(buf, b.n + b.n / 16 + block_room);
		if (room < block_room)
			break;
		c.w = buf->p + buf->n;
		c.last = c.w + (room - block_room);
		put_blocks(&c);
		buf->n = (size_t)(c.w - buf->p);
		*high |= c.high;
		b = abt_bytes(c.p, (size_t)(c.end - c.p));
	}
	if (b.n == 0)
		return;
	if (b.n < BLOCK && have_room(buf, block_room))
		buf->n = (size_t)(put_short(buf->p + buf->n, b, high) - buf->p);
	else
		put_exact(buf, b, high);
}

/* ---- commas and names ---- */

void
abt_json_out_init(struct abt_json_out *out, struct abt_buf *buf)
{
	memset(out, 0, sizeof(*out));
	out->buf = buf;
}

bool
abt_json_out_failed(const struct abt_json_out *out)
{
	return out->bad_utf8 || out->buf->failed;
}

static inline bool
in_object(const struct abt_json_out *out)
{
	return out->depth > 0 && (out->objects >> (out->depth - 1) & 1) != 0;
}

static void
roll_back(struct abt_buf *buf, size_t n)
{
	buf->n = n;
	if (buf->failed)
		buf->size = n; /* a failed buffer has no room */
}

/*
 * Write comma and name, then the |value| as a string if |string|, all or
 * nothing.  |key.p| is NULL where there is no name.
 */
static inline void
put_member(struct abt_json_out *out, struct abt_bytes key, bool string,
    struct abt_bytes value)
{
	struct abt_buf *buf = out->buf;
	size_t begin = buf->n, want;
	uint64_t high = 0;
	char *w;

	if (out->bad_utf8)
		return;
	assert((key.p != NULL) == in_object(out));
	assert(out->depth > 0 || !out->comma);
	want = key.n + (string ? value.n : 0);
	if (want <= SHORT && abt_buf_reserve(buf, want * WORST + SLACK) >=
				 want * WORST + SLACK) {
		w = buf->p + buf->n;
		*w = ',';
		w += out->comma;
		if (key.p != NULL) {
			*w++ = '"';
			w = put_short(w, key, &high);
			*w++ = '"';
			*w++ = ':';
		}
		if (string) {
			*w++ = '"';
			w = put_short(w, value, &high);
			*w++ = '"';
		}
		buf->n = (size_t)(w - buf->p);
	} else {
		if (out->comma)
			abt_buf_char(buf, ',');
		if (key.p != NULL) {
			abt_buf_char(buf, '"');
			put_long(buf, key, &high);
			abt_buf_add(buf, ABT_BYTES("\":"));
		}
		if (string) {
			abt_buf_char(buf, '"');
			put_long(buf, value, &high);
			abt_buf_char(buf, '"');
		}
	}
	if (high != 0 &&
	    !(abt_utf8_valid(key) && (!string || abt_utf8_valid(value)))) {
		out->bad_utf8 = true;
		roll_back(buf, begin);
		return;
	}
	out->comma = true;
}

static void
put_key(struct abt_json_out *out, struct abt_bytes key)
{
	put_member(out, key, false, abt_bytes(NULL, 0));
}

/* Comma and name, then |text| of ours. */
static void
put_raw(struct abt_json_out *out, const char *key, struct abt_bytes text)
{
	put_key(out, abt_bytes_text(key));
	if (!out->bad_utf8)
		abt_buf_add(out->buf, text);
}

static void
open(struct abt_json_out *out, struct abt_bytes key, bool object)
{
	put_key(out, key);
	if (out->bad_utf8)
		return;
	assert(out->depth < 64);
	abt_buf_char(out->buf, object ? '{' : '[');
	out->objects &= ~((uint64_t)1 << out->depth);
	out->objects |= (uint64_t)object << out->depth;
	out->depth++;
	out->comma = false;
}

/* ---- the public names ---- */

void
abt_json_object(struct abt_json_out *out, const char *key)
{
	open(out, abt_bytes_text(key), true);
}

void
abt_json_array(struct abt_json_out *out, const char *key)
{
	open(out, abt_bytes_text(key), false);
}

void
abt_json_object_at(struct abt_json_out *out, struct abt_bytes key)
{
	open(out, key.p != NULL ? key : ABT_BYTES(""), true);
}

void
abt_json_array_at(struct abt_json_out *out, struct abt_bytes key)
{
	open(out, key.p != NULL ? key : ABT_BYTES(""), false);
}

void
abt_json_close(struct abt_json_out *out)
{
	if (out->bad_utf8)
		return; /* openings are not counted any more */
	assert(out->depth > 0);
	abt_buf_char(out->buf, in_object(out) ? '}' : ']');
	out->depth--;
	out->comma = true;
}

void
abt_json_string(
    struct abt_json_out *out, const char *key, struct abt_bytes value)
{
	put_member(out, abt_bytes_text(key), true, value);
}

void
abt_json_string_at(
    struct abt_json_out *out, struct abt_bytes key, struct abt_bytes value)
{
	put_member(out, key.p != NULL ? key : ABT_BYTES(""), true, value);
}

void
abt_json_text(struct abt_json_out *out, const char *key, const char *value)
{
	put_member(out, abt_bytes_text(key), true, abt_bytes_text(value));
}

void
abt_json_int(struct abt_json_out *out, const char *key, int64_t value)
{
	char text[21];
	uint64_t size = (uint64_t)value;
	size_t n = 0;

	if (value < 0) {
		text[n++] = '-';
		size = 0 - size;
	}
	n += abt_format_number(text + n, size);
	put_raw(out, key, abt_bytes(text, n));
}

void
abt_json_bool(struct abt_json_out *out, const char *key, bool value)
{
	put_raw(out, key, value ? ABT_BYTES("true") : ABT_BYTES("false"));
}

void
abt_json_null(struct abt_json_out *out, const char *key)
{
	put_raw(out, key, ABT_BYTES("null"));
}

void
abt_json_raw(struct abt_json_out *out, const char *key, struct abt_bytes json)
{
	put_raw(out, key, json);
}

void
abt_json_base64(
    struct abt_json_out *out, const char *key, struct abt_bytes value)
{
	size_t n;
	char *w;

	put_key(out, abt_bytes_text(key));
	if (out->bad_utf8)
		return;
	n = abt_base64_length(value.n);
	w = abt_buf_room(out->buf, n + 2);
	if (w == NULL)
		return;
	w[0] = '"';
	abt_base64_encode(w + 1, value);
	w[n + 1] = '"';
	abt_buf_commit(out->buf, n + 2);
}

/* ---- trees ---- */

static void put_value(struct abt_json_out *out, const struct abt_json *value);

static void
put_text(struct abt_json_out *out, struct abt_bytes text)
{
	uint64_t high = 0;

	abt_buf_char(out->buf, '"');
	put_long(out->buf, text, &high);
	abt_buf_char(out->buf, '"');
	if (high != 0 && !abt_utf8_valid(text))
		out->bad_utf8 = true;
}

/* The bit per depth is not used here: trees may nest as their reader allows. */
static void
put_members(struct abt_json_out *out, const struct abt_json *parent)
{
	bool object = parent->kind == ABT_JSON_OBJECT;
	const struct abt_json *child;

	abt_buf_char(out->buf, object ? '{' : '[');
	for (child = parent->first; child != NULL; child = child->next) {
		if (child != parent->first)
			abt_buf_char(out->buf, ',');
		if (object) {
			put_text(out, child->key);
			abt_buf_char(out->buf, ':');
		}
		put_value(out, child);
	}
	abt_buf_char(out->buf, object ? '}' : ']');
}

static void
put_value(struct abt_json_out *out, const struct abt_json *value)
{
	switch (value->kind) {
	case ABT_JSON_NULL:
		abt_buf_add(out->buf, ABT_BYTES("null"));
		break;
	case ABT_JSON_FALSE:
		abt_buf_add(out->buf, ABT_BYTES("false"));
		break;
	case ABT_JSON_TRUE:
		abt_buf_add(out->buf, ABT_BYTES("true"));
		break;
	case ABT_JSON_NUMBER:
		abt_buf_add(out->buf, value->text);
		break;
	case ABT_JSON_STRING:
		put_text(out, value->text);
		break;
	case ABT_JSON_ARRAY:
	case ABT_JSON_OBJECT:
		put_members(out, value);
		break;
	}
}

void
abt_json_tree(
    struct abt_json_out *out, const char *key, const struct abt_json *value)
{
	size_t begin = out->buf->n;

	put_key(out, abt_bytes_text(key));
	if (out->bad_utf8)
		return;
	put_value(out, value);
	if (out->bad_utf8)
		roll_back(out->buf, begin);
}
