/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/recovery.h"
#include "tcp/sent.h"

#define DUP_THRESH         3 /* RFC 8985 §5.1 */
#define REO_MULT_MAX       16
#define REO_PERSIST        16     /* recoveries that a widened window survives (§6.2 step 4) */
#define DELAYED_ACK_MAX_US 200000 /* WCDelAckT, §7.2 */
#define PROBE_MIN_US       (2 * TIMER_WHEEL_TICK_US)
#define PROBE_NO_RTT_US    1000000

/* RACK_sent_after of §6.2: by time, then by sequence. */
static bool sent_after(uint64_t a_us, uint32_t a_end, uint64_t b_us, uint32_t b_end)
{
    return a_us > b_us || (a_us == b_us && seq_gt(a_end, b_end));
}

/* Step 3: was something delivered that had been overtaken, and not because it was sent again? What the same ACK tells of came
 * in an order nobody knows: the highest delivered before it is what counts. */
static void detect_reordering(struct tcp_connection *c, const struct tcp_sent *sent, uint32_t fack_before)
{
    uint32_t end = sent_end(sent);

    c->rack_fack = seq_max(c->rack_fack, end);
    if (seq_lt(end, fack_before) && !(sent->flags & SENT_RETRANSMITTED))
        c->flags |= CONN_REORDERING;
}

void rack_delivered(struct tcp_connection *c, const struct tcp_sent *sent, struct tcp_ack_sample *sample)
{
    uint64_t age_us = sample->now_us - sent->sent_us;
    uint32_t rtt_us = age_us < UINT32_MAX ? (uint32_t)age_us : UINT32_MAX;

    detect_reordering(c, sent, sample->fack_before);
    if ((sent->flags & (SENT_LOST | SENT_RETRANSMITTED)) == SENT_LOST)
        sample->original_arrived = true;
    if (sent->flags & SENT_RETRANSMITTED) {
        /* Step 2: is it the ACK of the first transmission, come late? */
        if (sample->has_ts && seq_lt(sample->ts_echo, conn_ts_now(c, sent->sent_us)))
            return;
        if (rtt_us < c->min_rtt_us)
            return;
    } else if (sample->rtt_us == 0 || rtt_us < sample->rtt_us) {
        sample->rtt_us = rtt_us ? rtt_us : 1;
    }
    c->rack_rtt_us = rtt_us ? rtt_us : 1;
    if (sent_after(sent->sent_us, sent_end(sent), c->rack_sent_us, c->rack_end)) {
        c->rack_sent_us = sent->sent_us;
        c->rack_end = sent_end(sent);
    }
}

void rack_update_window(struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    if (conn_has(c, CONN_DSACK_ROUND) && seq_ge(c->snd_una, c->rack_dsack_round))
        c->flags &= ~(uint32_t)CONN_DSACK_ROUND;
    if (sample->dsack && !conn_has(c, CONN_DSACK_ROUND)) {
        c->flags |= CONN_DSACK_ROUND;
        c->rack_dsack_round = c->snd_nxt;
        if (c->rack_reo_mult < REO_MULT_MAX)
            c->rack_reo_mult++;
        c->rack_reo_persist = REO_PERSIST;
    }
}

static uint32_t reordering_window_us(const struct tcp_connection *c)
{
    uint64_t window_us;

    if (!conn_has(c, CONN_REORDERING)) {
        if (c->recovery != TCP_RECOVERY_OPEN || c->sacked_bytes >= DUP_THRESH * (uint32_t)c->snd_mss)
            return 0;
    }
    window_us = (uint64_t)c->rack_reo_mult * c->min_rtt_us / 4;
    return window_us < c->srtt_us ? (uint32_t)window_us : c->srtt_us;
}

uint32_t rack_detect(struct tcp *tcp, struct tcp_connection *c, uint64_t now_us, uint32_t *lost_bytes)
{
    uint64_t wait_us = (uint64_t)c->rack_rtt_us + reordering_window_us(c);
    uint32_t index = c->time_head;
    uint64_t timeout_us = 0;

    while (index != TCP_NONE) {
        struct tcp_sent *sent = sent_at(tcp, index);

        index = sent->time_next;
        if (!sent_after(c->rack_sent_us, c->rack_end, sent->sent_us, sent_end(sent)))
            break;
        if (sent->sent_us + wait_us <= now_us) {
            /* A probe was too big for the path: that is no congestion (RFC 4821 §7.5). */
            if (likely(!(sent->flags & SENT_PROBE)))
                *lost_bytes += sent_end(sent) - sent->seq;
            tcp->counters.rack_losses++;
            sent_mark_lost(tcp, c, sent);
        } else {
            timeout_us = sent->sent_us + wait_us - now_us;
        }
    }
    return (uint32_t)timeout_us;
}

void rack_timeout(struct tcp *tcp, struct tcp_connection *c, uint64_t now_us)
{
    uint64_t wait_us = (uint64_t)c->rack_rtt_us + reordering_window_us(c);
    struct tcp_sent *first = sent_first(tcp, c);
    uint32_t index;

    /* RFC 2018 §8: the head must be sent again, so a SACK of it has been taken back. */
    if (first->flags & SENT_SACKED) {
        tcp->counters.reneged++;
        sent_forget_sacks(tcp, c);
    }
    sent_mark_lost(tcp, c, first);
    for (index = c->time_head; index != TCP_NONE;) {
        struct tcp_sent *sent = sent_at(tcp, index);

        index = sent->time_next;
        if (sent->sent_us + wait_us <= now_us)
            sent_mark_lost(tcp, c, sent);
    }
}

uint32_t rack_probe_timeout_us(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t timeout_us;

    if (!conn_has(c, CONN_SACK) || c->recovery != TCP_RECOVERY_OPEN || c->sacked_bytes > 0 || c->sent_count == 0 ||
        c->backoff > 0 || conn_has(c, CONN_PROBE_OUT))
        return 0;
    if (c->srtt_us == 0)
        return PROBE_NO_RTT_US;
    timeout_us = 2 * c->srtt_us;
    /* One segment alone may meet the peer's delayed ACK. */
    if (c->sent_count == 1)
        timeout_us += DELAYED_ACK_MAX_US;
    return timeout_us > PROBE_MIN_US ? timeout_us : PROBE_MIN_US;
}

void rack_probe_sent(struct tcp_connection *c, bool retransmission)
{
    c->flags |= CONN_PROBE_OUT;
    c->flags &= ~(uint32_t)CONN_PROBE_AGAIN;
    if (retransmission)
        c->flags |= CONN_PROBE_AGAIN;
    c->probe_end = c->snd_nxt;
}

bool rack_probe_acked(struct tcp_connection *c, uint32_t ack, const struct tcp_ack_sample *sample)
{
    bool repaired = false;

    if (!conn_has(c, CONN_PROBE_OUT) || seq_lt(ack, c->probe_end))
        return false;
    if (conn_has(c, CONN_PROBE_AGAIN) && !sample->dsack) {
        /* Original or probe: as long as this ACK goes no further, nobody can say which it acknowledges. */
        if (ack == c->probe_end && !sample->duplicate)
            return false;
        repaired = ack != c->probe_end;
    }
    c->flags &= ~(uint32_t)(CONN_PROBE_OUT | CONN_PROBE_AGAIN);
    return repaired;
}
