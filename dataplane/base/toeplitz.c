/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/toeplitz.h"

/* The 32 bits of the key that begin at bit. */
static uint32_t key_window(const uint8_t key[TOEPLITZ_KEY_BYTES], size_t bit)
{
    uint64_t five = 0;

    for (size_t i = 0; i < 5; i++)
        five = five << 8 | (bit / 8 + i < TOEPLITZ_KEY_BYTES ? key[bit / 8 + i] : 0);
    return (uint32_t)(five >> (8 - bit % 8));
}

void toeplitz_init(struct toeplitz *toeplitz, const uint8_t key[TOEPLITZ_KEY_BYTES])
{
    for (size_t row = 0; row < sizeof(toeplitz->table) / sizeof(toeplitz->table[0]); row++)
        for (unsigned value = 0; value < 16; value++) {
            uint32_t hash = 0;

            for (unsigned bit = 0; bit < 4; bit++)
                if (value & 8U >> bit)
                    hash ^= key_window(key, row * 4 + bit);
            toeplitz->table[row][value] = hash;
        }
}
