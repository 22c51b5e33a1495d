/*
 * main.c - the bootstrap as a program of its own, small and static
 *
 * Lambda starts it without arguments, so the handler of the function's
 * configuration (_HANDLER) may hold them: "--cgi cgi-bin", "--http 8080 --
 * ./server", or just the name of a CGI program.
 */
#include "bootstrap/bootstrap.h"

#include <stdio.h>
#include <stdlib.h>

#include "albatross.h"
#include "base/log.h"

#define WORDS_MAX 64

static int
usage(void)
{
	fputs("usage: bootstrap [--stream] [--authorization] --cgi PROGRAM\n"
	      "       bootstrap [--stream] --http PORT [-- COMMAND...]\n"
	      "\n"
	      "Started by Lambda it takes these from the handler of the\n"
	      "function's configuration (_HANDLER).\n",
	    stderr);
	return 2;
}

/* Words between blanks, in place. */
static int
split(char *text, char **words)
{
	int count = 0;

	while (count < WORDS_MAX) {
		while (*text == ' ')
			text++;
		if (*text == '\0')
			break;
		words[count++] = text;
		while (*text != '\0' && *text != ' ')
			text++;
		if (*text == ' ')
			*text++ = '\0';
	}
	words[count] = NULL;
	return count;
}

/* 0, or -1: not understood. */
static int
parse(char **words, int count, struct abt_bootstrap_options *options)
{
	uint64_t port;
	int i;

	for (i = 0; i < count; i++) {
		bool more = i + 1 < count;

		if (strcmp(words[i], "--stream") == 0) {
			options->stream = true;
		} else if (strcmp(words[i], "--authorization") == 0) {
			options->authorization = true;
		} else if (strcmp(words[i], "--cgi") == 0 && more) {
			options->cgi = abt_bytes_text(words[++i]);
		} else if (strcmp(words[i], "--http") == 0 && more &&
			   abt_bytes_number(abt_bytes_text(words[i + 1]), 10,
			       65535, &port) &&
			   port > 0) {
			options->port = (int64_t)port;
			i++;
		} else if (strcmp(words[i], "--") == 0 && more) {
			options->command = words + i + 1;
			break;
		} else if (words[i][0] != '-' && count == 1) {
			options->cgi = abt_bytes_text(words[i]);
		} else {
			return -1;
		}
	}
	return (options->port > 0) != (options->cgi.n > 0) ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct abt_bootstrap_options options = {
		.api = getenv("AWS_LAMBDA_RUNTIME_API"),
		.name = "bootstrap",
	};
	char *words[WORDS_MAX + 1], *handler = getenv("_HANDLER");

	abt_log_set_time(false); /* Lambda's log has its own */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("bootstrap of albatross " ABT_VERSION);
		return 0;
	}
	if (argc > 1 ? parse(argv + 1, argc - 1, &options) != 0
		     : handler == NULL ||
			   parse(words, split(handler, words), &options) != 0)
		return usage();
	if (options.api == NULL) {
		fputs("bootstrap: AWS_LAMBDA_RUNTIME_API is not set: it is "
		      "started by Lambda, or by `albatross serve`\n",
		    stderr);
		return 2;
	}
	return abt_bootstrap_run(&options);
}
