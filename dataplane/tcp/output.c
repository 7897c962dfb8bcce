/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/output.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "tcp/ecn.h"
#include "tcp/path.h"
#include "tcp/receive_buffer.h"
#include "tcp/recovery.h"
#include "tcp/send_buffer.h"
#include "tcp/sent.h"
#include "tcp/timers.h"

/* Segments a connection may send before the next one has its turn. */
#define QUANTUM 16

/* New segments that F-RTO sends to find out whether a timeout was early. */
#define FRTO_SEGMENTS 2

/* Segments that a port cuts from one at most: drivers that do it in software (net_tap) take no more than 64. */
#define TSO_SEGMENTS_MAX 44

enum output_result {
    OUTPUT_DONE,   /* nothing more to send now */
    OUTPUT_MORE,   /* its turn is over, or tx is full */
    OUTPUT_STARVED /* a packet pool is empty */
};

/* What a segment carries besides ACK, window and options. */
struct outgoing {
    uint32_t seq;
    uint8_t flags;
    struct rte_mbuf *mbuf; /* payload: where it begins ... */
    uint16_t offset;
    uint16_t len;     /* ... and how long it is */
    uint16_t segment; /* the port is to cut it into segments of so much; 0: it is one */
    bool ect;         /* queues may mark it instead of dropping it */
};

/* --- one segment ------------------------------------------------------------------------------------------------------ */

/* The window field, and with it the promise in rcv_adv. */
static uint16_t offer_window(const struct tcp *tcp, struct tcp_connection *c, bool syn)
{
    uint32_t shift = syn || !conn_has(c, CONN_WINDOW_SCALE) ? 0 : c->rcv_shift;
    uint32_t field = receive_window(tcp, c) >> shift;

    if (field > UINT16_MAX)
        field = UINT16_MAX;
    c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt + (field << shift));
    return (uint16_t)field;
}

/* RFC 6691: options come off the payload. SACK blocks that do not fit in front of the data go out in an ACK of their own. */
static uint32_t sack_room(const struct tcp_connection *c, const struct outgoing *out)
{
    uint32_t room = out->len == 0 ? TCP_OPTIONS_MAX : out->len < c->snd_mss ? c->snd_mss - out->len : 0;

    if (out->flags & TCP_FLAG_SYN || room < 12)
        return 0;
    return (room - 4) / 8;
}

static uint32_t write_options(const struct tcp *tcp, struct tcp_connection *c, const struct outgoing *out, uint8_t *at)
{
    struct tcp_options options = {0};
    uint32_t room = sack_room(c, out);

    options.has_timestamps = conn_has(c, CONN_TIMESTAMPS);
    options.ts_value = conn_ts_now(c, tcp->now_us);
    options.ts_echo = c->ts_recent;
    if (out->flags & TCP_FLAG_SYN) {
        options.mss = conn_own_mss(tcp, c);
        options.sack_permitted = conn_has(c, CONN_SACK);
        options.has_window_scale = conn_has(c, CONN_WINDOW_SCALE);
        options.window_shift = c->rcv_shift;
        return tcp_options_write_syn(&options, at);
    }
    if (unlikely(c->sack_count > 0 || conn_has(c, CONN_DSACK_DUE)) && room > 0) {
        options.sack_count = sack_blocks(c, options.sack);
        if (options.sack_count > room)
            options.sack_count = room;
    }
    return tcp_options_write(&options, at);
}

/* The ACK has been told: nothing of it is due any more, unless the SACK blocks had no room. */
static void ack_sent(struct tcp_connection *c, const struct outgoing *out)
{
    c->rcv_acked = c->rcv_nxt;
    conn_timer_stop(c, TCP_TIMER_DELACK);
    if ((c->sack_count == 0 && !conn_has(c, CONN_DSACK_DUE)) || sack_room(c, out) > 0)
        c->flags &= ~(uint32_t)(CONN_ACK_NOW | CONN_WINDOW_UPDATE);
}

