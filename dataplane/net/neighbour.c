/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/neighbour.h"

#include <stdlib.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "net/net.h"

#define TOUCH_EVERY_US 1000000 /* the LRU order need not be finer than this */

/* 64-bit finaliser of splitmix64. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
    return h ^ (h >> 31);
}

/* Keyed, because who is on the link chooses addresses. */
static uint32_t bucket_of(const struct neighbours *table, uint32_t port, const struct assay_address *address)
{
    uint64_t high, low;

    memcpy(&high, address->bytes, sizeof(high));
    memcpy(&low, address->bytes + sizeof(high), sizeof(low));
    return (uint32_t)mix(mix(high ^ table->hash_key ^ (uint64_t)port << 32) ^ low) & table->buckets_mask;
}

static uint32_t index_of(const struct neighbours *table, const struct neighbour *n)
{
    return (uint32_t)(n - table->rows);
}

enum assay_error neighbours_init(struct neighbours *table, uint32_t max, uint32_t pending_max, uint64_t hash_key,
                                 struct net_counters *counters)
{
    uint32_t buckets = 1;

    while (buckets < max * 2)
        buckets *= 2;
    *table = (struct neighbours){.max = max, .buckets_mask = buckets - 1, .pending_max = pending_max};
    table->hash_key = hash_key;
    table->counters = counters;
    table->next_due_us = UINT64_MAX;
    table->lru_first = table->lru_last = NEIGHBOUR_NONE;
    table->buckets = malloc(buckets * sizeof(table->buckets[0]));
    table->rows = calloc(max, sizeof(table->rows[0]));
    table->pending = calloc(pending_max, sizeof(table->pending[0]));
    if (table->buckets == NULL || table->rows == NULL || table->pending == NULL) {
        neighbours_fini(table);
        return ASSAY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < buckets; i++)
        table->buckets[i] = NEIGHBOUR_NONE;
    for (uint32_t i = 0; i < max; i++)
        table->rows[i].hash_next = i + 1 < max ? i + 1 : NEIGHBOUR_NONE;
    for (uint32_t i = 0; i < pending_max; i++)
        table->pending[i].next = i + 1 < pending_max ? i + 1 : NEIGHBOUR_NONE;
    table->free_pending = pending_max ? 0 : NEIGHBOUR_NONE;
    return ASSAY_OK;
}

void neighbours_fini(struct neighbours *table)
{
    for (uint32_t i = 0; table->rows != NULL && table->pending != NULL && i < table->max; i++)
        for (struct rte_mbuf *m; (m = neighbours_dequeue(table, &table->rows[i])) != NULL;)
            rte_pktmbuf_free(m);
    free(table->buckets);
    free(table->rows);
    free(table->pending);
    *table = (struct neighbours){0};
}

struct neighbour *neighbours_find(const struct neighbours *table, uint32_t port, const struct assay_address *address)
{
    uint32_t i = table->buckets[bucket_of(table, port, address)];

    while (i != NEIGHBOUR_NONE && (!address_equal(&table->rows[i].address, address) || table->rows[i].port != port))
        i = table->rows[i].hash_next;
    return i == NEIGHBOUR_NONE ? NULL : &table->rows[i];
}

static void lru_unlink(struct neighbours *table, struct neighbour *n)
{
    if (n->lru_prev == NEIGHBOUR_NONE)
        table->lru_first = n->lru_next;
    else
        table->rows[n->lru_prev].lru_next = n->lru_next;
    if (n->lru_next == NEIGHBOUR_NONE)
        table->lru_last = n->lru_prev;
    else
        table->rows[n->lru_next].lru_prev = n->lru_prev;
}

static void lru_push_first(struct neighbours *table, struct neighbour *n)
{
    n->lru_prev = NEIGHBOUR_NONE;
    n->lru_next = table->lru_first;
    if (table->lru_first != NEIGHBOUR_NONE)
        table->rows[table->lru_first].lru_prev = index_of(table, n);
    else
        table->lru_last = index_of(table, n);
    table->lru_first = index_of(table, n);
}

static void lru_push_last(struct neighbours *table, struct neighbour *n)
{
    n->lru_next = NEIGHBOUR_NONE;
    n->lru_prev = table->lru_last;
    if (table->lru_last != NEIGHBOUR_NONE)
        table->rows[table->lru_last].lru_next = index_of(table, n);
    else
        table->lru_first = index_of(table, n);
    table->lru_last = index_of(table, n);
}

