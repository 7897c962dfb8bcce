/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fake_core.h"

static void test_a_core_that_does_not_answer(void **state)
{
    struct core cores[2];
    struct fleet_rows rows;
    struct fleet fleet;

    fake_fleet(&fleet, cores, 2, NULL);
    cores[1].deaf = true;
    assert_int_equal(fleet_command(&fleet, COMMAND_ORIGINS, 10, 2000, &rows), ASSAY_ERR_BUSY);
    assert_int_equal(rows.count, 2); /* the other's */
    fleet_rows_free(&rows);
    /* it still has the command, and may write to it */
    memset(cores[1].left->rows, 1, 10 * sizeof(struct origin_row));
    free(cores[1].left->rows);
    free(cores[1].left);
}

static void test_a_full_command_ring(void **state)
{
    struct core cores[2];
    struct fleet_rows rows;
    struct fleet fleet;

    fake_fleet(&fleet, cores, 2, NULL);
    cores[0].refuses = true;
    assert_int_equal(fleet_command(&fleet, COMMAND_VERDICTS, 10, 2000, &rows), ASSAY_ERR_BUSY);
    assert_int_equal(rows.count, 2);
    fleet_rows_free(&rows);
}

static void test_rows_of_all_cores(void **state)
{
    static const enum command_kind kinds[] = {COMMAND_VERDICTS, COMMAND_ORIGINS, COMMAND_CONNECTIONS};
    struct core cores[3];
    struct fleet_rows rows;
    struct fleet fleet;

    fake_fleet(&fleet, cores, 3, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fleet_command(&fleet, kinds[i], 10, 1000000, &rows), ASSAY_OK);
        assert_int_equal(rows.count, 6);
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(rows.cores[k], k / 2);
        assert_false(rows.more);
        fleet_rows_free(&rows);
        assert_int_equal(fleet_command(&fleet, kinds[i], 1, 1000000, &rows), ASSAY_OK);
        assert_int_equal(rows.count, 3);
        assert_true(rows.more);
        fleet_rows_free(&rows);
    }
    assert_int_equal(fleet_command(&fleet, COMMAND_DRAIN, 0, 1000000, &rows), ASSAY_OK);
    assert_int_equal(rows.count, 0);
    assert_int_equal(cores[2].commands[COMMAND_DRAIN], 1);
}

static void test_generations(void **state)
{
    struct core cores[2];
    struct fleet fleet = {0};

    assert_int_equal(fleet_generation(&fleet), 0);
    fake_fleet(&fleet, cores, 2, NULL);
    cores[0].generation = 5;
    cores[1].generation = 4;
    assert_int_equal(fleet_generation(&fleet), 4);
    assert_int_equal(fleet_wait(&fleet, 4, 0), ASSAY_OK);
    assert_int_equal(fleet_wait(&fleet, 5, 1000), ASSAY_ERR_BUSY);
    assert_false(fleet_drained(&fleet));
    cores[0].drained = cores[1].drained = true;
    assert_true(fleet_drained(&fleet));
    assert_int_equal(fleet_duplicates(&fleet), 0);
    cores[0].duplicates = 1;
    cores[1].duplicates = 4;
    assert_int_equal(fleet_duplicates(&fleet), 5);
}

static void test_counters(void **state)
{
    struct assay_counters counters;
    struct core cores[2];
    struct fleet fleet;

    fake_fleet(&fleet, cores, 2, NULL);
    cores[0].proxy.requests = 3;
    cores[1].proxy.requests = 4;
    cores[1].proxy.snapshots = 1;
    fleet_counters(&fleet, -1, &counters);
    assert_int_equal(counters.requests, 7);
    assert_int_equal(counters.snapshots, 1);
    fleet_counters(&fleet, 0, &counters);
    assert_int_equal(counters.requests, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_core_that_does_not_answer),
        cmocka_unit_test(test_a_full_command_ring),
        cmocka_unit_test(test_rows_of_all_cores),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_counters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