/* Builds and queues a segment. False when a pool is empty: nothing has changed then. */
static bool emit(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx, const struct outgoing *out)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(tcp->packet_pool);
    struct tcp_header *header;
    uint32_t options_len;

    if (unlikely(!mbuf)) {
        tcp->counters.no_packet_mbuf++;
        return false;
    }
    header = rte_pktmbuf_mtod(mbuf, struct tcp_header *);
    options_len = write_options(tcp, c, out, (uint8_t *)(header + 1));
    mbuf->data_len = (uint16_t)(sizeof(*header) + options_len);
    mbuf->pkt_len = mbuf->data_len;
    *header = (struct tcp_header){
        .source_port_be = rte_cpu_to_be_16(c->local_port),
        .destination_port_be = rte_cpu_to_be_16(c->remote_port),
        .sequence_be = rte_cpu_to_be_32(out->seq),
        .acknowledgment_be = out->flags & TCP_FLAG_ACK ? rte_cpu_to_be_32(c->rcv_nxt) : 0,
        .data_offset = (uint8_t)((sizeof(*header) + options_len) / 4 << 4),
        .flags = out->flags | (c->ecn & ECN_ECHO ? TCP_FLAG_ECE : 0),
        .window_be = rte_cpu_to_be_16(offer_window(tcp, c, out->flags & TCP_FLAG_SYN)),
    };
    if (out->len > 0 && !send_buffer_attach(tcp, mbuf, out->mbuf, out->offset, out->len)) {
        rte_pktmbuf_free(mbuf);
        return false;
    }
    tx->datagrams[tx->count++] = (struct net_datagram){.mbuf = mbuf,
                                                       .src = c->local,
                                                       .dst = c->remote,
                                                       .segment_bytes = out->segment,
                                                       .ecn = out->ect ? NET_ECN_ECT0 : NET_ECN_NONE};
    tcp->counters.segments_out++;
    if (out->flags & TCP_FLAG_ACK)
        ack_sent(c, out);
    return true;
}

/* --- data ------------------------------------------------------------------------------------------------------------- */

/* How much of a record may go out again. A window that was taken back cuts it (RFC 9293 §3.8.6): a segment that does not fit
 * may be refused whole. A byte of it goes out all the same: it asks whether the window is still closed. */
static uint16_t retransmit_length(const struct tcp_connection *c, const struct tcp_sent *sent)
{
    uint32_t edge = conn_snd_edge(c);
    uint32_t room = seq_gt(edge, sent->seq) ? edge - sent->seq : 1;

    return sent->len < room ? sent->len : (uint16_t)room;
}

/* What is to be sent again is at most a segment: of a record that holds more (now), the first. False when the pool of records is
 * empty. */
static bool cut_to_segment(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    if (likely(sent->len <= c->snd_mss))
        return true;
    if (sent->flags & SENT_PROBE)
        path_probe_lost(tcp, c, sent);
    return sent_split(tcp, c, sent, c->snd_mss);
}

static bool retransmit(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx, struct tcp_sent *sent)
{
    struct outgoing out;
    bool last;

    if (!cut_to_segment(tcp, c, sent))
        return false;
    out = (struct outgoing){.seq = sent->seq, .mbuf = sent->mbuf, .offset = sent->offset};
    last = sent->seq + sent->len == c->snd_una + c->send_bytes;
    out.len = retransmit_length(c, sent);
    out.flags = TCP_FLAG_ACK;
    sent->flags &= ~SENT_CUT;
    if (out.len < sent->len)
        sent->flags |= SENT_CUT;
    else
        out.flags |= (last && sent->len ? TCP_FLAG_PSH : 0) | (sent->flags & SENT_FIN ? TCP_FLAG_FIN : 0);
    if (!emit(tcp, c, tx, &out))
        return false;
    recovery_on_retransmit(tcp, c);
    sent_mark_retransmitted(tcp, c, sent, tcp->now_us);
    recovery_on_sent(c, out.len + (out.flags & TCP_FLAG_FIN ? 1 : 0));
    c->retransmits++;
    c->last_out_us = tcp->now_us;
    tcp->counters.retransmits++;
    return true;
}

