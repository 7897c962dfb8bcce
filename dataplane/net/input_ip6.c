/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPv6 and its ICMP: what is for us goes up or is answered. */
#include "base/address.h"
#include "net/icmp6.h"
#include "net/input.h"
#include "net/mbuf.h"
#include "net/mld.h"
#include "net/ndp.h"

/* --- ICMP ----------------------------------------------------------------------------------------------------------------- */

static void echo_reply6(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip)
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
    icmp[0] = ICMP6_ECHO_REPLY;
    memset(icmp + 2, 0, sizeof(checksum));
    checksum = (uint16_t)~mbuf_checksum(checksum_pseudo6(&ip->dst, &ip->src, IP6_PROTO_ICMP, m->pkt_len), m, 0);
    memcpy(icmp + 2, &checksum, sizeof(checksum));
    net->counters.icmp_echo_answered++;
    ip6_output(net, b->port, m, &ip->dst, &ip->src, IP6_PROTO_ICMP, NET_ECN_NONE, 0, b->now_us);
}

static void icmp6_error(struct burst *b, struct rte_mbuf *m)
{
    struct net_counters *c = &b->net->counters;
    struct net_icmp_error *error = &b->errors[b->errors_count];

    if (icmp6_read_error(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), error) &&
        port6_find_used(&b->net->ports[b->port], &error->local) != NULL) {
        b->errors_count++;
        input_drop(m, &c->rx_icmp_error);
    } else {
        input_drop(m, &c->icmp_malformed);
    }
}

static void ndp_message_input(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip)
{
    struct slice bytes = slice_of(rte_pktmbuf_mtod(m, void *), m->data_len);
    struct ndp_message message;

    if (!ip->fragment && m->data_len == m->pkt_len && ndp_read(bytes, &ip->src, &ip->dst, ip->hop_limit, &message)) {
        /* as with ARP */
        if (message.type != NDP_SOLICITATION || port6_find_address(&b->net->ports[b->port], &message.target) == NULL)
            input_share(b, m);
        ndp_input(b->net, b->port, &message, &ip->src, b->now_us);
    } else {
        b->net->counters.ndp_malformed++;
    }
    rte_pktmbuf_free(m);
}

/* RFC 3810 §6.2: what does not come from the link, and as it must, is ignored. */
static void mld_query_input(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip)
{
    struct mld_query query;

    input_share(b, m); /* the kernel has joined groups of its own */
    if (ip->hop_limit == 1 && ip->router_alert && ip6_is_link_local(&ip->src) &&
        mld_read_query(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), &query))
        mld_input(b->net, &query, b->now_us);
    else
        b->net->counters.icmp_ignored++;
    rte_pktmbuf_free(m);
}

/* to_us_alone: neither a group nor a group's MAC address. Only neighbour discovery is answered to those. */
static void icmp6_message(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip, bool to_us_alone)
{
    struct net_counters *c = &b->net->counters;
    const uint8_t *icmp;

    (void)rte_pktmbuf_adj(m, ip->header_length);
    if (m->pkt_len < ICMP6_BYTES ||
        mbuf_checksum(checksum_pseudo6(&ip->src, &ip->dst, IP6_PROTO_ICMP, m->pkt_len), m, 0) != 0xffff) {
        input_drop(m, &c->icmp_malformed);
        return;
    }
    icmp = rte_pktmbuf_mtod(m, const uint8_t *);
    if (icmp[0] == NDP_SOLICITATION || icmp[0] == NDP_ADVERTISEMENT)
        ndp_message_input(b, m, ip);
    else if (icmp[0] == MLD_QUERY)
        mld_query_input(b, m, ip);
    else if (!to_us_alone) /* router advertisements, multicast listeners */
        input_not_ours(b, m, &c->drop_ip6_multicast);
    else if (icmp[0] == ICMP6_ECHO_REQUEST && icmp[1] == 0)
        echo_reply6(b, m, ip);
    else if (icmp6_is_error(icmp[0]))
        icmp6_error(b, m);
    else
        input_drop(m, &c->icmp_ignored);
}

/* --- errors ---------------------------------------------------------------------------------------------------------------- */

/* Answers with an error that quotes the packet; m: data at the IP header. The sender is a single host, and the packet was for us
 * alone: all that RFC 4443 §2.4 (e) asks before an answer but for its last point, which is here. */
