/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/recovery.h"

/* RFC 9406 §4.3. Its limit L, on what one ACK may add, is not kept: the receivers of today acknowledge up to 64 KB at once, and
 * would hold slow start to a fraction of its pace. What a turn sends is bounded elsewhere (output.c: QUANTUM). */
#define RTT_THRESH_MIN_US  4000u
#define RTT_THRESH_MAX_US  16000u
#define RTT_DIVISOR        8
#define SAMPLES            8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS         5

static void start_round(struct tcp_connection *c)
{
    c->hystart_last_us = c->hystart_now_us;
    c->hystart_now_us = 0;
    c->hystart_samples = 0;
    c->hystart_end = c->snd_nxt;
}

void hystart_init(struct tcp_connection *c)
{
    c->hystart = TCP_HYSTART_STANDARD;
    c->hystart_now_us = 0;
    start_round(c);
}

/* Have the packets of this round taken longer than those of the last one by so much that a queue must be growing? */
static bool delay_has_grown(const struct tcp_connection *c)
{
    uint32_t threshold_us = c->hystart_last_us / RTT_DIVISOR;

    if (c->hystart_samples < SAMPLES || c->hystart_last_us == 0)
        return false;
    if (threshold_us < RTT_THRESH_MIN_US)
        threshold_us = RTT_THRESH_MIN_US;
    if (threshold_us > RTT_THRESH_MAX_US)
        threshold_us = RTT_THRESH_MAX_US;
    return c->hystart_now_us >= c->hystart_last_us + threshold_us;
}

static void judge_delay(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->hystart == TCP_HYSTART_STANDARD && delay_has_grown(c)) {
        c->hystart = TCP_HYSTART_CONSERVATIVE;
        c->hystart_baseline_us = c->hystart_now_us;
        c->hystart_rounds = 0;
        tcp->counters.slow_start_conservative++;
    } else if (c->hystart == TCP_HYSTART_CONSERVATIVE && c->hystart_samples >= SAMPLES &&
               c->hystart_now_us < c->hystart_baseline_us) {
        /* It was jitter. */
        c->hystart = TCP_HYSTART_STANDARD;
        tcp->counters.slow_start_resumed++;
    }
}

void hystart_on_ack(struct tcp *tcp, struct tcp_connection *c, uint32_t rtt_us)
{
    if (likely(c->hystart == TCP_HYSTART_OFF))
        return;
    if (rtt_us > 0) {
        if (c->hystart_now_us == 0 || rtt_us < c->hystart_now_us)
            c->hystart_now_us = rtt_us;
        if (c->hystart_samples < SAMPLES)
            c->hystart_samples++;
        judge_delay(tcp, c);
    }
    if (seq_lt(c->snd_una, c->hystart_end))
        return;
    /* The round in which it began counts. */
    if (c->hystart == TCP_HYSTART_CONSERVATIVE && ++c->hystart_rounds == CSS_ROUNDS) {
        c->ssthresh = c->cwnd;
        c->hystart = TCP_HYSTART_OFF;
        tcp->counters.slow_start_left++;
        return;
    }
    start_round(c);
}

uint32_t hystart_growth(const struct tcp_connection *c, uint32_t bytes)
{
    return c->hystart == TCP_HYSTART_CONSERVATIVE ? bytes / CSS_GROWTH_DIVISOR : bytes;
}
