/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/byte_ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE 64

/* What stands before each record. A record that would not fit before the end of the memory begins at its start instead, and
 * the rest before the end is a padding record. */
struct record_header {
    uint32_t length;
    uint32_t padding; /* 1: skip, length is what to skip, this header included */
};

#define HEADER_BYTES (sizeof(struct record_header))

static_assert(HEADER_BYTES == 8, "records are aligned to the header's size");

/* Positions count bytes since creation and never wrap in practice (64 bits); the place in memory is position & mask. Each
 * side works on its own cache line, with a stale copy of the other's position that is refreshed only when it does not do. */
struct byte_ring {
    uint8_t *memory;
    uint64_t bytes;
    uint64_t mask;

    alignas(CACHE_LINE) _Atomic uint64_t tail; /* written by the producer */
    uint64_t head_seen;
    uint64_t reserved_at; /* position of the reserved record's header, after a possible padding record */
    uint64_t reserved;    /* bytes asked for; 0: nothing is reserved */

    alignas(CACHE_LINE) _Atomic uint64_t head; /* written by the consumer */
    uint64_t tail_seen;
    uint64_t peeked; /* bytes of the record last peeked, header included; 0: none */
};

static uint64_t record_bytes(uint64_t len)
{
    return HEADER_BYTES + ((len + 7) & ~7ULL);
}

static struct record_header *header_at(const struct byte_ring *ring, uint64_t position)
{
    return (struct record_header *)(void *)(ring->memory + (position & ring->mask));
}

enum assay_error byte_ring_create(size_t bytes, struct byte_ring **out)
{
    struct byte_ring *ring;

    if (bytes < BYTE_RING_BYTES_MIN || bytes > BYTE_RING_BYTES_MAX || (bytes & (bytes - 1)) != 0)
        return ASSAY_ERR_RANGE;
    ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
    if (ring == NULL)
        return ASSAY_ERR_NO_MEMORY;
    *ring = (struct byte_ring){.bytes = bytes, .mask = bytes - 1};
    ring->memory = aligned_alloc(CACHE_LINE, bytes);
    if (ring->memory == NULL) {
        free(ring);
        return ASSAY_ERR_NO_MEMORY;
    }
    *out = ring;
    return ASSAY_OK;
}

void byte_ring_destroy(struct byte_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->memory);
    free(ring);
}

size_t byte_ring_record_max(const struct byte_ring *ring)
{
    /* A record of half the memory fits either before the end or after it. */
    return ring->bytes / 2 - HEADER_BYTES;
}

void *byte_ring_reserve(struct byte_ring *ring, size_t len)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t to_end = ring->bytes - (tail & ring->mask);
    uint64_t record, needed;

    ring->reserved = 0;
    if (len == 0 || len > byte_ring_record_max(ring))
        return NULL;
    record = record_bytes(len);
    needed = record <= to_end ? record : to_end + record;
    if (tail + needed - ring->head_seen > ring->bytes) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail + needed - ring->head_seen > ring->bytes)
            return NULL;
    }
    ring->reserved_at = tail;
    if (record > to_end) {
        *header_at(ring, tail) = (struct record_header){.length = (uint32_t)to_end, .padding = 1};
        ring->reserved_at = tail + to_end;
    }
    ring->reserved = len;
    return header_at(ring, ring->reserved_at) + 1;
}

void byte_ring_commit(struct byte_ring *ring, size_t len)
{
    uint64_t reserved = ring->reserved;

    assert(len <= reserved);
    ring->reserved = 0;
    if (len == 0 || len > reserved)
        return;
    *header_at(ring, ring->reserved_at) = (struct record_header){.length = (uint32_t)len};
    atomic_store_explicit(&ring->tail, ring->reserved_at + record_bytes(len), memory_order_release);
}

bool byte_ring_peek(struct byte_ring *ring, struct slice *record)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const struct record_header *header;

    ring->peeked = 0;
    if (head == ring->tail_seen) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen)
            return false;
    }
    header = header_at(ring, head);
    if (header->padding) {
        /* Published together with the record behind it: that one is there. */
        head += header->length;
        atomic_store_explicit(&ring->head, head, memory_order_release);
        header = header_at(ring, head);
    }
    ring->peeked = record_bytes(header->length);
    *record = slice_of(header + 1, header->length);
    return true;
}

void byte_ring_release(struct byte_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    atomic_store_explicit(&ring->head, head + ring->peeked, memory_order_release);
    ring->peeked = 0;
}
