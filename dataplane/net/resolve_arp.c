/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ARP: asking, answering, announcing, and what we learn. */
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/arp.h"
#include "net/resolve.h"

#define DEFEND_INTERVAL_US 10000000ULL

static const uint8_t broadcast_mac[ETHER_MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void arp_send(struct net *net, uint32_t port, const uint8_t *dst_mac, const struct arp_packet *packet)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(net->pool);
    char *frame = m != NULL ? rte_pktmbuf_append(m, ETHER_FRAME_MIN) : NULL;

    if (frame == NULL) {
        rte_pktmbuf_free(m);
        net->counters.drop_no_mbuf++;
        return;
    }
    arp_write((uint8_t *)frame, dst_mac, packet);
    if (packet->operation == ARP_REQUEST)
        net->counters.arp_requests_sent++;
    else
        net->counters.arp_replies_sent++;
    link_send(net, port, m);
}

void arp_ask(struct net *net, const struct neighbour *n, const uint8_t *dst_mac)
{
    const struct net_port *port = &net->ports[n->port];
    struct arp_packet request = {.operation = ARP_REQUEST, .target_be = address_ip4_be(&n->address)};

    request.sender_be = port_source_for(port, request.target_be);
    memcpy(request.sender_mac, port->nic->mac, ETHER_MAC_BYTES);
    arp_send(net, n->port, dst_mac != NULL ? dst_mac : broadcast_mac, &request);
}

/* Somebody else says that it has an address of ours: tell everybody who has it, but not in a loop (RFC 5227 §2.4 (c)). */
static void defend(struct net *net, uint32_t port, uint32_t ip_be, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    struct arp_packet claim = {.operation = ARP_REQUEST, .sender_be = ip_be, .target_be = ip_be};

    net->counters.arp_conflicts++;
    if (net->listens_only)
        return;
    if (p->defended_us != 0 && now_us - p->defended_us < DEFEND_INTERVAL_US)
        return;
    p->defended_us = now_us;
    memcpy(claim.sender_mac, p->nic->mac, ETHER_MAC_BYTES);
    arp_send(net, port, broadcast_mac, &claim);
}

static void answer(struct net *net, uint32_t port, const struct arp_packet *request)
{
    struct arp_packet reply = {
        .operation = ARP_REPLY, .sender_be = request->target_be, .target_be = request->sender_be};

    memcpy(reply.sender_mac, net->ports[port].nic->mac, ETHER_MAC_BYTES);
    memcpy(reply.target_mac, request->sender_mac, ETHER_MAC_BYTES);
    arp_send(net, port, request->sender_mac, &reply);
}

static void packet_input(struct net *net, uint32_t port, const struct arp_packet *packet, bool to_us_alone,
                         uint64_t now_us)
{
    const struct net_port *p = &net->ports[port];
    bool for_us = port_find_address(p, packet->target_be) != NULL;
    struct assay_address sender = address_from_ip4_be(packet->sender_be);
    struct neighbour *n;

    if (port_find_address(p, packet->sender_be) != NULL) {
        defend(net, port, packet->sender_be, now_us);
        return;
    }
    if (packet->operation == ARP_REQUEST && for_us)
        net->counters.arp_requests_received++;
    else if (packet->operation == ARP_REPLY && for_us && to_us_alone)
        net->counters.arp_replies_received++;
    else
        net->counters.arp_ignored++; /* but it may tell of a neighbour's new MAC address */
    /* The sender 0.0.0.0 of a probe (RFC 5227 §2.1.1), or one off the link, is answered, not remembered. */
    if (port_is_on_link(p, packet->sender_be)) {
        bool solicited = packet->operation == ARP_REPLY && for_us && to_us_alone;

        n = neighbours_find(&net->neighbours, port, &sender);
        if (n == NULL && packet->operation == ARP_REQUEST && for_us)
            n = neighbours_add(&net->neighbours, port, &sender, false, now_us);
        if (n != NULL)
            resolve_learn(net, n, packet->sender_mac,
                          solicited && (n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_PROBE), now_us);
    }
    if (packet->operation == ARP_REQUEST && for_us && !net->listens_only)
        answer(net, port, packet);
}

void arp_input(struct net *net, uint32_t port, struct rte_mbuf *m, bool to_us_alone, uint64_t now_us)
{
    struct arp_packet packet;

    if (arp_read(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), &packet))
        packet_input(net, port, &packet, to_us_alone, now_us);
    else
        net->counters.arp_malformed++;
    rte_pktmbuf_free(m);
}

void arp_announce(struct net *net)
{
    for (uint32_t port = 0; port < net->ports_count && !net->listens_only; port++) {
        const struct net_port *p = &net->ports[port];

        for (uint32_t i = 0; i < p->addresses_count; i++) {
            struct arp_packet packet = {.operation = ARP_REQUEST};

            packet.sender_be = packet.target_be = p->addresses[i].ip_be;
            memcpy(packet.sender_mac, p->nic->mac, ETHER_MAC_BYTES);
            arp_send(net, port, broadcast_mac, &packet);
        }
    }
}
