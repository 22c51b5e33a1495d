/*
 * json_string.c - one JSON string: where it ends, whether it is right, what it
 * says
 *
 * The end is found sixteen bytes at a time, or 64 where there are escapes; a
 * string without any is a slice of the source, any other is decoded into the
 * arena, by shuffles where the processor has them.  UTF-8 is checked only where
 * a byte over 0x7F was seen.  Nothing behind the source is ever touched.
 */
#include "base/json_string.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif

struct scan {
	const char *at;    /* where it is wrong */
	const char *wrong; /* NULL: out of memory */
	struct abt_arena *arena;
};

static int
fail(struct scan *s, const char *wrong, const char *at)
{
	s->wrong = wrong;
	s->at = at;
	return -1;
}

/* ---- finding what is special in a string ---- */

/* Bits of the bytes of a block, the first byte lowest. */
struct masks {
	uint64_t quote, slash, control, high;
};

#if HAVE_X86

static inline struct masks
masks16(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i control = _mm_min_epu8(v, _mm_set1_epi8(0x1f));
	struct masks m;

	m.quote =
	    (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
	m.slash =
	    (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	m.control = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, control));
	m.high = (unsigned)_mm_movemask_epi8(v);
	return m;
}

/* The bits of quotes, backslashes and controls together. */
static inline unsigned
special16(const char *p, unsigned *high)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i any = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));

	any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	any = _mm_or_si128(
	    any, _mm_cmpeq_epi8(v, _mm_min_epu8(v, _mm_set1_epi8(0x1f))));
	*high = (unsigned)_mm_movemask_epi8(v);
	return (unsigned)_mm_movemask_epi8(any);
}

/* Has the block of 64 any quote, backslash or control? */
static inline bool
is_special64(const char *p, uint64_t *high)
{
	const __m128i *from = (const __m128i *)(const void *)p;
	__m128i any = _mm_setzero_si128(), all = any;
	int i;

	for (i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128(from + i);
		__m128i low = _mm_min_epu8(v, _mm_set1_epi8(0x1f));

		all = _mm_or_si128(all, v);
		any = _mm_or_si128(any, _mm_cmpeq_epi8(v, low));
		any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
		any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	}
	*high |= (unsigned)_mm_movemask_epi8(all);
	return _mm_movemask_epi8(any) != 0;
}

/* Behind the blocks at |p| that are nothing special: a body of a megabyte is
 * read as fast as memory gives it. */
__attribute__((target("avx2"))) static const char *
skip_plain_avx2(const char *p, const char *end, uint64_t *high)
{
	const __m256i quote = _mm256_set1_epi8('"');
	const __m256i slash = _mm256_set1_epi8('\\');
	const __m256i last = _mm256_set1_epi8(0x1f);
	__m256i all = _mm256_setzero_si256();

	for (; end - p >= 64; p += 64) {
		const __m256i *from = (const __m256i *)(const void *)p;
		__m256i a = _mm256_loadu_si256(from);
		__m256i b = _mm256_loadu_si256(from + 1);
		__m256i any =
		    _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(a, quote),
					_mm256_cmpeq_epi8(b, quote)),
			_mm256_or_si256(_mm256_cmpeq_epi8(a, slash),
			    _mm256_cmpeq_epi8(b, slash)));
		__m256i low = _mm256_min_epu8(a, b);

		any = _mm256_or_si256(
		    any, _mm256_cmpeq_epi8(low, _mm256_min_epu8(low, last)));
		if (_mm256_movemask_epi8(any) != 0)
			break;
		all = _mm256_or_si256(all, _mm256_or_si256(a, b));
	}
	*high |= (unsigned)_mm256_movemask_epi8(all);
	return p;
}

static bool
have_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

#else

static const char *
skip_plain_avx2(const char *p, const char *end, uint64_t *high)
{
	(void)end, (void)high;
	return p;
}

static bool
have_avx2(void)
{
	return false;
}

static inline unsigned
special16(const char *p, unsigned *high)
{
	unsigned any = 0, i;

	*high = 0;
	for (i = 0; i < 16; i++) {
		unsigned char c = (unsigned char)p[i];

		any |= (unsigned)(c < 0x20 || c == '"' || c == '\\') << i;
		*high |= (unsigned)(c >> 7) << i;
	}
	return any;
}

