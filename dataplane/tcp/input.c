/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/input.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "tcp/ecn.h"
#include "tcp/output.h"
#include "tcp/receive_buffer.h"
#include "tcp/recovery.h"
#include "tcp/timers.h"

#define BURST 16

/* Full segments acknowledged one by one after each that came out of order or twice. */
#define QUICK_ACKS 16

/* While the same byte is missing, so many segments are acknowledged one by one where the peer has SACK. */
#define GAP_ACKS 16

#define PAWS_IDLE_S (24u * 24 * 3600) /* RFC 7323 §5.5 */

void input_reply_reset(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct tcp_reply reply = {.src = segment->tuple.local,
                              .dst = segment->tuple.remote,
                              .source_port = segment->tuple.local_port,
                              .destination_port = segment->tuple.remote_port};

    if (segment->flags & TCP_FLAG_RST)
        return;
    if (segment->flags & TCP_FLAG_ACK) {
        reply.sequence = segment->ack;
        reply.flags = TCP_FLAG_RST;
    } else {
        reply.acknowledgment = segment->seq + segment_length(segment);
        reply.flags = TCP_FLAG_RST | TCP_FLAG_ACK;
    }
    output_reply(tcp, &reply);
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

/* Reads header and options, and moves mbuf on to the payload. */
static bool read_segment(struct tcp *tcp, const struct net_segment *packet, struct tcp_segment *out)
{
    const struct tcp_header *header = rte_pktmbuf_mtod(packet->mbuf, const struct tcp_header *);
    uint32_t header_len;

    out->mbuf = packet->mbuf;
    out->was_syn = out->was_cut = out->own_ack = false;
    out->marked = packet->ecn == NET_ECN_CE;
    tcp->counters.segments_in++;
    if (packet->length < TCP_HEADER_MIN || packet->mbuf->data_len < TCP_HEADER_MIN) {
        tcp->counters.drop_short++;
        return false;
    }
    header_len = (uint32_t)(header->data_offset >> 4) * 4;
    if (header_len < TCP_HEADER_MIN || header_len > packet->length || header_len > packet->mbuf->data_len) {
        tcp->counters.drop_short++;
        return false;
    }
    out->flags = header->flags;
    if (tcp_options_parse(slice_of(header + 1, header_len - TCP_HEADER_MIN), out->flags & TCP_FLAG_SYN,
                          &out->options)) {
        tcp->counters.drop_options++;
        return false;
    }
    out->tuple = (struct tcp_tuple){packet->dst, packet->src, rte_be_to_cpu_16(header->destination_port_be),
                                    rte_be_to_cpu_16(header->source_port_be)};
    out->seq = rte_be_to_cpu_32(header->sequence_be);
    out->ack = rte_be_to_cpu_32(header->acknowledgment_be);
    out->window = rte_be_to_cpu_16(header->window_be);
    out->len = packet->length - header_len;
    rte_pktmbuf_adj(packet->mbuf, (uint16_t)header_len);
    return true;
}

static bool flags_make_sense(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint8_t control = segment->flags & (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST);

    if ((segment->flags & (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST | TCP_FLAG_ACK)) != 0 &&
        (control & (control - 1)) == 0)
        return true;
    tcp->counters.drop_flags++;
    return false;
}

/* Cuts the payload down to its first keep bytes. */
static void keep_front(struct tcp_segment *segment, uint32_t keep)
{
    uint32_t left = keep;

    segment->len = keep;
    for (struct rte_mbuf *mbuf = segment->mbuf; mbuf; mbuf = mbuf->next) {
        if (mbuf->data_len > left)
            mbuf->data_len = (uint16_t)left;
        left -= mbuf->data_len;
    }
}

/* --- steps 1 to 4 ----------------------------------------------------------------------------------------------------- */

static bool ts_recent_is_stale(const struct tcp *tcp, const struct tcp_connection *c)
{
    return (uint32_t)(tcp->now_us / 1000000) - c->ts_recent_s > PAWS_IDLE_S;
}

/* RFC 7323 §5.3 (R1): an old duplicate betrays itself by its timestamp. */
static bool check_timestamp(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (!conn_has(c, CONN_TIMESTAMPS) || segment->flags & TCP_FLAG_RST)
        return true;
    if (!segment->options.has_timestamps) {
        tcp->counters.drop_no_timestamp++;
        return false;
    }
    if (!seq_lt(segment->options.ts_value, c->ts_recent) || ts_recent_is_stale(tcp, c))
        return true;
    tcp->counters.drop_paws++;
    input_challenge(tcp, c);
    return false;
}

/* Where segments are lost, ACKs are too, and a whole burst must not depend on one of them; each duplicate has its own block to
 * report (RFC 2883 §4), and a sender without SACK counts (RFC 5681 §3.2). One that has it learns no more from the next of a long
 * row: those are acknowledged by the burst. */
static void ack_each(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->rcv_nxt != c->rcv_acked)
        c->gap_acks = 0;
    if (conn_has(c, CONN_SACK) && c->gap_acks == GAP_ACKS) {
        conn_ack_now(tcp, c);
        return;
    }
    if (c->gap_acks < GAP_ACKS)
        c->gap_acks++;
    output_ack_at_once(tcp, c);
}

