/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "base/siphash.h"
#include "net/mbuf.h"
#include "tcp/wire.h"

#define PROTOCOL_TCP    6
#define CHECKSUM_OFFSET 16

void link_init(struct link *link, const struct link_config *config, uint64_t seed)
{
    *link = (struct link){.config = *config, .random = seed};
}

static uint64_t digest_of(const struct rte_mbuf *mbuf)
{
    static const uint8_t key[SIPHASH_KEY_BYTES];
    uint64_t digest = 0;

    for (; mbuf; mbuf = mbuf->next) {
        const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

        digest = siphash_1_3(key, bytes, mbuf->data_len) ^ digest * 31;
    }
    return digest;
}

static void hold(struct link *link, struct rte_mbuf *mbuf, uint64_t now_us)
{
    struct link_held *held = malloc(sizeof(*held));

    *held = (struct link_held){.until_us = now_us + rig_below(&link->random, link->config.hold_us + 1),
                               .mbuf = mbuf,
                               .digest = digest_of(mbuf)};
    if (link->held_last)
        link->held_last->next = held;
    else
        link->held_first = held;
    link->held_last = held;
}

static void release(struct link *link, uint64_t now_us)
{
    while (link->held_first && link->held_first->until_us <= now_us) {
        struct link_held *held = link->held_first;

        link->held_first = held->next;
        if (!link->held_first)
            link->held_last = NULL;
        if (digest_of(held->mbuf) != held->digest)
            link->changed = true;
        rte_pktmbuf_free(held->mbuf);
        free(held);
    }
}

static bool happens(struct link *link, uint32_t ppm)
{
    return ppm > 0 && rig_below(&link->random, 1000000) < ppm;
}

uint32_t link_loss_ppm(const struct link_config *config)
{
    uint64_t bursts = 0;

    if (config->burst_enter_ppm)
        bursts = (uint64_t)config->burst_loss_ppm * config->burst_enter_ppm /
                 (config->burst_enter_ppm + config->burst_leave_ppm);
    return config->loss_ppm + config->corrupt_ppm + (uint32_t)bursts;
}

static bool is_lost(struct link *link, uint32_t len, bool ip4, uint64_t now_us)
{
    const struct link_config *config = &link->config;

    if (link->in_burst) {
        link->in_burst = now_us < link->burst_until_us && !happens(link, config->burst_leave_ppm);
    } else if (happens(link, config->burst_enter_ppm)) {
        link->in_burst = true;
        link->burst_until_us = now_us + config->burst_us;
    }
    if (config->dead_from_us && now_us >= config->dead_from_us)
        return true;
    if (config->mtu_bytes && len + (ip4 ? 20 : 40) > config->mtu_bytes)
        return true;
    return happens(link, config->loss_ppm) || (link->in_burst && happens(link, config->burst_loss_ppm));
}

/* --- corruption ------------------------------------------------------------------------------------------------------- */

static uint32_t pseudo_sum(const struct link_packet *packet)
{
    if (address_is_ip4(&packet->src))
        return checksum_pseudo4(address_ip4_be(&packet->src), address_ip4_be(&packet->dst), PROTOCOL_TCP,
                                (uint16_t)packet->len);
    return checksum_pseudo6(&packet->src, &packet->dst, PROTOCOL_TCP, packet->len);
}

/* As net/ does where the port cannot. */
static void fill_checksum(struct link_packet *packet)
{
    uint16_t sum = (uint16_t)~checksum_add(pseudo_sum(packet), packet->bytes, packet->len);

    memcpy(packet->bytes + CHECKSUM_OFFSET, &sum, sizeof(sum));
}

/* Some bits of two neighbouring bytes: no checksum of 16 bits may miss that. */
static void corrupt(struct link *link, struct link_packet *packet)
{
    uint32_t at = rig_below(&link->random, packet->len - 1);
    uint16_t bits = (uint16_t)(1 + rig_below(&link->random, 0x7fff));

    packet->bytes[at] ^= (uint8_t)(bits >> 8);
    packet->bytes[at + 1] ^= (uint8_t)bits;
    link->corrupted++;
}

