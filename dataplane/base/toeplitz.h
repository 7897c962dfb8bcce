/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_TOEPLITZ_H
#define ASSAY_BASE_TOEPLITZ_H
/* The Toeplitz hash of receive side scaling, by tables: 16 values for each half byte of the input. It is linear: the hash of
 * an input is the XOR of what each of its bytes adds, so a part that changes can be hashed alone. Pure.
 * Units: bytes, in the order of the wire. Source: Microsoft, "RSS Hashing Functions" and "Verifying the RSS Hash Calculation". */
#include <stddef.h>
#include <stdint.h>

#define TOEPLITZ_KEY_BYTES     40 /* what a NIC takes: enough for IPv6 with ports */
#define TOEPLITZ_KEY_BYTES_MAX 52 /* some NICs take more, for inputs that we do not have */
#define TOEPLITZ_INPUT_MAX     36 /* two IPv6 addresses, two ports */

struct toeplitz {
    uint32_t table[TOEPLITZ_INPUT_MAX * 2][16];
};

void toeplitz_init(struct toeplitz *toeplitz, const uint8_t key[TOEPLITZ_KEY_BYTES]);

/* What data adds to the hash of an input in which it stands at offset; offset + len is at most TOEPLITZ_INPUT_MAX. */
static inline uint32_t toeplitz_at(const struct toeplitz *toeplitz, size_t offset, const uint8_t *data, size_t len)
{
    const uint32_t(*row)[16] = &toeplitz->table[offset * 2];
    uint32_t hash = 0;

    for (size_t i = 0; i < len; i++, row += 2)
        hash ^= row[0][data[i] >> 4] ^ row[1][data[i] & 15];
    return hash;
}

static inline uint32_t toeplitz_hash(const struct toeplitz *toeplitz, const uint8_t *data, size_t len)
{
    return toeplitz_at(toeplitz, 0, data, len);
}

#endif
