/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"
#include "base/siphash.h"
#include "tcp/ecn.h"
#include "tcp/input.h"
#include "tcp/output.h"
#include "tcp/path.h"
#include "tcp/recovery.h"
#include "tcp/shed.h"
#include "tcp/source_limit.h"
#include "tcp/timers.h"

/* RFC 6298 (5.7): after a lost SYN, with nothing measured. */
#define RTO_AFTER_SYN_LOSS_US 3000000

void open_init(struct tcp *tcp, struct tcp_connection *c, const struct tcp_tuple *tuple, uint32_t hash,
               uint32_t iss_floor)
{
    uint64_t secret = siphash_2_4(tcp->config.secret, tuple, sizeof(*tuple));

    c->local = tuple->local;
    c->remote = tuple->remote;
    c->local_port = tuple->local_port;
    c->remote_port = tuple->remote_port;
    c->hash = hash;
    /* RFC 6528 §3: M, ticking every 4 microseconds, plus F(tuple, secret). The timestamp offset is of the tuple too, so that
     * it goes on counting from one connection to the next (RFC 6191). */
    c->iss = (uint32_t)(tcp->now_us / 4) + (uint32_t)secret;
    c->ts_offset = (uint32_t)(secret >> 32);
    if (iss_floor && seq_le(c->iss, iss_floor))
        c->iss = iss_floor + 1;
    c->snd_una = c->iss;
    c->snd_nxt = c->iss + 1;
    c->rto_us = tcp->config.rto_initial_us;
    c->rto_start_us = tcp->now_us;
    c->last_in_us = c->opened_us = tcp->now_us;
    c->peer_mss = TCP_MSS_DEFAULT_IP4;
    tcp_table_insert(tcp, c);
}

uint16_t open_mss(const struct tcp *tcp, const struct tcp_segment *segment)
{
    const struct tcp_options *options = &segment->options;
    uint16_t mss = options->has_mss && options->mss > 0     ? options->mss
                   : address_is_ip4(&segment->tuple.remote) ? TCP_MSS_DEFAULT_IP4
                                                            : TCP_MSS_DEFAULT_IP6;

    if (mss < TCP_MSS_FLOOR)
        mss = TCP_MSS_FLOOR;
    return mss < tcp_own_mss(tcp, &segment->tuple.remote) ? mss : tcp_own_mss(tcp, &segment->tuple.remote);
}

uint32_t open_ts_now(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
    return (uint32_t)(tcp->now_us / 1000) + (uint32_t)(siphash_2_4(tcp->config.secret, tuple, sizeof(*tuple)) >> 32);
}

/* What the peer's SYN asks for and we agree to. */
static void take_options(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    const struct tcp_options *options = &segment->options;

    c->flags &= ~(uint32_t)(CONN_WINDOW_SCALE | CONN_TIMESTAMPS | CONN_SACK);
    if (tcp->config.window_scaling && options->has_window_scale) {
        c->flags |= CONN_WINDOW_SCALE;
        c->snd_shift = options->window_shift < TCP_WINDOW_SHIFT_MAX ? options->window_shift : TCP_WINDOW_SHIFT_MAX;
        c->rcv_shift = tcp->rcv_shift;
    } else {
        c->snd_shift = 0;
        c->rcv_shift = 0;
    }
    if (tcp->config.timestamps && options->has_timestamps) {
        c->flags |= CONN_TIMESTAMPS;
        c->ts_recent = options->ts_value;
        c->ts_recent_s = (uint32_t)(tcp->now_us / 1000000);
    }
    if (tcp->config.sack && options->sack_permitted)
        c->flags |= CONN_SACK;
    ecn_take_syn(tcp, c, segment->flags);
    c->mss_limit = open_mss(tcp, segment);
    path_open(tcp, c);
}

