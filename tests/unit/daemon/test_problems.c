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

static void test_take(void **state)
{
    struct problems problems = {0}, more = {0};

    problems_add(&problems, "a", 1, "one");
    problems_add(&more, "b", 2, "two");
    problems_warn(&more, "c", 3, "three");
    problems_take(&problems, &more);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.items[1], "b:2: two");
    assert_int_equal(problems.warning_count, 1);
    assert_string_equal(problems.warnings[0], "c:3: three");
    assert_int_equal(more.count + more.kept + more.warning_count, 0);
    for (int i = 0; i < PROBLEMS_MAX + 5; i++)
        problems_add(&more, "f", 1, "again");
    problems_take(&problems, &more);
    assert_int_equal(problems.count, PROBLEMS_MAX + 7);
    assert_int_equal(problems.kept, PROBLEMS_MAX);
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_too_many_are_counted),
                                       cmocka_unit_test(test_take)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
