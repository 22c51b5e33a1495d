/*
 * guard_main.c - the guard: parent and subreaper of every process we start
 *
 * One thread, one table of children, no memory but static memory.  It
 * starts what the loops ask for, reaps, reports, and has what an ended child
 * leaves behind killed.  When all channels are closed the server is gone,
 * however it ended, and the guard kills everything below it.
 */
#include "function/guard_children.h"
#include "albatross/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STRINGS_MAX 16384 /* of argv and envp together */
#define TURNS       4     /* requests of a loop before we reap again */

static bool replies_wait;
static struct pollfd polls[ABT_GUARD_LOOPS + 1]; /* the last one: SIGCHLD */
static unsigned channel_count;

/* ---- replies ---- */

static bool
send_reply(const struct abt_guard_child *child, uint32_t kind)
{
	struct abt_guard_reply reply;
	int fd = polls[child->channel].fd;

	if (fd < 0)
		return true; /* nobody to tell */
	memset(&reply, 0, sizeof(reply));
	reply.kind = kind;
	reply.id = child->id;
	reply.pid = child->pid;
	reply.error = child->error;
	reply.status = child->status;
	reply.usage = child->usage;
	while (
	    send(fd, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
		if (errno != EINTR)
			return true;
	}
	return true;
}

/* Tell what is still to be told about |child|. */
static void
tell(struct abt_guard_child *child)
{
	if (child->tell_started)
		child->tell_started = !send_reply(child, ABT_GUARD_STARTED);
	if (child->tell_ended && !child->tell_started)
		child->tell_ended = !send_reply(child, ABT_GUARD_ENDED);
	if (child->tell_started || child->tell_ended)
		replies_wait = true;
}

static void
tell_all(void)
{
	replies_wait = false;
	for (unsigned i = 0; i < abt_guard_top; i++)
		if (abt_guard_table[i].state != ABT_CHILD_FREE)
			tell(&abt_guard_table[i]);
}

static void
child_ended(
    struct abt_guard_child *child, int status, const struct rusage *usage)
{
	child->status = status;
	child->usage = *usage;
	child->state = ABT_CHILD_SWEEPING;
	child->sweep_until = abt_guard_ms(CLOCK_MONOTONIC) + ABT_GUARD_SWEEP_MS;
	child->tell_ended = true;
	abt_guard_sweeping++; /* at once, by reap() */
	tell(child);
	if (child->keep && !child->tell_ended && !child->tell_started)
		abt_guard_child_end(child); /* nothing to hunt for */
}

static void
reap(void)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		for (unsigned i = 0; i < abt_guard_top; i++) {
			if (abt_guard_table[i].state == ABT_CHILD_RUNNING &&
			    abt_guard_table[i].pid == pid) {
				child_ended(
				    &abt_guard_table[i], status, &usage);
				break;
			}
		}
	}
	if (abt_guard_sweeping > 0)
		abt_guard_sweep();
}

/* ---- requests ---- */

/* The next NUL-ended string, or NULL when there is none. */
static char *
take_string(char **at, char *end)
{
	char *text = *at;
	char *nul = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;

	if (nul != NULL)
		*at = nul + 1;
	return nul != NULL ? text : NULL;
}

static int
read_strings(const struct abt_guard_request *request, char *strings,
    struct abt_guard_program *program)
{
	static char *pointers[STRINGS_MAX + 2];
	char *at = strings, *end = strings + request->size;
	uint32_t n = 0;

	if (request->argc > STRINGS_MAX || request->envc > STRINGS_MAX ||
	    request->argc + request->envc > STRINGS_MAX)
		return -1;
	program->file = take_string(&at, end);
	program->directory = take_string(&at, end);
	program->argv = pointers;
	for (uint32_t i = 0; i < request->argc; i++)
		pointers[n++] = take_string(&at, end);
	pointers[n++] = NULL;
	program->envp = pointers + n;
	for (uint32_t i = 0; i < request->envc; i++)
		pointers[n++] = take_string(&at, end);
	pointers[n] = NULL;
	for (uint32_t i = 0; i < request->argc; i++)
		if (program->argv[i] == NULL)
			return -1;
	for (uint32_t i = 0; i < request->envc; i++)
		if (program->envp[i] == NULL)
			return -1;
	return program->file != NULL && program->directory != NULL ? 0 : -1;
}

