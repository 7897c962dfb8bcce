/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_DRBG_H
#define ASSAY_BASE_DRBG_H
/* A random generator with fast key erasure: each refill runs ChaCha20 over an empty block, the first 32 bytes replace the
 * key, the rest is handed out once and wiped. What leaked later says nothing about what was handed out before.
 * Seeded by getrandom(2), and again after DRBG_RESEED_BYTES, after DRBG_RESEED_S, and in a child after fork: its memory is
 * its own mapping with MADV_WIPEONFORK, so that a child finds an unseeded state instead of its parent's.
 * Owner: drbg_create() maps it, drbg_free() wipes and unmaps. Thread: one. Errors: SYSTEM (no mapping, no entropy).
 * Source: Bernstein, "Fast-key-erasure random-number generators", 2017; RFC 8439 (ChaCha20). */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"

#define DRBG_RESEED_BYTES (16u << 20)
#define DRBG_RESEED_S     300

struct drbg;

enum assay_error drbg_create(struct drbg **out) ASSAY_MUST_USE;
void drbg_free(struct drbg *drbg);
/* SYSTEM when the kernel gave no entropy for a reseed that was due: then nothing was written. */
enum assay_error drbg_generate(struct drbg *drbg, void *out, size_t len) ASSAY_MUST_USE;
uint64_t drbg_reseeds(const struct drbg *drbg);

/* len bytes of the kernel's random source, whatever the length. */
enum assay_error drbg_kernel_random(void *out, size_t len) ASSAY_MUST_USE;

#endif
