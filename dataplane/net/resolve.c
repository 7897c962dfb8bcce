/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address resolution: who is asked, when, and what becomes of the frames that wait. Entries come to be because we send, or
 * because somebody asks for us; never by an answer that nobody asked for. */
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/input.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/resolve.h"

#define SECOND_US         1000000ULL
#define RETRY_US          SECOND_US
#define TRIES_MAX         3
#define REACHABLE_US      (60 * SECOND_US)
#define FAILED_US         (2 * SECOND_US) /* the negative answer is kept so long */
#define ANNOUNCE_AGAIN_US (2 * SECOND_US) /* RFC 5227: ANNOUNCE_INTERVAL */

/* Asks the neighbour: by unicast where we believe to know its MAC address, else everybody. */
static void ask(struct net *net, struct neighbour *n, uint64_t now_us)
{
    const uint8_t *mac = n->state == NEIGHBOUR_PROBE ? n->mac : NULL;

    n->tries++;
    neighbours_set_state(&net->neighbours, n, (enum neighbour_state)n->state, now_us + RETRY_US);
    if (address_is_ip4(&n->address))
        arp_ask(net, n, mac);
    else
        ndp_ask(net, n, mac);
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
    link_send(net, n->port, frame);
}

void resolve_send(struct net *net, uint32_t port, const struct assay_address *next_hop, struct rte_mbuf *frame,
                  uint64_t now_us)
{
    struct neighbour *n = neighbours_find(&net->neighbours, port, next_hop);

    if (n == NULL) {
        n = neighbours_add(&net->neighbours, port, next_hop, true, now_us);
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

/* --- learning ------------------------------------------------------------------------------------------------------------- */

static void flush_pending(struct net *net, struct neighbour *n)
{
    for (struct rte_mbuf *m; (m = neighbours_dequeue(&net->neighbours, n)) != NULL;)
        send_to(net, n, m);
}

void resolve_learn(struct net *net, struct neighbour *n, const uint8_t *mac, bool solicited, uint64_t now_us)
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
        neighbours_set_state(&net->neighbours, n, NEIGHBOUR_STALE, now_us + NEIGHBOUR_STALE_US);
    }
    flush_pending(net, n);
}

/* --- time ----------------------------------------------------------------------------------------------------------------- */

/* Our own "host unreachable" for a TCP segment that cannot leave. False: the frame is not TCP. */
static bool unreachable_error(const struct rte_mbuf *frame, struct net_icmp_error *out)
{
    const uint8_t *ip = rte_pktmbuf_mtod_offset(frame, const uint8_t *, ETHER_BYTES), *tcp;
    bool ip4 = ip[0] >> 4 == 4;

    if ((ip4 ? ip[IP4_OFFSET_PROTO] : ip[IP6_OFFSET_NEXT]) != IP4_PROTO_TCP)
        return false;
    tcp = ip + (ip4 ? IP4_BYTES : IP6_BYTES);
    *out = (struct net_icmp_error){
        .local_port = read_be16(tcp),
        .remote_port = read_be16(tcp + 2),
        .sequence = read_be32(tcp + 4),
        .kind = NET_ERROR_HARD,
        .type = ip4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE,
        .code = ip4 ? ICMP_CODE_HOST : ICMP6_CODE_ADDRESS,
    };
    if (ip4) {
        out->local = address_from_ip4_be(read_raw32(ip + IP4_OFFSET_SRC));
        out->remote = address_from_ip4_be(read_raw32(ip + IP4_OFFSET_DST));
    } else {
        memcpy(out->local.bytes, ip + IP6_OFFSET_SRC, sizeof(out->local.bytes));
        memcpy(out->remote.bytes, ip + IP6_OFFSET_DST, sizeof(out->remote.bytes));
    }
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
            neighbours_set_state(&net->neighbours, n, NEIGHBOUR_STALE, now_us + NEIGHBOUR_STALE_US);
        break;
    case NEIGHBOUR_STALE:
    case NEIGHBOUR_FAILED: neighbours_remove(&net->neighbours, n); break;
    case NEIGHBOUR_FREE: break;
    }
    return 0;
}

void net_announce(struct net *net, uint64_t now_us)
{
    arp_announce(net);
    mld_announce(net); /* before the questions whose answers it lets through */
    ndp_announce(net, now_us);
    net->announce_us = now_us + ANNOUNCE_AGAIN_US;
}

uint32_t net_timers(struct net *net, uint64_t now_us, struct net_icmp_error *errors, uint32_t errors_max)
{
    struct neighbours *table = &net->neighbours;
    uint32_t count = 0;

    ndp_timers(net, now_us);
    mld_timers(net, now_us);
    input_expire_fragments(net, now_us);
    if (net->announce_us <= now_us) {
        net->announce_us = UINT64_MAX;
        arp_announce(net);
        mld_announce(net);
        ndp_advertise(net);
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

    if (net->announce_us < due)
        due = net->announce_us;
    if (net->mld_us < due)
        due = net->mld_us;
    if (net->fragments.next_due_us < due)
        due = net->fragments.next_due_us;
    return net->dad_us < due ? net->dad_us : due;
}
