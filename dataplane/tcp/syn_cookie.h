/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_SYN_COOKIE_H
#define ASSAY_TCP_SYN_COOKIE_H
/* SYN cookies: what a half-open connection would remember goes out in our SYN-ACK instead and comes back with the peer's ACK.
 * The initial sequence number is a keyed hash of the tuple, the peer's initial sequence number, the time and the terms, plus
 * the number of an MSS in a table of eight; the other terms are the lowest bits of our timestamp, and the hash covers them, so
 * that a peer gets what it asked for and nothing else. Without timestamps there is no scaling, SACK or ECN.
 * A guess is right once in 2^28: the hash is of 32 bits, and eight values of each of two periods are good.
 * Pure. Units: microseconds of the instance's clock. Source: RFC 4987 §3.6 and appendix A; RFC 7323 §5.4. */
#include "tcp/table.h"

#define SYN_COOKIE_PERIOD_US 64000000 /* a cookie is good in the period it was made in and in the next one */
#define SYN_COOKIE_PERIODS   2        /* so many: 64 to 128 s, the longest a handshake's ACK may take */
/* After so long no cookie is even recognised as an old one. */
#define SYN_COOKIE_MEMORY_US (UINT64_C(2) * SYN_COOKIE_PERIODS * SYN_COOKIE_PERIOD_US)

/* What a handshake agrees on. */
struct syn_cookie_terms {
    uint16_t mss; /* what the peer takes; the cookie keeps the next lower one of its table */
    bool timestamps, sack, window_scaling, ecn;
    uint8_t window_shift; /* the peer's, at most 14 */
};

enum syn_cookie_verdict { SYN_COOKIE_GOOD, SYN_COOKIE_OLD, SYN_COOKIE_BAD };

/* Our initial sequence number. The same SYN gets the same one again for as long as the period lasts. */
uint32_t syn_cookie_make(const uint8_t secret[16], const struct tcp_tuple *tuple, uint32_t irs,
                         const struct syn_cookie_terms *terms, uint64_t now_us);
/* The timestamp of the SYN-ACK: at most 63 ms behind ts_now, never ahead of it. */
uint32_t syn_cookie_timestamp(const struct syn_cookie_terms *terms, uint32_t ts_now);

/* Judges what came back: cookie is SEG.ACK - 1, irs SEG.SEQ - 1. timestamps: the segment has them, and ts_echo is what it
 * echoes. terms is written when GOOD. */
enum syn_cookie_verdict syn_cookie_check(const uint8_t secret[16], const struct tcp_tuple *tuple, uint32_t irs,
                                         uint32_t cookie, bool timestamps, uint32_t ts_echo, uint64_t now_us,
                                         struct syn_cookie_terms *terms) ASSAY_MUST_USE;

#endif
