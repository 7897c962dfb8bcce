/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/problems.h"

static void test_texts(void **state)
{
    struct problems problems = {0};

    assert_false(problems_any(&problems));
    problems_add(&problems, "a.yaml", 7, "%s is %d", "x", 3);
    problems_add(&problems, "a.yaml", 0, "plain");
    problems_warn(&problems, "b", 1, "only said");
    assert_true(problems_any(&problems));
    assert_string_equal(problems.items[0], "a.yaml:7: x is 3");
    assert_string_equal(problems.items[1], "a.yaml: plain");
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.warnings[0], "b:1: only said");
    problems_free(&problems);
    assert_int_equal(problems.count, 0);
}

static void test_too_many_are_counted(void **state)
{
    struct problems problems = {0};

    for (int i = 0; i < PROBLEMS_MAX + 50; i++)
        problems_add(&problems, "f", 1, "again");
    assert_int_equal(problems.count, PROBLEMS_MAX + 50);
    assert_int_equal(problems.kept, PROBLEMS_MAX);
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_too_many_are_counted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