/* What is marked lost, oldest first, as far as the congestion window goes. The peer's window holds for all but the head, of
 * which some goes out even when the window has been taken back (RFC 9293 §3.8.6). */
static enum output_result output_lost(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx, uint32_t *budget)
{
    uint32_t index = c->sent_head;

    while (c->lost_bytes > 0 && index != TCP_NONE) {
        struct tcp_sent *sent = sent_at(tcp, index);
        bool head = index == c->sent_head;
        uint32_t len;

        index = sent->next;
        if (!(sent->flags & SENT_LOST))
            continue;
        if (!cut_to_segment(tcp, c, sent))
            return OUTPUT_STARVED;
        index = sent->next;
        len = sent_end(sent) - sent->seq;
        if (!head && seq_gt(sent_end(sent), conn_snd_edge(c)))
            break;
        if (tcp_pipe(c) > 0 && tcp_pipe(c) + len > c->cwnd) {
            c->flags |= CONN_CWND_LIMITED;
            break;
        }
        if (*budget == 0 || tx->count == NET_TX_MAX)
            return OUTPUT_MORE;
        if (!retransmit(tcp, c, tx, sent))
            return OUTPUT_STARVED;
        (*budget)--;
    }
    return OUTPUT_DONE;
}

enum send_flag {
    SEND_FIN = 1 << 0,                /* the FIN behind it, too */
    SEND_PROBE = 1 << 1,              /* one segment, whatever its size: a probe of the path MTU */
    SEND_INTO_CLOSED_WINDOW = 1 << 2, /* a probe of the window: neither ECT nor CWR (RFC 3168 §6.1.6) */
};

/* Sends len new bytes: in segments that the port cuts, where they are more than one holds. MORE when it did. */
static enum output_result send_new(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx, uint32_t len,
                                   uint32_t flags)
{
    bool fin = flags & SEND_FIN, probe = flags & SEND_PROBE;
    struct outgoing out = {
        .seq = c->snd_nxt, .len = (uint16_t)len, .segment = len > c->snd_mss && !probe ? c->snd_mss : 0};
    bool first = c->sent_count == 0;
    struct tcp_sent *sent;

    send_buffer_cursor(c, &out.mbuf, &out.offset);
    sent = sent_add(tcp, c, (uint16_t)len, fin);
    /* With its own share of records in flight it is the next ACK that lets it go on. */
    if (!sent)
        return c->sent_count >= tcp->sent_max_per_connection ? OUTPUT_DONE : OUTPUT_STARVED;
    out.ect = c->ecn & ECN_ECT && len > 0 && !(flags & SEND_INTO_CLOSED_WINDOW);
    out.flags = TCP_FLAG_ACK | (fin ? TCP_FLAG_FIN : 0) | (len > 0 && len == output_unsent(c) ? TCP_FLAG_PSH : 0) |
                (out.ect && c->ecn & ECN_CWR ? TCP_FLAG_CWR : 0);
    if (!emit(tcp, c, tx, &out)) {
        sent_undo_add(tcp, c);
        return OUTPUT_STARVED;
    }
    if (unlikely(out.flags & TCP_FLAG_CWR))
        c->ecn &= (uint8_t)~ECN_CWR;
    if (unlikely(probe))
        sent->flags |= SENT_PROBE;
    if (out.segment)
        tcp->counters.segments_joined++;
    send_buffer_advance(c, len);
    c->snd_nxt += len + fin;
    c->bytes_out += len;
    tcp->counters.bytes_out += len;
    c->last_out_us = tcp->now_us;
    if (first)
        c->rto_start_us = tcp->now_us;
    recovery_on_sent(c, len + fin);
    if (fin) {
        c->flags |= CONN_FIN_SENT;
        conn_set_state(tcp, c, c->state == TCP_CLOSE_WAIT ? TCP_LAST_ACK : TCP_FIN_WAIT_1);
    }
    return OUTPUT_MORE;
}

