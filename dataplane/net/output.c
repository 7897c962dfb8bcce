/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/mbuf.h"
#include "net/net_private.h"

#define TCP_BYTES           20
#define TCP_OFFSET_DATA     12
#define TCP_OFFSET_CHECKSUM 16

/* For a datagram that is never fragmented: any value will do (RFC 6864 §4.1), but a count would tell others
 * how much we send (idle scan). */
uint32_t output_next_id(struct net *net)
{
    uint64_t z = net->id_state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return (uint32_t)(z >> 32);
}

static void drop(struct rte_mbuf *m, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(m);
}

/* Does it fit the MTU behind its IP header, or will once the port has cut it? */
static bool fits(const struct nic *nic, const struct rte_mbuf *packet, uint32_t header_bytes)
{
    return (packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 || packet->pkt_len + header_bytes <= nic->mtu;
}

void ether_output(struct net *net, uint32_t port, struct rte_mbuf *packet, uint16_t type,
                  const struct assay_address *next_hop, uint64_t now_us)
{
    uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(packet, ETHER_BYTES);

    if (frame == NULL) {
        drop(packet, &net->counters.drop_tx_malformed);
        return;
    }
    memcpy(frame + ETHER_OFFSET_SRC, net->ports[port].nic->mac, ETHER_MAC_BYTES);
    write_be16(frame + ETHER_OFFSET_TYPE, type);
    packet->l2_len = ETHER_BYTES;
    resolve_send(net, port, next_hop, packet, now_us);
}

/* Room for the IP header in front of packet, or NULL: it is gone, and counted. */
static uint8_t *prepend_header(struct net *net, const struct nic *nic, struct rte_mbuf *packet, uint16_t bytes)
{
    uint8_t *header =
        fits(nic, packet, bytes) && mbuf_writable(packet) ? (uint8_t *)rte_pktmbuf_prepend(packet, bytes) : NULL;

    packet->l3_len = bytes;
    if (header == NULL)
        drop(packet, &net->counters.drop_tx_malformed);
    return header;
}

void ip4_output(struct net *net, uint32_t port, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be,
                uint8_t protocol, uint8_t ecn, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    const struct route *route = routes_find(&p->routes, dst_be);
    uint32_t total_length = packet->pkt_len + IP4_BYTES;
    bool checksum_by_port = p->nic->tx_ip4_checksum;
    struct assay_address next_hop;
    uint8_t *header;

    if (route == NULL || port_is_broadcast(p, dst_be) || ip4_is_martian_source(dst_be) ||
        port_find_address(p, dst_be) != NULL) {
        drop(packet, &net->counters.drop_no_route);
        return;
    }
    next_hop = address_from_ip4_be(route->gateway_be != 0 ? route->gateway_be : dst_be);
    if (!fits(p->nic, packet, IP4_BYTES) && protocol != IP4_PROTO_TCP) {
        ip4_output_fragments(net, port, packet, src_be, dst_be, protocol, &next_hop, now_us);
        return;
    }
    header = prepend_header(net, p->nic, packet, IP4_BYTES);
    if (header == NULL)
        return;
    ip4_write(header, src_be, dst_be, protocol, ecn, (uint16_t)total_length, (uint16_t)output_next_id(net),
              !checksum_by_port);
    if (checksum_by_port)
        packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    ether_output(net, port, packet, ETHER_TYPE_IP4, &next_hop, now_us);
}

void ip6_output(struct net *net, uint32_t port, struct rte_mbuf *packet, const struct assay_address *src,
                const struct assay_address *dst, uint8_t protocol, uint8_t ecn, uint32_t flow_label, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    const struct route6 *route = routes6_find(&p->routes6, dst);
    uint32_t payload_length = packet->pkt_len;
    const struct assay_address *next_hop;
    uint8_t *header;

    if (route == NULL || ip6_is_martian_source(dst) || port6_find_address(p, dst) != NULL) {
        drop(packet, &net->counters.drop_no_route);
        return;
    }
    next_hop = ip6_is_unspecified(&route->gateway) ? dst : &route->gateway;
    if (!fits(p->nic, packet, IP6_BYTES) && protocol != IP6_PROTO_TCP) {
        ip6_output_fragments(net, port, packet, src, dst, protocol, next_hop, now_us);
        return;
    }
    header = prepend_header(net, p->nic, packet, IP6_BYTES);
    if (header == NULL)
        return;
    ip6_write(header, src, dst, protocol, ecn, (uint16_t)payload_length, IP6_HOP_LIMIT, flow_label);
    ether_output(net, port, packet, ETHER_TYPE_IP6, next_hop, now_us);
}

static uint8_t tcp_header_bytes(const struct rte_mbuf *packet)
{
    return (uint8_t)(rte_pktmbuf_mtod(packet, const uint8_t *)[TCP_OFFSET_DATA] >> 4) * 4;
}

/* What the pseudo header says of the length: nothing where the port cuts the segment into several. */
static uint16_t pseudo_length(const struct net_datagram *datagram)
{
    return datagram->segment_bytes != 0 ? 0 : (uint16_t)datagram->mbuf->pkt_len;
}

/* The port fills in the checksum over what we leave there, the pseudo header's; else we do it all. */
static void tcp_checksum(const struct nic *nic, const struct net_datagram *datagram, uint16_t pseudo, uint64_t family)
{
    struct rte_mbuf *packet = datagram->mbuf;
    uint16_t sum = pseudo;

    if (nic->tx_tcp_checksum) {
        packet->ol_flags |= family | RTE_MBUF_F_TX_TCP_CKSUM;
        packet->l4_len = tcp_header_bytes(packet);
    } else {
        sum = (uint16_t)~mbuf_checksum(sum, packet, 0);
    }
    if (datagram->segment_bytes != 0) {
        packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        packet->tso_segsz = datagram->segment_bytes;
    }
    memcpy(rte_pktmbuf_mtod_offset(packet, uint8_t *, TCP_OFFSET_CHECKSUM), &sum, sizeof(sum));
}

/* One label a connection, that tells nothing of it (RFC 6437 §3): routers spread by it. */
static uint32_t flow_label(const struct net *net, const struct net_datagram *datagram)
{
    uint64_t src, dst, z = net->flow_key ^ read_raw32(rte_pktmbuf_mtod(datagram->mbuf, const uint8_t *)); /* ports */

    memcpy(&src, datagram->src.bytes + 8, sizeof(src));
    memcpy(&dst, datagram->dst.bytes + 8, sizeof(dst));
    z = (z ^ src) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27) ^ dst) * 0x94d049bb133111ebULL;
    return (uint32_t)(z >> 40);
}

