/*
 * log.c - one line per message, levels, text or JSON; never a body, never a
 * secret
 *
 * A line is put together on the stack and given to write(2) whole, alone or
 * with others that its thread holds back for some milliseconds, so lines of
 * different threads do not mix and logging needs no memory.  What a line is cut
 * to leaves room for its end.  The switches are set once at the start; they are
 * atomic only so that threads may read them.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "albatross/buf.h"
#include "base/clock.h"

#define LINE 8192 /* threats.md 8 */
#define TAIL 32   /* kept free for what closes a line */

/* A thread holds back no more than this.  In a pipe what is larger than
 * PIPE_BUF would mix with what others write; a file takes whole pages cheaper
 * than pieces of one, each of which it has to clear first. */
#define HELD_PIPE 4096
#define HELD_FILE 65536

static _Atomic int level_now = ABT_LOG_INFO;
static _Atomic bool as_json, in_color, with_time = true;
static _Atomic int out_fd = STDERR_FILENO;
static _Atomic uint64_t dropped;

struct line {
	size_t n;
	char text[LINE];
};

void
abt_log_set_level(enum abt_log_level level)
{
	atomic_store_explicit(&level_now, (int)level, memory_order_relaxed);
}

enum abt_log_level
abt_log_level(void)
{
	return (enum abt_log_level)atomic_load_explicit(
	    &level_now, memory_order_relaxed);
}

void
abt_log_set_json(bool json)
{
	as_json = json;
}

void
abt_log_set_color(bool color)
{
	in_color = color;
}

void
abt_log_set_time(bool time)
{
	with_time = time;
}

bool
abt_log_is_read(void)
{
	return !with_time && !as_json;
}

void
abt_log_set_fd(int fd)
{
	out_fd = fd;
}

uint64_t
abt_log_dropped(void)
{
	return dropped;
}

/* ---- escaping ---- */

/* Length of the UTF-8 sequence at |p| that may go to a terminal as it is, or 0:
 * a control (C0, DEL, C1) or no UTF-8. */
static size_t
printable(const char *p, size_t n)
{
	unsigned char c = (unsigned char)p[0];
	size_t length;

	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (length > n || !abt_utf8_valid(abt_bytes(p, length)))
		return 0;
	return c == 0xc2 && (unsigned char)p[1] < 0xa0 ? 0 : length;
}

/* Length of "ESC [ digits ; ... m" at |p|, or 0. */
static size_t
sgr(const char *p, size_t n)
{
	size_t i = 2;

	if (n < 3 || p[0] != '\033' || p[1] != '[')
		return 0;
	while (i < n && (abt_char_is(p[i], ABT_CHAR_DIGIT) || p[i] == ';'))
		i++;
	return i < n && p[i] == 'm' ? i + 1 : 0;
}

/* What |keep| lets through besides printable text. */
#define COLOR 0x1 /* SGR sequences */
#define TABS  0x2 /* a function's own columns */

/* Eight bytes of printable ASCII: nearly all that is ever logged. */
static inline bool
plain8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u;

	/* a borrow or carry comes only from a byte that is odd itself */
	return (((v - ' ' * ones) | (v + ones) | v) & 0x80 * ones) == 0;
}

static size_t
escape(char *out, size_t size, struct abt_bytes in, int keep)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i = 0, n = 0;

	while (i < in.n) {
		unsigned char c = (unsigned char)in.p[i];
		size_t length;
		uint64_t eight;

		if (in.n - i >= 8 && size - n >= 8) {
			memcpy(&eight, in.p + i, 8);
			memcpy(out + n, &eight, 8);
			if (plain8(eight)) {
				i += 8;
				n += 8;
				continue;
			}
		}
		length = printable(in.p + i, in.n - i);
		if (length == 0 && (keep & COLOR) != 0)
			length = sgr(in.p + i, in.n - i);
		if (c == '\t' && (keep & TABS) != 0)
			length = 1;
		if (length > 0) {
			if (length > size - n)
				break;
			memcpy(out + n, in.p + i, length);
			n += length;
			i += length;
			continue;
		}
		if (size - n < 4)
			break;
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
		i++;
	}
	return n;
}

size_t
abt_log_escape(char *out, size_t size, struct abt_bytes in)
{
	return escape(out, size, in, 0);
}

/* ---- a line ---- */

#if defined(__SSE2__)

/* Are these sixteen bytes printable ASCII, or tabs? */
static inline bool
is_clean16(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
	/* signed: bytes over 0x7F are below the blank too */
	__m128i odd =
	    _mm_andnot_si128(tab, _mm_cmplt_epi8(v, _mm_set1_epi8(' ')));

	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	return _mm_movemask_epi8(odd) == 0;
}

/* Nearly all that is ever logged, at one look.  False: look closer. */
static bool
is_clean(struct abt_bytes text)
{
	size_t i;

	if (text.n < 16)
		return false;
	for (i = 0; i < text.n - 16; i += 16)
		if (!is_clean16(text.p + i))
			return false;
	return is_clean16(text.p + text.n - 16);
}

#else

static bool
is_clean(struct abt_bytes text)
{
	(void)text;
	return false;
}

#endif

static void
add_keeping(struct line *line, struct abt_bytes text, int keep)
{
	size_t room = line->n < LINE - TAIL ? LINE - TAIL - line->n : 0;

	if (text.n <= room && (keep & TABS) != 0 && is_clean(text)) {
		abt_put(line->text + line->n, text);
		line->n += text.n;
		return;
	}
	line->n += escape(line->text + line->n, room, text, keep);
}

