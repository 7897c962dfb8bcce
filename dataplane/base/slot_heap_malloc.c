/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slot_heap.h for address-sanitizer builds: each block is a malloc of its own, so that the sanitizer sees overruns, use
 * after free and leaks. The limit and the accounting are the same. */
#include "base/slot_heap.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct slot_heap *heap;
    size_t len;
};
static_assert(sizeof(struct block) == 16, "the header keeps payloads aligned");

struct slot_heap {
    size_t bytes;
    _Atomic uint64_t bytes_in_use, bytes_peak, blocks_in_use, failures;
};

enum assay_error slot_heap_create(size_t bytes, struct slot_heap **out)
{
    *out = NULL;
    if (bytes < 1 << 17)
        return ASSAY_ERR_RANGE;
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return ASSAY_ERR_NO_MEMORY;
    (*out)->bytes = bytes;
    return ASSAY_OK;
}

void slot_heap_free(struct slot_heap *heap)
{
    if (heap == NULL || atomic_load_explicit(&heap->blocks_in_use, memory_order_relaxed) != 0)
        return;
    free(heap);
}

static void account_alloc(struct slot_heap *heap, size_t len)
{
    uint64_t in_use = atomic_fetch_add_explicit(&heap->bytes_in_use, len, memory_order_relaxed) + len;

    atomic_fetch_add_explicit(&heap->blocks_in_use, 1, memory_order_relaxed);
    if (in_use > atomic_load_explicit(&heap->bytes_peak, memory_order_relaxed))
        atomic_store_explicit(&heap->bytes_peak, in_use, memory_order_relaxed);
}

void *slot_heap_alloc(struct slot_heap *heap, size_t len)
{
    struct block *block = NULL;

    if (len <= UINT32_MAX - sizeof(*block) &&
        (heap == NULL || atomic_load_explicit(&heap->bytes_in_use, memory_order_relaxed) + len <= heap->bytes))
        block = malloc(sizeof(*block) + len);
    if (block == NULL) {
        if (heap != NULL)
            atomic_fetch_add_explicit(&heap->failures, 1, memory_order_relaxed);
        return NULL;
    }
    *block = (struct block){heap, len};
    if (heap != NULL)
        account_alloc(heap, len);
    return block + 1;
}

void slot_block_free(struct slot_heap *self, void *payload)
{
    struct block *block;

    if (payload == NULL)
        return;
    block = (struct block *)payload - 1;
    if (block->heap != NULL) {
        atomic_fetch_sub_explicit(&block->heap->bytes_in_use, block->len, memory_order_relaxed);
        atomic_fetch_sub_explicit(&block->heap->blocks_in_use, 1, memory_order_relaxed);
    }
    free(block);
}

size_t slot_block_size(const void *payload)
{
    return ((const struct block *)payload - 1)->len;
}

void slot_heap_get_stats(const struct slot_heap *heap, struct slot_heap_stats *out)
{
    out->bytes_in_use = atomic_load_explicit(&heap->bytes_in_use, memory_order_relaxed);
    out->bytes_peak = atomic_load_explicit(&heap->bytes_peak, memory_order_relaxed);
    out->blocks_in_use = atomic_load_explicit(&heap->blocks_in_use, memory_order_relaxed);
    out->failures = atomic_load_explicit(&heap->failures, memory_order_relaxed);
}
