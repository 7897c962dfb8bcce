/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_STEER_H
#define ASSAY_NET_STEER_H
/* Whose is a received frame? Reads just enough of it to find the TCP connection it is about. Judges nothing: what is malformed
 * stays where it came in, to be dropped and counted by net_input(). Pure.
 * Source: DESIGN 2; RFC 791, 792, 8200, 4443, 4861; IEEE 802.1Q. */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* So many bytes of a frame tell it all: two VLAN tags, an IPv6 packet with extension headers in an ICMPv6 error about one. */
#define STEER_BYTES 256

enum steer_way {
    STEER_HERE,     /* any core: echo, other protocols, what is malformed */
    STEER_ALL,      /* every core: ARP, neighbour discovery */
    STEER_FLOW,     /* a TCP segment: the core of the connection in struct steer_flow */
    STEER_QUOTED,   /* an ICMP error about a segment of ours: likewise */
    STEER_FRAGMENT, /* one core for all fragments between two addresses; its ports are 0 */
};

/* As a segment from the peer has them: an ICMP error quotes one of ours, turned round here. */
struct steer_flow {
    uint8_t addresses[32]; /* source, destination: 2 × address_bytes */
    uint8_t ports[4];
    uint8_t address_bytes; /* 4 or 16 */
    bool plain;            /* TCP right behind its IP header: every NIC hashes it the same way */
};

/* frame: its first STEER_BYTES bytes, or all of it. flow is set for FLOW, QUOTED and FRAGMENT. */
enum steer_way steer_frame(struct slice frame, struct steer_flow *flow);

#endif
