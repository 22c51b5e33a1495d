/*
 * h1_conn.h - what reading (h1_server.c) and answering (h1_reply.c) share
 *
 * One request at a time: the next one on a connection begins when the answer
 * before it is out.  So answers are in order by construction, and requests that
 * are not idempotent never overlap.
 */
#ifndef ABT_NET_H1_CONN_H
#define ABT_NET_H1_CONN_H

#include "net/conn.h"

enum abt_h1_phase {
	ABT_H1_HEAD, /* idle, or a head is coming; no exchange */
	ABT_H1_BODY, /* the exchange's body is coming */
	ABT_H1_BUSY, /* the handler works, or the answer is being sent */
};

/* h1_reply.c */
void abt_h1_reply(struct abt_conn *conn, struct abt_exchange *x);
void abt_h1_writable(struct abt_conn *conn);
/* 100 Continue; the connection may be closed after. */
void abt_h1_continue(struct abt_conn *conn, struct abt_exchange *x);
/* An answer that needs no exchange, because there is no memory for one. */
void abt_h1_no_memory(struct abt_conn *conn);

/* h1_server.c: go on with what was saved, unless somebody up the stack does. */
void abt_h1_resume(struct abt_conn *conn);

#endif
