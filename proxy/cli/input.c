/*
 * input.c - whole files and standard input
 */
#include "cli/input.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/file.h"

int
abt_cli_read(struct abt_cli *cli, const char *file, size_t max,
    struct abt_bytes *content)
{
	char why[512];
	int rc;

	if (strcmp(file, "-") == 0 && isatty(STDIN_FILENO) == 1)
		fputs("reading standard input; Ctrl-D ends it\n", stderr);
	if (strcmp(file, "-") == 0)
		rc = abt_fd_read(STDIN_FILENO, "standard input", max,
		    &cli->arena, content, why, sizeof why);
	else
		rc = abt_file_read(
		    file, max, &cli->arena, content, why, sizeof why);
	if (rc != 0)
		abt_cli_usage(cli, "%s", why);
	return rc;
}

bool
abt_cli_color(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no != NULL && no[0] != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}
