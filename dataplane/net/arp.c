/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/arp.h"

bool arp_read(struct slice body, struct arp_packet *out)
{
    static const uint8_t ip4_over_ethernet[6] = {0, 1, 0x08, 0x00, ETHER_MAC_BYTES, 4};
    const uint8_t *p = body.data;

    if (body.len < ARP_BYTES || memcmp(p, ip4_over_ethernet, sizeof(ip4_over_ethernet)) != 0)
        return false;
    out->operation = read_be16(p + 6);
    memcpy(out->sender_mac, p + 8, ETHER_MAC_BYTES);
    out->sender_be = read_raw32(p + 14);
    memcpy(out->target_mac, p + 18, ETHER_MAC_BYTES);
    out->target_be = read_raw32(p + 24);
    if (out->operation != ARP_REQUEST && out->operation != ARP_REPLY)
        return false;
    return !mac_is_group(out->sender_mac) && !mac_is_zero(out->sender_mac);
}

void arp_write(uint8_t frame[ETHER_FRAME_MIN], const uint8_t dst_mac[ETHER_MAC_BYTES], const struct arp_packet *packet)
{
    uint8_t *p = frame + ETHER_BYTES;

    memset(frame, 0, ETHER_FRAME_MIN);
    ether_write(frame, dst_mac, packet->sender_mac, ETHER_TYPE_ARP);
    write_be16(p, 1);
    write_be16(p + 2, ETHER_TYPE_IP4);
    p[4] = ETHER_MAC_BYTES;
    p[5] = 4;
    write_be16(p + 6, packet->operation);
    memcpy(p + 8, packet->sender_mac, ETHER_MAC_BYTES);
    memcpy(p + 14, &packet->sender_be, 4);
    memcpy(p + 18, packet->target_mac, ETHER_MAC_BYTES);
    memcpy(p + 24, &packet->target_be, 4);
}
