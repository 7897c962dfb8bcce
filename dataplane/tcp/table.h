/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_TABLE_H
#define ASSAY_TCP_TABLE_H
/* Which connection, which listener: the 4-tuple table (O(1), chained through the connections; keyed, so that a peer cannot
 * choose the bucket) and the short list of listeners. */
#include <rte_prefetch.h>

#include "tcp/connection.h"

struct tcp_tuple {
    struct assay_address local, remote;
    uint16_t local_port, remote_port;
};
static_assert(sizeof(struct tcp_tuple) == 36, "hashed as bytes: no padding");

uint32_t tcp_tuple_hash(const struct tcp *tcp, const struct tcp_tuple *tuple);

/* Looking a burst up in steps, so that its cache misses overlap: first the bucket of each hash, then, when these are here, the
 * connection at the head of each chain (as a rule the one that is looked for). */
static inline void tcp_table_prefetch_bucket(const struct tcp *tcp, uint32_t hash)
{
    rte_prefetch0(&tcp->buckets[hash & tcp->bucket_mask]);
}

static inline void tcp_table_prefetch(const struct tcp *tcp, uint32_t hash)
{
    uint32_t index = tcp->buckets[hash & tcp->bucket_mask];
    const char *lines;

    if (index == TCP_NONE)
        return;
    lines = (const char *)&tcp->connections[index];
    for (uint32_t i = 0; i < TCP_CONNECTION_HOT_LINES; i++)
        rte_prefetch0(lines + (size_t)64 * i);
}

struct tcp_connection *tcp_table_find(const struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t hash);
/* c carries tuple and hash; the tuple must not be in the table. */
void tcp_table_insert(struct tcp *tcp, struct tcp_connection *c);
void tcp_table_remove(struct tcp *tcp, struct tcp_connection *c);

/* The listener for a destination: the exact address before "any". Its index, or TCP_NONE. */
uint32_t tcp_listener_find(const struct tcp *tcp, const struct assay_address *local, uint16_t port);

#endif
