/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "invariants.h"

#include <rte_mbuf.h>

#include "tcp/connection.h"
#include "tcp/output.h"
#include "tcp/sent.h"
#include "tcp/table.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define HOLDS(condition)                                            \
    do {                                                            \
        if (!(condition))                                           \
            return #condition " (invariants.c:" TEXT(__LINE__) ")"; \
    } while (0)
#define ALL_HOLD(check)               \
    do {                              \
        const char *wrong_ = (check); \
        if (wrong_)                   \
            return wrong_;            \
    } while (0)

/* --- sending ---------------------------------------------------------------------------------------------------------- */

static uint32_t length_of(const struct tcp_sent *sent)
{
    return sent_end(sent) - sent->seq;
}

/* Is (mbuf, offset) the place of the byte that lies at bytes behind the head of the send queue? The end of one mbuf and the
 * beginning of the next are the same place. */
static bool is_place(const struct tcp_connection *c, const struct rte_mbuf *mbuf, uint32_t offset, uint32_t at)
{
    for (const struct rte_mbuf *here = c->send_head; here; here = here->next) {
        if (here == mbuf && offset >= here->data_off && offset - here->data_off == at)
            return true;
        if (at < here->data_len)
            return false;
        at -= here->data_len;
    }
    return !mbuf && at == 0;
}

static const char *check_send_buffer(const struct tcp_connection *c)
{
    uint32_t bytes = 0, mbufs = 0, flight = c->send_bytes - output_unsent(c);

    for (const struct rte_mbuf *mbuf = c->send_head; mbuf; mbuf = mbuf->next) {
        HOLDS(mbuf->next || mbuf == c->send_tail);
        bytes += mbuf->data_len;
        mbufs++;
    }
    HOLDS(bytes == c->send_bytes);
    HOLDS(mbufs == c->send_mbufs);
    HOLDS(flight <= c->send_bytes);
    HOLDS(!c->send_head || is_place(c, c->send_next, c->send_next_offset, flight));
    return NULL;
}

static const char *check_record(const struct tcp_connection *c, const struct tcp_sent *sent, uint32_t at)
{
    HOLDS(sent->seq == at);
    HOLDS(length_of(sent) > 0);
    HOLDS((sent->flags & (SENT_SACKED | SENT_LOST)) != (SENT_SACKED | SENT_LOST));
    HOLDS(!(sent->flags & SENT_FIN) || (conn_has(c, CONN_FIN_SENT) && sent->next == TCP_NONE));
    HOLDS(sent->len == 0 || is_place(c, sent->mbuf, sent->offset, sent->seq - c->snd_una));
    return NULL;
}

/* The scoreboard, by sequence. */
static const char *check_scoreboard(const struct tcp *tcp, const struct tcp_connection *c, uint32_t *timed)
{
    uint32_t at = c->snd_una, sacked = 0, lost = 0, count = 0, before = TCP_NONE;

    for (uint32_t i = c->sent_head; i != TCP_NONE; i = sent_at(tcp, i)->next) {
        const struct tcp_sent *sent = sent_at(tcp, i);

        HOLDS(sent->prev == before);
        ALL_HOLD(check_record(c, sent, at));
        before = i;
        at = sent_end(sent);
        sacked += sent->flags & SENT_SACKED ? length_of(sent) : 0;
        lost += sent->flags & SENT_LOST ? length_of(sent) : 0;
        *timed += !(sent->flags & (SENT_SACKED | SENT_LOST));
        count++;
    }
    HOLDS(before == c->sent_tail);
    HOLDS(count == c->sent_count);
    HOLDS(sacked == c->sacked_bytes);
    HOLDS(lost == c->lost_bytes);
    HOLDS(!conn_synchronized(c) || at == c->snd_nxt);
    return NULL;
}

