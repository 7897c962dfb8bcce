/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"
#include "net/ip4.h"
#include "net/mbuf.h"
#include "net/net_private.h"

#define TCP_BYTES           20
#define TCP_OFFSET_CHECKSUM 16

/* An identification for a datagram that is never fragmented: any value will do (RFC 6864 §4.1), but a count would tell others
 * how much we send (idle scan). */
static uint16_t next_id(struct net *net)
{
    uint64_t z = net->id_state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return (uint16_t)(z >> 40);
}

static void drop(struct rte_mbuf *m, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(m);
}

void ip4_output(struct net *net, uint32_t port, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be,
                uint8_t protocol, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    const struct route *route = routes_find(&p->routes, dst_be);
    uint32_t total_length = packet->pkt_len + IP4_BYTES;
    bool checksum_by_port = p->nic->tx_ip4_checksum;
    uint8_t *frame;

    if (route == NULL || port_is_broadcast(p, dst_be) || ip4_is_martian_source(dst_be) ||
        port_find_address(p, dst_be) != NULL) {
        drop(packet, &net->counters.drop_no_route);
        return;
    }
    if (total_length > p->nic->mtu || !mbuf_writable(packet)) {
        drop(packet, &net->counters.drop_tx_malformed);
        return;
    }
    frame = (uint8_t *)rte_pktmbuf_prepend(packet, IP4_BYTES + ETHER_BYTES);
    if (frame == NULL) {
        drop(packet, &net->counters.drop_tx_malformed);
        return;
    }
    ip4_write(frame + ETHER_BYTES, src_be, dst_be, protocol, (uint16_t)total_length, next_id(net), !checksum_by_port);
    memcpy(frame + ETHER_OFFSET_SRC, p->nic->mac, ETHER_MAC_BYTES);
    write_be16(frame + 12, ETHER_TYPE_IP4);
    packet->l2_len = ETHER_BYTES;
    packet->l3_len = IP4_BYTES;
    if (checksum_by_port)
        packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    resolve_send(net, port, route->gateway_be != 0 ? route->gateway_be : dst_be, packet, now_us);
}

/* The port fills in the checksum over what we leave there, the pseudo header's; else we do it all. */
static void tcp_checksum(const struct nic *nic, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be)
{
    uint16_t sum = checksum_pseudo4(src_be, dst_be, IP4_PROTO_TCP, (uint16_t)packet->pkt_len);

    if (nic->tx_tcp_checksum)
        packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
    else
        sum = (uint16_t)~mbuf_checksum(sum, packet, 0);
    memcpy(rte_pktmbuf_mtod_offset(packet, uint8_t *, TCP_OFFSET_CHECKSUM), &sum, sizeof(sum));
}

static void datagram_output(struct net *net, const struct net_datagram *datagram, uint64_t now_us)
{
    struct rte_mbuf *packet = datagram->mbuf;
    uint32_t src_be, dst_be, port = 0;

    if (!address_is_ip4(&datagram->src) || !address_is_ip4(&datagram->dst)) {
        drop(packet, &net->counters.drop_no_route);
        return;
    }
    src_be = address_ip4_be(&datagram->src);
    dst_be = address_ip4_be(&datagram->dst);
    while (port < net->ports_count && port_find_address(&net->ports[port], src_be) == NULL)
        port++;
    if (port == net->ports_count) {
        drop(packet, &net->counters.drop_no_route);
        return;
    }
    if (packet->data_len < TCP_BYTES || packet->pkt_len > UINT16_MAX - IP4_BYTES || !mbuf_writable(packet)) {
        drop(packet, &net->counters.drop_tx_malformed);
        return;
    }
    tcp_checksum(net->ports[port].nic, packet, src_be, dst_be);
    ip4_output(net, port, packet, src_be, dst_be, IP4_PROTO_TCP, now_us);
}

void net_output(struct net *net, struct net_tx *tx, uint64_t now_us)
{
    for (uint32_t i = 0; i < tx->count; i++)
        datagram_output(net, &tx->datagrams[i], now_us);
    tx->count = 0;
    for (uint32_t i = 0; i < net->ports_count; i++)
        (void)nic_flush(net->ports[i].nic);
}
