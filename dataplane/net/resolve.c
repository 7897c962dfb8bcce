/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address resolution: who is asked, when, and what becomes of the frames that wait. Entries come to be because we send, or
 * because somebody asks for us; never by an answer that nobody asked for. */
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/arp.h"
#include "net/ip4.h"
#include "net/net_private.h"

#define SECOND_US          1000000ULL
#define RETRY_US           SECOND_US
#define TRIES_MAX          3
#define REACHABLE_US       (60 * SECOND_US)
#define STALE_US           (600 * SECOND_US)
#define FAILED_US          (2 * SECOND_US) /* the negative answer is kept so long */
#define ANNOUNCE_AGAIN_US  (2 * SECOND_US) /* RFC 5227: ANNOUNCE_INTERVAL */
#define DEFEND_INTERVAL_US (10 * SECOND_US)

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
    nic_send(net->ports[port].nic, m);
}

/* Asks the neighbour: by unicast where we believe to know its MAC address, else everybody. */
static void ask(struct net *net, struct neighbour *n, uint64_t now_us)
{
    const struct net_port *port = &net->ports[n->port];
    bool unicast = n->state == NEIGHBOUR_PROBE;
    struct arp_packet request = {.operation = ARP_REQUEST, .target_be = n->ip_be};

    request.sender_be = port_source_for(port, n->ip_be);
    memcpy(request.sender_mac, port->nic->mac, ETHER_MAC_BYTES);
    n->tries++;
    neighbours_set_state(&net->neighbours, n, (enum neighbour_state)n->state, now_us + RETRY_US);
    arp_send(net, n->port, unicast ? n->mac : broadcast_mac, &request);
}

static void begin_asking(struct net *net, struct neighbour *n, enum neighbour_state state, uint64_t now_us)
{
    n->tries = 0;
    neighbours_set_state(&net->neighbours, n, state, UINT64_MAX); /* ask() sets when to ask again */
    ask(net, n, now_us);
}

static void send_to(struct net *net, const struct neighbour *n, struct rte_mbuf *frame)
{
    memcpy(rte_pktmbuf_mtod(frame, uint8_t *), n->mac, ETHER_MAC_BYTES);
    net->counters.tx_packets++;
    nic_send(net->ports[n->port].nic, frame);
}

void resolve_send(struct net *net, uint32_t port, uint32_t next_hop_be, struct rte_mbuf *frame, uint64_t now_us)
{
    struct neighbour *n = neighbours_find(&net->neighbours, port, next_hop_be);

    if (n == NULL) {
        n = neighbours_add(&net->neighbours, port, next_hop_be, true, now_us);
        begin_asking(net, n, NEIGHBOUR_INCOMPLETE, now_us);
    }
    neighbours_touch(&net->neighbours, n, now_us);
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_PROBE: send_to(net, n, frame); return;
    case NEIGHBOUR_STALE:
        send_to(net, n, frame);
        begin_asking(net, n, NEIGHBOUR_PROBE, now_us);
        return;
    case NEIGHBOUR_INCOMPLETE: neighbours_enqueue(&net->neighbours, n, frame); return;
    case NEIGHBOUR_FAILED:
    case NEIGHBOUR_FREE: break;
    }
    net->counters.drop_arp_failed++;
    rte_pktmbuf_free(frame);
}

/* --- input ---------------------------------------------------------------------------------------------------------------- */

static void flush_pending(struct net *net, struct neighbour *n)
{
    for (struct rte_mbuf *m; (m = neighbours_dequeue(&net->neighbours, n)) != NULL;)
        send_to(net, n, m);
}

/* What the sender of an ARP packet says about itself. solicited: it answers a question of ours. */
static void learn(struct net *net, struct neighbour *n, const uint8_t *mac, bool solicited, uint64_t now_us)
{
    bool resolved = n->state != NEIGHBOUR_INCOMPLETE && n->state != NEIGHBOUR_FAILED;
    bool same = resolved && memcmp(n->mac, mac, ETHER_MAC_BYTES) == 0;

    if (same && !solicited)
        return; /* nothing new, and no proof that it hears us */
    if (resolved && !same)
        net->counters.arp_changed++;
    memcpy(n->mac, mac, ETHER_MAC_BYTES);
    if (solicited) {
        n->confirmed_us = now_us;
        neighbours_set_state(&net->neighbours, n, NEIGHBOUR_REACHABLE, now_us + REACHABLE_US);
    } else {
        neighbours_set_state(&net->neighbours, n, NEIGHBOUR_STALE, now_us + STALE_US);
    }
    flush_pending(net, n);
}

/* Somebody else says that it has an address of ours: tell everybody who has it, but not in a loop (RFC 5227 §2.4 (c)). */
static void defend(struct net *net, uint32_t port, uint32_t ip_be, uint64_t now_us)
{
    struct net_port *p = &net->ports[port];
    struct arp_packet claim = {.operation = ARP_REQUEST, .sender_be = ip_be, .target_be = ip_be};

    net->counters.arp_conflicts++;
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

static void arp_input(struct net *net, uint32_t port, const struct arp_packet *packet, bool to_us_alone,
                      uint64_t now_us)
{
    const struct net_port *p = &net->ports[port];
    bool for_us = port_find_address(p, packet->target_be) != NULL;
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

        n = neighbours_find(&net->neighbours, port, packet->sender_be);
        if (n == NULL && packet->operation == ARP_REQUEST && for_us)
            n = neighbours_add(&net->neighbours, port, packet->sender_be, false, now_us);
        if (n != NULL)
            learn(net, n, packet->sender_mac,
                  solicited && (n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_PROBE), now_us);
    }
    if (packet->operation == ARP_REQUEST && for_us)
        answer(net, port, packet);
}