static uint32_t window_left(const struct tcp_connection *c)
{
    uint32_t edge = conn_snd_edge(c);

    return seq_gt(edge, c->snd_nxt) ? edge - c->snd_nxt : 0;
}

/* The next segment's length by RFC 9293 §3.8.6.2.1: a full one, or all there is, or half the largest window ever seen; else 0,
 * and it waits. fin: may the FIN go with it? */
static uint32_t next_length(const struct tcp_connection *c, bool *fin)
{
    uint32_t unsent = output_unsent(c), window = window_left(c), len = unsent;

    *fin = false;
    if (len > c->snd_mss)
        len = c->snd_mss;
    if (len > window)
        len = window;
    if (len == unsent && conn_has(c, CONN_FIN_QUEUED) && window > len)
        *fin = true;
    if (len < unsent && len < c->snd_mss && len < c->snd_wnd_max / 2)
        return 0;
    return len;
}

static bool may_send_data(const struct tcp_connection *c)
{
    return (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT) && !conn_has(c, CONN_FIN_SENT) &&
           !(c->ecn & ECN_PAUSE);
}

bool output_waits_for_window(const struct tcp_connection *c)
{
    uint32_t len;
    bool fin;

    if (!may_send_data(c) || c->sent_count > 0)
        return false;
    if (output_unsent(c) == 0 && !conn_has(c, CONN_FIN_QUEUED))
        return false;
    len = next_length(c, &fin);
    return len == 0 && !fin;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* What windows and congestion control let out now. */
static uint32_t send_room(const struct tcp_connection *c)
{
    uint32_t pipe = tcp_pipe(c);

    return min_u32(window_left(c), c->cwnd > pipe ? c->cwnd - pipe : 0);
}

/* Where the port cuts segments: as many whole ones at once as may go out, at least the len that goes out anyway. CWR belongs to
 * one segment, and F-RTO counts them. */
static uint32_t join_segments(const struct tcp *tcp, const struct tcp_connection *c, uint32_t len)
{
    uint32_t most = min_u32(tcp->config.tso_bytes_max, TSO_SEGMENTS_MAX * (uint32_t)c->snd_mss);

    if (len < c->snd_mss || most < 2u * c->snd_mss || c->ecn & ECN_CWR || c->frto != TCP_FRTO_OFF)
        return len;
    most = min_u32(most, min_u32(send_room(c), output_unsent(c)));
    most -= most % c->snd_mss;
    return most > len ? most : len;
}

static enum output_result send_next(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx, uint32_t len,
                                    bool fin)
{
    uint32_t probe = path_probe_length(tcp, c, output_unsent(c), send_room(c));

    if (unlikely(probe > 0))
        return send_new(tcp, c, tx, probe, SEND_PROBE);
    return send_new(tcp, c, tx, join_segments(tcp, c, len), fin ? SEND_FIN : 0);
}

static enum output_result output_new(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx, uint32_t *budget)
{
    enum output_result result;
    uint32_t len;
    bool fin;

    if (!may_send_data(c))
        return OUTPUT_DONE;
    if (c->sent_count == 0 && c->last_out_us && tcp->now_us - c->last_out_us > c->rto_us)
        congestion_after_idle(tcp, c);
    while (may_send_data(c)) {
        len = next_length(c, &fin);
        if (len == 0 && !fin)
            break;
        if (tcp_pipe(c) > 0 && tcp_pipe(c) + len > c->cwnd) {
            c->flags |= CONN_CWND_LIMITED;
            return OUTPUT_DONE;
        }
        if (*budget == 0 || tx->count == NET_TX_MAX)
            return OUTPUT_MORE;
        result = send_next(tcp, c, tx, len, fin);
        if (result != OUTPUT_MORE)
            return result;
        (*budget)--;
    }
    c->flags &= ~(uint32_t)CONN_CWND_LIMITED;
    return OUTPUT_DONE;
}

/* --- probes ----------------------------------------------------------------------------------------------------------- */

/* The last segment again, of a record of several the last of them; the first, where the peer has taken back the window the last
 * was sent in. */
static bool retransmit_tail(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    struct tcp_sent *last = sent_last(tcp, c);
    uint32_t tail = last->len % c->snd_mss ? last->len % c->snd_mss : c->snd_mss;

    if (seq_gt(sent_end(last), conn_snd_edge(c)))
        return retransmit(tcp, c, tx, sent_first(tcp, c));
    if (unlikely(last->len > c->snd_mss) && !sent_split(tcp, c, last, last->len - tail))
        return false;
    return retransmit(tcp, c, tx, sent_last(tcp, c));
}

/* RFC 8985 §7.3: new data if there is any and the window allows, else the last segment again; cwnd is not asked. */
static bool send_tail_probe(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    bool fin = false, again = true;
    uint32_t len = may_send_data(c) ? next_length(c, &fin) : 0;

    if (c->sent_count == 0)
        return true;
    if (len > 0 || fin)
        again = send_new(tcp, c, tx, len, fin ? SEND_FIN : 0) != OUTPUT_MORE;
    if (again && !retransmit_tail(tcp, c, tx))
        return false;
    rack_probe_sent(c, again);
    tcp->counters.tail_probes++;
    return true;
}

/* RFC 9293 §3.8.6.1: at least one byte of new data, whatever the window says; what was sent so before is sent again. */
static bool send_persist_probe(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    uint32_t len = output_unsent(c), window = window_left(c);

    if (c->sent_count > 0 || !may_send_data(c))
        return c->sent_count == 0 || retransmit(tcp, c, tx, sent_first(tcp, c));
    if (len > (window ? window : 1))
        len = window ? window : 1;
    if (len > c->snd_mss)
        len = c->snd_mss;
    tcp->counters.persist_probes++;
    return send_new(tcp, c, tx, len, SEND_INTO_CLOSED_WINDOW | (len == 0 ? SEND_FIN : 0)) != OUTPUT_STARVED;
}

/* RFC 9293 §3.8.4: an old sequence number, which the peer must answer with an ACK. */
static bool send_keepalive(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    struct outgoing out = {.seq = c->snd_nxt - 1, .flags = TCP_FLAG_ACK};

    tcp->counters.keepalive_probes++;
    return emit(tcp, c, tx, &out);
}

static enum output_result output_probes(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    static const struct {
        uint32_t flag;
        bool (*send)(struct tcp *, struct tcp_connection *, struct net_tx *);
    } probes[] = {
        {CONN_PROBE_NOW, send_tail_probe},
        {CONN_PERSIST_NOW, send_persist_probe},
        {CONN_KEEPALIVE_NOW, send_keepalive},
    };

    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (!conn_has(c, probes[i].flag))
            continue;
        if (tx->count == NET_TX_MAX)
            return OUTPUT_MORE;
        if (!probes[i].send(tcp, c, tx))
            return OUTPUT_STARVED;
        c->flags &= ~probes[i].flag;
    }
    return OUTPUT_DONE;
}

