/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "tcp/ecn.h"
#include "tcp/recovery.h"

#define CUBIC_C     0.4f /* RFC 9438 §5 */
#define CUBIC_BETA  0.7f /* §4.6 */
#define RENO_BETA   0.5f
#define CUBIC_ALPHA (3.0f * (1.0f - CUBIC_BETA) / (1.0f + CUBIC_BETA)) /* §4.3 */
#define CWND_MAX    (1u << 30)

uint32_t congestion_initial_window(uint32_t mss)
{
    /* RFC 6928 §2: min(10 * MSS, max(2 * MSS, 14600)). */
    uint32_t floor = 2 * mss > 14600 ? 2 * mss : 14600;

    return 10 * mss < floor ? 10 * mss : floor;
}

void congestion_init(const struct tcp *tcp, struct tcp_connection *c)
{
    /* RFC 5681 §3.1: a lost SYN says that the path is not free: start with one segment. */
    c->cwnd = c->retransmits > 0 ? c->snd_mss : congestion_initial_window(c->snd_mss);
    c->ssthresh = CWND_MAX;
    c->epoch_us = 0;
    c->cubic_w_max = 0;
    c->acked_acc = 0;
    hystart_init(c);
}

static void grow(struct tcp_connection *c, uint32_t bytes)
{
    c->cwnd = c->cwnd < CWND_MAX - bytes ? c->cwnd + bytes : CWND_MAX;
}

/* Congestion avoidance by RFC 5681 §3.1 with byte counting: a segment for every window acknowledged. */
static void avoid_newreno(struct tcp_connection *c, uint32_t acked_bytes)
{
    c->acked_acc += acked_bytes;
    if (c->acked_acc < c->cwnd)
        return;
    c->acked_acc -= c->cwnd;
    grow(c, c->snd_mss);
}

static void start_epoch(struct tcp_connection *c, uint64_t now_us)
{
    float mss = c->snd_mss;

    c->epoch_us = now_us;
    c->cubic_w_est = (float)c->cwnd;
    if (c->cubic_w_max > c->cwnd) {
        c->cubic_k_s = cbrtf(((float)c->cubic_w_max - (float)c->cwnd) / mss / CUBIC_C);
    } else {
        c->cubic_k_s = 0;
        c->cubic_w_max = c->cwnd;
    }
}

/* Congestion avoidance by RFC 9438 §4.2 to §4.5; windows in bytes, time in seconds. */
static void avoid_cubic(struct tcp_connection *c, uint32_t acked_bytes, uint64_t now_us)
{
    float mss = c->snd_mss, cwnd = (float)c->cwnd, alpha, t_s, target;

    if (c->epoch_us == 0)
        start_epoch(c, now_us);
    alpha = c->cubic_w_est >= (float)c->cubic_prior ? 1.0f : CUBIC_ALPHA;
    c->cubic_w_est += alpha * mss * (float)acked_bytes / cwnd;
    t_s = (float)(now_us - c->epoch_us + c->srtt_us) / 1e6f - c->cubic_k_s;
    target = CUBIC_C * t_s * t_s * t_s * mss + (float)c->cubic_w_max;
    if (target < c->cubic_w_est) {
        if (c->cubic_w_est > cwnd)
            grow(c, (uint32_t)(c->cubic_w_est - cwnd));
        return;
    }
    if (target > 1.5f * cwnd)
        target = 1.5f * cwnd;
    if (target <= cwnd)
        return;
    /* (target - cwnd) / cwnd of a segment for each segment acknowledged; fractions of a byte are kept for later. */
    c->acked_acc += acked_bytes;
    if ((target - cwnd) / cwnd * (float)c->acked_acc >= 1.0f) {
        grow(c, (uint32_t)((target - cwnd) / cwnd * (float)c->acked_acc));
        c->acked_acc = 0;
    }
}

void congestion_on_ack(const struct tcp *tcp, struct tcp_connection *c, uint32_t acked_bytes)
{
    uint32_t flight = c->snd_nxt - c->snd_una + acked_bytes;

    /* A window that was not used says nothing about the path (RFC 7661). */
    if (!conn_has(c, CONN_CWND_LIMITED) && !(c->cwnd < c->ssthresh && c->cwnd < 2 * flight))
        return;
    if (c->cwnd < c->ssthresh) {
        /* Slow start by bytes acknowledged (RFC 3465); the rest of an ACK that crosses the threshold counts beyond it. */
        uint32_t step = c->ssthresh - c->cwnd;

        if (step > acked_bytes)
            step = acked_bytes;
        grow(c, hystart_growth(c, step));
        acked_bytes -= step;
        if (acked_bytes == 0)
            return;
    }
    if (tcp->config.congestion == TCP_CONGESTION_CUBIC)
        avoid_cubic(c, acked_bytes, tcp->now_us);
    else
        avoid_newreno(c, acked_bytes);
}

/* Returns what of the flight is left by the factor. */
static uint32_t reduce(const struct tcp *tcp, struct tcp_connection *c, uint32_t flight)
{
    bool cubic = tcp->config.congestion == TCP_CONGESTION_CUBIC;
    uint32_t ssthresh;

    if (flight > c->cwnd)
        flight = c->cwnd;
    ssthresh = (uint32_t)((float)flight * (cubic ? CUBIC_BETA : RENO_BETA));
    /* RFC 9438 §4.7, fast convergence: below the last maximum, leave room to a newcomer. */
    if (cubic)
        c->cubic_w_max = c->cwnd < c->cubic_w_max ? (uint32_t)((float)c->cwnd * (1 + CUBIC_BETA) / 2) : c->cwnd;
    c->cubic_prior = c->cwnd;
    c->epoch_us = 0;
    c->acked_acc = 0;
    c->hystart = TCP_HYSTART_OFF;
    c->ssthresh = ssthresh > 2u * c->snd_mss ? ssthresh : 2u * c->snd_mss;
    ecn_window_reduced(c);
    return ssthresh;
}

void congestion_on_loss(const struct tcp *tcp, struct tcp_connection *c)
{
    (void)reduce(tcp, c, c->snd_nxt - c->snd_una);
}

uint32_t congestion_on_echo(const struct tcp *tcp, struct tcp_connection *c, uint32_t acked_bytes)
{
    uint32_t window = reduce(tcp, c, c->snd_nxt - c->snd_una + acked_bytes);

    /* RFC 9438 §4.6: where nothing was lost, down to one. */
    return window > c->snd_mss ? window : c->snd_mss;
}

void congestion_undo(struct tcp_connection *c)
{
    if (c->cwnd < c->undo_cwnd)
        c->cwnd = c->undo_cwnd;
    c->ssthresh = c->undo_ssthresh;
    ecn_window_restored(c);
    /* RFC 9438 §4.9: the curve goes on as if nothing had happened. */
    c->cubic_w_max = c->undo_w_max;
    c->epoch_us = 0;
    /* It is in its first slow start, still. */
    if (c->ssthresh == CWND_MAX)
        hystart_init(c);
}

void congestion_after_idle(const struct tcp *tcp, struct tcp_connection *c)
{
    uint32_t initial = congestion_initial_window(c->snd_mss);

    if (c->cwnd > initial)
        c->cwnd = initial;
    c->epoch_us = 0;
    /* What the delay was before says nothing of the queue now. */
    if (c->hystart != TCP_HYSTART_OFF)
        hystart_init(c);
}
