/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/random.h>

#include "base/thread_slot.h"

#define MIB ((size_t)1 << 20)

static void test_create_refuses_nothing(void **state)
{
    struct thread_slot *slot;

    assert_int_equal(thread_slot_create(0, &slot), ASSAY_ERR_RANGE);
    assert_null(slot);
}

static void test_without_a_slot(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};
    void *block = slot_alloc(100);

    assert_non_null(block);
    slot_free(block);
    slot_free(NULL);
    slot_random(a, sizeof(a));
    slot_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(assay_rand_generate_block(a, sizeof(a)), 0);
}

static void test_limit_of_the_slot(void **state)
{
    struct thread_slot_stats stats;
    struct thread_slot *slot;
    void *block;

    assert_int_equal(thread_slot_create(MIB, &slot), ASSAY_OK);
    thread_slot_attach(slot);
    assert_null(slot_alloc(2 * MIB));
    block = slot_alloc(1000);
    assert_non_null(block);
    thread_slot_get_stats(slot, &stats);
    assert_int_equal(stats.failures, 1);
    assert_int_equal(stats.bytes_in_use, 1000);
    assert_int_equal(stats.blocks_in_use, 1);
    assert_int_equal(stats.reseeds, 1);
    slot_free(block);
    thread_slot_attach(NULL);
    thread_slot_free(slot);
}

struct visitor {
    struct thread_slot *slot;
    void *theirs; /* a block of the first thread, freed by the second */
    void *ours;   /* a block of the second, freed by the first */
    uint8_t random[32];
};

static void *visit(void *arg)
{
    struct visitor *visitor = arg;

    thread_slot_attach(visitor->slot);
    slot_free(visitor->theirs);
    visitor->ours = slot_alloc(500);
    memset(visitor->ours, 1, 500);
    slot_random(visitor->random, sizeof(visitor->random));
    thread_slot_attach(NULL);
    return NULL;
}

static void test_two_threads(void **state)
{
    struct thread_slot_stats stats;
    struct thread_slot *slot;
    struct visitor visitor;
    uint8_t random[32];
    pthread_t thread;

    assert_int_equal(thread_slot_create(MIB, &slot), ASSAY_OK);
    assert_int_equal(thread_slot_create(MIB, &visitor.slot), ASSAY_OK);
    thread_slot_attach(slot);
    visitor.theirs = slot_alloc(300);
    memset(visitor.theirs, 2, 300);
    assert_int_equal(pthread_create(&thread, NULL, visit, &visitor), 0);
    slot_random(random, sizeof(random));
    pthread_join(thread, NULL);
    assert_memory_not_equal(random, visitor.random, sizeof(random));
    slot_free(visitor.ours);
    slot_free(slot_alloc(1)); /* an allocation takes home what the other thread freed */
    thread_slot_get_stats(slot, &stats);
    assert_int_equal(stats.blocks_in_use, 0);
    thread_slot_attach(visitor.slot);
    slot_free(slot_alloc(1));
    thread_slot_get_stats(visitor.slot, &stats);
    assert_int_equal(stats.blocks_in_use, 0);
    thread_slot_attach(NULL);
    thread_slot_free(visitor.slot);
    thread_slot_free(slot);
}

/* The library's own calls arrive here. */
static void test_installed(void **state)
{
    struct thread_slot_stats stats;
    struct thread_slot *slot;
    uint8_t random[64] = {0}, zero[64] = {0};
    uint8_t *block;
    WC_RNG rng;

    assert_int_equal(thread_slot_install(), ASSAY_OK);
    assert_int_equal(thread_slot_create(MIB, &slot), ASSAY_OK);
    thread_slot_attach(slot);
    block = wolfSSL_Malloc(100);
    memset(block, 5, 100);
    block = wolfSSL_Realloc(block, 5000);
    assert_non_null(block);
    assert_int_equal(block[99], 5);
    thread_slot_get_stats(slot, &stats);
    assert_int_equal(stats.bytes_in_use, 5000);
    assert_null(wolfSSL_Realloc(block, 0));
    block = wolfSSL_Realloc(NULL, 8);
    wolfSSL_Free(block);
    assert_int_equal(wc_InitRng(&rng), 0);
    assert_int_equal(wc_RNG_GenerateBlock(&rng, random, sizeof(random)), 0);
    assert_memory_not_equal(random, zero, sizeof(random));
    wc_FreeRng(&rng);
    thread_slot_get_stats(slot, &stats);
    assert_int_equal(stats.blocks_in_use, 0);
    thread_slot_attach(NULL);
    thread_slot_free(slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_refuses_nothing),
        cmocka_unit_test(test_without_a_slot),
        cmocka_unit_test(test_limit_of_the_slot),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_installed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