static void
add(struct line *line, struct abt_bytes text)
{
	add_keeping(line, text, 0);
}

/* Bytes of our own, which are clean. */
static void
add_own(struct line *line, const char *text)
{
	size_t n = strlen(text);

	if (n > LINE - 1 - line->n)
		return;
	memcpy(line->text + line->n, text, n);
	line->n += n;
}

/* |text| as a JSON string: escaped for the log first, then for JSON. */
static void
add_json(struct line *line, const char *key, struct abt_bytes text)
{
	char clean[LINE];
	size_t n = escape(clean, sizeof(clean), text, TABS), i;

	add_own(line, key);
	add_own(line, "\"");
	for (i = 0; i < n && line->n < LINE - TAIL - 1; i++) {
		if (clean[i] == '"' || clean[i] == '\\' || clean[i] == '\t')
			line->text[line->n++] = '\\';
		line->text[line->n++] = clean[i] == '\t' ? 't' : clean[i];
	}
	/* A cut may not leave half a character behind. */
	while (i < n && line->n > 0 && (line->text[line->n - 1] & 0x80) != 0)
		line->n--;
	add_own(line, "\"");
}

static void
write_out(const char *text, size_t n)
{
	size_t sent = 0;

	while (sent < n) {
		ssize_t got = write(out_fd, text + sent, n - sent);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			atomic_fetch_add(&dropped, 1);
			return;
		}
		sent += (size_t)got;
	}
}

/* Lines of this thread that wait for company; no buffer: they do not wait. */
static _Thread_local struct {
	char *text;
	size_t n, most;
} held;

void
abt_log_flush(void)
{
	if (held.n > 0)
		write_out(held.text, held.n);
	held.n = 0;
}

size_t
abt_log_held(void)
{
	return held.n;
}

void
abt_log_hold(bool on)
{
	struct stat st;

	abt_log_flush();
	abt_free(held.text);
	held.text = NULL;
	held.most = 0;
	if (!on)
		return;
	held.most = fstat(out_fd, &st) == 0 && S_ISREG(st.st_mode) ? HELD_FILE
								   : HELD_PIPE;
	held.text = abt_malloc(held.most);
	if (held.text == NULL)
		held.most = 0;
}

static void
put_out(struct line *line)
{
	line->text[line->n++] = '\n';
	if (line->n > held.most - held.n)
		abt_log_flush();
	if (line->n > held.most) {
		write_out(line->text, line->n);
		return;
	}
	memcpy(held.text + held.n, line->text, line->n);
	held.n += line->n;
}

static void
begin(struct line *line)
{
	char time[ABT_ISO_SIZE];

	line->n = 0;
	if (!with_time && !as_json)
		return;
	abt_date_iso_ms(time, abt_clock_epoch_us());
	add_own(line, as_json ? "{\"time\":\"" : "");
	add_own(line, time);
	add_own(line, as_json ? "\"" : " ");
}

void
abt_log(enum abt_log_level level, const char *format, ...)
{
	static const char *const names[] = { "error", "warning", "info",
		"debug" };
	static const char *const colors[] = { "\033[1;31m", "\033[1;33m", "",
		"\033[2m" };
	struct line line;
	char text[LINE];
	struct abt_bytes message;
	va_list ap;
	int n;

	if (level > abt_log_level())
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	message = abt_bytes(
	    text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
	begin(&line);
	if (as_json) {
		add_json(&line, ",\"level\":", abt_bytes_text(names[level]));
		add_json(&line, ",\"message\":", message);
		add_own(&line, "}");
		put_out(&line);
		if (level == ABT_LOG_ERROR)
			abt_log_flush();
		return;
	}
	if (in_color)
		add_own(&line, colors[level]);
	/* Plain news on a terminal needs no label. */
	if (level != ABT_LOG_INFO || with_time) {
		add_own(&line, names[level]);
		add_own(&line, ": ");
	}
	if (in_color && colors[level][0] != '\0')
		add_own(&line, "\033[0m");
	add(&line, message);
	put_out(&line);
	if (level == ABT_LOG_ERROR)
		abt_log_flush();
}

void
abt_log_output(
    const char *function, const char *request_id, struct abt_bytes text)
{
	struct line line;

	begin(&line);
	if (as_json) {
		add_json(&line, ",\"function\":", abt_bytes_text(function));
		add_json(&line, ",\"requestId\":", abt_bytes_text(request_id));
		add_json(&line, ",\"message\":", text);
		add_own(&line, "}");
		put_out(&line);
		return;
	}
	add(&line, abt_bytes_text(function));
	if (!with_time) { /* a person reads along: ids are in the way */
		add_own(&line, ": ");
		add_keeping(&line, text, TABS);
		put_out(&line);
		return;
	}
	add_own(&line, " ");
	if (request_id != NULL && request_id[0] != '\0') {
		add_keeping(&line, abt_bytes_text(request_id), TABS);
		add_own(&line, " ");
	}
	add_keeping(&line, text, TABS);
	put_out(&line);
}

void
abt_log_platform(
    const char *function, const char *request_id, struct abt_bytes text)
{
	if (!as_json && !with_time && abt_log_level() < ABT_LOG_DEBUG)
		return;
	abt_log_output(function, request_id, text);
}

void
abt_log_line(struct abt_bytes text)
{
	struct line line;

	line.n = escape(line.text, LINE - TAIL, text, in_color ? COLOR : 0);
	put_out(&line);
}
