/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "x509/verdict_cache.h"

#define NOW   1000
#define EPOCH 7

static struct x509_chain_digest digest_of(uint8_t leaf, uint8_t chain)
{
    struct x509_chain_digest digest = {0};

    for (size_t i = 0; i < 32; i++) {
        digest.leaf[i] = (uint8_t)(leaf * 31 + i);
        digest.chain[i] = (uint8_t)(chain * 17 + i);
    }
    return digest;
}

static struct x509_identity identity_of(const char *host)
{
    struct x509_identity identity;

    assert_int_equal(x509_identity_from_host(slice_text(host), &identity), ASSAY_OK);
    return identity;
}

static const struct x509_result good = {.valid_until_s = NOW + 100, .warnings = X509_WARN_SHA1};
static const struct x509_result bad = {.chain_reason = X509_REASON_UNKNOWN_ISSUER, .depth = 1};

static void different_keys_do_not_meet(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(64, 64, 5);
    struct x509_chain_digest a = digest_of(1, 1), b = digest_of(2, 1);
    struct x509_identity name = identity_of("a.b"), other = identity_of("a.c"), address = identity_of("10.1.2.3");
    struct x509_verdict verdict;

    (void)state;
    assert_false(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW, &verdict));
    x509_verdict_cache_insert(cache, &a, &name, 1, EPOCH, NOW, &good);
    assert_false(x509_verdict_cache_lookup(cache, &b, &name, 1, EPOCH, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &other, 1, EPOCH, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &address, 1, EPOCH, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &name, 2, EPOCH, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH + 1, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW + 101, &verdict));
    assert_true(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW + 100, &verdict));
    assert_int_equal(verdict.chain_reason, X509_REASON_OK);
    assert_int_equal(verdict.warnings, X509_WARN_SHA1);
    assert_int_equal(verdict.valid_until_s, NOW + 100);
    x509_verdict_cache_free(cache);
    x509_verdict_cache_free(NULL);
}

/* A leaf with a valid path keeps it whatever else was sent; a refusal is about the whole chain, and for seconds. */
static void positive_and_negative(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(64, 64, 5);
    struct x509_chain_digest a = digest_of(1, 1), more = digest_of(1, 2);
    struct x509_identity name = identity_of("a.b");
    struct x509_verdict verdict;

    (void)state;
    x509_verdict_cache_insert(cache, &a, &name, 1, EPOCH, NOW, &bad);
    assert_false(x509_verdict_cache_lookup(cache, &more, &name, 1, EPOCH, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW + 6, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH + 1, NOW, &verdict));
    assert_true(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW + 5, &verdict));
    assert_int_equal(verdict.chain_reason, X509_REASON_UNKNOWN_ISSUER);
    assert_int_equal(verdict.depth, 1);
    x509_verdict_cache_insert(cache, &more, &name, 1, EPOCH, NOW, &good);
    assert_true(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW, &verdict));
    assert_int_equal(verdict.chain_reason, X509_REASON_OK);
    x509_verdict_cache_free(cache);
}

/* What a stapled response proved serves no connection without it, nor one with another: a revocation beats the cache. */
static void staples_do_not_meet(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(64, 64, 5);
    struct x509_chain_digest none = digest_of(1, 1), one = none, two = none;
    const struct x509_result revoked = {.chain_reason = X509_REASON_REVOKED};
    struct x509_identity name = identity_of("a.b");
    struct x509_verdict verdict;

    (void)state;
    x509_chain_digest_staple(slice_text("good"), &one);
    x509_chain_digest_staple(slice_text("revoked"), &two);
    x509_verdict_cache_insert(cache, &one, &name, 1, EPOCH, NOW, &good);
    assert_false(x509_verdict_cache_lookup(cache, &none, &name, 1, EPOCH, NOW, &verdict));
    assert_false(x509_verdict_cache_lookup(cache, &two, &name, 1, EPOCH, NOW, &verdict));
    x509_verdict_cache_insert(cache, &two, &name, 1, EPOCH, NOW, &revoked);
    assert_true(x509_verdict_cache_lookup(cache, &two, &name, 1, EPOCH, NOW, &verdict));
    assert_int_equal(verdict.chain_reason, X509_REASON_REVOKED);
    assert_false(x509_verdict_cache_lookup(cache, &none, &name, 1, EPOCH, NOW, &verdict));
    assert_true(x509_verdict_cache_lookup(cache, &one, &name, 1, EPOCH, NOW, &verdict));
    assert_int_equal(verdict.chain_reason, X509_REASON_OK);
    x509_chain_digest_staple(slice_of(NULL, 0), &one);
    assert_memory_equal(&one, &none, sizeof(one));
    x509_verdict_cache_free(cache);
}

static void names_are_negative_and_work_limits_forgotten(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(64, 64, 5);
    struct x509_chain_digest a = digest_of(1, 1), b = digest_of(2, 2);
    struct x509_identity name = identity_of("a.b");
    struct x509_result mismatch = {.name_reason = X509_REASON_NAME_MISMATCH, .valid_until_s = NOW + 2};
    struct x509_result limited = {.chain_reason = X509_REASON_WORK_LIMIT};
    struct x509_verdict verdict;

    (void)state;
    x509_verdict_cache_insert(cache, &b, &name, 1, EPOCH, NOW, &limited);
    assert_false(x509_verdict_cache_lookup(cache, &b, &name, 1, EPOCH, NOW, &verdict));
    x509_verdict_cache_insert(cache, &a, &name, 1, EPOCH, NOW, &mismatch);
    assert_true(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW, &verdict));
    assert_int_equal(verdict.name_reason, X509_REASON_NAME_MISMATCH);
    assert_int_equal(verdict.valid_until_s, NOW + 2); /* the path ends before the negative does */
    x509_verdict_cache_free(cache);
}

