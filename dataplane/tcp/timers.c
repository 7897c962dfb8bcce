/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/timers.h"

#include "tcp/output.h"
#include "tcp/recovery.h"
#include "tcp/shed.h"

/* RFC 9293 §3.8.6.1: the first probe of a closed window comes after a retransmission timeout, the next ones ever later. */
#define PERSIST_MAX_US 60000000u

static struct tcp_connection *of_node(struct timer_node *node)
{
    return (struct tcp_connection *)((char *)node - offsetof(struct tcp_connection, timer));
}

void conn_timer_set(struct tcp *tcp, struct tcp_connection *c, enum tcp_timer which, uint64_t due_us)
{
    c->due_us[which] = due_us;
    if (!timer_armed(&c->timer) || due_us < c->timer.due_us)
        timer_wheel_arm(&tcp->timers, &c->timer, due_us);
}

uint32_t conn_rto_us(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint64_t rto_us = (uint64_t)c->rto_us << (c->backoff < 16 ? c->backoff : 16);

    return rto_us < tcp->config.rto_max_us ? (uint32_t)rto_us : tcp->config.rto_max_us;
}

static void set_rexmt(struct tcp *tcp, struct tcp_connection *c, enum tcp_rexmt meaning, uint64_t due_us)
{
    c->rexmt = meaning;
    conn_timer_set(tcp, c, TCP_TIMER_REXMT, due_us);
}

/* Nothing is in flight: does something wait that the peer's window keeps back? */
static void arm_persist(struct tcp *tcp, struct tcp_connection *c)
{
    uint32_t rto_us;

    if (!output_waits_for_window(c)) {
        conn_timer_stop(c, TCP_TIMER_REXMT);
        return;
    }
    if (c->due_us[TCP_TIMER_REXMT] && c->rexmt == TCP_REXMT_PERSIST)
        return;
    rto_us = conn_rto_us(tcp, c);
    set_rexmt(tcp, c, TCP_REXMT_PERSIST, tcp->now_us + (rto_us < PERSIST_MAX_US ? rto_us : PERSIST_MAX_US));
}

void conn_rexmt_rearm(struct tcp *tcp, struct tcp_connection *c, uint32_t reorder_us)
{
    uint64_t rto_due_us = c->rto_start_us + conn_rto_us(tcp, c);
    uint32_t probe_us;

    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
        set_rexmt(tcp, c, TCP_REXMT_RTO, rto_due_us);
        return;
    }
    if (c->sent_count == 0 && c->ecn & ECN_PAUSE) {
        set_rexmt(tcp, c, TCP_REXMT_RTO, rto_due_us);
        return;
    }
    if (c->sent_count == 0) {
        arm_persist(tcp, c);
        return;
    }
    if (reorder_us) {
        set_rexmt(tcp, c, TCP_REXMT_REORDER, tcp->now_us + reorder_us);
        return;
    }
    probe_us = rack_probe_timeout_us(tcp, c);
    if (probe_us && tcp->now_us + probe_us < rto_due_us)
        set_rexmt(tcp, c, TCP_REXMT_PROBE, tcp->now_us + probe_us);
    else
        set_rexmt(tcp, c, TCP_REXMT_RTO, rto_due_us);
}

/* --- what is due ------------------------------------------------------------------------------------------------------ */

static void syn_timeout(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->retries >= tcp->config.syn_retries) {
        conn_fail(tcp, c, TCP_REASON_TIMEOUT);
        return;
    }
    c->retries++;
    c->backoff++;
    c->retransmits++;
    c->flags |= CONN_SYN_NOW;
    c->rto_start_us = tcp->now_us;
    conn_rexmt_rearm(tcp, c, 0);
    conn_want_output(tcp, c);
}

/* RFC 6298 §5.4 to §5.6. */
static void data_timeout(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->retries >= tcp->config.retries) {
        output_reset(tcp, c);
        conn_fail(tcp, c, TCP_REASON_TIMEOUT);
        return;
    }
    recovery_on_timeout(tcp, c);
    c->retries++;
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    c->rto_start_us = tcp->now_us;
    conn_rexmt_rearm(tcp, c, 0);
    conn_want_output(tcp, c);
}

static void persist_timeout(struct tcp *tcp, struct tcp_connection *c)
{
    uint32_t rto_us;

    /* An answered probe starts the count again, except for a connection nobody but the peer keeps open. */
    if (c->retries >= tcp->config.retries) {
        output_reset(tcp, c);
        conn_fail(tcp, c, TCP_REASON_TIMEOUT);
        return;
    }
    c->retries++;
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    c->flags |= CONN_PERSIST_NOW;
    rto_us = conn_rto_us(tcp, c);
    set_rexmt(tcp, c, TCP_REXMT_PERSIST, tcp->now_us + (rto_us < PERSIST_MAX_US ? rto_us : PERSIST_MAX_US));
    conn_want_output(tcp, c);
}

