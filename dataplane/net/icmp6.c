/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/icmp6.h"

#include <string.h>

#include "net/ether.h"

#define QUOTED_TCP_BYTES 8 /* ports and sequence number */

bool icmp6_is_error(uint8_t type)
{
    return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER_PROBLEM;
}

static enum net_error_kind kind_of(uint8_t type)
{
    switch (type) {
    case ICMP6_UNREACHABLE: return NET_ERROR_HARD;
    case ICMP6_TOO_BIG: return NET_ERROR_TOO_BIG;
    default: return NET_ERROR_SOFT;
    }
}

bool icmp6_read_error(struct slice message, struct net_icmp_error *out)
{
    const uint8_t *icmp = message.data, *ip, *tcp;
    uint32_t mtu;

    if (message.len < ICMP6_BYTES + IP6_BYTES + QUOTED_TCP_BYTES)
        return false;
    ip = icmp + ICMP6_BYTES;
    if (ip[0] >> 4 != 6 || ip[IP6_OFFSET_NEXT] != IP6_PROTO_TCP || read_be16(ip + 4) < QUOTED_TCP_BYTES)
        return false;
    tcp = ip + IP6_BYTES;
    *out = (struct net_icmp_error){
        .local_port = read_be16(tcp),
        .remote_port = read_be16(tcp + 2),
        .sequence = read_be32(tcp + 4),
        .kind = kind_of(icmp[0]),
        .type = icmp[0],
        .code = icmp[1],
    };
    memcpy(out->local.bytes, ip + IP6_OFFSET_SRC, sizeof(out->local.bytes));
    memcpy(out->remote.bytes, ip + IP6_OFFSET_DST, sizeof(out->remote.bytes));
    if (out->type != ICMP6_TOO_BIG)
        return true;
    mtu = read_be32(icmp + 4);
    out->mtu = mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX;
    return mtu >= IP6_MTU_MIN;
}

void icmp6_write_error(uint8_t header[ICMP6_BYTES], uint8_t type, uint8_t code, uint32_t value)
{
    header[0] = type;
    header[1] = code;
    write_be16(header + 2, 0);
    write_be16(header + 4, (uint16_t)(value >> 16));
    write_be16(header + 6, (uint16_t)value);
}
