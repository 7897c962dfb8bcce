/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pure parsers of IPv6: headers and extension headers, ICMPv6 errors, neighbour discovery. The input: a packet from its IPv6
 * header on. What is accepted must keep the headers' promises. */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "net/icmp6.h"
#include "net/ip6.h"
#include "net/ndp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_header(const struct ip6_header *ip, enum ip6_fault fault, const uint8_t *p, size_t size)
{
    if (fault == IP6_BAD_HEADER)
        return;
    require(ip->total_length <= size && ip->total_length >= IP6_BYTES);
    require(!ip->tell || ip->pointer < IP6_BYTES + IP6_EXTENSION_BYTES_MAX);
    if (fault != IP6_OK && fault != IP6_FRAGMENT)
        return;
    require(ip->header_length <= ip->total_length && ip->header_length <= IP6_BYTES + IP6_EXTENSION_BYTES_MAX);
    require(ip->next_at < ip->header_length && p[ip->next_at] == ip->protocol);
    require(fault == IP6_FRAGMENT || !ip6_is_extension(ip->protocol));
    require((fault == IP6_FRAGMENT) == (ip->fragment && (ip->more || ip->fragment_offset != 0)));
    if (ip->fragment)
        require(p[ip->fragment_next_at] == IP6_PROTO_FRAGMENT &&
                ip->fragment_at + IP6_FRAGMENT_BYTES <= ip->header_length);
}

static void read_message(const struct ip6_header *ip, struct slice message)
{
    struct ndp_message ndp, again;
    struct net_icmp_error error;
    uint8_t written[NDP_BYTES_MAX];
    size_t length;

    if (icmp6_read_error(message, &error))
        require(error.type != ICMP6_TOO_BIG || error.mtu >= IP6_MTU_MIN);
    if (!ndp_read(message, &ip->src, &ip->dst, ip->hop_limit, &ndp))
        return;
    require(ip->hop_limit == NDP_HOP_LIMIT && !ip6_is_multicast(&ndp.target));
    length = ndp_write(written, &ndp);
    require(ndp_read(slice_of(written, length), &ip->src, &ip->dst, NDP_HOP_LIMIT, &again));
    require(memcmp(&ndp, &again, sizeof(ndp)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice head = slice_head(slice_of(data, size), IP6_BYTES + IP6_EXTENSION_BYTES_MAX);
    struct ip6_header ip;
    enum ip6_fault fault = ip6_read(head, (uint32_t)size, &ip);

    check_header(&ip, fault, data, size);
    if (fault == IP6_OK)
        read_message(&ip, slice_of(data + ip.header_length, ip.total_length - ip.header_length));
    return 0;
}
