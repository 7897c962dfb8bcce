/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include "base/address.h"

#define HEADERS_BEFORE 34 /* Ethernet and IPv4, as a received packet has them in front */

void rig_start(const char *prefix)
{
    char file_prefix[64];
    const char *const arguments[] = {
        "test",          "--no-huge", "--no-pci",          "-m", "256", "--no-shconf", "--no-telemetry",
        "--file-prefix", file_prefix, "--log-level=error", "-l", "0"};
    char *argv[sizeof(arguments) / sizeof(arguments[0])];

    for (size_t i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
        argv[i] = (char *)(uintptr_t)arguments[i];
    snprintf(file_prefix, sizeof(file_prefix), "%s-%d", prefix, (int)getpid());
    if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0) {
        fprintf(stderr, "rig: EAL does not start\n");
        exit(99);
    }
}

struct rig_pools rig_pools_create(const char *name, uint32_t mbufs)
{
    struct rig_pools pools;
    char text[32];

    snprintf(text, sizeof(text), "%s-packet", name);
    pools.packet = rte_pktmbuf_pool_create(text, mbufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    snprintf(text, sizeof(text), "%s-payload", name);
    pools.payload = rte_pktmbuf_pool_create(text, mbufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    snprintf(text, sizeof(text), "%s-indirect", name);
    pools.indirect = rte_pktmbuf_pool_create(text, mbufs * 2, 0, 0, 0, SOCKET_ID_ANY);
    if (!pools.packet || !pools.payload || !pools.indirect) {
        fprintf(stderr, "rig: no memory for pools\n");
        exit(99);
    }
    return pools;
}

void rig_pools_free(struct rig_pools *pools)
{
    rte_mempool_free(pools->packet);
    rte_mempool_free(pools->payload);
    rte_mempool_free(pools->indirect);
}

uint32_t rig_pools_missing(const struct rig_pools *pools)
{
    return rte_mempool_in_use_count(pools->packet) + rte_mempool_in_use_count(pools->payload) +
           rte_mempool_in_use_count(pools->indirect);
}

uint64_t rig_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct assay_address rig_address(const char *text)
{
    struct assay_address address;

    if (address_parse(slice_text(text), &address)) {
        fprintf(stderr, "rig: %s is no address\n", text);
        exit(99);
    }
    return address;
}

static struct rte_mbuf *fresh(const struct rig_pools *pools)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pools->packet);

    if (!mbuf) {
        fprintf(stderr, "rig: packet pool is empty\n");
        exit(99);
    }
    return mbuf;
}

struct net_segment rig_receive_bytes(const struct rig_pools *pools, const struct assay_address *src,
                                     const struct assay_address *dst, const uint8_t *bytes, uint32_t len,
                                     uint32_t pieces)
{
    struct net_segment packet = {.src = *src, .dst = *dst, .length = (uint16_t)len};
    struct rte_mbuf **link = &packet.mbuf, *head = fresh(pools);
    uint32_t at = 0;

    rte_pktmbuf_append(head, HEADERS_BEFORE);
    rte_pktmbuf_adj(head, HEADERS_BEFORE);
    for (uint32_t piece = 0; piece < pieces; piece++) {
        /* The header's 60 bytes are contiguous; the rest is cut anywhere. */
        uint32_t share = pieces == 1 ? len : (len - at) / (pieces - piece);
        struct rte_mbuf *mbuf = piece == 0 ? head : fresh(pools);

        if (piece == 0 && share < 60)
            share = len < 60 ? len : 60;
        if (piece == pieces - 1)
            share = len - at;
        /* No bytes may be no pointer either. */
        if (share)
            memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), bytes + at, share);
        mbuf->data_len = (uint16_t)share;
        at += share;
        *link = mbuf;
        link = &mbuf->next;
    }
    head->nb_segs = (uint16_t)pieces;
    head->pkt_len = len;
    return packet;
}

struct net_segment rig_receive(const struct rig_pools *pools, const struct assay_address *src,
                               const struct assay_address *dst, const struct rig_segment *segment, uint32_t pieces)
{
    uint8_t bytes[8192];
    struct tcp_header header = {
        .source_port_be = rte_cpu_to_be_16(segment->source_port),
        .destination_port_be = rte_cpu_to_be_16(segment->destination_port),
        .sequence_be = rte_cpu_to_be_32(segment->seq),
        .acknowledgment_be = rte_cpu_to_be_32(segment->ack),
        .data_offset = (uint8_t)((sizeof(header) + segment->options_len + 3) / 4 << 4),
        .flags = segment->flags,
        .window_be = rte_cpu_to_be_16(segment->window),
        .urgent_be = rte_cpu_to_be_16(segment->urgent),
    };
    uint32_t len = (uint32_t)(header.data_offset >> 4) * 4;

    memset(bytes, 0, sizeof(header) + TCP_OPTIONS_MAX);
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), segment->options, segment->options_len);
    if (segment->payload_len)
        memcpy(bytes + len, segment->payload, segment->payload_len);
    return rig_receive_bytes(pools, src, dst, bytes, len + segment->payload_len, pieces);
}

uint32_t rig_linearize(const struct rte_mbuf *mbuf, uint8_t *out, uint32_t size)
{
    uint32_t len = 0, pkt_len = mbuf->pkt_len, segs = mbuf->nb_segs;

    for (; mbuf; mbuf = mbuf->next, segs--) {
        if (len + mbuf->data_len > size) {
            fprintf(stderr, "rig: segment of more than %u bytes\n", size);
            exit(99);
        }
        memcpy(out + len, rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->data_len);
        len += mbuf->data_len;
    }
    if (len != pkt_len || segs != 0) {
        fprintf(stderr, "rig: chain of %u bytes says %u\n", len, pkt_len);
        exit(99);
    }
    return len;
}

bool rig_parse(const uint8_t *bytes, uint32_t len, struct rig_segment *out, struct tcp_options *options)
{
    struct tcp_header header;
    uint32_t header_len;

    if (len < sizeof(header))
        return false;
    memcpy(&header, bytes, sizeof(header));
    header_len = (uint32_t)(header.data_offset >> 4) * 4;
    if (header_len < sizeof(header) || header_len > len || header.checksum_be != 0)
        return false;
    *out = (struct rig_segment){
        .source_port = rte_be_to_cpu_16(header.source_port_be),
        .destination_port = rte_be_to_cpu_16(header.destination_port_be),
        .seq = rte_be_to_cpu_32(header.sequence_be),
        .ack = rte_be_to_cpu_32(header.acknowledgment_be),
        .flags = header.flags,
        .window = rte_be_to_cpu_16(header.window_be),
        .urgent = rte_be_to_cpu_16(header.urgent_be),
        .options_len = (uint8_t)(header_len - sizeof(header)),
        .payload = bytes + header_len,
        .payload_len = len - header_len,
    };
    memcpy(out->options, bytes + sizeof(header), out->options_len);
    return tcp_options_parse(slice_of(out->options, out->options_len), header.flags & TCP_FLAG_SYN, options) ==
           ASSAY_OK;
}
