/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_PACKET_H
#define ASSAY_NET_PACKET_H
/* What passes between net/ and tcp/: received TCP segments up, TCP segments to send down. Everything above net/ sees
 * addresses, never Ethernet or ports. */
#include <stdint.h>

#include "assay/address.h"

struct rte_mbuf;

/* The two ECN bits of an IP header (RFC 3168 §5). */
enum net_ecn {
    NET_ECN_NONE, /* its transport does not understand marks */
    NET_ECN_ECT1,
    NET_ECN_ECT0, /* it does */
    NET_ECN_CE,   /* marked: a queue on the way was congested */
};

/* A received, checked IP datagram for TCP: IP header valid, length trimmed, not a fragment, destination ours, TCP checksum
 * right. Owner: whoever holds the array; tcp_input() takes over every mbuf it is given. */
struct net_segment {
    struct rte_mbuf
        *mbuf; /* data starts at the TCP header (headers before it are trimmed off); may be multi-segment; its
                               * first 60 bytes or pkt_len, whichever is less, are contiguous */
    struct assay_address src; /* the peer */
    struct assay_address dst; /* ours */
    uint16_t length;          /* TCP header and payload, bytes; equals the mbuf's pkt_len */
    uint8_t ecn;              /* enum net_ecn; of a datagram that came in fragments, what they say together */
};

/* What an ICMP error says to TCP, whichever IP version it is of (RFC 1122 §4.2.3.9, RFC 5461 §2). */
enum net_error_kind {
    NET_ERROR_SOFT,    /* time exceeded, parameter problem: may pass by itself */
    NET_ERROR_HARD,    /* destination unreachable, for whatever reason */
    NET_ERROR_TOO_BIG, /* fragmentation needed (RFC 1191), packet too big (RFC 8201): see mtu */
};

/* An ICMP error about one of our TCP segments (RFC 792, RFC 5927): the tuple and sequence number are the embedded ones. */
struct net_icmp_error {
    struct assay_address local;
    struct assay_address remote;
    uint16_t local_port;
    uint16_t remote_port;
    uint32_t sequence;
    enum net_error_kind kind;
    uint8_t type; /* as received: for the log */
    uint8_t code;
    uint16_t mtu; /* TOO_BIG: next-hop MTU in bytes; 0 where the router says none */
};

/* A TCP segment to send: data starts at the TCP header, whose checksum field is 0: net/ fills it (in software or by the
 * port), prepends IP and Ethernet, resolves the neighbour. */
struct net_datagram {
    struct rte_mbuf *mbuf; /* header segment, then (chained) payload segments; net/ takes it over */
    struct assay_address src;
    struct assay_address dst;
    uint16_t segment_bytes; /* TSO: payload of each of the segments that the port cuts it into; 0: it is one */
    uint8_t ecn;            /* enum net_ecn: what its IP header says */
};

#define NET_TX_MAX 256

/* The outgoing burst of one turn: tcp_output() appends, net_output() empties. */
struct net_tx {
    uint32_t count;
    struct net_datagram datagrams[NET_TX_MAX];
};

#endif
