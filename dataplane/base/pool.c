/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pool.h"

#include <stdlib.h>
#include <sys/mman.h>

#define POOL_ALIGN 64

struct pool {
    uint8_t *memory;
    uint32_t *given; /* a stack of indices that were given back */
    size_t size;
    uint32_t count;
    uint32_t given_count;
    uint32_t touched; /* objects below were taken at least once */
};

enum assay_error pool_create(size_t size, uint32_t count, struct pool **out)
{
    struct pool *pool;

    if (size == 0 || count == 0 || size > SIZE_MAX / count - POOL_ALIGN)
        return ASSAY_ERR_RANGE;
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return ASSAY_ERR_NO_MEMORY;
    pool->size = (size + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
    pool->count = count;
    pool->given = malloc(sizeof(*pool->given) * count);
    /* Pages of objects that are never taken are never backed. */
    pool->memory =
        mmap(NULL, pool->size * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool->memory == MAP_FAILED || pool->given == NULL) {
        if (pool->memory != MAP_FAILED)
            munmap(pool->memory, pool->size * count);
        free(pool->given);
        free(pool);
        return ASSAY_ERR_NO_MEMORY;
    }
    *out = pool;
    return ASSAY_OK;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    munmap(pool->memory, pool->size * pool->count);
    free(pool->given);
    free(pool);
}

void *pool_take(struct pool *pool)
{
    if (pool->given_count > 0)
        return pool->memory + pool->size * pool->given[--pool->given_count];
    if (pool->touched < pool->count)
        return pool->memory + pool->size * pool->touched++;
    return NULL;
}

void pool_give(struct pool *pool, void *object)
{
    pool->given[pool->given_count++] = pool_index(pool, object);
}

uint32_t pool_index(const struct pool *pool, const void *object)
{
    return (uint32_t)((size_t)((const uint8_t *)object - pool->memory) / pool->size);
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    return index < pool->touched ? pool->memory + pool->size * index : NULL;
}

uint32_t pool_taken(const struct pool *pool)
{
    return pool->touched - pool->given_count;
}

uint32_t pool_count(const struct pool *pool)
{
    return pool->count;
}
