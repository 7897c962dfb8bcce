/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ethernet: which frames are for us, and which protocol they go to. */
#include <assert.h>

#include <rte_prefetch.h>

#include "net/arp.h"
#include "net/icmp6.h"
#include "net/input.h"
#include "net/ip4.h"
#include "net/mbuf.h"

/* So many bytes of a frame are made contiguous: every header there may be, and what an ICMP error quotes. */
#define LINK_BYTES    (ETHER_BYTES + ETHER_VLAN_BYTES)
#define QUOTED_BYTES  (IP6_BYTES + 8) /* with the part of a TCP header that is looked at */
#define HEADERS_BYTES (LINK_BYTES + IP6_BYTES + IP6_EXTENSION_BYTES_MAX + INPUT_TCP_BYTES_MAX)

static_assert(INPUT_TCP_BYTES_MAX >= ICMP6_BYTES + QUOTED_BYTES, "an ICMPv6 error's place is counted in");
static_assert(HEADERS_BYTES >= LINK_BYTES + IP4_BYTES_MAX + ICMP_BYTES + ICMP_QUOTE_MAX, "and one of IPv4");

void input_drop(struct rte_mbuf *m, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(m);
}

void input_not_ours(struct burst *b, struct rte_mbuf *m, uint64_t *counter)
{
    if (b->net->ports[b->port].exception.nic == NULL) {
        input_drop(m, counter);
        return;
    }
    /* the headers that were taken off are still in front of it */
    (void)rte_pktmbuf_prepend(m, (uint16_t)(m->data_off - b->frame_off));
    exception_give(b->net, b->port, m, b->now_us);
}

void input_share(struct burst *b, struct rte_mbuf *m)
{
    uint16_t lost = (uint16_t)(m->data_off - b->frame_off);

    if (b->net->ports[b->port].exception.nic == NULL)
        return;
    (void)rte_pktmbuf_prepend(m, lost);
    exception_copy(b->net, b->port, m, b->now_us);
    (void)rte_pktmbuf_adj(m, lost);
}

bool input_make_writable(struct net *net, struct rte_mbuf **m)
{
    struct rte_mbuf *copy = *m;

    if (!mbuf_writable(copy)) {
        copy = rte_pktmbuf_copy(*m, net->pool, 0, UINT32_MAX);
        rte_pktmbuf_free(*m);
    }
    *m = copy;
    if (copy == NULL) {
        net->counters.drop_no_mbuf++;
        return false;
    }
    copy->ol_flags = 0;
    return true;
}

struct rte_mbuf *input_add_fragment(struct burst *b, struct rte_mbuf *m, const struct fragment *fragment, bool *marked)
{
    if (!input_make_writable(b->net, &m))
        return NULL;
    return fragments_add(&b->net->fragments, b->port, fragment, m, b->now_us, marked);
}

void input_expire_fragments(struct net *net, uint64_t now_us)
{
    struct burst b = {.net = net, .now_us = now_us};
    struct rte_mbuf *first;

    while ((first = fragments_expire(&net->fragments, now_us, &b.port)) != NULL) {
        if (*rte_pktmbuf_mtod(first, const uint8_t *) >> 4 == 4)
            ip4_fragments_expired(&b, first);
        else
            ip6_fragments_expired(&b, first);
    }
}

void input_again(struct burst *b, struct rte_mbuf *m, uint16_t type)
{
    struct net_port *port = &b->net->ports[b->port];
    uint8_t *frame = port->whole_count < NET_WHOLE_MAX ? (uint8_t *)rte_pktmbuf_prepend(m, ETHER_BYTES) : NULL;
    /* That of whoever sent it is not known any more, and nothing above asks for it. */
    static const uint8_t nobody[ETHER_MAC_BYTES] = {0x02};

    if (frame == NULL) {
        input_drop(m, &b->net->counters.fragments_refused);
        return;
    }
    ether_write(frame, port->nic->mac, nobody, type);
    m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED; /* and nothing that the port said of a part of it */
    m->vlan_tci = port->vlan;
    port->whole[port->whole_count++] = m;
}

uint32_t net_take_whole(struct net *net, uint32_t port, struct rte_mbuf *packets[NET_WHOLE_MAX])
{
    struct net_port *p = &net->ports[port];
    uint32_t count = p->whole_count;

    memcpy(packets, p->whole, count * sizeof(packets[0]));
    p->whole_count = 0;
    return count;
}

