/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/dispatch.h"

#include <string.h>

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "base/flow_map.h"
#include "net/mesh.h"
#include "net/steer.h"

#define RSS_CHECK_FIRST 1024 /* so many hashes of a port are compared before one is used */
#define RSS_CHECK_EVERY 64   /* and every so manieth from then on */
#define RSS_WRONG_MAX \
    8 /* a peer's damaged packets may be hashed otherwise: an eighth, and not fewer than these, is too much */

void dispatch_init(struct dispatch *dispatch, const struct flow_map *map, struct mesh *mesh, struct rte_mempool *pool,
                   uint32_t core)
{
    *dispatch = (struct dispatch){.map = map, .mesh = mesh, .pool = pool, .core = core};
}

void dispatch_use_rss(struct dispatch *dispatch, uint32_t port)
{
    dispatch->rss[port] = (struct dispatch_rss){.used = true};
}

/* --- whose ------------------------------------------------------------------------------------------------------------------ */

static uint32_t hash_of(const struct dispatch *d, const struct steer_flow *flow)
{
    return flow_map_hash(d->map, flow->addresses, flow->address_bytes, flow->ports);
}

static void judge_rss(struct dispatch *d, struct dispatch_rss *rss, bool right)
{
    rss->checked++;
    d->counters.rss_checked++;
    if (right)
        return;
    rss->wrong++;
    d->counters.rss_wrong++;
    if (rss->wrong >= RSS_WRONG_MAX && rss->wrong > rss->checked / 8) {
        rss->used = false;
        d->counters.rss_given_up++;
    }
}

static uint32_t hash_of_plain(struct dispatch *d, struct dispatch_rss *rss, const struct rte_mbuf *m,
                              const struct steer_flow *flow)
{
    bool hashed = (m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0;
    uint32_t hash;

    if (!rss->used)
        return hash_of(d, flow);
    if (rss->seen++ >= RSS_CHECK_FIRST && hashed && rss->seen % RSS_CHECK_EVERY != 0) {
        d->counters.rss_used++;
        return m->hash.rss;
    }
    hash = hash_of(d, flow);
    judge_rss(d, rss, hashed && m->hash.rss == hash);
    return hash;
}

/* The core a frame is for; the number of cores for one that is for all. */
static uint32_t owner_of(struct dispatch *d, uint32_t port, const struct rte_mbuf *m)
{
    uint8_t copy[STEER_BYTES];
    uint32_t len = m->pkt_len < STEER_BYTES ? m->pkt_len : STEER_BYTES;
    const uint8_t *head = rte_pktmbuf_read(m, 0, len, copy);
    struct steer_flow flow;

    switch (steer_frame(slice_of(head, len), &flow)) {
    case STEER_ALL: return d->map->cores;
    case STEER_FRAGMENT: d->counters.fragments++; return flow_map_core(d->map, hash_of(d, &flow));
    case STEER_FLOW:
        if (flow.plain)
            return flow_map_core(d->map, hash_of_plain(d, &d->rss[port], m, &flow));
        return flow_map_core(d->map, hash_of(d, &flow));
    case STEER_QUOTED: d->counters.icmp_errors++; return flow_map_core(d->map, hash_of(d, &flow));
    case STEER_HERE: break;
    }
    return d->core;
}

/* --- to it --------------------------------------------------------------------------------------------------------------------- */

static bool hand_over(struct dispatch *d, uint32_t to, struct rte_mbuf *m)
{
    if (mesh_put(d->mesh, d->core, to, m))
        return true;
    d->counters.drop_full++;
    rte_pktmbuf_free(m);
    return false;
}

static void copy_to_others(struct dispatch *d, const struct rte_mbuf *m)
{
    for (uint32_t to = 0; to < d->map->cores; to++) {
        struct rte_mbuf *copy;

        if (to == d->core)
            continue;
        copy = rte_pktmbuf_copy(m, d->pool, 0, UINT32_MAX);
        if (copy == NULL) {
            d->counters.drop_no_mbuf++;
            continue;
        }
        copy->port = m->port;
        d->counters.copied += hand_over(d, to, copy);
    }
}

uint32_t dispatch_frames(struct dispatch *d, uint32_t port, struct rte_mbuf **packets, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct rte_mbuf *m = packets[i];
        uint32_t owner;

        if (i + 2 < n)
            rte_prefetch0(rte_pktmbuf_mtod(packets[i + 2], void *));
        m->port = (uint16_t)port;
        owner = owner_of(d, port, m);
        if (owner == d->map->cores)
            copy_to_others(d, m);
        if (owner == d->core || owner == d->map->cores)
            packets[kept++] = m;
        else
            d->counters.handed_over += hand_over(d, owner, m);
    }
    d->counters.kept += kept;
    mesh_publish(d->mesh, d->core);
    return kept;
}

uint32_t dispatch_take(struct dispatch *d, struct rte_mbuf **packets, uint32_t max)
{
    uint32_t n = mesh_take(d->mesh, d->core, packets, max);

    d->counters.taken += n;
    return n;
}
