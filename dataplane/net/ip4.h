/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_IP4_H
#define ASSAY_NET_IP4_H
/* IPv4 headers: reading, judging addresses, writing. Pure. Source: RFC 791, RFC 1122 §3.2.1, RFC 1812 §5.3.7 (martians),
 * RFC 6864 (identification of datagrams that are never fragmented). */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define IP4_BYTES        20
#define IP4_BYTES_MAX    60
#define IP4_PROTO_ICMP   1
#define IP4_PROTO_TCP    6
#define IP4_PROTO_UDP    17
#define IP4_MORE         0x2000 /* in the 16 bits at IP4_OFFSET_FRAG */
#define IP4_ECN          3      /* in the byte at IP4_OFFSET_TOS: enum net_ecn */
#define IP4_OFFSET_TOS   1
#define IP4_OFFSET_FRAG  6
#define IP4_OFFSET_SUM   10
#define IP4_OFFSET_PROTO 9
#define IP4_OFFSET_SRC   12
#define IP4_OFFSET_DST   16

enum ip4_fault {
    IP4_OK,
    IP4_BAD_HEADER,
    IP4_BAD_CHECKSUM,
    IP4_BAD_OPTIONS,
    IP4_SOURCE_ROUTE,
    IP4_FRAGMENT,
};

struct ip4_header {
    uint32_t src_be;
    uint32_t dst_be;
    uint16_t total_length; /* header included, bytes */
    uint8_t header_length; /* bytes */
    uint8_t protocol;
    uint8_t ecn;
    bool more;                /* fragments follow */
    uint16_t fragment_offset; /* of its data in the datagram, bytes */
    uint16_t id;              /* as on the wire */
};

/* head: the first bytes of the datagram, all of its header among them where it has one; available: bytes received, link
 * padding included. checksum_known_good: the port has verified it. The first fault in the order of the enum; the fields are
 * set for all but BAD_HEADER. */
enum ip4_fault ip4_read(struct slice head, uint32_t available, bool checksum_known_good, struct ip4_header *out);

/* 224.0.0.0/4. */
bool ip4_is_multicast(uint32_t ip_be);
/* Never a source: 0/8, 127/8, 224/4, 240/4 (RFC 1122 §3.2.1.3). */
bool ip4_is_martian_source(uint32_t ip_be);

static inline uint32_t ip4_mask_be(uint8_t bits)
{
    return bits == 0 ? 0 : __builtin_bswap32(0xffffffffU << (32 - bits));
}

/* Sets the 16 bits of flags and fragment offset, and the checksum. */
void ip4_set_fragment(uint8_t *header, uint16_t field);

/* Writes a header without options: DSCP 0, DF set, TTL 64, checksum 0 unless with_checksum. */
void ip4_write(uint8_t header[IP4_BYTES], uint32_t src_be, uint32_t dst_be, uint8_t protocol, uint8_t ecn,
               uint16_t total_length, uint16_t id, bool with_checksum);

#endif