void open_take_syn(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    /* What our own SYN has offered holds from the first byte: text may come right behind the SYN-ACK. (A passive open has
     * offered nothing yet: both are 0.) */
    uint32_t offered = c->rcv_adv - c->rcv_nxt;

    c->irs = segment->seq;
    c->rcv_nxt = segment->seq + 1;
    c->rcv_adv = c->rcv_nxt + offered;
    c->rcv_acked = c->rcv_nxt;
    /* The window of a SYN is never scaled (RFC 7323 §2.2). */
    c->snd_wnd = segment->window;
    c->snd_wnd_max = segment->window;
    c->snd_wl1 = segment->seq;
    c->snd_wl2 = segment->ack;
    take_options(tcp, c, segment);
}

bool open_source_is_full(const struct tcp *tcp, const struct assay_address *peer)
{
    uint32_t max = tcp->config.source_connections_max;

    return max > 0 && source_limit_counts(tcp->sources, peer).connections >= max;
}

void open_passive(struct tcp *tcp, struct tcp_connection *c, uint32_t listener, bool half_open)
{
    c->user = tcp->listeners[listener].user;
    c->listener = (uint16_t)listener;
    c->flags |= CONN_PASSIVE;
    if (tcp->sources)
        c->source = source_limit_add(tcp->sources, &c->remote, half_open);
    if (half_open)
        conn_half_open(tcp, c);
}

enum syn_answer { SYN_OPEN, SYN_COOKIE, SYN_DROP };

/* There is no room to remember this SYN: a cookie needs none. */
static enum syn_answer without_room(struct tcp *tcp, uint64_t *drops)
{
    if (tcp->config.syn_cookies)
        return SYN_COOKIE;
    (*drops)++;
    return SYN_DROP;
}

static enum syn_answer judge_syn(struct tcp *tcp, const struct tcp_listener *listener, const struct assay_address *peer)
{
    const struct tcp_config *config = &tcp->config;
    uint32_t source_max = config->source_half_open_max;

    if (listener->accept_queued >= config->accept_backlog_max) {
        tcp->counters.drop_accept_backlog++;
        return SYN_DROP;
    }
    if (open_source_is_full(tcp, peer)) {
        tcp->counters.drop_source_connections++;
        return SYN_DROP;
    }
    if (listener->half_open >= config->syn_backlog_max)
        return without_room(tcp, &tcp->counters.drop_syn_backlog);
    if (source_max > 0 && source_limit_counts(tcp->sources, peer).half_open >= source_max) {
        tcp->counters.source_half_open_limited++;
        return without_room(tcp, &tcp->counters.drop_source_half_open);
    }
    /* However many listeners there are: half of the table is for those who have shown that they exist. */
    if (config->syn_cookies && tcp->half_open_count >= config->connections_max / 2)
        return SYN_COOKIE;
    if (!shed_slot(tcp, SHED_FOR_SYN))
        return without_room(tcp, &tcp->counters.drop_no_slot);
    return SYN_OPEN;
}

static void open_half(struct tcp *tcp, uint32_t listener, const struct tcp_segment *segment, uint32_t iss_floor)
{
    struct tcp_connection *c = conn_new(tcp);

    if (!c) {
        tcp->counters.drop_no_slot++;
        return;
    }
    tcp->counters.passive_opens++;
    open_init(tcp, c, &segment->tuple, segment->hash, iss_floor);
    open_take_syn(tcp, c, segment);
    c->flags |= CONN_SYN_NOW;
    conn_set_state(tcp, c, TCP_SYN_RECEIVED);
    open_passive(tcp, c, listener, true);
    conn_rexmt_rearm(tcp, c, 0);
    conn_want_output(tcp, c);
}

void input_listen(struct tcp *tcp, uint32_t index, struct tcp_segment *segment, uint32_t iss_floor)
{
    if (segment->flags & TCP_FLAG_RST)
        return;
    if (segment->flags & TCP_FLAG_ACK) {
        if (input_take_cookie(tcp, index, segment))
            return;
        tcp->counters.drop_no_connection++;
        input_reply_reset(tcp, segment);
        return;
    }
    if (!(segment->flags & TCP_FLAG_SYN)) {
        tcp->counters.drop_flags++;
        return;
    }
    switch (judge_syn(tcp, &tcp->listeners[index], &segment->tuple.remote)) {
    case SYN_OPEN: open_half(tcp, index, segment, iss_floor); break;
    case SYN_COOKIE:
        /* It ends a TIME-WAIT, whose slot it may have: a cookie could not begin behind the old numbers (RFC 6191 §2), and
         * whoever had a connection a minute ago is no spoofed source. */
        if (iss_floor)
            open_half(tcp, index, segment, iss_floor);
        else
            input_send_cookie(tcp, index, segment);
        break;
    case SYN_DROP: break;
    }
}

