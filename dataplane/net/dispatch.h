/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_DISPATCH_H
#define ASSAY_NET_DISPATCH_H
/* Received frames to the core they are for (DESIGN 2). Whatever queue a frame came in on, the core that owns its connection
 * gets it: the port's own RSS makes that the rule, the mesh is for the rest, and for ports without RSS. The owner follows from
 * the flow map alone, so it stays the same when a port's hashes turn out wrong and are no longer used.
 * Owner: a frame that is handed over belongs to the other core; frames are of one pool of all cores, so that none can starve
 * another by what it holds. Thread: one core. Packets carry the index of their port in mbuf->port from here on. */
#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

struct flow_map;
struct mesh;

struct dispatch_counters {
#define DISPATCH_COUNTER(name, help) uint64_t name;
#include "net/dispatch_counters.def"
#undef DISPATCH_COUNTER
};

/* What is believed of a port's hashes. */
struct dispatch_rss {
    bool used;
    uint32_t seen, checked, wrong;
};

struct dispatch {
    const struct flow_map *map;
    struct mesh *mesh;
    struct rte_mempool *pool; /* for copies */
    uint32_t core;
    struct dispatch_rss rss[NET_PORTS_MAX];
    struct dispatch_counters counters;
};

void dispatch_init(struct dispatch *dispatch, const struct flow_map *map, struct mesh *mesh, struct rte_mempool *pool,
                   uint32_t core);
/* The port hashes TCP over IPv4 and IPv6 with the map's key, and says the hash in the mbuf. It is believed as long as samples
 * prove it. */
void dispatch_use_rss(struct dispatch *dispatch, uint32_t port);

/* Frames received on port: those for this core stay, in order, at the head of packets; returns how many. */
uint32_t dispatch_frames(struct dispatch *dispatch, uint32_t port, struct rte_mbuf **packets, uint32_t n);
/* Frames that others have handed to this core, at most max; returns how many. */
uint32_t dispatch_take(struct dispatch *dispatch, struct rte_mbuf **packets, uint32_t max);

#endif
