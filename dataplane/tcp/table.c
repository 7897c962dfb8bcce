/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/table.h"

#include "base/address.h"
#include "base/siphash.h"

uint32_t tcp_tuple_hash(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
    return (uint32_t)siphash_1_3(tcp->config.secret, tuple, sizeof(*tuple));
}

static bool has_tuple(const struct tcp_connection *c, const struct tcp_tuple *tuple)
{
    return c->local_port == tuple->local_port && c->remote_port == tuple->remote_port &&
           address_equal(&c->remote, &tuple->remote) && address_equal(&c->local, &tuple->local);
}

struct tcp_connection *tcp_table_find(const struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t hash)
{
    uint32_t index = tcp->buckets[hash & tcp->bucket_mask];

    while (index != TCP_NONE) {
        struct tcp_connection *c = &tcp->connections[index];

        if (c->hash == hash && has_tuple(c, tuple))
            return c;
        index = c->hash_next;
    }
    return NULL;
}

void tcp_table_insert(struct tcp *tcp, struct tcp_connection *c)
{
    uint32_t *bucket = &tcp->buckets[c->hash & tcp->bucket_mask];

    c->hash_next = *bucket;
    *bucket = conn_index(tcp, c);
    c->flags |= CONN_IN_TABLE;
}

void tcp_table_remove(struct tcp *tcp, struct tcp_connection *c)
{
    uint32_t *link = &tcp->buckets[c->hash & tcp->bucket_mask];
    uint32_t index = conn_index(tcp, c);

    if (!conn_has(c, CONN_IN_TABLE))
        return;
    while (*link != index) {
        assert(*link != TCP_NONE);
        link = &tcp->connections[*link].hash_next;
    }
    *link = c->hash_next;
    c->hash_next = TCP_NONE;
    c->flags &= ~(uint32_t)CONN_IN_TABLE;
    if (!conn_has(c, CONN_PASSIVE))
        tcp->ports_freed++;
}

static bool is_any(const struct assay_address *address)
{
    static const struct assay_address zero;

    return address_equal(address, &zero) || (address_is_ip4(address) && address_ip4_be(address) == 0);
}

uint32_t tcp_listener_find(const struct tcp *tcp, const struct assay_address *local, uint16_t port)
{
    uint32_t any = TCP_NONE;

    for (uint32_t i = 0; i < tcp->listener_count; i++) {
        const struct tcp_listener *listener = &tcp->listeners[i];

        if (!listener->live || listener->port != port)
            continue;
        if (address_equal(&listener->local, local))
            return i;
        if (is_any(&listener->local))
            any = i;
    }
    return any;
}
