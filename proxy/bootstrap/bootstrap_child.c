/*
 * bootstrap_child.c - starts a program of the bootstrap
 *
 * fork by hand, because the child has to leave our process group, ask to be
 * told when we die, and change its folder.  What goes wrong up to execve
 * comes back through a pipe that a good start closes.
 */
#include "bootstrap/bootstrap_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct plan {
	char *const *argv;
	char *const *envp;
	const char *folder;
	int in, out, tell; /* -1: leave it */
};

/* In the child: only calls that are safe there. */
static void
become(const struct plan *plan)
{
	sigset_t none;
	int error;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if ((plan->in < 0 || dup2(plan->in, 0) == 0) &&
	    (plan->out < 0 || dup2(plan->out, 1) == 1) &&
	    (plan->folder == NULL || chdir(plan->folder) == 0))
		execvpe(plan->argv[0], plan->argv, plan->envp);
	error = errno;
	(void)!write(plan->tell, &error, sizeof(error));
	_exit(127);
}

static void
close_all(int *fds, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The child's error, or 0. */
static int
read_error(int fd)
{
	int error = 0;
	ssize_t n;

	do {
		n = read(fd, &error, sizeof(error));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

int
abt_child_start(struct abt_child *child, char *const *argv, char *const *envp,
    const char *folder, bool piped)
{
	/* in (read, write), out (read, write), tell (read, write) */
	int fds[6] = { -1, -1, -1, -1, -1, -1 };
	struct plan plan = { .argv = argv,
		.envp = envp != NULL ? envp : environ,
		.folder = folder };
	int error;

	child->in = child->out = -1;
	if ((piped && (pipe2(fds, O_CLOEXEC) != 0 ||
			  pipe2(fds + 2, O_CLOEXEC) != 0)) ||
	    pipe2(fds + 4, O_CLOEXEC) != 0) {
		close_all(fds, 6);
		return -1;
	}
	plan.in = fds[0];
	plan.out = fds[3];
	plan.tell = fds[5];
	child->pid = fork();
	if (child->pid == 0)
		become(&plan);
	error = child->pid < 0 ? errno : 0;
	close_all(fds + 5, 1);
	if (error == 0)
		error = read_error(fds[4]);
	close_all(fds + 4, 1);
	close_all(fds, 1);
	close_all(fds + 3, 1);
	if (error != 0) {
		close_all(fds + 1, 2);
		errno = error;
		return -1;
	}
	if (piped) {
		child->in = fds[1];
		child->out = fds[2];
		fcntl(child->in, F_SETFL, O_NONBLOCK);
		fcntl(child->out, F_SETFL, O_NONBLOCK);
	}
	return 0;
}

void
abt_child_kill(pid_t pid, int signal)
{
	if (pid > 0 && kill(-pid, signal) != 0)
		kill(pid, signal);
}

void
abt_child_verdict(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "signal: %s", strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
}
