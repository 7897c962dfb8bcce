/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPv4 and its ICMP: what is for us goes up or is answered. */
#include "base/address.h"
#include "net/input.h"
#include "net/ip4.h"
#include "net/mbuf.h"

/* --- ICMP ----------------------------------------------------------------------------------------------------------------- */

/* Turns the request itself into its reply: the data go back as they came (RFC 1122 §3.2.2.6). */
static void echo_reply(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct net *net = b->net;
    uint8_t *icmp;
    uint16_t checksum;

    if (!icmp_limit_allow(&net->echo_limit, b->now_us)) {
        input_drop(m, &net->counters.icmp_echo_limited);
        return;
    }
    if (!input_make_writable(net, &m))
        return;
    icmp = rte_pktmbuf_mtod(m, uint8_t *);
    icmp[0] = ICMP_ECHO_REPLY;
    memset(icmp + 2, 0, sizeof(checksum));
    checksum = (uint16_t)~mbuf_checksum(0, m, 0);
    memcpy(icmp + 2, &checksum, sizeof(checksum));
    net->counters.icmp_echo_answered++;
    ip4_output(net, b->port, m, ip->dst_be, ip->src_be, IP4_PROTO_ICMP, NET_ECN_NONE, b->now_us);
}

static void icmp_error(struct burst *b, struct rte_mbuf *m)
{
    struct net_counters *c = &b->net->counters;
    struct net_icmp_error *error = &b->errors[b->errors_count];

    if (icmp_read_error(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), error) &&
        port_find_address(&b->net->ports[b->port], address_ip4_be(&error->local)) != NULL) {
        b->errors_count++;
        input_drop(m, &c->rx_icmp_error);
    } else {
        input_drop(m, &c->icmp_malformed);
    }
}

static void icmp_message(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct net_counters *c = &b->net->counters;
    const uint8_t *icmp;

    (void)rte_pktmbuf_adj(m, ip->header_length);
    if (m->pkt_len < ICMP_BYTES || mbuf_checksum(0, m, 0) != 0xffff) {
        input_drop(m, &c->icmp_malformed);
        return;
    }
    icmp = rte_pktmbuf_mtod(m, const uint8_t *);
    if (icmp[0] == ICMP_ECHO_REQUEST && icmp[1] == 0)
        echo_reply(b, m, ip);
    else if (icmp_is_error(icmp[0]))
        icmp_error(b, m);
    else
        input_drop(m, &c->icmp_ignored);
}

/* --- what we do not speak --------------------------------------------------------------------------------------------------- */

/* Answers with an error that quotes the datagram; m: data at the IP header. The sender is a single host, and the datagram was for
 * us alone: all that RFC 1122 §3.2.2 asks before an answer but that it was no error itself. */
static void send_error(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip, uint8_t type, uint8_t code)
{
    struct net *net = b->net;
    uint32_t quoted = ip->header_length + 8U;
    struct rte_mbuf *out;
    uint8_t *message;

    if (!icmp_limit_allow(&net->error_limit, b->now_us)) {
        input_drop(m, &net->counters.icmp_errors_limited);
        return;
    }
    out = rte_pktmbuf_alloc(net->pool);
    message = out != NULL ? (uint8_t *)rte_pktmbuf_append(out, ICMP_BYTES + ICMP_QUOTE_MAX) : NULL;
    if (message == NULL) {
        rte_pktmbuf_free(out);
        input_drop(m, &net->counters.drop_no_mbuf);
        return;
    }
    if (quoted > m->pkt_len)
        quoted = m->pkt_len;
    mbuf_truncate(out, icmp_write_error(message, type, code, slice_of(rte_pktmbuf_mtod(m, void *), quoted)));
    net->counters.icmp_errors_sent++;
    ip4_output(net, b->port, out, ip->dst_be, ip->src_be, IP4_PROTO_ICMP, NET_ECN_NONE, b->now_us);
    rte_pktmbuf_free(m);
}

