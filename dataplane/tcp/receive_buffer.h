/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_RECEIVE_BUFFER_H
#define ASSAY_TCP_RECEIVE_BUFFER_H
/* What came and has not been consumed: a queue in order and one of what lies beyond a gap, both of received mbufs. What they
 * may pin is bounded (truesize, mbufs): small segments are copied into the mbuf before them, a full queue is copied together,
 * and what is out of order gives way to what is in order (RFC 2018 §8 allows that).
 * Owner: the connection. */
#include "tcp/connection.h"

enum receive_result { RECEIVE_TAKEN, RECEIVE_DUPLICATE, RECEIVE_NO_MEMORY };

/* Takes over mbuf, whose bytes begin at seq <= rcv_nxt and end behind it; moves rcv_nxt, over what waited behind the gap too.
 * NO_MEMORY frees mbuf and moves nothing. */
enum receive_result receive_in_order(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf, uint32_t seq);
/* Takes over mbuf, whose bytes begin at seq, behind rcv_nxt. */
enum receive_result receive_out_of_order(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf,
                                         uint32_t seq);

/* The window to offer now, from rcv_nxt on: never less than was offered, and moved only by worthwhile steps (RFC 9293
 * §3.8.6.2.2). */
uint32_t receive_window(const struct tcp *tcp, const struct tcp_connection *c);
/* The largest window there can be for this connection. */
/* Nothing lies at or behind end: what waits there is given up. */
void receive_cut(struct tcp *tcp, struct tcp_connection *c, uint32_t end);
uint32_t receive_window_limit(const struct tcp *tcp, const struct tcp_connection *c);
/* Has consuming made so much room that a peer who waits should be told at once? */
bool receive_window_opened(const struct tcp *tcp, const struct tcp_connection *c);

void receive_consume(struct tcp *tcp, struct tcp_connection *c, size_t len);
void receive_free(struct tcp *tcp, struct tcp_connection *c);
/* Gives up what waits behind the gap: the peer has to send it again. */
void receive_drop_waiting(struct tcp *tcp, struct tcp_connection *c);
/* For tests: bytes and mbufs behind the gap. */
uint32_t receive_waiting(const struct tcp_connection *c, uint32_t *mbufs);

#endif
