/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What net/packet.h promises of a TCP segment, for both families. */
#include "net/input.h"
#include "net/mbuf.h"

/* The port's verdict where it gives one, else our own sum. */
static bool checksum_right(const struct burst *b, const struct rte_mbuf *m, uint16_t pseudo)
{
    if (b->net->ports[b->port].nic->rx_checksum) {
        uint64_t verdict = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

        if (verdict == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
            return true;
        if (verdict == RTE_MBUF_F_RX_L4_CKSUM_BAD)
            return false;
    }
    return mbuf_checksum(pseudo, m, 0) == 0xffff;
}

void tcp_segment_input(struct burst *b, struct rte_mbuf *m, const struct assay_address *src,
                       const struct assay_address *dst, uint16_t pseudo, uint8_t ecn)
{
    struct net_counters *c = &b->net->counters;

    if (m->pkt_len < INPUT_TCP_BYTES) {
        input_drop(m, &c->drop_tcp_short);
        return;
    }
    if (!checksum_right(b, m, pseudo)) {
        input_drop(m, &c->drop_tcp_checksum);
        return;
    }
    b->segments[b->segments_count++] = (struct net_segment){
        .mbuf = m,
        .src = *src,
        .dst = *dst,
        .length = (uint16_t)m->pkt_len,
        .ecn = ecn,
    };
    c->rx_tcp++;
}
