/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/fragments.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "net/ip4.h"
#include "net/net.h"

#define UNIT         8  /* bytes: offsets count in them, and so does the length of every fragment but the last */
#define TCP_BYTES    20 /* must be in the first fragment of a TCP segment (RFC 3128) */
#define HEADER_BYTES 8  /* of anything else: UDP, ICMP */

void fragments_init(struct fragments *table, struct net_counters *counters)
{
    memset(table, 0, sizeof(*table));
    table->counters = counters;
    table->next_due_us = UINT64_MAX;
}

static void empty(struct fragment_datagram *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        rte_pktmbuf_free(d->parts[i].m);
    d->count = 0;
}

void fragments_fini(struct fragments *table)
{
    for (uint32_t i = 0; i < FRAGMENTS_DATAGRAMS_MAX; i++)
        empty(&table->rows[i]);
}

static void drop(struct rte_mbuf *m, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(m);
}

/* Could no host that means well have sent it? */
static bool is_refused(const struct fragment *f, uint32_t length)
{
    bool tcp = f->protocol == IP4_PROTO_TCP;

    if (length == 0 || (f->more && length % UNIT != 0) || f->offset + length > FRAGMENTS_BYTES_MAX)
        return true;
    if (f->offset == 0)
        return length < (tcp ? TCP_BYTES : HEADER_BYTES);
    return tcp && f->offset < TCP_BYTES;
}

static bool is_of(const struct fragment_datagram *d, uint32_t port, const struct fragment *f)
{
    return d->due_us != 0 && d->port == port && d->key.id == f->id && d->key.key_protocol == f->key_protocol &&
           address_equal(&d->key.src, &f->src) && address_equal(&d->key.dst, &f->dst);
}

/* The row of its datagram: one that waits, a free one, or the oldest. NULL: its source has enough of them. */
static struct fragment_datagram *find_row(struct fragments *table, uint32_t port, const struct fragment *f)
{
    struct fragment_datagram *best = &table->rows[0];
    uint32_t of_source = 0;

    for (uint32_t i = 0; i < FRAGMENTS_DATAGRAMS_MAX; i++) {
        struct fragment_datagram *d = &table->rows[i];

        if (is_of(d, port, f))
            return d;
        of_source += d->due_us != 0 && address_equal(&d->key.src, &f->src);
        if (d->due_us < best->due_us)
            best = d;
    }
    return of_source < FRAGMENTS_PER_SOURCE_MAX ? best : NULL;
}

static void begin(struct fragments *table, struct fragment_datagram *d, uint32_t port, const struct fragment *f,
                  uint64_t now_us)
{
    if (d->due_us != 0) {
        table->counters->fragments_evicted++;
        empty(d);
    }
    *d = (struct fragment_datagram){.key = *f, .port = port, .due_us = now_us + FRAGMENTS_TIMEOUT_US};
    if (d->due_us < table->next_due_us)
        table->next_due_us = d->due_us;
}

/* Nothing of it is delivered any more; the row stays, so that the rest of it is known. */
static void spoil(struct fragment_datagram *d)
{
    empty(d);
    d->spoilt = true;
}

enum fit { FIT_GOOD, FIT_TWICE, FIT_OVERLAP };

/* Where does it belong among the parts? *at is the place. */
static enum fit find_place(const struct fragment_datagram *d, const struct fragment *f, uint32_t length, uint32_t *at)
{
    uint32_t i = 0, end = f->offset + length;

    while (i < d->count && d->parts[i].offset < f->offset)
        i++;
    *at = i;
    if (i < d->count && d->parts[i].offset == f->offset && d->parts[i].length == length)
        return FIT_TWICE; /* the network duplicates packets (RFC 8200 §4.5) */
    if ((i > 0 && d->parts[i - 1].offset + d->parts[i - 1].length > f->offset) ||
        (i < d->count && end > d->parts[i].offset))
        return FIT_OVERLAP;
    /* Two ends, or something behind the end, are a kind of overlap too. */
    if (d->total != 0 ? end > d->total || !f->more : !f->more && i < d->count)
        return FIT_OVERLAP;
    return FIT_GOOD;
}

