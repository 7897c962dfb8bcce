/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/path.h"

/* The search itself; what it decides on whole chains is in test_verify.c. */
struct bench {
    struct path_search search;
    struct x509_store *store;
    struct x509_policy policy;
};

static void bench_open(struct bench *bench, const struct slice *presented, size_t count, struct slice anchor)
{
    memset(bench, 0, sizeof(*bench));
    bench->store = x509_store_create();
    x509_policy_default(&bench->policy);
    if (anchor.len > 0)
        assert_int_equal(x509_store_add(bench->store, anchor, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(x509_certificate_parse(presented[i], &bench->search.presented[i], NULL), ASSAY_OK);
    bench->search.presented_count = count;
    path_search_begin(&bench->search, bench->store, &bench->policy, FORGE_NOW);
}

static void bench_close(struct bench *bench)
{
    x509_store_free(bench->store);
}

static struct slice ca(const char *subject, const char *issuer, unsigned key, unsigned signer)
{
    return forge_certificate(&(struct forge){.subject = subject,
                                             .issuer = issuer,
                                             .key = forge_key(FORGE_P256, key),
                                             .signer = forge_key(FORGE_P256, signer),
                                             .extensions = {forge_ca(-1)}});
}

static struct slice leaf(const char *issuer, unsigned signer)
{
    return forge_certificate(&(struct forge){.subject = "leaf",
                                             .issuer = issuer,
                                             .key = forge_key(FORGE_P256, 15),
                                             .signer = forge_key(FORGE_P256, signer)});
}

static void dead_ends_are_explained_by_the_longest(void **state)
{
    struct slice presented[] = {leaf("A", 1), ca("A", "B", 1, 2), ca("A", "C", 1, 3), ca("C", "D", 3, 4)};
    struct bench bench;

    (void)state;
    bench_open(&bench, presented, 4, slice_of(NULL, 0));
    assert_false(path_find(&bench.search));
    path_explain(&bench.search);
    assert_int_equal(bench.search.best.reason, X509_REASON_UNKNOWN_ISSUER);
    assert_int_equal(bench.search.best.length, 3); /* leaf, A by C, C */
    assert_int_equal(bench.search.best.depth, 2);
    bench_close(&bench);
}

static void each_pair_is_computed_once(void **state)
{
    struct slice presented[] = {leaf("A", 1), ca("A", "B", 1, 2), ca("B", "A", 2, 1), ca("A", "R", 1, 9)};
    struct bench bench;

    (void)state;
    bench_open(&bench, presented, 4, slice_of(NULL, 0));
    assert_false(path_find(&bench.search));
    path_explain(&bench.search);
    assert_true(bench.search.work.checks == bench.search.link_count);
    for (size_t i = 0; i < bench.search.link_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(bench.search.links[i].subject != bench.search.links[j].subject ||
                        bench.search.links[i].issuer != bench.search.links[j].issuer);
    bench_close(&bench);
}

/* Nine CAs, all cross-signed: the number of ways is a factorial, the number of steps is not. */
static void steps_are_bounded(void **state)
{
    struct slice presented[X509_PRESENTED_MAX] = {leaf("N0", 0)};
    struct bench bench;

    (void)state;
    for (unsigned i = 0; i < 9; i++) { /* one name, so that each may issue each, in a ring */
        presented[i + 1] = ca("N0", "N0", i, (i + 1) % 9);
    }
    bench_open(&bench, presented, X509_PRESENTED_MAX, slice_of(NULL, 0));
    bench.policy.work_max = 1000;
    assert_false(path_find(&bench.search));
    path_explain(&bench.search);
    assert_true(bench.search.steps <= PATH_STEPS_MAX);
    assert_true(bench.search.work.checks <= 100);
    bench_close(&bench);
}

static void finds_and_shows_the_path(void **state)
{
    struct slice presented[] = {leaf("A", 1), ca("Z", "R", 5, 9), ca("A", "R", 1, 9)};
    struct bench bench;

    (void)state;
    bench_open(&bench, presented, 3, ca("R", NULL, 9, 9));
    assert_true(path_find(&bench.search));
    assert_int_equal(bench.search.length, 3);
    assert_ptr_equal(bench.search.path[0], &bench.search.presented[0]);
    assert_ptr_equal(bench.search.path[1], &bench.search.presented[2]);
    assert_ptr_equal(bench.search.path[2], x509_store_at(bench.store, 0, NULL));
    assert_int_equal(bench.search.work.checks, 2);
    bench_close(&bench);
}

/* The certificate that the key identifier names is tried first: no signature is computed for its namesakes. */
static void key_identifiers_save_work(void **state)
{
    struct forge what = {.subject = "R", .extensions = {forge_ca(-1), forge_ski("right")}};
    struct bench bench;
    struct slice presented[1];

    (void)state;
    what.key = forge_key(FORGE_P256, 9);
    struct slice right = forge_certificate(&what);

    presented[0] = forge_certificate(&(struct forge){.subject = "leaf",
                                                     .issuer = "R",
                                                     .key = forge_key(FORGE_P256, 15),
                                                     .signer = forge_key(FORGE_P256, 9),
                                                     .extensions = {forge_aki("right")}});
    bench_open(&bench, presented, 1, slice_of(NULL, 0));
    for (unsigned i = 0; i < 8; i++) {
        what.key = forge_key(FORGE_P256, i);
        what.extensions[1] = i % 2 ? forge_ski("wrong") : slice_of(NULL, 0);
        assert_int_equal(x509_store_add(bench.store, forge_certificate(&what), X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    }
    assert_int_equal(x509_store_add(bench.store, right, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    assert_true(path_find(&bench.search));
    assert_int_equal(bench.search.work.checks, 1);
    bench_close(&bench);
}

/* Forty CAs of one subject, nothing to tell them apart, the right one last. */
static void namesakes_are_all_tried(void **state)
{
    struct slice presented[] = {leaf("R", 9)};
    struct forge what = {.subject = "R", .extensions = {forge_ca(-1)}};
    struct bench bench;

    (void)state;
    bench_open(&bench, presented, 1, slice_of(NULL, 0));
    for (unsigned i = 0; i < 40; i++) {
        what.key = forge_key(FORGE_P256, i == 39 ? 9 : i % 8);
        what.serial = forge_integer(i + 1);
        assert_int_equal(x509_store_add(bench.store, forge_certificate(&what), X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    }
    assert_true(path_find(&bench.search));
    assert_ptr_equal(bench.search.path[1], x509_store_at(bench.store, 39, NULL));
    bench_close(&bench);
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_ends_are_explained_by_the_longest),
        cmocka_unit_test(each_pair_is_computed_once),
        cmocka_unit_test(steps_are_bounded),
        cmocka_unit_test(finds_and_shows_the_path),
        cmocka_unit_test(key_identifiers_save_work),
        cmocka_unit_test(namesakes_are_all_tried),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