static void send_error(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip, uint8_t type, uint8_t code,
                       uint32_t value)
{
    struct net *net = b->net;
    uint32_t quoted = m->pkt_len < ICMP6_QUOTE_MAX ? m->pkt_len : ICMP6_QUOTE_MAX;
    struct rte_mbuf *out;
    uint8_t *message;
    uint16_t checksum;

    if (!icmp_limit_allow(&net->error_limit, b->now_us)) {
        input_drop(m, &net->counters.icmp_errors_limited);
        return;
    }
    out = rte_pktmbuf_copy(m, net->pool, 0, quoted);
    message = out != NULL ? (uint8_t *)rte_pktmbuf_prepend(out, ICMP6_BYTES) : NULL;
    if (message == NULL) {
        rte_pktmbuf_free(out);
        input_drop(m, &net->counters.drop_no_mbuf);
        return;
    }
    out->ol_flags = 0;
    icmp6_write_error(message, type, code, value);
    checksum = (uint16_t)~mbuf_checksum(checksum_pseudo6(&ip->dst, &ip->src, IP6_PROTO_ICMP, out->pkt_len), out, 0);
    memcpy(message + 2, &checksum, sizeof(checksum));
    net->counters.icmp_errors_sent++;
    ip6_output(net, b->port, out, &ip->dst, &ip->src, IP6_PROTO_ICMP, NET_ECN_NONE, 0, b->now_us);
    rte_pktmbuf_free(m);
}

/* A protocol we do not speak; "no next header" is none at all (RFC 8200 §4.7). */
static void other_protocol(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip)
{
    struct net_counters *c = &b->net->counters;

    c->drop_protocol++;
    if (ip->protocol == IP6_PROTO_NONE)
        rte_pktmbuf_free(m);
    else if (ip->protocol == IP6_PROTO_UDP)
        send_error(b, m, ip, ICMP6_UNREACHABLE, ICMP6_CODE_PORT, 0);
    else
        send_error(b, m, ip, ICMP6_PARAMETER_PROBLEM, ICMP6_CODE_NEXT_HEADER, ip->next_at);
}

void ip6_fragments_expired(struct burst *b, struct rte_mbuf *m)
{
    struct slice head =
        slice_head(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), IP6_BYTES + IP6_EXTENSION_BYTES_MAX);
    struct ip6_header ip;
    bool tell = ip6_read(head, m->pkt_len, &ip) == IP6_FRAGMENT && m->data_len > ip.header_length;

    /* Of ICMP only a request may be answered. */
    if (tell && ip.protocol == IP6_PROTO_ICMP)
        tell = *rte_pktmbuf_mtod_offset(m, const uint8_t *, ip.header_length) == ICMP6_ECHO_REQUEST;
    if (tell)
        send_error(b, m, &ip, ICMP6_TIME_EXCEEDED, ICMP6_CODE_REASSEMBLY, 0);
    else
        rte_pktmbuf_free(m);
}

/* --- IPv6 ----------------------------------------------------------------------------------------------------------------- */

/* Can the source not be right: no host's address, our own, or of a subnet that is behind another port? A link-local one is
 * behind each of them. Neighbour discovery comes from :: and, where another host has an address of ours, from that: it judges
 * both itself. */
static bool is_martian6(struct burst *b, const struct assay_address *src, bool ndp)
{
    struct net *net = b->net;

    if (ip6_is_martian_source(src))
        return !ndp || !ip6_is_unspecified(src);
    for (uint32_t i = 0; i < net->ports_count; i++) {
        const struct port_address6 *own = port6_find_address(&net->ports[i], src);

        if (own != NULL && own->state != ADDRESS6_DUPLICATE && !ndp)
            return true;
        if (i != b->port && port6_is_on_link(&net->ports[i], src) && !port6_is_on_link(&net->ports[b->port], src))
            return true;
    }
    return false;
}

/* A fragment of a packet for us. The whole one begins its way up anew, as a frame of its own, without a fragment header. */
static void fragment6_input(struct burst *b, struct rte_mbuf *m, const struct ip6_header *ip)
{
    struct fragment fragment = {.src = ip->src,
                                .dst = ip->dst,
                                .id = ip->id,
                                .protocol = ip->protocol,
                                .ecn = ip->ecn,
                                .more = ip->more,
                                .offset = ip->fragment_offset,
                                .data_at = ip->header_length};
    struct ip6_header first;
    struct rte_mbuf *whole;
    uint8_t *header;
    bool marked;

    if (ip6_is_extension(ip->protocol)) { /* headers that go on behind it: nobody could look through them (RFC 7112) */
        input_drop(m, &b->net->counters.drop_ip6_extension);
        return;
    }
    whole = input_add_fragment(b, m, &fragment, &marked);
    if (whole == NULL)
        return;
    /* The first one's headers count, and they are not those of the one that came last. */
    (void)ip6_read(slice_of(rte_pktmbuf_mtod(whole, void *), whole->data_len), whole->pkt_len, &first);
    header = rte_pktmbuf_mtod(whole, uint8_t *);
    header[first.fragment_next_at] = header[first.fragment_at];
    memmove(header + IP6_FRAGMENT_BYTES, header, first.fragment_at);
    header = (uint8_t *)rte_pktmbuf_adj(whole, IP6_FRAGMENT_BYTES);
    write_be16(header + 4, (uint16_t)(whole->pkt_len - IP6_BYTES));
    if (marked)
        header[IP6_OFFSET_ECN] |= NET_ECN_CE << IP6_ECN_SHIFT;
    input_again(b, whole, ETHER_TYPE_IP6);
}

