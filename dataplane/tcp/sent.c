/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/sent.h"

#include "tcp/send_buffer.h"

static uint32_t index_of(const struct tcp *tcp, const struct tcp_sent *sent)
{
    return (uint32_t)(sent - tcp->sent);
}

static uint32_t length_of(const struct tcp_sent *sent)
{
    return sent_end(sent) - sent->seq;
}

/* Waits for RACK's judgement: neither SACKed nor marked lost. */
static bool is_timed(const struct tcp_sent *sent)
{
    return !(sent->flags & (SENT_SACKED | SENT_LOST));
}

static void time_append(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    uint32_t index = index_of(tcp, sent);

    sent->time_next = TCP_NONE;
    sent->time_prev = c->time_tail;
    if (c->time_tail != TCP_NONE)
        tcp->sent[c->time_tail].time_next = index;
    else
        c->time_head = index;
    c->time_tail = index;
}

static void time_remove(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    if (sent->time_prev != TCP_NONE)
        tcp->sent[sent->time_prev].time_next = sent->time_next;
    else
        c->time_head = sent->time_next;
    if (sent->time_next != TCP_NONE)
        tcp->sent[sent->time_next].time_prev = sent->time_prev;
    else
        c->time_tail = sent->time_prev;
}

struct tcp_sent *sent_first(const struct tcp *tcp, const struct tcp_connection *c)
{
    return c->sent_head == TCP_NONE ? NULL : sent_at(tcp, c->sent_head);
}

struct tcp_sent *sent_last(const struct tcp *tcp, const struct tcp_connection *c)
{
    return c->sent_tail == TCP_NONE ? NULL : sent_at(tcp, c->sent_tail);
}

struct tcp_sent *sent_add(struct tcp *tcp, struct tcp_connection *c, uint16_t len, bool fin)
{
    uint32_t index = tcp->sent_free;
    struct tcp_sent *sent;

    if (unlikely(index == TCP_NONE || c->sent_count >= tcp->sent_max_per_connection)) {
        tcp->counters.no_record++;
        return NULL;
    }
    sent = sent_at(tcp, index);
    tcp->sent_free = sent->next;
    sent->seq = c->snd_nxt;
    sent->len = len;
    sent->flags = fin ? SENT_FIN : 0;
    sent->retransmits = 0;
    sent->sent_us = tcp->now_us;
    send_buffer_cursor(c, &sent->mbuf, &sent->offset);
    sent->next = TCP_NONE;
    sent->prev = c->sent_tail;
    if (c->sent_tail != TCP_NONE)
        tcp->sent[c->sent_tail].next = index;
    else
        c->sent_head = index;
    c->sent_tail = index;
    c->sent_count++;
    time_append(tcp, c, sent);
    return sent;
}

/* Takes a record out of both lists and out of the counts. */
static void unlink_record(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    if (is_timed(sent))
        time_remove(tcp, c, sent);
    if (sent->flags & SENT_SACKED)
        c->sacked_bytes -= length_of(sent);
    if (sent->flags & SENT_LOST)
        c->lost_bytes -= length_of(sent);
    if (sent->prev != TCP_NONE)
        tcp->sent[sent->prev].next = sent->next;
    else
        c->sent_head = sent->next;
    if (sent->next != TCP_NONE)
        tcp->sent[sent->next].prev = sent->prev;
    else
        c->sent_tail = sent->prev;
    c->sent_count--;
    sent->next = tcp->sent_free;
    tcp->sent_free = index_of(tcp, sent);
}

/* Behind another, which is among the timed ones: the transmission was the same. */
static void time_append_after(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *before, struct tcp_sent *sent)
{
    uint32_t index = index_of(tcp, sent);

    sent->time_prev = index_of(tcp, before);
    sent->time_next = before->time_next;
    if (before->time_next != TCP_NONE)
        tcp->sent[before->time_next].time_prev = index;
    else
        c->time_tail = index;
    before->time_next = index;
}

bool sent_split(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent, uint32_t len)
{
    uint32_t index = tcp->sent_free;
    struct tcp_sent *rest;

    assert(len > 0 && len < sent->len);
    if (unlikely(index == TCP_NONE)) {
        tcp->counters.no_record++;
        return false;
    }
    rest = sent_at(tcp, index);
    tcp->sent_free = rest->next;
    *rest = *sent;
    rest->seq += len;
    rest->len -= len;
    send_buffer_step(&rest->mbuf, &rest->offset, len);
    rest->prev = index_of(tcp, sent);
    if (sent->next != TCP_NONE)
        tcp->sent[sent->next].prev = index;
    else
        c->sent_tail = index;
    sent->next = index;
    sent->len = (uint16_t)len;
    sent->flags &= ~SENT_FIN;
    if (is_timed(sent))
        time_append_after(tcp, c, sent, rest);
    c->sent_count++;
    return true;
}

