/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_WIRE_H
#define ASSAY_TCP_WIRE_H
/* The TCP header on the wire. Source: RFC 9293 §3.1. */
#include <assert.h>
#include <stdint.h>

struct tcp_header {
    uint16_t source_port_be;
    uint16_t destination_port_be;
    uint32_t sequence_be;
    uint32_t acknowledgment_be;
    uint8_t data_offset; /* high nibble: 32-bit words of header */
    uint8_t flags;
    uint16_t window_be;
    uint16_t checksum_be;
    uint16_t urgent_be;
} __attribute__((packed, aligned(2))); /* behind Ethernet it begins at any even address */
static_assert(sizeof(struct tcp_header) == 20, "as on the wire");

#define TCP_HEADER_MIN  20
#define TCP_HEADER_MAX  60
#define TCP_OPTIONS_MAX (TCP_HEADER_MAX - TCP_HEADER_MIN)

#define TCP_FLAG_FIN 0x01
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_PSH 0x08
#define TCP_FLAG_ACK 0x10
#define TCP_FLAG_URG 0x20
#define TCP_FLAG_ECE 0x40 /* RFC 3168 §6.1 */
#define TCP_FLAG_CWR 0x80

#define TCP_WINDOW_SHIFT_MAX 14  /* RFC 7323 §2.3 */
#define TCP_MSS_DEFAULT_IP4  536 /* RFC 9293 §3.7.1, MUST-15 */
#define TCP_MSS_DEFAULT_IP6  1220
/* IP and TCP headers without options: what an MTU holds besides a segment (RFC 6691 §2, RFC 8200 §8.3). */
#define TCP_HEADERS_IP4 40
#define TCP_HEADERS_IP6 60
/* The largest payload behind the longest headers in one IP packet. */
#define TCP_TSO_BYTES_MAX (65535 - 60 - 60)
/* No segment payload smaller than this is worth its header: a peer that announces less is held to it, so that it cannot
 * make us send a packet for every few bytes. 256 (the smallest link MTU in use) less two headers. */
#define TCP_MSS_FLOOR 216

#endif