/* net/'s own judgement of what has arrived; tcp/ then sees it with the field as it came, which it does not look at. */
static bool is_intact(const struct link_packet *packet, const struct rte_mbuf *mbuf)
{
    return mbuf_checksum(pseudo_sum(packet), mbuf, 0) == 0xffff;
}

static void enqueue(struct link *link, const struct link_packet *packet)
{
    struct link_packet **at = &link->packets, *copy = malloc(sizeof(*copy));

    *copy = *packet;
    while (*at && (*at)->at_us <= copy->at_us)
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
}

static void mark(struct link *link, struct link_packet *packet)
{
    if (packet->ecn == NET_ECN_NONE)
        return;
    packet->ecn = NET_ECN_CE;
    link->marked++;
}

/* When it leaves the bottleneck, or 0 when its queue is full. */
static uint64_t through_bottleneck(struct link *link, struct link_packet *packet, uint64_t now_us)
{
    const struct link_config *config = &link->config;
    uint64_t start_us = link->busy_until_us > now_us ? link->busy_until_us : now_us, waiting;

    if (config->bytes_per_ms == 0)
        return now_us;
    waiting = (start_us - now_us) * config->bytes_per_ms / 1000 + packet->len;
    if (waiting > config->queue_bytes)
        return 0;
    if (config->mark_bytes && waiting > config->mark_bytes)
        mark(link, packet);
    link->busy_until_us = start_us + (uint64_t)(packet->len + 54) * 1000 / config->bytes_per_ms + 1;
    return link->busy_until_us;
}

static void print_segment(const struct link *link, const struct link_packet *packet, uint64_t now_us, bool lost)
{
    struct tcp_options options;
    struct rig_segment segment;

    if (!rig_parse(packet->bytes, packet->len, &segment, &options))
        return;
    printf("%10lu %s :%u>:%u %s%s%s%s%s%s%s %u+%u ack %u win %u", now_us, link->trace, segment.source_port,
           segment.destination_port, segment.flags & TCP_FLAG_SYN ? "S" : "", segment.flags & TCP_FLAG_FIN ? "F" : "",
           segment.flags & TCP_FLAG_RST ? "R" : "", segment.flags & TCP_FLAG_PSH ? "P" : "",
           segment.flags & TCP_FLAG_ECE ? "E" : "", segment.flags & TCP_FLAG_CWR ? "C" : "",
           packet->ecn == NET_ECN_CE ? " ce" : "", segment.seq, segment.payload_len, segment.ack, segment.window);
    for (uint32_t i = 0; i < options.sack_count; i++)
        printf(" sack %u-%u", options.sack[i].start, options.sack[i].end);
    if (options.has_timestamps)
        printf(" ts %u %u", options.ts_value, options.ts_echo);
    if (options.has_window_scale)
        printf(" shift %u", options.window_shift);
    printf("%s\n", lost ? " lost" : "");
}

static void transmit_packet(struct link *link, struct link_packet *packet, uint64_t now_us)
{
    const struct link_config *config = &link->config;
    uint64_t out_us;
    bool lost;

    link->sent++;
    out_us = through_bottleneck(link, packet, now_us);
    if (happens(link, config->mark_ppm))
        mark(link, packet);
    lost = is_lost(link, packet->len, address_is_ip4(&packet->src), now_us) || out_us == 0;
    if (link->trace)
        print_segment(link, packet, now_us, lost);
    if (lost) {
        link->lost++;
        return;
    }
    if (config->corrupt_ppm)
        fill_checksum(packet);
    if (happens(link, config->corrupt_ppm))
        corrupt(link, packet);
    packet->at_us = out_us + config->delay_us;
    if (config->jitter_us && happens(link, config->reorder_ppm))
        packet->at_us += rig_below(&link->random, config->jitter_us);
    enqueue(link, packet);
    if (happens(link, config->duplicate_ppm)) {
        packet->at_us += rig_below(&link->random, config->jitter_us + 1);
        enqueue(link, packet);
    }
}