static const char *check_sent(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t timed = 0, before = TCP_NONE;
    uint64_t last_us = 0;

    ALL_HOLD(check_scoreboard(tcp, c, &timed));
    for (uint32_t i = c->time_head; i != TCP_NONE; i = sent_at(tcp, i)->time_next) {
        const struct tcp_sent *sent = sent_at(tcp, i);

        HOLDS(timed > 0);
        timed--;
        HOLDS(!(sent->flags & (SENT_SACKED | SENT_LOST)));
        HOLDS(sent->time_prev == before && sent->sent_us >= last_us && sent->sent_us <= tcp->now_us);
        before = i;
        last_us = sent->sent_us;
    }
    HOLDS(timed == 0);
    HOLDS(before == c->time_tail);
    return NULL;
}

/* --- receiving -------------------------------------------------------------------------------------------------------- */

static bool is_held(const struct tcp_connection *c, uint32_t start, uint32_t end)
{
    for (const struct rte_mbuf *mbuf = c->ooo_head; mbuf && seq_lt(start, end); mbuf = mbuf->next)
        if (seq_le(mbuf->hash.usr, start) && seq_gt(mbuf->hash.usr + mbuf->data_len, start))
            start = mbuf->hash.usr + mbuf->data_len;
    return seq_ge(start, end);
}

static const char *check_sack(const struct tcp_connection *c)
{
    HOLDS(c->sack_count <= TCP_SACK_BLOCKS_MAX);
    for (uint32_t i = 0; i < c->sack_count; i++) {
        HOLDS(conn_has(c, CONN_SACK));
        HOLDS(seq_gt(c->sack[i].start, c->rcv_nxt) && seq_lt(c->sack[i].start, c->sack[i].end));
        HOLDS(is_held(c, c->sack[i].start, c->sack[i].end));
        for (uint32_t k = 0; k < i; k++)
            HOLDS(seq_lt(c->sack[i].end, c->sack[k].start) || seq_gt(c->sack[i].start, c->sack[k].end));
    }
    return NULL;
}

static const char *check_queues(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t bytes = 0, mbufs = 0, truesize = 0, last = c->rcv_nxt;

    for (const struct rte_mbuf *mbuf = c->receive_head; mbuf; mbuf = mbuf->next) {
        HOLDS(mbuf->data_len > 0 && (mbuf->next || mbuf == c->receive_tail));
        bytes += mbuf->data_len;
        truesize += mbuf->buf_len + (uint32_t)sizeof(*mbuf);
        mbufs++;
    }
    for (const struct rte_mbuf *mbuf = c->ooo_head; mbuf; mbuf = mbuf->next) {
        HOLDS(mbuf->data_len > 0 && (mbuf->next || mbuf == c->ooo_tail));
        HOLDS(seq_gt(mbuf->hash.usr, c->rcv_nxt) && seq_ge(mbuf->hash.usr, last));
        last = mbuf->hash.usr + mbuf->data_len;
        truesize += mbuf->buf_len + (uint32_t)sizeof(*mbuf);
        mbufs++;
    }
    HOLDS(bytes == c->receive_bytes);
    HOLDS(mbufs == c->receive_mbufs);
    HOLDS(truesize == c->truesize && truesize <= tcp->receive_limit);
    HOLDS(c->collapse_floor <= c->truesize);
    HOLDS(!conn_has(c, CONN_ORPHAN) || mbufs == 0);
    return NULL;
}

static const char *check_received(const struct tcp *tcp, const struct tcp_connection *c)
{
    ALL_HOLD(check_queues(tcp, c));
    ALL_HOLD(check_sack(c));
    if (!conn_synchronized(c))
        return NULL;
    HOLDS(seq_ge(c->rcv_adv, c->rcv_nxt) && c->rcv_adv - c->rcv_nxt <= tcp->receive_capacity);
    HOLDS(seq_le(c->rcv_acked, c->rcv_nxt));
    HOLDS(!conn_has(c, CONN_PEER_FIN) || (conn_has(c, CONN_PEER_FIN_KNOWN) && c->rcv_nxt == c->rcv_fin + 1));
    /* Nothing lies behind the peer's FIN. */
    HOLDS(!conn_has(c, CONN_PEER_FIN_KNOWN) || seq_le(c->rcv_nxt, c->rcv_fin + 1));
    return NULL;
}

