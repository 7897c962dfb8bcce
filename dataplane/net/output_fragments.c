/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams longer than the MTU, in fragments that are copies: only an answer to an echo request is ever that long. */
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/mbuf.h"
#include "net/net_private.h"

#define UNIT 8 /* bytes that fragment offsets count in */

/* length bytes of packet from offset, with room for headers in front of them; NULL: none is left. */
static struct rte_mbuf *piece_of(struct net *net, struct rte_mbuf *packet, uint32_t offset, uint32_t length,
                                 uint16_t header_bytes)
{
    struct rte_mbuf *piece = rte_pktmbuf_copy(packet, net->pool, offset, length);

    if (piece != NULL && rte_pktmbuf_prepend(piece, header_bytes) == NULL) {
        rte_pktmbuf_free(piece);
        piece = NULL;
    }
    if (piece == NULL) {
        net->counters.drop_no_mbuf++;
        return NULL;
    }
    piece->ol_flags = 0;
    piece->l3_len = header_bytes;
    net->counters.fragments_sent++;
    return piece;
}

/* Data of a fragment: as much as fits, in units but for the last one. */
static uint32_t length_at(const struct rte_mbuf *packet, uint32_t offset, uint32_t room)
{
    uint32_t left = packet->pkt_len - offset;

    return left <= room ? left : room / UNIT * UNIT;
}

void ip4_output_fragments(struct net *net, uint32_t port, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be,
                          uint8_t protocol, const struct assay_address *next_hop, uint64_t now_us)
{
    uint32_t room = net->ports[port].nic->mtu - IP4_BYTES, length;
    uint16_t id = (uint16_t)output_next_id(net);

    for (uint32_t offset = 0; offset < packet->pkt_len; offset += length) {
        struct rte_mbuf *piece;
        uint8_t *header;
        bool more;

        length = length_at(packet, offset, room);
        more = offset + length < packet->pkt_len;
        piece = piece_of(net, packet, offset, length, IP4_BYTES);
        if (piece == NULL)
            break; /* without it the others are of no use */
        header = rte_pktmbuf_mtod(piece, uint8_t *);
        ip4_write(header, src_be, dst_be, protocol, NET_ECN_NONE, (uint16_t)(IP4_BYTES + length), id, false);
        ip4_set_fragment(header, (uint16_t)(offset / UNIT | (more ? IP4_MORE : 0)));
        ether_output(net, port, piece, ETHER_TYPE_IP4, next_hop, now_us);
    }
    rte_pktmbuf_free(packet);
}

void ip6_output_fragments(struct net *net, uint32_t port, struct rte_mbuf *packet, const struct assay_address *src,
                          const struct assay_address *dst, uint8_t protocol, const struct assay_address *next_hop,
                          uint64_t now_us)
{
    uint32_t room = net->ports[port].nic->mtu - IP6_BYTES - IP6_FRAGMENT_BYTES, length, id = output_next_id(net);

    for (uint32_t offset = 0; offset < packet->pkt_len; offset += length) {
        struct rte_mbuf *piece;
        uint8_t *header;
        bool more;

        length = length_at(packet, offset, room);
        more = offset + length < packet->pkt_len;
        piece = piece_of(net, packet, offset, length, IP6_BYTES + IP6_FRAGMENT_BYTES);
        if (piece == NULL)
            break;
        header = rte_pktmbuf_mtod(piece, uint8_t *);
        ip6_write(header, src, dst, IP6_PROTO_FRAGMENT, NET_ECN_NONE, (uint16_t)(IP6_FRAGMENT_BYTES + length),
                  IP6_HOP_LIMIT, 0);
        header[IP6_BYTES] = protocol;
        header[IP6_BYTES + 1] = 0;
        write_be16(header + IP6_BYTES + 2, (uint16_t)(offset | more));
        memcpy(header + IP6_BYTES + 4, &id, sizeof(id));
        ether_output(net, port, piece, ETHER_TYPE_IP6, next_hop, now_us);
    }
    rte_pktmbuf_free(packet);
}
