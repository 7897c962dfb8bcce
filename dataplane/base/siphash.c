/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/siphash.h"

#include <string.h>

struct sip_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, unsigned int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip_state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

/* The paper reads words in little-endian order, which is this machine's. */
static inline uint64_t load_word(const uint8_t *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

static inline void absorb(struct sip_state *s, uint64_t word, unsigned int rounds)
{
    s->v3 ^= word;
    for (unsigned int i = 0; i < rounds; i++)
        sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const uint8_t *data, size_t len,
                               unsigned int c_rounds, unsigned int d_rounds)
{
    uint64_t k0 = load_word(key), k1 = load_word(key + 8);
    struct sip_state s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                          k1 ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)(len & 0xff) << 56;
    size_t whole = len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8)
        absorb(&s, load_word(data + i), c_rounds);
    for (size_t i = whole; i < len; i++)
        last |= (uint64_t)data[i] << (8 * (i - whole));
    absorb(&s, last, c_rounds);
    s.v2 ^= 0xff;
    for (unsigned int i = 0; i < d_rounds; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash_2_4(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len)
{
    return siphash(key, data, len, 2, 4);
}

uint64_t siphash_1_3(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len)
{
    return siphash(key, data, len, 1, 3);
}
