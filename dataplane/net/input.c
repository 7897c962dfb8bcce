/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>

#include <rte_prefetch.h>

#include "base/address.h"
#include "net/ip4.h"
#include "net/mbuf.h"
#include "net/net_private.h"

#define TCP_BYTES     20
#define TCP_BYTES_MAX 60

/* So many bytes of a frame are made contiguous: every header there may be, and what an ICMP error quotes. */
#define HEADERS_BYTES (ETHER_BYTES + IP4_BYTES_MAX + ICMP_BYTES + ICMP_QUOTE_MAX)

static_assert(HEADERS_BYTES >= ETHER_BYTES + IP4_BYTES_MAX + TCP_BYTES_MAX, "the TCP header's place is counted in");

/* One burst on its way up. */
struct burst {
    struct net *net;
    uint32_t port;
    uint64_t now_us;
    struct net_segment *segments;
    uint32_t segments_count;
    struct net_icmp_error *errors;
    uint32_t errors_count;
};

static void drop(struct rte_mbuf *m, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(m);
}

/* --- TCP ------------------------------------------------------------------------------------------------------------------ */

static bool tcp_checksum_right(const struct burst *b, const struct rte_mbuf *m, const struct ip4_header *ip)
{
    uint16_t pseudo;

    if (b->net->ports[b->port].nic->rx_checksum) {
        uint64_t verdict = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

        if (verdict == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
            return true;
        if (verdict == RTE_MBUF_F_RX_L4_CKSUM_BAD)
            return false;
    }
    pseudo = checksum_pseudo4(ip->src_be, ip->dst_be, IP4_PROTO_TCP, (uint16_t)m->pkt_len);
    return mbuf_checksum(pseudo, m, 0) == 0xffff;
}

static void tcp_segment(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct net_counters *c = &b->net->counters;

    (void)rte_pktmbuf_adj(m, ip->header_length);
    if (m->pkt_len < TCP_BYTES) {
        drop(m, &c->drop_tcp_short);
        return;
    }
    if (!tcp_checksum_right(b, m, ip)) {
        drop(m, &c->drop_tcp_checksum);
        return;
    }
    b->segments[b->segments_count++] = (struct net_segment){
        .mbuf = m,
        .src = address_from_ip4_be(ip->src_be),
        .dst = address_from_ip4_be(ip->dst_be),
        .length = (uint16_t)m->pkt_len,
        .ecn = ip->ecn,
    };
    c->rx_tcp++;
}

/* --- ICMP ----------------------------------------------------------------------------------------------------------------- */

/* Turns the request itself into its reply: the data go back as they came (RFC 1122 §3.2.2.6). */
static void echo_reply(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct net *net = b->net;
    uint8_t *icmp;
    uint16_t checksum;

    if (!icmp_limit_allow(&net->echo_limit, b->now_us)) {
        drop(m, &net->counters.icmp_echo_limited);
        return;
    }
    if (!mbuf_writable(m)) {
        struct rte_mbuf *copy = rte_pktmbuf_copy(m, net->pool, 0, UINT32_MAX);

        rte_pktmbuf_free(m);
        m = copy;
    }
    if (m == NULL) {
        net->counters.drop_no_mbuf++;
        return;
    }
    m->ol_flags = 0;
    icmp = rte_pktmbuf_mtod(m, uint8_t *);
    icmp[0] = ICMP_ECHO_REPLY;
    memset(icmp + 2, 0, sizeof(checksum));
    checksum = (uint16_t)~mbuf_checksum(0, m, 0);
    memcpy(icmp + 2, &checksum, sizeof(checksum));
    net->counters.icmp_echo_answered++;
    ip4_output(net, b->port, m, ip->dst_be, ip->src_be, IP4_PROTO_ICMP, b->now_us);
}

static void icmp_error(struct burst *b, struct rte_mbuf *m)
{
    struct net_counters *c = &b->net->counters;
    struct net_icmp_error *error = &b->errors[b->errors_count];

    if (icmp_read_error(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), error) &&
        port_find_address(&b->net->ports[b->port], address_ip4_be(&error->local)) != NULL) {
        b->errors_count++;
        drop(m, &c->rx_icmp_error);
    } else {
        drop(m, &c->icmp_malformed);
    }
}