/* A protocol we do not speak. */
static void unreachable(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    b->net->counters.drop_protocol++;
    send_error(b, m, ip, ICMP_UNREACHABLE, ip->protocol == IP4_PROTO_UDP ? ICMP_CODE_PORT : ICMP_CODE_PROTOCOL);
}

void ip4_fragments_expired(struct burst *b, struct rte_mbuf *m)
{
    struct slice head = slice_head(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), IP4_BYTES_MAX);
    struct ip4_header ip;
    bool tell = ip4_read(head, m->pkt_len, true, &ip) == IP4_FRAGMENT && m->data_len > ip.header_length;

    /* Of ICMP only a request may be answered. */
    if (tell && ip.protocol == IP4_PROTO_ICMP)
        tell = *rte_pktmbuf_mtod_offset(m, const uint8_t *, ip.header_length) == ICMP_ECHO_REQUEST;
    if (tell)
        send_error(b, m, &ip, ICMP_TIME_EXCEEDED, ICMP_CODE_REASSEMBLY);
    else
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

static void tcp_input4(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct assay_address src = address_from_ip4_be(ip->src_be), dst = address_from_ip4_be(ip->dst_be);

    (void)rte_pktmbuf_adj(m, ip->header_length);
    tcp_segment_input(b, m, &src, &dst, checksum_pseudo4(ip->src_be, ip->dst_be, IP4_PROTO_TCP, (uint16_t)m->pkt_len),
                      ip->ecn);
}

/* A fragment of a datagram for us. The whole one begins its way up anew, as a frame of its own. */
static void fragment4_input(struct burst *b, struct rte_mbuf *m, const struct ip4_header *ip)
{
    struct fragment fragment = {.src = address_from_ip4_be(ip->src_be),
                                .dst = address_from_ip4_be(ip->dst_be),
                                .id = ip->id,
                                .key_protocol = ip->protocol,
                                .protocol = ip->protocol,
                                .ecn = ip->ecn,
                                .more = ip->more,
                                .offset = ip->fragment_offset,
                                .data_at = ip->header_length};
    bool marked;
    struct rte_mbuf *whole = input_add_fragment(b, m, &fragment, &marked);
    uint8_t *header;

    if (whole == NULL)
        return;
    header = rte_pktmbuf_mtod(whole, uint8_t *);
    write_be16(header + 2, (uint16_t)whole->pkt_len);
    if (marked)
        header[IP4_OFFSET_TOS] |= NET_ECN_CE;
    ip4_set_fragment(header, 0); /* and the checksum of it all */
    input_again(b, whole, ETHER_TYPE_IP4);
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
    return NULL;
}

void ip4_input(struct burst *b, struct rte_mbuf *m, bool to_us_alone)
{
    struct net_counters *c = &b->net->counters;
    bool verified = b->net->ports[b->port].nic->rx_checksum &&
                    (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    struct slice head = slice_head(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), IP4_BYTES_MAX);
    struct ip4_header ip;
    enum ip4_fault fault = ip4_read(head, m->pkt_len, verified, &ip);
    uint64_t *reason;

    if (fault == IP4_BAD_HEADER || fault == IP4_BAD_CHECKSUM) {
        input_drop(m, fault_counter(c, fault));
        return;
    }
    reason = not_for_us(b, &ip, to_us_alone);
    if (reason != NULL) {
        input_not_ours(b, m, reason);
        return;
    }
    if (is_martian(b, ip.src_be)) {
        input_drop(m, &c->drop_ip4_martian);
        return;
    }
    if (fault != IP4_OK && (fault != IP4_FRAGMENT || !b->net->reassemble)) {
        input_drop(m, fault_counter(c, fault));
        return;
    }
    if (m->pkt_len > ip.total_length) {
        mbuf_truncate(m, ip.total_length);
        c->rx_trimmed++;
    }
    if (fault == IP4_FRAGMENT) {
        fragment4_input(b, m, &ip);
        return;
    }
    switch (ip.protocol) {
    case IP4_PROTO_TCP: tcp_input4(b, m, &ip); break;
    case IP4_PROTO_ICMP: icmp_message(b, m, &ip); break;
    default: unreachable(b, m, &ip); break;
    }
}