static uint64_t *fault_counter6(struct net_counters *c, enum ip6_fault fault)
{
    switch (fault) {
    case IP6_BAD_EXTENSION: return &c->drop_ip6_extension;
    case IP6_BAD_OPTION: return &c->drop_ip6_option;
    case IP6_ROUTING: return &c->drop_ip6_routing;
    case IP6_FRAGMENT: return &c->drop_ip6_fragment;
    case IP6_BAD_HEADER:
    case IP6_OK: break;
    }
    return &c->drop_ip6_header;
}

static bool is_ndp(const struct rte_mbuf *m, const struct ip6_header *ip)
{
    const uint8_t *icmp = rte_pktmbuf_mtod_offset(m, const uint8_t *, ip->header_length);

    return ip->protocol == IP6_PROTO_ICMP && !ip->fragment && m->data_len > ip->header_length &&
           (icmp[0] == NDP_SOLICITATION || icmp[0] == NDP_ADVERTISEMENT);
}

/* Why the packet is not for us, or NULL. */
static uint64_t *not_for_us6(const struct burst *b, const struct ip6_header *ip)
{
    struct net_counters *c = &b->net->counters;
    struct net_port *port = &b->net->ports[b->port];

    if (ip6_is_multicast(&ip->dst))
        return port6_in_group(port, &ip->dst) ? NULL : &c->drop_ip6_multicast;
    return port6_find_used(port, &ip->dst) != NULL ? NULL : &c->drop_ip6_destination;
}

void ip6_input(struct burst *b, struct rte_mbuf *m, bool to_us_alone)
{
    struct net_counters *c = &b->net->counters;
    struct slice head =
        slice_head(slice_of(rte_pktmbuf_mtod(m, void *), m->data_len), IP6_BYTES + IP6_EXTENSION_BYTES_MAX);
    struct ip6_header ip;
    enum ip6_fault fault = ip6_read(head, m->pkt_len, &ip);
    uint64_t *reason;

    if (fault == IP6_BAD_HEADER) {
        input_drop(m, &c->drop_ip6_header);
        return;
    }
    reason = not_for_us6(b, &ip);
    if (reason != NULL) {
        input_not_ours(b, m, reason);
        return;
    }
    to_us_alone = to_us_alone && !ip6_is_multicast(&ip.dst);
    if (is_martian6(b, &ip.src, fault == IP6_OK && is_ndp(m, &ip))) {
        input_drop(m, &c->drop_ip6_martian);
        return;
    }
    if (m->pkt_len > ip.total_length) {
        mbuf_truncate(m, ip.total_length);
        c->rx_trimmed++;
    }
    if (fault == IP6_FRAGMENT && b->net->reassemble && to_us_alone) {
        fragment6_input(b, m, &ip);
    } else if (fault != IP6_OK && ip.tell && to_us_alone) {
        (*fault_counter6(c, fault))++;
        send_error(b, m, &ip, ICMP6_PARAMETER_PROBLEM, ip.code, ip.pointer);
    } else if (fault != IP6_OK) {
        input_drop(m, fault_counter6(c, fault));
    } else if (ip.protocol == IP6_PROTO_ICMP) {
        icmp6_message(b, m, &ip, to_us_alone);
    } else if (!to_us_alone) {
        input_not_ours(b, m, &c->drop_ip6_multicast);
    } else if (ip.protocol == IP6_PROTO_TCP) {
        (void)rte_pktmbuf_adj(m, ip.header_length);
        tcp_segment_input(b, m, &ip.src, &ip.dst, checksum_pseudo6(&ip.src, &ip.dst, IP6_PROTO_TCP, m->pkt_len),
                          ip.ecn);
    } else {
        other_protocol(b, m, &ip);
    }
}
