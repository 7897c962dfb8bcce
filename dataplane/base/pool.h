/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_POOL_H
#define ASSAY_BASE_POOL_H
/* A fixed number of objects of one size, allocated at creation, taken and given back in O(1), last given first taken (warm
 * in the cache; memory that was never needed is never touched).
 * Owner: the pool owns the memory, the taker the object until it gives it back. Thread: one. Units: bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"

struct pool;

/* size is rounded up to 64. RANGE when size or count is 0, NO_MEMORY. */
enum assay_error pool_create(size_t size, uint32_t count, struct pool **out) ASSAY_MUST_USE;
void pool_free(struct pool *pool);

/* An object, its contents undefined, or NULL when all are taken. */
void *pool_take(struct pool *pool);
/* object came from pool_take() of this pool and is taken. */
void pool_give(struct pool *pool, void *object);

/* Where an object stands in its pool, and back: what a 64-bit cookie can carry. NULL when index is out of range. */
uint32_t pool_index(const struct pool *pool, const void *object);
void *pool_at(const struct pool *pool, uint32_t index);

uint32_t pool_taken(const struct pool *pool);
uint32_t pool_count(const struct pool *pool);

#endif
