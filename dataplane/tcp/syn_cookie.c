/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/syn_cookie.h"

#include "base/siphash.h"

/* The terms in the lowest bits of the timestamp: four of the window shift (15: no scaling), one of SACK, one of ECN. */
#define TERM_BITS  6
#define TERM_MASK  ((1u << TERM_BITS) - 1)
#define TERM_SHIFT 0xfu
#define TERM_SACK  0x10u
#define TERM_ECN   0x20u
/* Not on the wire: whether there are timestamps at all is part of what the hash covers. */
#define TERM_TIMESTAMPS 0x40u

/* What peers announce: the floor we hold them to, the defaults of RFC 9293 §3.7.1, tunnels, Ethernet less the headers of IPv6
 * and of IPv4, jumbo frames. */
static const uint16_t mss_table[] = {TCP_MSS_FLOOR, TCP_MSS_DEFAULT_IP4, TCP_MSS_DEFAULT_IP6, 1360, 1400, 1440, 1460,
                                     8940};
#define MSS_COUNT (sizeof(mss_table) / sizeof(mss_table[0]))

/* What is hashed: no padding, so that it can be hashed as bytes. Its length differs from that of all else under this key. */
struct covered {
    struct tcp_tuple tuple;
    uint32_t irs;
    uint32_t period;
    uint32_t terms;
};
static_assert(sizeof(struct covered) == sizeof(struct tcp_tuple) + 12, "hashed as bytes: no padding");

static uint32_t hash(const uint8_t secret[16], const struct tcp_tuple *tuple, uint32_t irs, uint32_t period,
                     uint32_t terms)
{
    struct covered covered = {.tuple = *tuple, .irs = irs, .period = period, .terms = terms};

    return (uint32_t)siphash_2_4(secret, &covered, sizeof(covered));
}

static uint32_t encode(const struct syn_cookie_terms *terms)
{
    if (!terms->timestamps)
        return 0;
    return TERM_TIMESTAMPS | (terms->sack ? TERM_SACK : 0) | (terms->ecn ? TERM_ECN : 0) |
           (terms->window_scaling ? terms->window_shift & TERM_SHIFT : TERM_SHIFT);
}

static uint32_t mss_index(uint16_t mss)
{
    uint32_t index = MSS_COUNT - 1;

    while (index > 0 && mss_table[index] > mss)
        index--;
    return index;
}

static uint32_t period_of(uint64_t now_us)
{
    return (uint32_t)(now_us / SYN_COOKIE_PERIOD_US);
}

uint32_t syn_cookie_make(const uint8_t secret[16], const struct tcp_tuple *tuple, uint32_t irs,
                         const struct syn_cookie_terms *terms, uint64_t now_us)
{
    return hash(secret, tuple, irs, period_of(now_us), encode(terms)) + mss_index(terms->mss);
}

uint32_t syn_cookie_timestamp(const struct syn_cookie_terms *terms, uint32_t ts_now)
{
    uint32_t ts = (ts_now & ~TERM_MASK) | (encode(terms) & TERM_MASK);

    /* The connection's own timestamps go on from ts_now: they must not seem older than this one. */
    return seq_gt(ts, ts_now) ? ts - (1u << TERM_BITS) : ts;
}

enum syn_cookie_verdict syn_cookie_check(const uint8_t secret[16], const struct tcp_tuple *tuple, uint32_t irs,
                                         uint32_t cookie, bool timestamps, uint32_t ts_echo, uint64_t now_us,
                                         struct syn_cookie_terms *terms)
{
    uint32_t encoded = timestamps ? TERM_TIMESTAMPS | (ts_echo & TERM_MASK) : 0;
    uint32_t now = period_of(now_us);

    for (uint32_t age = 0; age < 2 * SYN_COOKIE_PERIODS && age <= now; age++) {
        uint32_t index = cookie - hash(secret, tuple, irs, now - age, encoded);

        if (index >= MSS_COUNT)
            continue;
        if (age >= SYN_COOKIE_PERIODS)
            return SYN_COOKIE_OLD;
        *terms = (struct syn_cookie_terms){.mss = mss_table[index],
                                           .timestamps = timestamps,
                                           .sack = encoded & TERM_SACK,
                                           .ecn = encoded & TERM_ECN,
                                           .window_scaling = timestamps && (encoded & TERM_SHIFT) != TERM_SHIFT,
                                           .window_shift = (uint8_t)(encoded & TERM_SHIFT)};
        if (!terms->window_scaling)
            terms->window_shift = 0;
        return SYN_COOKIE_GOOD;
    }
    return SYN_COOKIE_BAD;
}
