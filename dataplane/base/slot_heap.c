/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/slot_heap.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Spans are big enough for seven buffers of a full TLS record (16 KiB and its overhead), the largest common block. */
#define SPAN_SHIFT     17
#define SPAN_BYTES     ((size_t)1 << SPAN_SHIFT)
#define GRANULE        16
#define SMALL_MAX      128 /* classes of every 16 bytes up to here, then eight a doubling */
#define SMALL_CLASSES  (SMALL_MAX / GRANULE)
#define STEPS_SHIFT    3
#define STEPS          (1u << STEPS_SHIFT)
#define CLASS_SIZE_MAX 65536 /* header included */
#define CLASSES        (SMALL_CLASSES + STEPS * 9)
#define CLASS_MALLOC   0xffff /* no heap, or too large for a class */
#define NO_SPAN        UINT32_MAX

enum block_state { BLOCK_USED = 0x5acc, BLOCK_FREE = 0xf4ee };

struct block {
    struct slot_heap *heap; /* NULL: malloc's */
    uint32_t len;
    uint16_t class_index;
    uint16_t state;
};
static_assert(sizeof(struct block) == GRANULE, "the header keeps payloads aligned");

/* A free block's payload. */
struct free_block {
    struct block header;
    struct free_block *next;
};

struct span {
    uint32_t next, previous; /* in its class's list of spans with room, or the list of free spans */
    uint32_t used, fresh;    /* blocks handed out; blocks never carved yet begin at index fresh */
    uint16_t class_index;
    bool listed;
    struct free_block *free;
};

struct slot_heap {
    uint8_t *base;
    uint32_t span_count, span_fresh; /* spans from span_fresh on were never used */
    uint32_t free_spans;
    uint32_t with_room[CLASSES];
    size_t bytes, bytes_malloc; /* bytes_malloc: what large blocks took from malloc, within bytes */
    struct span *spans;
    _Atomic uint64_t bytes_in_use, bytes_peak, blocks_in_use,
        failures;                                      /* one writer, except as said at free_foreign() */
    _Alignas(64) _Atomic(struct free_block *) foreign; /* freed by other threads */
};

/* --- size classes ------------------------------------------------------------------------------------------------------- */

static uint32_t class_of(size_t total)
{
    uint32_t log, step;

    if (total <= SMALL_MAX)
        return (uint32_t)((total + GRANULE - 1) / GRANULE) - 1;
    log = 63 - (uint32_t)__builtin_clzll(total - 1); /* 2^log < total <= 2^(log+1) */
    step = (uint32_t)((total - 1 - ((size_t)1 << log)) >> (log - STEPS_SHIFT));
    return SMALL_CLASSES + (log - 7) * STEPS + step;
}

static size_t class_size(uint32_t class_index)
{
    uint32_t log, step;

    if (class_index < SMALL_CLASSES)
        return (size_t)(class_index + 1) * GRANULE;
    log = (class_index - SMALL_CLASSES) / STEPS + 7;
    step = (class_index - SMALL_CLASSES) % STEPS + 1;
    return ((size_t)1 << log) + step * ((size_t)1 << (log - STEPS_SHIFT));
}

/* --- spans ---------------------------------------------------------------------------------------------------------------- */

static void list_add(struct slot_heap *heap, uint32_t *list, uint32_t index)
{
    struct span *span = &heap->spans[index];

    span->previous = NO_SPAN;
    span->next = *list;
    if (*list != NO_SPAN)
        heap->spans[*list].previous = index;
    *list = index;
    span->listed = true;
}

static void list_remove(struct slot_heap *heap, uint32_t *list, uint32_t index)
{
    struct span *span = &heap->spans[index];

    if (span->previous != NO_SPAN)
        heap->spans[span->previous].next = span->next;
    else
        *list = span->next;
    if (span->next != NO_SPAN)
        heap->spans[span->next].previous = span->previous;
    span->listed = false;
}

static uint32_t span_of(const struct slot_heap *heap, const void *at)
{
    return (uint32_t)((size_t)((const uint8_t *)at - heap->base) >> SPAN_SHIFT);
}

static uint32_t span_capacity(const struct span *span)
{
    return (uint32_t)(SPAN_BYTES / class_size(span->class_index));
}