static void refuse_sequence(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (segment->flags & TCP_FLAG_RST) {
        tcp->counters.drop_rst_range++;
        return;
    }
    /* Our last ACK was lost: the peer's FIN comes again, and the wait begins anew. */
    if (c->state == TCP_TIME_WAIT && segment->flags & TCP_FLAG_FIN &&
        segment->seq + segment_length(segment) == c->rcv_nxt)
        conn_timer_set(tcp, c, TCP_TIMER_WAIT, tcp->now_us + tcp->config.time_wait_us);
    /* The peer's SYN again: our SYN-ACK was lost. */
    if (c->state == TCP_SYN_RECEIVED && segment->flags & TCP_FLAG_SYN && segment->seq == c->irs) {
        c->flags |= CONN_SYN_NOW;
        ecn_syn_again(c, segment->flags);
        /* Sent twice, it is not measured (RFC 6298 §3), and counts as lost (RFC 5681 §3.1). */
        c->retransmits++;
        conn_want_output(tcp, c);
        return;
    }
    if (segment->len > 0 && seq_le(segment->seq + segment->len, c->rcv_nxt)) {
        tcp->counters.drop_duplicate++;
        sack_report_duplicate(c, segment->seq, segment->seq + segment->len);
        c->quick_acks = QUICK_ACKS;
        ack_each(tcp, c);
        return;
    }
    tcp->counters.drop_window++;
    /* Data deserves its answer each time (a zero-window probe is such); bare segments could go back and forth for ever. */
    if (segment_length(segment) > 0)
        conn_ack_now(tcp, c);
    else
        input_challenge(tcp, c);
}

void input_cut_to_window(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment)
{
    if (likely(!seq_gt(segment->seq + segment->len, c->rcv_adv)))
        return;
    /* With no window left ACK, RST and a lone FIN are still heard; the probe's bytes are not (RFC 9293 §3.10.7.4). */
    keep_front(segment, c->rcv_adv - segment->seq);
    segment->flags &= ~TCP_FLAG_FIN;
    segment->was_cut = true;
    conn_ack_now(tcp, c);
}