void sent_undo_add(struct tcp *tcp, struct tcp_connection *c)
{
    unlink_record(tcp, c, sent_at(tcp, c->sent_tail));
}

void sent_remove_first(struct tcp *tcp, struct tcp_connection *c)
{
    unlink_record(tcp, c, sent_at(tcp, c->sent_head));
}

void sent_trim_first(struct tcp *tcp, struct tcp_connection *c, uint32_t len)
{
    struct tcp_sent *sent = sent_at(tcp, c->sent_head);

    assert(len <= sent->len && len < length_of(sent));
    if (sent->flags & SENT_SACKED)
        c->sacked_bytes -= len;
    if (sent->flags & SENT_LOST)
        c->lost_bytes -= len;
    sent->seq += len;
    sent->len -= len;
    /* A lone FIN is left: there is no data to point at. */
    if (sent->len > 0)
        send_buffer_step(&sent->mbuf, &sent->offset, len);
}

void sent_mark_sacked(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    if (is_timed(sent))
        time_remove(tcp, c, sent);
    if (sent->flags & SENT_LOST)
        c->lost_bytes -= length_of(sent);
    sent->flags &= ~SENT_LOST;
    sent->flags |= SENT_SACKED;
    c->sacked_bytes += length_of(sent);
}

void sent_mark_lost(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    if (!is_timed(sent))
        return;
    time_remove(tcp, c, sent);
    sent->flags |= SENT_LOST;
    c->lost_bytes += length_of(sent);
}

void sent_mark_retransmitted(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent, uint64_t now_us)
{
    if (is_timed(sent)) {
        time_remove(tcp, c, sent);
    } else if (sent->flags & SENT_LOST) {
        c->lost_bytes -= length_of(sent);
        sent->flags &= ~SENT_LOST;
    } else {
        c->sacked_bytes -= length_of(sent);
        sent->flags &= ~SENT_SACKED;
    }
    sent->flags |= SENT_RETRANSMITTED;
    if (sent->retransmits < UINT8_MAX)
        sent->retransmits++;
    sent->sent_us = now_us;
    time_append(tcp, c, sent);
}

void sent_forget_sacks(struct tcp *tcp, struct tcp_connection *c)
{
    for (struct tcp_sent *sent = sent_first(tcp, c); sent; sent = sent_next(tcp, sent)) {
        if (!(sent->flags & SENT_SACKED))
            continue;
        sent->flags = (sent->flags & ~SENT_SACKED) | SENT_LOST;
        c->sacked_bytes -= length_of(sent);
        c->lost_bytes += length_of(sent);
    }
}

/* Puts a record back among the timed ones where its transmission belongs: near the end, as a rule. */
static void time_insert(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    uint32_t after = c->time_tail, index = index_of(tcp, sent);

    while (after != TCP_NONE && tcp->sent[after].sent_us > sent->sent_us)
        after = tcp->sent[after].time_prev;
    sent->time_prev = after;
    sent->time_next = after == TCP_NONE ? c->time_head : tcp->sent[after].time_next;
    if (after == TCP_NONE)
        c->time_head = index;
    else
        tcp->sent[after].time_next = index;
    if (sent->time_next == TCP_NONE)
        c->time_tail = index;
    else
        tcp->sent[sent->time_next].time_prev = index;
}

void sent_forget_losses(struct tcp *tcp, struct tcp_connection *c)
{
    for (struct tcp_sent *sent = sent_first(tcp, c); sent; sent = sent_next(tcp, sent)) {
        if (!(sent->flags & SENT_LOST))
            continue;
        sent->flags &= ~SENT_LOST;
        c->lost_bytes -= length_of(sent);
        time_insert(tcp, c, sent);
    }
}

void sent_free_all(struct tcp *tcp, struct tcp_connection *c)
{
    while (c->sent_head != TCP_NONE)
        sent_remove_first(tcp, c);
}

uint32_t sent_bytes_with(const struct tcp *tcp, const struct tcp_connection *c, uint8_t flags)
{
    uint32_t sum = 0;

    for (struct tcp_sent *sent = sent_first(tcp, c); sent; sent = sent_next(tcp, sent))
        if ((sent->flags & flags) == flags)
            sum += length_of(sent);
    return sum;
}