/* --- connections ------------------------------------------------------------------------------------------------------ */

static enum output_result output_syn(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    struct outgoing out = {.seq = c->iss, .flags = TCP_FLAG_SYN | (c->state == TCP_SYN_RECEIVED ? TCP_FLAG_ACK : 0)};

    if (!conn_has(c, CONN_SYN_NOW))
        return OUTPUT_DONE;
    if (tx->count == NET_TX_MAX)
        return OUTPUT_MORE;
    if (c->last_out_us && c->state == TCP_SYN_SENT)
        ecn_fall_back(tcp, c);
    out.flags |= ecn_syn_flags(c);
    if (!emit(tcp, c, tx, &out))
        return OUTPUT_STARVED;
    if (c->last_out_us)
        tcp->counters.retransmits_syn++;
    c->last_out_us = tcp->now_us;
    c->flags &= ~(uint32_t)CONN_SYN_NOW;
    return OUTPUT_DONE;
}

static enum output_result output_ack(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    struct outgoing out = {.seq = conn_control_seq(c), .flags = TCP_FLAG_ACK};

    if (!conn_has(c, CONN_ACK_NOW))
        return OUTPUT_DONE;
    if (tx->count == NET_TX_MAX)
        return OUTPUT_MORE;
    if (conn_has(c, CONN_WINDOW_UPDATE))
        tcp->counters.window_updates++;
    if (!emit(tcp, c, tx, &out))
        return OUTPUT_STARVED;
    tcp->counters.acks_out++;
    return OUTPUT_DONE;
}

