/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/steer.h"

#include <string.h>

#include "net/ether.h"
#include "net/icmp.h"
#include "net/ip4.h"

#define VLAN_BYTES  4
#define VLAN_TAGS   2 /* 802.1ad: an outer and an inner one */
#define PORTS_BYTES 4

#define IP4_FRAGMENT_BITS 0x3fff /* "more fragments" and the offset */
#define IP4_OFFSET_BITS   0x1fff

#define IP6_BYTES         40
#define IP6_ADDRESS_BYTES 16
#define IP6_HOP_BY_HOP    0
#define IP6_ROUTING       43
#define IP6_FRAGMENT      44
#define IP6_AH            51
#define IP6_DESTINATION   60
#define IP6_MOBILITY      135
#define IP6_PROTO_ICMP    58
#define IP6_FRAGMENT_MASK 0xfff9 /* the offset and "more fragments" */
#define IP6_HEADERS_MAX   8

#define ICMP6_ERROR_MAX   4   /* destination unreachable, packet too big, time exceeded, parameter problem */
#define ICMP6_ROUTER_SOL  133 /* the first of neighbour discovery */
#define ICMP6_REDIRECT    137 /* the last */
#define ICMP6_ERROR_FIRST 1

/* Where a transport header stands in an IP packet. */
struct transport {
    struct slice rest;
    uint8_t protocol;
    bool fragment; /* a piece of a datagram; not the first one where later */
    bool later;
    bool options; /* something stands between the IP header and it */
};

static struct slice skip(struct slice s, size_t n)
{
    return slice_of(s.data + n, s.len - n);
}

static bool read_ip4(struct slice packet, struct transport *out, struct steer_flow *flow)
{
    uint32_t header_length;
    uint16_t fragment;

    if (packet.len < IP4_BYTES || packet.data[0] >> 4 != 4)
        return false;
    header_length = (packet.data[0] & 15) * 4U;
    if (header_length < IP4_BYTES || packet.len < header_length)
        return false;
    fragment = read_be16(packet.data + 6);
    flow->address_bytes = 4;
    memcpy(flow->addresses, packet.data + IP4_OFFSET_SRC, sizeof(uint32_t) * 2);
    *out = (struct transport){.rest = skip(packet, header_length),
                              .protocol = packet.data[IP4_OFFSET_PROTO],
                              .fragment = (fragment & IP4_FRAGMENT_BITS) != 0,
                              .later = (fragment & IP4_OFFSET_BITS) != 0,
                              .options = header_length > IP4_BYTES};
    return true;
}

/* Length of an extension header, or 0 for what is none or not whole. */
static size_t extension_length(uint8_t kind, struct slice rest)
{
    size_t length;

    if (rest.len < 8)
        return 0;
    switch (kind) {
    case IP6_HOP_BY_HOP:
    case IP6_ROUTING:
    case IP6_DESTINATION:
    case IP6_MOBILITY: length = (rest.data[1] + 1U) * 8U; break;
    case IP6_AH: length = (rest.data[1] + 2U) * 4U; break;
    case IP6_FRAGMENT: length = 8; break;
    default: return 0;
    }
    return length <= rest.len ? length : 0;
}

static bool read_ip6(struct slice packet, struct transport *out, struct steer_flow *flow)
{
    size_t length;

    if (packet.len < IP6_BYTES || packet.data[0] >> 4 != 6)
        return false;
    flow->address_bytes = IP6_ADDRESS_BYTES;
    memcpy(flow->addresses, packet.data + 8, sizeof(flow->addresses));
    *out = (struct transport){.rest = skip(packet, IP6_BYTES), .protocol = packet.data[6]};
    for (int i = 0; i < IP6_HEADERS_MAX && (length = extension_length(out->protocol, out->rest)) > 0; i++) {
        if (out->protocol == IP6_FRAGMENT) {
            uint16_t fragment = read_be16(out->rest.data + 2);

            /* An "atomic fragment" (RFC 6946) is a whole datagram; a piece stays one whatever its own bytes say. */
            out->fragment = out->fragment || (fragment & IP6_FRAGMENT_MASK) != 0;
            out->later = fragment >> 3 != 0;
        }
        out->options = true;
        out->protocol = out->rest.data[0];
        out->rest = skip(out->rest, length);
        if (out->later)
            break; /* what follows is data */
    }
    return true;
}

