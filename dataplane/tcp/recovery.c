/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/recovery.h"

#include "tcp/ecn.h"
#include "tcp/path.h"
#include "tcp/sent.h"

#define DUP_THRESH 3

static void save_for_undo(struct tcp_connection *c, enum tcp_recovery recovery)
{
    c->flags |= CONN_UNDO;
    c->undo_recovery = recovery;
    c->undo_cwnd = c->cwnd;
    c->undo_ssthresh = c->ssthresh;
    c->undo_w_max = c->cubic_w_max;
    c->undo_ts = 0;
    c->undo_retrans = 0;
    c->undo_marker = c->snd_una;
}

void recovery_on_retransmit(const struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_UNDO))
        return;
    if (c->undo_retrans == 0 && c->undo_ts == 0)
        c->undo_ts = conn_ts_now(c, tcp->now_us);
    if (c->undo_retrans < UINT16_MAX)
        c->undo_retrans++;
}

static void count_delivered(const struct tcp *tcp, struct tcp_connection *c, uint32_t bytes)
{
    if (c->turn_us != (uint32_t)tcp->now_us)
        c->turn_delivered = 0;
    c->turn_us = (uint32_t)tcp->now_us;
    c->turn_delivered += bytes;
}

/* RFC 9937 §6.1, with one difference: what counts as the ACK that begins recovery is all of this turn so far. A burst of ACKs
 * is one occasion to send, as if the last of them had come alone. Each would have let something out (RFC 3042), which the
 * window, reduced now, would keep back: a lone retransmission would be left in flight, and with its ACK lost, nothing but a
 * timeout. */
static void start_reduction(struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    uint32_t flight = c->snd_nxt - c->snd_una, gone = c->sacked_bytes + c->dup_acks * c->snd_mss;

    c->prr_delivered = c->turn_delivered - sample->delivered_bytes;
    c->prr_out = 0;
    /* What had arrived before will not be delivered in recovery. */
    c->prr_flight = (flight > gone ? flight - gone : 0) + c->turn_delivered;
}

static void enter_fast(struct tcp *tcp, struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    tcp->counters.recoveries++;
    /* For one window of data it falls once, whatever tells of congestion first (RFC 3168 §6.1.2). */
    if (!(c->ecn & ECN_REDUCING)) {
        save_for_undo(c, TCP_RECOVERY_FAST);
        congestion_on_loss(tcp, c);
        start_reduction(c, sample);
    }
    c->ecn &= (uint8_t)~ECN_REDUCING;
    c->recovery = TCP_RECOVERY_FAST;
    c->recovery_point = c->snd_nxt;
    c->flags &= ~(uint32_t)(CONN_PROBE_OUT | CONN_PROBE_AGAIN);
}

static void leave(struct tcp_connection *c)
{
    if (c->recovery == TCP_RECOVERY_FAST)
        c->cwnd = c->ssthresh;
    c->recovery = TCP_RECOVERY_OPEN;
    c->frto = TCP_FRTO_OFF;
    c->dup_acks = 0;
    /* RFC 8985 §6.2 step 4: a widened window lasts for so many recoveries. */
    if (c->rack_reo_persist > 0 && --c->rack_reo_persist == 0)
        c->rack_reo_mult = 1;
}

/* RFC 3522 and 4015: the first ACK after the retransmission echoes a timestamp from before it, so the original had arrived:
 * the delay had grown, nothing was lost. */
static bool old_echo(struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    uint32_t undo_ts = c->undo_ts;

    if (sample->acked_bytes == 0 || undo_ts == 0)
        return false;
    c->undo_ts = 0;
    return sample->has_ts && sample->retransmit_acked && seq_lt(sample->ts_echo, undo_ts);
}

/* RFC 5682 §3.1 (3b), where timestamps do not tell: of what the timeout gave up for lost, something arrives that has not been
 * sent again. */
static bool timeout_was_early(const struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    return !sample->has_ts && conn_has(c, CONN_SACK) && c->recovery == TCP_RECOVERY_LOSS &&
           c->undo_recovery == TCP_RECOVERY_LOSS && c->undo_retrans > 0 && sample->original_arrived;
}

/* RFC 5682 §2.1, steps 2 and 3: what was on its way all along is acknowledged without having been sent again, one ACK after the
 * other; what was lost leaves duplicate ACKs. */
