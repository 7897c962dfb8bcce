/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_RIG_H
#define ASSAY_TESTS_PACKET_RIG_H
/* What every test of tcp/ stands on: DPDK without devices or huge pages, pools, segments made by hand, and the proof that no
 * mbuf was lost. */
#include <stdbool.h>
#include <stdint.h>

#include "net/packet.h"
#include "tcp/options.h"
#include "tcp/tcp.h"

struct rte_mempool;

struct rig_pools {
    struct rte_mempool *packet, *payload, *indirect;
};

/* Starts EAL in this process, once; prefix must be unique on the machine at the time. Ends the process when that fails. */
void rig_start(const char *prefix);
struct rig_pools rig_pools_create(const char *name, uint32_t mbufs);
void rig_pools_free(struct rig_pools *pools);
/* How many mbufs are missing from the pools. */
uint32_t rig_pools_missing(const struct rig_pools *pools);

/* A deterministic source of numbers (SplitMix64). */
uint64_t rig_random(uint64_t *state);
static inline uint32_t rig_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(rig_random(state) % limit);
}

struct assay_address rig_address(const char *text);

/* The fields of a segment, host order. */
struct rig_segment {
    uint16_t source_port, destination_port;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window, urgent;
    uint8_t options[TCP_OPTIONS_MAX];
    uint8_t options_len;
    const uint8_t *payload;
    uint32_t payload_len;
};

/* As net/ hands it up: headers trimmed, in a packet mbuf with the tailroom that a real one has; pieces > 1 makes it a chain. */
struct net_segment rig_receive(const struct rig_pools *pools, const struct assay_address *src,
                               const struct assay_address *dst, const struct rig_segment *segment, uint32_t pieces);
/* The same from bytes as they are. */
struct net_segment rig_receive_bytes(const struct rig_pools *pools, const struct assay_address *src,
                                     const struct assay_address *dst, const uint8_t *bytes, uint32_t len,
                                     uint32_t pieces);
/* Copies what tcp_output() made, all its pieces, into out; returns the length. */
uint32_t rig_linearize(const struct rte_mbuf *mbuf, uint8_t *out, uint32_t size);
/* Reads it; false when header or options are not right. Points into bytes. */
bool rig_parse(const uint8_t *bytes, uint32_t len, struct rig_segment *out, struct tcp_options *options);

#endif
