/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/mesh.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64
#define CORES_MAX  255

/* Positions count packets since creation and wrap with 32 bits; the place is position & mask. Each side works on its own cache
 * line, with a stale copy of the other's position that is refreshed only when it does not do. */
struct ring {
    alignas(CACHE_LINE) _Atomic uint32_t tail; /* published by the producer */
    uint32_t tail_put;                         /* put, perhaps not yet published */
    uint32_t head_seen;

    alignas(CACHE_LINE) _Atomic uint32_t head; /* written by the consumer */
    uint32_t tail_seen;
    struct rte_mbuf **slots; /* read by both, never written */
};

/* Consumer's own: with which sender to begin. */
struct turn {
    alignas(CACHE_LINE) uint32_t next;
};

struct mesh {
    uint32_t cores;
    uint32_t mask;
    struct ring *rings; /* [from * cores + to]; those from a core to itself stay empty */
    struct turn *turns; /* [to] */
    struct rte_mbuf **slots;
};

static void *allocate(size_t bytes)
{
    void *memory;

    bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    memory = aligned_alloc(CACHE_LINE, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

enum assay_error mesh_create(uint32_t cores, uint32_t ring, struct mesh **out)
{
    struct mesh *mesh;
    size_t pairs = (size_t)cores * cores;

    if (cores == 0 || cores > CORES_MAX || ring == 0 || ring > MESH_RING_MAX || (ring & (ring - 1)) != 0)
        return ASSAY_ERR_RANGE;
    mesh = calloc(1, sizeof(*mesh));
    if (mesh == NULL)
        return ASSAY_ERR_NO_MEMORY;
    mesh->cores = cores;
    mesh->mask = ring - 1;
    mesh->rings = allocate(pairs * sizeof(*mesh->rings));
    mesh->turns = allocate(cores * sizeof(*mesh->turns));
    mesh->slots = allocate(pairs * ring * sizeof(*mesh->slots));
    if (mesh->rings == NULL || mesh->turns == NULL || mesh->slots == NULL) {
        mesh_destroy(mesh);
        return ASSAY_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < pairs; i++)
        mesh->rings[i].slots = mesh->slots + i * ring;
    *out = mesh;
    return ASSAY_OK;
}

void mesh_destroy(struct mesh *mesh)
{
    if (mesh == NULL)
        return;
    free(mesh->rings);
    free(mesh->turns);
    free(mesh->slots);
    free(mesh);
}

static struct ring *ring_of(const struct mesh *mesh, uint32_t from, uint32_t to)
{
    return &mesh->rings[(size_t)from * mesh->cores + to];
}

bool mesh_put(struct mesh *mesh, uint32_t from, uint32_t to, struct rte_mbuf *packet)
{
    struct ring *ring = ring_of(mesh, from, to);

    if (ring->tail_put - ring->head_seen > mesh->mask) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (ring->tail_put - ring->head_seen > mesh->mask)
            return false;
    }
    ring->slots[ring->tail_put++ & mesh->mask] = packet;
    return true;
}

void mesh_publish(struct mesh *mesh, uint32_t from)
{
    for (uint32_t to = 0; to < mesh->cores; to++) {
        struct ring *ring = ring_of(mesh, from, to);

        if (ring->tail_put != atomic_load_explicit(&ring->tail, memory_order_relaxed))
            atomic_store_explicit(&ring->tail, ring->tail_put, memory_order_release);
    }
}

static uint32_t take_from(struct ring *ring, uint32_t mask, struct rte_mbuf **packets, uint32_t max)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed), count = 0;

    if (ring->tail_seen == head)
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    for (; count < max && head != ring->tail_seen; head++)
        packets[count++] = ring->slots[head & mask];
    if (count > 0)
        atomic_store_explicit(&ring->head, head, memory_order_release);
    return count;
}

uint32_t mesh_take(struct mesh *mesh, uint32_t to, struct rte_mbuf **packets, uint32_t max)
{
    struct turn *turn = &mesh->turns[to];
    uint32_t count = 0;

    for (uint32_t i = 0; i < mesh->cores && count < max; i++) {
        uint32_t from = turn->next;

        turn->next = from + 1 < mesh->cores ? from + 1 : 0;
        if (from != to)
            count += take_from(ring_of(mesh, from, to), mesh->mask, packets + count, max - count);
    }
    return count;
}
