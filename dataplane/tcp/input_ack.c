/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/input.h"
#include "tcp/output.h"
#include "tcp/path.h"
#include "tcp/recovery.h"
#include "tcp/send_buffer.h"
#include "tcp/sent.h"
#include "tcp/timers.h"

/* Timestamps tell the round trip only to the millisecond, and an echo may be anything: no longer than this is believed. */
#define TS_RTT_MAX_MS 120000u

/* Removes what the ACK covers from scoreboard and buffer; snd_una moves. */
static void acknowledge(struct tcp *tcp, struct tcp_connection *c, uint32_t ack, struct tcp_ack_sample *sample)
{
    uint32_t data = ack - c->snd_una, rtt_before_us = sample->rtt_us;
    struct tcp_sent *sent = sent_first(tcp, c);
    bool filled = false;

    sample->acked_bytes = data;
    /* What an earlier recovery has sent again says nothing of this one. */
    sample->retransmit_acked = sent && sent->flags & SENT_RETRANSMITTED &&
                               (c->undo_ts == 0 || !seq_lt(conn_ts_now(c, sent->sent_us), c->undo_ts));
    if (conn_has(c, CONN_FIN_SENT) && ack == c->snd_nxt)
        data--;
    while (sent && seq_le(sent_end(sent), ack)) {
        if (!(sent->flags & SENT_SACKED)) {
            sample->delivered_bytes += sent_end(sent) - sent->seq;
            rack_delivered(c, sent, sample);
            filled |= sent->flags & SENT_RETRANSMITTED;
            if (unlikely(sent->flags & SENT_PROBE))
                path_probe_passed(tcp, c, sent);
        }
        sent_remove_first(tcp, c);
        sent = sent_first(tcp, c);
    }
    if (sent && seq_lt(sent->seq, ack)) {
        if (!(sent->flags & SENT_SACKED))
            sample->delivered_bytes += ack - sent->seq;
        sent_trim_first(tcp, c, ack - sent->seq);
        /* the part that the peer's window had no room for is still to be sent */
        if (sent->flags & SENT_CUT)
            sent_mark_lost(tcp, c, sent);
    }
    /* What a retransmission has brought along with it waited for that one: its age is no round trip. */
    if (filled)
        sample->rtt_us = rtt_before_us;
    send_buffer_acked(c, data);
    c->snd_una = ack;
    path_acked(tcp, c);
    c->retries = 0;
    c->backoff = 0;
    c->rto_start_us = tcp->now_us;
}

/* RFC 6298 §3: by the record's own clock where it was sent once, else by the timestamp, if any. An ACK that answers a duplicate
 * echoes what came long before it: the ACKs in between were lost. */
static void measure(struct tcp *tcp, struct tcp_connection *c, const struct tcp_ack_sample *sample)
{
    uint32_t age_ms;

    if (sample->rtt_us) {
        rtt_sample(tcp, c, sample->rtt_us);
        return;
    }
    if (!sample->has_ts || sample->acked_bytes == 0 || sample->ts_echo == 0 || sample->dsack)
        return;
    age_ms = conn_ts_now(c, tcp->now_us) - sample->ts_echo;
    if (age_ms < TS_RTT_MAX_MS)
        rtt_sample(tcp, c, age_ms ? age_ms * 1000 : 1000);
}

static void update_window(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    /* RFC 9293 §3.10.7.4: only what acknowledges at least SND.UNA tells of the window. */
    if (seq_lt(segment->ack, c->snd_una))
        return;
    if (!seq_lt(c->snd_wl1, segment->seq) && !(c->snd_wl1 == segment->seq && seq_le(c->snd_wl2, segment->ack)))
        return;
    c->snd_wnd = (uint32_t)segment->window << c->snd_shift;
    c->snd_wl1 = segment->seq;
    c->snd_wl2 = segment->ack;
    if (c->snd_wnd > c->snd_wnd_max)
        c->snd_wnd_max = c->snd_wnd;
    /* A closed window that is answered for is no dead peer, for as long as the application wants to wait. */
    if (c->snd_wnd == 0 && !conn_has(c, CONN_ORPHAN))
        c->retries = 0;
}

/* The window is open again: the byte that probed it goes out like any other. */
static void leave_persist(struct tcp *tcp, struct tcp_connection *c)
{
    struct tcp_sent *sent = sent_first(tcp, c);

    if (c->rexmt != TCP_REXMT_PERSIST || c->due_us[TCP_TIMER_REXMT] == 0)
        return;
    /* Still closed, but the byte was taken: the wait for the next one starts small again. */
    if (c->snd_wnd == 0 && sent)
        return;
    conn_timer_stop(c, TCP_TIMER_REXMT);
    if (c->snd_wnd == 0)
        return;
    c->rexmt = TCP_REXMT_RTO;
    c->flags &= ~(uint32_t)CONN_PERSIST_NOW;
    c->backoff = 0;
    c->retries = 0;
    c->rto_start_us = tcp->now_us;
    if (sent)
        sent_mark_lost(tcp, c, sent);
}