static inline struct masks
masks16(const char *p)
{
	struct masks m = { 0, 0, 0, 0 };
	unsigned i;

	for (i = 0; i < 16; i++) {
		unsigned char c = (unsigned char)p[i];

		m.quote |= (uint64_t)(c == '"') << i;
		m.slash |= (uint64_t)(c == '\\') << i;
		m.control |= (uint64_t)(c < 0x20) << i;
		m.high |= (uint64_t)(c >> 7) << i;
	}
	return m;
}

static inline bool
is_special64(const char *p, uint64_t *high)
{
	uint64_t any = 0;
	unsigned i;

	for (i = 0; i < 64; i++) {
		unsigned char c = (unsigned char)p[i];

		any |= (abt_chars[c] & ABT_CHAR_JSON_PLAIN) == 0 && c < 0x80;
		*high |= c & 0x80;
	}
	return any != 0;
}

#endif

static inline struct masks
masks64(const char *p)
{
	struct masks m = { 0, 0, 0, 0 };
	unsigned i;

	for (i = 0; i < 64; i += 16) {
		struct masks part = masks16(p + i);

		m.quote |= part.quote << i;
		m.slash |= part.slash << i;
		m.control |= part.control << i;
		m.high |= part.high << i;
	}
	return m;
}

/* What finding the end of a string learnt on the way. */
struct found {
	uint64_t high;
	bool escaped;
};

/*
 * The bytes that a backslash escapes.  |skip| is 1 when the first one is
 * escaped by the byte before the block; it is set for the next block.
 */
static inline uint64_t
escaped_by(uint64_t slashes, uint64_t *skip)
{
	const uint64_t even = 0x5555555555555555u;
	uint64_t behind, odd_runs, ends;

	slashes &= ~*skip;
	behind = slashes << 1 | *skip;
	/* Adding a run to its first bit carries to the place behind its end;
	 * of a run that begins at an odd place, odd places are escaped. */
	odd_runs = slashes & ~even & ~behind;
	*skip = __builtin_add_overflow(odd_runs, slashes, &ends);
	return (even ^ ends << 1) & behind;
}

/*
 * The quote that ends the string at |p|, or the control byte that spoils it, or
 * |end|.  The string has an escape.
 */
static const char *
find_end_escaped(const char *p, const char *end, struct found *found)
{
	uint64_t skip = 0;

	found->escaped = true;
	for (; end - p >= 64; p += 64) {
		struct masks m = masks64(p);
		uint64_t taken = escaped_by(m.slash, &skip), stop;

		stop = (m.quote & ~taken) | m.control;
		if (stop != 0) {
			unsigned at = (unsigned)__builtin_ctzll(stop);

			found->high |= m.high & (((uint64_t)1 << at) - 1);
			return p + at;
		}
		found->high |= m.high;
	}
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || (c == '"' && skip == 0))
			return p;
		found->high |= c & 0x80;
		skip = c == '\\' && skip == 0;
	}
	return end;
}

static const char *
find_end(const char *p, const char *end, struct found *found)
{
	int blocks = 0;

	while (end - p >= 16) {
		unsigned special, high;

		/* Once it is known to be long. */
		if (++blocks > 4 && have_avx2())
			p = skip_plain_avx2(p, end, &found->high);
		else if (blocks > 4)
			while (end - p >= 64 && !is_special64(p, &found->high))
				p += 64;
		if (end - p < 16)
			break;
		special = special16(p, &high);
		if (special != 0) {
			unsigned at = (unsigned)__builtin_ctz(special);

			found->high |= high & ((1u << at) - 1);
			p += at;
			return *p == '\\' ? find_end_escaped(p, end, found) : p;
		}
		found->high |= high;
		p += 16;
	}
	for (; p < end; p++) {
		if (*p == '\\')
			return find_end_escaped(p, end, found);
		if (*p == '"' || (unsigned char)*p < 0x20)
			return p;
		found->high |= (unsigned char)*p & 0x80;
	}
	return end;
}

/* ---- decoding ---- */

/* What a letter behind a backslash stands for; 0: "u", or nothing. */
static const char unescaped[256] = {
	['"'] = '"',
	['\\'] = '\\',
	['/'] = '/',
	['b'] = '\b',
	['f'] = '\f',
	['n'] = '\n',
	['r'] = '\r',
	['t'] = '\t',
};

