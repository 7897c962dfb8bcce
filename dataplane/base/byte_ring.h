/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_BYTE_RING_H
#define ASSAY_BASE_BYTE_RING_H
/* A lock-free ring of length-prefixed records between two threads: log records, events, commands. A record is contiguous
 * and aligned to 8 bytes; nobody waits for anybody: a full ring says so and the producer counts.
 * Owner: the ring owns its memory; a record belongs to the producer between reserve and commit, to the consumer between
 * peek and release.
 * Thread: one producer (reserve, commit), one consumer (peek, release); create and destroy before and after both.
 * Units: bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

struct byte_ring;

#define BYTE_RING_BYTES_MIN 256
#define BYTE_RING_BYTES_MAX (1U << 30)

/* bytes: a power of two. RANGE, NO_MEMORY. */
enum assay_error byte_ring_create(size_t bytes, struct byte_ring **out) ASSAY_MUST_USE;
void byte_ring_destroy(struct byte_ring *ring);

/* The longest record that always finds room in an empty ring, wherever its indices stand. */
size_t byte_ring_record_max(const struct byte_ring *ring);

/* Room for a record of len bytes, or NULL when the ring is too full, or len over byte_ring_record_max(). A second
 * reserve without a commit gives up the first. */
void *byte_ring_reserve(struct byte_ring *ring, size_t len);
/* Publishes the first len bytes of what was reserved (0: nothing, the reservation is given up). len may be less than
 * reserved. */
void byte_ring_commit(struct byte_ring *ring, size_t len);

/* The oldest record; false when the ring is empty. The same one again until released. */
bool byte_ring_peek(struct byte_ring *ring, struct slice *record);
/* Gives back the record last peeked. */
void byte_ring_release(struct byte_ring *ring);

#endif
