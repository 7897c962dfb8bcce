/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last step down: VLAN tags (IEEE 802.1Q), by the port where it can, else here. */
#include <rte_mbuf.h>

#include "net/mbuf.h"
#include "net/net_private.h"

/* Moves the MAC addresses to the front and writes the tag behind them. */
static bool insert_tag(struct rte_mbuf *frame, uint16_t vlan)
{
    uint8_t *p = mbuf_writable(frame) ? (uint8_t *)rte_pktmbuf_prepend(frame, ETHER_VLAN_BYTES) : NULL;

    if (p == NULL)
        return false;
    memmove(p, p + ETHER_VLAN_BYTES, 2UL * ETHER_MAC_BYTES);
    write_be16(p + ETHER_OFFSET_TYPE, ETHER_TYPE_VLAN);
    write_be16(p + ETHER_OFFSET_TYPE + 2, vlan);
    if (frame->l2_len != 0) /* checksums by the port begin behind it */
        frame->l2_len += ETHER_VLAN_BYTES;
    return true;
}

void link_send(struct net *net, uint32_t port, struct rte_mbuf *frame)
{
    const struct net_port *p = &net->ports[port];

    if (p->vlan != 0 && p->nic->tx_vlan) {
        frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
        frame->vlan_tci = p->vlan;
    } else if (p->vlan != 0 && !insert_tag(frame, p->vlan)) {
        net->counters.drop_tx_malformed++;
        rte_pktmbuf_free(frame);
        return;
    }
    nic_send(p->nic, frame);
}
