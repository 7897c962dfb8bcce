/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/connection.h"
#include "tcp/path.h"
#include "tcp/table.h"

/* RFC 5927 §4.1: what is not in flight cannot have been bounced. */
static bool is_in_flight(const struct tcp_connection *c, uint32_t sequence)
{
    return seq_within(sequence, c->snd_una, c->snd_nxt);
}

uint32_t tcp_icmp_error(struct tcp *tcp, const struct net_icmp_error *error, uint64_t now_us, struct tcp_event *events,
                        uint32_t events_max)
{
    struct tcp_tuple tuple = {error->local, error->remote, error->local_port, error->remote_port};
    struct tcp_connection *c = tcp_table_find(tcp, &tuple, tcp_tuple_hash(tcp, &tuple));

    tcp->now_us = now_us;
    if (!c || !is_in_flight(c, error->sequence)) {
        tcp->counters.icmp_ignored++;
        return conn_flush_events(tcp, events, events_max);
    }
    tcp->counters.icmp_errors++;
    if (error->kind == NET_ERROR_TOO_BIG && conn_synchronized(c) && !path_too_big(tcp, c, error->sequence, error->mtu))
        tcp->counters.path_mtu_refused++;
    /* RFC 5461 §4.1: while nothing is established there is nothing to protect, and an early answer is worth more than retries;
     * afterwards no ICMP error ends a connection (RFC 5927 §5.2): retransmission finds out. */
    if (c->state == TCP_SYN_SENT && error->kind == NET_ERROR_HARD)
        conn_fail(tcp, c, TCP_REASON_UNREACHABLE);
    return conn_flush_events(tcp, events, events_max);
}