/* The four hex digits at |p|, or -1. */
static int
hex4(const char *p, const char *end)
{
	int value = 0, i;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		int digit = abt_hex_value(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static char *
put_utf8(char *w, unsigned code)
{
	if (code < 0x80) {
		*w++ = (char)code;
		return w;
	}
	if (code < 0x800) {
		*w++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*w++ = (char)(0xe0 | code >> 12);
		} else {
			*w++ = (char)(0xf0 | code >> 18);
			*w++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*w++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*w++ = (char)(0x80 | (code & 0x3f));
	return w;
}

/* Decode the escape at |p| to |w|; moves both.  0 or -1. */
static int
decode_escape(struct scan *s, const char **p, const char *end, char **w)
{
	const char *at = *p;
	char plain = unescaped[(unsigned char)at[1]];
	int code, low;

	if (plain != 0) {
		*(*w)++ = plain;
		*p = at + 2;
		return 0;
	}
	if (at[1] != 'u')
		return fail(s, "an unknown escape", at);
	code = hex4(at + 2, end);
	if (code < 0)
		return fail(s, "\\u wants four hex digits", at);
	*p = at + 6;
	if (code >= 0xd800 && code < 0xe000) {
		if (code >= 0xdc00 || end - *p < 2 || (*p)[0] != '\\' ||
		    (*p)[1] != 'u')
			return fail(s, "half of a surrogate pair", at);
		low = hex4(*p + 2, end);
		if (low < 0xdc00 || low >= 0xe000)
			return fail(s, "half of a surrogate pair", at);
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		*p += 6;
	}
	*w = put_utf8(*w, (unsigned)code);
	return 0;
}

/*
 * Decode the simple escapes of the sixteen bytes at |*p|, up to the first that
 * is not simple.  Wants 34 bytes of source, so that pieces may be copied
 * sixteen bytes at a time; what is written never gets ahead of what is read.
 */
static inline void
decode_block(const char **p, char **w)
{
	const char *block = *p;
	unsigned slashes = (unsigned)masks16(block).slash, from = 0;

	while (slashes != 0) {
		unsigned at = (unsigned)__builtin_ctz(slashes);
		char plain = unescaped[(unsigned char)block[at + 1]];

		memcpy(*w, block + from, 16);
		*w += at - from;
		if (plain == 0) {
			*p = block + at;
			return;
		}
		*(*w)++ = plain;
		from = at + 2;
		slashes &= ~(3u << at);
	}
	if (from < 16) {
		memcpy(*w, block + from, 16);
		*w += 16 - from;
		from = 16;
	}
	*p = block + from;
}

#if HAVE_X86

/*
 * A letter behind a backslash, hashed to four bits by adding its halves: which
 * letter it must be, and what it then stands for.  A quote stands for itself
 * and has no place here; it would meet "n".
 */
#define ESCAPED 0, '/', 0, 0, 'n', 0, 0, 0, 'b', 'r', 0, 't', 'f', 0, 0, 0
#define MEANT   0, '/', 0, 0, '\n', 0, 0, 0, '\b', '\r', 0, '\t', '\f', 0, 0, 0

/* The bytes of eight whose bit is not set, moved together. */
#define K0(i) i,
#define K1(i)
#define ROW(a, b, c, d, e, f, g, h) \
	{ K##a(0) K##b(1) K##c(2) K##d(3) K##e(4) K##f(5) K##g(6) K##h(7) },
#define R1(...) ROW(0, __VA_ARGS__) ROW(1, __VA_ARGS__)
#define R2(...) R1(0, __VA_ARGS__) R1(1, __VA_ARGS__)
#define R3(...) R2(0, __VA_ARGS__) R2(1, __VA_ARGS__)
#define R4(...) R3(0, __VA_ARGS__) R3(1, __VA_ARGS__)
#define R5(...) R4(0, __VA_ARGS__) R4(1, __VA_ARGS__)
#define R6(...) R5(0, __VA_ARGS__) R5(1, __VA_ARGS__)
#define R7(...) R6(0, __VA_ARGS__) R6(1, __VA_ARGS__)

static const unsigned char gather[256][8] = { R7(0) R7(1) };

__attribute__((target("ssse3,popcnt"))) static inline char *
put_gathered(char *w, __m128i v, unsigned bits)
{
	const unsigned char *row = gather[bits];

	v = _mm_shuffle_epi8(
	    v, _mm_loadl_epi64((const __m128i *)(const void *)row));
	_mm_storel_epi64((__m128i *)(void *)w, v);
	return w + 8 - __builtin_popcount(bits);
}

/*
 * Decode blocks of sixteen bytes, up to one that holds \u, two backslashes side
 * by side, or a mistake.
 */
__attribute__((target("ssse3,popcnt"))) static void
decode_blocks(const char **from, const char *end, char **to)
{
	const __m128i escaped = _mm_setr_epi8(ESCAPED);
	const __m128i meant = _mm_setr_epi8(MEANT);
	const __m128i half = _mm_set1_epi8(15);
	const char *p = *from;
	char *w = *to;

	while (end - p >= 16) {
		__m128i v, slash, taken, hash, known, same;
		unsigned bits;

		v = _mm_loadu_si128((const __m128i *)(const void *)p);
		slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
		bits = (unsigned)_mm_movemask_epi8(slash);
		if (bits == 0) {
			_mm_storeu_si128((__m128i *)(void *)w, v);
			p += 16;
			w += 16;
			continue;
		}
		taken = _mm_slli_si128(slash, 1);
		hash = _mm_and_si128(_mm_srli_epi16(v, 4), half);
		hash = _mm_and_si128(_mm_add_epi8(hash, v), half);
		known = _mm_cmpeq_epi8(_mm_shuffle_epi8(escaped, hash), v);
		same = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
		same = _mm_andnot_si128(_mm_or_si128(known, same), taken);
		if (_mm_movemask_epi8(same) != 0)
			break;
		known = _mm_and_si128(known, taken);
		v = _mm_or_si128(_mm_andnot_si128(known, v),
		    _mm_and_si128(known, _mm_shuffle_epi8(meant, hash)));
		w = put_gathered(w, v, bits & 255);
		w = put_gathered(w, _mm_srli_si128(v, 8), bits >> 8);
		p += 16 - (bits >> 15); /* what it escapes comes next time */
	}
	*from = p;
	*to = w;
}

static bool
have_decode_blocks(void)
{
	return __builtin_cpu_supports("ssse3") &&
	       __builtin_cpu_supports("popcnt");
}

#else

static void
decode_blocks(const char **from, const char *end, char **to)
{
	(void)from, (void)end, (void)to;
}

static bool
have_decode_blocks(void)
{
	return false;
}

#endif

/* |raw| stands between the quotes and has escapes. */
static int
decode(struct scan *s, struct abt_bytes raw, struct abt_bytes *text)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	char *out = abt_arena_alloc(s->arena, raw.n), *w = out;
	bool by_blocks = have_decode_blocks();

	if (out == NULL)
		return fail(s, NULL, p);
	while (p < end) {
		if (by_blocks)
			decode_blocks(&p, end, &w);
		if (end - p >= 34) {
			const char *before = p;

			decode_block(&p, &w);
			if (p - before >= 16)
				continue; /* else it is at an escape */
		}
		while (p < end && *p != '\\')
			*w++ = *p++;
		if (p < end && decode_escape(s, &p, end, &w) != 0)
			return -1;
	}
	*text = abt_bytes(out, (size_t)(w - out));
	return 0;
}

/* ---- both ---- */

int
abt_json_string_scan(const char **at, const char *end, struct abt_arena *arena,
    struct abt_bytes *text, const char **wrong)
{
	struct found found = { 0, false };
	const char *from = *at + 1, *to = find_end(from, end, &found);
	struct abt_bytes raw = abt_bytes(from, (size_t)(to - from));
	struct scan s = { *at, NULL, arena };

	if (to == end) {
		fail(&s, "a string without end", *at);
	} else if (*to != '"') {
		fail(&s, "a control character in a string", to);
	} else if (found.high != 0 && !abt_utf8_valid(raw)) {
		fail(&s, "invalid UTF-8", from + abt_utf8_span(raw));
	} else {
		*text = raw;
		if (!found.escaped || decode(&s, raw, text) == 0) {
			*at = to + 1;
			return 0;
		}
	}
	*at = s.at;
	*wrong = s.wrong;
	return -1;
}