static void icmp_message(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct net_counters *c = &b->net->counters;
    const uint8_t *icmp;

    (void)rte_pktmbuf_adj(m, ip->header_length);
    if (m->pkt_len < ICMP_BYTES || mbuf_checksum(0, m, 0) != 0xffff) {
        drop(m, &c->icmp_malformed);
        return;
    }
    icmp = rte_pktmbuf_mtod(m, const uint8_t *);
    if (icmp[0] == ICMP_ECHO_REQUEST && icmp[1] == 0)
        echo_reply(b, m, ip);
    else if (icmp_is_error(icmp[0]))
        icmp_error(b, m);
    else
        drop(m, &c->icmp_ignored);
}

/* --- what we do not speak --------------------------------------------------------------------------------------------------- */

/* The sender is a single host and the datagram was for us alone and whole: all that RFC 1122 §3.2.2 asks before an answer. */
static void unreachable(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct net *net = b->net;
    uint32_t quoted = ip->header_length + 8U;
    uint8_t code = ip->protocol == IP4_PROTO_UDP ? ICMP_CODE_PORT : ICMP_CODE_PROTOCOL;
    struct rte_mbuf *out;
    uint8_t *message;

    net->counters.drop_protocol++;
    if (!icmp_limit_allow(&net->error_limit, b->now_us)) {
        drop(m, &net->counters.icmp_errors_limited);
        return;
    }
    out = rte_pktmbuf_alloc(net->pool);
    message = out != NULL ? (uint8_t *)rte_pktmbuf_append(out, ICMP_BYTES + ICMP_QUOTE_MAX) : NULL;
    if (message == NULL) {
        rte_pktmbuf_free(out);
        drop(m, &net->counters.drop_no_mbuf);
        return;
    }
    if (quoted > m->pkt_len)
        quoted = m->pkt_len;
    mbuf_truncate(out, icmp_write_unreachable(message, code, slice_of(rte_pktmbuf_mtod(m, void *), quoted)));
    net->counters.icmp_errors_sent++;
    ip4_output(net, b->port, out, ip->dst_be, ip->src_be, IP4_PROTO_ICMP, b->now_us);
    rte_pktmbuf_free(m);
}

/* --- IPv4 ----------------------------------------------------------------------------------------------------------------- */

/* Can the source not be right: no host's address, our own, or of a subnet that is behind another port? */
static bool is_martian(const struct burst *b, uint32_t src_be)
{
    const struct net *net = b->net;

    if (ip4_is_martian_source(src_be) || port_is_broadcast(&net->ports[b->port], src_be))
        return true;
    for (uint32_t i = 0; i < net->ports_count; i++)
        if (port_find_address(&net->ports[i], src_be) != NULL ||
            (i != b->port && port_is_on_link(&net->ports[i], src_be) && !port_is_on_link(&net->ports[b->port], src_be)))
            return true;
    return false;
}

static uint64_t *fault_counter(struct net_counters *c, enum ip4_fault fault)
{
    switch (fault) {
    case IP4_BAD_CHECKSUM: return &c->drop_ip4_checksum;
    case IP4_BAD_OPTIONS: return &c->drop_ip4_options;
    case IP4_SOURCE_ROUTE: return &c->drop_ip4_source_route;
    case IP4_FRAGMENT: return &c->drop_ip4_fragment;
    case IP4_BAD_HEADER:
    case IP4_OK: break;
    }
    return &c->drop_ip4_header;
}

/* Why the datagram is not for us, or NULL. */
static uint64_t *not_for_us(const struct burst *b, const struct ip4_header *ip, bool to_us_alone)
{
    struct net_counters *c = &b->net->counters;
    const struct net_port *port = &b->net->ports[b->port];

    if (!to_us_alone || ip4_is_multicast(ip->dst_be) || port_is_broadcast(port, ip->dst_be))
        return &c->drop_ip4_broadcast;
    if (port_find_address(port, ip->dst_be) == NULL)
        return &c->drop_ip4_destination;
    return is_martian(b, ip->src_be) ? &c->drop_ip4_martian : NULL;
}

