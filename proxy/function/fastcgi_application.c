/*
 * fastcgi_application.c - an application that we start ourselves
 *
 * It inherits a listening unix socket as descriptor 0, as the specification has
 * it.  The socket's file is removed at once: we connect through a descriptor of
 * it, so nobody else can, and nothing is left behind.  An application that ends
 * is started again, after a second when it did not even run for one.
 */
#include "function/fastcgi_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define BACKLOG  511
#define AGAIN_MS 1000

/* A socket in a folder of our own; its file is open at |path| and gone. */
static int
open_listening(struct abt_fastcgi_application *application)
{
	char folder[] = "/tmp/albatross-XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int rc = -1;

	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/fastcgi", folder);
	application->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (application->listening >= 0 &&
	    bind(application->listening, (struct sockaddr *)&address,
		sizeof(address)) == 0 &&
	    listen(application->listening, BACKLOG) == 0) {
		application->path = open(address.sun_path, O_PATH | O_CLOEXEC);
		rc = application->path >= 0 ? 0 : -1;
	}
	unlink(address.sun_path);
	rmdir(folder);
	return rc;
}

static void
on_line(void *context, struct abt_bytes text)
{
	const struct abt_fastcgi *fastcgi = context;

	abt_log_output(fastcgi->function->name, "", text);
}

static int start(struct abt_fastcgi *fastcgi);

static void
on_again(struct abt_timer *timer)
{
	struct abt_fastcgi *fastcgi =
	    abt_container_of(timer, struct abt_fastcgi, application.again);

	if (start(fastcgi) != 0)
		abt_timer_set(fastcgi->function->home, timer, AGAIN_MS);
}

static void
over(struct abt_fastcgi *fastcgi)
{
	struct abt_fastcgi_application *application = &fastcgi->application;
	struct abt_loop *home = fastcgi->function->home;
	int64_t ran = abt_loop_now_us(home) / 1000 - application->started_ms;

	abt_process_free(application->process);
	application->process = NULL;
	abt_output_free(application->log);
	application->log = NULL;
	if (fastcgi->closing)
		abt_fastcgi_ended(fastcgi);
	else
		abt_timer_set(
		    home, &application->again, ran < AGAIN_MS ? AGAIN_MS : 0);
}

static void
on_ended(struct abt_process *process, void *context, int status,
    const struct rusage *usage)
{
	struct abt_fastcgi *fastcgi = context;

	(void)process;
	(void)usage;
	abt_output_drain(fastcgi->application.log);
	if (!fastcgi->closing)
		abt_warning("%s: the FastCGI application has ended (%s %d) and "
			    "is started again",
		    fastcgi->function->name,
		    WIFEXITED(status) ? "exit status" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	over(fastcgi);
}

static void
on_started(struct abt_process *process, void *context, int error)
{
	struct abt_fastcgi *fastcgi = context;

	(void)process;
	if (error == 0)
		return;
	abt_error("%s: the FastCGI application cannot be started: %s",
	    fastcgi->function->name, strerror(error));
	over(fastcgi);
}

static bool
has(const struct abt_map *map, struct abt_bytes name)
{
	for (size_t i = 0; i < map->count; i++)
		if (abt_bytes_equal(map->pairs[i].name, name))
			return true;
	return false;
}

/* What it finds: what is configured, and PATH. */
static char **
make_environment(struct abt_fastcgi *fastcgi, struct abt_arena *arena)
{
	const struct abt_map *map = &fastcgi->function->options.environment;
	char **lines = abt_arena_array(arena, map->count + 2, sizeof(char *));
	const char *path = getenv("PATH");
	size_t n = 0;

	if (lines == NULL)
		return NULL;
	if (!has(map, ABT_BYTES("PATH")))
		lines[n++] = (char *)(uintptr_t)abt_arena_printf(
		    arena, "PATH=%s", path != NULL ? path : "/usr/bin:/bin")
				 .p;
	for (size_t i = 0; i < map->count; i++)
		lines[n++] = (char *)(uintptr_t)abt_arena_printf(arena,
		    "%.*s=%.*s", ABT_FMT(map->pairs[i].name),
		    ABT_FMT(map->pairs[i].value))
				 .p;
	return abt_arena_failed(arena) ? NULL : lines;
}

static char **
make_argv(struct abt_fastcgi *fastcgi, struct abt_arena *arena)
{
	const struct abt_list *command = &fastcgi->options.command;
	char **argv =
	    abt_arena_array(arena, command->count + 1, sizeof(char *));

	for (size_t i = 0; argv != NULL && i < command->count; i++)
		argv[i] = abt_arena_text(arena, command->items[i]);
	return abt_arena_failed(arena) ? NULL : argv;
}

static int
start(struct abt_fastcgi *fastcgi)
{
	struct abt_fastcgi_application *application = &fastcgi->application;
	struct abt_loop *home = fastcgi->function->home;
	struct abt_arena arena;
	struct abt_process_start how = {
		.directory = fastcgi->function->options.root.p,
		.stdin_fd = fcntl(application->listening, F_DUPFD_CLOEXEC, 3),
		.stdout_fd = -1,
		.stderr_fd = -1,
		.started = on_started,
		.ended = on_ended,
		.context = fastcgi,
	};

	abt_arena_init(&arena, home->pool);
	how.envp = make_environment(fastcgi, &arena);
	how.argv = make_argv(fastcgi, &arena);
	application->started_ms = abt_loop_now_us(home) / 1000;
	if (how.envp != NULL && how.argv != NULL && how.stdin_fd >= 0) {
		how.file = how.argv[0];
		application->log = abt_output_new(
		    home, &how.stderr_fd, on_line, NULL, fastcgi);
		if (application->log == NULL)
			how.stderr_fd = -1;
		how.stdout_fd = how.stderr_fd; /* one descriptor for both */
		application->process = abt_process_new(home, &how);
	} else if (how.stdin_fd >= 0) {
		close(how.stdin_fd);
	}
	abt_arena_end(&arena);
	if (application->process != NULL)
		return 0;
	abt_output_free(application->log);
	application->log = NULL;
	return -1;
}

int
abt_fastcgi_application_open(
    struct abt_fastcgi *fastcgi, char *why, size_t size)
{
	struct abt_fastcgi_application *application = &fastcgi->application;
	struct sockaddr_un *address = (struct sockaddr_un *)&fastcgi->address;

	abt_timer_init(&application->again, on_again);
	if (open_listening(application) != 0 || start(fastcgi) != 0) {
		snprintf(why, size,
		    "function %s: the FastCGI application cannot be started: "
		    "%s",
		    fastcgi->function->name, strerror(errno));
		return -1;
	}
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path),
	    "/proc/self/fd/%d", application->path);
	fastcgi->address_size = sizeof(*address);
	return 0;
}

void
abt_fastcgi_application_close(struct abt_fastcgi *fastcgi)
{
	struct abt_fastcgi_application *application = &fastcgi->application;

	if (application->listening >= 0) {
		abt_timer_stop(&application->again);
		close(application->listening);
		close(application->path);
		application->listening = application->path = -1;
	}
	if (application->process != NULL)
		abt_process_end(application->process, 500);
	else
		abt_fastcgi_ended(fastcgi);
}
