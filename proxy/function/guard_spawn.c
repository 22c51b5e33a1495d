/*
 * guard_spawn.c - starts one child from the guard
 *
 * vfork, because it costs the same from a large process as from a small one.
 * The child gets descriptors 0 to 2 and nothing else (all others are
 * close-on-exec), a process group of its own, default signals and an empty
 * mask (threats.md P1).  What goes wrong before the program runs comes back as
 * an errno in memory, which a child of vfork shares until then (through a pipe
 * under tools that make a fork of it).  Memory is not
 * limited: RLIMIT_AS counts address space, of which Node reserves gigabytes
 * that it never uses.
 */
#include "function/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "function/process.h"

static const char *
variable(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* Try |file| in each folder of PATH.  Returns the errno that says most. */
static int
exec_in_path(const struct abt_guard_program *program)
{
	const char *path = variable(program->envp, "PATH");
	size_t length = strlen(program->file);
	char full[4096];
	int error = ENOENT;

	if (path == NULL)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path != '\0') {
		size_t n = strcspn(path, ":");

		if (n > 0 && n + length + 2 <= sizeof(full)) {
			memcpy(full, path, n);
			full[n] = '/';
			memcpy(full + n + 1, program->file, length + 1);
			execve(full, program->argv, program->envp);
			if (errno != ENOENT && errno != ENOTDIR &&
			    error != EACCES)
				error = errno;
		}
		path += n + (path[n] == ':');
	}
	return error;
}

/* A handler ends with exec; what stays is what is ignored, and that never
 * changes in the guard.  So it is asked for once. */
static void
default_signals(void)
{
	static bool asked, ignored[NSIG];
	struct sigaction action;
	sigset_t none;

	for (int number = 1; number < NSIG && !asked; number++)
		ignored[number] = sigaction(number, NULL, &action) == 0 &&
				  action.sa_handler == SIG_IGN;
	asked = true;
	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_DFL;
	for (int number = 1; number < NSIG; number++)
		if (ignored[number])
			sigaction(number, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Put the descriptors where they belong.  Those that come from the guard are
 * over 2, so none is overwritten before it was copied. */
static int
place_fds(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] > 2 && dup2(fds[i], i) < 0)
			return -1;
	return 0;
}

/* RLIMIT_NOFILE as it was before the server raised it for itself: programs that
 * use select() cannot have descriptors over 1023.  0: it was not raised. */
static struct rlimit files;

void
abt_guard_keep_files(const struct rlimit *limit)
{
	files = *limit;
}

/* In the child, which shares our memory: no return but by exec or _exit. */
static int
run(const struct abt_guard_program *program, pid_t guard)
{
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	if (getppid() != guard)
		_exit(127);
	if (place_fds(program->fds) < 0)
		return errno;
	if (program->directory[0] != '\0' && chdir(program->directory) < 0)
		return errno;
	default_signals();
	if (files.rlim_max > 0 && setrlimit(RLIMIT_NOFILE, &files) < 0)
		return errno;
	if (strchr(program->file, '/') == NULL)
		return exec_in_path(program);
	execve(program->file, program->argv, program->envp);
	return errno;
}

/* Tools that watch memory run vfork as fork: ask once. */
static bool
shares_memory(void)
{
	static volatile bool shared, asked;
	pid_t pid;

	if (asked)
		return shared;
	asked = true;
	pid = vfork();
	if (pid == 0) {
		shared = true;
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return shared;
}

/* The errno comes through a pipe, which exec closes. */
static pid_t
spawn_apart(const struct abt_guard_program *program)
{
	pid_t guard = getpid(), pid;
	int fds[2], error = 0;
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	pid = vfork();
	if (pid == 0) {
		error = run(program, guard);
		n = write(fds[1], &error, sizeof(error));
		_exit(n == (ssize_t)sizeof(error) ? 127 : 126);
	}
	if (pid < 0)
		error = errno;
	close(fds[1]);
	if (pid > 0 &&
	    read(fds[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = 0;
	close(fds[0]);
	return error != 0 ? -error : pid;
}

pid_t
abt_guard_spawn(const struct abt_guard_program *program)
{
	static volatile int error; /* the child writes it, we wait meanwhile */
	pid_t guard = getpid(), pid;

	if (!shares_memory())
		return spawn_apart(program);
	error = 0;
	pid = vfork();
	if (pid == 0) {
		error = run(program, guard);
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	return error != 0 ? -error : pid; /* reaped like any other child */
}
