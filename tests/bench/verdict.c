/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a verdict costs on this machine: judged in full, and taken from the cache.
 * verdict ROOT.pem CHAIN.pem NAME: prints {"full_ns": …, "digest_ns": …, "cached_ns": …}; exit 1 when the chain is refused.
 * cached: digest-keyed look-up as a handshake does it (the digest is worked out once a handshake, counted in digest_ns). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "x509/identity.h"
#include "x509/pem.h"
#include "x509/store.h"
#include "x509/verdict_cache.h"
#include "x509/verify.h"

#define FULL_ROUNDS   500
#define CACHED_ROUNDS 1000000
#define FILE_MAX      (1 << 20)

struct bench_file {
    uint8_t bytes[FILE_MAX], scratch[FILE_MAX];
    size_t length;
};

static double now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void quit(const char *what)
{
    fprintf(stderr, "verdict: %s\n", what);
    exit(2);
}

static void file_read(const char *path, struct bench_file *file)
{
    FILE *stream = fopen(path, "rb");

    if (stream == NULL)
        quit(path);
    file->length = fread(file->bytes, 1, sizeof(file->bytes), stream);
    fclose(stream);
}

/* The DERs are copied: the reader's buffer holds only the last one for sure. */
static size_t file_certificates(struct bench_file *file, struct slice *out, size_t max)
{
    struct x509_pem_reader reader;
    struct slice der;
    size_t count = 0;

    x509_pem_begin(&reader, slice_of(file->bytes, file->length), file->scratch, sizeof(file->scratch));
    while (count < max && x509_pem_next(&reader, &der) == ASSAY_OK) {
        uint8_t *copy = malloc(der.len);

        if (copy == NULL)
            quit("out of memory");
        memcpy(copy, der.data, der.len);
        out[count++] = slice_of(copy, der.len);
    }
    return count;
}

static double time_full(const struct x509_store *store, const struct slice *chain, size_t count,
                        const struct x509_identity *identity, const struct x509_policy *policy, uint64_t now_s,
                        struct x509_result *result)
{
    double begin = now_ns();

    for (int i = 0; i < FULL_ROUNDS; i++)
        x509_verify(store, chain, count, identity, policy, now_s, result);
    return (now_ns() - begin) / FULL_ROUNDS;
}

static double time_digest(const struct slice *chain, size_t count, struct x509_chain_digest *digest)
{
    double begin = now_ns();

    for (int i = 0; i < FULL_ROUNDS; i++)
        x509_chain_digest(chain, count, digest);
    return (now_ns() - begin) / FULL_ROUNDS;
}

static double time_cached(struct x509_verdict_cache *cache, const struct x509_chain_digest *digest,
                          const struct x509_identity *identity, uint32_t policy_id, uint64_t now_s)
{
    struct x509_verdict verdict;
    double begin = now_ns();

    for (int i = 0; i < CACHED_ROUNDS; i++)
        if (!x509_verdict_cache_lookup(cache, digest, identity, policy_id, 1, now_s, &verdict))
            quit("the cache does not hold what was put in");
    return (now_ns() - begin) / CACHED_ROUNDS;
}

int main(int argc, char **argv)
{
    static struct bench_file roots, presented;
    struct slice root[1], chain[X509_PRESENTED_MAX];
    struct x509_store *store = x509_store_create();
    struct x509_verdict_cache *cache = x509_verdict_cache_create(4096, 64, 5);
    struct x509_chain_digest digest;
    struct x509_identity identity;
    struct x509_policy policy;
    struct x509_result result;
    uint64_t now_s = (uint64_t)time(NULL);
    double full, digesting, cached;
    size_t count;

    if (argc != 4)
        quit("usage: verdict ROOT.pem CHAIN.pem NAME");
    file_read(argv[1], &roots);
    file_read(argv[2], &presented);
    count = file_certificates(&presented, chain, X509_PRESENTED_MAX);
    if (store == NULL || cache == NULL || count == 0 || file_certificates(&roots, root, 1) != 1)
        quit("no certificates");
    if (x509_store_add(store, root[0], X509_ROLE_ANCHOR, NULL) != ASSAY_OK ||
        x509_identity_from_host(slice_text(argv[3]), &identity) != ASSAY_OK)
        quit("a root or a name that is none");
    x509_policy_default(&policy);
    full = time_full(store, chain, count, &identity, &policy, now_s, &result);
    if (x509_result_reason(&result) != X509_REASON_OK) {
        fprintf(stderr, "verdict: refused: %s\n", x509_reason_text(x509_result_reason(&result)));
        return 1;
    }
    digesting = time_digest(chain, count, &digest);
    x509_verdict_cache_insert(cache, &digest, &identity, policy.id, 1, now_s, &result);
    cached = time_cached(cache, &digest, &identity, policy.id, now_s);
    printf("{\"full_ns\": %.0f, \"digest_ns\": %.0f, \"cached_ns\": %.0f}\n", full, digesting, cached);
    x509_verdict_cache_free(cache);
    x509_store_free(store);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)chain[i].data);
    free((void *)(uintptr_t)root[0].data);
    return 0;
}
