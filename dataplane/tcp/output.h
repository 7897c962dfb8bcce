/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_OUTPUT_H
#define ASSAY_TCP_OUTPUT_H
/* Segments out. Nothing is sent but by tcp_output(): the others only say, or prepare, what is due. */
#include "tcp/connection.h"

/* Bytes written and never sent. */
static inline uint32_t output_unsent(const struct tcp_connection *c)
{
    uint32_t flight = c->snd_nxt - c->snd_una;

    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
        return c->send_bytes;
    if (flight > 0 && conn_has(c, CONN_FIN_SENT))
        flight--;
    return c->send_bytes - flight;
}

/* Something is unsent, nothing in flight, and the peer's window is what it waits for. */
bool output_waits_for_window(const struct tcp_connection *c);

/* An ACK of what is here now, for the next tcp_output(): one that no later ACK will stand for. */
void output_ack_at_once(struct tcp *tcp, struct tcp_connection *c);
/* Queues a RST for the connection, which the caller ends. */
void output_reset(struct tcp *tcp, struct tcp_connection *c);
/* Queues a RST (or another bare segment) that belongs to no connection. */
void output_reply(struct tcp *tcp, const struct tcp_reply *reply);

#endif
