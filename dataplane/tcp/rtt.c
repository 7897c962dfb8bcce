/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/recovery.h"

void rtt_sample(const struct tcp *tcp, struct tcp_connection *c, uint32_t rtt_us)
{
    uint32_t variation_us;

    if (rtt_us == 0)
        rtt_us = 1;
    /* The smallest one seen creeps up by 1/1024 of the difference a sample: a path that has become longer is learned. */
    if (c->min_rtt_us == 0 || rtt_us < c->min_rtt_us)
        c->min_rtt_us = rtt_us;
    else
        c->min_rtt_us += (rtt_us - c->min_rtt_us) >> 10;
    if (c->srtt_us == 0) {
        c->srtt_us = rtt_us;
        c->rttvar_us = rtt_us / 2;
    } else {
        uint32_t error_us = rtt_us > c->srtt_us ? rtt_us - c->srtt_us : c->srtt_us - rtt_us;

        /* RFC 6298 (2.3): beta 1/4, alpha 1/8. */
        c->rttvar_us = c->rttvar_us - c->rttvar_us / 4 + error_us / 4;
        c->srtt_us = c->srtt_us - c->srtt_us / 8 + rtt_us / 8;
    }
    variation_us = 4 * c->rttvar_us;
    if (variation_us < TIMER_WHEEL_TICK_US)
        variation_us = TIMER_WHEEL_TICK_US;
    c->rto_us = c->srtt_us + variation_us;
    if (c->rto_us < tcp->config.rto_min_us)
        c->rto_us = tcp->config.rto_min_us;
    if (c->rto_us > tcp->config.rto_max_us)
        c->rto_us = tcp->config.rto_max_us;
}