static bool is_whole(const struct fragment_datagram *d)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        if (d->parts[i].offset != next)
            return false;
        next += d->parts[i].length;
    }
    return d->total != 0 && next == d->total;
}

/* Chains the parts behind the first one and frees the row. */
static struct rte_mbuf *take(struct fragments *table, struct fragment_datagram *d)
{
    struct rte_mbuf *whole = d->parts[0].m;
    uint32_t i = 1;

    while (i < d->count && rte_pktmbuf_chain(whole, d->parts[i].m) == 0)
        i++;
    if (i < d->count) { /* more segments than an mbuf counts */
        for (; i < d->count; i++)
            rte_pktmbuf_free(d->parts[i].m);
        drop(whole, &table->counters->fragments_refused);
        whole = NULL;
    } else {
        table->counters->fragments_reassembled++;
    }
    *d = (struct fragment_datagram){0};
    return whole;
}

/* A mark among fragments of which one could not carry any: the sender would not know what to do with it. */
static bool is_marked_in_vain(const struct fragment_datagram *d)
{
    return d->ecn_seen & 1u << NET_ECN_CE && d->ecn_seen & 1u << NET_ECN_NONE;
}

struct rte_mbuf *fragments_add(struct fragments *table, uint32_t port, const struct fragment *fragment,
                               struct rte_mbuf *m, uint64_t now_us, bool *marked)
{
    struct net_counters *c = table->counters;
    uint32_t length = m->pkt_len - fragment->data_at, at;
    struct fragment_datagram *d;

    *marked = false;
    c->fragments_received++;
    d = is_refused(fragment, length) ? NULL : find_row(table, port, fragment);
    if (d == NULL) {
        drop(m, &c->fragments_refused);
        return NULL;
    }
    if (!is_of(d, port, fragment))
        begin(table, d, port, fragment, now_us);
    switch (d->spoilt ? FIT_TWICE : find_place(d, fragment, length, &at)) {
    case FIT_TWICE: rte_pktmbuf_free(m); return NULL;
    case FIT_OVERLAP:
        spoil(d);
        drop(m, &c->fragments_overlapped);
        return NULL;
    case FIT_GOOD: break;
    }
    d->ecn_seen |= (uint8_t)(1u << fragment->ecn);
    if (d->count == FRAGMENTS_PARTS_MAX || is_marked_in_vain(d)) {
        spoil(d);
        drop(m, &c->fragments_refused);
        return NULL;
    }
    if (fragment->offset != 0)
        (void)rte_pktmbuf_adj(m, fragment->data_at);
    memmove(&d->parts[at + 1], &d->parts[at], (d->count - at) * sizeof(d->parts[0]));
    d->parts[at] = (struct fragment_part){m, fragment->offset, length};
    d->count++;
    if (!fragment->more)
        d->total = fragment->offset + length;
    if (!is_whole(d))
        return NULL;
    *marked = d->ecn_seen & 1u << NET_ECN_CE;
    return take(table, d);
}

/* Frees the row but for its first fragment, which is returned; NULL: that has not come. */
static struct rte_mbuf *give_up(struct fragments *table, struct fragment_datagram *d)
{
    struct rte_mbuf *first = NULL;

    table->counters->fragments_expired++;
    if (d->count > 0 && d->parts[0].offset == 0) {
        first = d->parts[0].m;
        d->parts[0] = d->parts[--d->count];
    }
    empty(d);
    *d = (struct fragment_datagram){0};
    return first;
}

struct rte_mbuf *fragments_expire(struct fragments *table, uint64_t now_us, uint32_t *port)
{
    struct rte_mbuf *first = NULL;

    if (table->next_due_us > now_us)
        return NULL;
    table->next_due_us = UINT64_MAX;
    for (uint32_t i = 0; i < FRAGMENTS_DATAGRAMS_MAX; i++) {
        struct fragment_datagram *d = &table->rows[i];

        if (d->due_us == 0)
            continue;
        if (d->due_us <= now_us && first == NULL) {
            *port = d->port;
            first = give_up(table, d);
        } else if (d->due_us < table->next_due_us) {
            table->next_due_us = d->due_us;
        }
    }
    return first;
}
