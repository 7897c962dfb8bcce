/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ethernet: which frames are for us, and which protocol they go to. */
#include <assert.h>

#include <rte_prefetch.h>

#include "net/input.h"
#include "net/ip4.h"
#include "net/mbuf.h"

/* So many bytes of a frame are made contiguous: every header there may be, and what an ICMP error quotes. */
#define HEADERS_BYTES (ETHER_BYTES + IP4_BYTES_MAX + ICMP_BYTES + ICMP_QUOTE_MAX)

static_assert(HEADERS_BYTES >= ETHER_BYTES + IP4_BYTES_MAX + INPUT_TCP_BYTES_MAX,
              "the TCP header's place is counted in");

void input_drop(struct rte_mbuf *m, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(m);
}

void input_not_ours(struct burst *b, struct rte_mbuf *m, uint64_t *counter)
{
    input_drop(m, counter);
}

static void other_ethertype(struct burst *b, struct rte_mbuf *m, uint16_t type)
{
    struct net_counters *c = &b->net->counters;

    if (type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ)
        input_not_ours(b, m, &c->drop_vlan);
    else if (type == ETHER_TYPE_IP6)
        input_not_ours(b, m, &c->drop_ip6);
    else
        input_not_ours(b, m, &c->drop_ethertype);
}

static void ether_input(struct burst *b, struct rte_mbuf *m)
{
    struct net_counters *c = &b->net->counters;
    const struct nic *nic = b->net->ports[b->port].nic;
    const uint8_t *frame;
    uint16_t type;
    bool to_us_alone;

    if (m->data_len < HEADERS_BYTES && m->nb_segs > 1) {
        if (!mbuf_pull(&m, HEADERS_BYTES, b->net->pool)) {
            input_drop(m, &c->drop_no_mbuf);
            return;
        }
        c->rx_pulled++;
    }
    if (m->data_len < ETHER_BYTES) {
        input_drop(m, &c->drop_short);
        return;
    }
    b->frame_off = m->data_off;
    frame = rte_pktmbuf_mtod(m, const uint8_t *);
    type = read_be16(frame + 12);
    to_us_alone = memcmp(frame, nic->mac, ETHER_MAC_BYTES) == 0;
    if (type == ETHER_TYPE_IP6) /* its multicast would else be counted as frames for others */
        input_not_ours(b, m, &c->drop_ip6);
    else if (!to_us_alone && !mac_is_broadcast(frame))
        input_not_ours(b, m, &c->drop_not_for_us);
    else if (mac_is_group(frame + ETHER_OFFSET_SRC) || memcmp(frame + ETHER_OFFSET_SRC, nic->mac, ETHER_MAC_BYTES) == 0)
        input_drop(m, &c->drop_source_mac);
    else if (type == ETHER_TYPE_ARP)
        resolve_input(b->net, b->port, m, b->now_us);
    else if (type != ETHER_TYPE_IP4)
        other_ethertype(b, m, type);
    else {
        (void)rte_pktmbuf_adj(m, ETHER_BYTES);
        ip4_input(b, m, to_us_alone);
    }
}

uint32_t net_input(struct net *net, uint32_t port, struct rte_mbuf **packets, uint32_t n, uint64_t now_us,
                   struct net_segment *segments, struct net_icmp_error *errors, uint32_t *errors_count)
{
    struct burst b = {.net = net, .port = port, .now_us = now_us, .segments = segments, .errors = errors};

    b.errors_count = *errors_count;
    for (uint32_t i = 0; i < n; i++) {
        if (i + 2 < n)
            rte_prefetch0(rte_pktmbuf_mtod(packets[i + 2], void *));
        ether_input(&b, packets[i]);
    }
    net->counters.rx_packets += n;
    *errors_count = b.errors_count;
    return b.segments_count;
}
