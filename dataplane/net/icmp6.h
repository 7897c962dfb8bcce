/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_ICMP6_H
#define ASSAY_NET_ICMP6_H
/* ICMPv6 messages: reading errors about our TCP segments, writing errors. Pure. Neighbour discovery is ndp.h.
 * Source: RFC 4443, RFC 8201 (packet too big), RFC 5927 (attacks). */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/ip6.h"
#include "net/packet.h"

#define ICMP6_BYTES             8
#define ICMP6_UNREACHABLE       1
#define ICMP6_TOO_BIG           2
#define ICMP6_TIME_EXCEEDED     3
#define ICMP6_PARAMETER_PROBLEM 4
#define ICMP6_ECHO_REQUEST      128
#define ICMP6_ECHO_REPLY        129
#define ICMP6_INFORMATIONAL     128 /* from this type on a message is no error */

#define ICMP6_CODE_ADDRESS     3 /* unreachable: nobody has that address */
#define ICMP6_CODE_PORT        4
#define ICMP6_CODE_REASSEMBLY  1 /* time exceeded: fragments have not come */
#define ICMP6_CODE_NEXT_HEADER 1 /* parameter problem: unrecognized next header */

/* What an error quotes at the most: with it the packet is not longer than every link takes (RFC 4443 §2.4 (c)). */
#define ICMP6_QUOTE_MAX (IP6_MTU_MIN - IP6_BYTES - ICMP6_BYTES)

/* Is it an error that may concern a TCP segment? Unknown errors are not (RFC 4443 §2.4 (a): they would go to TCP, which has no
 * use for them). */
bool icmp6_is_error(uint8_t type);

/* message: from the ICMPv6 header on, as much as is contiguous: ICMP6_BYTES + IP6_BYTES + 8 bytes, or all. True when it quotes
 * a TCP segment that could be real, as we send them, without extension headers: the caller checks that the source is ours and
 * TCP that the sequence number is in flight. A "packet too big" with less than IP6_MTU_MIN is refused (RFC 8201 §4). */
bool icmp6_read_error(struct slice message, struct net_icmp_error *out);

/* Writes the first ICMP6_BYTES of an error, checksum 0; value: pointer or MTU. */
void icmp6_write_error(uint8_t header[ICMP6_BYTES], uint8_t type, uint8_t code, uint32_t value);

#endif
