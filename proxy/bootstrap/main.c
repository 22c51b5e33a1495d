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
#define LIST_MAX  16 /* interpreters, index names */

/* In place of the C library's dcgettext (bootstrap.mk): messages stay as they
 * are, and its catalogues, encodings and loader are not linked. */
char *abt_untranslated(const char *domain, const char *text, int category);

char *
abt_untranslated(const char *domain, const char *text, int category)
{
	(void)domain;
	(void)category;
	return (char *)(uintptr_t)text;
}

static int
usage(void)
{
	fputs("usage: bootstrap [--stream] --cgi PROGRAM [--cgi-prefix PATH]\n"
	      "                 [--document-root FOLDER]\n"
	      "                 [--cgi-interpreter .php=/opt/php-cgi]\n"
	      "                 [--cgi-index NAME] [--cgi-authorization]\n"
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

/* What the words are put into. */
struct parsed {
	struct abt_bootstrap_options options;
	struct abt_pair interpreters[LIST_MAX];
	struct abt_bytes index[LIST_MAX];
};

/* ".php=/usr/bin/php-cgi" */
static bool
add_interpreter(struct parsed *parsed, const char *word)
{
	struct abt_map *map = &parsed->options.interpreters;
	struct abt_bytes text = abt_bytes_text(word);
	size_t end = abt_bytes_find(text, '=');

	if (map->count == LIST_MAX || end == 0 || end + 1 >= text.n)
		return false;
	map->pairs = parsed->interpreters;
	map->pairs[map->count++] = (struct abt_pair){
		.name = abt_bytes(text.p, end),
		.value = abt_bytes(text.p + end + 1, text.n - end - 1),
	};
	return true;
}

static bool
add_index(struct parsed *parsed, const char *word)
{
	struct abt_list *list = &parsed->options.index;

	if (list->count == LIST_MAX)
		return false;
	list->items = parsed->index;
	list->items[list->count++] = abt_bytes_text(word);
	return true;
}

static bool
set_port(struct abt_bootstrap_options *options, const char *word)
{
	uint64_t port;

	if (!abt_bytes_number(abt_bytes_text(word), 10, 65535, &port))
		return false;
	options->port = (int64_t)port;
	return port > 0;
}

/* An option with its value. */
static bool
parse_pair(struct parsed *parsed, const char *name, const char *value)
{
	struct abt_bootstrap_options *options = &parsed->options;

	if (strcmp(name, "--cgi") == 0)
		options->cgi = abt_bytes_text(value);
	else if (strcmp(name, "--cgi-prefix") == 0)
		options->prefix = abt_bytes_text(value);
	else if (strcmp(name, "--document-root") == 0)
		options->document_root = abt_bytes_text(value);
	else if (strcmp(name, "--cgi-interpreter") == 0)
		return add_interpreter(parsed, value);
	else if (strcmp(name, "--cgi-index") == 0)
		return add_index(parsed, value);
	else if (strcmp(name, "--http") == 0)
		return set_port(options, value);
	else
		return false;
	return true;
}

/* 0, or -1: not understood. */
static int
parse(char **words, int count, struct parsed *parsed)
{
	struct abt_bootstrap_options *options = &parsed->options;
	int i;

	for (i = 0; i < count; i++) {
		if (strcmp(words[i], "--stream") == 0) {
			options->stream = true;
		} else if (strcmp(words[i], "--cgi-authorization") == 0) {
			options->authorization = true;
		} else if (strcmp(words[i], "--") == 0 && i + 1 < count) {
			options->command = words + i + 1;
			break;
		} else if (words[i][0] != '-' && count == 1) {
			options->cgi = abt_bytes_text(words[i]);
		} else if (i + 1 == count ||
			   !parse_pair(parsed, words[i], words[i + 1])) {
			return -1;
		} else {
			i++;
		}
	}
	if (options->command != NULL && options->port == 0)
		return -1;
	return (options->port > 0) != (options->cgi.n > 0) ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct parsed parsed = {
		.options.api = getenv("AWS_LAMBDA_RUNTIME_API"),
	};
	char *words[WORDS_MAX + 1], *handler = getenv("_HANDLER");

	abt_log_set_time(false); /* Lambda's log has its own */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("bootstrap of albatross " ABT_VERSION);
		return 0;
	}
	if (argc > 1 ? parse(argv + 1, argc - 1, &parsed) != 0
		     : handler == NULL ||
			   parse(words, split(handler, words), &parsed) != 0)
		return usage();
	if (parsed.options.api == NULL) {
		fputs("bootstrap: AWS_LAMBDA_RUNTIME_API is not set: it is "
		      "started by Lambda, or by `albatross serve`\n",
		    stderr);
		return 2;
	}
	return abt_bootstrap_run(&parsed.options);
}
