/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/flow_map.h"

#include <string.h>

#include "base/address.h"

#define IP4_BYTES 4
#define IP6_BYTES 16

enum assay_error flow_map_init(struct flow_map *map, uint32_t cores, const uint8_t key[TOEPLITZ_KEY_BYTES_MAX])
{
    if (cores == 0 || cores > UINT8_MAX)
        return ASSAY_ERR_RANGE;
    memset(map, 0, sizeof(*map));
    map->cores = cores;
    map->mask = FLOW_MAP_ENTRIES - 1;
    memcpy(map->key, key, sizeof(map->key));
    toeplitz_init(&map->toeplitz, key);
    for (uint32_t i = 0; i < FLOW_MAP_ENTRIES; i++)
        map->core_of[i] = (uint8_t)(i % cores);
    return ASSAY_OK;
}

enum assay_error flow_map_set_table(struct flow_map *map, const uint16_t *queues, uint32_t entries)
{
    uint32_t entries_of[UINT8_MAX] = {0};

    if (entries == 0 || entries > FLOW_MAP_ENTRIES_MAX || (entries & (entries - 1)) != 0)
        return ASSAY_ERR_RANGE;
    for (uint32_t i = 0; i < entries; i++) {
        if (queues[i] >= map->cores)
            return ASSAY_ERR_RANGE;
        entries_of[queues[i]]++;
    }
    for (uint32_t core = 0; core < map->cores; core++)
        if (entries_of[core] == 0)
            return ASSAY_ERR_RANGE;
    for (uint32_t i = 0; i < entries; i++)
        map->core_of[i] = (uint8_t)queues[i];
    map->mask = entries - 1;
    return ASSAY_OK;
}

/* For connections whose hash without the port is this one in the bits that count. */
static bool is_fair_for(const struct flow_map *map, uint32_t hash, uint32_t offset, uint16_t port_min,
                        uint16_t port_max)
{
    uint32_t ports = (uint32_t)port_max - port_min + 1, ports_of[UINT8_MAX] = {0};
    struct flow_ports flow = {hash, offset};

    for (uint32_t port = port_min; port <= port_max; port++)
        ports_of[flow_map_port_core(map, &flow, (uint16_t)port)]++;
    for (uint32_t core = 0; core < map->cores; core++)
        if (ports_of[core] < (ports + 2 * map->cores - 1) / (2 * map->cores))
            return false;
    return true;
}

bool flow_map_is_fair(const struct flow_map *map, uint16_t port_min, uint16_t port_max)
{
    /* The bits that a port does not reach move all ports alike; each of the others has its own table entry. A sample of them
     * tells: a key is bad for most, or for none. */
    uint32_t step = (map->mask / 64 + 1) | 1; /* odd: the lowest bits vary */

    for (uint32_t hash = 0; hash <= map->mask; hash += step)
        if (!is_fair_for(map, hash, IP4_BYTES * 2 + 2, port_min, port_max) ||
            !is_fair_for(map, hash, IP6_BYTES * 2 + 2, port_min, port_max))
            return false;
    return true;
}

struct flow_ports flow_map_ports(const struct flow_map *map, const struct assay_address *remote, uint16_t remote_port,
                                 const struct assay_address *local)
{
    const uint8_t wire[2] = {(uint8_t)(remote_port >> 8), (uint8_t)remote_port};
    size_t bytes = address_is_ip4(remote) ? IP4_BYTES : IP6_BYTES, skip = IP6_BYTES - bytes;

    return (struct flow_ports){
        .hash = toeplitz_at(&map->toeplitz, 0, remote->bytes + skip, bytes) ^
                toeplitz_at(&map->toeplitz, bytes, local->bytes + skip, bytes) ^
                toeplitz_at(&map->toeplitz, bytes * 2, wire, sizeof(wire)),
        .offset = (uint32_t)(bytes * 2 + sizeof(wire)),
    };
}