/* A segment of ours, quoted in an ICMP error: the peer's answers have the tuple the other way round. */
static enum steer_way quoted(struct slice packet, bool ip6, struct steer_flow *flow)
{
    struct transport transport;
    uint8_t other[IP6_ADDRESS_BYTES];

    if (!(ip6 ? read_ip6(packet, &transport, flow) : read_ip4(packet, &transport, flow)))
        return STEER_HERE;
    if (transport.protocol != IP4_PROTO_TCP || transport.later || transport.rest.len < PORTS_BYTES)
        return STEER_HERE;
    memcpy(other, flow->addresses, flow->address_bytes);
    memcpy(flow->addresses, flow->addresses + flow->address_bytes, flow->address_bytes);
    memcpy(flow->addresses + flow->address_bytes, other, flow->address_bytes);
    memcpy(flow->ports, transport.rest.data + 2, 2);
    memcpy(flow->ports + 2, transport.rest.data, 2);
    return STEER_QUOTED;
}

static enum steer_way icmp4(struct slice message, struct steer_flow *flow)
{
    if (message.len < ICMP_BYTES || !icmp_is_error(message.data[0]))
        return STEER_HERE;
    return quoted(skip(message, ICMP_BYTES), false, flow);
}

static enum steer_way icmp6(struct slice message, struct steer_flow *flow)
{
    if (message.len < ICMP_BYTES)
        return STEER_HERE;
    if (message.data[0] >= ICMP6_ROUTER_SOL && message.data[0] <= ICMP6_REDIRECT)
        return STEER_ALL;
    if (message.data[0] < ICMP6_ERROR_FIRST || message.data[0] > ICMP6_ERROR_MAX)
        return STEER_HERE;
    return quoted(skip(message, ICMP_BYTES), true, flow);
}

static enum steer_way ip_packet(struct slice packet, bool ip6, struct steer_flow *flow)
{
    struct transport transport;

    if (!(ip6 ? read_ip6(packet, &transport, flow) : read_ip4(packet, &transport, flow)))
        return STEER_HERE;
    if (transport.fragment) {
        memset(flow->ports, 0, sizeof(flow->ports));
        return STEER_FRAGMENT;
    }
    if (transport.protocol == (ip6 ? IP6_PROTO_ICMP : IP4_PROTO_ICMP))
        return ip6 ? icmp6(transport.rest, flow) : icmp4(transport.rest, flow);
    if (transport.protocol != IP4_PROTO_TCP || transport.rest.len < PORTS_BYTES)
        return STEER_HERE;
    memcpy(flow->ports, transport.rest.data, PORTS_BYTES);
    flow->plain = !transport.options;
    return STEER_FLOW;
}

enum steer_way steer_frame(struct slice frame, struct steer_flow *flow)
{
    size_t offset = ETHER_BYTES;
    uint16_t type;
    enum steer_way way;

    if (frame.len < ETHER_BYTES)
        return STEER_HERE;
    flow->plain = false;
    type = read_be16(frame.data + offset - 2);
    for (int tags = 0; tags < VLAN_TAGS && (type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ); tags++) {
        if (frame.len < offset + VLAN_BYTES)
            return STEER_HERE;
        type = read_be16(frame.data + offset + 2);
        offset += VLAN_BYTES;
    }
    if (type == ETHER_TYPE_ARP)
        return STEER_ALL;
    if (type != ETHER_TYPE_IP4 && type != ETHER_TYPE_IP6)
        return STEER_HERE;
    way = ip_packet(skip(frame, offset), type == ETHER_TYPE_IP6, flow);
    flow->plain = flow->plain && offset == ETHER_BYTES;
    return way;
}