/* A span for the class, with room; NO_SPAN: the heap is used up. */
static uint32_t span_take(struct slot_heap *heap, uint32_t class_index)
{
    uint32_t index = heap->free_spans;

    if (index != NO_SPAN)
        list_remove(heap, &heap->free_spans, index);
    else if (heap->span_fresh < heap->span_count &&
             ((size_t)heap->span_fresh + 1) * SPAN_BYTES + heap->bytes_malloc <= heap->bytes)
        index = heap->span_fresh++;
    else
        return NO_SPAN;
    heap->spans[index] = (struct span){.class_index = (uint16_t)class_index};
    list_add(heap, &heap->with_room[class_index], index);
    return index;
}

static struct block *span_pop(struct slot_heap *heap, uint32_t index)
{
    struct span *span = &heap->spans[index];
    struct free_block *block = span->free;

    if (block != NULL)
        span->free = block->next;
    else
        block = (struct free_block *)(heap->base + index * SPAN_BYTES + span->fresh++ * class_size(span->class_index));
    span->used++;
    if (span->free == NULL && span->fresh == span_capacity(span))
        list_remove(heap, &heap->with_room[span->class_index], index);
    return &block->header;
}

static void span_push(struct slot_heap *heap, struct free_block *block)
{
    uint32_t index = span_of(heap, block);
    struct span *span = &heap->spans[index];
    uint32_t *list = &heap->with_room[span->class_index];

    block->next = span->free;
    span->free = block;
    span->used--;
    if (!span->listed)
        list_add(heap, list, index);
    /* The last span of a class stays with it: a connection that comes and goes must not move spans each time. */
    if (span->used == 0 && (span->next != NO_SPAN || span->previous != NO_SPAN)) {
        list_remove(heap, list, index);
        list_add(heap, &heap->free_spans, index);
    }
}

/* --- accounting: one writer, so plain sums of relaxed loads and stores --------------------------------------------------------- */

static void add(_Atomic uint64_t *counter, uint64_t delta)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + delta, memory_order_relaxed);
}

static void account_alloc(struct slot_heap *heap, size_t len)
{
    uint64_t in_use;

    add(&heap->bytes_in_use, len);
    add(&heap->blocks_in_use, 1);
    in_use = atomic_load_explicit(&heap->bytes_in_use, memory_order_relaxed);
    if (in_use > atomic_load_explicit(&heap->bytes_peak, memory_order_relaxed))
        atomic_store_explicit(&heap->bytes_peak, in_use, memory_order_relaxed);
}

static void account_free(struct slot_heap *heap, size_t len)
{
    add(&heap->bytes_in_use, (uint64_t)0 - len);
    add(&heap->blocks_in_use, (uint64_t)0 - 1);
}

/* --- blocks -------------------------------------------------------------------------------------------------------------------- */

static struct block *block_of(const void *payload)
{
    struct block *block = (struct block *)payload - 1;

    assert(block->state == BLOCK_USED);
    return block;
}

static void *block_use(struct block *block, struct slot_heap *heap, size_t len, uint32_t class_index)
{
    *block = (struct block){heap, (uint32_t)len, (uint16_t)class_index, BLOCK_USED};
    return block + 1;
}

static void free_own(struct slot_heap *heap, struct block *block)
{
    account_free(heap, block->len);
    if (block->class_index == CLASS_MALLOC) {
        heap->bytes_malloc -= block->len;
        free(block);
        return;
    }
    span_push(heap, (struct free_block *)block);
}

/* The release pairs with the acquire of drain(): the owner sees the block as its last user left it. */
static void free_foreign(struct slot_heap *heap, struct free_block *block)
{
    struct free_block *head = atomic_load_explicit(&heap->foreign, memory_order_relaxed);

    do
        block->next = head;
    while (!atomic_compare_exchange_weak_explicit(&heap->foreign, &head, block, memory_order_release,
                                                  memory_order_relaxed));
}

/* The owner takes the whole stack at once: no element is popped alone, so there is no ABA. */
static void drain(struct slot_heap *heap)
{
    struct free_block *block = atomic_exchange_explicit(&heap->foreign, NULL, memory_order_acquire);

    while (block != NULL) {
        struct free_block *next = block->next;

        free_own(heap, &block->header);
        block = next;
    }
}

