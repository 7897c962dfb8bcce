/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/chain.h"

#include <stdint.h>
#include <stdlib.h>

struct x509_chain {
    uint32_t references;
    uint32_t count;
    size_t bytes;
    struct x509_chain_digest digest;
    struct slice staple;
    struct slice certificates[]; /* then their bytes, then the staple's */
};

struct x509_chain *x509_chain_create(const struct slice *presented, size_t count)
{
    return x509_chain_create_stapled(presented, count, slice_of(NULL, 0));
}

struct x509_chain *x509_chain_create_stapled(const struct slice *presented, size_t count, struct slice staple)
{
    size_t bytes = sizeof(struct x509_chain) + count * sizeof(struct slice) + staple.len;
    struct x509_chain *chain;
    uint8_t *at;

    if (count == 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        bytes += presented[i].len;
    chain = malloc(bytes);
    if (chain == NULL)
        return NULL;
    chain->references = 1;
    chain->count = (uint32_t)count;
    chain->bytes = bytes;
    at = (uint8_t *)(chain->certificates + count);
    for (size_t i = 0; i < count; i++) {
        if (presented[i].len > 0)
            memcpy(at, presented[i].data, presented[i].len);
        chain->certificates[i] = slice_of(at, presented[i].len);
        at += presented[i].len;
    }
    if (staple.len > 0)
        memcpy(at, staple.data, staple.len);
    chain->staple = slice_of(at, staple.len);
    x509_chain_digest(chain->certificates, count, &chain->digest);
    x509_chain_digest_staple(staple, &chain->digest);
    return chain;
}

struct x509_chain *x509_chain_ref(struct x509_chain *chain)
{
    __atomic_add_fetch(&chain->references, 1, __ATOMIC_RELAXED);
    return chain;
}

void x509_chain_unref(struct x509_chain *chain)
{
    /* Release: our reads of the chain come before the free; acquire: the free comes after everyone's. */
    if (chain != NULL && __atomic_sub_fetch(&chain->references, 1, __ATOMIC_ACQ_REL) == 0)
        free(chain);
}

const struct slice *x509_chain_slices(const struct x509_chain *chain, size_t *count)
{
    *count = chain->count;
    return chain->certificates;
}

struct slice x509_chain_staple(const struct x509_chain *chain)
{
    return chain->staple;
}

const struct x509_chain_digest *x509_chain_digests(const struct x509_chain *chain)
{
    return &chain->digest;
}

size_t x509_chain_bytes(const struct x509_chain *chain)
{
    return chain->bytes;
}