void output_ack_at_once(struct tcp *tcp, struct tcp_connection *c)
{
    struct outgoing out = {.seq = conn_control_seq(c), .flags = TCP_FLAG_ACK};

    if (tcp->acks.count == NET_TX_MAX || !emit(tcp, c, &tcp->acks, &out)) {
        conn_ack_now(tcp, c);
        return;
    }
    tcp->counters.acks_out++;
}

/* What output_ack_at_once() has built. */
static void output_acks(struct tcp *tcp, struct net_tx *tx)
{
    while (tcp->acks_first < tcp->acks.count && tx->count < NET_TX_MAX)
        tx->datagrams[tx->count++] = tcp->acks.datagrams[tcp->acks_first++];
    if (tcp->acks_first == tcp->acks.count)
        tcp->acks_first = tcp->acks.count = 0;
}

/* RFC 5682 §2.1 (2b): where there is anything new to send, two segments of it at most go out before what the timeout gave up for
 * lost; else that is sent again as usual. */
static enum output_result output_frto(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    uint32_t budget = FRTO_SEGMENTS;
    enum output_result result = output_new(tcp, c, tx, &budget);

    if (budget < FRTO_SEGMENTS) {
        c->frto = TCP_FRTO_WAIT;
        return OUTPUT_DONE;
    }
    if (result == OUTPUT_DONE)
        c->frto = TCP_FRTO_OFF;
    return result;
}

/* Data and probes: what was lost goes before what is new. */
static enum output_result output_data(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    enum output_result result = OUTPUT_DONE;
    uint32_t budget = QUANTUM;

    if (unlikely(c->frto == TCP_FRTO_NEW))
        result = output_frto(tcp, c, tx);
    if (result == OUTPUT_DONE && c->frto != TCP_FRTO_WAIT)
        result = output_lost(tcp, c, tx, &budget);
    if (result == OUTPUT_DONE)
        result = output_probes(tcp, c, tx);
    if (result == OUTPUT_DONE && c->lost_bytes == 0)
        result = output_new(tcp, c, tx, &budget);
    return result;
}

static enum output_result output_connection(struct tcp *tcp, struct tcp_connection *c, struct net_tx *tx)
{
    bool sent_some, waits;
    uint32_t nxt_before = c->snd_nxt, retransmits_before = c->retransmits;
    enum output_result result;

    c->turn_delivered = 0;
    if (c->state == TCP_SYN_SENT)
        return output_syn(tcp, c, tx);
    if (c->state == TCP_SYN_RECEIVED) {
        result = output_syn(tcp, c, tx);
        return result == OUTPUT_DONE ? output_ack(tcp, c, tx) : result;
    }
    result = output_data(tcp, c, tx);
    if (result == OUTPUT_DONE)
        result = output_ack(tcp, c, tx);
    /* A wait of RACK's or for the window goes on; everything else is set anew by what was sent. */
    sent_some = nxt_before != c->snd_nxt || retransmits_before != c->retransmits;
    waits = c->due_us[TCP_TIMER_REXMT] && (c->rexmt == TCP_REXMT_REORDER || c->rexmt == TCP_REXMT_PERSIST);
    if ((sent_some && !waits) || (c->sent_count == 0 && c->state != TCP_TIME_WAIT))
        conn_rexmt_rearm(tcp, c, 0);
    return result;
}

/* --- replies ---------------------------------------------------------------------------------------------------------- */

void output_reply(struct tcp *tcp, const struct tcp_reply *reply)
{
    if (tcp->reply_count == TCP_REPLIES_MAX) {
        tcp->counters.replies_dropped++;
        return;
    }
    tcp->replies[(tcp->reply_first + tcp->reply_count++) % TCP_REPLIES_MAX] = *reply;
}