/* --- states, timers, progress ----------------------------------------------------------------------------------------- */

static const char *check_state(const struct tcp *tcp, const struct tcp_connection *c)
{
    enum tcp_state state = (enum tcp_state)c->state;
    bool fin_sent = state == TCP_FIN_WAIT_1 || state == TCP_FIN_WAIT_2 || state == TCP_CLOSING ||
                    state == TCP_LAST_ACK || state == TCP_TIME_WAIT;
    bool peer_fin = state == TCP_CLOSE_WAIT || state == TCP_CLOSING || state == TCP_LAST_ACK || state == TCP_TIME_WAIT;

    HOLDS(fin_sent == conn_has(c, CONN_FIN_SENT));
    HOLDS(peer_fin == conn_has(c, CONN_PEER_FIN));
    HOLDS((state != TCP_FIN_WAIT_2 && state != TCP_TIME_WAIT) || c->snd_una == c->snd_nxt);
    HOLDS(!(conn_has(c, CONN_ORPHAN) && conn_has(c, CONN_ANNOUNCED)));
    HOLDS(conn_has(c, CONN_HALF_OPEN) == (state == TCP_SYN_RECEIVED && conn_has(c, CONN_PASSIVE)));
    HOLDS(conn_has(c, CONN_TIME_WAIT_LISTED) == (state == TCP_TIME_WAIT));
    HOLDS(!conn_synchronized(c) || (c->cwnd > 0 && c->ssthresh > 0 && c->snd_mss > 0));
    HOLDS(seq_le(c->snd_una, c->snd_nxt));
    HOLDS(c->rto_us > 0 && c->rto_us <= tcp->config.rto_max_us);
    return NULL;
}

static const char *check_timers(const struct tcp_connection *c)
{
    uint64_t next_us = UINT64_MAX;

    for (int which = 0; which < TCP_TIMER_COUNT; which++)
        if (c->due_us[which] && c->due_us[which] < next_us)
            next_us = c->due_us[which];
    HOLDS(next_us == UINT64_MAX || (timer_armed(&c->timer) && c->timer.due_us <= next_us));
    return NULL;
}

/* Whatever a connection waits for either comes from the peer and is watched by a timer, or is due at the next output. */
static const char *check_progress(const struct tcp_connection *c)
{
    uint32_t due_now = CONN_ACK_NOW | CONN_SYN_NOW | CONN_PROBE_NOW | CONN_KEEPALIVE_NOW | CONN_PERSIST_NOW;
    bool to_send = c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT;

    HOLDS(!conn_has(c, due_now) || conn_has(c, CONN_IN_OUTPUT));
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
        HOLDS(c->due_us[TCP_TIMER_REXMT]);
    if (c->state == TCP_TIME_WAIT || (c->state == TCP_FIN_WAIT_2 && conn_has(c, CONN_ORPHAN)))
        HOLDS(c->due_us[TCP_TIMER_WAIT]);
    if (conn_synchronized(c) && c->rcv_nxt != c->rcv_acked)
        HOLDS(c->due_us[TCP_TIMER_DELACK] || conn_has(c, CONN_ACK_NOW));
    if (conn_has(c, CONN_IN_OUTPUT))
        return NULL;
    if (c->sent_count > 0)
        HOLDS(c->due_us[TCP_TIMER_REXMT]);
    else if (to_send && (output_unsent(c) > 0 || conn_has(c, CONN_FIN_QUEUED)))
        HOLDS(c->due_us[TCP_TIMER_REXMT]);
    return NULL;
}

