/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_ETHER_H
#define ASSAY_NET_ETHER_H
/* Ethernet II framing. Source: RFC 894, RFC 1122 §2.3.3 (802.2 encapsulation is optional, and not spoken). */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ETHER_BYTES       14
#define ETHER_MAC_BYTES   6
#define ETHER_FRAME_MIN   60 /* without the frame check sequence */
#define ETHER_TYPE_IP4    0x0800
#define ETHER_TYPE_ARP    0x0806
#define ETHER_TYPE_VLAN   0x8100
#define ETHER_TYPE_QINQ   0x88a8
#define ETHER_TYPE_IP6    0x86dd
#define ETHER_OFFSET_SRC  6
#define ETHER_OFFSET_TYPE 12
#define ETHER_VLAN_ID     0x0fff
#define ETHER_VLAN_BYTES  4 /* IEEE 802.1Q: what a tag adds */

static inline uint16_t read_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t read_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void write_be16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* Addresses are compared and stored as they stand on the wire: no swapping. */
static inline uint32_t read_raw32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

static inline bool mac_is_group(const uint8_t mac[ETHER_MAC_BYTES])
{
    return (mac[0] & 1) != 0;
}

static inline bool mac_is_broadcast(const uint8_t mac[ETHER_MAC_BYTES])
{
    static const uint8_t all_ones[ETHER_MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return memcmp(mac, all_ones, ETHER_MAC_BYTES) == 0;
}

static inline bool mac_is_zero(const uint8_t mac[ETHER_MAC_BYTES])
{
    static const uint8_t zero[ETHER_MAC_BYTES];

    return memcmp(mac, zero, ETHER_MAC_BYTES) == 0;
}

static inline void ether_write(uint8_t frame[ETHER_BYTES], const uint8_t dst[ETHER_MAC_BYTES],
                               const uint8_t src[ETHER_MAC_BYTES], uint16_t type)
{
    memcpy(frame, dst, ETHER_MAC_BYTES);
    memcpy(frame + ETHER_OFFSET_SRC, src, ETHER_MAC_BYTES);
    write_be16(frame + 12, type);
}

#endif
