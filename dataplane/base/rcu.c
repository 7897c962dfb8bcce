/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/rcu.h"

#include <stdlib.h>
#include <time.h>

#include <rte_rcu_qsbr.h>

/* The list of registered readers is ours, because the library takes a second registration without a word. */
struct rcu {
    uint32_t readers_max;
    struct rte_rcu_qsbr *qsbr;
    _Atomic bool registered[];
};

#define RCU_POLL_US 50

enum assay_error rcu_create(uint32_t readers_max, struct rcu **out)
{
    struct rcu *rcu;
    size_t bytes;

    if (readers_max == 0 || readers_max > RCU_READERS_MAX)
        return ASSAY_ERR_RANGE;
    rcu = calloc(1, sizeof(*rcu) + readers_max * sizeof(rcu->registered[0]));
    if (rcu == NULL)
        return ASSAY_ERR_NO_MEMORY;
    rcu->readers_max = readers_max;
    bytes = rte_rcu_qsbr_get_memsize(readers_max);
    rcu->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN(bytes, RTE_CACHE_LINE_SIZE));
    if (rcu->qsbr == NULL || rte_rcu_qsbr_init(rcu->qsbr, readers_max) != 0) {
        rcu_destroy(rcu);
        return ASSAY_ERR_NO_MEMORY;
    }
    *out = rcu;
    return ASSAY_OK;
}

void rcu_destroy(struct rcu *rcu)
{
    if (rcu == NULL)
        return;
    free(rcu->qsbr);
    free(rcu);
}

enum assay_error rcu_register(struct rcu *rcu, uint32_t reader)
{
    if (reader >= rcu->readers_max)
        return ASSAY_ERR_RANGE;
    if (atomic_exchange(&rcu->registered[reader], true))
        return ASSAY_ERR_DUPLICATE;
    if (rte_rcu_qsbr_thread_register(rcu->qsbr, reader) != 0) {
        atomic_store(&rcu->registered[reader], false);
        return ASSAY_ERR_INTERNAL;
    }
    return ASSAY_OK;
}

void rcu_unregister(struct rcu *rcu, uint32_t reader)
{
    if (reader >= rcu->readers_max || !atomic_exchange(&rcu->registered[reader], false))
        return;
    rte_rcu_qsbr_thread_offline(rcu->qsbr, reader);
    (void)rte_rcu_qsbr_thread_unregister(rcu->qsbr, reader);
}

void rcu_online(struct rcu *rcu, uint32_t reader)
{
    rte_rcu_qsbr_thread_online(rcu->qsbr, reader);
}

void rcu_offline(struct rcu *rcu, uint32_t reader)
{
    rte_rcu_qsbr_thread_offline(rcu->qsbr, reader);
}

void rcu_quiescent(struct rcu *rcu, uint32_t reader)
{
    rte_rcu_qsbr_quiescent(rcu->qsbr, reader);
}

uint64_t rcu_start(struct rcu *rcu)
{
    return rte_rcu_qsbr_start(rcu->qsbr);
}

bool rcu_done(struct rcu *rcu, uint64_t ticket)
{
    return rte_rcu_qsbr_check(rcu->qsbr, ticket, false) == 1;
}

static uint64_t monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

enum assay_error rcu_wait(struct rcu *rcu, uint64_t ticket, uint64_t timeout_us)
{
    static const struct timespec pause = {.tv_nsec = RCU_POLL_US * 1000};
    uint64_t start_us = monotonic_us();

    while (!rcu_done(rcu, ticket)) {
        if (monotonic_us() - start_us >= timeout_us)
            return ASSAY_ERR_BUSY;
        nanosleep(&pause, NULL);
    }
    return ASSAY_OK;
}
