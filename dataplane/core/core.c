/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/byte_ring.h"
#include "base/flow_map.h"
#include "base/thread_slot.h"
#include "core/core_private.h"
#include "x509/verdict_cache.h"

#define CORE_COMMAND_RING     64
#define CORE_CHAIN_RING_BYTES (1U << 20) /* hundreds of chains; control empties it five times a second */

static uint32_t core_sources(const void *net, const struct assay_address *destination, struct assay_address *sources,
                             uint32_t max)
{
    return net_sources(net, destination, sources, max);
}

static uint64_t core_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum assay_error core_create_rings(struct core *core, const char **fault)
{
    char name[RTE_RING_NAMESIZE];

    snprintf(name, sizeof(name), "commands-%u", core->config.index);
    core->commands = rte_ring_create(name, CORE_COMMAND_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    *fault = "the command ring";
    if (core->commands == NULL)
        return ASSAY_ERR_NO_MEMORY;
    *fault = "the log rings (log_ring_bytes must be a power of two)";
    for (int i = 0; i < 2; i++) {
        enum assay_error error = byte_ring_create(core->config.log_ring_bytes, &core->logs[i]);

        if (error != ASSAY_OK)
            return error;
    }
    *fault = "the ring of chains";
    return byte_ring_create(CORE_CHAIN_RING_BYTES, &core->chains);
}

static enum assay_error core_create_stack(struct core *core, uint32_t cores, const char **fault)
{
    const struct core_config *config = &core->config;
    uint64_t now_us = core_clock_ns() / 1000;
    struct proxy_config proxy = {.core = config->index,
                                 .cores = cores,
                                 .source = {.fn = core_sources},
                                 .clients_max = config->clients_max,
                                 .origins_max = config->origins_max,
                                 .verdicts_max = config->verdicts_max,
                                 .log = core->logs[0],
                                 .alarm_log = core->logs[1],
                                 .chains = core->chains,
                                 .cycles_ns = core_clock_ns};
    struct tcp_config tcp = *config->tcp;
    enum assay_error error;

    tcp.flows = config->flows;
    tcp.core = config->index;
    tcp.packet_pool_users = config->mesh != NULL ? cores : 1;
    *fault = "the network (addresses, routes)";
    error = net_create(config->net, &core->net);
    if (error != ASSAY_OK)
        return error;
    *fault = "TCP (connections, buffers, pools)";
    error = tcp_create(&tcp, config->packet_pool, config->payload_pool, config->indirect_pool, now_us, &core->tcp);
    if (error != ASSAY_OK)
        return error;
    *fault = "the allocator of TLS";
    error = thread_slot_create(config->heap_bytes, &core->slot);
    if (error != ASSAY_OK)
        return error;
    *fault = "the proxy's tables";
    proxy.tcp = core->tcp;
    proxy.source.arg = core->net;
    return proxy_create(&proxy, now_us, &core->proxy);
}

static void core_create_dispatch(struct core *core)
{
    const struct core_config *config = &core->config;

    if (config->mesh == NULL)
        return;
    dispatch_init(&core->dispatch, config->flows, config->mesh, config->packet_pool, config->index);
    for (uint32_t port = 0; port < core->nic_count; port++)
        if (core->nics[port]->rss)
            dispatch_use_rss(&core->dispatch, port);
}

enum assay_error core_create(const struct core_config *config, struct core **out, const char **fault)
{
    struct core *core = calloc(1, sizeof(*core));
    enum assay_error error;

    *fault = "the core";
    if (core == NULL)
        return ASSAY_ERR_NO_MEMORY;
    core->config = *config;
    for (uint32_t i = 0; i < config->net->ports_count && i < NET_PORTS_MAX; i++)
        core->nics[core->nic_count++] = config->net->ports[i].nic;
    core->exception = config->net->ports[0].exception;
    core_create_dispatch(core);
    error = core_create_rings(core, fault);
    if (error == ASSAY_OK)
        error = core_create_stack(core, config->cores, fault);
    if (error != ASSAY_OK) {
        core_free(core);
        return error;
    }
    *out = core;
    return ASSAY_OK;
}

/* Nobody will take what others handed over at the end. */
static void core_empty_mesh(struct core *core)
{
    uint32_t n;

    while (core->config.mesh != NULL && (n = dispatch_take(&core->dispatch, core->packets, CORE_MESH)) > 0)
        rte_pktmbuf_free_bulk(core->packets, n);
}

void core_free(struct core *core)
{
    if (core == NULL)
        return;
    core_empty_mesh(core);
    proxy_free(core->proxy);
    if (core->tcp != NULL)
        tcp_destroy(core->tcp);
    if (core->net != NULL)
        net_destroy(core->net);
    if (core->slot != NULL)
        thread_slot_free(core->slot);
    rte_ring_free(core->commands);
    for (int i = 0; i < 2; i++)
        if (core->logs[i] != NULL)
            byte_ring_destroy(core->logs[i]);
    byte_ring_destroy(core->chains);
    free(core);
}

enum assay_error core_command(struct core *core, struct core_command *command)
{
    atomic_store_explicit(&command->state, COMMAND_PENDING, memory_order_relaxed);
    command->row_count = 0;
    command->more = false;
    return rte_ring_sp_enqueue(core->commands, command) == 0 ? ASSAY_OK : ASSAY_ERR_BUSY;
}

struct byte_ring *core_log_ring(struct core *core, unsigned which)
{
    return core->logs[which != 0];
}

struct byte_ring *core_chain_ring(struct core *core)
{
    return core->chains;
}

void core_get_stats(const struct core *core, struct core_stats *out)
{
    struct thread_slot_stats heap;

    thread_slot_get_stats(core->slot, &heap);
    *out = (struct core_stats){.proxy = proxy_counters(core->proxy),
                               .tcp = tcp_get_counters(core->tcp),
                               .net = net_get_counters(core->net),
                               .dispatch = core->config.mesh != NULL ? &core->dispatch.counters : NULL,
                               .verdicts = proxy_verdict_stats(core->proxy),
                               .port = core->nics[0],
                               .exception = core->exception,
                               .generation = atomic_load_explicit(&core->generation, memory_order_acquire),
                               .heap_bytes_in_use = heap.bytes_in_use,
                               .heap_bytes_peak = heap.bytes_peak,
                               .turn_longest_ns = turn_time_longest_ns(&core->time),
                               .duplicates = net_duplicates(core->net),
                               .drained = atomic_load_explicit(&core->drained, memory_order_relaxed)};
}
