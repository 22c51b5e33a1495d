/*
 * guard_children.c - whose the guard's children are, and what they leave behind
 *
 * A descendant that called setsid and whose parent died is handed to the guard
 * by the kernel.  Whose it was is told by a line of its environment (the log
 * stream of the instance) or, when it cleaned its environment, by its age: no
 * child still living is as old.
 */
#include "function/guard_children.h"

#include <signal.h>
#include <string.h>

#define MARKER_NAME "AWS_LAMBDA_LOG_STREAM_NAME="
#define KEPT_NAME   "GATEWAY_INTERFACE=" /* left by a CGI program */

struct abt_guard_child abt_guard_table[ABT_GUARD_CHILDREN];
unsigned abt_guard_top, abt_guard_sweeping;
static int own_fd = -1; /* the list of our children */

int64_t
abt_guard_ms(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct abt_guard_child *
abt_guard_child_new(int channel, uint32_t id)
{
	for (unsigned i = 0; i < ABT_GUARD_CHILDREN; i++) {
		struct abt_guard_child *child = &abt_guard_table[i];

		if (child->state != ABT_CHILD_FREE)
			continue;
		memset(child, 0, sizeof(*child));
		child->channel = channel;
		child->id = id;
		child->since = (uint64_t)abt_guard_ms(CLOCK_BOOTTIME) /
			       10; /* USER_HZ: 100 */
		if (i >= abt_guard_top)
			abt_guard_top = i + 1;
		return child;
	}
	return NULL;
}

struct abt_guard_child *
abt_guard_child_find(int channel, uint32_t id)
{
	for (unsigned i = 0; i < abt_guard_top; i++)
		if (abt_guard_table[i].state == ABT_CHILD_RUNNING &&
		    abt_guard_table[i].channel == channel &&
		    abt_guard_table[i].id == id)
			return &abt_guard_table[i];
	return NULL;
}

void
abt_guard_child_mark(struct abt_guard_child *child, char *const *envp)
{
	size_t n = strlen(MARKER_NAME);

	for (; *envp != NULL; envp++) {
		size_t length = strlen(*envp);

		if (strncmp(*envp, MARKER_NAME, n) == 0 &&
		    length < sizeof(child->marker)) {
			memcpy(child->marker, *envp, length + 1);
			return;
		}
	}
}

void
abt_guard_child_end(struct abt_guard_child *child)
{
	if (child->state == ABT_CHILD_SWEEPING)
		abt_guard_sweeping--;
	child->state = ABT_CHILD_FREE;
	while (abt_guard_top > 0 &&
	       abt_guard_table[abt_guard_top - 1].state == ABT_CHILD_FREE)
		abt_guard_top--;
}

void
abt_guard_children_open(void)
{
	own_fd = abt_guard_open_own();
}

unsigned
abt_guard_children_list(pid_t *list, unsigned max)
{
	return abt_guard_own(own_fd, list, max);
}

/* ---- what an ended child leaves behind ---- */

static bool
is_leader(pid_t pid)
{
	for (unsigned i = 0; i < abt_guard_top; i++)
		if (abt_guard_table[i].state == ABT_CHILD_RUNNING &&
		    abt_guard_table[i].pid == pid)
			return true;
	return false;
}

static bool
has_marker(unsigned char state, const char *marker)
{
	for (unsigned i = 0; i < abt_guard_top; i++)
		if (abt_guard_table[i].state == state &&
		    strcmp(abt_guard_table[i].marker, marker) == 0)
			return true;
	return false;
}

/* Does a child still run that is as old as the orphan |pid|? */
static bool
may_be_owned(pid_t pid)
{
	uint64_t since = abt_guard_started_at(pid);

	for (unsigned i = 0; i < abt_guard_top; i++)
		if (abt_guard_table[i].state == ABT_CHILD_RUNNING &&
		    abt_guard_table[i].since <= since + 1)
			return true;
	return false;
}

static bool
is_left_over(pid_t pid)
{
	char marker[ABT_GUARD_MARKER];

	if (abt_guard_marker(pid, MARKER_NAME, marker, sizeof(marker)) == 1)
		return !has_marker(ABT_CHILD_RUNNING, marker);
	if (abt_guard_marker(pid, KEPT_NAME, marker, sizeof(marker)) == 1)
		return false;
	return !may_be_owned(pid);
}

/* Kill the orphans of children that ended; how many there were. */
static unsigned
kill_orphans(void)
{
	static pid_t mine[ABT_GUARD_CHILDREN];
	unsigned n, killed = 0;

	n = abt_guard_children_list(mine, ABT_GUARD_CHILDREN);
	for (unsigned i = 0; i < n; i++) {
		if (is_leader(mine[i]) || !is_left_over(mine[i]))
			continue;
		abt_guard_kill_tree(mine[i]);
		killed++;
	}
	return killed;
}

/* One pass over all that is being swept. */
void
abt_guard_sweep(void)
{
	unsigned killed = kill_orphans();
	int64_t now = abt_guard_ms(CLOCK_MONOTONIC);

	for (unsigned i = 0; i < abt_guard_top; i++) {
		struct abt_guard_child *child = &abt_guard_table[i];

		if (child->state != ABT_CHILD_SWEEPING)
			continue;
		if (child->pid > 0 && !child->keep &&
		    kill(-child->pid, SIGKILL) == 0)
			killed++;
		if (killed > 0 && now < child->sweep_until)
			continue;
		if (!child->tell_ended && !child->tell_started)
			abt_guard_child_end(child);
	}
}
