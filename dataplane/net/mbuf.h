/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_MBUF_H
#define ASSAY_NET_MBUF_H
/* What DPDK's mbuf library does not do safely on chains: pulling headers together, cutting at any segment, flattening, and
 * the Internet checksum over a chain with odd segments.
 * Owner: the caller's; a packet that is replaced by a copy is freed. Thread: any, of its own packets.
 * Source: RFC 1071 (checksum). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "assay/address.h"

/* May its data be written: not shared, not another's buffer. */
static inline bool mbuf_writable(const struct rte_mbuf *m)
{
    return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1;
}

/* Makes the first len bytes (at most pkt_len) contiguous. The packet may be replaced by a copy from pool. False, and the packet
 * as it was, when the pool is empty. */
bool mbuf_pull(struct rte_mbuf **packet, uint32_t len, struct rte_mempool *pool);

/* Cuts the packet to its first len bytes (0 < len <= pkt_len), whichever segment that is in. */
void mbuf_truncate(struct rte_mbuf *packet, uint32_t len);

/* The packet in one segment: into the tail of the first where that may be written and has room, else a copy from pool, with
 * the packet freed. NULL, and the packet as it was, when it does not fit one buffer or the pool is empty. */
struct rte_mbuf *mbuf_flatten(struct rte_mbuf *packet, struct rte_mempool *pool);

/* One's complement sum of data, folded to 16 bits and not inverted, in memory order; sum is what to begin with. */
uint16_t checksum_add(uint32_t sum, const void *data, size_t len);
/* The same over a packet from offset to its end. */
uint16_t mbuf_checksum(uint32_t sum, const struct rte_mbuf *packet, uint32_t offset);
/* The sum of the IPv4 pseudo header (RFC 9293 §3.1). */
uint16_t checksum_pseudo4(uint32_t src_be, uint32_t dst_be, uint8_t protocol, uint16_t length);
/* The sum of the IPv6 pseudo header (RFC 8200 §8.1). */
uint16_t checksum_pseudo6(const struct assay_address *src, const struct assay_address *dst, uint8_t protocol,
                          uint32_t length);

#endif
