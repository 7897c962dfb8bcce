/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/walk.h"

#include "tcp/connection.h"

/* A closed one of which the application has not let go yet is in no table, but it holds a slot. */
static bool is_there(const struct tcp_connection *c)
{
    return conn_has(c, CONN_IN_TABLE | CONN_ANNOUNCED);
}

/* Time may have been read before it was stamped, in the same turn. */
static uint64_t since(uint64_t now_us, uint64_t then_us)
{
    return now_us > then_us ? now_us - then_us : 0;
}

static uint32_t unsent_bytes(const struct tcp_connection *c)
{
    uint32_t flight = c->snd_nxt - c->snd_una;

    /* SYN and FIN count as sequence numbers, not as bytes */
    if (!conn_synchronized(c))
        return c->send_bytes;
    if (conn_has(c, CONN_FIN_SENT) && flight > 0)
        flight--;
    return c->send_bytes > flight ? c->send_bytes - flight : 0;
}

static void fill(const struct tcp *tcp, const struct tcp_connection *c, uint64_t now_us, struct tcp_row *out)
{
    *out = (struct tcp_row){
        .local = c->local,
        .remote = c->remote,
        .local_port = c->local_port,
        .remote_port = c->remote_port,
        .state = tcp_state_text(c->state),
        .passive = conn_has(c, CONN_PASSIVE),
        .orphan = conn_has(c, CONN_ORPHAN),
        .ecn = c->ecn & ECN_ON,
        .handle = conn_handle(tcp, c),
        .user = c->user,
        .srtt_us = c->srtt_us,
        .rto_us = c->rto_us,
        .cwnd_bytes = c->cwnd,
        .ssthresh_bytes = c->ssthresh,
        .mss = c->snd_mss,
        .send_bytes = c->send_bytes,
        .unsent_bytes = unsent_bytes(c),
        .receive_bytes = c->receive_bytes,
        .retransmits = c->retransmits,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .age_us = since(now_us, c->opened_us),
        .idle_us = since(now_us, c->last_in_us > c->last_out_us ? c->last_in_us : c->last_out_us),
    };
}

uint32_t tcp_walk_slots(const struct tcp *tcp)
{
    return tcp->config.connections_max;
}

bool tcp_walk(const struct tcp *tcp, uint32_t *slot, uint32_t end, uint64_t now_us, struct tcp_row *out)
{
    if (end > tcp->config.connections_max)
        end = tcp->config.connections_max;
    while (*slot < end) {
        const struct tcp_connection *c = &tcp->connections[(*slot)++];

        if (!is_there(c))
            continue;
        fill(tcp, c, now_us, out);
        return true;
    }
    return false;
}
