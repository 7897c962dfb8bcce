/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_SEQUENCE_H
#define ASSAY_BASE_SEQUENCE_H
/* Arithmetic modulo 2^32, as TCP's sequence numbers and timestamps need it: comparisons hold while the two values are less
 * than 2^31 apart. Source: RFC 9293 §3.4, RFC 7323 §5.2. */
#include <stdbool.h>
#include <stdint.h>

static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_le(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static inline bool seq_ge(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_ge(a, b) ? a : b;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
    return seq_le(a, b) ? a : b;
}

/* low <= x < high, on the circle. */
static inline bool seq_within(uint32_t x, uint32_t low, uint32_t high)
{
    return x - low < high - low;
}

#endif
