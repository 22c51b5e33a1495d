/*
 * cgi_answer.h - the output of a CGI program becomes a result, whatever carries
 * it (a pipe, FastCGI's records)
 */
#ifndef ABT_FUNCTION_CGI_ANSWER_H
#define ABT_FUNCTION_CGI_ANSWER_H

#include "albatross/backend.h"
#include "albatross/buf.h"

enum abt_cgi_stage {
	ABT_CGI_HEAD,  /* of the output */
	ABT_CGI_EARLY, /* the head is read; the end may be near */
	ABT_CGI_BODY,  /* its pieces go to the caller */
	ABT_CGI_REST,  /* nobody wants what still comes */
};

/* One lives in its owner's memory, who gives the result in the end. */
struct abt_cgi_answer {
	enum abt_cgi_stage stage;
	enum abt_rule_id rule; /* of a failure */
	struct abt_pool *pool;
	uint64_t output_max; /* 0: no limit */
	/* What was read: the head as long as it is not whole, then the
	 * beginning of the body as long as the end may be near. */
	struct abt_buf early;
	struct abt_response *response;
	struct abt_arena *arena; /* the link's, of |response| */
	bool local;              /* a local redirect */
	bool has_length;
	uint64_t left; /* of its Content-Length */
	uint64_t printed;
};

void abt_cgi_answer_init(
    struct abt_cgi_answer *answer, struct abt_pool *pool, int64_t output_max);
void abt_cgi_answer_free(struct abt_cgi_answer *answer);

/*
 * These answer 0: go on; ABT_CGI_FULL: read no more until backend->resume; -1:
 * it failed by answer->rule (the owner stops the program and fails |inv|).
 */
#define ABT_CGI_FULL 1
/* More output.  In the stage EARLY the owner calls flush soon. */
int abt_cgi_answer_take(struct abt_cgi_answer *answer,
    struct abt_invocation *inv, struct abt_bytes data);
/* The end is not near: let the client have what is there. */
int abt_cgi_answer_flush(
    struct abt_cgi_answer *answer, struct abt_invocation *inv);
/* The output is over.  0: all that is left is abt_result_end. */
int abt_cgi_answer_end(
    struct abt_cgi_answer *answer, struct abt_invocation *inv);

#endif
