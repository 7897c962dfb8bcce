/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_EAL_H
#define ASSAY_DAEMON_EAL_H
/* DPDK's environment, from the configuration: its arguments, and the packet pools of each core.
 * Owner: the structs. Thread: control, before the cores run. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "assay/snapshot.h"
#include "daemon/config.h"
#include "daemon/problems.h"

struct rte_mempool;

#define EAL_ARGS_MAX 64

struct eal_args {
    int count;
    char *items[EAL_ARGS_MAX];
    struct arena arena;
};

/* A virtual port (net_…) needs no PCI bus. */
bool eal_is_virtual(const struct config *config);

/* The arguments of rte_eal_init(): lcore 0 is control, floating over cpus; lcore 1 + k polls on cores[k]. */
void eal_build_args(const struct config *config, const char *cpus, struct eal_args *out);
void eal_args_free(struct eal_args *args);

/* CPUs for control as "0,2,3": those of the configuration, else those that may be used and do not poll, else all. */
void eal_control_cpus(const struct config *config, struct text *out);

struct eal_pools {
    uint32_t count;
    /* packet: one pool under every index, for packets go from core to core; the others never leave theirs. */
    struct rte_mempool *packet[ASSAY_CORES_MAX], *payload[ASSAY_CORES_MAX], *indirect[ASSAY_CORES_MAX];
};

/* A core's buffers of each of the three kinds that fit the configured size. */
uint32_t eal_buffers_per_pool(const struct config *config);
enum assay_error eal_pools_create(const struct config *config, struct eal_pools *out, struct problems *problems)
    ASSAY_MUST_USE;
void eal_pools_free(struct eal_pools *pools);
/* Buffers taken from all pools, as the pools count them (those in per-thread caches are free), and all there are. */
void eal_pools_use(const struct eal_pools *pools, uint64_t *in_use, uint64_t *total);

#endif
