/*
 * h1_conn.h - what reading (h1_request.c), answering (h1_reply.c, h1_stream.c)
 * and driving (h1_server.c) share
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
/* May the connection go on after the answer of |x| (the phase aside)? */
bool abt_h1_may_keep(struct abt_conn *conn, const struct abt_exchange *x);
bool abt_h1_has_no_body(const struct abt_exchange *x);
/* The last byte is out: end conn->x, go on with what came meanwhile. */
void abt_h1_end_exchange(struct abt_conn *conn);
/* Nothing more of this request is wanted; its answer is the last one. */
void abt_h1_give_up(struct abt_conn *conn);
/* Watch what the state asks for, while a handler works or streams. */
void abt_h1_watch(struct abt_conn *conn);
/* 100 Continue, if it is owed; the connection may be closed after. */
void abt_h1_continue(struct abt_conn *conn, struct abt_exchange *x);
/* An answer that needs no exchange, because there is no memory for one. */
void abt_h1_no_memory(struct abt_conn *conn);

/* h1_stream.c: answers and bodies in pieces; see struct abt_codec */
size_t abt_h1_begin(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes first);
size_t abt_h1_write(
    struct abt_conn *conn, struct abt_exchange *x, struct abt_bytes data);
void abt_h1_finish(struct abt_conn *conn, struct abt_exchange *x);
void abt_h1_abort(struct abt_conn *conn, struct abt_exchange *x);
void abt_h1_unpause(struct abt_conn *conn, struct abt_exchange *x);
/* on_data said so, or on_head. */
void abt_h1_pause(struct abt_conn *conn, struct abt_exchange *x);
/* There is room for what waits. */
void abt_h1_send_waiting(struct abt_conn *conn, struct abt_exchange *x);

/*
 * h1_request.c.  Each of these may end in an answer, so the connection may be
 * closed, and the exchange gone, when it returns.
 */
/* Take all of |in|; what has to wait is saved. */
void abt_h1_feed(struct abt_conn *conn, struct abt_bytes in);
/* Go on with what was saved, unless abt_h1_feed is up the stack. */
void abt_h1_resume(struct abt_conn *conn);
/* There is no head to read, and never will be. */
void abt_h1_refuse(struct abt_conn *conn, enum abt_rule_id rule);
/* The exchange breaks between on_head and on_ready. */
void abt_h1_break(
    struct abt_conn *conn, struct abt_exchange *x, enum abt_rule_id rule);
/* The whole request is there. */
void abt_h1_ready(struct abt_conn *conn, struct abt_exchange *x);
/* |n| bytes of body are held.  0, or -1: the account of bodies is full. */
int abt_h1_charge(struct abt_exchange *x, uint64_t n);
/* Room for |n| more bytes of body.  0, or -1: no memory. */
int abt_h1_make_room(struct abt_exchange *x, size_t n);

#endif