/* First: is any of it inside the window? What lies outside is cut off. */
static bool check_sequence(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment)
{
    uint32_t end = segment->seq + segment_length(segment);
    bool acceptable;

    /* A SYN that is ours already (simultaneous open: the peer's SYN-ACK repeats its SYN) is cut off like any old byte. */
    if (c->state == TCP_SYN_RECEIVED && segment->flags & TCP_FLAG_SYN && segment->flags & TCP_FLAG_ACK &&
        segment->seq == c->irs) {
        segment->flags &= ~TCP_FLAG_SYN;
        segment->was_syn = true;
        ecn_syn_answered(c, segment->flags);
        segment->seq++;
    }
    if (end == segment->seq)
        /* Nothing but an ACK: one that a later one has overtaken still counts; a RST does not (RFC 5961 §3.2). */
        acceptable = seq_ge(segment->seq, segment->flags & TCP_FLAG_RST ? c->rcv_nxt : c->rcv_acked) &&
                     seq_le(segment->seq, c->rcv_adv);
    else
        acceptable = seq_gt(end, c->rcv_nxt) && (seq_lt(segment->seq, c->rcv_adv) || segment->seq == c->rcv_nxt);
    if (!acceptable) {
        refuse_sequence(tcp, c, segment);
        return false;
    }
    input_cut_to_window(tcp, c, segment);
    /* RFC 7323 §4.3 (2). */
    if (segment->options.has_timestamps && seq_le(segment->seq, c->rcv_acked) &&
        (seq_ge(segment->options.ts_value, c->ts_recent) || ts_recent_is_stale(tcp, c))) {
        c->ts_recent = segment->options.ts_value;
        c->ts_recent_s = (uint32_t)(tcp->now_us / 1000000);
    }
    return true;
}

/* Second: RST, by RFC 5961 §3.2. */
static bool check_reset(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (likely(!(segment->flags & TCP_FLAG_RST)))
        return true;
    if (c->state == TCP_TIME_WAIT) {
        /* RFC 1337: an old RST must not cut the wait short. */
        tcp->counters.drop_rst_range++;
    } else if (segment->seq != c->rcv_nxt) {
        input_challenge(tcp, c);
    } else if (c->state == TCP_SYN_RECEIVED) {
        conn_fail(tcp, c, conn_has(c, CONN_PASSIVE) ? TCP_REASON_RESET : TCP_REASON_REFUSED);
    } else {
        conn_reset(tcp, c);
    }
    return false;
}

/* Fourth: SYN, by RFC 9293 §3.10.7.4 and RFC 5961 §4.2. (Third, security and precedence, went with RFC 9293.) */
static bool check_syn(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (likely(!(segment->flags & TCP_FLAG_SYN)))
        return true;
    /* Half open from a listener: back to LISTEN; the peer's next SYN finds it. */
    if (c->state == TCP_SYN_RECEIVED && conn_has(c, CONN_PASSIVE))
        conn_free(tcp, c);
    else
        input_challenge(tcp, c);
    return false;
}

/* --- steps 6 to 8 ----------------------------------------------------------------------------------------------------- */

/* Data is there that nobody will read. */
static bool refuse_after_close(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (!conn_has(c, CONN_ORPHAN) || seq_le(segment->seq + segment->len, c->rcv_nxt))
        return false;
    tcp->counters.drop_after_close++;
    output_reset(tcp, c);
    conn_finish(tcp, c);
    return true;
}

/* RFC 5681 §4.2: at once beside or inside a gap, and as soon as more than one full segment waits, else a little later: with two
 * segments in flight a sender expects no delay, and probes (RFC 8985 §7.2), even if the second was not full. While the path
 * loses segments it loses ACKs too, and the sender's window is small: then each full one is acknowledged. */
static void schedule_ack(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment, bool gap)
{
    bool quick = c->quick_acks > 0 && segment->len >= c->peer_mss;

    if (gap)
        c->quick_acks = QUICK_ACKS;
    else if (quick)
        c->quick_acks--;
    if (gap || quick)
        segment->own_ack = true;
    else if (c->rcv_nxt - c->rcv_acked > c->peer_mss)
        conn_ack_now(tcp, c);
    else if (c->due_us[TCP_TIMER_DELACK] == 0 && !conn_has(c, CONN_ACK_NOW))
        conn_timer_set(tcp, c, TCP_TIMER_DELACK, tcp->now_us + tcp->config.delayed_ack_us);
}

