/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_NET_FIXTURE_H
#define ASSAY_TESTS_NET_FIXTURE_H
/* A host made of net/ over rings: frames are made of text-like pieces, fed to net_input(), and what it sends is read back from
 * the ring. Two ports: 0 is 198.18.1.10/24 (gateway 198.18.1.1), 1 is 198.18.2.10/24, no gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "net/arp.h"
#include "net/icmp6.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/mbuf.h"
#include "net/ndp.h"
#include "net/net.h"
#include "net/net_private.h"
#include "net/nic.h"

#define FRAME_MAX 4096
#define START_US  1000000ULL
#define SECOND    1000000ULL

#define VLAN 42

#define IP(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

extern const uint8_t own_mac[6];
extern const uint8_t peer_mac[6];
extern const uint8_t other_mac[6];
extern const uint8_t all_mac[6];

struct fixture {
    struct rte_mempool *pool;
    struct rte_mempool *tiny_pool;     /* 192 bytes a buffer: multi-segment input */
    struct rte_mempool *indirect_pool; /* no data room */
    struct nic nics[2];
    struct net *net;
    uint64_t now_us;
    struct net_segment segments[64];
    struct net_icmp_error errors[64];
    uint32_t segments_count, errors_count;
};

/* The EAL and the pools, once a program. */
int fixture_setup_group(void **state);
int fixture_teardown_group(void **state);
/* A fresh instance a test; teardown checks that no mbuf was lost. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Port 0 in VLAN 42. */
int fixture_setup_vlan(void **state);
/* And IPv6: 2001:db8:1::10/64 (gateway 2001:db8:1::1), 2001:db8:2::10/64; all in use, or all new. */
int fixture_setup6(void **state);
int fixture_setup_new6(void **state);

struct assay_address ip6(const char *text);

struct frame {
    uint32_t len;
    uint8_t bytes[FRAME_MAX];
};

/* An IPv4 datagram in a frame from peer_mac to own_mac, checksums right. */
struct frame frame_ip4(uint32_t src_be, uint32_t dst_be, uint8_t protocol, const void *payload, uint32_t len);
struct frame frame_tcp(uint32_t src_be, uint32_t dst_be, uint32_t payload_len);
struct frame frame_icmp(uint32_t src_be, uint32_t dst_be, uint8_t type, uint8_t code, const void *rest, uint32_t len);
struct frame frame_arp(uint16_t operation, const uint8_t *dst, const uint8_t *sender_mac, uint32_t sender_be,
                       const uint8_t *target_mac, uint32_t target_be);
/* The same for IPv6; a group's MAC address where dst is one. */
struct frame frame_ip6(struct assay_address src, struct assay_address dst, uint8_t next, const void *payload,
                       uint32_t len);
struct frame frame_tcp6(struct assay_address src, struct assay_address dst, uint32_t payload_len);
struct frame frame_icmp6(struct assay_address src, struct assay_address dst, uint8_t hop_limit, uint8_t type,
                         uint8_t code, const void *rest, uint32_t len);
struct frame frame_ndp(struct assay_address src, struct assay_address dst, const struct ndp_message *message);
/* TCP's or ICMPv6's checksum, where no extension header is in front of it. */
void frame_fix_ip6(struct frame *frame);
struct frame frame_tagged(const struct frame *frame, uint16_t tag);
/* After a change to the IP header. */
void frame_fix_ip(struct frame *frame);
void frame_fix_tcp(struct frame *frame);

struct rte_mbuf *mbuf_of(struct rte_mempool *pool, const void *data, uint32_t len);
/* The same bytes in segments: cuts[] are offsets, ascending; equal ones make empty segments. */
struct rte_mbuf *mbuf_cut(struct rte_mempool *pool, const void *data, uint32_t len, const uint32_t *cuts, uint32_t n);

/* Feeds one frame to port; f->segments and f->errors hold what came up (the segments of before are freed). */
void feed(struct fixture *f, uint32_t port, const struct frame *frame);
void feed_mbuf(struct fixture *f, uint32_t port, struct rte_mbuf *m);
void free_segments(struct fixture *f);
/* The next frame the port has sent, or NULL; the caller frees it. */
struct rte_mbuf *sent(struct fixture *f, uint32_t port);
void expect_nothing_sent(struct fixture *f);
/* Feeds the ARP reply of a peer (peer_mac) for that address. */
void feed_arp_reply(struct fixture *f, uint32_t port, uint32_t peer_be);

const struct net_counters *counters(const struct fixture *f);
#define COUNTER(name) offsetof(struct net_counters, name)
/* Nothing came up, nothing was sent, and that counter (of COUNTER()) is 1. */
void expect_dropped(struct fixture *f, size_t counter, const char *what);

/* From 198.18.1.10: a TCP segment with one byte of payload, the number; and what is next on the wire of port 0. */
void send_number(struct fixture *f, uint32_t dst, uint8_t number);
void expect_number(struct fixture *f, uint8_t number, const uint8_t *mac);
void expect_arp(struct fixture *f, uint16_t operation, const uint8_t *dst_mac, uint32_t sender, uint32_t target);
uint32_t timers(struct fixture *f);
const char *state_of(struct fixture *f, uint32_t ip);
void feed_arp(struct fixture *f, uint16_t operation, const uint8_t *dst, const uint8_t *mac, uint32_t sender,
              uint32_t target);

#endif
