/*
 * cgi_path.c - which program a request's path means
 *
 * The path is decoded once, cleaned, and then walked: the first prefix that is
 * a file is the program, the rest its PATH_INFO.  Every step of the walk is an
 * openat2 below the opened folder with RESOLVE_BENEATH, so a symbolic link that
 * leads out is refused by the kernel, whatever it is named (threats.md P4).
 */
#include "function/cgi.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- cleaning ---- */

/* |in| decoded at |out|; its length, or -1. */
static ptrdiff_t
decode(char *out, struct abt_bytes in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '%') {
			int high =
			    i + 2 < in.n ? abt_hex_value(in.p[i + 1]) : -1;
			int low =
			    i + 2 < in.n ? abt_hex_value(in.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (c == '\0')
			return -1;
		out[n++] = c;
	}
	return (ptrdiff_t)n;
}

/* Take dot segments and empty ones out of |text|, in place.  A slash at its end
 * stays: "/a/" and "/a" are two things.  The length, or -1. */
static ptrdiff_t
remove_dots(char *text, size_t n)
{
	size_t in = 0, out = 0;

	while (in < n) {
		size_t begin = in, length;

		while (begin < n && text[begin] == '/')
			begin++;
		in = begin;
		while (in < n && text[in] != '/')
			in++;
		length = in - begin;
		if (length == 2 && text[begin] == '.' &&
		    text[begin + 1] == '.') {
			if (out == 0)
				return -1;
			while (text[--out] != '/')
				continue;
			length = 0;
		} else if (length == 1 && text[begin] == '.') {
			length = 0;
		}
		if (length == 0 && in < n)
			continue;
		text[out++] = '/';
		memmove(text + out, text + begin, length);
		out += length;
	}
	return (ptrdiff_t)out;
}

int
abt_cgi_clean(
    struct abt_bytes path, struct abt_arena *arena, struct abt_bytes *clean)
{
	char *text = abt_arena_alloc(arena, path.n + 2);
	ptrdiff_t n;

	if (text == NULL)
		return -1;
	n = decode(text + 1, path);
	text[0] = '/';
	if (n < 0 || (n = remove_dots(text, (size_t)n + 1)) < 0)
		return -1;
	text[n] = '\0';
	*clean = abt_bytes(text, (size_t)n);
	return 0;
}

/* ---- walking ---- */

enum found {
	FOUND_FILE,
	FOUND_FOLDER,
	FOUND_NOTHING,
	FOUND_FORBIDDEN,
	FOUND_TROUBLE, /* out of descriptors and the like */
};

static bool
is_executable(const struct stat *st)
{
	return (st->st_mode & 0111) != 0;
}

/* Where the kernel has no openat2, or a sandbox keeps it: the resolved name
 * must begin with the folder's. */