/* Seventh: the text. False when the connection is gone. */
static bool take_text(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment)
{
    uint32_t end = segment->seq + segment->len;
    uint32_t before = c->receive_bytes;
    bool gap = c->ooo_head != NULL;
    enum receive_result result;

    if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2)
        return true;
    if (refuse_after_close(tcp, c, segment))
        return false;
    if (conn_has(c, CONN_PEER_FIN_KNOWN) && seq_gt(end, c->rcv_fin)) {
        /* Nothing can come after the FIN. */
        if (seq_ge(segment->seq, c->rcv_fin))
            return true;
        keep_front(segment, c->rcv_fin - segment->seq);
        end = c->rcv_fin;
    }
    if (segment->len > c->peer_mss)
        c->peer_mss = segment->len < conn_own_mss(tcp, c) ? (uint16_t)segment->len : conn_own_mss(tcp, c);
    if (seq_lt(segment->seq, c->rcv_nxt)) {
        gap = true;
        sack_report_duplicate(c, segment->seq, seq_min(end, c->rcv_nxt));
    }
    if (seq_le(segment->seq, c->rcv_nxt)) {
        result = receive_in_order(tcp, c, segment->mbuf, segment->seq);
    } else {
        gap = true;
        tcp->counters.out_of_order++;
        result = receive_out_of_order(tcp, c, segment->mbuf, segment->seq);
        /* RFC 2883 §4: behind the duplicate comes the block that it lies in. */
        if (result != RECEIVE_NO_MEMORY)
            sack_report(c, segment->seq, end);
        if (result == RECEIVE_DUPLICATE)
            sack_report_duplicate(c, segment->seq, end);
    }
    segment->mbuf = NULL;
    if (result == RECEIVE_NO_MEMORY)
        tcp->counters.drop_memory++;
    schedule_ack(tcp, c, segment, gap || result != RECEIVE_TAKEN);
    if (c->receive_bytes > before)
        conn_raise(tcp, c, TCP_EVENT_READABLE);
    return true;
}

/* Eighth: the FIN, once everything before it is here. */
static void take_fin(struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_PEER_FIN_KNOWN) || conn_has(c, CONN_PEER_FIN) || c->rcv_nxt != c->rcv_fin)
        return;
    c->rcv_nxt++;
    c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt);
    c->flags |= CONN_PEER_FIN;
    conn_ack_now(tcp, c);
    conn_raise(tcp, c, TCP_EVENT_PEER_FIN);
    switch (c->state) {
    case TCP_ESTABLISHED: conn_set_state(tcp, c, TCP_CLOSE_WAIT); break;
    case TCP_FIN_WAIT_1: conn_set_state(tcp, c, TCP_CLOSING); break;
    case TCP_FIN_WAIT_2: conn_set_state(tcp, c, TCP_TIME_WAIT); break;
    default: break;
    }
}

void input_text(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment)
{
    /* Sixth: urgent data is ordinary data here (RFC 6093 §6: new applications do not use it). */
    if (unlikely(segment->flags & TCP_FLAG_URG))
        tcp->counters.urgent_ignored++;
    if (segment->flags & TCP_FLAG_FIN && !conn_has(c, CONN_PEER_FIN_KNOWN) && c->state >= TCP_ESTABLISHED) {
        c->flags |= CONN_PEER_FIN_KNOWN;
        c->rcv_fin = segment->seq + segment->len;
        if (seq_gt(c->rcv_fin, c->rcv_nxt))
            conn_ack_now(tcp, c);
        /* What lies beyond it cannot have been the peer's. */
        if (c->ooo_head)
            receive_cut(tcp, c, c->rcv_fin);
    }
    if (segment->len > 0 && !take_text(tcp, c, segment))
        return;
    take_fin(tcp, c);
    if (segment->own_ack)
        ack_each(tcp, c);
}

