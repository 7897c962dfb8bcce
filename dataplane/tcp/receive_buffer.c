/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/receive_buffer.h"

#include <rte_mbuf.h>
#include <rte_memcpy.h>

#include "tcp/recovery.h"

/* A segment up to this long is copied behind the one before it where there is room: what an mbuf pins is then used. */
#define MERGE_MAX 512

/* Both queues are single mbufs linked by next; the sequence number of one that waits behind the gap is kept in the hash field,
 * which the port's receive side is done with. */
static uint32_t seq_of(const struct rte_mbuf *mbuf)
{
    return mbuf->hash.usr;
}

static uint32_t end_of(const struct rte_mbuf *mbuf)
{
    return mbuf->hash.usr + mbuf->data_len;
}

static uint32_t truesize_of(const struct rte_mbuf *mbuf)
{
    return mbuf->buf_len + (uint32_t)sizeof(*mbuf);
}

static void account(struct tcp *tcp, struct tcp_connection *c, const struct rte_mbuf *mbuf)
{
    c->truesize += truesize_of(mbuf);
    c->receive_mbufs++;
    tcp->received_mbufs++;
}

static void unaccount(struct tcp *tcp, struct tcp_connection *c, const struct rte_mbuf *mbuf)
{
    c->truesize -= truesize_of(mbuf);
    c->receive_mbufs--;
    tcp->received_mbufs--;
    if (c->collapse_floor > c->truesize)
        c->collapse_floor = c->truesize;
}

static void release(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf)
{
    unaccount(tcp, c, mbuf);
    mbuf->next = NULL;
    rte_pktmbuf_free_seg(mbuf);
}

/* May its tailroom be written? Not if the buffer is somebody else's too. */
static bool is_ours_alone(const struct rte_mbuf *mbuf)
{
    return RTE_MBUF_DIRECT(mbuf) && rte_mbuf_refcnt_read(mbuf) == 1;
}

static uint32_t tailroom_of(const struct rte_mbuf *mbuf)
{
    return mbuf->buf_len - mbuf->data_off - mbuf->data_len;
}

static void copy_behind(struct rte_mbuf *into, const struct rte_mbuf *from, uint32_t len)
{
    rte_memcpy(rte_pktmbuf_mtod_offset(into, uint8_t *, into->data_len), rte_pktmbuf_mtod(from, const uint8_t *), len);
    into->data_len += len;
}

static void cut_front(struct rte_mbuf *mbuf, uint32_t len)
{
    mbuf->data_off += len;
    mbuf->data_len -= len;
    mbuf->hash.usr += len;
}

