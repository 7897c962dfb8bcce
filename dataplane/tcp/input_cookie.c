/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/ecn.h"
#include "tcp/input.h"
#include "tcp/output.h"
#include "tcp/syn_cookie.h"

/* What a SYN asks for and we would agree to; a cookie keeps all but the MSS in our timestamp. */
static struct syn_cookie_terms terms_of(const struct tcp *tcp, const struct tcp_segment *syn)
{
    const struct tcp_options *options = &syn->options;
    struct syn_cookie_terms terms = {.mss = open_mss(tcp, syn)};

    terms.timestamps = tcp->config.timestamps && options->has_timestamps;
    terms.ecn = terms.timestamps && ecn_asked(tcp, syn->flags);
    terms.sack = terms.timestamps && tcp->config.sack && options->sack_permitted;
    terms.window_scaling = terms.timestamps && tcp->config.window_scaling && options->has_window_scale;
    if (terms.window_scaling)
        terms.window_shift =
            options->window_shift < TCP_WINDOW_SHIFT_MAX ? options->window_shift : TCP_WINDOW_SHIFT_MAX;
    return terms;
}

/* The window of a SYN-ACK is not scaled. */
static uint16_t first_window(const struct tcp *tcp)
{
    return tcp->receive_capacity < UINT16_MAX ? (uint16_t)tcp->receive_capacity : UINT16_MAX;
}

void input_send_cookie(struct tcp *tcp, uint32_t listener, const struct tcp_segment *segment)
{
    struct syn_cookie_terms terms = terms_of(tcp, segment);
    struct tcp_reply reply = {.src = segment->tuple.local,
                              .dst = segment->tuple.remote,
                              .source_port = segment->tuple.local_port,
                              .destination_port = segment->tuple.remote_port,
                              .acknowledgment = segment->seq + 1,
                              .window = first_window(tcp),
                              .flags = TCP_FLAG_SYN | TCP_FLAG_ACK | (terms.ecn ? TCP_FLAG_ECE : 0)};

    reply.sequence = syn_cookie_make(tcp->config.secret, &segment->tuple, segment->seq, &terms, tcp->now_us);
    reply.syn.mss = tcp_own_mss(tcp, &segment->tuple.remote);
    reply.syn.timestamps = terms.timestamps;
    reply.syn.sack = terms.sack;
    reply.syn.window_scaling = terms.window_scaling;
    if (terms.timestamps) {
        reply.syn.ts_value = syn_cookie_timestamp(&terms, open_ts_now(tcp, &segment->tuple));
        reply.syn.ts_echo = segment->options.ts_value;
    }
    tcp->listeners[listener].cookie_us = tcp->now_us;
    tcp->counters.syn_cookies_sent++;
    output_reply(tcp, &reply);
}

/* The SYN as it must have been. */
static struct tcp_segment syn_before(const struct tcp_segment *ack, const struct syn_cookie_terms *terms)
{
    struct tcp_segment syn = *ack;

    syn.mbuf = NULL;
    syn.len = 0;
    syn.seq = ack->seq - 1;
    syn.ack = 0;
    syn.flags = TCP_FLAG_SYN | (terms->ecn ? TCP_FLAG_ECE | TCP_FLAG_CWR : 0);
    syn.options = (struct tcp_options){.has_mss = true,
                                       .mss = terms->mss,
                                       .has_timestamps = terms->timestamps,
                                       .ts_value = ack->options.ts_value,
                                       .sack_permitted = terms->sack,
                                       .has_window_scale = terms->window_scaling,
                                       .window_shift = terms->window_shift};
    return syn;
}

/* The handshake that was not remembered, made good; then the ACK that ends it, with whatever it carries. */
static void open_by_cookie(struct tcp *tcp, uint32_t listener, struct tcp_segment *segment,
                           const struct syn_cookie_terms *terms)
{
    struct tcp_segment syn = syn_before(segment, terms);
    struct tcp_connection *c = conn_new(tcp);

    if (!c) {
        tcp->counters.drop_no_slot++;
        return;
    }
    open_init(tcp, c, &segment->tuple, segment->hash, 0);
    c->iss = segment->ack - 1;
    c->snd_una = c->iss;
    c->snd_nxt = c->iss + 1;
    open_take_syn(tcp, c, &syn);
    c->rcv_adv = c->rcv_nxt + first_window(tcp);
    conn_set_state(tcp, c, TCP_SYN_RECEIVED);
    open_passive(tcp, c, listener, false);
    tcp->counters.syn_cookies_accepted++;
    input_synchronized(tcp, c, segment);
}

bool input_take_cookie(struct tcp *tcp, uint32_t index, struct tcp_segment *segment)
{
    const struct tcp_listener *listener = &tcp->listeners[index];
    bool timestamps = tcp->config.timestamps && segment->options.has_timestamps;
    struct syn_cookie_terms terms;

    /* Only for as long as there can be one: at other times no guess can hit. */
    if (segment->flags & TCP_FLAG_SYN || listener->cookie_us == 0 ||
        tcp->now_us - listener->cookie_us > SYN_COOKIE_MEMORY_US)
        return false;
    switch (syn_cookie_check(tcp->config.secret, &segment->tuple, segment->seq - 1, segment->ack - 1, timestamps,
                             segment->options.ts_echo, tcp->now_us, &terms)) {
    case SYN_COOKIE_GOOD: break;
    case SYN_COOKIE_OLD: tcp->counters.syn_cookies_old++; return false;
    case SYN_COOKIE_BAD: tcp->counters.syn_cookies_bad++; return false;
    }
    if (open_source_is_full(tcp, &segment->tuple.remote)) {
        tcp->counters.drop_source_connections++;
        return false;
    }
    /* The peer will come again with data, as in finish_handshake(). */
    if (listener->accept_queued >= tcp->config.accept_backlog_max)
        tcp->counters.drop_accept_backlog++;
    else
        open_by_cookie(tcp, index, segment, &terms);
    return true;
}
