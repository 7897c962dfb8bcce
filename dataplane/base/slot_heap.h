/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_SLOT_HEAP_H
#define ASSAY_BASE_SLOT_HEAP_H
/* The allocator behind a thread slot: size classes in spans of one reserved mapping, no lock, no system call in steady
 * state. An empty span goes back and may serve another class, so that a burst of handshakes does not keep its memory.
 * Each block carries a header that names its heap. A block freed on a thread that does not own its heap is pushed on the
 * heap's stack (many producers, one consumer) and taken home at the owner's next allocation.
 * Two files implement this: slot_heap.c, and slot_heap_malloc.c for address-sanitizer builds, where each block must be a
 * malloc of its own to be watched.
 * Owner: slot_heap_create() maps it. Thread: slot_heap_alloc() on the owner's only; slot_block_free() anywhere.
 * Units: bytes. Alignment: 16. */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"

struct slot_heap;

struct slot_heap_stats {
    uint64_t bytes_in_use, bytes_peak, blocks_in_use, failures;
};

enum assay_error slot_heap_create(size_t bytes, struct slot_heap **out) ASSAY_MUST_USE;
/* Takes home what others freed; with blocks still in use the mapping is left in place, as freeing them must stay safe. */
void slot_heap_free(struct slot_heap *heap);
/* NULL when the heap is used up (counted). heap NULL: a block of malloc's that slot_block_free() knows. */
void *slot_heap_alloc(struct slot_heap *heap, size_t len);
/* self: the heap of the calling thread, or NULL. block may be NULL. */
void slot_block_free(struct slot_heap *self, void *block);
size_t slot_block_size(const void *block);
/* Any thread; each number by itself is exact, together they may be of different moments. */
void slot_heap_get_stats(const struct slot_heap *heap, struct slot_heap_stats *out);

#endif
