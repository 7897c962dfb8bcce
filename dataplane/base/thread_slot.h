/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_THREAD_SLOT_H
#define ASSAY_BASE_THREAD_SLOT_H
/* The only thread-local data of assay: wolfSSL's allocator and random hooks are process-wide and carry no context, so the
 * calling thread's allocator and DRBG are found here (DESIGN). A thread without a slot uses malloc and the kernel's random
 * source: correct, only slower.
 * Owner: thread_slot_create() allocates a slot, its core attaches it. Thread: a slot serves the thread that attached it;
 * blocks freed on another thread go home by a lock-free stack of the owner's.
 * DRBG: ChaCha20-based, key-erasing (fast key erasure), seeded by getrandom(2), reseeded by bytes and time, and after fork.
 * Errors: create fails with NO_MEMORY or SYSTEM (no entropy). */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"

struct thread_slot;

struct thread_slot_stats {
    uint64_t bytes_in_use, bytes_peak; /* requested by the library and not freed */
    uint64_t blocks_in_use;
    uint64_t failures; /* requests that could not be served */
    uint64_t reseeds;
};

/* heap_bytes: what the slot's allocator may hold at the most (reserved lazily). */
enum assay_error thread_slot_create(size_t heap_bytes, struct thread_slot **out) ASSAY_MUST_USE;
void thread_slot_attach(struct thread_slot *slot); /* to the calling thread; NULL detaches */
void thread_slot_free(struct thread_slot *slot);   /* detached, and all its blocks freed */
void thread_slot_get_stats(const struct thread_slot *slot, struct thread_slot_stats *out); /* any thread, relaxed */

/* Installs the allocator in wolfSSL (once, before wolfSSL_Init). */
enum assay_error thread_slot_install(void) ASSAY_MUST_USE;

/* Memory and random bytes of the calling thread's slot, for our own code that works beside the library. */
void *slot_alloc(size_t len);
void slot_free(void *block);
void slot_random(void *out, size_t len);

/* wolfSSL's CUSTOM_RAND_GENERATE_BLOCK. */
int assay_rand_generate_block(unsigned char *output, unsigned int size);

#endif
