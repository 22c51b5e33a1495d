/*
 * watch.c - tells when the files of a function change
 *
 * One inotify watch for each folder, ours before its content is listed, so that
 * nothing slips between.  A folder that appears is walked like the first one;
 * one that leaves takes its watches with it.  When the kernel's queue runs
 * over, or the root itself is replaced, the whole tree is walked anew.  Links
 * are not followed.  Lives on one loop.
 */
#include "function/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define QUIET_MS  100 /* nothing more for so long: tell */
#define RETRY_MS  500 /* the root is gone: look again */
#define DEPTH_MAX 64
#define EVENTS                                                       \
	(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |  \
	    IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | \
	    IN_EXCL_UNLINK)

struct folder {
	int wd;
	char *path;
};

struct abt_watch {
	struct abt_loop *loop;
	int fd;
	struct event event;
	bool added;
	struct abt_timer timer;
	char *root;
	struct folder *folders;
	size_t count, room;
	bool lost; /* the root is gone */
	bool complained;
	void (*changed)(void *context);
	void *context;
};

static bool
is_ignored_folder(const char *name)
{
	static const char *const names[] = { ".", "..", ".git", "node_modules",
		"__pycache__" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* What editors write beside a file while it is open. */
static bool
is_ignored_file(const char *name)
{
	static const char *const ends[] = { "~", ".swp", ".swo", ".swx",
		".swpx", ".pyc" };
	struct abt_bytes text = abt_bytes_text(name);

	if (strcmp(name, "4913") == 0 ||
	    abt_bytes_starts(text, ABT_BYTES(".#")))
		return true;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (abt_bytes_ends(text, abt_bytes_text(ends[i])))
			return true;
	return false;
}

static struct folder *
find_folder(struct abt_watch *watch, int wd)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->folders[i].wd == wd)
			return &watch->folders[i];
	return NULL;
}

static void
forget(struct abt_watch *watch, struct folder *folder)
{
	abt_free(folder->path);
	*folder = watch->folders[--watch->count];
}

/* |path| and all below it. */
static void
forget_tree(struct abt_watch *watch, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = watch->count; i-- > 0;) {
		struct folder *folder = &watch->folders[i];

		if (strncmp(folder->path, path, n) != 0 ||
		    (folder->path[n] != '/' && folder->path[n] != '\0'))
			continue;
		inotify_rm_watch(watch->fd, folder->wd);
		forget(watch, folder);
	}
}

static int
remember(struct abt_watch *watch, int wd, const char *path)
{
	struct folder *folder = find_folder(watch, wd), *grown;
	char *copy = abt_strdup(path);

	if (copy == NULL)
		return -1;
	if (folder != NULL) {
		abt_free(folder->path);
		folder->path = copy;
		return 0;
	}
	if (watch->count == watch->room) {
		size_t room = watch->room > 0 ? watch->room * 2 : 16;

		grown = abt_realloc(watch->folders, room * sizeof *grown);
		if (grown == NULL) {
			abt_free(copy);
			return -1;
		}
		watch->folders = grown;
		watch->room = room;
	}
	watch->folders[watch->count++] =
	    (struct folder){ .wd = wd, .path = copy };
	return 0;
}

static int
cannot_watch(const char *path, char *why, size_t size)
{
	if (errno == ENOSPC)
		snprintf(why, size,
		    "cannot watch %.400s: there are more folders than "
		    "fs.inotify.max_user_watches allows; raise it: sysctl "
		    "fs.inotify.max_user_watches=524288",
		    path);
	else if (errno == EMFILE)
		snprintf(why, size,
		    "cannot watch %.400s: too many inotify instances; raise "
		    "fs.inotify.max_user_instances, or end other watchers",
		    path);
	else
		snprintf(why, size, "cannot watch %.400s: %s", path,
		    strerror(errno));
	return -1;
}

static bool
is_folder(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
		   0 &&
	       S_ISDIR(st.st_mode);
}