/* Not started: the reply is all that is left to do. */
static void
refuse(struct abt_guard_child *child, int error)
{
	child->error = error;
	child->pid = 0;
	child->state = ABT_CHILD_SWEEPING;
	child->sweep_until = 0;
	abt_guard_sweeping++;
	child->tell_started = true;
	tell(child);
	if (!child->tell_started)
		abt_guard_child_end(child);
}

static void
start_child(struct abt_guard_child *child,
    const struct abt_guard_request *request, char *strings, const int fds[4])
{
	struct abt_guard_program program;
	pid_t pid;

	memcpy(program.fds, fds, sizeof(program.fds));
	if (request->fds & ABT_GUARD_OUT_ERR)
		program.fds[2] = program.fds[1];
	if (read_strings(request, strings, &program) < 0) {
		refuse(child, E2BIG);
		return;
	}
	child->keep = (request->fds & ABT_GUARD_KEEP) != 0;
	abt_guard_child_mark(child, program.envp);
	pid = abt_guard_spawn(&program);
	if (pid < 0) {
		refuse(child, -pid);
		return;
	}
	child->pid = pid;
	child->state = ABT_CHILD_RUNNING;
	child->tell_started = (request->fds & ABT_GUARD_QUIET) == 0;
	tell(child);
}

static void
start_mapped(struct abt_guard_child *child,
    const struct abt_guard_request *request, const int fds[4])
{
	char *strings = MAP_FAILED;

	if (fds[3] >= 0 && request->size > 0 &&
	    request->size <= ABT_GUARD_STRINGS)
		strings = mmap(NULL, request->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE, fds[3], 0);
	if (strings == MAP_FAILED) {
		refuse(child, ENOMEM);
		return;
	}
	start_child(child, request, strings, fds);
	munmap(strings, request->size);
}

static void
handle_start(int channel, const struct abt_guard_request *request,
    char *strings, size_t n, const int fds[4])
{
	static struct abt_guard_child none;
	struct abt_guard_child *child =
	    abt_guard_child_new(channel, request->id);

	if (child == NULL) {
		memset(&none, 0, sizeof(none));
		none.channel = channel;
		none.id = request->id;
		none.error = EAGAIN;
		send_reply(&none, ABT_GUARD_STARTED);
	} else if (!(request->fds & ABT_GUARD_MEMORY)) {
		if (request->size == n)
			start_child(child, request, strings, fds);
		else
			refuse(child, EINVAL);
	} else {
		start_mapped(child, request, fds);
	}
}

static void
handle_request(int channel, const struct abt_guard_request *request,
    char *strings, size_t n, const int fds[4])
{
	struct abt_guard_child *child;

	if (request->kind == ABT_GUARD_START) {
		handle_start(channel, request, strings, n, fds);
		return;
	}
	child = abt_guard_child_find(channel, request->id);
	if (child == NULL || child->pid <= 0)
		return;
	child->keep = false; /* it is to end, with all that is its own */
	if (request->kind == ABT_GUARD_SIGNAL) {
		kill(-child->pid, request->signal);
	} else {
		abt_guard_kill_tree(child->pid);
		kill(-child->pid, SIGKILL);
	}
}

/* Spread received descriptors over fds[4] by the bits of |request|. */
static void
collect_fds(
    struct msghdr *message, const struct abt_guard_request *request, int *fds)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int got[4], n = 0, at = 0;

	if (head != NULL && head->cmsg_level == SOL_SOCKET &&
	    head->cmsg_type == SCM_RIGHTS) {
		n = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(got, CMSG_DATA(head), (size_t)n * sizeof(int));
	}
	for (int bit = 0; bit < 4; bit++)
		if ((request->fds & (1u << bit)) && at < n)
			fds[bit] = got[at++];
	while (at < n)
		close(got[at++]);
}

