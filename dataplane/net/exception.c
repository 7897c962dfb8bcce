/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/exception.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/net_private.h"
#include "net/steer.h"

#define VLAN_TAGS_BYTES 8 /* two tags at the most */

void exception_init(struct exception *exception, struct nic *nic, uint32_t rate)
{
    *exception = (struct exception){.nic = nic, .left = EXCEPTION_PER_TURN};
    icmp_limit_init(&exception->limit, rate);
}

static bool may_go(struct exception *exception, uint64_t now_us)
{
    if (exception->left == 0 || !icmp_limit_allow(&exception->limit, now_us))
        return false;
    exception->left--;
    return true;
}

/* ARP and neighbour discovery come to every core of a host; the kernel gets them once, from the core that speaks for it. */
static bool another_core_gives_it(const struct net *net, const struct rte_mbuf *frame)
{
    struct slice head = slice_head(slice_of(rte_pktmbuf_mtod(frame, void *), frame->data_len), STEER_BYTES);
    struct steer_flow flow;

    return net->listens_only && steer_frame(head, &flow) == STEER_ALL;
}

void exception_give(struct net *net, uint32_t port, struct rte_mbuf *frame, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    const uint8_t *dst = rte_pktmbuf_mtod(frame, const uint8_t *);
    uint64_t *counter = NULL;

    if (another_core_gives_it(net, frame)) {
        rte_pktmbuf_free(frame);
        return;
    }
    /* a port in promiscuous mode sees other hosts' frames: they are nobody's here */
    if (!mac_is_group(dst) && memcmp(dst, p->nic->mac, ETHER_MAC_BYTES) != 0)
        counter = &net->counters.drop_not_for_us;
    else if (!may_go(&p->exception, now_us))
        counter = &net->counters.drop_exception_limited;
    if (counter != NULL) {
        (*counter)++;
        rte_pktmbuf_free(frame);
        return;
    }
    if ((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 && rte_vlan_insert(&frame) != 0) {
        net->counters.drop_exception_length++;
        rte_pktmbuf_free(frame);
        return;
    }
    /* what the port found out about checksums and tags is no order to the other one */
    for (struct rte_mbuf *m = frame; m != NULL; m = m->next)
        m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
    net->counters.exception_to_kernel++;
    nic_send(p->exception.nic, frame);
}

void exception_copy(struct net *net, uint32_t port, struct rte_mbuf *frame, uint64_t now_us)
{
    struct rte_mbuf *copy;

    if (net->ports[port].exception.nic == NULL || another_core_gives_it(net, frame))
        return;
    copy = rte_pktmbuf_copy(frame, net->pool, 0, UINT32_MAX);
    if (copy != NULL)
        exception_give(net, port, copy, now_us);
    else
        net->counters.drop_no_mbuf++;
}

/* What the kernel wants sent. */
static void to_wire(struct net *net, struct net_port *p, struct rte_mbuf *frame)
{
    if (frame->pkt_len < ETHER_BYTES || frame->pkt_len > (uint32_t)p->nic->mtu + ETHER_BYTES + VLAN_TAGS_BYTES) {
        net->counters.drop_exception_length++;
        rte_pktmbuf_free(frame);
        return;
    }
    frame->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
    net->counters.exception_to_wire++;
    nic_send(p->nic, frame);
}

uint32_t net_exception(struct net *net)
{
    struct rte_mbuf *frames[EXCEPTION_PER_TURN];
    uint32_t count = 0;

    for (uint32_t i = 0; i < net->ports_count; i++) {
        struct net_port *p = &net->ports[i];
        uint16_t n;

        if (p->exception.nic == NULL)
            continue;
        count += EXCEPTION_PER_TURN - p->exception.left;
        p->exception.left = EXCEPTION_PER_TURN;
        (void)nic_flush(p->exception.nic);
        n = nic_rx(p->exception.nic, frames, EXCEPTION_PER_TURN);
        for (uint16_t k = 0; k < n; k++)
            to_wire(net, p, frames[k]);
        count += n;
    }
    return count;
}