/* What a port with TSO does: the header before each piece, with its own sequence number; PSH and FIN with the last alone. */
static void cut(struct link *link, const struct net_datagram *datagram, uint64_t now_us)
{
    static uint8_t bytes[UINT16_MAX];
    uint32_t len = rig_linearize(datagram->mbuf, bytes, sizeof(bytes));
    const struct tcp_header *header = (const struct tcp_header *)bytes;
    uint32_t header_len = (uint32_t)(header->data_offset >> 4) * 4, sequence = rte_be_to_cpu_32(header->sequence_be);

    for (uint32_t at = header_len; at < len; at += datagram->segment_bytes) {
        struct link_packet packet = {.src = datagram->src, .dst = datagram->dst, .ecn = datagram->ecn};
        struct tcp_header *own = (struct tcp_header *)packet.bytes;
        uint32_t piece = len - at < datagram->segment_bytes ? len - at : datagram->segment_bytes;

        if (header_len + piece > sizeof(packet.bytes))
            abort(); /* it would not fit the port's MTU */
        memcpy(packet.bytes, bytes, header_len);
        memcpy(packet.bytes + header_len, bytes + at, piece);
        packet.len = header_len + piece;
        own->sequence_be = rte_cpu_to_be_32(sequence + at - header_len);
        if (at + piece < len)
            own->flags &= (uint8_t) ~(TCP_FLAG_PSH | TCP_FLAG_FIN);
        transmit_packet(link, &packet, now_us);
    }
}

static void transmit(struct link *link, const struct net_datagram *datagram, uint64_t now_us)
{
    struct link_packet packet = {.src = datagram->src, .dst = datagram->dst, .ecn = datagram->ecn};

    if (datagram->segment_bytes != 0) {
        cut(link, datagram, now_us);
        return;
    }
    packet.len = rig_linearize(datagram->mbuf, packet.bytes, sizeof(packet.bytes));
    transmit_packet(link, &packet, now_us);
}

void link_send(struct link *link, struct net_tx *tx, uint64_t now_us)
{
    release(link, now_us);
    for (uint32_t i = 0; i < tx->count; i++) {
        transmit(link, &tx->datagrams[i], now_us);
        hold(link, tx->datagrams[i].mbuf, now_us);
    }
    tx->count = 0;
}

uint32_t link_receive(struct link *link, const struct rig_pools *pools, struct net_segment *out, uint32_t max,
                      uint64_t now_us)
{
    uint32_t n = 0;

    while (n < max && link->packets && link->packets->at_us <= now_us) {
        struct link_packet *packet = link->packets;
        uint32_t pieces = rig_below(&link->random, 8) == 0 ? 1 + rig_below(&link->random, 3) : 1;

        link->packets = packet->next;
        /* The port finds no mbuf: the packet is lost. */
        if (rte_mempool_avail_count(pools->packet) < pieces) {
            link->lost++;
            free(packet);
            continue;
        }
        out[n] = rig_receive_bytes(pools, &packet->src, &packet->dst, packet->bytes, packet->len, pieces);
        out[n].ecn = packet->ecn;
        if (link->config.corrupt_ppm && !is_intact(packet, out[n].mbuf)) {
            rte_pktmbuf_free(out[n].mbuf);
            link->corrupted_found++;
        } else {
            link->delivered++;
            n++;
        }
        free(packet);
    }
    return n;
}

uint64_t link_next_us(const struct link *link)
{
    return link->packets ? link->packets->at_us : UINT64_MAX;
}

void link_drain(struct link *link)
{
    while (link->packets) {
        struct link_packet *packet = link->packets;

        link->packets = packet->next;
        free(packet);
    }
    release(link, UINT64_MAX);
}