/* Copies the small segment behind the one before it. True when that was possible. */
static bool merge(struct tcp *tcp, struct rte_mbuf *into, struct rte_mbuf *mbuf)
{
    if (!into || mbuf->data_len > MERGE_MAX || mbuf->data_len > tailroom_of(into) || !is_ours_alone(into))
        return false;
    copy_behind(into, mbuf, mbuf->data_len);
    tcp->counters.merged++;
    return true;
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

static bool fits(const struct tcp *tcp, const struct tcp_connection *c, uint32_t truesize, uint32_t mbufs)
{
    return c->truesize + truesize <= tcp->receive_limit && tcp->received_mbufs + mbufs <= tcp->received_mbufs_max;
}

/* Puts an empty mbuf behind *tail (NULL: first). False when the pool is empty. */
static bool add_fresh(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf **head, struct rte_mbuf **tail,
                      uint32_t seq)
{
    struct rte_mbuf *fresh = rte_pktmbuf_alloc(tcp->packet_pool);

    if (unlikely(!fresh)) {
        tcp->counters.no_packet_mbuf++;
        return false;
    }
    fresh->data_off = 0;
    fresh->hash.usr = seq;
    account(tcp, c, fresh);
    if (*tail)
        (*tail)->next = fresh;
    else
        *head = fresh;
    *tail = fresh;
    return true;
}

/* Copies a queue into as few mbufs as it needs, each filled to the brim; with gaps: only what is contiguous shares one. Stops
 * early when the pool is empty: the queue is whole at any time. */
static void collapse_queue(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf **queue_head,
                           struct rte_mbuf **queue_tail, bool gaps)
{
    struct rte_mbuf *rest = *queue_head, *head = NULL, *tail = NULL;

    while (rest) {
        uint32_t piece;

        if ((!tail || tailroom_of(tail) == 0 || (gaps && end_of(tail) != seq_of(rest))) &&
            !add_fresh(tcp, c, &head, &tail, seq_of(rest)))
            break;
        piece = rest->data_len < tailroom_of(tail) ? rest->data_len : tailroom_of(tail);
        copy_behind(tail, rest, piece);
        cut_front(rest, piece);
        if (rest->data_len == 0) {
            struct rte_mbuf *done = rest;

            rest = rest->next;
            release(tcp, c, done);
        }
    }
    if (tail) {
        tail->next = rest;
        *queue_head = head;
        if (!rest)
            *queue_tail = tail;
    }
}

/* Copying everything costs as much as is held: it is worth it only when an eighth of the limit has come since the last time.
 * receive_capacity leaves room for that. */
static bool collapse(struct tcp *tcp, struct tcp_connection *c)
{
    if (c->truesize < c->collapse_floor + tcp->receive_limit / 8)
        return false;
    tcp->counters.collapsed++;
    collapse_queue(tcp, c, &c->receive_head, &c->receive_tail, false);
    collapse_queue(tcp, c, &c->ooo_head, &c->ooo_tail, true);
    c->collapse_floor = c->truesize;
    return true;
}

/* Gives up what waits behind the gap, furthest first, until there is room. */
static void prune(struct tcp *tcp, struct tcp_connection *c, uint32_t truesize, uint32_t mbufs)
{
    while (c->ooo_head && !fits(tcp, c, truesize, mbufs)) {
        struct rte_mbuf **link = &c->ooo_head, *before = NULL;

        while (*link != c->ooo_tail) {
            before = *link;
            link = &(*link)->next;
        }
        tcp->counters.pruned++;
        release(tcp, c, c->ooo_tail);
        *link = NULL;
        c->ooo_tail = before;
        c->sack_count = 0;
    }
}

/* Is there room for this chain, if need be at the cost of a copy, or of what is out of order? */
static bool admit(struct tcp *tcp, struct tcp_connection *c, const struct rte_mbuf *chain, bool in_order)
{
    uint32_t truesize = 0, mbufs = 0;

    for (const struct rte_mbuf *mbuf = chain; mbuf; mbuf = mbuf->next) {
        truesize += truesize_of(mbuf);
        mbufs++;
    }
    if (likely(fits(tcp, c, truesize, mbufs)))
        return true;
    if (tcp->received_mbufs + mbufs > tcp->received_mbufs_max)
        tcp->receive_refused = true;
    if (collapse(tcp, c) && fits(tcp, c, truesize, mbufs))
        return true;
    if (!in_order)
        return false;
    prune(tcp, c, truesize, mbufs);
    return fits(tcp, c, truesize, mbufs);
}

/* --- the queue in order ----------------------------------------------------------------------------------------------- */

/* Takes one mbuf, not accounted for yet, to the end of the queue. */
static void append(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf)
{
    c->receive_bytes += mbuf->data_len;
    c->rcv_nxt += mbuf->data_len;
    c->bytes_in += mbuf->data_len;
    tcp->counters.bytes_in += mbuf->data_len;
    if (mbuf->data_len == 0 || merge(tcp, c->receive_tail, mbuf)) {
        rte_pktmbuf_free_seg(mbuf);
        return;
    }
    account(tcp, c, mbuf);
    if (c->receive_tail)
        c->receive_tail->next = mbuf;
    else
        c->receive_head = mbuf;
    c->receive_tail = mbuf;
}

/* What waited behind the gap and is in order now moves over. */
static void pull_waiting(struct tcp *tcp, struct tcp_connection *c)
{
    while (c->ooo_head && seq_le(seq_of(c->ooo_head), c->rcv_nxt)) {
        struct rte_mbuf *mbuf = c->ooo_head;
        uint32_t overlap = c->rcv_nxt - seq_of(mbuf);

        c->ooo_head = mbuf->next;
        if (!c->ooo_head)
            c->ooo_tail = NULL;
        mbuf->next = NULL;
        if (overlap >= mbuf->data_len) {
            release(tcp, c, mbuf);
            continue;
        }
        cut_front(mbuf, overlap);
        unaccount(tcp, c, mbuf);
        append(tcp, c, mbuf);
    }
    sack_forget_below(c, c->rcv_nxt);
}

enum receive_result receive_in_order(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf, uint32_t seq)
{
    uint32_t skip = c->rcv_nxt - seq;

    if (!admit(tcp, c, mbuf, true)) {
        rte_pktmbuf_free(mbuf);
        return RECEIVE_NO_MEMORY;
    }
    while (mbuf) {
        struct rte_mbuf *next = mbuf->next;
        uint32_t piece = skip < mbuf->data_len ? skip : mbuf->data_len;

        mbuf->next = NULL;
        cut_front(mbuf, piece);
        skip -= piece;
        append(tcp, c, mbuf);
        mbuf = next;
    }
    if (c->ooo_head)
        pull_waiting(tcp, c);
    return RECEIVE_TAKEN;
}

/* --- behind the gap --------------------------------------------------------------------------------------------------- */

/* The last waiting mbuf that begins at or before seq, or NULL. */
static struct rte_mbuf *find_before(const struct tcp_connection *c, uint32_t seq)
{
    struct rte_mbuf *before = NULL;

    if (c->ooo_tail && seq_le(seq_of(c->ooo_tail), seq))
        return c->ooo_tail;
    for (struct rte_mbuf *mbuf = c->ooo_head; mbuf && seq_le(seq_of(mbuf), seq); mbuf = mbuf->next)
        before = mbuf;
    return before;
}

/* Puts one mbuf (hash.usr set) where it belongs, less what is there already. False when nothing of it is new. */
static bool insert(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf)
{
    struct rte_mbuf *before = find_before(c, seq_of(mbuf));
    struct rte_mbuf **link = before ? &before->next : &c->ooo_head;

    if (before && seq_gt(end_of(before), seq_of(mbuf))) {
        uint32_t overlap = end_of(before) - seq_of(mbuf);

        cut_front(mbuf, overlap < mbuf->data_len ? overlap : mbuf->data_len);
    }
    /* What it covers whole gives way; what it covers in part keeps its bytes. */
    while (mbuf->data_len > 0 && *link && seq_lt(seq_of(*link), end_of(mbuf))) {
        struct rte_mbuf *next = *link;

        if (seq_gt(end_of(next), end_of(mbuf))) {
            mbuf->data_len = (uint16_t)(seq_of(next) - seq_of(mbuf));
            break;
        }
        *link = next->next;
        if (c->ooo_tail == next)
            c->ooo_tail = before;
        release(tcp, c, next);
    }
    if (mbuf->data_len == 0) {
        rte_pktmbuf_free_seg(mbuf);
        return false;
    }
    if (before && end_of(before) == seq_of(mbuf) && merge(tcp, before, mbuf)) {
        rte_pktmbuf_free_seg(mbuf);
        return true;
    }
    account(tcp, c, mbuf);
    mbuf->next = *link;
    *link = mbuf;
    if (!mbuf->next)
        c->ooo_tail = mbuf;
    return true;
}

enum receive_result receive_out_of_order(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf *mbuf, uint32_t seq)
{
    bool is_new = false;

    if (!admit(tcp, c, mbuf, false)) {
        rte_pktmbuf_free(mbuf);
        return RECEIVE_NO_MEMORY;
    }
    while (mbuf) {
        struct rte_mbuf *next = mbuf->next;
        uint32_t len = mbuf->data_len;

        mbuf->next = NULL;
        mbuf->hash.usr = seq;
        is_new |= insert(tcp, c, mbuf);
        seq += len;
        mbuf = next;
    }
    return is_new ? RECEIVE_TAKEN : RECEIVE_DUPLICATE;
}

void receive_cut(struct tcp *tcp, struct tcp_connection *c, uint32_t end)
{
    struct rte_mbuf **link = &c->ooo_head, *before = NULL;

    while (*link) {
        struct rte_mbuf *mbuf = *link;

        if (seq_ge(seq_of(mbuf), end)) {
            *link = mbuf->next;
            release(tcp, c, mbuf);
            continue;
        }
        if (seq_gt(end_of(mbuf), end))
            mbuf->data_len = (uint16_t)(end - seq_of(mbuf));
        before = mbuf;
        link = &mbuf->next;
    }
    c->ooo_tail = before;
    sack_forget_from(c, end);
}

/* --- the window, and the application's side --------------------------------------------------------------------------- */

uint32_t receive_window_limit(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t limit = conn_has(c, CONN_WINDOW_SCALE) ? (uint32_t)UINT16_MAX << c->rcv_shift : UINT16_MAX;

    return limit < tcp->receive_capacity ? limit : tcp->receive_capacity;
}

uint32_t receive_window(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t limit = receive_window_limit(tcp, c);
    uint32_t offered = c->rcv_adv - c->rcv_nxt;
    uint32_t space, step;

    /* Packet memory is short: nobody gets more than a few segments ahead until it is not. */
    if (tcp->received_mbufs > tcp->received_mbufs_max / 2 && limit > 4u * conn_own_mss(tcp, c))
        limit = 4u * conn_own_mss(tcp, c);
    space = limit > c->receive_bytes ? limit - c->receive_bytes : 0;
    step = limit / 2 < conn_own_mss(tcp, c) ? limit / 2 : conn_own_mss(tcp, c);
    return space >= offered + step ? space : offered;
}

bool receive_window_opened(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t limit = receive_window_limit(tcp, c);
    uint32_t offered = c->rcv_adv - c->rcv_nxt;
    uint32_t grown = receive_window(tcp, c) - offered;

    /* With a quarter left the peer is not held up: the next ACK carries the news. */
    return offered < limit / 4 && (grown >= 2u * conn_own_mss(tcp, c) || grown >= limit / 2);
}

void receive_consume(struct tcp *tcp, struct tcp_connection *c, size_t len)
{
    if (len > c->receive_bytes)
        len = c->receive_bytes;
    c->receive_bytes -= (uint32_t)len;
    while (len > 0) {
        struct rte_mbuf *mbuf = c->receive_head;
        uint32_t piece = len < mbuf->data_len ? (uint32_t)len : mbuf->data_len;

        cut_front(mbuf, piece);
        len -= piece;
        if (mbuf->data_len > 0)
            break;
        c->receive_head = mbuf->next;
        if (!c->receive_head)
            c->receive_tail = NULL;
        release(tcp, c, mbuf);
    }
}

static void release_queue(struct tcp *tcp, struct tcp_connection *c, struct rte_mbuf **head, struct rte_mbuf **tail)
{
    struct rte_mbuf *mbuf, *next;

    for (mbuf = *head; mbuf; mbuf = next) {
        next = mbuf->next;
        release(tcp, c, mbuf);
    }
    *head = *tail = NULL;
}

void receive_free(struct tcp *tcp, struct tcp_connection *c)
{
    release_queue(tcp, c, &c->receive_head, &c->receive_tail);
    release_queue(tcp, c, &c->ooo_head, &c->ooo_tail);
    c->receive_bytes = 0;
    c->sack_count = 0;
}

void receive_drop_waiting(struct tcp *tcp, struct tcp_connection *c)
{
    release_queue(tcp, c, &c->ooo_head, &c->ooo_tail);
    c->sack_count = 0;
}

uint32_t receive_waiting(const struct tcp_connection *c, uint32_t *mbufs)
{
    uint32_t bytes = 0;

    *mbufs = 0;
    for (const struct rte_mbuf *mbuf = c->ooo_head; mbuf; mbuf = mbuf->next) {
        bytes += mbuf->data_len;
        (*mbufs)++;
    }
    return bytes;
}
