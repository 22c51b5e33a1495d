/*
 * output.c - carries what a child prints, line by line
 *
 * The pipe is read all the time, so that a chatty child is never blocked by us.
 * A line is cut at 8 KiB; lines and bytes over a rate are counted and dropped,
 * and the count is told when the child calms down (threats.md P7).
 */
#include "function/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192
#define READ_BYTES     65536
#define BURST_LINES    20000 /* at once, refilled at LINES_PER_S */
#define LINES_PER_S    2000
#define BURST_BYTES    (8 << 20)
#define BYTES_PER_S    (1 << 20)

struct abt_output {
	struct abt_loop *loop;
	int fd;
	struct event readable;
	void (*line)(void *context, struct abt_bytes text);
	void (*ended)(void *context);
	void *context;
	size_t held;   /* bytes of an unfinished line in |text| */
	bool cutting;  /* the line is too long: drop until its end */
	bool busy;     /* inside a callback: free later */
	bool unwanted; /* freed inside a callback */
	int64_t filled_us;
	int64_t lines_left, bytes_left;
	uint64_t dropped;
	char text[LINE_MAX_BYTES];
};

static void
refill(struct abt_output *output)
{
	int64_t now = abt_loop_now_us(output->loop);
	int64_t ms = (now - output->filled_us) / 1000;

	if (ms < 10)
		return;
	if (ms > 60000)
		ms = 60000;
	output->filled_us = now;
	output->lines_left += ms * LINES_PER_S / 1000;
	output->bytes_left += ms * BYTES_PER_S / 1000;
	if (output->lines_left > BURST_LINES)
		output->lines_left = BURST_LINES;
	if (output->bytes_left > BURST_BYTES)
		output->bytes_left = BURST_BYTES;
}

static void
tell_dropped(struct abt_output *output)
{
	char note[80];
	int n = snprintf(note, sizeof(note),
	    "(%llu lines were dropped: too many in a short time)",
	    (unsigned long long)output->dropped);

	output->dropped = 0;
	output->line(output->context, abt_bytes(note, (size_t)n));
}

static void
give(struct abt_output *output, struct abt_bytes text)
{
	if (text.n > 0 && text.p[text.n - 1] == '\r')
		text.n--;
	if (output->lines_left <= 0 || output->bytes_left <= 0) {
		output->dropped++;
		return;
	}
	output->lines_left--;
	output->bytes_left -= (int64_t)text.n;
	if (output->dropped > 0)
		tell_dropped(output);
	output->line(output->context, text);
}

/* The line is longer than we carry: give its beginning, once. */
static void
cut(struct abt_output *output)
{
	static const char note[] = " (cut at 8 KiB)";

	memcpy(output->text + sizeof(output->text) - sizeof(note) + 1, note,
	    sizeof(note) - 1);
	give(output, abt_bytes(output->text, sizeof(output->text)));
	output->held = 0;
	output->cutting = true;
}

static void
hold(struct abt_output *output, struct abt_bytes piece)
{
	size_t room = sizeof(output->text) - output->held;
	size_t n = piece.n < room ? piece.n : room;

	if (output->cutting)
		return;
	memcpy(output->text + output->held, piece.p, n);
	output->held += n;
	if (output->held == sizeof(output->text))
		cut(output);
}

static void
end_line(struct abt_output *output, struct abt_bytes piece)
{
	if (output->cutting) {
		output->cutting = false;
	} else if (output->held == 0 && piece.n < sizeof(output->text)) {
		give(output, piece);
	} else {
		hold(output, piece);
		if (output->cutting)
			output->cutting = false;
		else
			give(output, abt_bytes(output->text, output->held));
	}
	output->held = 0;
}

static void
split(struct abt_output *output, struct abt_bytes data)
{
	while (data.n > 0 && !output->unwanted) {
		size_t n = abt_bytes_find(data, '\n');

		if (n == data.n) {
			hold(output, data);
			return;
		}
		end_line(output, abt_bytes(data.p, n));
		data.p += n + 1;
		data.n -= n + 1;
	}
}

static void
close_output(struct abt_output *output)
{
	if (output->fd < 0)
		return;
	event_del(&output->readable);
	close(output->fd);
	output->fd = -1;
}

static void
at_end(struct abt_output *output)
{
	close_output(output);
	if (output->held > 0 && !output->cutting)
		give(output, abt_bytes(output->text, output->held));
	output->held = 0;
	if (output->dropped > 0 && !output->unwanted)
		tell_dropped(output);
	if (output->ended != NULL && !output->unwanted)
		output->ended(output->context);
}

/* Read for |turns| at most; the rest comes with the next turn of the loop. */
static void
read_some(struct abt_output *output, int turns)
{
	char data[READ_BYTES];

	output->busy = true;
	refill(output);
	while (turns-- > 0 && output->fd >= 0 && !output->unwanted) {
		ssize_t n = read(output->fd, data, sizeof(data));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			at_end(output);
			break;
		}
		split(output, abt_bytes(data, (size_t)n));
		if ((size_t)n < sizeof(data) / 2)
			break;
	}
	output->busy = false;
	if (output->unwanted)
		abt_output_free(output);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_some(arg, 4);
}

/* A pipe whose reading end is ours, with the child's end in |child_end|. */
static int
open_pipe(struct abt_output *output, int *child_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	output->fd = fds[0];
	*child_end = fds[1];
	return 0;
}

struct abt_output *
abt_output_new(struct abt_loop *loop, int *child_end,
    void (*line)(void *context, struct abt_bytes text),
    void (*ended)(void *context), void *context)
{
	struct abt_output *output = abt_calloc(1, sizeof(*output));

	if (output == NULL)
		return NULL;
	output->loop = loop;
	output->line = line;
	output->ended = ended;
	output->context = context;
	output->filled_us = abt_loop_now_us(loop);
	output->lines_left = BURST_LINES;
	output->bytes_left = BURST_BYTES;
	if (open_pipe(output, child_end) != 0) {
		abt_free(output);
		return NULL;
	}
	event_assign(&output->readable, loop->base, output->fd,
	    EV_READ | EV_PERSIST, on_readable, output);
	if (event_add(&output->readable, NULL) != 0) {
		close(*child_end);
		close(output->fd);
		abt_free(output);
		return NULL;
	}
	return output;
}

void
abt_output_drain(struct abt_output *output)
{
	if (!output->busy && output->fd >= 0)
		read_some(output, 16);
}

void
abt_output_flush(struct abt_output *output)
{
	abt_output_drain(output);
	if (output->held > 0 && !output->cutting && !output->busy) {
		size_t n = output->held;

		output->held = 0;
		give(output, abt_bytes(output->text, n));
	}
	output->cutting = false;
}

void
abt_output_free(struct abt_output *output)
{
	if (output == NULL)
		return;
	if (output->busy) {
		output->unwanted = true;
		return;
	}
	close_output(output);
	abt_free(output);
}
