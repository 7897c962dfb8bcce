/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_ARP_H
#define ASSAY_NET_ARP_H
/* ARP packets for IPv4 over Ethernet: reading and writing. Pure. Source: RFC 826, RFC 5227. */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/ether.h"

#define ARP_BYTES   28
#define ARP_REQUEST 1
#define ARP_REPLY   2

struct arp_packet {
    uint16_t operation;
    uint8_t sender_mac[ETHER_MAC_BYTES];
    uint8_t target_mac[ETHER_MAC_BYTES];
    uint32_t sender_be;
    uint32_t target_be;
};

/* body: what follows the Ethernet header, padding included. False: too short, not IPv4 over Ethernet, neither a request nor a
 * reply, or a sender whose MAC address is a group's or zero. */
bool arp_read(struct slice body, struct arp_packet *out);

/* Writes a whole frame, padded to the shortest one. */
void arp_write(uint8_t frame[ETHER_FRAME_MIN], const uint8_t dst_mac[ETHER_MAC_BYTES], const struct arp_packet *packet);

#endif
