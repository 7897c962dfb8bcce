/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "x509/verdict_table.h"

#define NOW 1700000000

static struct x509_verdict_key key_of(uint8_t leaf, uint8_t chain, const char *host, uint32_t policy)
{
    struct x509_chain_digest digest = {0};
    struct x509_identity identity;
    struct x509_verdict_key key;

    memset(&digest.leaf, leaf, sizeof(digest.leaf));
    memset(&digest.chain, chain, sizeof(digest.chain));
    assert_int_equal(x509_identity_from_host(slice_text(host), &identity), ASSAY_OK);
    x509_verdict_key_init(&key, &digest, &identity, policy);
    return key;
}

static struct x509_verdict verdict_of(enum x509_reason chain, enum x509_reason name, uint64_t until_s)
{
    return (struct x509_verdict){
        .chain_reason = chain, .name_reason = name, .depth = 1, .warnings = 2, .valid_until_s = until_s};
}

static void a_verdict_is_of_its_whole_key(void **state)
{
    struct x509_verdict_table *table = x509_verdict_table_create(4);
    struct x509_verdict_key good = key_of(1, 1, "a.steven.lab", 7), bad = key_of(2, 2, "a.steven.lab", 7);
    struct x509_verdict_key others[] = {key_of(3, 1, "a.steven.lab", 7), key_of(1, 1, "b.steven.lab", 7),
                                        key_of(1, 1, "a.steven.lab", 8), key_of(2, 3, "a.steven.lab", 7),
                                        key_of(2, 2, "b.steven.lab", 7), key_of(2, 2, "a.steven.lab", 8)};
    struct x509_verdict verdict = verdict_of(X509_REASON_OK, X509_REASON_OK, NOW + 10), out;

    x509_verdict_table_add(table, &good, &verdict);
    verdict = verdict_of(X509_REASON_EXPIRED, X509_REASON_OK, NOW + 5);
    x509_verdict_table_add(table, &bad, &verdict);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (x509_verdict_table_find(table, &others[i], NOW, &out))
            fail_msg("key %zu", i);
    assert_true(x509_verdict_table_find(table, &good, NOW, &out));
    assert_int_equal(out.chain_reason, X509_REASON_OK);
    assert_int_equal(out.warnings, 2);
    assert_true(x509_verdict_table_find(table, &bad, NOW, &out));
    assert_int_equal(out.chain_reason, X509_REASON_EXPIRED);
    assert_int_equal(out.depth, 1);
    /* a leaf that has a valid path keeps it whatever else was sent along (DESIGN 6); a refusal is of the chain */
    good = key_of(1, 9, "a.steven.lab", 7);
    assert_true(x509_verdict_table_find(table, &good, NOW, &out));
    x509_verdict_table_free(table);
}

static void a_verdict_ends(void **state)
{
    struct x509_verdict_table *table = x509_verdict_table_create(2);
    struct x509_verdict_key key = key_of(1, 1, "a.steven.lab", 7);
    struct x509_verdict verdict = verdict_of(X509_REASON_OK, X509_REASON_OK, NOW), out;

    x509_verdict_table_add(table, &key, &verdict);
    assert_true(x509_verdict_table_find(table, &key, NOW, &out));
    assert_false(x509_verdict_table_find(table, &key, NOW + 1, &out));
    x509_verdict_table_free(table);
}

/* A name alone that does not match is a refusal as well. */
static void the_later_one_of_a_key_counts(void **state)
{
    struct x509_verdict_table *table = x509_verdict_table_create(2);
    struct x509_verdict_key key = key_of(1, 1, "a.steven.lab", 7);
    struct x509_verdict verdict = verdict_of(X509_REASON_OK, X509_REASON_NAME_MISMATCH, NOW), out;

    x509_verdict_table_add(table, &key, &verdict);
    verdict.valid_until_s = NOW + 9;
    x509_verdict_table_add(table, &key, &verdict);
    assert_int_equal(x509_verdict_table_count(table), 1);
    assert_true(x509_verdict_table_find(table, &key, NOW + 9, &out));
    assert_int_equal(out.name_reason, X509_REASON_NAME_MISMATCH);
    x509_verdict_table_free(table);
}

static void many(void **state)
{
    struct x509_verdict_table *table = x509_verdict_table_create(1000);
    struct x509_verdict verdict = verdict_of(X509_REASON_OK, X509_REASON_OK, NOW), out;
    struct x509_verdict_key key;
    char host[32];

    for (unsigned i = 0; i < 1100; i++) {
        snprintf(host, sizeof(host), "node%u.steven.lab", i);
        key = key_of((uint8_t)i, 1, host, 7);
        verdict.depth = (int)i;
        x509_verdict_table_add(table, &key, &verdict);
    }
    assert_int_equal(x509_verdict_table_count(table), 1000); /* what is beyond its room is left out */
    for (unsigned i = 0; i < 1100; i++) {
        snprintf(host, sizeof(host), "node%u.steven.lab", i);
        key = key_of((uint8_t)i, 1, host, 7);
        assert_int_equal(x509_verdict_table_find(table, &key, NOW, &out), i < 1000);
        if (i < 1000)
            assert_int_equal(out.depth, i);
    }
    x509_verdict_table_free(table);
    table = x509_verdict_table_create(0);
    assert_false(x509_verdict_table_find(table, &key, NOW, &out));
    x509_verdict_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_of_its_whole_key),
        cmocka_unit_test(a_verdict_ends),
        cmocka_unit_test(the_later_one_of_a_key_counts),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