static void datagram4_output(struct net *net, uint32_t port, const struct net_datagram *datagram, uint64_t now_us)
{
    struct rte_mbuf *packet = datagram->mbuf;
    uint32_t src_be = address_ip4_be(&datagram->src), dst_be = address_ip4_be(&datagram->dst);

    tcp_checksum(net->ports[port].nic, datagram,
                 checksum_pseudo4(src_be, dst_be, IP4_PROTO_TCP, pseudo_length(datagram)), RTE_MBUF_F_TX_IPV4);
    ip4_output(net, port, packet, src_be, dst_be, IP4_PROTO_TCP, datagram->ecn, now_us);
}

static void datagram6_output(struct net *net, uint32_t port, const struct net_datagram *datagram, uint64_t now_us)
{
    struct rte_mbuf *packet = datagram->mbuf;

    tcp_checksum(net->ports[port].nic, datagram,
                 checksum_pseudo6(&datagram->src, &datagram->dst, IP6_PROTO_TCP, pseudo_length(datagram)),
                 RTE_MBUF_F_TX_IPV6);
    ip6_output(net, port, packet, &datagram->src, &datagram->dst, IP6_PROTO_TCP, datagram->ecn,
               flow_label(net, datagram), now_us);
}

/* The port that has the source address (strong host model), or ports_count. */
static uint32_t port_of(const struct net *net, const struct assay_address *src)
{
    uint32_t port = 0;

    if (address_is_ip4(src))
        while (port < net->ports_count && port_find_address(&net->ports[port], address_ip4_be(src)) == NULL)
            port++;
    else
        while (port < net->ports_count && port6_find_used(&net->ports[port], src) == NULL)
            port++;
    return port;
}

static void datagram_output(struct net *net, const struct net_datagram *datagram, uint64_t now_us)
{
    struct rte_mbuf *packet = datagram->mbuf;
    uint32_t port = port_of(net, &datagram->src);
    bool ip4 = address_is_ip4(&datagram->src);

    if (port == net->ports_count || address_is_ip4(&datagram->dst) != ip4) {
        drop(packet, &net->counters.drop_no_route);
        return;
    }
    if (packet->data_len < TCP_BYTES || packet->pkt_len > UINT16_MAX - IP4_BYTES || !mbuf_writable(packet)) {
        drop(packet, &net->counters.drop_tx_malformed);
        return;
    }
    if (datagram->segment_bytes != 0 && net->ports[port].nic->tx_tso_segments_max == 0) {
        drop(packet, &net->counters.drop_tx_malformed);
        return;
    }
    if (ip4)
        datagram4_output(net, port, datagram, now_us);
    else
        datagram6_output(net, port, datagram, now_us);
}

void net_output(struct net *net, struct net_tx *tx, uint64_t now_us)
{
    for (uint32_t i = 0; i < tx->count; i++)
        datagram_output(net, &tx->datagrams[i], now_us);
    tx->count = 0;
    for (uint32_t i = 0; i < net->ports_count; i++)
        (void)nic_flush(net->ports[i].nic);
}
