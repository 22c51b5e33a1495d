/*
 * cgi.h - the pieces of CGI/1.1 (RFC 3875; lambda.md 10)
 *
 * Which program a path means, what it finds in its environment, and what its
 * first lines of output say.  None of them starts anything: the backend
 * (cgi.c) and the client of the Runtime API that runs such programs on Lambda
 * share them.
 */
#ifndef ABT_FUNCTION_CGI_H
#define ABT_FUNCTION_CGI_H

#include <sys/types.h>

#include "albatross/call.h"
#include "albatross/option.h"

/* ---- which program: cgi_path.c ---- */

/* Where programs stand.  Filled by configuration, opened once. */
struct abt_cgi_site {
	struct abt_bytes folder;  /* absolute, of many programs; or empty */
	struct abt_bytes program; /* absolute, the one for every path */
	struct abt_bytes prefix;  /* "/cgi-bin": of URLs; decoded; may be "" */
	struct abt_bytes document_root; /* absolute */
	struct abt_map interpreters;    /* ".php": "/usr/bin/php-cgi" */
	struct abt_list index;          /* names that stand for a folder */
	bool only_interpreted;          /* no file runs by itself */
	int fd;                         /* of |folder|, O_PATH; or -1 */
};

/* What a request's path means there. */
struct abt_cgi_place {
	struct abt_bytes script_name; /* decoded; may be empty */
	struct abt_bytes path_info;   /* decoded; p == NULL: none */
	struct abt_bytes file;        /* SCRIPT_FILENAME: absolute */
	struct abt_bytes interpreter; /* runs |file|; empty: itself does */
};

/*
 * Find the program of |path|, raw as in the request; |base| are the raw bytes
 * before it that belong to the front (a stage).  Slashes that repeat are one
 * and dot segments are taken out after decoding, so %2F and %2e are what they
 * decode to; what then stands outside the folder, by ".." or by a symbolic
 * link, is not served.  Text goes into |arena|.  0, or -1 with the rule.
 */
int abt_cgi_find(const struct abt_cgi_site *site, struct abt_bytes base,
    struct abt_bytes path, struct abt_arena *arena, struct abt_cgi_place *place,
    struct abt_report *report);

/* |path| decoded, with single slashes and without dot segments; it begins with
 * "/".  0, or -1: NUL, a broken escape, or it climbs above its root. */
int abt_cgi_clean(
    struct abt_bytes path, struct abt_arena *arena, struct abt_bytes *clean);

/* ---- what it finds in its environment: cgi_environment.c ---- */

/* X-Forwarded-For, as an attribute of an ALB may have it. */
enum abt_cgi_forwarded {
	ABT_CGI_APPEND, /* the client's address, behind what was sent */
	ABT_CGI_PRESERVE,
	ABT_CGI_REMOVE,
};

struct abt_cgi_world {
	const struct abt_call *call; /* request and facts */
	const struct abt_cgi_place *place;
	struct abt_bytes document_root;
	const struct abt_map *extra; /* the operator's: they win; may be NULL */
	struct abt_bytes path;       /* the variable PATH; empty: none */
	enum abt_cgi_forwarded forwarded;
	bool pass_authorization;
	bool has_body;
	uint64_t length; /* of the body, transfer coding removed */
};

/*
 * The variables as "NAME=value" strings and NULL, in |arena|.  NULL with the
 * rule in the report (one is over 64 KiB, all are over 256 KiB), or without one
 * when memory ran out.
 */
char **abt_cgi_environment(const struct abt_cgi_world *world,
    struct abt_arena *arena, struct abt_report *report);

/* ---- what the front says of it: cgi_front.c ---- */

/* The raw bytes of the path that are the front's (a stage, a base path); |rest|
 * becomes what follows them. */
struct abt_bytes abt_cgi_front_part(
    const struct abt_call *call, struct abt_bytes *rest);
enum abt_cgi_forwarded abt_cgi_forwarded_of(const struct abt_front *front);

/* ---- what its output begins with: cgi_response.c ---- */

#define ABT_CGI_HEAD_MAX   65536
#define ABT_CGI_FIELDS_MAX 100 /* R10.49 */

/* Where the head in |data| ends (behind its empty line), or 0: not yet.  The
 * first |seen| bytes were looked at before. */
size_t abt_cgi_head_end(struct abt_bytes data, size_t seen);

/*
 * Read |head|, up to and with its empty line, into |response|, whose slices
 * point into |head|.  |local| tells that its Location is a path of the same
 * server, to be served in its place (RFC 3875 6.2.2).  0, or -1 with the rule.
 */
int abt_cgi_head_read(struct abt_bytes head, struct abt_arena *arena,
    struct abt_response *response, bool *local, struct abt_report *report);

/* ---- the backend's options: cgi.c ---- */

struct abt_cgi_options {
	struct abt_bytes program, folder, prefix, document_root;
	struct abt_map interpreters;
	struct abt_list index;
	bool authorization;
	int64_t body_max, output_max;
};
extern const struct abt_option abt_cgi_option_rows[];

/* What is wrong with them, before anything starts.  0, or -1 with a sentence in
 * |why|. */
int abt_cgi_check(
    const struct abt_cgi_options *options, char *why, size_t size);

#endif
