/*
 * http.h - the neutral HTTP messages: request, response, headers
 *
 * Codecs fill a request and drain a response; nobody else knows which protocol
 * was spoken.  Slices point into the exchange's arena.  Names and values stand
 * as received; whoever needs lower case makes it.
 */
#ifndef ALBATROSS_HTTP_H
#define ALBATROSS_HTTP_H

#include "albatross/arena.h"
#include "albatross/rule.h"

/* Field names that some code asks for by name, and those that browsers send all
 * the time; found once, when the head is read, so that nobody compares strings
 * or makes lower case twice. */
#define ABT_KNOWN_FIELDS(FIELD)                                       \
	FIELD(ACCEPT, "accept")                                       \
	FIELD(ACCEPT_ENCODING, "accept-encoding")                     \
	FIELD(ACCEPT_LANGUAGE, "accept-language")                     \
	FIELD(CACHE_CONTROL, "cache-control")                         \
	FIELD(CONNECTION, "connection")                               \
	FIELD(CONTENT_ENCODING, "content-encoding")                   \
	FIELD(CONTENT_LENGTH, "content-length")                       \
	FIELD(CONTENT_TYPE, "content-type")                           \
	FIELD(COOKIE, "cookie")                                       \
	FIELD(DATE, "date")                                           \
	FIELD(EXPECT, "expect")                                       \
	FIELD(HOST, "host")                                           \
	FIELD(IF_MODIFIED_SINCE, "if-modified-since")                 \
	FIELD(IF_NONE_MATCH, "if-none-match")                         \
	FIELD(KEEP_ALIVE, "keep-alive")                               \
	FIELD(ORIGIN, "origin")                                       \
	FIELD(PRAGMA, "pragma")                                       \
	FIELD(PROXY_CONNECTION, "proxy-connection")                   \
	FIELD(REFERER, "referer")                                     \
	FIELD(SEC_FETCH_DEST, "sec-fetch-dest")                       \
	FIELD(SEC_FETCH_MODE, "sec-fetch-mode")                       \
	FIELD(SEC_FETCH_SITE, "sec-fetch-site")                       \
	FIELD(SEC_FETCH_USER, "sec-fetch-user")                       \
	FIELD(SERVER, "server")                                       \
	FIELD(TE, "te")                                               \
	FIELD(TRAILER, "trailer")                                     \
	FIELD(TRANSFER_ENCODING, "transfer-encoding")                 \
	FIELD(UPGRADE, "upgrade")                                     \
	FIELD(UPGRADE_INSECURE_REQUESTS, "upgrade-insecure-requests") \
	FIELD(USER_AGENT, "user-agent")                               \
	FIELD(X_AMZN_TRACE_ID, "x-amzn-trace-id")                     \
	FIELD(X_FORWARDED_FOR, "x-forwarded-for")                     \
	FIELD(X_FORWARDED_PORT, "x-forwarded-port")                   \
	FIELD(X_FORWARDED_PROTO, "x-forwarded-proto")

enum abt_field_id {
	ABT_FIELD_OTHER,
#define FIELD(id, name) ABT_FIELD_##id,
	ABT_KNOWN_FIELDS(FIELD)
#undef FIELD
	    ABT_FIELDS,
};

struct abt_field {
	struct abt_bytes name, value; /* value without outer blanks */
	enum abt_field_id id;
	/* Name and value are ASCII with nothing that JSON escapes: known since
	 * the head was read, so that nobody looks again.  False: not known. */
	bool plain;
};

/* Ordered, spelling kept.  Grows in |arena|; failure is the arena's. */
struct abt_headers {
	struct abt_field *fields;
	size_t count, room;
};

/* A field of either spelling; ABT_FIELD_OTHER when it is none of ours. */
enum abt_field_id abt_field_find(struct abt_bytes name);

void abt_headers_add(struct abt_headers *headers, struct abt_arena *arena,
    struct abt_bytes name, struct abt_bytes value);
