/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_ICMP_H
#define ASSAY_NET_ICMP_H
/* ICMP messages: reading errors about our TCP segments, writing errors. Pure.
 * Source: RFC 792, RFC 1122 §3.2.2, RFC 1191 (next-hop MTU), RFC 5927 (attacks), RFC 6633 (no source quench). */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/packet.h"

#define ICMP_BYTES             8
#define ICMP_ECHO_REPLY        0
#define ICMP_UNREACHABLE       3
#define ICMP_ECHO_REQUEST      8
#define ICMP_TIME_EXCEEDED     11
#define ICMP_PARAMETER_PROBLEM 12

#define ICMP_CODE_HOST     1
#define ICMP_CODE_PROTOCOL 2
#define ICMP_CODE_PORT     3
#define ICMP_CODE_FRAGMENT 4

#define ICMP_CODE_REASSEMBLY 1 /* of "time exceeded" */

/* The IP header that is quoted (at most 60) and the first 8 bytes behind it. */
#define ICMP_QUOTE_MAX 68

/* Is it an error that may concern a TCP segment (not source quench, not a redirect)? */
bool icmp_is_error(uint8_t type);
/* What such an error says to TCP. Every "unreachable" but "fragmentation needed" is HARD: RFC 5461 §4.1 ends an open by the soft
 * ones of them too, and no ICMP error ends an established connection. */
enum net_error_kind icmp_error_kind(uint8_t type, uint8_t code);

/* message: from the ICMP header on, as much as is contiguous and at least what icmp_read_error() needs to judge: the header and
 * ICMP_QUOTE_MAX bytes, or all. True when it quotes a TCP segment, first fragment, that could be real: the caller checks that
 * the source is ours and TCP that the sequence number is in flight. */
bool icmp_read_error(struct slice message, struct net_icmp_error *out);

/* Writes an error quoting quote (an IP header and 8 bytes: at most ICMP_QUOTE_MAX); returns its length. */
uint16_t icmp_write_error(uint8_t message[ICMP_BYTES + ICMP_QUOTE_MAX], uint8_t type, uint8_t code, struct slice quote);

/* A token bucket: allows rate events a second, and bursts of a tenth of that. */
struct icmp_limit {
    uint64_t interval_us; /* between two at the full rate */
    uint64_t burst_us;    /* how far ahead of time we may be */
    uint64_t next_us;     /* when the bucket would be full again */
};

void icmp_limit_init(struct icmp_limit *limit, uint32_t rate);
bool icmp_limit_allow(struct icmp_limit *limit, uint64_t now_us);

#endif
