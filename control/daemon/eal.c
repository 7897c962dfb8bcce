/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/eal.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

#include "net/nic.h"

#define ETHERNET_BYTES 18 /* header and a VLAN tag */
#define POOL_CACHE     256
/* What a buffer costs beside its data room: mbuf, mempool header, padding. */
#define BUFFER_OVERHEAD (sizeof(struct rte_mbuf) + 64 + 64)
#define PAGE_BYTES      4096
#define BUFFERS_MIN     1024

bool eal_is_virtual(const struct config *config)
{
    const char *device = config->root.port.device;

    return strncmp(device, "net_", 4) == 0 || strncmp(device, "eth_", 4) == 0;
}

/* --- CPUs ----------------------------------------------------------------------------------------------------------------- */

static bool polls(const struct config *config, unsigned cpu)
{
    for (uint32_t i = 0; i < config->root.cores.count; i++)
        if (config->root.cores.items[i] == cpu)
            return true;
    return false;
}

static void list_cpus(const struct config *config, bool also_polling, struct text *out)
{
    cpu_set_t allowed;

    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && (also_polling || !polls(config, cpu)))
            text_printf(out, "%s%u", out->len > 0 ? "," : "", cpu);
}

void eal_control_cpus(const struct config *config, struct text *out)
{
    const struct config_numbers *cpus = &config->root.control_cpus;

    for (uint32_t i = 0; i < cpus->count; i++)
        text_printf(out, "%s%llu", i > 0 ? "," : "", (unsigned long long)cpus->items[i]);
    if (out->len == 0)
        list_cpus(config, false, out);
    if (out->len == 0)
        list_cpus(config, true, out);
}

/* --- arguments -------------------------------------------------------------------------------------------------------------- */

static void add(struct eal_args *args, const char *text)
{
    if (args->count < EAL_ARGS_MAX - 1)
        args->items[args->count++] = arena_text(&args->arena, text);
}

static void add_lcores(const struct config *config, const char *cpus, struct eal_args *args)
{
    struct text lcores = {0};

    text_printf(&lcores, "0@(%s)", cpus);
    for (uint32_t i = 0; i < config->root.cores.count; i++)
        text_printf(&lcores, ",%u@%llu", i + 1, (unsigned long long)config->root.cores.items[i]);
    add(args, "--lcores");
    add(args, lcores.data);
    add(args, "--main-lcore=0");
    text_free(&lcores);
}

void eal_build_args(const struct config *config, const char *cpus, struct eal_args *out)
{
    const struct config_memory *memory = &config->root.memory;

    *out = (struct eal_args){0};
    add(out, "assayd");
    add_lcores(config, cpus, out);
    add(out, arena_printf(&out->arena, "--file-prefix=assay-%d", (int)getpid()));
    if (eal_is_virtual(config)) {
        add(out, "--no-pci");
        add(out, "--iova-mode=va");
    } else {
        add(out, "-a");
        add(out, config->root.port.device);
    }
    /* Nothing shared, nothing left behind; without huge pages DPDK refuses --in-memory and leaves nothing anyway. */
    if (memory->hugepages) {
        add(out, "--in-memory");
    } else {
        add(out, "--no-huge");
        add(out, "--no-shconf");
    }
    add(out, "-m");
    add(out, arena_printf(&out->arena, "%llu", (unsigned long long)(memory->size >> 20)));
    if (!config->root.telemetry)
        add(out, "--no-telemetry");
    add(out, "--log-level=lib.*:warning");
    for (uint32_t i = 0; i < config->root.eal.count; i++)
        add(out, config->root.eal.items[i]);
    out->items[out->count] = NULL;
}

void eal_args_free(struct eal_args *args)
{
    arena_free(&args->arena);
    *args = (struct eal_args){0};
}

/* --- pools ------------------------------------------------------------------------------------------------------------------ */

/* Room for a whole frame, so that ports without scatter can receive it. */
static uint32_t data_room(const struct config *config)
{
    uint32_t frame = (uint32_t)config->root.port.mtu + ETHERNET_BYTES;
    uint32_t driver = nic_device_buffer_min(config->root.port.device);

    if (frame < driver)
        frame = driver;
    return RTE_PKTMBUF_HEADROOM + (frame > 2048 ? RTE_ALIGN_CEIL(frame, 64) : 2048);
}

/* A NIC wants each buffer on one physical page; for the rest, and without hugepages, that would waste almost half of every 4 KiB
 * page. net_af_xdp even loses packets by it: it gives the kernel as much memory as the buffers take one behind the other, and
 * what lies beyond is never sent and never received into. (With hugepages they lie so in either case.) */
