/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rcu.h"

static void refuses_readers_out_of_range(void **state)
{
    struct rcu *rcu;

    assert_int_equal(rcu_create(0, &rcu), ASSAY_ERR_RANGE);
    assert_int_equal(rcu_create(RCU_READERS_MAX + 1, &rcu), ASSAY_ERR_RANGE);
    assert_int_equal(rcu_create(2, &rcu), ASSAY_OK);
    assert_int_equal(rcu_register(rcu, 2), ASSAY_ERR_RANGE);
    assert_int_equal(rcu_register(rcu, 0), ASSAY_OK);
    assert_int_equal(rcu_register(rcu, 0), ASSAY_ERR_DUPLICATE);
    rcu_unregister(rcu, 0);
    rcu_unregister(rcu, 0);
    rcu_unregister(rcu, 7);
    assert_int_equal(rcu_register(rcu, 0), ASSAY_OK);
    rcu_destroy(rcu);
    rcu_destroy(NULL);
}

static void waits_for_every_online_reader(void **state)
{
    struct rcu *rcu;
    uint64_t ticket;

    assert_int_equal(rcu_create(65, &rcu), ASSAY_OK);
    assert_true(rcu_done(rcu, rcu_start(rcu))); /* nobody registered: nobody to wait for */
    assert_int_equal(rcu_register(rcu, 0), ASSAY_OK);
    assert_int_equal(rcu_register(rcu, 64), ASSAY_OK);
    assert_true(rcu_done(rcu, rcu_start(rcu))); /* registered, but offline */

    rcu_online(rcu, 0);
    rcu_online(rcu, 64);
    ticket = rcu_start(rcu);
    assert_false(rcu_done(rcu, ticket));
    rcu_quiescent(rcu, 64);
    assert_false(rcu_done(rcu, ticket));
    assert_int_equal(rcu_wait(rcu, ticket, 1000), ASSAY_ERR_BUSY);
    rcu_quiescent(rcu, 0);
    assert_true(rcu_done(rcu, ticket));
    assert_int_equal(rcu_wait(rcu, ticket, 0), ASSAY_OK);

    ticket = rcu_start(rcu); /* a reader that sleeps or goes away holds nothing up */
    rcu_offline(rcu, 0);
    assert_false(rcu_done(rcu, ticket));
    rcu_unregister(rcu, 64);
    assert_true(rcu_done(rcu, ticket));

    rcu_online(rcu, 0); /* who comes online after the start cannot hold what was unpublished before it */
    assert_true(rcu_done(rcu, ticket));
    rcu_destroy(rcu);
}

static void publish_returns_what_was_there(void **state)
{
    struct rcu_slot slot = {NULL};
    int first, second;

    assert_null(rcu_read(&slot));
    assert_null(rcu_publish(&slot, &first));
    assert_ptr_equal(rcu_publish(&slot, &second), &first);
    assert_ptr_equal(rcu_read(&slot), &second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_readers_out_of_range),
        cmocka_unit_test(waits_for_every_online_reader),
        cmocka_unit_test(publish_returns_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