static void *alloc_large(struct slot_heap *heap, size_t len)
{
    struct block *block;

    if (heap != NULL && heap->span_fresh * SPAN_BYTES + heap->bytes_malloc + len > heap->bytes)
        return NULL;
    block = malloc(sizeof(*block) + (len < sizeof(void *) ? sizeof(void *) : len));
    if (block == NULL)
        return NULL;
    if (heap != NULL)
        heap->bytes_malloc += len;
    return block_use(block, heap, len, CLASS_MALLOC);
}

static void *alloc_class(struct slot_heap *heap, size_t len)
{
    /* A free block must hold its link. */
    uint32_t class_index =
        class_of(len + sizeof(struct block) < sizeof(struct free_block) ? sizeof(struct free_block)
                                                                        : len + sizeof(struct block));
    uint32_t span = heap->with_room[class_index];

    if (span == NO_SPAN)
        span = span_take(heap, class_index);
    if (span == NO_SPAN)
        return NULL;
    return block_use(span_pop(heap, span), heap, len, class_index);
}

void *slot_heap_alloc(struct slot_heap *heap, size_t len)
{
    void *payload;

    if (len > UINT32_MAX - sizeof(struct block)) {
        if (heap != NULL)
            add(&heap->failures, 1);
        return NULL;
    }
    if (heap == NULL)
        return alloc_large(NULL, len);
    if (atomic_load_explicit(&heap->foreign, memory_order_relaxed) != NULL)
        drain(heap);
    payload = len + sizeof(struct block) > CLASS_SIZE_MAX ? alloc_large(heap, len) : alloc_class(heap, len);
    if (payload == NULL)
        add(&heap->failures, 1);
    else
        account_alloc(heap, len);
    return payload;
}

void slot_block_free(struct slot_heap *self, void *payload)
{
    struct block *block;

    if (payload == NULL)
        return;
    block = block_of(payload);
    block->state = BLOCK_FREE;
    if (block->heap == NULL)
        free(block);
    else if (block->heap == self)
        free_own(self, block);
    else
        free_foreign(block->heap, (struct free_block *)block);
}

size_t slot_block_size(const void *payload)
{
    return block_of(payload)->len;
}

/* --- life --------------------------------------------------------------------------------------------------------------------- */

enum assay_error slot_heap_create(size_t bytes, struct slot_heap **out)
{
    size_t span_count = bytes / SPAN_BYTES;
    struct slot_heap *heap;

    *out = NULL;
    if (span_count == 0 || span_count >= NO_SPAN)
        return ASSAY_ERR_RANGE;
    heap = aligned_alloc(64, sizeof(*heap));
    if (heap == NULL)
        return ASSAY_ERR_NO_MEMORY;
    memset(heap, 0, sizeof(*heap));
    heap->spans = calloc(span_count, sizeof(*heap->spans));
    heap->base =
        mmap(NULL, span_count * SPAN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap->spans == NULL || heap->base == MAP_FAILED) {
        if (heap->base != MAP_FAILED)
            munmap(heap->base, span_count * SPAN_BYTES);
        free(heap->spans);
        free(heap);
        return ASSAY_ERR_NO_MEMORY;
    }
    heap->bytes = span_count * SPAN_BYTES;
    heap->span_count = (uint32_t)span_count;
    heap->free_spans = NO_SPAN;
    for (uint32_t i = 0; i < CLASSES; i++)
        heap->with_room[i] = NO_SPAN;
    *out = heap;
    return ASSAY_OK;
}

void slot_heap_free(struct slot_heap *heap)
{
    if (heap == NULL)
        return;
    drain(heap);
    if (atomic_load_explicit(&heap->blocks_in_use, memory_order_relaxed) != 0)
        return;
    munmap(heap->base, heap->bytes);
    free(heap->spans);
    free(heap);
}

void slot_heap_get_stats(const struct slot_heap *heap, struct slot_heap_stats *out)
{
    out->bytes_in_use = atomic_load_explicit(&heap->bytes_in_use, memory_order_relaxed);
    out->bytes_peak = atomic_load_explicit(&heap->bytes_peak, memory_order_relaxed);
    out->blocks_in_use = atomic_load_explicit(&heap->blocks_in_use, memory_order_relaxed);
    out->failures = atomic_load_explicit(&heap->failures, memory_order_relaxed);
}
