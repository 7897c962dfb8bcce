/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Membership in the groups of our addresses: told unasked with every announcement, and to who asks. */
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/ip6.h"
#include "net/mbuf.h"
#include "net/mld.h"
#include "net/resolve.h"

#define HOP_LIMIT 1

static const struct assay_address all_routers = {{0xff, 0x02, [15] = 0x16}}; /* all that speak MLDv2 */
static const struct assay_address unspecified;

/* The solicited-node groups of the port's addresses, each once. */
static uint32_t groups_of(const struct net_port *port, struct assay_address groups[NET_ADDRESSES_MAX + 1])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < port->addresses6_count; i++) {
        struct assay_address group = ip6_solicited_node(&port->addresses6[i].address);
        uint32_t k = 0;

        while (k < count && !address_equal(&groups[k], &group))
            k++;
        if (k == count)
            groups[count++] = group;
    }
    return count;
}

static void send_report(struct net *net, uint32_t port, const struct assay_address *groups, uint32_t count,
                        enum mld_record kind)
{
    const struct net_port *p = &net->ports[port];
    const struct assay_address *src =
        p->addresses6[0].state == ADDRESS6_PREFERRED ? &p->addresses6[0].address : &unspecified;
    uint16_t length = (uint16_t)(MLD_ROUTER_ALERT_BYTES + MLD_REPORT_BYTES + count * MLD_RECORD_BYTES);
    struct rte_mbuf *m = rte_pktmbuf_alloc(net->pool);
    uint8_t *frame = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(ETHER_BYTES + IP6_BYTES + length)) : NULL;
    uint8_t mac[ETHER_MAC_BYTES], *report;
    uint16_t checksum, report_length = (uint16_t)(length - MLD_ROUTER_ALERT_BYTES);

    if (frame == NULL) {
        rte_pktmbuf_free(m);
        net->counters.drop_no_mbuf++;
        return;
    }
    ip6_multicast_mac(&all_routers, mac);
    ether_write(frame, mac, p->nic->mac, ETHER_TYPE_IP6);
    ip6_write(frame + ETHER_BYTES, src, &all_routers, IP6_PROTO_HOP_BY_HOP, NET_ECN_NONE, length, HOP_LIMIT, 0);
    (void)mld_write_report(frame + ETHER_BYTES + IP6_BYTES, groups, count, kind);
    report = frame + ETHER_BYTES + IP6_BYTES + MLD_ROUTER_ALERT_BYTES;
    checksum = (uint16_t)~checksum_add(checksum_pseudo6(src, &all_routers, IP6_PROTO_ICMP, report_length), report,
                                       report_length);
    memcpy(report + 2, &checksum, sizeof(checksum));
    net->counters.mld_reports_sent++;
    link_send(net, port, m);
}

static void report_all(struct net *net, enum mld_record kind)
{
    for (uint32_t port = 0; port < net->ports_count && !net->listens_only; port++) {
        struct assay_address groups[NET_ADDRESSES_MAX + 1];
        uint32_t count = groups_of(&net->ports[port], groups);

        for (uint32_t at = 0; at < count; at += MLD_RECORDS_MAX)
            send_report(net, port, groups + at, count - at < MLD_RECORDS_MAX ? count - at : MLD_RECORDS_MAX, kind);
    }
}

void mld_announce(struct net *net)
{
    report_all(net, MLD_BECAME_MEMBER);
}

/* One answer for all questions of a while (RFC 3810 §6.2), within the time the first of them gives. */
void mld_input(struct net *net, const struct mld_query *query, uint64_t now_us)
{
    uint64_t delay_us = query->delay_max_ms * 1000ULL, due_us = now_us;

    net->counters.mld_queries_received++;
    if (delay_us != 0)
        due_us += output_next_id(net) % delay_us;
    if (due_us < net->mld_us)
        net->mld_us = due_us;
}

void mld_timers(struct net *net, uint64_t now_us)
{
    if (net->mld_us > now_us)
        return;
    net->mld_us = UINT64_MAX;
    report_all(net, MLD_IS_MEMBER);
}
