/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/ecn.h"

#define SETUP (TCP_FLAG_ECE | TCP_FLAG_CWR)

void ecn_ask(const struct tcp *tcp, struct tcp_connection *c)
{
    if (tcp->config.ecn == TCP_ECN_ON)
        c->ecn = ECN_ASKED | ECN_ECT;
}

void ecn_fall_back(struct tcp *tcp, struct tcp_connection *c)
{
    if (!(c->ecn & ECN_ECT))
        return;
    /* The first SYN may be answered all the same: marks are echoed then, but we send no ECT any more (§6.1.1). */
    c->ecn &= (uint8_t)~ECN_ECT;
    tcp->counters.ecn_fallbacks++;
}

uint8_t ecn_syn_flags(const struct tcp_connection *c)
{
    if (c->ecn & ECN_ON)
        return TCP_FLAG_ECE;
    return c->ecn & ECN_ASKED && c->ecn & ECN_ECT ? SETUP : 0;
}

bool ecn_asked(const struct tcp *tcp, uint8_t flags)
{
    return tcp->config.ecn != TCP_ECN_OFF && (flags & SETUP) == SETUP;
}

void ecn_take_syn(const struct tcp *tcp, struct tcp_connection *c, uint8_t flags)
{
    uint8_t before = c->ecn;

    c->ecn = 0;
    if (c->state != TCP_SYN_SENT) {
        if (ecn_asked(tcp, flags))
            c->ecn = ECN_ON | ECN_ECT;
    } else if (!(before & ECN_ASKED)) {
        return;
    } else if (flags & TCP_FLAG_ACK) {
        /* Both bits: a host that reflects what it was sent, and knows nothing of ECN. */
        if ((flags & SETUP) == TCP_FLAG_ECE)
            c->ecn = ECN_ON | (before & ECN_ECT);
    } else if ((flags & SETUP) == SETUP && before & ECN_ECT) {
        c->ecn = ECN_ON | ECN_ECT;
    }
}

void ecn_syn_again(struct tcp_connection *c, uint8_t flags)
{
    if ((flags & SETUP) != SETUP)
        c->ecn = 0;
}

void ecn_syn_answered(struct tcp_connection *c, uint8_t flags)
{
    if ((flags & SETUP) != TCP_FLAG_ECE)
        c->ecn = 0;
}

void ecn_input(struct tcp *tcp, struct tcp_connection *c, uint8_t flags, bool marked)
{
    bool cwr = flags & TCP_FLAG_CWR, first = marked && !(c->ecn & ECN_ECHO);

    if (cwr)
        c->ecn &= (uint8_t)~ECN_ECHO;
    if (marked) {
        c->ecn |= ECN_ECHO;
        tcp->counters.ecn_marked_in++;
    }
    /* The sooner it hears, the shorter the queue; and who has just reduced its window may wait for this ACK alone. */
    if (cwr || first)
        conn_ack_now(tcp, c);
}

void ecn_on_ack(struct tcp *tcp, struct tcp_connection *c, bool echo)
{
    if (echo) {
        tcp->counters.ecn_echoes_in++;
        /* Spurious or not, there was congestion: nothing is undone (RFC 4015 §3.2). */
        c->flags &= ~(uint32_t)CONN_UNDO;
        c->frto = TCP_FRTO_OFF;
    }
    if (!(c->ecn & ECN_HOLD) || !seq_gt(c->snd_una, c->cwr_point))
        return;
    if (c->ecn & ECN_REDUCING)
        c->cwnd = c->ssthresh;
    c->ecn &= (uint8_t) ~(ECN_HOLD | ECN_REDUCING);
}

void ecn_window_reduced(struct tcp_connection *c)
{
    if (!(c->ecn & ECN_ECT))
        return;
    c->ecn |= ECN_CWR | ECN_HOLD;
    c->cwr_point = c->snd_nxt;
}

void ecn_window_restored(struct tcp_connection *c)
{
    c->ecn &= (uint8_t) ~(ECN_CWR | ECN_HOLD);
}
