/*
 * json_escape.c - text as the inside of a JSON string, into a buffer
 *
 * Escapes only what RFC 8259 demands.  Sixteen bytes that need nothing are
 * copied as they are.  Where a letter behind a backslash does, the bytes are
 * spread by a shuffle, if the processor has one; any others go through a table
 * that has the written form of every byte, eight bytes a store and no branch.
 * So text full of quotes costs little more than plain text.
 */
#include "base/json_escape.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif

/* clang-format off */
#define P(c) { { (char)(c) }, 1 }
#define Q(c) P(c), P((c) + 1), P((c) + 2), P((c) + 3)
#define R(c) Q(c), Q((c) + 4), Q((c) + 8), Q((c) + 12)
#define E(c) { { '\\', c }, 2 }
#define U(a, b) { { '\\', 'u', '0', '0', a, b }, 6 }

const struct abt_json_written abt_json_written[256] = {
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

/* ---- blocks of long text ---- */

struct cursor {
	const char *p, *end; /* source */
	char *w, *last; /* a block may be written from |last|, not behind */
	uint64_t high;
};

static void
put_blocks_plain(struct cursor *c)
{
	for (; c->end - c->p >= ABT_ESCAPE_BLOCK && c->w <= c->last;
	     c->p += ABT_ESCAPE_BLOCK)
		c->w = abt_escape_copy16(c->w, c->p, &c->high)
			   ? c->w + ABT_ESCAPE_BLOCK
			   : abt_escape_table(c->w, c->p, ABT_ESCAPE_BLOCK);
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

	for (; c->end - p >= ABT_ESCAPE_BLOCK && w <= c->last;
	     p += ABT_ESCAPE_BLOCK) {
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
			w += ABT_ESCAPE_BLOCK;
			continue;
		}
		/* From 16 on the sum has its high bit set and finds 0. */
		letter = _mm_shuffle_epi8(
		    letters, _mm_adds_epu8(v, _mm_set1_epi8(0x70)));
		is_short = _mm_cmpgt_epi8(letter, _mm_setzero_si128());
		if (_mm_movemask_epi8(_mm_andnot_si128(is_short, control)) !=
		    0) {
			w = abt_escape_table(w, p, ABT_ESCAPE_BLOCK);
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

/* Near the ceiling: byte by byte, so that only what is too long fails. */
static void
put_exact(struct abt_buf *buf, struct abt_bytes b, uint64_t *high)
{
	size_t i;

	for (i = 0; i < b.n; i++) {
		const struct abt_json_written *form =
		    &abt_json_written[(unsigned char)b.p[i]];
		char *w = abt_buf_room(buf, form->n);

		if (w == NULL)
			return;
		memcpy(w, form->text, form->n);
		abt_buf_commit(buf, form->n);
		*high |= (unsigned char)b.p[i] & 0x80;
	}
}

void
abt_json_escape(struct abt_buf *buf, struct abt_bytes b, uint64_t *high)
{
	const size_t block_room =
	    ABT_ESCAPE_BLOCK * ABT_ESCAPE_WORST + ABT_ESCAPE_SLACK;
	size_t room;

	while (b.n >= ABT_ESCAPE_BLOCK) {
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
	if (b.n < ABT_ESCAPE_BLOCK && abt_escape_has_room(buf, block_room))
		buf->n = (size_t)(abt_escape_short(buf->p + buf->n, b, high) -
				  buf->p);
	else
		put_exact(buf, b, high);
}
