/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/ports.h"

#include "base/flow_map.h"
#include "base/siphash.h"

/* So many taken ports are passed by before a TIME-WAIT one met on the way is used again. */
#define LOOK_FOR_FREE       64
#define CLOCK_HAS_TICKED_US 1000000

/* A TIME-WAIT may end for a new connection when the peer can tell the two apart: by a later timestamp, or because our new
 * sequence numbers start beyond the old ones (RFC 6191 §2; the caller sees to that). A second must have passed, so that our
 * timestamp clock has ticked. Not while the application still has it. */
static bool is_reusable(const struct tcp *tcp, const struct tcp_connection *c)
{
    return c->state == TCP_TIME_WAIT && !conn_has(c, CONN_ANNOUNCED) &&
           c->due_us[TCP_TIMER_WAIT] + CLOCK_HAS_TICKED_US <= tcp->now_us + tcp->config.time_wait_us;
}

static void end_time_wait(struct tcp *tcp, struct tcp_connection *c, uint32_t *iss_floor)
{
    *iss_floor = c->snd_nxt;
    tcp->counters.time_wait_reused++;
    conn_finish(tcp, c);
}

/* Would what the peer sends to that port be steered to this core? */
static bool answers_come_here(const struct tcp *tcp, const struct flow_ports *flow, uint16_t port)
{
    return !tcp->config.flows || flow_map_port_core(tcp->config.flows, flow, port) == tcp->config.core;
}

enum assay_error ports_choose(struct tcp *tcp, struct tcp_tuple *tuple, uint32_t *hash, uint32_t *iss_floor)
{
    uint32_t count = (uint32_t)tcp->config.port_max - tcp->config.port_min + 1;
    struct tcp_connection *reusable = NULL;
    bool may_become_reusable = false;
    struct tcp_ports_full *full;
    uint64_t secret;
    uint32_t offset, *next, met = 0;
    struct flow_ports flow = {0};

    *iss_floor = 0;
    tuple->local_port = 0;
    secret = siphash_2_4(tcp->config.secret, tuple, sizeof(*tuple));
    offset = (uint32_t)secret;
    next = &tcp->port_next[(secret >> 32) % TCP_PORT_SLOTS];
    full = &tcp->ports_full[(secret >> 32) % TCP_PORT_SLOTS];
    if (full->destination == secret && full->freed == tcp->ports_freed)
        return ASSAY_ERR_NO_PORT;
    if (tcp->config.flows)
        flow = flow_map_ports(tcp->config.flows, &tuple->remote, tuple->remote_port, &tuple->local);
    for (uint32_t i = 0; i < count; i++) {
        struct tcp_connection *c;

        tuple->local_port = (uint16_t)(tcp->config.port_min + (offset + (*next)++) % count);
        if (!answers_come_here(tcp, &flow, tuple->local_port))
            continue;
        met++;
        *hash = tcp_tuple_hash(tcp, tuple);
        c = tcp_table_find(tcp, tuple, *hash);
        if (!c)
            return ASSAY_OK;
        may_become_reusable |= c->state == TCP_TIME_WAIT;
        if (!reusable && is_reusable(tcp, c))
            reusable = c;
        if (reusable && met > LOOK_FOR_FREE)
            break;
    }
    if (!reusable) {
        if (!may_become_reusable)
            *full = (struct tcp_ports_full){secret, tcp->ports_freed};
        return ASSAY_ERR_NO_PORT;
    }
    tuple->local_port = reusable->local_port;
    *hash = reusable->hash;
    end_time_wait(tcp, reusable, iss_floor);
    return ASSAY_OK;
}

enum assay_error ports_claim(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t *hash, uint32_t *iss_floor)
{
    struct tcp_connection *c;

    *iss_floor = 0;
    *hash = tcp_tuple_hash(tcp, tuple);
    c = tcp_table_find(tcp, tuple, *hash);
    if (c && !is_reusable(tcp, c))
        return ASSAY_ERR_NO_PORT;
    if (c)
        end_time_wait(tcp, c, iss_floor);
    return ASSAY_OK;
}