static void
close_channel(int channel)
{
	close(polls[channel].fd);
	polls[channel].fd = -1;
	for (unsigned i = 0; i < abt_guard_top; i++) {
		struct abt_guard_child *child = &abt_guard_table[i];

		if (child->channel != channel ||
		    child->state != ABT_CHILD_RUNNING)
			continue;
		abt_guard_kill_tree(child->pid);
		kill(-child->pid, SIGKILL);
	}
}

/* One message; false when there is none. */
static bool
receive(int channel)
{
	static char strings[ABT_GUARD_INLINE] __attribute__((aligned(16)));
	struct abt_guard_request request;
	struct iovec parts[2] = {
		{ &request, sizeof(request) },
		{ strings, sizeof(strings) },
	};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr message;
	int fds[4] = { -1, -1, -1, -1 };
	ssize_t n;

	memset(&message, 0, sizeof(message));
	message.msg_iov = parts;
	message.msg_iovlen = 2;
	message.msg_control = &control;
	message.msg_controllen = sizeof(control);
	n = recvmsg(
	    polls[channel].fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		close_channel(channel);
		return false;
	}
	if (n < (ssize_t)sizeof(request))
		return true;
	collect_fds(&message, &request, fds);
	handle_request(
	    channel, &request, strings, (size_t)n - sizeof(request), fds);
	for (int i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return true;
}

/* ---- the end, and the loop ---- */

/* The server is gone: kill all below us, again and again, for 2 s at most. */
static void
kill_everything(void)
{
	static pid_t mine[ABT_GUARD_CHILDREN];
	int64_t until = abt_guard_ms(CLOCK_MONOTONIC) + ABT_GUARD_SWEEP_MS;
	struct timespec pause = { 0, 1000000 };

	for (unsigned i = 0; i < abt_guard_top; i++)
		if (abt_guard_table[i].state == ABT_CHILD_RUNNING)
			kill(-abt_guard_table[i].pid, SIGKILL);
	for (;;) {
		unsigned n = abt_guard_children_list(mine, ABT_GUARD_CHILDREN);

		for (unsigned i = 0; i < n; i++)
			abt_guard_kill_tree(mine[i]);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		if (abt_guard_ms(CLOCK_MONOTONIC) >= until)
			return;
		nanosleep(&pause, NULL);
	}
}

static void
prepare(const int *channels, unsigned count)
{
	sigset_t all;

	setsid();
	prctl(PR_SET_NAME, "abt-guard");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigfillset(&all); /* the terminal's and the service manager's too */
	sigprocmask(SIG_SETMASK, &all, NULL);
	abt_guard_children_open();
	channel_count = count;
	for (unsigned i = 0; i < count; i++) {
		polls[i].fd = channels[i];
		polls[i].events = POLLIN;
	}
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	polls[count].fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	polls[count].events = POLLIN;
}

static bool
any_open(void)
{
	for (unsigned i = 0; i < channel_count; i++)
		if (polls[i].fd >= 0)
			return true;
	return false;
}

void
abt_guard_main(const int *channels, unsigned count)
{
	struct signalfd_siginfo info;

	prepare(channels, count);
	abt_memory_settle();
	while (any_open()) {
		int pause = abt_guard_sweeping > 0 || replies_wait ? 5 : -1;

		if (polls[count].fd < 0)
			pause = 20; /* no signalfd: look now and then */
		if (poll(polls, channel_count + 1, pause) < 0 && errno != EINTR)
			break;
		for (unsigned i = 0; i < channel_count; i++)
			for (int n = 0; n < TURNS && polls[i].fd >= 0 &&
					polls[i].revents != 0;
			     n++)
				if (!receive((int)i))
					break;
		if (polls[count].fd >= 0 && polls[count].revents != 0)
			while (read(polls[count].fd, &info, sizeof(info)) > 0)
				;
		reap();
		if (replies_wait)
			tell_all();
	}
	kill_everything();
	_exit(0);
}