/* The same when the id is known already. */
void abt_headers_add_id(struct abt_headers *headers, struct abt_arena *arena,
    enum abt_field_id id, struct abt_bytes name, struct abt_bytes value);
/* First or last line of that name; NULL when there is none. */
const struct abt_field *abt_headers_first(
    const struct abt_headers *headers, enum abt_field_id id);
const struct abt_field *abt_headers_last(
    const struct abt_headers *headers, enum abt_field_id id);
const struct abt_field *abt_headers_named(
    const struct abt_headers *headers, struct abt_bytes name); /* first */
/* Drop every line of that name; returns how many. */
size_t abt_headers_drop(struct abt_headers *headers, enum abt_field_id id);
size_t abt_headers_drop_named(
    struct abt_headers *headers, struct abt_bytes name);

/* How the body's length is told (RFC 9112 6). */
enum abt_framing {
	ABT_BODY_NONE,
	ABT_BODY_LENGTH,
	ABT_BODY_CHUNKED,
};

struct abt_request {
	struct abt_bytes method, target; /* as received */
	struct abt_bytes path;  /* of the target, raw; "/" when it had none */
	struct abt_bytes query; /* raw, behind the first "?"; p == NULL: none */
	struct abt_bytes scheme, authority; /* of an absolute-form target */
	struct abt_headers headers;         /* in order of arrival */
	struct abt_headers trailers; /* of a chunked body; mostly dropped */
	struct abt_bytes body;       /* whole, transfer coding removed */
	int version;                 /* 9, 10, 11, 20 */
	enum abt_framing framing;
	uint64_t length;  /* of ABT_BODY_LENGTH */
	size_t head_size; /* bytes of request line and fields, blank line too */
	size_t line_size; /* bytes of the request line without its end */
	bool keep_alive;  /* the connection may be used again */
	bool expects_continue;
	uint8_t odd; /* deviations of the request line, not yet noted */
};

/* Bits of request.odd: AWS looks at headers and framing first, so these are
 * noted by abt_framing_decide, last (alb.md 4.1: order of checks). */
#define ABT_ODD_METHOD         0x01
#define ABT_ODD_VERSION        0x02
#define ABT_ODD_VERSION_BAD    0x04
#define ABT_ODD_TARGET_SPACE   0x08
#define ABT_ODD_TARGET_CONTROL 0x10

struct abt_response {
	int status;
	struct abt_bytes reason;    /* phrase; p == NULL: the standard one */
	struct abt_headers ours;    /* made by us, first on the wire */
	struct abt_headers headers; /* made by the function, in order */
	struct abt_bytes body;
	uint64_t length;             /* of a body in pieces, with has_length */
	bool has_length;             /* its length is known at the beginning */
	bool no_content_length;      /* 204 and 304 (alb.md R22) */
	bool close;                  /* the connection must end after it */
	const struct abt_rule *rule; /* why we made it ourselves, or NULL */
};

/* The standard phrase of a status ("Not Found"), "" when there is none. */
const char *abt_status_phrase(int status);

/*
 * What net/ must know of a front to judge a head.  Sizes in bytes; 0 is no
 * limit.  It comes with the listener, from the front's dialect.
 */
enum abt_desync_mode {
	ABT_MONITOR,
	ABT_DEFENSIVE,
	ABT_STRICTEST,
};

struct abt_policy {
	enum abt_desync_mode mode;
	bool strict_h1;   /* threats.md 3 in place of the tiers: not a front */
	bool any_path;    /* broken escapes and dot segments pass as they are */
	size_t line_max;  /* request line */
	size_t field_max; /* one field line: "name: value" */
	size_t head_max;  /* all field lines */
	size_t fields_max; /* how many */
	uint64_t body_max; /* decoded */
	int64_t head_ms, body_idle_ms, request_ms, keep_alive_ms, write_idle_ms;
	int64_t connection_ms; /* client_keep_alive.seconds; 0: none */
	unsigned body_rate;    /* bytes a second after 10 s; 0: none */
	unsigned requests_max; /* on one connection; 0: no limit */
};

#endif
