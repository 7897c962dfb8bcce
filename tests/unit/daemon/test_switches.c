/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/switches.h"

static const struct verify_target all = {0}, two = {.deployment = "2"}, host = {.host = "cucm.lab"},
                                  port = {.host = "cucm.lab", .port = 6972};

static struct verify_switch to(enum verify_mode mode, uint64_t until_s)
{
    return (struct verify_switch){true, mode, until_s};
}

static void each_target_has_one_switch_of_its_own(void **state)
{
    struct verify_switches switches = {0}, copy;
    char name[] = "2";
    const struct verify_target spelled = {.deployment = name};

    assert_null(switches_find(&switches, &all));
    switches_put(&switches, &all, to(VERIFY_PERMISSIVE, 0));
    switches_put(&switches, &spelled, to(VERIFY_DISABLED, 5));
    name[0] = '3'; /* the text was copied */
    switches_put(&switches, &host, to(VERIFY_PERMISSIVE, 7));
    switches_put(&switches, &port, to(VERIFY_ENFORCED, 0));
    switches_put(&switches, &two, to(VERIFY_PERMISSIVE, 6)); /* instead of the first */
    assert_int_equal(switches.count, 3);
    assert_int_equal(switches_find(&switches, &all)->mode, VERIFY_PERMISSIVE);
    assert_int_equal(switches_find(&switches, &two)->until_s, 6);
    assert_int_equal(switches_find(&switches, &host)->until_s, 7);
    assert_int_equal(switches_find(&switches, &port)->mode, VERIFY_ENFORCED);
    assert_null(switches_find(&switches, &spelled));

    copy = switches_copy(&switches);
    switches_put(&switches, &all, (struct verify_switch){0});
    switches_put(&switches, &two, (struct verify_switch){0});
    switches_put(&switches, &two, (struct verify_switch){0}); /* nothing there any more */
    assert_null(switches_find(&switches, &all));
    assert_null(switches_find(&switches, &two));
    assert_int_equal(switches_find(&switches, &port)->mode, VERIFY_ENFORCED);
    assert_int_equal(switches_find(&copy, &two)->until_s, 6);
    assert_true(copy.global.set);
    switches_free(&switches);
    switches_free(&copy);
    assert_int_equal(copy.count, 0);
}

static void what_is_over_is_taken_away(void **state)
{
    struct verify_switches switches = {0};

    switches_put(&switches, &all, to(VERIFY_PERMISSIVE, 100));
    switches_put(&switches, &two, to(VERIFY_PERMISSIVE, 101));
    switches_put(&switches, &host, to(VERIFY_PERMISSIVE, 0));
    switches_put(&switches, &port, to(VERIFY_PERMISSIVE, 100));
    assert_int_equal(switches_expire(&switches, 99), 0);
    assert_int_equal(switches_expire(&switches, 100), 2);
    assert_null(switches_find(&switches, &all));
    assert_null(switches_find(&switches, &port));
    assert_non_null(switches_find(&switches, &two));
    assert_int_equal(switches_expire(&switches, 1000), 1);
    assert_non_null(switches_find(&switches, &host)); /* until it is switched back */
    switches_free(&switches);
}

/* What is left of a time stays; what is open stays open. */
static void a_clock_set_back_does_not_prolong(void **state)
{
    struct verify_switches switches = {0};

    switches_put(&switches, &all, to(VERIFY_PERMISSIVE, 1100));
    switches_put(&switches, &two, to(VERIFY_PERMISSIVE, 0));
    switches_put(&switches, &host, to(VERIFY_PERMISSIVE, 50));
    switches_shift(&switches, 1000);
    assert_int_equal(switches_find(&switches, &all)->until_s, 100);
    assert_int_equal(switches_find(&switches, &two)->until_s, 0);
    assert_int_equal(switches_find(&switches, &host)->until_s, 1); /* over, not open */
    switches_free(&switches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_target_has_one_switch_of_its_own),
        cmocka_unit_test(what_is_over_is_taken_away),
        cmocka_unit_test(a_clock_set_back_does_not_prolong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