static void rexmt_due(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
        syn_timeout(tcp, c);
        return;
    }
    switch ((enum tcp_rexmt)c->rexmt) {
    case TCP_REXMT_PERSIST: persist_timeout(tcp, c); break;
    case TCP_REXMT_PROBE:
        c->flags |= CONN_PROBE_NOW;
        conn_want_output(tcp, c);
        /* The probe goes out in this turn; from now on the full RTO counts (RFC 8985 §7.3). */
        c->rto_start_us = tcp->now_us;
        set_rexmt(tcp, c, TCP_REXMT_RTO, tcp->now_us + conn_rto_us(tcp, c));
        break;
    case TCP_REXMT_REORDER:
        conn_rexmt_rearm(tcp, c, recovery_on_reorder_timer(tcp, c));
        conn_want_output(tcp, c);
        break;
    case TCP_REXMT_RTO:
        c->ecn &= (uint8_t)~ECN_PAUSE;
        if (c->sent_count > 0)
            data_timeout(tcp, c);
        else
            conn_want_output(tcp, c);
        break;
    }
}

static void keepalive_due(struct tcp *tcp, struct tcp_connection *c)
{
    const struct tcp_config *config = &tcp->config;
    uint64_t silent_us = tcp->now_us - c->last_in_us;

    if (c->state < TCP_ESTABLISHED || c->state == TCP_TIME_WAIT)
        return;
    if (silent_us < config->keepalive_idle_us) {
        c->keepalive_sent = 0;
        conn_timer_set(tcp, c, TCP_TIMER_KEEPALIVE, c->last_in_us + config->keepalive_idle_us);
        return;
    }
    /* While something is in flight its own timer finds out whether the peer lives. */
    if (c->sent_count == 0 && c->due_us[TCP_TIMER_REXMT] == 0) {
        if (c->keepalive_sent >= config->keepalive_probes) {
            output_reset(tcp, c);
            conn_fail(tcp, c, TCP_REASON_KEEPALIVE);
            return;
        }
        c->keepalive_sent++;
        c->flags |= CONN_KEEPALIVE_NOW;
        conn_want_output(tcp, c);
    }
    conn_timer_set(tcp, c, TCP_TIMER_KEEPALIVE, tcp->now_us + config->keepalive_interval_us);
}

static void timer_due(struct tcp *tcp, struct tcp_connection *c, enum tcp_timer which)
{
    switch (which) {
    case TCP_TIMER_REXMT: rexmt_due(tcp, c); break;
    case TCP_TIMER_DELACK: conn_ack_now(tcp, c); break;
    case TCP_TIMER_KEEPALIVE: keepalive_due(tcp, c); break;
    case TCP_TIMER_WAIT:
        tcp->counters.half_open_timeouts += c->state == TCP_SYN_RECEIVED;
        conn_finish(tcp, c);
        break;
    case TCP_TIMER_COUNT: break;
    }
}

static void connection_due(struct tcp *tcp, struct tcp_connection *c)
{
    uint64_t next_us = UINT64_MAX;

    for (int which = 0; which < TCP_TIMER_COUNT; which++) {
        if (c->due_us[which] == 0 || c->due_us[which] > tcp->now_us)
            continue;
        c->due_us[which] = 0;
        timer_due(tcp, c, which);
        /* Did that end it? */
        if (c->state == TCP_CLOSED)
            return;
    }
    for (int which = 0; which < TCP_TIMER_COUNT; which++)
        if (c->due_us[which] && c->due_us[which] < next_us)
            next_us = c->due_us[which];
    if (next_us != UINT64_MAX)
        timer_wheel_arm(&tcp->timers, &c->timer, next_us);
}

/* Those whose writes found the payload pool empty try again, a little later, all of them. */
static void wake_starved(struct tcp *tcp)
{
    struct tcp_connection *c;

    if (TAILQ_EMPTY(&tcp->starved) || tcp->now_us < tcp->starved_since_us + TIMER_WHEEL_TICK_US)
        return;
    while ((c = TAILQ_FIRST(&tcp->starved)) != NULL) {
        TAILQ_REMOVE(&tcp->starved, c, wait_link);
        c->flags &= ~(uint32_t)(CONN_STARVED | CONN_WANTS_ROOM);
        conn_raise(tcp, c, TCP_EVENT_WRITABLE);
    }
}

uint32_t tcp_timers(struct tcp *tcp, uint64_t now_us, struct tcp_event *events, uint32_t events_max)
{
    struct timer_node *node;

    tcp->now_us = now_us;
    while ((node = timer_wheel_expire(&tcp->timers, now_us)) != NULL)
        connection_due(tcp, of_node(node));
    wake_starved(tcp);
    shed_run(tcp);
    return conn_flush_events(tcp, events, events_max);
}

uint64_t tcp_next_timer_us(const struct tcp *tcp)
{
    uint64_t next_us = timer_wheel_next_us(&tcp->timers);

    if (!TAILQ_EMPTY(&tcp->events))
        return 0;
    if (!TAILQ_EMPTY(&tcp->starved) && next_us > tcp->starved_since_us + TIMER_WHEEL_TICK_US)
        next_us = tcp->starved_since_us + TIMER_WHEEL_TICK_US;
    return next_us;
}
