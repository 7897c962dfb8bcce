/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_SIPHASH_H
#define ASSAY_BASE_SIPHASH_H
/* SipHash: a keyed hash for hash tables and for values a peer must not guess (ISN, ports, timestamp offsets). Pure.
 * 2-4 is the conservative form; 1-3 is enough where only bucket collisions matter.
 * Source: Aumasson & Bernstein, "SipHash: a fast short-input PRF", 2012. */
#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_BYTES 16

uint64_t siphash_2_4(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len);
uint64_t siphash_1_3(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len);

#endif
