/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static void refuses_nonsense(void **state)
{
    struct pool *pool;

    assert_int_equal(pool_create(0, 8, &pool), ASSAY_ERR_RANGE);
    assert_int_equal(pool_create(8, 0, &pool), ASSAY_ERR_RANGE);
    assert_int_equal(pool_create(SIZE_MAX / 2, 8, &pool), ASSAY_ERR_RANGE);
}

static void gives_each_object_once_and_then_none(void **state)
{
    struct pool *pool;
    uint8_t *objects[5];

    assert_int_equal(pool_create(100, 5, &pool), ASSAY_OK);
    assert_null(pool_at(pool, 0));
    for (uint32_t i = 0; i < 5; i++) {
        objects[i] = pool_take(pool);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
        memset(objects[i], (int)i, 100);
        assert_int_equal(pool_index(pool, objects[i]), i);
        assert_ptr_equal(pool_at(pool, i), objects[i]);
    }
    assert_null(pool_take(pool));
    assert_int_equal(pool_taken(pool), 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(objects[i][99], i);
    pool_give(pool, objects[3]);
    pool_give(pool, objects[1]);
    assert_int_equal(pool_taken(pool), 3);
    assert_ptr_equal(pool_take(pool), objects[1]);
    assert_ptr_equal(pool_take(pool), objects[3]);
    assert_null(pool_take(pool));
    assert_int_equal(pool_count(pool), 5);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(gives_each_object_once_and_then_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
