/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/connection.h"

#include "tcp/receive_buffer.h"
#include "tcp/send_buffer.h"
#include "tcp/sent.h"
#include "tcp/shed.h"
#include "tcp/source_limit.h"
#include "tcp/table.h"
#include "tcp/timers.h"

const char *tcp_state_text(enum tcp_state state)
{
    static const char *const texts[] = {
#define TCP_STATE(name, spelling) [TCP_##name] = spelling,
#include "tcp/states.def"
#undef TCP_STATE
    };

    return (size_t)state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "?";
}

struct tcp_handle conn_handle(const struct tcp *tcp, const struct tcp_connection *c)
{
    return (struct tcp_handle){conn_index(tcp, c), c->generation};
}

struct tcp_connection *tcp_by_handle(const struct tcp *tcp, struct tcp_handle handle)
{
    struct tcp_connection *c;

    if (handle.generation == 0 || handle.index >= tcp->config.connections_max)
        return NULL;
    c = &tcp->connections[handle.index];
    return c->generation == handle.generation && conn_has(c, CONN_ANNOUNCED) ? c : NULL;
}

/* From here on the handles given out for the slot are stale. */
static void next_generation(struct tcp_connection *c)
{
    c->flags &= ~(uint32_t)CONN_ANNOUNCED;
    if (++c->generation == 0)
        c->generation = 1;
}

static void leave_time_wait(struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_TIME_WAIT_LISTED))
        return;
    TAILQ_REMOVE(&tcp->time_wait, c, wait_link);
    tcp->time_wait_count--;
    c->flags &= ~(uint32_t)CONN_TIME_WAIT_LISTED;
}

static void leave_starved(struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_STARVED))
        return;
    TAILQ_REMOVE(&tcp->starved, c, wait_link);
    c->flags &= ~(uint32_t)CONN_STARVED;
}

static void leave_half_open(struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_HALF_OPEN))
        return;
    tcp->listeners[c->listener].half_open--;
    TAILQ_REMOVE(&tcp->half_open, c, wait_link);
    tcp->half_open_count--;
    c->flags &= ~(uint32_t)CONN_HALF_OPEN;
    if (c->source != SOURCE_NONE)
        source_limit_opened(tcp->sources, c->source);
}

void conn_half_open(struct tcp *tcp, struct tcp_connection *c)
{
    tcp->listeners[c->listener].half_open++;
    TAILQ_INSERT_TAIL(&tcp->half_open, c, wait_link);
    tcp->half_open_count++;
    c->flags |= CONN_HALF_OPEN;
    conn_timer_set(tcp, c, TCP_TIMER_WAIT, tcp->now_us + tcp->config.half_open_us);
}

static void leave_source(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->source == SOURCE_NONE)
        return;
    source_limit_remove(tcp->sources, c->source);
    c->source = SOURCE_NONE;
}

static void leave_accept_queue(struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_ACCEPT_QUEUED))
        return;
    tcp->listeners[c->listener].accept_queued--;
    c->flags &= ~(uint32_t)CONN_ACCEPT_QUEUED;
}

void conn_accepted(struct tcp *tcp, struct tcp_connection *c)
{
    leave_accept_queue(tcp, c);
}

static void enter_time_wait(struct tcp *tcp, struct tcp_connection *c)
{
    if (tcp->time_wait_count >= tcp->config.time_wait_max && !TAILQ_EMPTY(&tcp->time_wait)) {
        tcp->counters.time_wait_evicted++;
        conn_finish(tcp, TAILQ_FIRST(&tcp->time_wait));
    }
    leave_starved(tcp, c);
    /* It is nobody's load any more, or a busy proxy in front of us could open only so many connections in so long. */
    leave_source(tcp, c);
    if (!conn_has(c, CONN_PASSIVE))
        tcp->ports_freed++;
    TAILQ_INSERT_TAIL(&tcp->time_wait, c, wait_link);
    tcp->time_wait_count++;
    tcp->counters.time_wait++;
    c->flags |= CONN_TIME_WAIT_LISTED;
    for (int which = 0; which < TCP_TIMER_COUNT; which++)
        conn_timer_stop(c, which);
    conn_timer_set(tcp, c, TCP_TIMER_WAIT, tcp->now_us + tcp->config.time_wait_us);
}

void conn_set_state(struct tcp *tcp, struct tcp_connection *c, enum tcp_state state)
{
    enum tcp_state before = c->state;

    c->state = state;
    if (before == TCP_SYN_RECEIVED)
        leave_half_open(tcp, c);
    if (before == TCP_TIME_WAIT)
        leave_time_wait(tcp, c);
    switch (state) {
    case TCP_ESTABLISHED:
        tcp->counters.established++;
        conn_timer_stop(c, TCP_TIMER_WAIT);
        break;
    case TCP_FIN_WAIT_2:
        /* Nobody will read any more: the peer gets only so long to close too. */
        if (conn_has(c, CONN_ORPHAN))
            conn_timer_set(tcp, c, TCP_TIMER_WAIT, tcp->now_us + tcp->config.fin_wait_us);
        break;
    case TCP_TIME_WAIT: enter_time_wait(tcp, c); break;
    default: break;
    }
}

static void reset_slot(struct tcp_connection *c)
{
    uint32_t generation = c->generation;

    memset(c, 0, sizeof(*c));
    c->generation = generation;
    c->hash_next = TCP_NONE;
    c->sent_head = c->sent_tail = c->time_head = c->time_tail = TCP_NONE;
    c->rack_reo_mult = 1;
    c->source = SOURCE_NONE;
}

struct tcp_connection *conn_new(struct tcp *tcp)
{
    struct tcp_connection *c;