void resolve_input(struct net *net, uint32_t port, struct rte_mbuf *frame, uint64_t now_us)
{
    const uint8_t *p = rte_pktmbuf_mtod(frame, const uint8_t *);
    struct arp_packet packet;

    if (arp_read(slice_of(p + ETHER_BYTES, frame->data_len - ETHER_BYTES), &packet))
        arp_input(net, port, &packet, !mac_is_group(p), now_us);
    else
        net->counters.arp_malformed++;
    rte_pktmbuf_free(frame);
}

/* --- time ----------------------------------------------------------------------------------------------------------------- */

/* Our own "host unreachable" for a TCP segment that cannot leave. False: the frame is not TCP. */
static bool unreachable_error(const struct rte_mbuf *frame, struct net_icmp_error *out)
{
    const uint8_t *ip = rte_pktmbuf_mtod_offset(frame, const uint8_t *, ETHER_BYTES), *tcp = ip + IP4_BYTES;

    if (ip[IP4_OFFSET_PROTO] != IP4_PROTO_TCP)
        return false;
    *out = (struct net_icmp_error){
        .local = address_from_ip4_be(read_raw32(ip + IP4_OFFSET_SRC)),
        .remote = address_from_ip4_be(read_raw32(ip + IP4_OFFSET_DST)),
        .local_port = read_be16(tcp),
        .remote_port = read_be16(tcp + 2),
        .sequence = read_be32(tcp + 4),
        .type = ICMP_UNREACHABLE,
        .code = ICMP_CODE_HOST,
    };
    return true;
}

static uint32_t give_up(struct net *net, struct neighbour *n, uint64_t now_us, struct net_icmp_error *errors,
                        uint32_t max)
{
    uint32_t count = 0;

    net->counters.arp_failed++;
    for (struct rte_mbuf *m; (m = neighbours_dequeue(&net->neighbours, n)) != NULL;) {
        if (count < max && unreachable_error(m, &errors[count]))
            count++;
        net->counters.drop_arp_failed++;
        rte_pktmbuf_free(m);
    }
    neighbours_set_state(&net->neighbours, n, NEIGHBOUR_FAILED, now_us + FAILED_US);
    return count;
}

static uint32_t neighbour_due(struct net *net, struct neighbour *n, uint64_t now_us, struct net_icmp_error *errors,
                              uint32_t max)
{
    bool in_use = n->wanted && n->used_us > n->confirmed_us;

    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
        if (n->tries >= TRIES_MAX)
            return give_up(net, n, now_us, errors, max);
        ask(net, n, now_us);
        break;
    case NEIGHBOUR_PROBE:
        if (n->tries < TRIES_MAX)
            ask(net, n, now_us);
        else /* it may have moved: ask everybody */
            begin_asking(net, n, NEIGHBOUR_INCOMPLETE, now_us);
        break;
    case NEIGHBOUR_REACHABLE:
        if (in_use)
            begin_asking(net, n, NEIGHBOUR_PROBE, now_us);
        else
            neighbours_set_state(&net->neighbours, n, NEIGHBOUR_STALE, now_us + STALE_US);
        break;
    case NEIGHBOUR_STALE:
    case NEIGHBOUR_FAILED: neighbours_remove(&net->neighbours, n); break;
    case NEIGHBOUR_FREE: break;
    }
    return 0;
}

static void announce_all(struct net *net)
{
    for (uint32_t port = 0; port < net->ports_count; port++) {
        const struct net_port *p = &net->ports[port];

        for (uint32_t i = 0; i < p->addresses_count; i++) {
            struct arp_packet packet = {.operation = ARP_REQUEST};

            packet.sender_be = packet.target_be = p->addresses[i].ip_be;
            memcpy(packet.sender_mac, p->nic->mac, ETHER_MAC_BYTES);
            arp_send(net, port, broadcast_mac, &packet);
        }
    }
}

void net_announce(struct net *net, uint64_t now_us)
{
    announce_all(net);
    net->announce_us = now_us + ANNOUNCE_AGAIN_US;
}

uint32_t net_timers(struct net *net, uint64_t now_us, struct net_icmp_error *errors, uint32_t errors_max)
{
    struct neighbours *table = &net->neighbours;
    uint32_t count = 0;

    if (net->announce_us <= now_us) {
        net->announce_us = UINT64_MAX;
        announce_all(net);
    }
    if (table->next_due_us > now_us)
        return 0;
    /* Rows become due every second at most, and the table is small: a scan is cheaper than order. */
    table->next_due_us = UINT64_MAX;
    for (uint32_t i = 0; i < table->max; i++) {
        struct neighbour *n = &table->rows[i];

        if (n->state != NEIGHBOUR_FREE && n->due_us <= now_us)
            count += neighbour_due(net, n, now_us, errors + count, errors_max - count);
        if (n->state != NEIGHBOUR_FREE && n->due_us < table->next_due_us)
            table->next_due_us = n->due_us;
    }
    return count;
}

uint64_t net_next_timer_us(const struct net *net)
{
    uint64_t due = net->neighbours.next_due_us;

    return net->announce_us < due ? net->announce_us : due;
}