static const char *check_connection(const struct tcp *tcp, const struct tcp_connection *c)
{
    struct tcp_tuple tuple = {c->local, c->remote, c->local_port, c->remote_port};

    HOLDS(conn_has(c, CONN_IN_TABLE) == (c->state != TCP_CLOSED));
    ALL_HOLD(check_queues(tcp, c));
    if (c->state == TCP_CLOSED) {
        HOLDS(c->sent_count == 0 && c->send_bytes == 0 && !c->send_head && !timer_armed(&c->timer));
        HOLDS(!conn_has(c, CONN_IN_OUTPUT | CONN_HALF_OPEN | CONN_TIME_WAIT_LISTED | CONN_STARVED));
        return NULL;
    }
    HOLDS(tcp_table_find(tcp, &tuple, c->hash) == c);
    ALL_HOLD(check_state(tcp, c));
    ALL_HOLD(check_send_buffer(c));
    ALL_HOLD(check_sent(tcp, c));
    ALL_HOLD(check_received(tcp, c));
    ALL_HOLD(check_timers(c));
    return check_progress(c);
}

/* --- the instance ----------------------------------------------------------------------------------------------------- */

struct sums {
    uint32_t received, time_wait, output, events, starved;
    uint32_t half_open[TCP_LISTENERS_MAX], accepting[TCP_LISTENERS_MAX];
};

static const char *check_lists(const struct tcp *tcp, const struct sums *sums)
{
    const struct tcp_connection *c;
    uint32_t n = 0;

    TAILQ_FOREACH (c, &tcp->output, output_link)
        n++;
    HOLDS(n == sums->output);
    n = 0;
    TAILQ_FOREACH (c, &tcp->events, event_link)
        n++;
    HOLDS(n == sums->events);
    n = 0;
    TAILQ_FOREACH (c, &tcp->time_wait, wait_link)
        n++;
    HOLDS(n == sums->time_wait && n == tcp->time_wait_count);
    n = 0;
    TAILQ_FOREACH (c, &tcp->starved, wait_link)
        n++;
    HOLDS(n == sums->starved);
    return NULL;
}

const char *invariants_check(const struct tcp *tcp)
{
    static struct sums sums; /* too large for the stack of a thread; tests have one thread */

    memset(&sums, 0, sizeof(sums));
    for (uint32_t i = 0; i < tcp->config.connections_max; i++) {
        const struct tcp_connection *c = &tcp->connections[i];

        sums.received += c->receive_mbufs;
        sums.time_wait += conn_has(c, CONN_TIME_WAIT_LISTED);
        sums.output += conn_has(c, CONN_IN_OUTPUT);
        sums.events += conn_has(c, CONN_IN_EVENTS);
        sums.starved += conn_has(c, CONN_STARVED);
        sums.half_open[c->listener] += conn_has(c, CONN_HALF_OPEN);
        sums.accepting[c->listener] += conn_has(c, CONN_ACCEPT_QUEUED);
        ALL_HOLD(check_connection(tcp, c));
    }
    HOLDS(sums.received == tcp->received_mbufs);
    for (uint32_t i = 0; i < tcp->listener_count; i++) {
        HOLDS(sums.half_open[i] == tcp->listeners[i].half_open);
        HOLDS(sums.accepting[i] == tcp->listeners[i].accept_queued);
    }
    return check_lists(tcp, &sums);
}

const char *invariants_check_records(const struct tcp *tcp)
{
    uint32_t used = 0, free = 0, total = tcp->payload_pool->size * 2 + tcp->config.connections_max;

    ALL_HOLD(invariants_check(tcp));
    for (uint32_t i = 0; i < tcp->config.connections_max; i++)
        used += tcp->connections[i].sent_count;
    for (uint32_t i = tcp->sent_free; i != TCP_NONE && free <= total; i = tcp->sent[i].next)
        free++;
    HOLDS(used + free == total);
    return NULL;
}
