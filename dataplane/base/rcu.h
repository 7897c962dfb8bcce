/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_RCU_H
#define ASSAY_BASE_RCU_H
/* Quiescent-state based reclamation (rte_rcu_qsbr): control publishes a pointer, cores read it, and control frees the
 * old object once every core has passed a quiescent point since. A core registers once, goes online, reports each turn,
 * and goes offline before it sleeps, so that a sleeping core holds nothing up.
 *
 *   core:     p = rcu_read(&slot); … use p …; rcu_quiescent(rcu, reader);   // p must not be used after this
 *   control:  old = rcu_publish(&slot, new); ticket = rcu_start(rcu); … rcu_done(rcu, ticket) … free(old)
 *
 * Owner: the caller; the object of rcu_create() outlives its readers.
 * Thread: reader r's calls on r's core; rcu_start(), rcu_done(), rcu_wait() by control (any number of threads).
 * Source: DPDK programmer's guide, RCU library. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"

struct rcu;

#define RCU_READERS_MAX 1024

/* RANGE: readers_max of 0 or over RCU_READERS_MAX; NO_MEMORY. */
enum assay_error rcu_create(uint32_t readers_max, struct rcu **out) ASSAY_MUST_USE;
void rcu_destroy(struct rcu *rcu);

/* reader < readers_max, else RANGE; DUPLICATE when it is registered already. A registered reader starts offline. */
enum assay_error rcu_register(struct rcu *rcu, uint32_t reader) ASSAY_MUST_USE;
/* Offline first. */
void rcu_unregister(struct rcu *rcu, uint32_t reader);
void rcu_online(struct rcu *rcu, uint32_t reader);
void rcu_offline(struct rcu *rcu, uint32_t reader);
/* The reader holds nothing it read before. One load and one store: cheap enough for each turn. */
void rcu_quiescent(struct rcu *rcu, uint32_t reader);

/* A ticket for what was unpublished before this call. */
uint64_t rcu_start(struct rcu *rcu);
/* Has every online reader been quiescent since the ticket? */
bool rcu_done(struct rcu *rcu, uint64_t ticket);
/* Polls rcu_done() with short sleeps for at most timeout_us. BUSY when a reader did not come by in time: nothing may be
 * freed, try again. Never called by a registered reader that is online. */
enum assay_error rcu_wait(struct rcu *rcu, uint64_t ticket, uint64_t timeout_us) ASSAY_MUST_USE;

/* The shared pointer: one writer. */
struct rcu_slot {
    _Atomic(void *) object;
};

static inline void *rcu_read(struct rcu_slot *slot)
{
    return atomic_load_explicit(&slot->object, memory_order_acquire);
}

/* Returns what was there: to be freed once a ticket taken afterwards is done. */
static inline void *rcu_publish(struct rcu_slot *slot, void *object)
{
    return atomic_exchange_explicit(&slot->object, object, memory_order_acq_rel);
}

#endif
