/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROXY_LIMITS_H
#define ASSAY_PROXY_LIMITS_H
/* What a configuration must leave room for. Data and arithmetic, for who checks one. Units: bytes. */
#include <stdint.h>

#define PROXY_HEAD_MAX    32768 /* the largest head, whatever the limits say: the rest of a buffer is for the body */
#define PROXY_HEAD_GROWTH 4096  /* what rewriting adds to a head: Host, Via, X-Forwarded-For, TrackingID */
#define PROXY_SEAL_ROOM   2048  /* TLS's records around one, and what TLS says of its own accord */

/* What the send buffer of a connection must hold where heads may be so large: one is passed on whole, and a buffer that cannot
 * take it passes nothing on. */
static inline uint64_t proxy_send_buffer_min(uint64_t head_max)
{
    return (head_max < PROXY_HEAD_MAX ? head_max : PROXY_HEAD_MAX) + PROXY_HEAD_GROWTH + PROXY_SEAL_ROOM;
}

#endif