void neighbours_remove(struct neighbours *table, struct neighbour *n)
{
    uint32_t *link = &table->buckets[bucket_of(table, n->port, &n->address)];

    for (struct rte_mbuf *m; (m = neighbours_dequeue(table, n)) != NULL;) {
        table->counters->drop_arp_queue++;
        rte_pktmbuf_free(m);
    }
    while (*link != index_of(table, n))
        link = &table->rows[*link].hash_next;
    *link = n->hash_next;
    lru_unlink(table, n);
    *n = (struct neighbour){.hash_next = table->free_row};
    table->free_row = index_of(table, n);
}

static bool make_room(struct neighbours *table, bool wanted)
{
    struct neighbour *victim;

    if (table->free_row != NEIGHBOUR_NONE)
        return true;
    /* Those that were never wanted stand last: a flood of requests turns over one row, and evicts nobody we talk to. */
    victim = &table->rows[table->lru_last];
    if (!wanted && victim->wanted)
        return false;
    table->counters->arp_evicted++;
    neighbours_remove(table, victim);
    return true;
}

struct neighbour *neighbours_add(struct neighbours *table, uint32_t port, const struct assay_address *address,
                                 bool wanted, uint64_t now_us)
{
    uint32_t *bucket = &table->buckets[bucket_of(table, port, address)];
    struct neighbour *n;

    if (!make_room(table, wanted))
        return NULL;
    n = &table->rows[table->free_row];
    table->free_row = n->hash_next;
    *n =
        (struct neighbour){.address = *address, .port = (uint8_t)port, .state = NEIGHBOUR_INCOMPLETE, .wanted = wanted};
    n->used_us = wanted ? now_us : 0;
    n->due_us = UINT64_MAX;
    n->pending_head = n->pending_tail = NEIGHBOUR_NONE;
    n->hash_next = *bucket;
    *bucket = index_of(table, n);
    if (wanted)
        lru_push_first(table, n);
    else
        lru_push_last(table, n);
    return n;
}

void neighbours_touch(struct neighbours *table, struct neighbour *n, uint64_t now_us)
{
    if (table->lru_first != index_of(table, n) && (!n->wanted || now_us - n->used_us >= TOUCH_EVERY_US)) {
        lru_unlink(table, n);
        lru_push_first(table, n);
    }
    n->wanted = true;
    n->used_us = now_us;
}

void neighbours_set_state(struct neighbours *table, struct neighbour *n, enum neighbour_state state, uint64_t due_us)
{
    n->state = state;
    n->due_us = due_us;
    if (due_us < table->next_due_us)
        table->next_due_us = due_us;
}

const char *neighbour_state_name(enum neighbour_state state)
{
    switch (state) {
    case NEIGHBOUR_FREE: return "free";
    case NEIGHBOUR_INCOMPLETE: return "incomplete";
    case NEIGHBOUR_REACHABLE: return "reachable";
    case NEIGHBOUR_STALE: return "stale";
    case NEIGHBOUR_PROBE: return "probe";
    case NEIGHBOUR_FAILED: return "failed";
    }
    return "";
}

void neighbours_enqueue(struct neighbours *table, struct neighbour *n, struct rte_mbuf *frame)
{
    struct pending_frame *slot;
    uint32_t i;

    if (n->pending_count == NEIGHBOUR_PENDING_MAX) {
        table->counters->drop_arp_queue++;
        rte_pktmbuf_free(neighbours_dequeue(table, n));
    }
    if (table->free_pending == NEIGHBOUR_NONE) {
        table->counters->drop_arp_queue++;
        rte_pktmbuf_free(frame);
        return;
    }
    i = table->free_pending;
    slot = &table->pending[i];
    table->free_pending = slot->next;
    *slot = (struct pending_frame){frame, NEIGHBOUR_NONE};
    if (n->pending_count++ == 0)
        n->pending_head = i;
    else
        table->pending[n->pending_tail].next = i;
    n->pending_tail = i;
    table->counters->arp_queued++;
}

struct rte_mbuf *neighbours_dequeue(struct neighbours *table, struct neighbour *n)
{
    uint32_t i = n->pending_head;
    struct pending_frame *slot;
    struct rte_mbuf *frame;

    if (n->pending_count == 0)
        return NULL;
    slot = &table->pending[i];
    frame = slot->frame;
    n->pending_head = slot->next;
    n->pending_count--;
    *slot = (struct pending_frame){NULL, table->free_pending};
    table->free_pending = i;
    return frame;
}
