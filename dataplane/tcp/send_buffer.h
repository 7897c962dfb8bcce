/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_SEND_BUFFER_H
#define ASSAY_TCP_SEND_BUFFER_H
/* What the application wrote and the peer has not acknowledged: payload mbufs in order, filled to the brim, whatever the
 * segments are. A transmission refers to them by indirect mbufs; a payload mbuf goes back to its pool when it is acknowledged
 * and the port has let go of every indirect one (their reference count). */
#include "tcp/connection.h"

/* Copies up to len bytes behind what is there; returns how many fitted into pool and limits. */
size_t send_buffer_append(struct tcp *tcp, struct tcp_connection *c, const uint8_t *data, size_t len);
/* How many bytes an append would take, as far as limits go (the pool may still say no). */
size_t send_buffer_room(const struct tcp *tcp, const struct tcp_connection *c);
/* Drops len acknowledged bytes from the head. */
void send_buffer_acked(struct tcp_connection *c, uint32_t len);
void send_buffer_free(struct tcp_connection *c);

/* Where the next unsent byte is: normalised so that at least one byte is there if any is unsent. */
void send_buffer_cursor(struct tcp_connection *c, struct rte_mbuf **mbuf, uint16_t *offset);
/* Moves that place len bytes on. */
void send_buffer_advance(struct tcp_connection *c, uint32_t len);
/* The place len bytes after another. */
void send_buffer_step(struct rte_mbuf **mbuf, uint16_t *offset, uint32_t len);

/* Chains len bytes from a place on behind header (a fresh packet mbuf): short ones copied, others by indirect mbufs. False
 * when the indirect pool is empty; header is then unchanged but for its chain, and the caller frees it. */
bool send_buffer_attach(struct tcp *tcp, struct rte_mbuf *header, struct rte_mbuf *mbuf, uint16_t offset, uint32_t len);

#endif
