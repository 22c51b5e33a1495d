/*
 * cgi_front.c - what a front says of a request that programs are told
 */
#include "dialect/alb.h"
#include "function/cgi.h"

struct abt_bytes
abt_cgi_front_part(const struct abt_call *call, struct abt_bytes *rest)
{
	struct abt_bytes path = call->request->path;
	struct abt_bytes own = call->match.path;

	*rest = path;
	if (own.p < path.p || own.p + own.n != path.p + path.n || own.n == 0)
		return abt_bytes(NULL, 0);
	*rest = own;
	return abt_bytes(path.p, (size_t)(own.p - path.p));
}

enum abt_cgi_forwarded
abt_cgi_forwarded_of(const struct abt_front *front)
{
	if (front == NULL || front->dialect == NULL ||
	    front->dialect->attributes != abt_alb_attribute_rows)
		return ABT_CGI_APPEND;
	switch (abt_alb(front)->xff_mode) {
	case ABT_XFF_PRESERVE:
		return ABT_CGI_PRESERVE;
	case ABT_XFF_REMOVE:
		return ABT_CGI_REMOVE;
	default:
		return ABT_CGI_APPEND;
	}
}