/* Where the packet begins behind the Ethernet header and, where there is one, its VLAN tag. */
struct link_header {
    uint16_t type;
    uint16_t vlan; /* 0: none, or one for a priority alone */
    uint8_t bytes;
};

static bool read_link_header(const struct rte_mbuf *m, struct link_header *out)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);

    *out = (struct link_header){.type = read_be16(frame + ETHER_OFFSET_TYPE), .bytes = ETHER_BYTES};
    if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
        out->vlan = m->vlan_tci & ETHER_VLAN_ID;
    } else if (out->type == ETHER_TYPE_VLAN) {
        if (m->data_len < ETHER_BYTES + ETHER_VLAN_BYTES)
            return false;
        out->vlan = read_be16(frame + ETHER_BYTES) & ETHER_VLAN_ID;
        out->type = read_be16(frame + ETHER_BYTES + 2);
        out->bytes += ETHER_VLAN_BYTES;
    }
    return true;
}

static void other_ethertype(struct burst *b, struct rte_mbuf *m, uint16_t type)
{
    struct net_counters *c = &b->net->counters;

    if (type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ) /* a tag in a tag */
        input_not_ours(b, m, &c->drop_vlan);
    else
        input_not_ours(b, m, &c->drop_ethertype);
}

/* Is it sent to us, or to all, or to a group whose members we may be (the IPv6 header tells)? */
static bool is_to_us(const struct net_port *port, const uint8_t *frame, uint16_t type)
{
    if (memcmp(frame, port->nic->mac, ETHER_MAC_BYTES) == 0 || mac_is_broadcast(frame))
        return true;
    return type == ETHER_TYPE_IP6 && port->addresses6_count != 0 && frame[0] == 0x33 && frame[1] == 0x33;
}

/* A question for an address of ours is ours; all else may concern the kernel, whose MAC address is the same. */
static void arp_frame(struct burst *b, struct rte_mbuf *m, bool to_us_alone)
{
    const struct net_port *port = &b->net->ports[b->port];
    struct arp_packet packet;

    if (arp_read(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), &packet) &&
        (packet.operation != ARP_REQUEST || port_find_address(port, packet.target_be) == NULL))
        input_share(b, m);
    arp_input(b->net, b->port, m, to_us_alone, b->now_us);
}

static void link_input(struct burst *b, struct rte_mbuf *m, const struct link_header *link)
{
    struct net_counters *c = &b->net->counters;
    const struct net_port *port = &b->net->ports[b->port];
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *), *source = frame + ETHER_OFFSET_SRC;
    bool to_us_alone = !mac_is_group(frame);

    if (link->vlan != port->vlan)
        input_not_ours(b, m, &c->drop_vlan);
    else if (link->type == ETHER_TYPE_IP6 && port->addresses6_count == 0)
        input_not_ours(b, m, &c->drop_ip6);
    else if (!is_to_us(port, frame, link->type))
        input_not_ours(b, m, &c->drop_not_for_us);
    else if (mac_is_group(source) || memcmp(source, port->nic->mac, ETHER_MAC_BYTES) == 0)
        input_drop(m, &c->drop_source_mac);
    else {
        (void)rte_pktmbuf_adj(m, link->bytes);
        switch (link->type) {
        case ETHER_TYPE_IP4: ip4_input(b, m, to_us_alone); break;
        case ETHER_TYPE_IP6: ip6_input(b, m, to_us_alone); break;
        case ETHER_TYPE_ARP: arp_frame(b, m, to_us_alone); break;
        default: other_ethertype(b, m, link->type); break;
        }
    }
}

void ether_input(struct burst *b, struct rte_mbuf *m)
{
    struct net_counters *c = &b->net->counters;
    struct link_header link;

    if (m->data_len < HEADERS_BYTES && m->nb_segs > 1) {
        if (!mbuf_pull(&m, HEADERS_BYTES, b->net->pool)) {
            input_drop(m, &c->drop_no_mbuf);
            return;
        }
        c->rx_pulled++;
    }
    b->frame_off = m->data_off;
    if (m->data_len < ETHER_BYTES || !read_link_header(m, &link))
        input_drop(m, &c->drop_short);
    else
        link_input(b, m, &link);
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