/* --- dispatch --------------------------------------------------------------------------------------------------------- */

void input_synchronized(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment)
{
    if (!check_timestamp(tcp, c, segment) || !check_sequence(tcp, c, segment))
        return;
    if (!check_reset(tcp, c, segment) || !check_syn(tcp, c, segment))
        return;
    c->last_in_us = tcp->now_us;
    c->keepalive_sent = 0;
    if (!input_ack(tcp, c, segment))
        return;
    if (unlikely(c->ecn & ECN_ON) && segment->len > 0)
        ecn_input(tcp, c, segment->flags, segment->marked);
    input_text(tcp, c, segment);
}

/* RFC 6191 §2: may this SYN end the TIME-WAIT of its tuple? */
static bool reopens(const struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (segment->flags & (TCP_FLAG_ACK | TCP_FLAG_RST) || !(segment->flags & TCP_FLAG_SYN))
        return false;
    if (conn_has(c, CONN_TIMESTAMPS) && segment->options.has_timestamps && segment->options.ts_value != c->ts_recent)
        return seq_gt(segment->options.ts_value, c->ts_recent);
    return seq_gt(segment->seq, c->rcv_nxt);
}

/* §3.10.7.1 and the way to §3.10.7.2. */
static void input_unknown(struct tcp *tcp, struct tcp_segment *segment, uint32_t iss_floor)
{
    uint32_t listener = tcp_listener_find(tcp, &segment->tuple.local, segment->tuple.local_port);

    if (listener != TCP_NONE) {
        input_listen(tcp, listener, segment, iss_floor);
        return;
    }
    tcp->counters.drop_no_connection++;
    input_reply_reset(tcp, segment);
}

static void input_one(struct tcp *tcp, struct tcp_segment *segment)
{
    struct tcp_connection *c;

    if (!flags_make_sense(tcp, segment))
        return;
    c = tcp_table_find(tcp, &segment->tuple, segment->hash);
    if (c && c->state == TCP_TIME_WAIT && reopens(c, segment) &&
        tcp_listener_find(tcp, &segment->tuple.local, segment->tuple.local_port) != TCP_NONE) {
        uint32_t iss_floor = c->snd_nxt;

        tcp->counters.time_wait_reused++;
        conn_finish(tcp, c);
        input_unknown(tcp, segment, iss_floor);
    } else if (!c) {
        input_unknown(tcp, segment, 0);
    } else if (c->state == TCP_SYN_SENT) {
        input_syn_sent(tcp, c, segment);
    } else {
        input_synchronized(tcp, c, segment);
    }
}

uint32_t tcp_input(struct tcp *tcp, const struct net_segment *segments, uint32_t n, uint64_t now_us,
                   struct tcp_event *events, uint32_t events_max)
{
    struct tcp_segment burst[BURST];

    tcp->now_us = now_us;
    for (uint32_t first = 0; first < n; first += BURST) {
        uint32_t count = n - first < BURST ? n - first : BURST;
        bool good[BURST];

        for (uint32_t i = 0; i < count; i++) {
            good[i] = read_segment(tcp, &segments[first + i], &burst[i]);
            if (!good[i])
                continue;
            burst[i].hash = tcp_tuple_hash(tcp, &burst[i].tuple);
            tcp_table_prefetch_bucket(tcp, burst[i].hash);
        }
        for (uint32_t i = 0; i < count; i++)
            if (good[i])
                tcp_table_prefetch(tcp, burst[i].hash);
        for (uint32_t i = 0; i < count; i++) {
            if (good[i])
                input_one(tcp, &burst[i]);
            if (burst[i].mbuf)
                rte_pktmbuf_free(burst[i].mbuf);
        }
    }
    return conn_flush_events(tcp, events, events_max);
}
