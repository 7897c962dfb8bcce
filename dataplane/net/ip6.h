/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_IP6_H
#define ASSAY_NET_IP6_H
/* IPv6 headers: reading them and their extension headers, judging addresses, writing. Pure.
 * Extension headers are skipped, never acted upon, within bounds on their number and bytes (RFC 8504 §5.3 lets a host have
 * such). A packet with more of them, a jumbogram, a type 0 routing header (RFC 5095) or one that is not at its end is refused.
 * Source: RFC 8200, RFC 4291 (addresses), RFC 4443 §3.4 (what a fault is answered with), RFC 6946 (atomic fragments),
 * RFC 7112 (the whole chain is in the first fragment), RFC 6437 (flow label). */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "base/slice.h"

#define IP6_BYTES               40
#define IP6_EXTENSIONS_MAX      8
#define IP6_EXTENSION_BYTES_MAX 128 /* all of them together */
#define IP6_FRAGMENT_BYTES      8
#define IP6_MTU_MIN             1280
#define IP6_HOP_LIMIT           64 /* of what we send */
#define IP6_OFFSET_ECN          1
#define IP6_ECN_SHIFT           4 /* enum net_ecn in that byte */
#define IP6_OFFSET_NEXT         6
#define IP6_OFFSET_SRC          8
#define IP6_OFFSET_DST          24

#define IP6_PROTO_HOP_BY_HOP  0
#define IP6_PROTO_TCP         6
#define IP6_PROTO_UDP         17
#define IP6_PROTO_ROUTING     43
#define IP6_PROTO_FRAGMENT    44
#define IP6_PROTO_ICMP        58
#define IP6_PROTO_NONE        59
#define IP6_PROTO_DESTINATION 60

enum ip6_fault {
    IP6_OK,
    IP6_BAD_HEADER,    /* version, length, jumbogram */
    IP6_BAD_EXTENSION, /* cut off, too many, too long, hop-by-hop options not at the front */
    IP6_BAD_OPTION,    /* an option we do not know, and that must be known */
    IP6_ROUTING,       /* to be sent on by us, or type 0 */
    IP6_FRAGMENT,      /* a real one, not an atomic one */
};

struct ip6_header {
    struct assay_address src;
    struct assay_address dst;
    uint32_t total_length;  /* the header included, bytes */
    uint16_t header_length; /* extension headers included: where protocol begins; of a fragment: its data */
    uint16_t next_at;       /* offset of the byte that names protocol */
    uint8_t protocol;
    uint8_t hop_limit;
    uint8_t ecn;
    bool router_alert; /* of multicast listener discovery (RFC 2711 §2.1) */
    /* Is the sender to be told of the fault: by "parameter problem" with that code and pointer? */
    bool tell;
    uint8_t code;
    uint16_t pointer;
    /* The fragment header, where there is one. */
    bool fragment;             /* also an atomic one */
    bool more;                 /* fragments follow */
    uint16_t fragment_at;      /* offset of its header */
    uint16_t fragment_next_at; /* offset of the byte that names it */
    uint16_t fragment_offset;  /* of its data in the datagram, bytes */
    uint32_t id;               /* of the datagram, as on the wire */
};

/* head: the first bytes of the packet, IP6_BYTES + IP6_EXTENSION_BYTES_MAX or all there are; available: bytes received, link
 * padding included. The first fault met; src, dst, total_length are set for all but BAD_HEADER. */
enum ip6_fault ip6_read(struct slice head, uint32_t available, struct ip6_header *out);

static inline bool ip6_is_multicast(const struct assay_address *a)
{
    return a->bytes[0] == 0xff;
}

static inline bool ip6_is_link_local(const struct assay_address *a)
{
    return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* One of those that ip6_read() skips. */
bool ip6_is_extension(uint8_t protocol);
bool ip6_is_unspecified(const struct assay_address *a);
/* Never a source (nor a destination of ours): multicast, unspecified, loopback, and all of ::/96 and ::ffff:0:0/96, which on
 * the wire would be IPv4 addresses in disguise. */
bool ip6_is_martian_source(const struct assay_address *a);

/* ff02::1:ffXX:XXXX of an address (RFC 4291 §2.7.1). */
struct assay_address ip6_solicited_node(const struct assay_address *a);
/* fe80:: and the modified EUI-64 of the MAC address (RFC 4291 appendix A, RFC 2464 §4). */
struct assay_address ip6_link_local(const uint8_t mac[6]);
/* 33:33 and the last four bytes (RFC 2464 §7). */
void ip6_multicast_mac(const struct assay_address *group, uint8_t mac[6]);

/* flow_label: its low 20 bits. */
void ip6_write(uint8_t header[IP6_BYTES], const struct assay_address *src, const struct assay_address *dst,
               uint8_t next, uint8_t ecn, uint16_t payload_length, uint8_t hop_limit, uint32_t flow_label);

#endif
