/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_NEIGHBOUR_H
#define ASSAY_NET_NEIGHBOUR_H
/* The neighbours of both families, for ARP and neighbour discovery: a hash of (port, address) with a bound, least-recently-used eviction, and for each neighbour a short queue of
 * frames that wait for its MAC address. The table knows states and time, but sends nothing: resolve.c does.
 * Owner: the table owns its rows and the frames in its queues. Thread: one core. Units: microseconds.
 * Source: RFC 826, RFC 1122 §2.3.2; the states are those of RFC 4861 §7.3.2. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "net/ether.h"

struct rte_mbuf;
struct net_counters;

#define NEIGHBOUR_NONE        UINT32_MAX
#define NEIGHBOUR_PENDING_MAX 16           /* frames a neighbour; the oldest is dropped for a new one */
#define NEIGHBOUR_STALE_US    600000000ULL /* an unused entry is forgotten after it */

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_INCOMPLETE, /* asked by broadcast or multicast, no answer yet: frames wait */
    NEIGHBOUR_REACHABLE,  /* confirmed not long ago */
    NEIGHBOUR_STALE,      /* usable; to be confirmed when next used */
    NEIGHBOUR_PROBE,      /* usable; asked by unicast whether it still holds */
    NEIGHBOUR_FAILED,     /* did not answer: frames are dropped until due_us */
};

struct neighbour {
    struct assay_address address;
    uint8_t port;
    uint8_t state; /* enum neighbour_state */
    uint8_t tries;
    uint8_t mac[ETHER_MAC_BYTES];
    bool wanted; /* we have sent to it; false: it is here because it asked for us */
    uint64_t due_us;
    uint64_t confirmed_us;
    uint64_t used_us;
    uint32_t pending_head, pending_tail; /* indices of waiting frames */
    uint32_t pending_count;
    uint32_t hash_next;
    uint32_t lru_prev, lru_next; /* toward the most, the least recently used */
};

struct pending_frame {
    struct rte_mbuf *frame;
    uint32_t next;
};

struct neighbours {
    uint32_t max, buckets_mask, pending_max;
    uint32_t free_row, free_pending;
    uint32_t lru_first, lru_last;
    uint64_t next_due_us; /* nothing is due before; may be earlier than the truth */
    uint64_t hash_key;
    struct net_counters *counters;
    uint32_t *buckets;
    struct neighbour *rows;
    struct pending_frame *pending;
};

/* counters: where evictions and drops are counted. NO_MEMORY. */
enum assay_error neighbours_init(struct neighbours *table, uint32_t max, uint32_t pending_max, uint64_t hash_key,
                                 struct net_counters *counters) ASSAY_MUST_USE;
void neighbours_fini(struct neighbours *table);

struct neighbour *neighbours_find(const struct neighbours *table, uint32_t port, const struct assay_address *address);
/* A new row in state INCOMPLETE, due never. A wanted one evicts the least recently used of a full table; another only one that
 * was never wanted either, else NULL. */
struct neighbour *neighbours_add(struct neighbours *table, uint32_t port, const struct assay_address *address,
                                 bool wanted, uint64_t now_us);
void neighbours_remove(struct neighbours *table, struct neighbour *n);
/* It was used now. */
void neighbours_touch(struct neighbours *table, struct neighbour *n, uint64_t now_us);
/* The one place where a state changes. */
void neighbours_set_state(struct neighbours *table, struct neighbour *n, enum neighbour_state state, uint64_t due_us);
const char *neighbour_state_name(enum neighbour_state state);

/* Takes the frame over; drops (and counts) what finds no room. */
void neighbours_enqueue(struct neighbours *table, struct neighbour *n, struct rte_mbuf *frame);
/* The oldest waiting frame, or NULL. */
struct rte_mbuf *neighbours_dequeue(struct neighbours *table, struct neighbour *n);

#endif
