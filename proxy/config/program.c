/*
 * program.c - is there a program of that name?
 *
 * Looked for before anything starts, so that a mistyped one is told at once and
 * not by the first event.
 */
#include "config/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/schema.h"

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

static int
look_at(const struct abt_function_options *options, struct abt_bytes name,
    char *why, size_t size)
{
	char path[PATH_MAX];
	struct stat st;

	if (abt_bytes_starts(name, ABT_BYTES("./")))
		name = abt_bytes(name.p + 2, name.n - 2);
	if (name.n > 0 && name.p[0] == '/')
		snprintf(path, sizeof path, "%.*s", ABT_FMT(name));
	else
		snprintf(path, sizeof path, "%.*s/%.*s", ABT_FMT(options->root),
		    ABT_FMT(name));
	if (is_program(path))
		return 0;
	if (stat(path, &st) != 0)
		snprintf(why, size, "there is no program %s", path);
	else if (S_ISDIR(st.st_mode))
		snprintf(why, size, "%s is a folder, not a program", path);
	else
		snprintf(why, size,
		    "%s cannot be run: make it executable with chmod +x", path);
	return -1;
}

int
abt_program_look(const struct abt_function_options *options,
    struct abt_bytes name, char *why, size_t size)
{
	const struct abt_bytes *own =
	    abt_map_get(&options->environment, ABT_BYTES("PATH"));
	struct abt_bytes rest =
	    own != NULL ? *own : abt_bytes_text(getenv("PATH"));
	struct abt_bytes folder;
	char path[PATH_MAX];

	if (abt_bytes_find(name, '/') < name.n)
		return look_at(options, name, why, size);
	while (rest.p != NULL && abt_bytes_next(&rest, ':', &folder)) {
		snprintf(path, sizeof path, "%.*s%s%.*s", ABT_FMT(folder),
		    folder.n > 0 ? "/" : "./", ABT_FMT(name));
		if (is_program(path))
			return 0;
	}
	snprintf(path, sizeof path, "%.*s/%.*s", ABT_FMT(options->root),
	    ABT_FMT(name));
	if (is_program(path))
		snprintf(why, size,
		    "no folder of PATH has a program %.*s; the one in the "
		    "function's folder is written ./%.*s",
		    ABT_FMT(name), ABT_FMT(name));
	else
		snprintf(why, size, "no folder of PATH has a program %.*s",
		    ABT_FMT(name));
	return -1;
}