/* The round trip of the handshake itself, by Karn's rule; a lost SYN without a measurement leaves a long RTO. */
static void measure_handshake(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    uint32_t age_ms = conn_ts_now(c, tcp->now_us) - segment->options.ts_echo;

    /* By a cookie: nobody knows when the SYN-ACK went out. */
    if (c->last_out_us == 0)
        return;
    if (c->retransmits == 0 && c->last_out_us)
        rtt_sample(tcp, c, (uint32_t)(tcp->now_us - c->last_out_us));
    else if (conn_has(c, CONN_TIMESTAMPS) && segment->options.has_timestamps && age_ms < RTO_AFTER_SYN_LOSS_US / 1000)
        rtt_sample(tcp, c, age_ms * 1000);
    else
        c->rto_us = RTO_AFTER_SYN_LOSS_US;
}

void input_established(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment)
{
    bool syn = segment->flags & TCP_FLAG_SYN || segment->was_syn;

    measure_handshake(tcp, c, segment);
    congestion_init(tcp, c);
    c->retransmits = 0;
    c->retries = 0;
    c->backoff = 0;
    c->rack_fack = c->snd_una;
    c->rack_end = c->snd_una;
    c->flags &= ~(uint32_t)CONN_SYN_NOW;
    conn_timer_stop(c, TCP_TIMER_REXMT);
    c->snd_wnd = (uint32_t)segment->window << (syn ? 0 : c->snd_shift);
    c->snd_wnd_max = c->snd_wnd > c->snd_wnd_max ? c->snd_wnd : c->snd_wnd_max;
    c->snd_wl1 = segment->seq;
    c->snd_wl2 = segment->ack;
    conn_set_state(tcp, c, TCP_ESTABLISHED);
    tcp->counters.ecn_agreed += (c->ecn & ECN_ON) != 0;
    if (tcp->config.keepalive_idle_us)
        conn_timer_set(tcp, c, TCP_TIMER_KEEPALIVE, tcp->now_us + tcp->config.keepalive_idle_us);
    conn_raise(tcp, c, conn_has(c, CONN_PASSIVE) ? TCP_EVENT_ACCEPTED : TCP_EVENT_CONNECTED);
    conn_want_output(tcp, c);
}

void input_syn_sent(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment)
{
    bool ack = segment->flags & TCP_FLAG_ACK;

    if (ack && segment->ack != c->snd_nxt) {
        tcp->counters.drop_syn_sent++;
        input_reply_reset(tcp, segment);
        return;
    }
    if (segment->flags & TCP_FLAG_RST) {
        /* Without an ACK it could be anybody's. */
        if (ack)
            conn_fail(tcp, c, TCP_REASON_REFUSED);
        else
            tcp->counters.drop_syn_sent++;
        return;
    }
    if (!(segment->flags & TCP_FLAG_SYN)) {
        tcp->counters.drop_syn_sent++;
        return;
    }
    open_take_syn(tcp, c, segment);
    c->last_in_us = tcp->now_us;
    if (!ack) {
        /* Both sides open at once (RFC 9293 §3.5, figure 8). */
        conn_set_state(tcp, c, TCP_SYN_RECEIVED);
        c->flags |= CONN_SYN_NOW;
        conn_want_output(tcp, c);
        return;
    }
    c->snd_una = segment->ack;
    input_established(tcp, c, segment);
    conn_ack_now(tcp, c);
    /* Text behind the SYN is read like any other. */
    segment->seq++;
    segment->flags &= ~TCP_FLAG_SYN;
    input_cut_to_window(tcp, c, segment);
    if (segment->len > 0 || segment->flags & TCP_FLAG_FIN)
        input_text(tcp, c, segment);
}