void output_reset(struct tcp *tcp, struct tcp_connection *c)
{
    output_reply(tcp, &(struct tcp_reply){.src = c->local,
                                          .dst = c->remote,
                                          .source_port = c->local_port,
                                          .destination_port = c->remote_port,
                                          .sequence = conn_control_seq(c),
                                          .acknowledgment = c->rcv_nxt,
                                          .flags = TCP_FLAG_RST | TCP_FLAG_ACK});
}

/* What a connection would have agreed to (write_options()), in a SYN-ACK of none. */
static uint32_t write_reply_options(const struct tcp *tcp, const struct tcp_reply *reply, uint8_t *at)
{
    struct tcp_options options = {.mss = reply->syn.mss,
                                  .sack_permitted = reply->syn.sack,
                                  .has_timestamps = reply->syn.timestamps,
                                  .ts_value = reply->syn.ts_value,
                                  .ts_echo = reply->syn.ts_echo,
                                  .has_window_scale = reply->syn.window_scaling,
                                  .window_shift = tcp->rcv_shift};

    return tcp_options_write_syn(&options, at);
}

static bool emit_reply(struct tcp *tcp, struct net_tx *tx, const struct tcp_reply *reply)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(tcp->packet_pool);
    struct tcp_header *header;
    uint32_t options_len;

    if (unlikely(!mbuf)) {
        tcp->counters.no_packet_mbuf++;
        return false;
    }
    header = rte_pktmbuf_mtod(mbuf, struct tcp_header *);
    options_len = reply->flags & TCP_FLAG_SYN ? write_reply_options(tcp, reply, (uint8_t *)(header + 1)) : 0;
    *header = (struct tcp_header){
        .source_port_be = rte_cpu_to_be_16(reply->source_port),
        .destination_port_be = rte_cpu_to_be_16(reply->destination_port),
        .sequence_be = rte_cpu_to_be_32(reply->sequence),
        .acknowledgment_be = rte_cpu_to_be_32(reply->acknowledgment),
        .data_offset = (uint8_t)((sizeof(*header) + options_len) / 4 << 4),
        .flags = reply->flags,
        .window_be = rte_cpu_to_be_16(reply->window),
    };
    mbuf->data_len = (uint16_t)(sizeof(*header) + options_len);
    mbuf->pkt_len = mbuf->data_len;
    tx->datagrams[tx->count++] = (struct net_datagram){.mbuf = mbuf, .src = reply->src, .dst = reply->dst};
    tcp->counters.segments_out++;
    if (reply->flags & TCP_FLAG_RST)
        tcp->counters.rst_out++;
    return true;
}

static void output_replies(struct tcp *tcp, struct net_tx *tx)
{
    while (tcp->reply_count > 0 && tx->count < NET_TX_MAX) {
        if (!emit_reply(tcp, tx, &tcp->replies[tcp->reply_first]))
            return;
        tcp->reply_first = (tcp->reply_first + 1) % TCP_REPLIES_MAX;
        tcp->reply_count--;
    }
}

bool tcp_output(struct tcp *tcp, uint64_t now_us, struct net_tx *tx)
{
    tcp->now_us = now_us;
    output_replies(tcp, tx);
    output_acks(tcp, tx);
    while (!TAILQ_EMPTY(&tcp->output) && tx->count < NET_TX_MAX) {
        struct tcp_connection *c = TAILQ_FIRST(&tcp->output);
        enum output_result result;

        TAILQ_REMOVE(&tcp->output, c, output_link);
        c->flags &= ~(uint32_t)CONN_IN_OUTPUT;
        result = output_connection(tcp, c, tx);
        if (result != OUTPUT_DONE)
            conn_want_output(tcp, c);
        if (result == OUTPUT_STARVED)
            break;
    }
    return !TAILQ_EMPTY(&tcp->output) || tcp->reply_count > 0 || tcp->acks.count > 0;
}