    if (!shed_slot(tcp, SHED_FOR_OPEN))
        return NULL;
    c = TAILQ_FIRST(&tcp->free);
    TAILQ_REMOVE(&tcp->free, c, output_link);
    reset_slot(c);
    c->rto_us = tcp->config.rto_initial_us;
    return c;
}

/* Takes part in nothing any more; what was received stays readable. */
static void detach(struct tcp *tcp, struct tcp_connection *c)
{
    tcp_table_remove(tcp, c);
    leave_half_open(tcp, c);
    leave_source(tcp, c);
    leave_time_wait(tcp, c);
    leave_starved(tcp, c);
    timer_wheel_cancel(&tcp->timers, &c->timer);
    for (int which = 0; which < TCP_TIMER_COUNT; which++)
        conn_timer_stop(c, which);
    if (conn_has(c, CONN_IN_OUTPUT))
        TAILQ_REMOVE(&tcp->output, c, output_link);
    c->flags &= ~(uint32_t)(CONN_IN_OUTPUT | CONN_ACK_NOW | CONN_SYN_NOW);
    sent_free_all(tcp, c);
    send_buffer_free(c);
    c->state = TCP_CLOSED;
}

void conn_free(struct tcp *tcp, struct tcp_connection *c)
{
    detach(tcp, c);
    leave_accept_queue(tcp, c);
    receive_free(tcp, c);
    if (conn_has(c, CONN_IN_EVENTS))
        TAILQ_REMOVE(&tcp->events, c, event_link);
    c->flags = 0;
    next_generation(c);
    tcp->counters.closed++;
    TAILQ_INSERT_HEAD(&tcp->free, c, output_link);
}

void conn_orphan(struct tcp *tcp, struct tcp_connection *c)
{
    leave_accept_queue(tcp, c);
    leave_starved(tcp, c);
    receive_free(tcp, c);
    if (conn_has(c, CONN_IN_EVENTS))
        TAILQ_REMOVE(&tcp->events, c, event_link);
    c->events = 0;
    c->flags &= ~(uint32_t)(CONN_IN_EVENTS | CONN_WANTS_ROOM);
    c->flags |= CONN_ORPHAN;
    next_generation(c);
    if (c->state == TCP_FIN_WAIT_2)
        conn_timer_set(tcp, c, TCP_TIMER_WAIT, tcp->now_us + tcp->config.fin_wait_us);
}

void conn_finish(struct tcp *tcp, struct tcp_connection *c)
{
    if (!conn_has(c, CONN_ANNOUNCED) && !(c->events & TCP_EVENT_ACCEPTED))
        conn_free(tcp, c);
    else
        detach(tcp, c);
}

void conn_fail(struct tcp *tcp, struct tcp_connection *c, enum tcp_reason reason)
{
    switch (reason) {
    case TCP_REASON_RESET: tcp->counters.closed_by_reset++; break;
    case TCP_REASON_REFUSED: tcp->counters.refused++; break;
    case TCP_REASON_TIMEOUT: tcp->counters.timed_out++; break;
    case TCP_REASON_KEEPALIVE: tcp->counters.keepalive_failed++; break;
    case TCP_REASON_UNREACHABLE: tcp->counters.unreachable++; break;
    case TCP_REASON_NO_MEMORY: tcp->counters.shed++; break;
    case TCP_REASON_NONE: break;
    }
    if (!conn_has(c, CONN_ANNOUNCED)) {
        conn_free(tcp, c);
        return;
    }
    detach(tcp, c);
    receive_free(tcp, c);
    c->reason = reason;
    c->events = 0;
    conn_raise(tcp, c, TCP_EVENT_CLOSED);
}

void conn_reset(struct tcp *tcp, struct tcp_connection *c)
{
    if (conn_has(c, CONN_PASSIVE) || c->receive_bytes == 0) {
        conn_fail(tcp, c, TCP_REASON_RESET);
        return;
    }
    tcp->counters.closed_by_reset++;
    detach(tcp, c);
    c->reason = TCP_REASON_RESET;
    conn_raise(tcp, c, TCP_EVENT_READABLE);
}

void conn_raise(struct tcp *tcp, struct tcp_connection *c, uint32_t events)
{
    if (conn_has(c, CONN_ORPHAN))
        return;
    c->events |= events;
    if (conn_has(c, CONN_IN_EVENTS))
        return;
    c->flags |= CONN_IN_EVENTS;
    TAILQ_INSERT_TAIL(&tcp->events, c, event_link);
}

uint32_t conn_flush_events(struct tcp *tcp, struct tcp_event *events, uint32_t events_max)
{
    uint32_t n = 0;

    while (n < events_max && !TAILQ_EMPTY(&tcp->events)) {
        struct tcp_connection *c = TAILQ_FIRST(&tcp->events);

        TAILQ_REMOVE(&tcp->events, c, event_link);
        c->flags &= ~(uint32_t)CONN_IN_EVENTS;
        events[n++] =
            (struct tcp_event){.handle = conn_handle(tcp, c), .user = c->user, .flags = c->events, .reason = c->reason};
        if (c->events & TCP_EVENT_ACCEPTED) {
            c->flags |= CONN_ANNOUNCED;
            tcp->counters.accepted++;
        }
        if (c->events & TCP_EVENT_CLOSED)
            conn_free(tcp, c);
        c->events = 0;
    }
    return n;
}

void conn_want_output(struct tcp *tcp, struct tcp_connection *c)
{
    if (conn_has(c, CONN_IN_OUTPUT))
        return;
    c->flags |= CONN_IN_OUTPUT;
    TAILQ_INSERT_TAIL(&tcp->output, c, output_link);
}
