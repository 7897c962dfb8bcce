/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neighbour discovery: asking, answering, advertising, duplicate address detection, and what we learn. */
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/ip6.h"
#include "net/mbuf.h"
#include "net/ndp.h"
#include "net/resolve.h"

#define DAD_US             1000000ULL /* RFC 4862 §5.1: one solicitation, RetransTimer */
#define DEFEND_INTERVAL_US 10000000ULL

static const struct assay_address all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct assay_address unspecified;

/* Sends the message in an IPv6 packet with hop limit 255 to the MAC address, or to that of dst, a group. */
static void ndp_send(struct net *net, uint32_t port, const uint8_t *dst_mac, const struct assay_address *src,
                     const struct assay_address *dst, const struct ndp_message *message)
{
    const struct nic *nic = net->ports[port].nic;
    struct rte_mbuf *m = rte_pktmbuf_alloc(net->pool);
    uint8_t *frame = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, ETHER_BYTES + IP6_BYTES + NDP_BYTES_MAX) : NULL;
    uint8_t group_mac[ETHER_MAC_BYTES], *icmp;
    uint16_t length, checksum;

    if (frame == NULL) {
        rte_pktmbuf_free(m);
        net->counters.drop_no_mbuf++;
        return;
    }
    if (dst_mac == NULL) {
        ip6_multicast_mac(dst, group_mac);
        dst_mac = group_mac;
    }
    icmp = frame + ETHER_BYTES + IP6_BYTES;
    length = (uint16_t)ndp_write(icmp, message);
    ether_write(frame, dst_mac, nic->mac, ETHER_TYPE_IP6);
    ip6_write(frame + ETHER_BYTES, src, dst, IP6_PROTO_ICMP, NET_ECN_NONE, length, NDP_HOP_LIMIT, 0);
    checksum = (uint16_t)~checksum_add(checksum_pseudo6(src, dst, IP6_PROTO_ICMP, length), icmp, length);
    memcpy(icmp + 2, &checksum, sizeof(checksum));
    mbuf_truncate(m, ETHER_BYTES + IP6_BYTES + length);
    if (message->type == NDP_SOLICITATION)
        net->counters.ndp_solicitations_sent++;
    else
        net->counters.ndp_advertisements_sent++;
    link_send(net, port, m);
}

void ndp_ask(struct net *net, const struct neighbour *n, const uint8_t *dst_mac)
{
    const struct net_port *port = &net->ports[n->port];
    const struct assay_address *src = port6_source_for(port, &n->address, &n->address);
    struct ndp_message message = {.type = NDP_SOLICITATION, .has_mac = true, .target = n->address};
    struct assay_address group = ip6_solicited_node(&n->address);

    if (src == NULL) /* no address is in use yet: asked again in a second */
        return;
    memcpy(message.mac, port->nic->mac, ETHER_MAC_BYTES);
    ndp_send(net, n->port, dst_mac, src, dst_mac != NULL ? &n->address : &group, &message);
}

/* --- addresses of ours ------------------------------------------------------------------------------------------------------ */

static void advertise(struct net *net, uint32_t port, const struct assay_address *address)
{
    struct ndp_message message = {.type = NDP_ADVERTISEMENT, .override = true, .has_mac = true, .target = *address};

    if (net->listens_only)
        return;
    memcpy(message.mac, net->ports[port].nic->mac, ETHER_MAC_BYTES);
    ndp_send(net, port, NULL, address, &all_nodes, &message);
}

void ndp_advertise(struct net *net)
{
    for (uint32_t port = 0; port < net->ports_count; port++) {
        const struct net_port *p = &net->ports[port];

        for (uint32_t i = 0; i < p->addresses6_count; i++)
            if (p->addresses6[i].state == ADDRESS6_PREFERRED)
                advertise(net, port, &p->addresses6[i].address);
    }
}

/* Control may be looking (net_duplicates()). */
static void set_state(struct port_address6 *own, enum address6_state state)
{
    __atomic_store_n(&own->state, (uint8_t)state, __ATOMIC_RELAXED);
}

/* Does anybody have the address? Nobody answering for a second means no. */
static void begin_dad(struct net *net, uint32_t port, struct port_address6 *own, uint64_t now_us)
{
    struct ndp_message message = {.type = NDP_SOLICITATION, .target = own->address};
    struct assay_address group = ip6_solicited_node(&own->address);

    set_state(own, ADDRESS6_TENTATIVE);
    net->dad_us = now_us + DAD_US;
    if (!net->listens_only) /* else it waits as well: it hears who objects */
        ndp_send(net, port, NULL, &unspecified, &group, &message);
}

void ndp_announce(struct net *net, uint64_t now_us)
{
    ndp_advertise(net);
    for (uint32_t port = 0; port < net->ports_count; port++) {
        struct net_port *p = &net->ports[port];

        for (uint32_t i = 0; i < p->addresses6_count; i++)
            if (p->addresses6[i].state != ADDRESS6_PREFERRED)
                begin_dad(net, port, &p->addresses6[i], now_us);
    }
}