/* m: data at the IP header, headers contiguous. */
static void ip4_input(struct burst *b, struct rte_mbuf *m, bool to_us_alone)
{
    struct net_counters *c = &b->net->counters;
    bool verified = b->net->ports[b->port].nic->rx_checksum &&
                    (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    struct slice head = slice_head(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), IP4_BYTES_MAX);
    struct ip4_header ip;
    enum ip4_fault fault = ip4_read(head, m->pkt_len, verified, &ip);
    uint64_t *reason;

    if (fault == IP4_BAD_HEADER || fault == IP4_BAD_CHECKSUM) {
        drop(m, fault_counter(c, fault));
        return;
    }
    reason = not_for_us(b, &ip, to_us_alone);
    if (reason == NULL && fault != IP4_OK)
        reason = fault_counter(c, fault);
    if (reason != NULL) {
        drop(m, reason);
        return;
    }
    if (m->pkt_len > ip.total_length) {
        mbuf_truncate(m, ip.total_length);
        c->rx_trimmed++;
    }
    switch (ip.protocol) {
    case IP4_PROTO_TCP: tcp_segment(b, m, &ip); break;
    case IP4_PROTO_ICMP: icmp_message(b, m, &ip); break;
    default: unreachable(b, m, &ip); break;
    }
}

/* --- Ethernet --------------------------------------------------------------------------------------------------------------- */

static void other_ethertype(struct burst *b, struct rte_mbuf *m, uint16_t type)
{
    struct net_counters *c = &b->net->counters;

    if (type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ)
        drop(m, &c->drop_vlan);
    else if (type == ETHER_TYPE_IP6)
        drop(m, &c->drop_ip6);
    else
        drop(m, &c->drop_ethertype);
}

static void ether_input(struct burst *b, struct rte_mbuf *m)
{
    struct net_counters *c = &b->net->counters;
    const struct nic *nic = b->net->ports[b->port].nic;
    const uint8_t *frame;
    uint16_t type;
    bool to_us_alone;

    if (m->data_len < HEADERS_BYTES && m->nb_segs > 1) {
        if (!mbuf_pull(&m, HEADERS_BYTES, b->net->pool)) {
            drop(m, &c->drop_no_mbuf);
            return;
        }
        c->rx_pulled++;
    }
    if (m->data_len < ETHER_BYTES) {
        drop(m, &c->drop_short);
        return;
    }
    frame = rte_pktmbuf_mtod(m, const uint8_t *);
    type = read_be16(frame + 12);
    to_us_alone = memcmp(frame, nic->mac, ETHER_MAC_BYTES) == 0;
    if (type == ETHER_TYPE_IP6) /* its multicast would else be counted as frames for others */
        drop(m, &c->drop_ip6);
    else if (!to_us_alone && !mac_is_broadcast(frame))
        drop(m, &c->drop_not_for_us);
    else if (mac_is_group(frame + ETHER_OFFSET_SRC) || memcmp(frame + ETHER_OFFSET_SRC, nic->mac, ETHER_MAC_BYTES) == 0)
        drop(m, &c->drop_source_mac);
    else if (type == ETHER_TYPE_ARP)
        resolve_input(b->net, b->port, m, b->now_us);
    else if (type != ETHER_TYPE_IP4)
        other_ethertype(b, m, type);
    else {
        (void)rte_pktmbuf_adj(m, ETHER_BYTES);
        ip4_input(b, m, to_us_alone);
    }
}

uint32_t net_input(struct net *net, uint32_t port, struct rte_mbuf **packets, uint32_t n, uint64_t now_us,
                   struct net_segment *segments, struct net_icmp_error *errors, uint32_t *errors_count)
{
    struct burst b = {.net = net, .port = port, .now_us = now_us, .segments = segments, .errors = errors};

    b.errors_count = *errors_count;
    for (uint32_t i = 0; i < n; i++) {
        if (i + 2 < n)
            rte_prefetch0(rte_pktmbuf_mtod(packets[i + 2], void *));
        ether_input(&b, packets[i]);
    }
    net->counters.rx_packets += n;
    *errors_count = b.errors_count;
    return b.segments_count;
}