/* RFC 5961 §5.2. */
static bool is_acceptable(const struct tcp_connection *c, uint32_t ack)
{
    return seq_le(ack, c->snd_nxt) && seq_ge(ack, c->snd_una - c->snd_wnd_max);
}

static void tell_application(struct tcp *tcp, struct tcp_connection *c, bool fin_acked)
{
    if (conn_has(c, CONN_WANTS_ROOM) && send_buffer_room(tcp, c) >= c->room_wanted) {
        c->flags &= ~(uint32_t)CONN_WANTS_ROOM;
        conn_raise(tcp, c, TCP_EVENT_WRITABLE);
    }
    if (c->send_bytes == 0 && (fin_acked || !conn_has(c, CONN_FIN_QUEUED)))
        conn_raise(tcp, c, TCP_EVENT_SENT);
}

/* What the ACK of our FIN does. False when the connection is over. */
static bool our_fin_acked(struct tcp *tcp, struct tcp_connection *c)
{
    switch (c->state) {
    case TCP_FIN_WAIT_1: conn_set_state(tcp, c, TCP_FIN_WAIT_2); return true;
    case TCP_CLOSING: conn_set_state(tcp, c, TCP_TIME_WAIT); return true;
    case TCP_LAST_ACK: conn_finish(tcp, c); return false;
    default: return true;
    }
}

/* An ACK of a synchronized connection: SACK, cumulative part, window, recovery, timers, events, in this order. */
static bool process_ack(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    struct tcp_ack_sample sample = {.now_us = tcp->now_us,
                                    .has_ts = conn_has(c, CONN_TIMESTAMPS) && segment->options.has_timestamps,
                                    .ts_echo = segment->options.ts_echo,
                                    .echo = c->ecn & ECN_ECT && segment->flags & TCP_FLAG_ECE && !segment->was_syn,
                                    .fack_before = c->rack_fack};
    uint32_t window_before = c->snd_wnd, reorder_us;
    bool advances = seq_gt(segment->ack, c->snd_una), fin_acked;

    if (conn_has(c, CONN_SACK) && segment->options.sack_count > 0)
        sack_apply(tcp, c, &segment->options, segment->ack, &sample);
    if (advances)
        acknowledge(tcp, c, segment->ack, &sample);
    update_window(tcp, c, segment);
    sample.duplicate = !advances && c->sent_count > 0 && segment->ack == c->snd_una && segment_length(segment) == 0 &&
                       !segment->was_cut && c->snd_wnd == window_before && c->snd_wnd > 0;
    measure(tcp, c, &sample);
    leave_persist(tcp, c);
    reorder_us = recovery_on_ack(tcp, c, &sample);
    if (sample.delivered_bytes > 0 || sample.lost_bytes > 0 || c->sent_count == 0 || reorder_us ||
        c->due_us[TCP_TIMER_REXMT] == 0)
        conn_rexmt_rearm(tcp, c, reorder_us);
    if (c->lost_bytes > 0 || output_unsent(c) > 0 || (conn_has(c, CONN_FIN_QUEUED) && !conn_has(c, CONN_FIN_SENT)))
        conn_want_output(tcp, c);
    if (!advances)
        return true;
    fin_acked = conn_has(c, CONN_FIN_SENT) && c->snd_una == c->snd_nxt;
    tell_application(tcp, c, fin_acked);
    return !fin_acked || our_fin_acked(tcp, c);
}

/* SYN-RECEIVED: the ACK that ends the handshake. */
static bool finish_handshake(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (seq_le(segment->ack, c->snd_una) || seq_gt(segment->ack, c->snd_nxt)) {
        tcp->counters.drop_ack_range++;
        input_reply_reset(tcp, segment);
        return false;
    }
    if (conn_has(c, CONN_PASSIVE)) {
        struct tcp_listener *listener = &tcp->listeners[c->listener];

        /* The peer will come again with data; until then it counts as half open. */
        if (listener->accept_queued >= tcp->config.accept_backlog_max) {
            tcp->counters.drop_accept_backlog++;
            return false;
        }
        listener->accept_queued++;
        c->flags |= CONN_ACCEPT_QUEUED;
    }
    c->snd_una = segment->ack;
    input_established(tcp, c, segment);
    return true;
}

bool input_ack(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (!(segment->flags & TCP_FLAG_ACK)) {
        tcp->counters.drop_no_ack++;
        return false;
    }
    if (c->state == TCP_SYN_RECEIVED)
        return finish_handshake(tcp, c, segment);
    if (unlikely(!is_acceptable(c, segment->ack))) {
        tcp->counters.drop_ack_range++;
        input_challenge(tcp, c);
        return false;
    }
    if (c->state == TCP_TIME_WAIT)
        return true;
    return process_ack(tcp, c, segment);
}
