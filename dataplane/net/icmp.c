/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/icmp.h"

#include "base/address.h"
#include "net/ether.h"
#include "net/ip4.h"
#include "net/mbuf.h"

#define QUOTED_TCP_BYTES 8 /* ports and sequence number: all that a router must quote */
#define FRAGMENT_OFFSET  0x1fff

bool icmp_is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
}

enum net_error_kind icmp_error_kind(uint8_t type, uint8_t code)
{
    if (type != ICMP_UNREACHABLE)
        return NET_ERROR_SOFT;
    return code == ICMP_CODE_FRAGMENT ? NET_ERROR_TOO_BIG : NET_ERROR_HARD;
}

bool icmp_read_error(struct slice message, struct net_icmp_error *out)
{
    const uint8_t *icmp = message.data, *ip, *tcp;
    uint32_t header_length;

    if (message.len < ICMP_BYTES + IP4_BYTES)
        return false;
    ip = icmp + ICMP_BYTES;
    header_length = (ip[0] & 15) * 4U;
    /* The quoted checksum is not looked at: routers may have changed the TTL. */
    if (ip[0] >> 4 != 4 || header_length < IP4_BYTES || ip[IP4_OFFSET_PROTO] != IP4_PROTO_TCP ||
        read_be16(ip + 2) < header_length + QUOTED_TCP_BYTES || (read_be16(ip + 6) & FRAGMENT_OFFSET) != 0 ||
        message.len < ICMP_BYTES + header_length + QUOTED_TCP_BYTES)
        return false;
    tcp = ip + header_length;
    *out = (struct net_icmp_error){
        .local = address_from_ip4_be(read_raw32(ip + IP4_OFFSET_SRC)),
        .remote = address_from_ip4_be(read_raw32(ip + IP4_OFFSET_DST)),
        .local_port = read_be16(tcp),
        .remote_port = read_be16(tcp + 2),
        .sequence = read_be32(tcp + 4),
        .kind = icmp_error_kind(icmp[0], icmp[1]),
        .type = icmp[0],
        .code = icmp[1],
    };
    if (out->kind == NET_ERROR_TOO_BIG)
        out->mtu = read_be16(icmp + 6);
    return true;
}

uint16_t icmp_write_error(uint8_t message[ICMP_BYTES + ICMP_QUOTE_MAX], uint8_t type, uint8_t code, struct slice quote)
{
    uint16_t length, checksum;

    quote = slice_head(quote, ICMP_QUOTE_MAX);
    length = (uint16_t)(ICMP_BYTES + quote.len);
    memset(message, 0, ICMP_BYTES);
    message[0] = type;
    message[1] = code;
    memcpy(message + ICMP_BYTES, quote.data, quote.len);
    checksum = (uint16_t)~checksum_add(0, message, length);
    memcpy(message + 2, &checksum, sizeof(checksum));
    return length;
}

void icmp_limit_init(struct icmp_limit *limit, uint32_t rate)
{
    *limit = (struct icmp_limit){.interval_us = rate ? 1000000 / rate : 0, .burst_us = 100000};
    if (limit->burst_us < limit->interval_us)
        limit->burst_us = limit->interval_us;
    if (rate == 0)
        limit->burst_us = 0;
}

bool icmp_limit_allow(struct icmp_limit *limit, uint64_t now_us)
{
    if (limit->burst_us == 0) /* a rate of 0: never */
        return false;
    if (limit->next_us < now_us)
        limit->next_us = now_us;
    if (limit->next_us - now_us + limit->interval_us > limit->burst_us)
        return false;
    limit->next_us += limit->interval_us;
    return true;
}
