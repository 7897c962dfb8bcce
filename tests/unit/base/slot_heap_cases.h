/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What both files that implement base/slot_heap.h must do; included by the test of each, which is built with that file. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slot_heap.h"

#define MIB ((size_t)1 << 20)

static void test_used_up_is_counted(void **state)
{
    static void *blocks[1024];
    struct slot_heap_stats stats;
    struct slot_heap *heap;
    size_t n = 0;

    assert_int_equal(slot_heap_create(0, &heap), ASSAY_ERR_RANGE);
    assert_int_equal(slot_heap_create(4 * MIB, &heap), ASSAY_OK);
    assert_null(slot_heap_alloc(heap, SIZE_MAX));
    assert_null(slot_heap_alloc(heap, 5 * MIB));
    while (n < 1024 && (blocks[n] = slot_heap_alloc(heap, 16384 + 300)) != NULL)
        n++;
    assert_in_range(n, 200, 260);
    slot_heap_get_stats(heap, &stats);
    assert_int_equal(stats.failures, 3);
    assert_int_equal(stats.blocks_in_use, n);
    assert_int_equal(stats.bytes_in_use, n * (16384 + 300));
    while (n > 0)
        slot_block_free(heap, blocks[--n]);
    /* All of it is there again, for another size too. */
    blocks[0] = slot_heap_alloc(heap, 32 * 1024);
    assert_non_null(blocks[0]);
    slot_block_free(heap, blocks[0]);
    slot_heap_free(heap);
}

static void test_sizes_do_not_overlap(void **state)
{
    static uint8_t *blocks[4000];
    static size_t lengths[4000];
    uint32_t random = 1;
    struct slot_heap *heap;
    struct slot_heap_stats stats;

    assert_int_equal(slot_heap_create(64 * MIB, &heap), ASSAY_OK);
    for (int round = 0; round < 40000; round++) {
        size_t i, len;

        random = random * 1664525 + 1013904223;
        i = (random >> 8) % 4000;
        random = random * 1664525 + 1013904223;
        len = random >> (15 + random / 7 % 17); /* small ones as often as large ones */
        if (blocks[i] != NULL) {
            for (size_t j = 0; j < lengths[i]; j++)
                assert_int_equal(blocks[i][j], (uint8_t)i);
            slot_block_free(heap, blocks[i]);
            blocks[i] = NULL;
        } else if ((blocks[i] = slot_heap_alloc(heap, len % 2048)) != NULL) {
            assert_int_equal((uintptr_t)blocks[i] % 16, 0);
            lengths[i] = len % 2048;
            assert_int_equal(slot_block_size(blocks[i]), lengths[i]);
            memset(blocks[i], (int)(uint8_t)i, lengths[i]);
        }
    }
    for (size_t i = 0; i < 4000; i++)
        slot_block_free(heap, blocks[i]);
    slot_heap_get_stats(heap, &stats);
    assert_int_equal(stats.bytes_in_use, 0);
    assert_int_equal(stats.blocks_in_use, 0);
    assert_true(stats.bytes_peak > 0);
    slot_heap_free(heap);
}

/* Each size around each class's edge, and the largest that comes from malloc. */
static void test_every_size(void **state)
{
    struct slot_heap *heap;

    assert_int_equal(slot_heap_create(16 * MIB, &heap), ASSAY_OK);
    for (size_t len = 0; len < 300000; len += len < 4200 ? 1 : 509) {
        uint8_t *a = slot_heap_alloc(heap, len), *b = slot_heap_alloc(heap, len);

        assert_non_null(a);
        assert_non_null(b);
        memset(a, 0xaa, len);
        memset(b, 0xbb, len);
        if (len > 0) {
            assert_int_equal(a[0], 0xaa);
            assert_int_equal(a[len - 1], 0xaa);
        }
        slot_block_free(heap, b);
        slot_block_free(heap, a);
    }
    slot_heap_free(heap);
}

static void test_without_heap(void **state)
{
    struct slot_heap *heap;
    char *block = slot_heap_alloc(NULL, 10);

    assert_int_equal(slot_heap_create(MIB, &heap), ASSAY_OK);
    assert_non_null(block);
    memset(block, 1, 10);
    slot_block_free(heap, block); /* a block of malloc's, freed by a thread with a heap */
    slot_block_free(NULL, slot_heap_alloc(NULL, 0));
    slot_block_free(NULL, NULL);
    slot_heap_free(heap);
}

#define FOREIGN_BLOCKS 2000
struct foreign {
    void *blocks[FOREIGN_BLOCKS];
};

static void *free_all(void *arg)
{
    struct foreign *foreign = arg;

    for (size_t i = 0; i < FOREIGN_BLOCKS; i++) {
        *(uint8_t *)foreign->blocks[i] += 1;
        slot_block_free(NULL, foreign->blocks[i]);
    }
    return NULL;
}

/* Three threads free what the owner goes on allocating: every block comes home. */
static void test_foreign_frees(void **state)
{
    static struct foreign foreign[3];
    struct slot_heap_stats stats;
    struct slot_heap *heap;
    pthread_t threads[3];

    assert_int_equal(slot_heap_create(32 * MIB, &heap), ASSAY_OK);
    for (int round = 0; round < 4; round++) {
        for (size_t t = 0; t < 3; t++)
            for (size_t i = 0; i < FOREIGN_BLOCKS; i++) {
                foreign[t].blocks[i] = slot_heap_alloc(heap, 1 + i % 700);
                assert_non_null(foreign[t].blocks[i]);
                memset(foreign[t].blocks[i], 7, 1 + i % 700);
            }
        for (size_t t = 0; t < 3; t++)
            assert_int_equal(pthread_create(&threads[t], NULL, free_all, &foreign[t]), 0);
        for (int i = 0; i < 20000; i++) {
            uint8_t *block = slot_heap_alloc(heap, 1 + (size_t)i % 700);

            assert_non_null(block);
            memset(block, 9, 1 + (size_t)i % 700);
            slot_block_free(heap, block);
        }
        for (size_t t = 0; t < 3; t++)
            pthread_join(threads[t], NULL);
    }
    slot_block_free(heap, slot_heap_alloc(heap, 1)); /* takes the rest home */
    slot_heap_get_stats(heap, &stats);
    assert_int_equal(stats.blocks_in_use, 0);
    assert_int_equal(stats.bytes_in_use, 0);
    slot_heap_free(heap);
}

static int run_slot_heap_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_used_up_is_counted), cmocka_unit_test(test_sizes_do_not_overlap),
        cmocka_unit_test(test_every_size),         cmocka_unit_test(test_without_heap),
        cmocka_unit_test(test_foreign_frees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