static bool is_packed(const struct config *config)
{
    return eal_is_virtual(config);
}

/* Bytes that a buffer takes. */
static uint64_t buffer_cost(const struct config *config, uint32_t room, bool packed)
{
    uint64_t bytes = RTE_ALIGN_CEIL(room, 64) + BUFFER_OVERHEAD;

    if (packed || config->root.memory.hugepages || bytes > PAGE_BYTES)
        return bytes;
    return PAGE_BYTES / (PAGE_BYTES / bytes);
}

uint32_t eal_buffers_per_pool(const struct config *config)
{
    const struct config_memory *memory = &config->root.memory;
    uint64_t set =
        2 * buffer_cost(config, data_room(config), is_packed(config)) + buffer_cost(config, 0, is_packed(config));
    uint64_t n;

    if (memory->buffers > 0)
        return (uint32_t)memory->buffers;
    /* an eighth is left for tables of DPDK and the drivers */
    n = memory->size / 8 * 7 / config->root.cores.count / set;
    return n > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)n;
}

/* What rte_pktmbuf_pool_create() does, with a choice of flags. */
static struct rte_mempool *pool_of_mbufs(const char *name, uint32_t n, uint32_t room, unsigned flags)
{
    struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = (uint16_t)room};
    struct rte_mempool *pool = rte_mempool_create_empty(name, n, (unsigned)sizeof(struct rte_mbuf) + room, POOL_CACHE,
                                                        sizeof(private), SOCKET_ID_ANY, flags);
    int error;

    if (pool == NULL)
        return NULL;
    error = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
    if (error == 0) {
        rte_pktmbuf_pool_init(pool, &private);
        error = rte_mempool_populate_default(pool);
    }
    if (error < 0) {
        rte_errno = -error;
        rte_mempool_free(pool);
        return NULL;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

static struct rte_mempool *make_pool(const char *what, uint32_t core, uint64_t n, uint32_t room, bool packed,
                                     struct problems *problems)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    struct rte_mempool *pool = NULL;

    snprintf(name, sizeof(name), "%s_%u", what, core);
    rte_errno = E2BIG;
    if (n <= UINT32_MAX / 4)
        pool = pool_of_mbufs(name, (uint32_t)n, room, packed ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0);
    if (pool == NULL)
        problems_add(problems, "memory", 0,
                     "%llu %s buffers of %u bytes do not fit (%s): raise memory.size or lower memory.buffers",
                     (unsigned long long)n, what, room, rte_strerror(rte_errno));
    return pool;
}

enum assay_error eal_pools_create(const struct config *config, struct eal_pools *out, struct problems *problems)
{
    uint32_t n = eal_buffers_per_pool(config);

    *out = (struct eal_pools){.count = config->root.cores.count};
    if (n < BUFFERS_MIN) {
        problems_add(problems, "memory", 0, "%u buffers a core are too few, %d are needed: raise memory.size", n,
                     BUFFERS_MIN);
        return ASSAY_ERR_RANGE;
    }
    out->packet[0] = make_pool("packet", 0, (uint64_t)n * out->count, data_room(config), is_packed(config), problems);
    for (uint32_t i = 0; i < out->count; i++) {
        out->packet[i] = out->packet[0];
        out->payload[i] = make_pool("payload", i, n, data_room(config), is_packed(config), problems);
        out->indirect[i] = make_pool("indirect", i, n, 0, is_packed(config), problems);
        if (out->packet[i] != NULL && out->payload[i] != NULL && out->indirect[i] != NULL)
            continue;
        eal_pools_free(out);
        return ASSAY_ERR_NO_MEMORY;
    }
    return ASSAY_OK;
}

void eal_pools_use(const struct eal_pools *pools, uint64_t *in_use, uint64_t *total)
{
    *in_use = *total = 0;
    for (uint32_t i = 0; i < pools->count; i++) {
        struct rte_mempool *const three[] = {i == 0 ? pools->packet[0] : NULL, pools->payload[i], pools->indirect[i]};

        for (size_t k = 0; k < sizeof(three) / sizeof(three[0]); k++) {
            if (three[k] == NULL)
                continue;
            *in_use += rte_mempool_in_use_count(three[k]);
            *total += three[k]->size;
        }
    }
}

void eal_pools_free(struct eal_pools *pools)
{
    if (pools->count > 0)
        rte_mempool_free(pools->packet[0]);
    for (uint32_t i = 0; i < pools->count; i++) {
        rte_mempool_free(pools->payload[i]);
        rte_mempool_free(pools->indirect[i]);
    }
    *pools = (struct eal_pools){0};
}