/* Watch |path| (a buffer of PATH_MAX that is used for what is below it too). */
static int
add_tree(
    struct abt_watch *watch, char *path, unsigned depth, char *why, size_t size)
{
	int wd = inotify_add_watch(watch->fd, path, EVENTS);
	size_t n = strlen(path);
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	if (wd < 0) {
		/* It went away again, or is none of ours: no harm done. */
		if (depth > 0 && errno != ENOSPC && errno != ENOMEM)
			return 0;
		return cannot_watch(path, why, size);
	}
	if (remember(watch, wd, path) != 0) {
		errno = ENOMEM;
		return cannot_watch(path, why, size);
	}
	dir = depth < DEPTH_MAX ? opendir(path) : NULL;
	while (dir != NULL && rc == 0 && (entry = readdir(dir)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (!is_folder(dir, entry) ||
		    is_ignored_folder(entry->d_name) ||
		    n + 1 + length >= PATH_MAX)
			continue;
		path[n] = '/';
		memcpy(path + n + 1, entry->d_name, length + 1);
		rc = add_tree(watch, path, depth + 1, why, size);
		path[n] = '\0';
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

static int
add_path(struct abt_watch *watch, const char *path, unsigned depth, char *why,
    size_t size)
{
	char *buffer = abt_malloc(PATH_MAX);
	int rc;

	if (buffer == NULL) {
		errno = ENOMEM;
		return cannot_watch(path, why, size);
	}
	snprintf(buffer, PATH_MAX, "%s", path);
	rc = add_tree(watch, buffer, depth, why, size);
	abt_free(buffer);
	return rc;
}

/* Told once: the files that are watched stay watched. */
static void
add_later(struct abt_watch *watch, const char *path)
{
	char why[768];

	if (add_path(watch, path, 1, why, sizeof why) == 0 || watch->complained)
		return;
	abt_warning("%s", why);
	watch->complained = true;
}

static void
walk_anew(struct abt_watch *watch)
{
	char why[768];

	while (watch->count > 0) {
		inotify_rm_watch(watch->fd, watch->folders[0].wd);
		forget(watch, &watch->folders[0]);
	}
	watch->lost = add_path(watch, watch->root, 0, why, sizeof why) != 0;
}

static void
see_folder(struct abt_watch *watch, const char *parent,
    const struct inotify_event *event)
{
	char path[PATH_MAX];

	if (is_ignored_folder(event->name))
		return;
	if (snprintf(path, sizeof path, "%s/%s", parent, event->name) >=
	    (int)sizeof path)
		return;
	if ((event->mask & (IN_MOVED_FROM | IN_DELETE)) != 0)
		forget_tree(watch, path);
	else
		add_later(watch, path);
}

/* True when it says that something of the function's has changed. */
static bool
see(struct abt_watch *watch, const struct inotify_event *event)
{
	struct folder *folder;

	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		walk_anew(watch);
		return true;
	}
	folder = find_folder(watch, event->wd);
	if (folder == NULL)
		return false;
	if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
		if (strcmp(folder->path, watch->root) == 0)
			watch->lost = true;
		return watch->lost;
	}
	if ((event->mask & IN_IGNORED) != 0) {
		forget(watch, folder);
		return false;
	}
	if (event->len == 0)
		return false;
	if ((event->mask & IN_ISDIR) != 0) {
		if (is_ignored_folder(event->name))
			return false;
		/* |folder| may move while folders are added. */
		see_folder(watch, folder->path, event);
		return true;
	}
	return !is_ignored_file(event->name);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct abt_watch *watch = context;
	char buffer[16384] __attribute__((aligned(8)));
	bool changed = false;
	ssize_t got;

	(void)what;
	abt_loop_assert_mine(watch->loop);
	while ((got = read((int)fd, buffer, sizeof buffer)) > 0)
		for (char *p = buffer; p < buffer + got;) {
			const struct inotify_event *event =
			    (const struct inotify_event *)(void *)p;

			if (see(watch, event))
				changed = true;
			p += sizeof *event + event->len;
		}
	if (changed)
		abt_timer_set(watch->loop, &watch->timer,
		    watch->lost ? RETRY_MS : QUIET_MS);
}

static void
on_quiet(struct abt_timer *timer)
{
	struct abt_watch *watch =
	    abt_container_of(timer, struct abt_watch, timer);

	if (watch->lost) {
		walk_anew(watch);
		if (watch->lost) {
			abt_timer_set(watch->loop, &watch->timer, RETRY_MS);
			return;
		}
	}
	watch->changed(watch->context);
}

struct abt_watch *
abt_watch_new(struct abt_loop *loop, const char *root,
    void (*changed)(void *context), void *context, char *why, size_t size)
{
	struct abt_watch *watch = abt_calloc(1, sizeof *watch);

	if (watch == NULL) {
		errno = ENOMEM;
		cannot_watch(root, why, size);
		return NULL;
	}
	watch->loop = loop;
	watch->changed = changed;
	watch->context = context;
	abt_timer_init(&watch->timer, on_quiet);
	watch->root = abt_strdup(root);
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0 || watch->root == NULL) {
		cannot_watch(root, why, size);
		abt_watch_free(watch);
		return NULL;
	}
	if (add_path(watch, root, 0, why, size) != 0) {
		abt_watch_free(watch);
		return NULL;
	}
	if (event_assign(&watch->event, loop->base, watch->fd,
		EV_READ | EV_PERSIST, on_readable, watch) != 0 ||
	    event_add(&watch->event, NULL) != 0) {
		cannot_watch(root, why, size);
		abt_watch_free(watch);
		return NULL;
	}
	watch->added = true;
	return watch;
}

int
abt_watch_start(struct abt_loop *loop, const char *root,
    void (*changed)(void *context), void *context, char *why, size_t size)
{
	return abt_watch_new(loop, root, changed, context, why, size) != NULL
		   ? 0
		   : -1;
}

void
abt_watch_free(struct abt_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->added)
		event_del(&watch->event);
	abt_timer_stop(&watch->timer);
	if (watch->fd >= 0)
		close(watch->fd);
	while (watch->count > 0)
		forget(watch, &watch->folders[0]);
	abt_free(watch->folders);
	abt_free(watch->root);
	abt_free(watch);
}
