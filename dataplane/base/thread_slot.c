/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread_slot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>

#include "base/drbg.h"
#include "base/slot_heap.h"

struct thread_slot {
    struct slot_heap *heap;
    struct drbg *drbg;
    _Atomic uint64_t reseeds; /* a copy that other threads may read */
};

/* The documented exception to "no thread-local data" (thread_slot.h). */
static _Thread_local struct thread_slot *current_slot;

static struct slot_heap *current_heap(void)
{
    return current_slot != NULL ? current_slot->heap : NULL;
}

enum assay_error thread_slot_create(size_t heap_bytes, struct thread_slot **out)
{
    struct thread_slot *slot = calloc(1, sizeof(*slot));
    enum assay_error error;

    *out = NULL;
    if (slot == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = slot_heap_create(heap_bytes, &slot->heap);
    if (error == ASSAY_OK)
        error = drbg_create(&slot->drbg);
    if (error != ASSAY_OK) {
        slot_heap_free(slot->heap);
        free(slot);
        return error;
    }
    atomic_init(&slot->reseeds, drbg_reseeds(slot->drbg));
    *out = slot;
    return ASSAY_OK;
}

void thread_slot_attach(struct thread_slot *slot)
{
    current_slot = slot;
}

void thread_slot_free(struct thread_slot *slot)
{
    if (slot == NULL)
        return;
    slot_heap_free(slot->heap);
    drbg_free(slot->drbg);
    free(slot);
}

void thread_slot_get_stats(const struct thread_slot *slot, struct thread_slot_stats *out)
{
    struct slot_heap_stats heap;

    slot_heap_get_stats(slot->heap, &heap);
    *out = (struct thread_slot_stats){
        .bytes_in_use = heap.bytes_in_use,
        .bytes_peak = heap.bytes_peak,
        .blocks_in_use = heap.blocks_in_use,
        .failures = heap.failures,
        .reseeds = atomic_load_explicit(&slot->reseeds, memory_order_relaxed),
    };
}

/* --- memory --------------------------------------------------------------------------------------------------------------- */

void *slot_alloc(size_t len)
{
    return slot_heap_alloc(current_heap(), len);
}

void slot_free(void *block)
{
    slot_block_free(current_heap(), block);
}

static void *slot_realloc(void *block, size_t len)
{
    void *grown;

    if (block == NULL)
        return slot_alloc(len);
    if (len == 0) {
        slot_free(block);
        return NULL;
    }
    grown = slot_alloc(len);
    if (grown != NULL) {
        size_t old = slot_block_size(block);

        memcpy(grown, block, old < len ? old : len);
        slot_free(block);
    }
    return grown;
}

enum assay_error thread_slot_install(void)
{
    return wolfSSL_SetAllocators(slot_alloc, slot_free, slot_realloc) == 0 ? ASSAY_OK : ASSAY_ERR_INTERNAL;
}

/* --- random bytes ------------------------------------------------------------------------------------------------------------ */

static enum assay_error generate(void *out, size_t len)
{
    enum assay_error error;

    if (current_slot == NULL)
        return drbg_kernel_random(out, len);
    error = drbg_generate(current_slot->drbg, out, len);
    atomic_store_explicit(&current_slot->reseeds, drbg_reseeds(current_slot->drbg), memory_order_relaxed);
    return error;
}

void slot_random(void *out, size_t len)
{
    /* A caller that went on without random bytes would use predictable keys: there is nothing better than to stop. */
    if (generate(out, len) != ASSAY_OK)
        abort();
}

int assay_rand_generate_block(unsigned char *output, unsigned int size)
{
    return generate(output, size) == ASSAY_OK ? 0 : -1;
}