static bool frto_tells(const struct tcp *tcp, struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    const struct tcp_sent *first = sent_first(tcp, c);
    enum tcp_frto step = c->frto;

    if (likely(step == TCP_FRTO_OFF) || (sample->acked_bytes == 0 && !sample->duplicate))
        return false;
    c->frto = TCP_FRTO_OFF;
    if (step == TCP_FRTO_HEAD) {
        /* All that has been sent again, and not all that was in flight. */
        if (sample->retransmit_acked && seq_lt(c->snd_una, c->recovery_point) && first &&
            !(first->flags & SENT_RETRANSMITTED))
            c->frto = TCP_FRTO_NEW;
        return false;
    }
    if (sample->acked_bytes > 0)
        return true;
    if (c->cwnd > 3u * c->snd_mss)
        c->cwnd = 3u * c->snd_mss;
    return false;
}

static void undo_if_spurious(struct tcp *tcp, struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    bool early = frto_tells(tcp, c, sample);

    if (!conn_has(c, CONN_UNDO))
        return;
    if (!old_echo(c, sample) && !timeout_was_early(c, sample) && !early && !sample->all_needless)
        return;
    c->flags &= ~(uint32_t)CONN_UNDO;
    if (c->undo_recovery == TCP_RECOVERY_LOSS) {
        tcp->counters.timeouts_spurious++;
    } else {
        tcp->counters.recoveries_spurious++;
        /* What seemed lost had been overtaken, which RACK does not see of what was sent again (RFC 8985 §6.2 step 3). */
        c->flags |= CONN_REORDERING;
    }
    sent_forget_losses(tcp, c);
    congestion_undo(c);
    c->flags &= ~(uint32_t)CONN_CWND_LIMITED;
    c->frto = TCP_FRTO_OFF;
    c->recovery = TCP_RECOVERY_OPEN;
    c->dup_acks = 0;
}

/* Without SACK: RFC 5681 §3.2 and RFC 6582. Returns the bytes newly marked lost. */
static uint32_t newreno_detect(struct tcp *tcp, struct tcp_connection *c, struct tcp_ack_sample *sample)
{
    struct tcp_sent *first = sent_first(tcp, c);
    bool head_lost = false;

    if (sample->duplicate && c->recovery != TCP_RECOVERY_LOSS && c->dup_acks < UINT8_MAX) {
        c->dup_acks++;
        sample->delivered_bytes += c->snd_mss;
        head_lost = c->recovery == TCP_RECOVERY_OPEN && c->dup_acks == DUP_THRESH;
    } else if (sample->acked_bytes > 0 && c->recovery == TCP_RECOVERY_FAST) {
        /* A partial ACK: what follows it is missing too. Its bytes were counted as the duplicates came. */
        uint32_t counted = sample->acked_bytes / c->snd_mss;

        counted = counted < c->dup_acks ? counted : c->dup_acks;
        c->dup_acks -= counted;
        sample->delivered_bytes -= counted * c->snd_mss;
        head_lost = true;
    } else if (sample->acked_bytes > 0) {
        c->dup_acks = 0;
    }
    if (!head_lost || !first || first->flags & SENT_LOST)
        return 0;
    sent_mark_lost(tcp, c, first);
    return sent_end(first) - first->seq;
}

static bool window_falls(const struct tcp_connection *c)
{
    return c->recovery == TCP_RECOVERY_FAST || c->ecn & ECN_REDUCING;
}

/* Proportional rate reduction, RFC 9937 §6: the window falls to ssthresh while what arrives sets the pace. */
static void reduce_window(struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    uint32_t pipe = tcp_pipe(c);
    int64_t send;

    c->prr_delivered += sample->delivered_bytes;
    if (pipe > c->ssthresh) {
        uint32_t flight = c->prr_flight ? c->prr_flight : 1;

        send = (int64_t)(((uint64_t)c->prr_delivered * c->ssthresh + flight - 1) / flight) - c->prr_out;
    } else {
        int64_t limit = (int64_t)c->prr_delivered - c->prr_out;

        if (limit < sample->delivered_bytes)
            limit = sample->delivered_bytes;
        /* A segment more, as slow start has it, only while the ACKs say that recovery makes headway (SafeACK). */
        if (sample->acked_bytes > 0 && sample->lost_bytes == 0)
            limit += c->snd_mss;
        send = c->ssthresh - pipe;
        if (send > limit)
            send = limit;
    }
    /* The first retransmission goes out at once; without SACK each partial ACK's does (RFC 6582 §3.2, step 3). */
    if ((c->prr_out == 0 || (sample->lost_bytes > 0 && !conn_has(c, CONN_SACK))) && send < c->snd_mss)
        send = c->snd_mss;
    c->cwnd = pipe + (send > 0 ? (uint32_t)send : 0);
    /* With nothing in flight any more, a segment goes out in any case: no ACK would come. */
    if (c->cwnd < c->snd_mss)
        c->cwnd = c->snd_mss;
}

