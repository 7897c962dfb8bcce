/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"
#include "tcp/connection.h"
#include "tcp/table.h"

#define ICMP4_UNREACHABLE   3
#define ICMP4_FRAGMENTATION 4 /* a code of it: path MTU, no failure */
#define ICMP6_UNREACHABLE   1

/* Does the error say that the destination cannot be reached, whatever the reason? */
static bool is_unreachable(const struct net_icmp_error *error)
{
    if (address_is_ip4(&error->remote))
        return error->type == ICMP4_UNREACHABLE && error->code != ICMP4_FRAGMENTATION;
    return error->type == ICMP6_UNREACHABLE;
}

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
    /* RFC 5461 §4.1: while nothing is established there is nothing to protect, and an early answer is worth more than retries;
     * afterwards no ICMP error ends a connection (RFC 5927 §5.2): retransmission finds out. */
    if (c->state == TCP_SYN_SENT && is_unreachable(error))
        conn_fail(tcp, c, TCP_REASON_UNREACHABLE);
    return conn_flush_events(tcp, events, events_max);
}