/* Full: the number of entries stays, old ones go, nothing is wrong. */
static void evicts_within_bounds(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(16, 16, 5);
    const struct x509_verdict_stats *stats = x509_verdict_cache_stats(cache);
    struct x509_verdict verdict;
    unsigned found = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct x509_chain_digest digest = digest_of((uint8_t)i, 1);
        struct x509_identity name = identity_of("a.b");

        x509_verdict_cache_insert(cache, &digest, &name, i, EPOCH, NOW, &good);
        assert_true(
            x509_verdict_cache_lookup(cache, &digest, &name, i, EPOCH, NOW, &verdict)); /* the newest is there */
    }
    for (unsigned i = 0; i < 200; i++) {
        struct x509_chain_digest digest = digest_of((uint8_t)i, 1);
        struct x509_identity name = identity_of("a.b");

        found += x509_verdict_cache_lookup(cache, &digest, &name, i, EPOCH, NOW, &verdict);
    }
    assert_in_range(found, 1, 16);
    assert_int_equal(stats->inserts, 200);
    assert_int_equal(stats->evictions, 200 - found);
    assert_int_equal(stats->hits, 200 + found);
    assert_int_equal(stats->misses, 200 - found);
    assert_int_equal(stats->epoch_flushes, 1);
    x509_verdict_cache_free(cache);
}

/* What outlived its epoch makes room before anything is evicted. */
static void old_epochs_make_room(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(4, 4, 5);
    struct x509_identity name = identity_of("a.b");

    (void)state;
    for (uint8_t i = 0; i < 4; i++) {
        struct x509_chain_digest digest = digest_of(i, 1);

        x509_verdict_cache_insert(cache, &digest, &name, 1, EPOCH, NOW, &good);
    }
    for (uint8_t i = 10; i < 14; i++) {
        struct x509_chain_digest digest = digest_of(i, 1);

        x509_verdict_cache_insert(cache, &digest, &name, 1, EPOCH + 1, NOW, &good);
    }
    assert_int_equal(x509_verdict_cache_stats(cache)->evictions, 0);
    x509_verdict_cache_free(cache);
}

static void visit(void *arg, const uint8_t leaf[32], const struct x509_identity *identity, uint32_t policy_id,
                  uint64_t trust_epoch, const struct x509_verdict *verdict)
{
    unsigned *seen = arg;

    (void)leaf;
    assert_int_equal(identity->kind, X509_IDENTITY_DNS);
    assert_int_equal(policy_id, 3);
    assert_int_equal(trust_epoch, EPOCH);
    *seen |= verdict->chain_reason == X509_REASON_OK ? 1 : 2;
}

static void the_live_view(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(16, 16, 5);
    struct x509_chain_digest a = digest_of(1, 1), b = digest_of(2, 2), old = digest_of(3, 3);
    struct x509_identity name = identity_of("a.b");
    unsigned seen = 0;

    (void)state;
    x509_verdict_cache_insert(cache, &old, &name, 9, EPOCH - 1, NOW, &good);
    x509_verdict_cache_insert(cache, &a, &name, 3, EPOCH, NOW, &good);
    x509_verdict_cache_insert(cache, &b, &name, 3, EPOCH, NOW, &bad);
    x509_verdict_cache_each(cache, visit, &seen);
    assert_int_equal(seen, 3);
    x509_verdict_cache_free(cache);
}

static void keys_made_once(void **state)
{
    struct x509_verdict_cache *cache = x509_verdict_cache_create(16, 16, 5);
    struct x509_chain_digest a = digest_of(1, 1);
    struct x509_identity name = identity_of("a-name-of-some-length.steven.lab");
    struct x509_verdict_key key;
    struct x509_verdict verdict;

    (void)state;
    x509_verdict_key_init(&key, &a, &name, 1);
    x509_verdict_cache_put(cache, &key, EPOCH, NOW, &good);
    assert_true(x509_verdict_cache_lookup(cache, &a, &name, 1, EPOCH, NOW, &verdict));
    assert_true(x509_verdict_cache_find(cache, &key, EPOCH, NOW, &verdict));
    x509_verdict_cache_free(cache);
}

static void chain_digests(void **state)
{
    struct slice one[] = {slice_text("ab"), slice_text("c")}, two[] = {slice_text("ab"), slice_text("cd")};
    struct slice three[] = {slice_text("ab"), slice_text("c"), slice_text("d")};
    static const uint8_t zero[32];
    struct x509_chain_digest a, b, c;

    (void)state;
    x509_chain_digest(one, 2, &a);
    x509_chain_digest(two, 2, &b);
    x509_chain_digest(three, 3, &c);
    assert_memory_equal(a.leaf, b.leaf, 32);
    assert_memory_not_equal(a.chain, b.chain, 32);
    assert_memory_not_equal(b.chain, c.chain, 32); /* "cd" is not "c", "d" */
    x509_chain_digest(NULL, 0, &a);
    assert_memory_equal(a.leaf, zero, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(different_keys_do_not_meet),
        cmocka_unit_test(positive_and_negative),
        cmocka_unit_test(staples_do_not_meet),
        cmocka_unit_test(names_are_negative_and_work_limits_forgotten),
        cmocka_unit_test(evicts_within_bounds),
        cmocka_unit_test(old_epochs_make_room),
        cmocka_unit_test(the_live_view),
        cmocka_unit_test(keys_made_once),
        cmocka_unit_test(chain_digests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
