/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_FLOW_MAP_H
#define ASSAY_BASE_FLOW_MAP_H
/* Which core a TCP connection belongs to: the Toeplitz hash over its 4-tuple, as a NIC with RSS computes it of the segments
 * that come from the peer, looked up in an indirection table. The same map steers received segments, on a NIC or in software,
 * and says which of our source ports bring the answers of an origin to the core that asks. The key is random per start, so
 * that peers cannot choose a core.
 * Owner: control makes it before the cores run. Thread: any, it is never written again.
 * Units: ports in host order. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "base/toeplitz.h"

#define FLOW_MAP_ENTRIES_MAX 2048
#define FLOW_MAP_ENTRIES     512 /* of a map of our own */

struct flow_map {
    uint32_t cores;
    uint32_t mask; /* entries - 1 */
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];
    struct toeplitz toeplitz;
    uint8_t core_of[FLOW_MAP_ENTRIES_MAX];
};

/* A map of our own, entries dealt out in turn. RANGE: cores is 0 or more than 255. */
enum assay_error flow_map_init(struct flow_map *map, uint32_t cores, const uint8_t key[TOEPLITZ_KEY_BYTES_MAX])
    ASSAY_MUST_USE;
/* The indirection table of a NIC instead: queue k is core k's. RANGE: entries is no power of two, or too many; an entry names a
 * core there is not; a core has no entry. The map is as it was then. */
enum assay_error flow_map_set_table(struct flow_map *map, const uint16_t *queues, uint32_t entries) ASSAY_MUST_USE;

/* Does every core get a fair share (half the average at least) of the ports of a range, whatever the rest of the tuple is? For
 * a random key it may be that the ports do not touch the bits that count: then take another one. */
bool flow_map_is_fair(const struct flow_map *map, uint16_t port_min, uint16_t port_max);

/* addresses: source, then destination, 2 × 4 or 2 × 16 bytes, as received; ports likewise. */
static inline uint32_t flow_map_hash(const struct flow_map *map, const uint8_t *addresses, size_t address_bytes,
                                     const uint8_t ports[4])
{
    return toeplitz_at(&map->toeplitz, 0, addresses, address_bytes * 2) ^
           toeplitz_at(&map->toeplitz, address_bytes * 2, ports, 4);
}

static inline uint32_t flow_map_core(const struct flow_map *map, uint32_t hash)
{
    return map->core_of[hash & map->mask];
}

/* All of a connection's hash but what our port adds to it. */
struct flow_ports {
    uint32_t hash;
    uint32_t offset; /* of our port in the input */
};

struct flow_ports flow_map_ports(const struct flow_map *map, const struct assay_address *remote, uint16_t remote_port,
                                 const struct assay_address *local);

static inline uint32_t flow_map_port_core(const struct flow_map *map, const struct flow_ports *ports, uint16_t port)
{
    const uint8_t wire[2] = {(uint8_t)(port >> 8), (uint8_t)port};

    return flow_map_core(map, ports->hash ^ toeplitz_at(&map->toeplitz, ports->offset, wire, sizeof(wire)));
}

#endif
