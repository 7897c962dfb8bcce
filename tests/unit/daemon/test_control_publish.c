/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/control_publish.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

#define NOW FORGE_NOW

static const struct snapshot *current(const struct running *running)
{
    return publisher_snapshot(&running->control.publisher);
}

/* The same trust again is no new snapshot. */
static void test_what_is_the_same_is_not_published(void **state)
{
    struct change change = {0};
    struct running running;
    const struct snapshot *before;

    running_start(&running, NOW);
    before = current(&running);
    assert_true(control_publish_trust(&running.control, running.control.trust, &change));
    assert_false(change.published);
    assert_true(change.adopted);
    assert_int_equal(change.generation, 1);
    assert_ptr_equal(current(&running), before);
    change_free(&change);
    running_stop(&running);
}

/* One section is new, and only its epoch. */
static void test_one_section_alone(void **state)
{
    struct change change = {0};
    struct running running;
    uint64_t access, trust;

    running_start(&running, NOW);
    access = current(&running)->access->epoch;
    trust = current(&running)->trust->epoch;
    running.control.config->root.verify.sha1 = !running.control.config->root.verify.sha1;
    assert_true(control_publish_trust(&running.control, running.control.trust, &change));
    assert_true(change.published);
    assert_true(change.adopted);
    assert_int_equal(change.generation, 2);
    assert_int_equal(current(&running)->trust->epoch, trust + 1);
    assert_int_equal(current(&running)->access->epoch, access);
    change_free(&change);
    running_stop(&running);
}

/* Cores that do not come by: the change is published all the same, and says so. */
static void test_cores_that_do_not_adopt(void **state)
{
    struct running running;
    struct change change;

    running_start(&running, NOW);
    running.cores[1].shared = NULL;
    running.cores[1].generation = 1;
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_PERMISSIVE, 0, &change));
    assert_true(change.published);
    assert_false(change.adopted);
    assert_true(change.adopted_ms >= 1000);
    change_free(&change);
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_ENFORCED, 0, &change));
    change_free(&change);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_the_same_is_not_published),
        cmocka_unit_test(test_one_section_alone),
        cmocka_unit_test(test_cores_that_do_not_adopt),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