static void update_window(struct tcp *tcp, struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    if (window_falls(c)) {
        if (sample->delivered_bytes > 0 || sample->lost_bytes > 0)
            reduce_window(c, sample);
    } else if (sample->acked_bytes > 0) {
        hystart_on_ack(tcp, c, sample->rtt_us);
        /* RFC 3168 §6.1.2: no growth by an ACK that tells of a mark. */
        if (!sample->echo)
            congestion_on_ack(tcp, c, sample->acked_bytes);
    }
}

/* RFC 3168 §6.1.2: the window falls as for a loss, once for all that was in flight; nothing is sent again. */
static void answer_echo(struct tcp *tcp, struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    uint32_t before = c->cwnd, window;

    if (c->recovery != TCP_RECOVERY_OPEN || c->ecn & ECN_HOLD || (sample->acked_bytes == 0 && c->sent_count == 0))
        return;
    tcp->counters.ecn_reductions++;
    window = congestion_on_echo(tcp, c, sample->acked_bytes);
    if (window >= c->ssthresh) {
        c->ecn |= ECN_REDUCING;
        start_reduction(c, sample);
        return;
    }
    c->cwnd = window;
    /* RFC 3168 §6.1.2, RFC 9438 §4.6: it cannot fall any more, but the pace can. */
    if (before <= c->snd_mss) {
        c->ecn |= ECN_PAUSE;
        c->rto_start_us = tcp->now_us;
    }
}

uint32_t recovery_on_ack(struct tcp *tcp, struct tcp_connection *c, struct tcp_ack_sample *sample)
{
    uint32_t reorder_us = 0;

    if (unlikely(c->ecn & ECN_ON))
        ecn_on_ack(tcp, c, sample->echo);
    undo_if_spurious(tcp, c, sample);
    if (c->recovery != TCP_RECOVERY_OPEN && seq_ge(c->snd_una, c->recovery_point))
        leave(c);
    if (rack_probe_acked(c, c->snd_una, sample) && c->recovery == TCP_RECOVERY_OPEN && !(c->ecn & ECN_REDUCING)) {
        congestion_on_loss(tcp, c);
        c->cwnd = c->ssthresh;
    }
    if (conn_has(c, CONN_SACK)) {
        rack_update_window(c, sample);
        if (sample->delivered_bytes > 0)
            reorder_us = rack_detect(tcp, c, sample->now_us, &sample->lost_bytes);
    } else {
        sample->lost_bytes += newreno_detect(tcp, c, sample);
    }
    count_delivered(tcp, c, sample->delivered_bytes);
    if (sample->lost_bytes > 0 && c->recovery == TCP_RECOVERY_OPEN)
        enter_fast(tcp, c, sample);
    if (unlikely(sample->echo))
        answer_echo(tcp, c, sample);
    update_window(tcp, c, sample);
    return reorder_us;
}

uint32_t recovery_on_reorder_timer(struct tcp *tcp, struct tcp_connection *c)
{
    struct tcp_ack_sample sample = {.now_us = tcp->now_us};
    uint32_t wait_us = rack_detect(tcp, c, tcp->now_us, &sample.lost_bytes);

    if (sample.lost_bytes > 0) {
        count_delivered(tcp, c, 0);
        if (c->recovery == TCP_RECOVERY_OPEN)
            enter_fast(tcp, c, &sample);
        update_window(tcp, c, &sample);
    }
    return wait_us;
}

void recovery_on_timeout(struct tcp *tcp, struct tcp_connection *c)
{
    tcp->counters.timeouts++;
    path_timeout(tcp, c);
    c->frto = TCP_FRTO_OFF;
    /* RFC 5681 §3.1: the same data timing out again does not halve the threshold again; nor does data of a window for which it
     * has just fallen (RFC 3168 §6.1.2). */
    if (c->backoff == 0 && !(c->ecn & ECN_REDUCING)) {
        if (c->recovery == TCP_RECOVERY_OPEN && !conn_has(c, CONN_SACK | CONN_TIMESTAMPS))
            c->frto = TCP_FRTO_HEAD;
        save_for_undo(c, TCP_RECOVERY_LOSS);
        congestion_on_loss(tcp, c);
    }
    c->ecn &= (uint8_t)~ECN_REDUCING;
    c->recovery = TCP_RECOVERY_LOSS;
    c->recovery_point = c->snd_nxt;
    c->cwnd = c->snd_mss;
    c->dup_acks = 0;
    c->flags &= ~(uint32_t)(CONN_PROBE_OUT | CONN_PROBE_AGAIN);
    if (conn_has(c, CONN_SACK)) {
        rack_timeout(tcp, c, tcp->now_us);
    } else {
        while (c->time_head != TCP_NONE)
            sent_mark_lost(tcp, c, sent_at(tcp, c->time_head));
    }
}

void recovery_on_sent(struct tcp_connection *c, uint32_t len)
{
    if (window_falls(c))
        c->prr_out += len;
}