static int
open_resolved(const struct abt_cgi_site *site, const char *path)
{
	char given[PATH_MAX], full[PATH_MAX];
	int n = snprintf(
	    given, sizeof(given), "%.*s/%s", ABT_FMT(site->folder), path);

	if (n < 0 || n >= (int)sizeof(given)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (realpath(given, full) == NULL)
		return -1;
	if (!abt_bytes_starts(abt_bytes_text(full), site->folder) ||
	    (full[site->folder.n] != '/' && full[site->folder.n] != '\0')) {
		errno = EXDEV;
		return -1;
	}
	return open(full, O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

static int
open_beneath(const struct abt_cgi_site *site, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, site->fd, path, &how, sizeof(how));

	if (fd < 0 && errno == EAGAIN) /* a rename in the middle of it */
		fd = syscall(SYS_openat2, site->fd, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return open_resolved(site, path);
	return (int)fd;
}

/* What is at |path| below the folder (no slash in front, NUL behind)? */
static enum found
look(const struct abt_cgi_site *site, const char *path, struct stat *st)
{
	int fd = open_beneath(site, path), rc;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
			       errno == ENAMETOOLONG
			   ? FOUND_NOTHING
		       : errno == EXDEV || errno == EACCES || errno == ELOOP
			   ? FOUND_FORBIDDEN
			   : FOUND_TROUBLE;
	rc = fstat(fd, st);
	close(fd);
	if (rc != 0)
		return FOUND_TROUBLE;
	if (S_ISREG(st->st_mode))
		return FOUND_FILE;
	return S_ISDIR(st->st_mode) ? FOUND_FOLDER : FOUND_FORBIDDEN;
}

/* Behind a slash that ends |path|, try the names that stand for a folder. */
static enum found
look_for_index(const struct abt_cgi_site *site, struct abt_bytes *path,
    struct abt_arena *arena, struct stat *st)
{
	for (size_t i = 0; i < site->index.count; i++) {
		struct abt_bytes with =
		    abt_arena_printf(arena, "%.*s%s%.*s", ABT_FMT(*path),
			path->n > 0 && path->p[path->n - 1] == '/' ? "" : "/",
			ABT_FMT(site->index.items[i]));
		enum found found;

		if (with.n < 2)
			return FOUND_TROUBLE;
		found = look(site, with.p + 1, st);
		if (found == FOUND_FILE) {
			*path = with;
			return found;
		}
	}
	return FOUND_FORBIDDEN;
}

/* The first prefix of |path| that is a file; |path| becomes it, |rest| what
 * stands behind it. */
static enum found
walk(const struct abt_cgi_site *site, struct abt_bytes *path,
    struct abt_bytes *rest, struct abt_arena *arena, struct stat *st)
{
	char *text = abt_arena_text(arena, *path);
	size_t end = 1, n = path->n;
	enum found found = FOUND_FOLDER;

	if (text == NULL)
		return FOUND_TROUBLE;
	*rest = abt_bytes(NULL, 0);
	while (found == FOUND_FOLDER && end < n) {
		while (end < n && text[end] != '/')
			end++;
		text[end] = '\0';
		found = look(site, text + 1, st);
		if (end < n)
			text[end] = '/';
		if (found == FOUND_FOLDER)
			end++;
	}
	if (found == FOUND_FILE) {
		*path = abt_bytes(text, end);
		if (end < n)
			*rest = abt_bytes(text + end, n - end);
	} else if (found == FOUND_FOLDER) {
		found = look_for_index(site, path, arena, st);
	}
	return found;
}

/* The program that runs files of this name, or nothing. */
static struct abt_bytes
interpreter_of(const struct abt_cgi_site *site, struct abt_bytes file)
{
	for (size_t i = 0; i < site->interpreters.count; i++)
		if (abt_bytes_ends(file, site->interpreters.pairs[i].name))
			return site->interpreters.pairs[i].value;
	return abt_bytes(NULL, 0);
}

static int
find_in_folder(const struct abt_cgi_site *site, struct abt_bytes path,
    struct abt_arena *arena, struct abt_cgi_place *place,
    struct abt_report *report)
{
	struct stat st;
	enum found found = walk(site, &path, &place->path_info, arena, &st);

	if (found == FOUND_NOTHING)
		return abt_break(report, ABT_RULE_CGI_NOT_FOUND, path);
	if (found == FOUND_FORBIDDEN)
		return abt_break(report, ABT_RULE_CGI_FORBIDDEN, path);
	if (found != FOUND_FILE)
		return abt_break_detail(report, ABT_RULE_CGI_NOT_STARTED, path,
		    ABT_BYTES("the folder of programs cannot be read"));
	place->interpreter = interpreter_of(site, path);
	if (place->interpreter.n == 0 && site->only_interpreted)
		return abt_break_detail(report, ABT_RULE_CGI_FORBIDDEN, path,
		    ABT_BYTES("the file is no script of the application"));
	if (place->interpreter.n == 0 && !is_executable(&st))
		return abt_break_detail(report, ABT_RULE_CGI_FORBIDDEN, path,
		    ABT_BYTES("the file is not executable"));
	place->script_name = path;
	place->file = abt_arena_printf(
	    arena, "%.*s%.*s", ABT_FMT(site->folder), ABT_FMT(path));
	return 0;
}

/* ---- the whole ---- */

/* Take the prefix off |path|: "/app" is one of "/app" and "/app/x", not of
 * "/apple" (R10.10). */
static bool
take_prefix(struct abt_bytes *path, struct abt_bytes prefix)
{
	while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	if (!abt_bytes_starts(*path, prefix) ||
	    (path->n > prefix.n && path->p[prefix.n] != '/'))
		return false;
	path->p += prefix.n;
	path->n -= prefix.n;
	return true;
}

/* The script's name as clients see it: what the front and the prefix took off,
 * and its own. */
static int
complete_name(const struct abt_cgi_site *site, struct abt_bytes base,
    struct abt_arena *arena, struct abt_cgi_place *place)
{
	struct abt_bytes prefix = site->prefix, clean = { NULL, 0 };

	while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	if (base.n > 0 && abt_cgi_clean(base, arena, &clean) != 0)
		return -1;
	while (clean.n > 0 && clean.p[clean.n - 1] == '/')
		clean.n--;
	if (clean.n + prefix.n > 0)
		place->script_name =
		    abt_arena_printf(arena, "%.*s%.*s%.*s", ABT_FMT(clean),
			ABT_FMT(prefix), ABT_FMT(place->script_name));
	return 0;
}

int
abt_cgi_find(const struct abt_cgi_site *site, struct abt_bytes base,
    struct abt_bytes path, struct abt_arena *arena, struct abt_cgi_place *place,
    struct abt_report *report)
{
	struct abt_bytes clean;

	*place = (struct abt_cgi_place){ 0 };
	if (abt_cgi_clean(path, arena, &clean) != 0)
		return abt_break(report, ABT_RULE_CGI_PATH, path);
	if (!take_prefix(&clean, site->prefix))
		return abt_break(report, ABT_RULE_CGI_NOT_FOUND, path);
	if (site->program.n > 0) {
		place->file = site->program;
		if (clean.n > 0)
			place->path_info = clean;
	} else {
		if (clean.n == 0)
			clean = ABT_BYTES("/");
		if (find_in_folder(site, clean, arena, place, report) != 0)
			return -1;
	}
	if (complete_name(site, base, arena, place) != 0)
		return abt_break(report, ABT_RULE_CGI_PATH, path);
	return 0;
}