void ndp_timers(struct net *net, uint64_t now_us)
{
    if (net->dad_us > now_us)
        return;
    net->dad_us = UINT64_MAX;
    for (uint32_t port = 0; port < net->ports_count; port++) {
        struct net_port *p = &net->ports[port];

        for (uint32_t i = 0; i < p->addresses6_count; i++) {
            if (p->addresses6[i].state != ADDRESS6_TENTATIVE)
                continue;
            set_state(&p->addresses6[i], ADDRESS6_PREFERRED);
            advertise(net, port, &p->addresses6[i].address);
        }
    }
}

/* Somebody else has, or wants, an address of ours that was not in use yet (RFC 4862 §5.4.3, §5.4.4). */
static void is_duplicate(struct net *net, struct port_address6 *own)
{
    if (own->state == ADDRESS6_DUPLICATE)
        return;
    set_state(own, ADDRESS6_DUPLICATE);
    net->counters.ndp_duplicates++;
}

/* Somebody says that it has an address which we have been using: tell everybody who has it, but not in a loop. */
static void defend(struct net *net, uint32_t port, const struct assay_address *address, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];

    net->counters.ndp_conflicts++;
    if (p->defended6_us != 0 && now_us - p->defended6_us < DEFEND_INTERVAL_US)
        return;
    p->defended6_us = now_us;
    advertise(net, port, address);
}

/* --- input ------------------------------------------------------------------------------------------------------------------ */

static void answer(struct net *net, uint32_t port, const struct assay_address *own, const struct ndp_message *request,
                   const struct assay_address *src)
{
    struct ndp_message reply = {
        .type = NDP_ADVERTISEMENT, .solicited = true, .override = true, .has_mac = true, .target = *own};
    const struct neighbour *n = neighbours_find(&net->neighbours, port, src);
    const uint8_t *mac = request->has_mac ? request->mac : NULL;

    if (net->listens_only)
        return;
    /* A unicast question may leave its MAC address out: then we must know it (RFC 4861 §7.2.4). */
    if (mac == NULL && n != NULL && n->state != NEIGHBOUR_INCOMPLETE && n->state != NEIGHBOUR_FAILED)
        mac = n->mac;
    if (mac == NULL) {
        advertise(net, port, own);
        return;
    }
    memcpy(reply.mac, net->ports[port].nic->mac, ETHER_MAC_BYTES);
    ndp_send(net, port, mac, own, src, &reply);
}

static void solicitation_input(struct net *net, uint32_t port, const struct ndp_message *message,
                               const struct assay_address *src, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    struct port_address6 *own = port6_find_address(p, &message->target);
    struct neighbour *n;

    if (own == NULL || own->state == ADDRESS6_DUPLICATE || own->state == ADDRESS6_NEW) {
        net->counters.ndp_ignored++;
        return;
    }
    net->counters.ndp_solicitations_received++;
    if (ip6_is_unspecified(src)) { /* somebody wants it */
        if (own->state == ADDRESS6_TENTATIVE)
            is_duplicate(net, own);
        else
            advertise(net, port, &own->address);
        return;
    }
    if (own->state == ADDRESS6_TENTATIVE)
        return;
    if (message->has_mac && port6_is_on_link(p, src)) {
        n = neighbours_find(&net->neighbours, port, src);
        if (n == NULL)
            n = neighbours_add(&net->neighbours, port, src, false, now_us);
        if (n != NULL)
            resolve_learn(net, n, message->mac, false, now_us);
    }
    answer(net, port, &own->address, message, src);
}

/* RFC 4861 §7.2.5 */
static void advertisement_input(struct net *net, uint32_t port, const struct ndp_message *message, uint64_t now_us)
{
    struct port_address6 *own = port6_find_address(&net->ports[port], &message->target);
    struct neighbour *n = neighbours_find(&net->neighbours, port, &message->target);
    const uint8_t *mac;
    bool solicited, resolved;

    if (own != NULL && own->state == ADDRESS6_PREFERRED) {
        defend(net, port, &own->address, now_us);
        return;
    }
    if (own != NULL) {
        is_duplicate(net, own);
        return;
    }
    resolved = n != NULL && n->state != NEIGHBOUR_INCOMPLETE && n->state != NEIGHBOUR_FAILED;
    if (n == NULL || (!message->has_mac && !resolved)) { /* nobody asked, or it does not say what was asked */
        net->counters.ndp_ignored++;
        return;
    }
    net->counters.ndp_advertisements_received++;
    mac = message->has_mac ? message->mac : n->mac;
    solicited = message->solicited && (n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_PROBE);
    /* Another address that is not meant to override: what we have is in doubt, no more. */
    if (resolved && !message->override && memcmp(mac, n->mac, ETHER_MAC_BYTES) != 0) {
        if (n->state == NEIGHBOUR_REACHABLE)
            neighbours_set_state(&net->neighbours, n, NEIGHBOUR_STALE, now_us + NEIGHBOUR_STALE_US);
        return;
    }
    resolve_learn(net, n, mac, solicited, now_us);
}

void ndp_input(struct net *net, uint32_t port, const struct ndp_message *message, const struct assay_address *src,
               uint64_t now_us)
{
    if (message->type == NDP_SOLICITATION)
        solicitation_input(net, port, message, src, now_us);
    else
        advertisement_input(net, port, message, now_us);
}
