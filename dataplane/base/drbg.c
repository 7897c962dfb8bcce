/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/drbg.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/chacha.h>

#define KEY_BYTES 32
#define BLOCK_BYTES \
    1024 /* sixteen ChaCha20 blocks: long enough for the vector code, short enough to stay in the cache */

struct drbg {
    bool seeded; /* false in a child, and nothing is left to hand out: the kernel wiped the mapping */
    uint32_t unused;
    uint64_t bytes_since_seed;
    int64_t seeded_at_s;
    uint64_t reseeds;
    uint8_t key[KEY_BYTES];
    uint8_t block[BLOCK_BYTES]; /* the last `unused` bytes are still to be handed out */
};
static_assert(sizeof(struct drbg) <= 4096, "the state must fit the page that is wiped on fork");

static void wipe(void *at, size_t len)
{
    explicit_bzero(at, len);
}

static int64_t monotonic_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

enum assay_error drbg_kernel_random(void *out, size_t len)
{
    uint8_t *at = out;

    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ASSAY_ERR_SYSTEM;
        at += n;
        len -= (size_t)n;
    }
    return ASSAY_OK;
}

/* Fresh entropy is added to the key, never put in its place: a kernel that lies once costs nothing then. */
static enum assay_error reseed(struct drbg *drbg)
{
    uint8_t seed[KEY_BYTES];
    enum assay_error error = drbg_kernel_random(seed, sizeof(seed));

    if (error != ASSAY_OK)
        return error;
    for (size_t i = 0; i < sizeof(seed); i++)
        drbg->key[i] ^= seed[i];
    wipe(seed, sizeof(seed));
    wipe(drbg->block, sizeof(drbg->block));
    drbg->unused = 0;
    drbg->bytes_since_seed = 0;
    drbg->seeded_at_s = monotonic_s();
    drbg->reseeds++;
    drbg->seeded = true;
    return ASSAY_OK;
}

static enum assay_error refill(struct drbg *drbg)
{
    static const uint8_t nonce[CHACHA_IV_BYTES];
    ChaCha cipher;
    int failed;

    if (!drbg->seeded || drbg->bytes_since_seed >= DRBG_RESEED_BYTES ||
        monotonic_s() - drbg->seeded_at_s >= DRBG_RESEED_S) {
        enum assay_error error = reseed(drbg);

        if (error != ASSAY_OK)
            return error;
    }
    memset(drbg->block, 0, sizeof(drbg->block));
    failed = wc_Chacha_SetKey(&cipher, drbg->key, sizeof(drbg->key));
    if (!failed)
        failed = wc_Chacha_SetIV(&cipher, nonce, 0);
    if (!failed)
        failed = wc_Chacha_Process(&cipher, drbg->block, drbg->block, sizeof(drbg->block));
    wipe(&cipher, sizeof(cipher));
    if (failed)
        return ASSAY_ERR_CRYPTO;
    memcpy(drbg->key, drbg->block, sizeof(drbg->key));
    wipe(drbg->block, sizeof(drbg->key));
    drbg->unused = BLOCK_BYTES - KEY_BYTES;
    return ASSAY_OK;
}

enum assay_error drbg_generate(struct drbg *drbg, void *out, size_t len)
{
    uint8_t *at = out;
    size_t left = len;

    while (left > 0) {
        size_t n = left < drbg->unused ? left : drbg->unused;
        uint8_t *from = drbg->block + BLOCK_BYTES - drbg->unused;

        memcpy(at, from, n);
        wipe(from, n);
        drbg->unused -= (uint32_t)n;
        drbg->bytes_since_seed += n;
        at += n;
        left -= n;
        if (left > 0) {
            enum assay_error error = refill(drbg);

            if (error != ASSAY_OK) {
                wipe(out, len);
                return error;
            }
        }
    }
    return ASSAY_OK;
}

enum assay_error drbg_create(struct drbg **out)
{
    struct drbg *drbg = mmap(NULL, sizeof(*drbg), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    enum assay_error error;

    *out = NULL;
    if (drbg == MAP_FAILED)
        return ASSAY_ERR_SYSTEM;
    if (madvise(drbg, sizeof(*drbg), MADV_WIPEONFORK) != 0) {
        munmap(drbg, sizeof(*drbg));
        return ASSAY_ERR_SYSTEM;
    }
    /* Best effort: the state should not reach a core file or the swap, but neither is a reason not to start. */
    (void)madvise(drbg, sizeof(*drbg), MADV_DONTDUMP);
    (void)mlock(drbg, sizeof(*drbg));
    error = reseed(drbg);
    if (error != ASSAY_OK) {
        drbg_free(drbg);
        return error;
    }
    *out = drbg;
    return ASSAY_OK;
}

void drbg_free(struct drbg *drbg)
{
    if (drbg == NULL)
        return;
    wipe(drbg, sizeof(*drbg));
    munmap(drbg, sizeof(*drbg));
}

uint64_t drbg_reseeds(const struct drbg *drbg)
{
    return drbg->reseeds;
}
